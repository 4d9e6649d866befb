//! The transactions are those that were published, to the byte.

use super::super::derive::DepositRules;
use super::*;
use crate::consolidation::rollup_config::tests::op_mainnet_json;
use crate::consolidation::{ForkSchedule, ForkTimes};
use alloy::primitives::{B256, b256, hex, keccak256};
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

/// Source hashes and code hashes: optimism monorepo, `rust/kona/crates/protocol/hardforks/src/jovian.rs`, tests;
/// code, intents and gas limits as in op-node, `op-node/rollup/derive/jovian_upgrade_transactions.go`.
#[rstest]
#[case::deploy_l1_block(0, b256!("bb1a656f65401240fac3db12e7a79ebb954b11e62f7626eb11691539b798d3bf"), 447_315)]
#[case::point_l1_block(1, b256!("f3275f829340521028f9ad5bce4ecb1c64a45d448794effa2a77674627338e76"), 50_000)]
#[case::deploy_oracle(2, b256!("239b7021a6c2cf3a918481242bbb5a9499057f24501539467536c691bb133962"), 1_750_714)]
#[case::point_oracle(3, b256!("a70c60aa53b8c1c0d52b39b1e901e7d7c09f7819595cb24048a6bb1983b401ff"), 50_000)]
#[case::set_jovian(4, b256!("e836db6a959371756f8941be3e962d000f7e12a32e49e2c9ca42ba177a92716c"), 90_000)]
fn jovian_as_published(#[case] index: usize, #[case] source: B256, #[case] gas: u64) {
    let upgrades = jovian();
    assert_eq!(upgrades.len(), 5);
    let deposit = upgrades[index].deposit();
    assert_eq!((deposit.source_hash, deposit.gas_limit), (source, gas));
    // A deployment is 32 bytes of constructor, then the code that is to stand there.
    let expected = match index {
        0 => {
            keccak256(&deposit.input[32..])
                == b256!("5f885ca815d2cf27a203123e50b8ae204fdca910b6995d90b2d7700cbb9240d1")
        }
        1 => deposit
            .input
            .ends_with(&hex!("3659cfe60000000000000000000000003ba4007f5c922fbb33c454b41ea7a1f11e83df2c")),
        2 => {
            keccak256(&deposit.input[32..])
                == b256!("e9fc7c96c4db0d6078e3d359d7e8c982c350a513cb2c31121adf5e1e8a446614")
        }
        3 => deposit
            .input
            .ends_with(&hex!("3659cfe60000000000000000000000004f1db3c6abd250ba86e0928471a8f7db3afd88f1")),
        _ => deposit.input.as_ref() == hex!("b3d72079"),
    };
    assert!(expected, "{index}");
}

#[rstest]
#[case::set_ecotone("setEcotone()", ecotone())]
#[case::set_fjord("setFjord()", fjord())]
#[case::set_isthmus("setIsthmus()", isthmus())]
#[case::set_jovian("setJovian()", jovian())]
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
#[case::first(FIRST, 22)]
#[case::second(FIRST + 2, 0)]
fn only_the_first_block_has_them_and_forks_come_in_order(#[case] timestamp: u64, #[case] count: usize) {
    let config = first_block_of(Fork::Ecotone, Fork::Jovian);
    let transactions = upgrade_transactions(&config, UnixSeconds(timestamp)).unwrap();
    assert_eq!(transactions.len(), count);
    let apart = [Fork::Ecotone, Fork::Fjord, Fork::Isthmus, Fork::Jovian]
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
#[case::karst(Fork::Karst)]
#[case::lagoon(Fork::Lagoon)]
fn unknown_ones_are_said_to_be_unknown(#[case] fork: Fork) {
    let config = first_block_of(fork, fork);
    assert_eq!(upgrade_transactions(&config, UnixSeconds(FIRST)), Err(fork));
    assert_eq!(upgrade_transactions(&config, UnixSeconds(FIRST + 2)), Ok(vec![]));
    assert_eq!(upgrade_with_gas(&config, UnixSeconds(FIRST)), Some(fork));
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
