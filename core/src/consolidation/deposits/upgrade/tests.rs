//! The transactions are those that were published, to the byte.

use super::*;
use crate::consolidation::deposits::{NamedBundle, SetSize};
use crate::consolidation::sample::op_mainnet_json;
use crate::consolidation::{ForkSchedule, ForkTimes, RollupConfig};
use alloy::primitives::{B256, b256, hex, keccak256};
use rstest::rstest;

const FIRST: u64 = 1_000;

/// A chain whose forks after the one before this, up to this, take force in the block at [`FIRST`].
fn rules(forks: ForkSchedule) -> DepositRules {
    let config: RollupConfig = serde_json::from_value(op_mainnet_json()).unwrap();
    let set = SetSize { is_of_several: true, is_certain: true };
    DepositRules::new(RollupConfig { forks, ..config }, set)
}

fn first_block_of(first: Fork, last: Fork) -> DepositRules {
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
    rules(ForkSchedule::try_from(times).unwrap())
}

/// `keccak256` of the published encodings, one after the other: kona-hardforks 0.4.5 on crates.io,
/// `src/bytecode/{ecotone,fjord,isthmus}_tx_*.hex`.
#[rstest]
#[case::ecotone(ecotone(), 6, ECOTONE_HASH)]
#[case::fjord(fjord(), 3, FJORD_HASH)]
#[case::isthmus(isthmus(), 8, ISTHMUS_HASH)]
fn as_published(#[case] upgrades: Vec<Upgrade>, #[case] count: usize, #[case] hash: B256) {
    let transactions: Vec<_> = upgrades.iter().map(|upgrade| upgrade.deposit().encoded_2718()).collect();
    assert_eq!(transactions.len(), count);
    assert_eq!(keccak256(transactions.concat()), hash);
}

/// Source hashes and code hashes: optimism monorepo, `rust/kona/crates/protocol/hardforks/src/jovian.rs`,
/// tests; code, intents and gas limits as in op-node, `op-node/rollup/derive/jovian_upgrade_transactions.go`.
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
#[case::first(FIRST, 22 + 31 + 30)]
#[case::second(FIRST + 2, 0)]
fn only_the_first_block_of_a_fork_has_upgrade_transactions_and_in_fork_order(
    #[case] timestamp: u64,
    #[case] count: usize,
) {
    let transactions = |first, last| {
        let upgrades = upgrades(&first_block_of(first, last), UnixSeconds(timestamp));
        assert_eq!(upgrades.unknown, None);
        upgrades.transactions
    };
    let together = transactions(Fork::Ecotone, Fork::Lagoon);
    assert_eq!(together.len(), count);
    let apart = [Fork::Ecotone, Fork::Fjord, Fork::Isthmus, Fork::Jovian, Fork::Karst, Fork::Lagoon]
        .map(|fork| transactions(fork, fork));
    assert_eq!(together, apart.concat());
}

#[rstest]
#[case::regolith(Fork::Regolith)]
#[case::canyon(Fork::Canyon)]
#[case::delta(Fork::Delta)]
#[case::granite(Fork::Granite)]
#[case::holocene(Fork::Holocene)]
fn forks_without_upgrade_transactions(#[case] fork: Fork) {
    assert_eq!(upgrades(&first_block_of(fork, fork), UnixSeconds(FIRST)), Upgrades::default());
}

