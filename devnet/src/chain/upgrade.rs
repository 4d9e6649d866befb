//! The fork that may begin on a devnet chain in mid-run, as Lagoon does: its first block has a bundle of
//! upgrade deposits and more gas for them, which the next block does not have.
//!
//! Lagoon's own bundle is not the devnet's to carry: 28 transactions of the real predeploys, of which
//! Crosscheck has the hashes alone. So the fork and its bundle are made up here, and the sidecar is given the
//! bundle as an operator gives it: in upstream's file, named in its configuration. The real bundle is tried
//! in `tests/it/lagoon` and `tests/peers/opstack`.

use alloy::primitives::{Address, Bytes, TxKind, U256, hex};
use crosscheck_p2p::UnixSeconds;
use op_alloy::consensus::{TxDeposit, UpgradeDepositSource};
use serde_json::json;
use std::sync::Arc;

/// A fork that begins in mid-run, and what it adds to its first block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// When it begins.
    pub time: UnixSeconds,
    /// The deposits that its first block has after all others.
    pub deposits: Arc<[TxDeposit]>,
    /// What its first block has more in its gas limit.
    pub gas: u64,
}

impl Upgrade {
    /// The devnet's own fork, beginning then.
    pub fn own(time: UnixSeconds) -> Self {
        Self { time, deposits: deposits().into(), gas: gas() }
    }
}

/// The fork's name: its key in the rollup configuration without `_time`.
pub(crate) const FORK: &str = "tempest";
/// What the intents of its transactions begin with.
const LABEL: &str = "Tempest";
/// Who sends the bundle.
const SENDER: Address = Address::repeat_byte(0x7e);

/// One transaction of the bundle. None of them writes a log.
struct Part {
    intent: &'static str,
    to: Option<Address>,
    data: &'static [u8],
    gas: u64,
}

const BUNDLE: [Part; 3] = [
    Part {
        intent: "Deploy a contract that returns nothing",
        to: None,
        data: &hex!("6001600c60003960016000f300"),
        gas: 400_000,
    },
    Part { intent: "Call an account", to: Some(Address::repeat_byte(0x42)), data: &[1, 2, 3], gas: 70_000 },
    Part { intent: "Call another", to: Some(Address::repeat_byte(0x43)), data: &[], gas: 50_000 },
];

/// What the bundle adds to the gas limit of its block.
pub(crate) fn gas() -> u64 {
    BUNDLE.iter().map(|part| part.gas).fold(0, u64::saturating_add)
}

/// The bundle's deposits, in order.
pub(crate) fn deposits() -> Vec<TxDeposit> {
    let deposit = |(place, part): (usize, &Part)| {
        let intent = format!("{LABEL} {place}: {}", part.intent);
        TxDeposit {
            source_hash: UpgradeDepositSource::new(intent).source_hash(),
            from: SENDER,
            to: part.to.map_or(TxKind::Create, TxKind::Call),
            mint: 0,
            value: U256::ZERO,
            gas_limit: part.gas,
            is_system_transaction: false,
            input: Bytes::from_static(part.data),
        }
    };
    BUNDLE.iter().enumerate().map(deposit).collect()
}

/// The bundle's file, as upstream publishes them.
pub(crate) fn bundle_file() -> String {
    let transaction = |part: &Part| {
        json!({
            "data": Bytes::from_static(part.data),
            "from": SENDER,
            "gasLimit": part.gas,
            "intent": part.intent,
            "to": part.to,
        })
    };
    let transactions: Vec<_> = BUNDLE.iter().map(transaction).collect();
    json!({ "metadata": { "version": "1.0.0" }, "transactions": transactions }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, GENESIS_TIME};
    use alloy::eips::eip2718::Encodable2718;
    use crosscheck_core::consolidation::TransactionDigest;
    use crosscheck_core::consolidation::deposits::NamedBundle;

    #[test]
    fn the_bundle_file_has_the_deposits_of_the_chain() {
        let named = NamedBundle::read(FORK, LABEL, &bundle_file()).unwrap();
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
