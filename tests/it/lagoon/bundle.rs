//! What Lagoon adds to its first block, as upstream publishes it.
//!
//! The bundle's file comes with the Go module that `tests/peers/opstack` pins by hash. Nothing of it is kept
//! here: the program knows the transactions by their hashes alone, and what is made here is checked against
//! those.

use alloy::primitives::{Address, Bytes, TxKind, U256, address, bytes, keccak256};
use crosscheck_devnet::chain::Upgrade;
use crosscheck_p2p::UnixSeconds;
use op_alloy::consensus::{TxDeposit, UpgradeDepositSource};
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const MODULE: &str = "github.com/ethereum-optimism/optimism";
const DEPOSITOR: Address = address!("deaddeaddeaddeaddeaddeaddeaddeaddead0001");
const L1_BLOCK: Address = address!("4200000000000000000000000000000000000015");
const ETH_LIQUIDITY: Address = address!("4200000000000000000000000000000000000025");
/// What is kept free in the first block for the deposits around the bundle, whether it has them or not.
const AROUND_GAS: u64 = 150_000;

#[derive(Deserialize)]
struct File {
    transactions: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    intent: String,
    from: Address,
    to: Option<Address>,
    data: Bytes,
    gas_limit: u64,
}

/// Lagoon on a chain whose dependency set has other chains too, or none.
pub(crate) fn lagoon(time: UnixSeconds, is_of_several: bool) -> Upgrade {
    let file: File = serde_json::from_slice(&std::fs::read(path()).unwrap()).unwrap();
    let gas = file.transactions.iter().map(|entry| entry.gas_limit).sum::<u64>() + AROUND_GAS;
    let bundle = file.transactions.into_iter().enumerate().map(|(place, entry)| {
        let to = entry.to.map_or(TxKind::Create, TxKind::Call);
        deposit(&format!("Interop {place}: {}", entry.intent), entry.from, to, entry.gas_limit, entry.data)
    });
    let mut deposits: Vec<_> = bundle.collect();
    if is_of_several {
        deposits.insert(0, set_feature());
        deposits.push(funding());
    }
    Upgrade { time, deposits: deposits.into(), gas }
}

/// The bundle's file in Go's module cache, where it is fetched to if it is not there.
fn path() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/opstack");
    let mut go = Command::new("go");
    let output = go.args(["mod", "download", "-json", MODULE]).current_dir(folder).output();
    let output = output.expect("Go is not there: Lagoon's upgrade transactions come from a Go module");
    let module: Value = serde_json::from_slice(&output.stdout).unwrap();
    let folder = module["Dir"].as_str().unwrap_or_else(|| panic!("{MODULE} cannot be had: {module}"));
    Path::new(folder).join("op-core/nuts/bundles/lagoon_nut_bundle.json")
}

fn deposit(intent: &str, from: Address, to: TxKind, gas_limit: u64, input: Bytes) -> TxDeposit {
    TxDeposit {
        source_hash: UpgradeDepositSource::new(intent.to_owned()).source_hash(),
        from,
        to,
        mint: 0,
        value: U256::ZERO,
        gas_limit,
        is_system_transaction: false,
        input,
    }
}

fn set_feature() -> TxDeposit {
    let mut feature = bytes!("494e5445524f50").to_vec();
    feature.resize(32, 0);
    let input = [&keccak256("setFeature(bytes32)")[..4], &feature].concat();
    let to = TxKind::Call(L1_BLOCK);
    deposit("Interop pre: setFeature(INTEROP)", DEPOSITOR, to, 100_000, input.into())
}

fn funding() -> TxDeposit {
    let input = Bytes::copy_from_slice(&keccak256("fund()")[..4]);
    let to = TxKind::Call(ETH_LIQUIDITY);
    let deposit = deposit("Interop post: ETHLiquidity Funding", DEPOSITOR, to, 50_000, input);
    TxDeposit { mint: u128::MAX, value: U256::from(u128::MAX), ..deposit }
}
