//! [`ClaimBook`]: what each claimant claimed last, and where claimants differ. Pure: time is an argument.
//!
//! A difference is reported only when it lasts: while a chain reorgs, endpoints rightly differ. It says
//! nothing about which is right.

use crate::ledger::Claimant;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How long endpoints must differ before that is reported.
const LASTING: Duration = Duration::from_secs(30);

/// How old a claim may be that is compared. A claimant that answers claims again and again.
const RECENT: Duration = Duration::from_secs(60);

/// What an endpoint claimed, and when it did so last.
#[derive(Clone, Copy, Debug)]
struct Latest {
    block: BlockNumHash,
    at: Instant,
}

/// Two endpoints that call different blocks of one height cross-safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClaimDifference {
    /// The chain.
    pub(super) chain_id: ChainId,
    /// The lowest height at which they differ.
    pub(super) number: u64,
    /// The endpoints, and what each of them claims there.
    pub(super) answers: [(String, B256); 2],
}

#[derive(Debug)]
struct Found {
    difference: ClaimDifference,
    since: Instant,
    is_reported: bool,
}

/// Two endpoints of a chain, by name.
type Pair = (ChainId, [String; 2]);

/// What was claimed last, and where that differs.
#[derive(Debug, Default)]
pub(super) struct ClaimBook {
    latest: BTreeMap<(ChainId, Claimant), Latest>,
    /// The block of each claimant that is being fetched.
    fetched: BTreeMap<(ChainId, Claimant), BlockKey>,
    found: BTreeMap<Pair, Found>,
}

impl ClaimBook {
    /// Takes in a claim. `true`: it is of another block than this claimant's last one.
    pub(super) fn note(
        &mut self,
        chain_id: ChainId,
        claimant: &Claimant,
        block: BlockNumHash,
        now: Instant,
    ) -> bool {
        let last = self.latest.insert((chain_id, claimant.clone()), Latest { block, at: now });
        last.is_none_or(|last| last.block != block)
    }

    /// Records that a claimed block is being fetched.
    pub(super) fn fetch(&mut self, key: BlockKey, claimant: Claimant) {
        self.fetched.insert((key.chain_id, claimant), key);
    }

    /// The block of a claimant that was being fetched, if it names another one now, and no other claimant
    /// waits for it.
    pub(super) fn give_up(&mut self, key: &BlockKey, claimant: &Claimant) -> Option<BlockKey> {
        let place = (key.chain_id, claimant.clone());
        let before = self.fetched.get(&place).copied().filter(|before| before != key)?;
        self.fetched.remove(&place);
        let is_wanted = self.fetched.values().any(|wanted| *wanted == before);
        (!is_wanted).then_some(before)
    }

    /// What endpoints claim of the chain now, by their names.
    pub(super) fn endpoints(&self, chain_id: ChainId, now: Instant) -> Vec<(String, BlockNumHash)> {
        let of_chain = self.latest.iter().filter(|((id, _), _)| *id == chain_id);
        let recent = of_chain.filter(|(_, latest)| now.saturating_duration_since(latest.at) < RECENT);
        recent
            .filter_map(|((_, claimant), latest)| Some((claimant.endpoint()?.to_owned(), latest.block)))
            .collect()
    }

    /// Takes in the branches that two endpoints claim: their blocks, highest first, as far as they are known.
    pub(super) fn compare(
        &mut self,
        chain_id: ChainId,
        one: (&str, &[BlockNumHash]),
        other: (&str, &[BlockNumHash]),
        now: Instant,
    ) {
        let (one, other) = if one.0 <= other.0 { (one, other) } else { (other, one) };
        let pair = (chain_id, [one.0.to_owned(), other.0.to_owned()]);
        let (number, [first, second]) = match Comparison::of(one.1, other.1) {
            Comparison::Unknown => return,
            Comparison::Agree => {
                self.found.remove(&pair);
                return;
            }
            Comparison::Differ(number, hashes) => (number, hashes),
        };
        let answers = [(one.0.to_owned(), first), (other.0.to_owned(), second)];
        let difference = ClaimDifference { chain_id, number, answers };
        match self.found.get_mut(&pair) {
            Some(found) => found.difference = difference,
            None => drop(self.found.insert(pair, Found { difference, since: now, is_reported: false })),
        }
    }

