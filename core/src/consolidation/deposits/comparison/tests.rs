//! First blocks of forks, and the blocks after them: what is right, what is wrong, and what is not known.

use super::*;
use crate::consolidation::deposits::derive::tests::{GENESIS, built, genesis, origin, rules};
use crate::consolidation::deposits::{NamedBundle, SetSize, UpgradeBundle};
use crate::consolidation::metering::tests::metering;
use crate::consolidation::sample::op_mainnet_json;
use crate::consolidation::{
    ForkSchedule, ForkTimes, Metering, MeteringProblem, RollupConfig, TransactionDigest,
};
use crate::proof::{ProvenL1Logs, VerifiedL1Header};
use alloy::consensus::{Header, Receipt, ReceiptEnvelope};
use alloy::eips::BlockNumHash;
use alloy::primitives::{B256, Bytes};
use crosscheck_p2p::UnixSeconds;
use rstest::rstest;

/// The gas limit of the chain's blocks.
const STEADY: u64 = 30_000_000;
/// How many deposits there are before those of an upgrade.
const USUAL: usize = 1;

/// A chain whose first block after genesis is the first of these forks, all others before them being in force
/// already.
fn beginning(forks: &[Fork]) -> DepositRules {
    let last = forks.last().copied().unwrap_or(Fork::Jovian);
    let time = |fork: Fork| (fork <= last).then(|| if forks.contains(&fork) { GENESIS + 2 } else { 0 });
    let times = ForkTimes {
        karst_time: time(Fork::Karst),
        lagoon_time: time(Fork::Lagoon),
        ..ForkTimes {
            regolith_time: Some(0),
            canyon_time: Some(0),
            delta_time: Some(0),
            ecotone_time: Some(0),
            fjord_time: Some(0),
            granite_time: Some(0),
            holocene_time: Some(0),
            isthmus_time: Some(0),
            jovian_time: Some(0),
            ..ForkTimes::default()
        }
    };
    rules(ForkSchedule::try_from(times).unwrap())
}

/// A chain whose first block after genesis is the first of a fork that is not known here.
fn beginning_zephyr() -> DepositRules {
    let mut json = op_mainnet_json();
    json["zephyr_time"] = (GENESIS + 2).into();
    let mut rules = beginning(&[]);
    rules.config.unknown_forks = serde_json::from_value::<RollupConfig>(json).unwrap().unknown_forks;
    rules
}

/// Holds a block with origin 100 on a parent against L1.
fn compare(
    rules: &DepositRules,
    parent: &ParentFacts,
    node: Option<&BlockAttributes>,
    block: &BlockAttributes,
) -> Result<Comparison, DepositsError> {
    let (header, logs) = origin(100, &[]);
    compare_with_l1(rules, parent, L1Epoch { header: &header, logs: Some(&logs) }, node, block)
}

fn derived(rules: &DepositRules, parent: &ParentFacts) -> DerivedFromL1 {
    let (header, logs) = origin(100, &[]);
    derive_from_l1(rules, parent, L1Epoch { header: &header, logs: Some(&logs) }, None).unwrap()
}

fn id(number: u64) -> BlockNumHash {
    BlockNumHash { number, hash: B256::repeat_byte(0x11) }
}

fn agrees(comparison: &Result<Comparison, DepositsError>) {
    assert_eq!(comparison, &Ok(Comparison { mismatch: None, taken: None, assumes_blob_fee: false }));
}

#[rstest]
#[case::karst(&[Fork::Karst], 31, 55_370_657, 0)]
#[case::lagoon(&[Fork::Lagoon], 30, 60_653_172, 0)]
#[case::both_at_once(&[Fork::Karst, Fork::Lagoon], 61, 116_023_829, 60_653_172)]
fn the_first_block_and_the_next_are_judged(
    #[case] forks: &[Fork],
    #[case] count: usize,
    #[case] gas: u64,
    #[case] left: u64,
) {
    let rules = beginning(forks);
    let first = derived(&rules, &genesis(&rules));
    assert_eq!(first.attributes.transactions.len(), USUAL + count);
    assert_eq!(first.attributes.gas_limit, STEADY + gas);
    let block = built(&rules, &first);
    agrees(&compare(&rules, &genesis(&rules), None, &block));
    let parent = ParentFacts::of_attributes(&rules, id(1), &block).unwrap();
    let second = built(&rules, &derived(&rules, &parent));
    assert_eq!(second.gas_limit, STEADY + left);
    agrees(&compare(&rules, &parent, None, &second));
}

