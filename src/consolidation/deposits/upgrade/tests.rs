//! The transactions are those that were published, to the byte.

use super::super::derive::DepositRules;
use super::*;
use crate::consolidation::rollup_config::tests::op_mainnet_json;
use crate::consolidation::{ForkSchedule, ForkTimes};
use alloy::primitives::{B256, b256, keccak256};
use rstest::rstest;

const FIRST: u64 = 1_000;

/// A chain whose forks after the one before this, up to this, take force in the block at [`FIRST`].
fn config(forks: ForkSchedule) -> RollupConfig {
    let config = serde_json::from_value(op_mainnet_json()).unwrap();
    RollupConfig { forks, ..DepositRules::new(config).config }
}

fn first_block_of(first: Fork, last: Fork) -> RollupConfig {
    let time = |fork| (fork <= last).then_some(if fork < first { 0 } else { FIRST });
    let times = ForkTimes {
        regolith_time: time(Fork::Regolith),
        canyon_time: time(Fork::Canyon),
        delta_time: time(Fork::Delta),
        ecotone_time: time(Fork::Ecotone),
        fjord_time: time(Fork::Fjord),
        granite_time: time(Fork::Granite),
        holocene_time: time(Fork::Holocene),
        isthmus_time: time(Fork::Isthmus),
        jovian_time: time(Fork::Jovian),
        karst_time: time(Fork::Karst),
        lagoon_time: time(Fork::Lagoon),
        interop_time: None,
    };
    config(ForkSchedule::try_from(times).unwrap())
}

/// `keccak256` of the published encodings, one after the other: kona-hardforks 0.4.5 on crates.io,
/// `src/bytecode/{ecotone,fjord,isthmus}_tx_*.hex`.
#[rstest]
#[case::ecotone(Fork::Ecotone, 6, ECOTONE_HASH)]
#[case::fjord(Fork::Fjord, 3, FJORD_HASH)]
#[case::isthmus(Fork::Isthmus, 8, ISTHMUS_HASH)]
fn as_published(#[case] fork: Fork, #[case] count: usize, #[case] hash: B256) {
    let transactions = upgrade_transactions(&first_block_of(fork, fork), UnixSeconds(FIRST)).unwrap();
    assert_eq!(transactions.len(), count);
    assert_eq!(keccak256(transactions.concat()), hash);
}

#[rstest]
#[case::set_ecotone("setEcotone()", ecotone())]
#[case::set_fjord("setFjord()", fjord())]
#[case::set_isthmus("setIsthmus()", isthmus())]
fn selectors_are_the_hashes_of_the_signatures(#[case] signature: &str, #[case] upgrades: Vec<Upgrade>) {
    let called = upgrades.iter().find_map(|upgrade| match upgrade.action {
        Action::Call { selector, .. } => Some(selector),
        Action::Deploy { .. } | Action::Point { .. } => None,
    });
    assert_eq!(called.unwrap(), keccak256(signature)[..4]);
    assert_eq!(UPGRADE_TO, keccak256("upgradeTo(address)")[..4]);
}

#[rstest]
#[case::before(FIRST - 2, 0)]
#[case::first(FIRST, 17)]
#[case::second(FIRST + 2, 0)]
fn only_the_first_block_has_them_and_forks_come_in_order(#[case] timestamp: u64, #[case] count: usize) {
    let config = first_block_of(Fork::Ecotone, Fork::Isthmus);
    let transactions = upgrade_transactions(&config, UnixSeconds(timestamp)).unwrap();
    assert_eq!(transactions.len(), count);
    let apart = [Fork::Ecotone, Fork::Fjord, Fork::Isthmus]
        .map(|fork| upgrade_transactions(&first_block_of(fork, fork), UnixSeconds(timestamp)).unwrap());
    assert_eq!(transactions, apart.concat());
}

#[rstest]
#[case::regolith(Fork::Regolith)]
#[case::canyon(Fork::Canyon)]
#[case::delta(Fork::Delta)]
#[case::granite(Fork::Granite)]
#[case::holocene(Fork::Holocene)]
fn forks_without_any(#[case] fork: Fork) {
    assert_eq!(upgrade_transactions(&first_block_of(fork, fork), UnixSeconds(FIRST)), Ok(vec![]));
}

#[rstest]
#[case::jovian(Fork::Jovian, None)]
#[case::karst(Fork::Karst, Some(Fork::Karst))]
#[case::lagoon(Fork::Lagoon, Some(Fork::Lagoon))]
fn unknown_ones_are_said_to_be_unknown(#[case] fork: Fork, #[case] with_gas: Option<Fork>) {
    let config = first_block_of(fork, fork);
    assert_eq!(upgrade_transactions(&config, UnixSeconds(FIRST)), Err(fork));
    assert_eq!(upgrade_transactions(&config, UnixSeconds(FIRST + 2)), Ok(vec![]));
    assert_eq!(upgrade_with_gas(&config, UnixSeconds(FIRST)), with_gas);
    assert_eq!(upgrade_with_gas(&config, UnixSeconds(FIRST + 2)), None);
}

#[test]
fn a_chain_born_with_a_fork_has_none() {
    let config = config(ForkSchedule::all_until(Fork::Lagoon));
    assert_eq!(upgrade_transactions(&config, UnixSeconds(2)), Ok(vec![]));
}

const ECOTONE_HASH: B256 = b256!("ec1aa4d001fc132699a0ec68aa25b5872a0be9308195745f06e9db6859ab95a3");
const FJORD_HASH: B256 = b256!("edcf6d86f081abac7efed96df33ed2119e8385d44067a2ef6b821607f523ff24");
const ISTHMUS_HASH: B256 = b256!("10c8653dea3e4a54503143c2b2a83869425eaf540ca470352ed71eba40929671");