    /// An endpoint no longer claims what it differed in.
    pub(super) fn forget_differences(&mut self, chain_id: ChainId, claimant: &str) {
        self.found.retain(|(id, names), _| *id != chain_id || names.iter().all(|name| name != claimant));
    }

    /// The differences that are to be reported now: each once, until the endpoints agree again.
    pub(super) fn lasting(&mut self, now: Instant) -> Vec<ClaimDifference> {
        let latest = &self.latest;
        let has_answer = |chain_id: ChainId, name: &String| {
            let mut claims = latest
                .iter()
                .filter(|((id, claimant), _)| *id == chain_id && claimant.endpoint() == Some(name.as_str()));
            claims.any(|(_, claim)| now.saturating_duration_since(claim.at) < RECENT)
        };
        // One that no longer answers may agree by now.
        self.found.retain(|(chain_id, names), _| names.iter().all(|name| has_answer(*chain_id, name)));
        let mut lasting = Vec::new();
        for found in self.found.values_mut() {
            if !found.is_reported && now.saturating_duration_since(found.since) >= LASTING {
                found.is_reported = true;
                lasting.push(found.difference.clone());
            }
        }
        lasting
    }

    /// How many pairs of a chain's endpoints differ, and have done so for long.
    pub(super) fn count(&self, chain_id: ChainId) -> usize {
        self.found.iter().filter(|((id, _), found)| *id == chain_id && found.is_reported).count()
    }
}

/// How two branches compare that are known in part.
#[derive(Debug, PartialEq, Eq)]
enum Comparison {
    /// They have the same block at the highest height at which both are known.
    Agree,
    /// From this height on, the lowest that is known of both, they have these blocks.
    Differ(u64, [B256; 2]),
    /// There is no height at which both are known.
    Unknown,
}