#[test]
fn a_chain_that_keeps_the_karst_upgrade_gas_keeps_its_gas_limit() {
    let mut rules = beginning(&[Fork::Karst]);
    rules.config.keep_karst_upgrade_gas = true;
    let block = built(&rules, &derived(&rules, &genesis(&rules)));
    let parent = ParentFacts::of_attributes(&rules, id(1), &block).unwrap();
    assert_eq!(built(&rules, &derived(&rules, &parent)).gas_limit, STEADY + 55_370_657);
}

/// What is wrong with a first block is found as in any other.
#[rstest]
#[case::left_out(|block: &mut BlockAttributes| { block.transactions.remove(USUAL); }, "deposit")]
#[case::another(|block: &mut BlockAttributes| block.transactions[USUAL + 29].hash = B256::ZERO, "deposit")]
#[case::swapped(|block: &mut BlockAttributes| block.transactions.swap(USUAL, USUAL + 29), "deposit")]
#[case::one_more(|block: &mut BlockAttributes| {
    block.transactions.insert(USUAL + 30, TransactionDigest { is_deposit: true, hash: B256::ZERO });
}, "deposit")]
#[case::no_gas(|block: &mut BlockAttributes| block.gas_limit = STEADY, "gas-limit")]
fn a_wrong_first_block_contradicts_l1(#[case] change: fn(&mut BlockAttributes), #[case] field: &str) {
    let rules = beginning(&[Fork::Lagoon]);
    let mut block = built(&rules, &derived(&rules, &genesis(&rules)));
    change(&mut block);
    let mismatch = compare(&rules, &genesis(&rules), None, &block).unwrap().mismatch;
    assert_eq!(mismatch.map(|mismatch| mismatch.field()), Some(field));
}

/// Which set a chain has is for its node to say. A setting may be wrong, and then no block is found invalid.
#[rstest]
#[case::of_one_by_the_node(false, true)]
#[case::of_several_by_the_node(true, true)]
#[case::of_one_by_a_setting(false, false)]
#[case::of_several_by_a_setting(true, false)]
fn a_block_built_for_another_set_size_is_detected(#[case] is_of_several: bool, #[case] is_certain: bool) {
    let lagoon = beginning(&[Fork::Lagoon]);
    let rules = DepositRules { set: SetSize { is_of_several, is_certain }, ..lagoon };
    let right = built(&rules, &derived(&rules, &genesis(&rules)));
    agrees(&compare(&rules, &genesis(&rules), None, &right));
    assert_eq!(right.transactions.len(), USUAL + if is_of_several { 30 } else { 28 } + 1);

    let other = DepositRules { set: rules.set.flipped(), ..rules.clone() };
    let block = built(&other, &derived(&other, &genesis(&rules)));
    let outcome = compare(&rules, &genesis(&rules), None, &block);
    match is_certain {
        true => assert!(matches!(outcome, Ok(Comparison { mismatch: Some(Mismatch::Deposit { .. }), .. }))),
        false => assert_eq!(outcome, Err(DepositsError::OtherSet { is_of_several })),
    }
    // What is right for no set contradicts L1 all the same.
    let wrong = BlockAttributes { gas_limit: 1, ..block };
    assert!(compare(&rules, &genesis(&rules), None, &wrong).unwrap().mismatch.is_some());
}

/// The first block of an unknown fork, as an honest sequencer builds it: two transactions more, and gas for
/// them.
fn first_of_zephyr(rules: &DepositRules) -> BlockAttributes {
    let known = DepositRules { bundles: [zephyr()].into(), ..rules.clone() };
    built(rules, &derived(&known, &genesis(rules)))
}

fn zephyr() -> NamedBundle {
    let transaction = |byte| TransactionDigest { is_deposit: true, hash: B256::repeat_byte(byte) };
    let bundle = UpgradeBundle { transactions: vec![transaction(1), transaction(2)], gas: 5_000_000 };
    NamedBundle { fork: "zephyr".to_owned(), sha256: B256::ZERO, bundle }
}

