//! The validity of a block, by what it depends on.
//!
//! In these worlds a block's height is its timestamp, and every block has three logs.

use super::*;
use crate::message::{ExecutingMessage, Identifier, Message};
use crate::proof::{Executed, ProvenLog};
use crate::validity::{CycleRule, Member};
use alloy::primitives::Address;
use proptest::prelude::*;
use rstest::rstest;

const ORIGIN: Address = Address::repeat_byte(0xee);
pub(crate) const LOGS: u32 = 3;
pub(crate) const CHAINS: u64 = 3;

pub(crate) fn set() -> DependencySet {
    let member = Member { interop_time: UnixSeconds(0), block_time: 1 };
    DependencySet::new((1..=CHAINS).map(|id| (ChainId::from(id), member)).collect(), 1_000)
}

/// Log `.0` of a block executes log `.3` of block `.2` of chain `.1`.
pub(crate) type Row = (u32, u64, u64, u32);

type Blocks = Vec<(u64, u64, Vec<Row>)>;

fn payload(log_index: u32) -> B256 {
    B256::repeat_byte(log_index as u8)
}

fn block(chain: u64, number: u64, rows: &[Row]) -> Arc<ProvenLogs> {
    block_of(chain, number, rows, LOGS)
}

/// A block with this many logs.
pub(crate) fn block_of(chain: u64, number: u64, rows: &[Row], logs: u32) -> Arc<ProvenLogs> {
    let executed = rows.iter().map(|&(log_index, cited, block_number, cited_index)| {
        let identifier = Identifier {
            origin: ORIGIN,
            block_number,
            log_index: cited_index,
            timestamp: UnixSeconds(block_number),
            chain_id: cited.into(),
        };
        let message = Message { identifier, payload_hash: payload(cited_index) };
        let message = ExecutingMessage { log_index, message };
        Executed { log_index, transaction_index: 1, by_deposit: false, message }
    });
    let logs = (0..logs).map(|index| ProvenLog { origin: ORIGIN, payload_hash: payload(index) });
    let logs = ProvenLogs::for_tests(chain.into(), number, UnixSeconds(number), logs.collect());
    Arc::new(
        logs.with_executed(executed.collect()).with_hash(B256::with_last_byte((chain * 16 + number) as u8)),
    )
}

/// The closure of the first of these blocks.
fn closure<'a>(set: &'a DependencySet, blocks: &[(u64, u64, Vec<Row>)]) -> Closure<'a> {
    let mut blocks = blocks.iter().map(|(chain, number, rows)| block(*chain, *number, rows));
    let mut closure = Closure::of(set, blocks.next().unwrap());
    blocks.for_each(|logs| closure.insert(logs, Maturity::Open));
    closure
}

fn validity(closure: &Closure<'_>) -> Validity {
    closure.validities()[&closure.root]
}

use Validity::{Invalid, Unknown, Valid};