/// What is added to a first block's gas limit, and what is taken off again: kona's and op-node's sums, which
/// strip the first fork's alone where two begin together.
#[rstest]
#[case::isthmus(Fork::Isthmus, Fork::Jovian, 0, 0)]
#[case::karst(Fork::Karst, Fork::Karst, 55_370_657, 55_370_657)]
#[case::lagoon(Fork::Lagoon, Fork::Lagoon, 60_653_172, 60_653_172)]
#[case::both(Fork::Karst, Fork::Lagoon, 116_023_829, 55_370_657)]
fn gas(#[case] first: Fork, #[case] last: Fork, #[case] added: u64, #[case] stripped: u64) {
    let rules = first_block_of(first, last);
    assert_eq!(upgrades(&rules, UnixSeconds(FIRST)).gas, added);
    assert_eq!(gas_to_strip(&rules, UnixSeconds(FIRST)), Ok(stripped));
    assert_eq!(gas_to_strip(&rules, UnixSeconds(FIRST + 2)), Ok(0));
    let alone = DepositRules { set: rules.set.flipped(), ..rules };
    assert_eq!(upgrades(&alone, UnixSeconds(FIRST)).gas, added);
}

#[rstest]
#[case::karst(Fork::Karst, Fork::Karst, 0)]
#[case::both(Fork::Karst, Fork::Lagoon, 0)]
#[case::lagoon(Fork::Lagoon, Fork::Lagoon, 60_653_172)]
fn some_chains_keep_the_karst_upgrade_gas(#[case] first: Fork, #[case] last: Fork, #[case] stripped: u64) {
    let mut rules = first_block_of(first, last);
    rules.config.keep_karst_upgrade_gas = true;
    assert_eq!(gas_to_strip(&rules, UnixSeconds(FIRST)), Ok(stripped));
}

/// A chain that has had Jovian from genesis on, with an unknown fork that begins at [`FIRST`].
fn with_zephyr(bundles: &[NamedBundle]) -> DepositRules {
    let mut json = op_mainnet_json();
    json["zephyr_time"] = FIRST.into();
    let config: RollupConfig = serde_json::from_value(json).unwrap();
    let unknown_forks = config.unknown_forks;
    let mut rules = rules(ForkSchedule::all_until(Fork::Jovian));
    rules.config.unknown_forks = unknown_forks;
    DepositRules { bundles: bundles.into(), ..rules }
}

#[test]
fn upgrade_transactions_of_an_unknown_fork_are_unknown_unless_its_bundle_is_named() {
    let zephyr = Some("zephyr".to_owned());
    let rules = with_zephyr(&[]);
    assert_eq!(upgrades(&rules, UnixSeconds(FIRST)), Upgrades { unknown: zephyr, ..Upgrades::default() });
    assert_eq!(gas_to_strip(&rules, UnixSeconds(FIRST)), Err("zephyr".to_owned()));
    assert_eq!(gas_to_strip(&rules, UnixSeconds(FIRST + 2)), Ok(0));
    assert!(rules.lacks_bundle_at(UnixSeconds(FIRST)) && !rules.lacks_bundle_at(UnixSeconds(FIRST + 2)));

    let named = NamedBundle { fork: "zephyr".to_owned(), sha256: B256::ZERO, bundle: bundle::karst() };
    let rules = with_zephyr(&[named]);
    let bundle = bundle::karst();
    let expected = Upgrades { transactions: bundle.transactions, gas: bundle.gas, unknown: None };
    assert_eq!(upgrades(&rules, UnixSeconds(FIRST)), expected);
    assert_eq!(gas_to_strip(&rules, UnixSeconds(FIRST)), Ok(bundle.gas));
}

#[test]
fn a_chain_with_a_fork_at_genesis_has_no_upgrade_transactions() {
    let rules = rules(ForkSchedule::all_until(Fork::Lagoon));
    assert_eq!(upgrades(&rules, UnixSeconds(2)), Upgrades::default());
    assert_eq!(gas_to_strip(&rules, UnixSeconds(2)), Ok(0));
}

const ECOTONE_HASH: B256 = b256!("ec1aa4d001fc132699a0ec68aa25b5872a0be9308195745f06e9db6859ab95a3");
const FJORD_HASH: B256 = b256!("edcf6d86f081abac7efed96df33ed2119e8385d44067a2ef6b821607f523ff24");
const ISTHMUS_HASH: B256 = b256!("10c8653dea3e4a54503143c2b2a83869425eaf540ca470352ed71eba40929671");