#[test]
fn the_upgrade_of_an_unknown_fork_is_taken_from_the_node_and_the_rest_from_l1() {
    let rules = beginning_zephyr();
    let block = first_of_zephyr(&rules);
    let unknown = || DepositsError::UnknownBundle { fork: "zephyr".to_owned() };
    assert_eq!(compare(&rules, &genesis(&rules), None, &block), Err(unknown()));
    assert!(!unknown().is_contradiction());

    let comparison = compare(&rules, &genesis(&rules), Some(&block), &block).unwrap();
    let taken = TakenFromNode { fork: "zephyr".to_owned(), transactions: 2, gas: 5_000_000 };
    assert_eq!(comparison, Comparison { mismatch: None, taken: Some(taken), assumes_blob_fee: false });

    // The next block has the gas limit of L1 again, regardless of the node's block.
    assert_eq!(ParentFacts::of_attributes(&rules, id(1), &block), Err(unknown()));
    let steady = derive_first(&rules, &block).system_config.gas_limit;
    assert_eq!(steady, STEADY);
    let parent = ParentFacts::with_gas_limit(&rules.config, id(1), &block, steady).unwrap();
    let next = built(&rules, &derived(&rules, &parent));
    assert_eq!(next.gas_limit, STEADY);
    agrees(&compare(&rules, &parent, None, &next));
}

fn derive_first(rules: &DepositRules, node: &BlockAttributes) -> DerivedFromL1 {
    let (header, logs) = origin(100, &[]);
    let epoch = L1Epoch { header: &header, logs: Some(&logs) };
    derive_from_l1(rules, &genesis(rules), epoch, Some(node)).unwrap()
}

#[test]
fn a_named_bundle_is_checked_against_the_l1_block() {
    let rules = DepositRules { bundles: [zephyr()].into(), ..beginning_zephyr() };
    let block = first_of_zephyr(&rules);
    agrees(&compare(&rules, &genesis(&rules), None, &block));
    let parent = ParentFacts::of_attributes(&rules, id(1), &block).unwrap();
    assert_eq!(parent.system_config().gas_limit, STEADY);
}

/// A node whose block does not even hold what is known is not believed.
#[rstest]
#[case::other_deposits(|block: &mut BlockAttributes| block.transactions[0].hash = B256::ZERO)]
#[case::less_gas(|block: &mut BlockAttributes| block.gas_limit = STEADY - 1)]
#[case::none(|block: &mut BlockAttributes| block.transactions.clear())]
fn a_node_that_contradicts_l1_is_not_asked(#[case] change: fn(&mut BlockAttributes)) {
    let rules = beginning_zephyr();
    let block = first_of_zephyr(&rules);
    let mut node = block.clone();
    change(&mut node);
    let outcome = compare(&rules, &genesis(&rules), Some(&node), &block);
    assert_eq!(outcome, Err(DepositsError::NodeBlock { fork: "zephyr".to_owned() }));
}

/// From its first block on, nothing that an unknown fork may have changed is a contradiction.
#[rstest]
#[case::first(0)]
#[case::next(1)]
fn under_an_unknown_fork_a_difference_is_unknown(#[case] height: u64) {
    let rules = beginning_zephyr();
    let first = first_of_zephyr(&rules);
    let (parent, node) = match height {
        0 => (genesis(&rules), Some(&first)),
        _ => (ParentFacts::with_gas_limit(&rules.config, id(1), &first, STEADY).unwrap(), None),
    };
    let mut block = match height {
        0 => first.clone(),
        _ => built(&rules, &derived(&rules, &parent)),
    };
    block.gas_limit += 1;
    let error = compare(&rules, &parent, node, &block).unwrap_err();
    assert!(matches!(&error, DepositsError::UnknownFork { fork, .. } if fork == "zephyr"), "{error}");
    assert!(!error.is_contradiction());

    // Nor is an origin that could not be by the rules that are known.
    let (header, logs) = origin(103, &[]);
    let epoch = L1Epoch { header: &header, logs: Some(&logs) };
    let error = compare_with_l1(&rules, &parent, epoch, node, &block).unwrap_err();
    assert!(matches!(error, DepositsError::UnknownFork { .. }));
}

#[test]
fn a_parent_with_less_gas_than_its_upgrade_is_not_a_contradiction() {
    let rules = beginning(&[Fork::Karst]);
    let mut block = built(&rules, &derived(&rules, &genesis(&rules)));
    block.gas_limit = 55_370_656;
    let error = ParentFacts::of_attributes(&rules, id(1), &block).unwrap_err();
    assert_eq!(error, DepositsError::ParentGasLimit { gas_limit: 55_370_656, upgrade: 55_370_657 });
    assert!(!error.is_contradiction());
}

/// A block after Lagoon, or before, with these transactions of type 0x7D among its users'.
fn metered(last: Fork, transactions: &[Bytes]) -> Result<Comparison, DepositsError> {
    let rules = rules(ForkSchedule::all_until(last));
    let mut block = built(&rules, &derived(&rules, &genesis(&rules)));
    block.transactions.extend(transactions.iter().map(TransactionDigest::of));
    block.metering = Metering::of(transactions);
    compare(&rules, &genesis(&rules), None, &block)
}

