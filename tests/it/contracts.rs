//! The devnet's committed bytecode is what solc makes of the sources beside it.

use crosscheck::devnet::contracts::PREDEPLOYS;
use std::{collections::BTreeMap, path::Path, process::Command};

#[test]
fn committed_bytecode_is_what_the_sources_compile_to() {
    let npm = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm");
    assert!(
        npm.join("node_modules/solc").is_dir(),
        "solc is not installed: run `npm ci --prefix tests/npm` in the repository first"
    );
    let output = Command::new("node")
        .arg(npm.join("compile.mjs"))
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
