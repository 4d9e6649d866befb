//! The fork that a devnet chain may come to in mid-run, as Lagoon comes: its first block holds a bundle of upgrade deposits
//! and has more gas for them, which the next has not.
//!
//! Lagoon's own bundle is not the devnet's to carry: 28 transactions of the real predeploys, of which Crosscheck has the
//! hashes alone. So the fork and its bundle are made up here, and the sidecar is given the bundle as an operator gives it:
//! in upstream's file, named in its configuration. The real bundles are tried in `tests/peers/opstack`.

use super::config_file::ConfigFileError;
use alloy::primitives::{Address, Bytes, TxKind, U256, hex};
use op_alloy::consensus::{TxDeposit, UpgradeDepositSource};
use serde_json::json;
use std::path::{Path, PathBuf};

/// The fork's name: its key in the rollup configuration without `_time`.
pub const FORK: &str = "tempest";
/// What the intents of its transactions begin with.
const LABEL: &str = "Tempest";
/// The bundle's file in the devnet's directory.
const FILE_NAME: &str = "tempest_nut_bundle.json";
/// Who sends the bundle.
const SENDER: Address = Address::repeat_byte(0x7e);

/// One transaction of the bundle. None of them writes a log.
struct Upgrade {
    intent: &'static str,
    to: Option<Address>,
    data: &'static [u8],
    gas: u64,
}

const BUNDLE: [Upgrade; 3] = [
    Upgrade {
        intent: "Deploy a contract that returns nothing",
        to: None,
        data: &hex!("6001600c60003960016000f300"),
        gas: 400_000,
    },
    Upgrade {
        intent: "Call an account",
        to: Some(Address::repeat_byte(0x42)),
        data: &[1, 2, 3],
        gas: 70_000,
    },
    Upgrade { intent: "Call another", to: Some(Address::repeat_byte(0x43)), data: &[], gas: 50_000 },
];

/// What the bundle adds to the gas limit of its block.
pub fn gas() -> u64 {
    BUNDLE.iter().map(|upgrade| upgrade.gas).fold(0, u64::saturating_add)
}

/// The bundle's deposits, in order.
pub fn deposits() -> Vec<TxDeposit> {
    let deposit = |(place, upgrade): (usize, &Upgrade)| {
        let intent = format!("{LABEL} {place}: {}", upgrade.intent);
        TxDeposit {
            source_hash: UpgradeDepositSource::new(intent).source_hash(),
            from: SENDER,
            to: upgrade.to.map_or(TxKind::Create, TxKind::Call),
            mint: 0,
            value: U256::ZERO,
            gas_limit: upgrade.gas,
            is_system_transaction: false,
            input: Bytes::from_static(upgrade.data),
        }
    };
    BUNDLE.iter().enumerate().map(deposit).collect()
}

/// Writes the bundle as upstream publishes them, and gives what names it in a sidecar's configuration.
///
/// # Errors
/// If the file cannot be written.
pub fn write(dir: &Path) -> Result<String, ConfigFileError> {
    let path: PathBuf = dir.join(FILE_NAME);
    std::fs::write(&path, file()).map_err(|source| ConfigFileError::Write { path: path.clone(), source })?;
    Ok(format!("{FORK}={}", path.display()))
}

fn file() -> String {
    let transaction = |upgrade: &Upgrade| {
        json!({
            "data": Bytes::from_static(upgrade.data),
            "from": SENDER,
            "gasLimit": upgrade.gas,
            "intent": upgrade.intent,
            "to": upgrade.to,
        })
    };
    let transactions: Vec<_> = BUNDLE.iter().map(transaction).collect();
    json!({ "metadata": { "version": "1.0.0" }, "transactions": transactions }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consolidation::TransactionDigest;
    use crate::consolidation::deposits::NamedBundle;
    use crate::devnet::fixture::{Fixture, GENESIS_TIME};
    use alloy::eips::eip2718::Encodable2718;
    use crosscheck_p2p::UnixSeconds;

    #[test]
    fn the_file_says_what_the_chain_does() {
        let named = NamedBundle::read(FORK, LABEL, &file()).unwrap();
        let digests: Vec<_> =
            deposits().iter().map(|deposit| TransactionDigest::of(&deposit.encoded_2718().into())).collect();
        assert_eq!((named.bundle.transactions(), named.bundle.gas()), (digests.as_slice(), gas()));
    }

    #[test]
    fn the_first_block_alone_has_the_bundle_and_its_gas() {
        let mut fixture = Fixture::with_upgrade(7, UnixSeconds(GENESIS_TIME + 4));
        let [before, first, next] = core::array::from_fn(|_| fixture.extend(&[]));
        let counts = [&before, &first, &next].map(|block| block.transactions.len());
        assert_eq!(counts, [1, 1 + BUNDLE.len(), 1]);
        assert_eq!(first.header.gas_limit, before.header.gas_limit + gas());
        assert_eq!(next.header.gas_limit, before.header.gas_limit);
        assert!(first.receipts.iter().all(|receipt| receipt.status() && receipt.logs().is_empty()));
        let replacement = fixture.chain.deposits_only(first.hash).unwrap();
        assert_eq!(replacement.hash, first.hash);
    }
}