#[rstest]
#[case::sound(Fork::Lagoon, &[metering(1)], None)]
#[case::before_lagoon(Fork::Karst, &[metering(1)], Some(MeteringProblem::BeforeLagoon))]
#[case::two(Fork::Lagoon, &[metering(1), metering(1)], Some(MeteringProblem::Several))]
#[case::not_last(Fork::Lagoon, &[metering(1), Bytes::from_static(b"\x02 user")], Some(MeteringProblem::NotLast))]
#[case::of_another_block(
    Fork::Lagoon,
    &[metering(2)],
    Some(MeteringProblem::OtherBlock { expected: 1, found: 2 })
)]
fn metering_is_at_its_position(
    #[case] last: Fork,
    #[case] transactions: &[Bytes],
    #[case] problem: Option<MeteringProblem>,
) {
    let mismatch = problem.map(|problem| Mismatch::Metering { problem });
    assert_eq!(
        metered(last, transactions),
        Ok(Comparison { mismatch, taken: None, assumes_blob_fee: false })
    );
}

#[test]
fn metering_that_nodes_read_differently_is_unknown_from_its_first_possible_block() {
    let unreadable = [Bytes::from_static(&[0x7d, 1])];
    assert_eq!(metered(Fork::Lagoon, &unreadable), Err(DepositsError::Metering));
    assert!(!DepositsError::Metering.is_contradiction());
    let before = metered(Fork::Karst, &unreadable).unwrap().mismatch;
    assert_eq!(before, Some(Mismatch::Metering { problem: MeteringProblem::BeforeLagoon }));
}

/// The origin with so much excess blob gas that its fee depends on the schedule.
fn busy(rules: &DepositRules, block: &BlockAttributes) -> Result<Comparison, DepositsError> {
    let (header, logs) = busy_origin();
    compare_with_l1(rules, &genesis(rules), L1Epoch { header: &header, logs: Some(&logs) }, None, block)
}

fn busy_origin() -> (VerifiedL1Header, ProvenL1Logs) {
    let (header, _) = origin(101, &[]);
    let busy =
        VerifiedL1Header::seal(Header { excess_blob_gas: Some(50_000_000), ..header.header().clone() });
    let logs = ProvenL1Logs::prove(&busy, vec![ReceiptEnvelope::Eip1559(Receipt::default().into())], &[]);
    (busy, logs.unwrap())
}

/// A block of a chain that goes by this schedule.
fn busy_block(rules: &DepositRules) -> BlockAttributes {
    let (header, logs) = busy_origin();
    let epoch = L1Epoch { header: &header, logs: Some(&logs) };
    built(rules, &derive_from_l1(rules, &genesis(rules), epoch, None).unwrap())
}

#[test]
fn with_an_unknown_blob_base_fee_everything_else_is_compared() {
    let unknown = rules(ForkSchedule::all_until(Fork::Jovian));
    let known =
        DepositRules { blobs: unknown.blobs.clone().with(UnixSeconds(0), 5_007_716), ..unknown.clone() };
    let mut block = busy_block(&known);
    let assumed = Comparison { mismatch: None, taken: None, assumes_blob_fee: true };
    assert_eq!(busy(&unknown, &block), Ok(assumed));
    assert_eq!(
        busy(&known, &block).unwrap(),
        Comparison { mismatch: None, taken: None, assumes_blob_fee: false }
    );
    block.gas_limit += 1;
    assert_eq!(busy(&unknown, &block).unwrap().mismatch.unwrap().field(), "gas-limit");
}

#[test]
fn a_difference_in_the_blob_base_fee_alone_is_not_a_contradiction() {
    let prague = rules(ForkSchedule::all_until(Fork::Jovian));
    let prague = DepositRules { blobs: prague.blobs.clone().with(UnixSeconds(0), 5_007_716), ..prague };
    let later =
        DepositRules { blobs: prague.blobs.clone().with(UnixSeconds(0), 11_684_671), ..prague.clone() };
    let mut block = busy_block(&later);
    let error = busy(&prague, &block).unwrap_err();
    assert!(
        matches!(error, DepositsError::BlobFee { number: 101, .. }) && !error.is_contradiction(),
        "{error}"
    );
    block.gas_limit += 1;
    assert!(busy(&prague, &block).unwrap().mismatch.is_some(), "more than the fee differs");
}
