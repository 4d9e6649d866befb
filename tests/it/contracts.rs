//! The devnet's committed bytecode is what solc makes of the sources beside it.

use crate::npm;
use crosscheck_devnet::contracts::PREDEPLOYS;
use std::collections::BTreeMap;

#[test]
fn the_committed_bytecode_matches_its_sources() {
    npm::installed("solc");
    let output = npm::node("compile.mjs", &[])
        .output()
        .expect("node runs: install Node.js 20 or newer and have `node` on PATH");
    assert!(output.status.success(), "solc refused: {}", String::from_utf8_lossy(&output.stderr));

    let compiled: BTreeMap<String, String> =
        serde_json::from_slice(&output.stdout).expect("compile.mjs prints a JSON object of hex strings");
    let committed: BTreeMap<String, String> = PREDEPLOYS
        .iter()
        .map(|predeploy| {
            let code = predeploy.bytecode().expect("committed bytecode is hex");
            (predeploy.name.to_owned(), alloy::hex::encode(code))
        })
        .collect();
    assert_eq!(
        compiled.keys().collect::<Vec<_>>(),
        committed.keys().collect::<Vec<_>>(),
        "every source has its bytecode, and the other way round"
    );
    for (name, code) in compiled {
        assert!(
            committed.get(&name) == Some(&code),
            "{name}.bin is not what {name}.sol compiles to: run `node tests/npm/compile.mjs --write`"
        );
    }
}