#[rstest]
#[case::no_messages(vec![(1, 9, vec![])], Valid)]
#[case::cited_block_without_messages(vec![(1, 9, vec![(0, 2, 5, 0)]), (2, 5, vec![])], Valid)]
#[case::cited_block_not_known(vec![(1, 9, vec![(0, 2, 5, 0)])], Unknown)]
#[case::cited_log_not_there(vec![(1, 9, vec![(0, 2, 5, 3)]), (2, 5, vec![])], Invalid)]
#[case::one_of_two_not_known(vec![(1, 9, vec![(0, 2, 5, 0), (1, 3, 5, 0)]), (2, 5, vec![])], Unknown)]
#[case::one_of_two_invalid_and_one_unknown(vec![(1, 9, vec![(0, 2, 5, 3), (1, 3, 5, 0)]), (2, 5, vec![])], Invalid)]
#[case::cited_block_invalid(vec![(1, 9, vec![(0, 2, 5, 0)]), (2, 5, vec![(1, 3, 4, 3)]), (3, 4, vec![])], Invalid)]
#[case::cited_block_not_decided(vec![(1, 9, vec![(0, 2, 5, 0)]), (2, 5, vec![(1, 3, 4, 0)])], Unknown)]
#[case::three_steps_back(
    vec![(1, 9, vec![(0, 2, 5, 0)]), (2, 5, vec![(1, 3, 4, 0)]), (3, 4, vec![(0, 1, 2, 0)]), (1, 2, vec![(0, 2, 1, 7)]), (2, 1, vec![])],
    Invalid
)]
#[case::same_timestamp(vec![(1, 9, vec![(1, 2, 9, 0)]), (2, 9, vec![]), (3, 9, vec![])], Valid)]
#[case::same_timestamp_one_chain_behind(vec![(1, 9, vec![(1, 2, 9, 0)]), (2, 9, vec![])], Unknown)]
#[case::mutual_without_a_cycle(vec![(1, 9, vec![(1, 2, 9, 0)]), (2, 9, vec![(1, 1, 9, 0)]), (3, 9, vec![])], Valid)]
#[case::cycle_of_two(vec![(1, 9, vec![(0, 2, 9, 0)]), (2, 9, vec![(0, 1, 9, 0)]), (3, 9, vec![])], Invalid)]
#[case::cycle_of_two_one_chain_behind(vec![(1, 9, vec![(0, 2, 9, 0)]), (2, 9, vec![(0, 1, 9, 0)])], Invalid)]
#[case::cycle_of_three(vec![(1, 9, vec![(0, 2, 9, 0)]), (2, 9, vec![(0, 3, 9, 0)]), (3, 9, vec![(0, 1, 9, 0)])], Invalid)]
#[case::cites_a_cycle(vec![(1, 9, vec![(1, 2, 9, 0)]), (2, 9, vec![(0, 3, 9, 0)]), (3, 9, vec![(0, 2, 9, 0)])], Invalid)]
#[case::beside_a_cycle(vec![(1, 9, vec![(0, 2, 8, 0)]), (2, 9, vec![(0, 3, 9, 0)]), (3, 9, vec![(0, 2, 9, 0)]), (2, 8, vec![])], Valid)]
#[case::mutual_and_one_is_broken(vec![(1, 9, vec![(1, 2, 9, 0)]), (2, 9, vec![(1, 1, 9, 0), (2, 3, 9, 3)]), (3, 9, vec![])], Invalid)]
#[case::cites_itself_earlier(vec![(1, 9, vec![(1, 1, 9, 0)]), (2, 9, vec![]), (3, 9, vec![])], Valid)]
fn validity_of_the_root(#[case] blocks: Blocks, #[case] expected: Validity) {
    let set = set();
    assert_eq!(validity(&closure(&set, &blocks)), expected);
}

#[test]
fn a_settled_block_is_not_examined() {
    let set = set();
    let mut closure = closure(&set, &[(1, 9, vec![(0, 2, 5, 0)])]);
    closure.insert(block(2, 5, &[(0, 3, 4, 0)]), Maturity::Settled);
    assert_eq!((validity(&closure), closure.requests()), (Valid, BTreeSet::new()));
    assert_eq!(closure.proven().0, vec![(ChainId::from(1), block(1, 9, &[]).hash())]);
}

/// The root cites block 5 of chain 2, which is final; that cites block 4 of chain 3, which is final and
/// executes `rows`.
#[rstest]
#[case::both_valid(0, vec![], Valid, 2)]
#[case::the_cited_block_is_invalid(7, vec![], Invalid, 0)]
#[case::blocks_cited_by_a_final_block_count_as_valid(0, vec![(0, 1, 2, 7)], Valid, 2)]
fn a_final_block_is_examined_if_one_that_is_not_cites_it(
    #[case] log_index: u32,
    #[case] rows: Vec<Row>,
    #[case] expected: Validity,
    #[case] proven: usize,
) {
    let set = set();
    let mut closure = closure(&set, &[(1, 9, vec![(0, 2, 5, 0)])]);
    closure.insert(block(2, 5, &[(1, 3, 4, log_index)]), Maturity::Final);
    assert_eq!(validity(&closure), Unknown);
    let ask = BlockRequest { timestamp: UnixSeconds(4), chain_id: 3.into(), number: Some(4) };
    assert_eq!(closure.requests(), [ask].into());
    closure.insert(block(3, 4, &rows), Maturity::Final);
    assert_eq!((validity(&closure), closure.requests()), (expected, BTreeSet::new()));
    assert_eq!(closure.proven().0.len(), proven);
}

