//! [`ClaimBook`]: what each claimant claimed last, and where claimants differ. Pure: time is an argument.
//!
//! A difference is reported only when it lasts: while a chain reorgs, endpoints rightly differ. It says nothing about which is right.

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

/// What was claimed last, and where that differs.
#[derive(Debug, Default)]
pub(super) struct ClaimBook {
    latest: BTreeMap<(ChainId, Claimant), Latest>,
    /// The block of each claimant that had to be fetched last.
    fetched: BTreeMap<(ChainId, Claimant), BlockKey>,
    found: BTreeMap<(ChainId, [String; 2]), Found>,
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

    /// Records that a claimed block must be fetched. Returns the one that this claimant's last such block was.
    pub(super) fn fetch(&mut self, key: BlockKey, claimant: Claimant) -> Option<BlockKey> {
        self.fetched.insert((key.chain_id, claimant), key)
    }

    /// What endpoints claim of the chain now, by their names.
    pub(super) fn endpoints(&self, chain_id: ChainId, now: Instant) -> Vec<(String, BlockNumHash)> {
        let of_chain = self.latest.iter().filter(|((id, _), _)| *id == chain_id);
        let recent = of_chain.filter(|(_, latest)| now.saturating_duration_since(latest.at) < RECENT);
        let named = recent.filter_map(|((_, claimant), latest)| match claimant {
            Claimant::Endpoint(name) => Some((name.clone(), latest.block)),
            Claimant::Derived => None,
        });
        named.collect()
    }

    /// Takes in the branches that two endpoints claim: their blocks, highest first. Where they have no height in common nothing is known
    /// of whether they differ: what was found before remains.
    pub(super) fn compare(
        &mut self,
        chain_id: ChainId,
        one: (&str, &[BlockNumHash]),
        other: (&str, &[BlockNumHash]),
        now: Instant,
    ) {
        let (one, other) = if one.0 <= other.0 { (one, other) } else { (other, one) };
        let pair = (chain_id, [one.0.to_owned(), other.0.to_owned()]);
        let (number, [first, second]) = match compare(one.1, other.1) {
            Comparison::Differ { number, hashes } => (number, hashes),
            Comparison::Agree => {
                self.found.remove(&pair);
                return;
            }
            Comparison::Unknown => return,
        };
        let answers = [(one.0.to_owned(), first), (other.0.to_owned(), second)];
        let difference = ClaimDifference { chain_id, number, answers };
        match self.found.get_mut(&pair) {
            Some(found) if found.difference == difference => {}
            // The branches go on from where they split; or they split elsewhere.
            Some(found) => *found = Found { difference, since: found.since, is_reported: found.is_reported },
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
        let is_heard = |chain_id: ChainId, name: &String| {
            let claim = latest.get(&(chain_id, Claimant::Endpoint(name.clone())));
            claim.is_some_and(|claim| now.saturating_duration_since(claim.at) < RECENT)
        };
        // One that no longer answers may agree by now.
        self.found.retain(|(chain_id, names), _| names.iter().all(|name| is_heard(*chain_id, name)));
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

/// How two branches compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    /// They have the same block at every height that both have.
    Agree,
    /// They have different blocks.
    Differ {
        /// The lowest height at which they do.
        number: u64,
        /// The blocks there.
        hashes: [B256; 2],
    },
    /// They have no height in common.
    Unknown,
}

fn compare(one: &[BlockNumHash], other: &[BlockNumHash]) -> Comparison {
    let other: BTreeMap<u64, B256> = other.iter().map(|block| (block.number, block.hash)).collect();
    let mut result = Comparison::Unknown;
    // From the highest down: the lowest difference is the last.
    for block in one {
        let Some(hash) = other.get(&block.number).copied() else { continue };
        if hash != block.hash {
            result = Comparison::Differ { number: block.number, hashes: [block.hash, hash] };
        } else if result == Comparison::Unknown {
            result = Comparison::Agree;
        }
    }
    result
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
    #[case::the_same(branch(5..=9, NEVER), branch(5..=9, NEVER), Ok(None))]
    #[case::one_is_ahead(branch(5..=9, NEVER), branch(5..=7, NEVER), Ok(None))]
    #[case::they_split(branch(5..=9, 7), branch(5..=8, NEVER), Ok(Some(7)))]
    #[case::only_the_tip_is_known(branch(8..=8, 7), branch(5..=9, NEVER), Ok(Some(8)))]
    #[case::no_height_in_common(branch(8..=9, 7), branch(5..=6, NEVER), Err(()))]
    fn branches_differ_from_where_they_split(
        #[case] one: Vec<BlockNumHash>,
        #[case] other: Vec<BlockNumHash>,
        #[case] expected: Result<Option<u64>, ()>,
    ) {
        for (one, other) in [(&one, &other), (&other, &one)] {
            let found = match compare(one, other) {
                Comparison::Agree => Ok(None),
                Comparison::Differ { number, .. } => Ok(Some(number)),
                Comparison::Unknown => Err(()),
            };
            assert_eq!(found, expected);
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

    #[test]
    fn an_endpoint_that_no_longer_answers_differs_from_none() {
        let mut world = World::new();
        world.claim(0, &branch(5..=9, 7), &branch(5..=9, NEVER));
        assert_eq!(world.lasting(60), [0; 0]);
        assert!(world.book.endpoints(chain(), world.at(60)).is_empty());
        assert_eq!(world.book.endpoints(chain(), world.at(59)).len(), 2);
    }

    /// One is ahead by blocks that nobody else has: at times they have no height in common.
    #[test]
    fn a_difference_remains_while_nothing_can_be_compared() {
        let mut world = World::new();
        world.claim(0, &branch(9..=9, 7), &branch(5..=9, NEVER));
        world.claim(20, &branch(12..=12, 7), &branch(5..=10, NEVER));
        assert_eq!(world.lasting(30), [9]);
        world.claim(31, &branch(5..=6, 7), &branch(5..=10, NEVER));
        assert_eq!(world.book.count(chain()), 0);
    }

    #[test]
    fn a_block_is_new_once_for_each_claimant() {
        let mut book = ClaimBook::default();
        let (now, block) = (Instant::now(), branch(5..=5, NEVER)[0]);
        let claimants = [Claimant::Derived, Claimant::Endpoint("one".to_owned())];
        for claimant in &claimants {
            assert!(book.note(chain(), claimant, block, now) && !book.note(chain(), claimant, block, now));
        }
        assert!(book.note(chain(), &Claimant::Derived, branch(6..=6, NEVER)[0], now));
        assert_eq!(book.endpoints(chain(), now).len(), 1, "what is derived is not an endpoint's claim");
    }
}