impl Comparison {
    fn of(one: &[BlockNumHash], other: &[BlockNumHash]) -> Self {
        let other: BTreeMap<u64, B256> = other.iter().map(|block| (block.number, block.hash)).collect();
        let both: Vec<(u64, [B256; 2])> = one
            .iter()
            .filter_map(|block| Some((block.number, [block.hash, *other.get(&block.number)?])))
            .collect();
        let differing = both.iter().filter(|(_, [first, second])| first != second);
        match differing.min_by_key(|(number, _)| *number) {
            Some((number, hashes)) => Self::Differ(*number, *hashes),
            None if both.is_empty() => Self::Unknown,
            None => Self::Agree,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn chain() -> ChainId {
        ChainId::from(901)
    }

    /// Blocks of a branch that splits off at a height, highest first.
    fn branch(heights: std::ops::RangeInclusive<u64>, splits_at: u64) -> Vec<BlockNumHash> {
        let hash = |number| B256::with_last_byte(if number < splits_at { 1 } else { 2 });
        heights.rev().map(|number| BlockNumHash { number, hash: hash(number) }).collect()
    }

    const NEVER: u64 = u64::MAX;

    #[rstest]
    #[case::the_same(branch(5..=9, NEVER), branch(5..=9, NEVER), "agree")]
    #[case::one_is_ahead(branch(5..=9, NEVER), branch(5..=7, NEVER), "agree")]
    #[case::they_split(branch(5..=9, 7), branch(5..=8, NEVER), "differ at 7")]
    #[case::only_the_tip_is_known(branch(8..=8, 7), branch(5..=9, NEVER), "differ at 8")]
    #[case::no_height_in_common(branch(8..=9, 7), branch(5..=6, NEVER), "unknown")]
    fn branches_differ_from_where_they_split(
        #[case] one: Vec<BlockNumHash>,
        #[case] other: Vec<BlockNumHash>,
        #[case] expected: &str,
    ) {
        for (one, other) in [(&one, &other), (&other, &one)] {
            let comparison = match Comparison::of(one, other) {
                Comparison::Agree => "agree".to_owned(),
                Comparison::Differ(number, _) => format!("differ at {number}"),
                Comparison::Unknown => "unknown".to_owned(),
            };
            assert_eq!(comparison, expected);
        }
    }

    struct World {
        book: ClaimBook,
        start: Instant,
    }

    impl World {
        fn new() -> Self {
            Self { book: ClaimBook::default(), start: Instant::now() }
        }

        fn at(&self, seconds: u64) -> Instant {
            self.start + Duration::from_secs(seconds)
        }

        /// Two endpoints claim these branches.
        fn claim(&mut self, seconds: u64, one: &[BlockNumHash], other: &[BlockNumHash]) {
            let now = self.at(seconds);
            for (name, claimed) in [("one", one), ("other", other)] {
                self.book.note(chain(), &Claimant::Endpoint(name.to_owned()), claimed[0], now);
            }
            self.book.compare(chain(), ("one", one), ("other", other), now);
        }

        fn lasting(&mut self, seconds: u64) -> Vec<u64> {
            let now = self.at(seconds);
            self.book.lasting(now).into_iter().map(|difference| difference.number).collect()
        }
    }

    #[test]
    fn a_difference_that_lasts_is_reported_once() {
        let mut world = World::new();
        world.claim(0, &branch(5..=9, 7), &branch(5..=9, NEVER));
        assert_eq!((world.lasting(29), world.book.count(chain())), (vec![], 0));
        world.claim(29, &branch(5..=12, 7), &branch(5..=12, NEVER));
        assert_eq!((world.lasting(30), world.lasting(31), world.book.count(chain())), (vec![7], vec![], 1));
        world.claim(40, &branch(5..=12, NEVER), &branch(5..=12, NEVER));
        assert_eq!((world.lasting(80), world.book.count(chain())), (vec![], 0));
    }

    #[test]
    fn a_difference_that_passes_is_not_reported() {
        let mut world = World::new();
        world.claim(0, &branch(5..=9, 7), &branch(5..=9, NEVER));
        world.claim(20, &branch(5..=9, NEVER), &branch(5..=9, NEVER));
        world.claim(25, &branch(5..=19, 17), &branch(5..=19, NEVER));
        assert_eq!(world.lasting(54), [0; 0]);
        assert_eq!(world.lasting(55), [17]);
    }

    /// What one of them claims now is not fetched yet: nothing new is known of the difference.
    #[test]
    fn a_difference_lasts_while_a_new_claim_is_unknown() {
        let mut world = World::new();
        world.claim(0, &branch(5..=9, 7), &branch(5..=9, NEVER));
        world.claim(20, &branch(12..=12, 7), &branch(5..=9, NEVER));
        assert_eq!((world.lasting(30), world.book.count(chain())), (vec![7], 1));
        world.claim(40, &branch(14..=14, 7), &branch(5..=13, NEVER));
        assert_eq!((world.lasting(45), world.book.count(chain())), (vec![], 1), "it is reported once");
    }

    #[test]
    fn an_endpoint_that_no_longer_answers_differs_from_none() {
        let mut world = World::new();
        world.claim(0, &branch(5..=9, 7), &branch(5..=9, NEVER));
        assert_eq!(world.lasting(60), [0; 0]);
        assert!(world.book.endpoints(chain(), world.at(60)).is_empty());
        assert_eq!(world.book.endpoints(chain(), world.at(59)).len(), 2);
    }

    #[test]
    fn a_block_is_new_once_for_each_claimant() {
        let mut book = ClaimBook::default();
        let (now, block) = (Instant::now(), branch(5..=5, NEVER)[0]);
        let claimants =
            [Claimant::Derived, Claimant::Endpoint("one".to_owned()), Claimant::Upstream("two".to_owned())];
        for claimant in &claimants {
            assert!(book.note(chain(), claimant, block, now) && !book.note(chain(), claimant, block, now));
        }
        assert!(book.note(chain(), &Claimant::Derived, branch(6..=6, NEVER)[0], now));
        assert_eq!(book.endpoints(chain(), now).len(), 2, "what is derived is not an endpoint's claim");
    }

    #[test]
    fn a_block_is_given_up_when_nobody_waits_for_it() {
        let key = |number| BlockKey { chain_id: chain(), number, hash: B256::ZERO };
        let [one, other] = ["one", "other"].map(|name| Claimant::Endpoint(name.to_owned()));
        let mut book = ClaimBook::default();
        for claimant in [&one, &other] {
            book.fetch(key(7), claimant.clone());
        }
        assert_eq!(book.give_up(&key(7), &one), None, "it still names it");
        assert_eq!(book.give_up(&key(8), &one), None, "the other one waits for it");
        assert_eq!(book.give_up(&key(8), &other), Some(key(7)));
        assert_eq!(book.give_up(&key(9), &other), None, "it is given up once");
    }
}