/// What is not final does not trust a final block, however many others do.
#[test]
fn a_final_block_that_an_open_one_cites_beside_a_final_one_is_examined() {
    let set = set();
    let mut closure = closure(&set, &[(1, 9, vec![(0, 2, 5, 0), (1, 3, 4, 0)])]);
    closure.insert(block(2, 5, &[(1, 3, 4, 0)]), Maturity::Final);
    closure.insert(block(3, 4, &[(0, 1, 2, 7)]), Maturity::Final);
    closure.insert(block(1, 2, &[]), Maturity::Final);
    assert_eq!(validity(&closure), Invalid);
}

#[rstest]
#[case::of_a_deposit(0, Valid)]
#[case::of_a_user(1, Invalid)]
fn a_log_of_an_invalid_block(#[case] log_index: u32, #[case] expected: Validity) {
    let set = set();
    let mut closure = closure(&set, &[(1, 9, vec![(0, 2, 5, log_index)])]);
    let invalid = Arc::unwrap_or_clone(block(2, 5, &[(2, 3, 4, 7)])).with_deposit_logs(1);
    closure.insert(Arc::new(invalid), Maturity::Open);
    closure.insert(block(3, 4, &[]), Maturity::Open);
    assert_eq!(validity(&closure), expected);
}

#[test]
fn requests_come_oldest_first_and_end() {
    let set = set();
    let mut closure = closure(&set, &[(1, 9, vec![(0, 2, 9, 0), (1, 3, 5, 0)])]);
    let asks = |closure: &Closure<'_>| -> Vec<(u64, String, Option<u64>)> {
        let flat = |ask: &BlockRequest| (ask.timestamp.0, ask.chain_id.to_string(), ask.number);
        closure.requests().iter().map(flat).collect()
    };
    let ask = |at: u64, chain: u64, number: Option<u64>| (at, chain.to_string(), number);
    assert_eq!(asks(&closure), [ask(5, 3, Some(5)), ask(9, 2, None), ask(9, 2, Some(9)), ask(9, 3, None)]);
    closure.insert(block(2, 9, &[]), Maturity::Open);
    closure.insert(block(3, 5, &[(0, 1, 2, 0)]), Maturity::Open);
    assert_eq!(asks(&closure), [ask(2, 1, Some(2)), ask(9, 3, None)]);
    closure.skip(UnixSeconds(9), 3.into());
    closure.insert(block(1, 2, &[]), Maturity::Open);
    assert_eq!((asks(&closure), validity(&closure)), (vec![], Valid));
}

#[test]
fn only_the_root_is_examined_even_if_it_is_invalid() {
    let set = set();
    let mut closure = closure(&set, &[(1, 9, vec![(0, 2, 5, 0), (1, 3, 99, 0), (2, 3, 8, 0)])]);
    assert_eq!((validity(&closure), closure.requests().len()), (Invalid, 2));
    closure.insert(block(2, 5, &[(0, 3, 99, 0), (1, 3, 4, 0)]), Maturity::Open);
    closure.insert(block(3, 8, &[]), Maturity::Open);
    assert_eq!(closure.requests(), BTreeSet::new());
    assert_eq!(closure.validities()[&(ChainId::from(2), 5)], Invalid);
    assert_eq!(closure.validities()[&(ChainId::from(3), 8)], Valid);
}

#[rstest]
#[case::past_it(4, 6, Invalid)]
#[case::at_it(4, 5, Unknown)]
#[case::not_there_yet(4, 4, Unknown)]
fn a_missing_block(#[case] number: u64, #[case] at: u64, #[case] expected: Validity) {
    let set = set();
    let mut closure = closure(&set, &[(1, 9, vec![(0, 2, 5, 0)])]);
    closure.miss((2.into(), 5), (number, UnixSeconds(at)));
    assert_eq!(validity(&closure), expected);
}

