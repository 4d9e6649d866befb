//! The audit and the tracker on the same worlds: both find what a verifier finds that replaces invalid blocks
//! in rounds.
//!
//! The audit looks back from one block, with the blocks that it fetched. The tracker sees every chain grow,
//! in any order. For the same blocks both must come to the same validity. Tests alone.

use crate::case::worlds::{CHAINS, HEIGHTS, LOGS, World, block_of, replaced_by_rounds, set, worlds};
use crate::case::{Closure, Maturity};
use crate::message::{BlockKey, ChainHeight};
use crate::proof::{LogIndex, ProvenLogs};
use crate::tracker::{Input, ObservedBlock, Request, Tracker, TrackerLimits};
use crate::validity::Validity;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const LIMITS: TrackerLimits = TrackerLimits { max_messages: 1_000, retention: 1_000, ended_kept: 1_000 };

/// The blocks of a world up to each chain's tip. The first logs of each block are a deposit's.
struct Known {
    blocks: BTreeMap<ChainHeight, Arc<ProvenLogs>>,
}

impl Known {
    /// `tips`: how high each chain is. 0: it has no block yet.
    fn of(world: &World, tips: &[u64], deposit_logs: u32) -> Self {
        let is_there = |(chain, number): (u64, u64)| {
            let index = usize::try_from(chain - 1).unwrap();
            number <= tips[index]
        };
        let there = world.iter().filter(|(place, _)| is_there(**place));
        let blocks = there.map(|((chain, number), rows)| {
            let logs =
                Arc::unwrap_or_clone(block_of(*chain, *number, rows, LOGS)).with_deposit_logs(deposit_logs);
            ((ChainId::from(*chain), *number), Arc::new(logs))
        });
        Self { blocks: blocks.collect() }
    }

    /// By the audit: each block with every other that is known.
    fn audited(&self) -> BTreeMap<ChainHeight, Validity> {
        let set = set();
        let validity = |(place, root): (&ChainHeight, &Arc<ProvenLogs>)| {
            let mut closure = Closure::of(&set, Arc::clone(root));
            self.blocks.values().for_each(|logs| closure.insert(Arc::clone(logs), Maturity::Open));
            (*place, closure.validities()[place])
        };
        self.blocks.iter().map(validity).collect()
    }

    /// By the tracker: the chains grow in this order, given by their numbers, and then to their tips.
    fn tracked(&self, order: &[u64]) -> BTreeMap<ChainHeight, Validity> {
        let index = LogIndex::new(usize::MAX);
        let mut tracker = Tracker::new(set(), index.clone(), LIMITS);
        let mut next: BTreeMap<u64, u64> = (1..=CHAINS).map(|chain| (chain, 1)).collect();
        let rest = (1..=CHAINS).flat_map(|chain| (1..=HEIGHTS).map(move |_| chain));
        for chain in order.iter().copied().chain(rest) {
            let number = next[&chain];
            let Some(logs) = self.blocks.get(&(chain.into(), number)) else { continue };
            next.insert(chain, number + 1);
            index.insert(Arc::clone(logs));
            let outcome = tracker.apply(Input::Block(Arc::new(observed(logs))));
            assert_eq!((outcome.refused, outcome.requests), (None, Vec::<Request>::new()));
        }
        let validity = |(chain_id, number): ChainHeight| {
            tracker.chain(chain_id).and_then(|view| view.validity_of(number)).unwrap()
        };
        self.blocks.keys().map(|place| (*place, validity(*place))).collect()
    }
}

/// The block of these logs as the monitor reads it.
fn observed(logs: &ProvenLogs) -> ObservedBlock {
    let key = logs.key();
    let parent_hash = match key.number {
        1 => B256::ZERO,
        number => block_of(chain_number(key), number - 1, &[], LOGS).hash(),
    };
    ObservedBlock {
        key,
        parent_hash,
        timestamp: logs.timestamp(),
        executed: logs.executed().to_vec(),
        transactions: Vec::new(),
        undecodable: Vec::new(),
        undeclared: Vec::new(),
        is_deposits_only: false,
    }
}

fn chain_number(key: BlockKey) -> u64 {
    (1..=CHAINS).find(|chain| ChainId::from(*chain) == key.chain_id).unwrap()
}

fn orders() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(1..=CHAINS, 0..=12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// With every block known, both find what rounds of replacement find.
    #[test]
    fn the_audit_and_the_tracker_find_what_rounds_of_replacement_find(
        world in worlds(), order in orders(), deposit_logs in 0..=1_u32,
    ) {
        let known = Known::of(&world, &[HEIGHTS; CHAINS as usize], deposit_logs);
        let replaced = replaced_by_rounds(&world, deposit_logs);
        let expected: BTreeMap<ChainHeight, Validity> = world.keys().map(|place| {
            let is_replaced = replaced.contains(place);
            let validity = if is_replaced { Validity::Invalid } else { Validity::Valid };
            ((place.0.into(), place.1), validity)
        }).collect();
        prop_assert_eq!(&known.audited(), &expected);
        prop_assert_eq!(&known.tracked(&order), &expected);
    }

    /// With chains that end before they should, both find the same, and neither contradicts the rounds.
    #[test]
    fn the_audit_and_the_tracker_agree_while_chains_are_behind(
        world in worlds(),
        tips in prop::collection::vec(0..=HEIGHTS, CHAINS as usize),
        order in orders(),
        deposit_logs in 0..=1_u32,
    ) {
        let known = Known::of(&world, &tips, deposit_logs);
        let (audited, tracked) = (known.audited(), known.tracked(&order));
        prop_assert_eq!(&audited, &tracked);
        let replaced = replaced_by_rounds(&world, deposit_logs);
        let contradicts = |place: &(u64, u64)| match audited.get(&(place.0.into(), place.1)) {
            Some(Validity::Valid) => replaced.contains(place),
            Some(Validity::Invalid) => !replaced.contains(place),
            Some(Validity::Unknown) | None => false,
        };
        prop_assert!(!world.keys().any(contradicts));
    }
}