/// Blocks by chain and height.
pub(crate) type World = BTreeMap<(u64, u64), Vec<Row>>;

pub(crate) const HEIGHTS: u64 = 4;

pub(crate) fn worlds() -> impl Strategy<Value = World> {
    let row = (1..=CHAINS, 1..=HEIGHTS, 0..=LOGS);
    let rows = prop::collection::btree_map(0..LOGS, row, 0..3);
    let blocks = prop::collection::vec(rows, (CHAINS * HEIGHTS) as usize);
    blocks.prop_map(|blocks| {
        let places = (1..=CHAINS).flat_map(|chain| (1..=HEIGHTS).map(move |number| (chain, number)));
        let rows = blocks.into_iter().map(|rows| {
            rows.into_iter().map(|(at, (chain, number, log))| (at, chain, number, log)).collect()
        });
        places.zip(rows).collect()
    })
}

/// The blocks that are replaced when every timestamp is gone through in rounds, as a verifier does that
/// replaces what is invalid by a block with the deposits' logs alone, the first ones, and checks all of the
/// timestamp again.
pub(crate) fn replaced_by_rounds(world: &World, deposit_logs: u32) -> BTreeSet<(u64, u64)> {
    let mut replaced = BTreeSet::new();
    for now in 1..=HEIGHTS {
        loop {
            let standing: Vec<_> =
                world.iter().filter(|(place, _)| place.1 == now && !replaced.contains(*place)).collect();
            let same = standing.iter().flat_map(|(place, rows)| {
                rows.iter().filter(|row| row.2 == now).map(|row| SameTimestamp {
                    chain_id: place.0.into(),
                    log_index: row.0,
                    cited_chain_id: row.1.into(),
                    cited_log_index: row.3,
                })
            });
            let cyclic = cyclic_chains(CycleRule::default(), &same.collect::<Vec<_>>());
            let is_gone = |row: &Row| row.3 >= deposit_logs && replaced.contains(&(row.1, row.2));
            let is_wrong = |row: &Row| row.2 > now || row.3 >= LOGS || is_gone(row);
            let wrong: Vec<_> = standing
                .iter()
                .filter(|(place, rows)| cyclic.contains(&place.0.into()) || rows.iter().any(is_wrong))
                .map(|(place, _)| **place)
                .collect();
            if wrong.is_empty() {
                break;
            }
            replaced.extend(wrong);
        }
    }
    replaced
}

fn closure_in<'a>(
    set: &'a DependencySet,
    world: &World,
    root: (u64, u64),
    hidden: &[(u64, u64)],
) -> Closure<'a> {
    let mut closure = Closure::of(set, block(root.0, root.1, &world[&root]));
    for (place, rows) in world.iter().filter(|(place, _)| !hidden.contains(place)) {
        closure.insert(block(place.0, place.1, rows), Maturity::Open);
    }
    closure
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn agrees_with_rounds_of_replacement(world in worlds()) {
        let set = set();
        let replaced = replaced_by_rounds(&world, 0);
        for root in world.keys() {
            let expected = if replaced.contains(root) { Invalid } else { Valid };
            prop_assert_eq!(validity(&closure_in(&set, &world, *root, &[])), expected, "{:?}", root);
        }
    }

    /// What is not known makes a block unknown, never valid or invalid against the truth.
    #[test]
    fn no_block_is_called_invalid_because_blocks_are_unknown(
        world in worlds(),
        hidden in prop::collection::vec((1..=CHAINS, 1..=HEIGHTS), 1..6),
    ) {
        let set = set();
        let replaced = replaced_by_rounds(&world, 0);
        for root in world.keys() {
            match validity(&closure_in(&set, &world, *root, &hidden)) {
                Valid => prop_assert!(!replaced.contains(root), "{:?}", root),
                Invalid => prop_assert!(replaced.contains(root), "{:?}", root),
                Unknown => {}
            }
        }
    }
}
