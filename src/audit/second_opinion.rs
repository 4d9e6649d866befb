//! [`SecondOpinion`]: whether what a chain's rollup node calls local-safe is an opinion of its own, and [`OpinionWatch`], which finds
//! that out from the node's record of safe heads. A node whose word cannot be told apart counts as one that derives.
//!
//! It moves no head and judges no block: whoever would hold a node's chain against a block asks it first.

use crate::metrics::Metrics;
use crate::sources::{L2BlockRef, NodeAnswer, RollupNodes, SafeHeadAtL1, SafeRecord};
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::time::Duration;
use tokio::time::Instant;
use tracing::{debug, info, warn};

/// After how long the node is asked again. It may be another program by then, or follow a source.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// After how long it is asked again when it did not answer.
const RETRIED_AFTER: Duration = Duration::from_secs(15);

/// How long all of the answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// After so many failures in a row a node of which nothing is known counts as one that keeps no record.
const MAX_FAILURES: u32 = 3;

/// What a node that repeats another's word means, and what to do.
const REPEATED: &str = "the second opinion is the first one: the rollup node follows a source and does not derive the chain from L1 \
    itself. Messages and what L1 alone says of a block are checked as ever, and blocks are upheld; a block that differs from the \
    source's chain in anything else is held against nobody. Add a rollup node that derives the chain (an op-node without \
    --l2.follow.source, with --safedb.path) to rollup_node";

/// A block up to which the node has not derived its chain, but taken it over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assumed {
    /// Its height.
    pub number: u64,
    /// Its timestamp.
    pub timestamp: UnixSeconds,
}

/// Whether what a chain's rollup node calls local-safe is an opinion of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondOpinion {
    /// The node has derived its chain, as far as can be told.
    Own {
        /// Up to this block it has not: it began with another's word. `None`: no such block is known.
        assumed: Option<Assumed>,
    },
    /// It repeats the word of the source that it follows.
    Repeated,
    /// It was asked, and has not said which.
    Unknown,
}

impl Default for SecondOpinion {
    fn default() -> Self {
        Self::Own { assumed: None }
    }
}

impl SecondOpinion {
    /// Whether the node has derived its block at this height itself, as far as can be told.
    pub const fn covers(self, number: u64) -> bool {
        match self {
            Self::Own { assumed: None } => true,
            Self::Own { assumed: Some(assumed) } => number > assumed.number,
            Self::Repeated | Self::Unknown => false,
        }
    }

    /// Up to when the node has not derived its chain. `None`: no such time is known.
    pub fn assumed_until(self) -> Option<UnixSeconds> {
        match self {
            Self::Own { assumed } => assumed.map(|assumed| assumed.timestamp),
            Self::Repeated | Self::Unknown => None,
        }
    }

    /// What there is to know about it, for people. `None`: nothing.
    pub fn in_words(self) -> Option<String> {
        match self {
            Self::Own { assumed: None } => None,
            Self::Own { assumed: Some(Assumed { number, .. }) } => Some(format!(
                "up to block {number} the rollup node has not derived the chain itself: it began there by a sync, or its record \
                 of safe heads begins there; what it says of those blocks is held against nobody"
            )),
            Self::Repeated => Some(REPEATED.to_owned()),
            Self::Unknown => Some(
                "the rollup node did not answer whether it derives the chain itself; until it does, what it says is held against nobody"
                    .to_owned(),
            ),
        }
    }

    /// Why the node's word does not count against a block of this height, for people.
    pub fn why_not(self, number: u64) -> String {
        match self {
            Self::Own { assumed: Some(assumed) } if number <= assumed.number => format!(
                "its rollup node has another block {number}, and has derived nothing up to block {}",
                assumed.number
            ),
            Self::Own { .. } => format!("its rollup node has another block {number}"),
            Self::Repeated => format!(
                "its rollup node has another block {number}, and repeats the word of the source that it follows; add a rollup node \
                 that derives the chain"
            ),
            Self::Unknown => format!(
                "its rollup node has another block {number}, and did not answer whether it derives the chain itself"
            ),
        }
    }

    /// What a record says. `first`: the node's local-safe head when it was first seen. `block_time`: seconds between two blocks.
    fn of(record: SafeRecord, first: Option<L2BlockRef>, block_time: u64) -> Self {
        let assumed = match record {
            SafeRecord::None => None,
            SafeRecord::Repeated => return Self::Repeated,
            // It may be about to derive, or to follow a source: its first entry says which.
            SafeRecord::Empty => return Self::Unknown,
            SafeRecord::Since(oldest) => Some(Assumed {
                number: oldest.safe_head.number,
                timestamp: first
                    .map_or(UnixSeconds(0), |head| time_of(oldest.safe_head.number, head, block_time)),
            }),
        };
        // Genesis needs no derivation.
        Self::Own { assumed: assumed.filter(|assumed| assumed.number > 0) }
    }
}

/// The timestamp at a height, counted from a block of the same chain.
const fn time_of(number: u64, from: L2BlockRef, block_time: u64) -> UnixSeconds {
    let distance = number.abs_diff(from.number).saturating_mul(block_time);
    UnixSeconds(if number < from.number {
        from.timestamp.0.saturating_sub(distance)
    } else {
        from.timestamp.0.saturating_add(distance)
    })
}

/// Finds out whose opinion the word of one chain's rollup node is.
#[derive(Debug)]
pub(super) struct OpinionWatch {
    chain_id: ChainId,
    /// The place of the node that was asked.
    place: Option<usize>,
    /// Its local-safe head when it was first seen.
    first: Option<L2BlockRef>,
    ask_at: Option<Instant>,
    opinion: SecondOpinion,
    /// The oldest entry of its record.
    oldest: Option<SafeHeadAtL1>,
    /// How often in a row it did not say.
    failures: u32,
    keeps_a_record: bool,
}

impl OpinionWatch {
    /// Nothing is known yet.
    pub(super) fn new(chain_id: ChainId) -> Self {
        let opinion = SecondOpinion::Unknown;
        Self {
            chain_id,
            place: None,
            first: None,
            ask_at: None,
            opinion,
            oldest: None,
            failures: 0,
            keeps_a_record: false,
        }
    }

    /// The node did not answer: it may be another program when it does.
    pub(super) const fn lose(&mut self) {
        self.place = None;
    }

    /// Whether the node keeps a record of safe heads, so that its opinion is known rather than taken for granted.
    pub(super) const fn keeps_a_record(&self) -> bool {
        self.keeps_a_record
    }

    /// Whose opinion it is what this node says. Asks it if it is another than before, or was not asked lately.
    pub(super) async fn ask(
        &mut self,
        nodes: &RollupNodes,
        answer: &NodeAnswer,
        block_time: u64,
    ) -> SecondOpinion {
        if self.place != Some(answer.place) {
            self.place = Some(answer.place);
            (self.ask_at, self.first, self.opinion, self.failures) = (None, None, SecondOpinion::Unknown, 0);
        }
        self.first = self.first.or(answer.document.heads().local_safe_l2);
        if self.ask_at.is_some_and(|ask_at| Instant::now() < ask_at) {
            return self.opinion;
        }
        // Without these it has come to nothing yet, and says nothing that could be held against anybody.
        let (Some(node), Some(l1)) = (nodes.node(answer.place), answer.document.current_l1()) else {
            return self.opinion;
        };
        let asked = tokio::time::timeout(PATIENCE, node.safe_record(l1.number, self.oldest)).await;
        // What was learnt of the same node stays while it does not answer.
        let (opinion, again) = match asked {
            Ok(Ok(record)) => {
                self.failures = 0;
                self.keeps_a_record = matches!(record, SafeRecord::Since(_));
                self.oldest = match record {
                    SafeRecord::Since(oldest) => Some(oldest),
                    SafeRecord::None | SafeRecord::Repeated | SafeRecord::Empty => None,
                };
                let again = if record == SafeRecord::Empty { RETRIED_AFTER } else { ASKED_AGAIN_AFTER };
                (SecondOpinion::of(record, self.first, block_time), again)
            }
            Ok(Err(error)) => {
                debug!(chain_id = %self.chain_id, %error, "cannot learn whether the rollup node derives the chain");
                self.failed()
            }
            Err(_) => self.failed(),
        };
        self.ask_at = Instant::now().checked_add(again);
        self.opinion = opinion;
        opinion
    }

    /// What was known stays. A node that says how its heads are, and again and again not this, counts as one that keeps no record.
    const fn failed(&mut self) -> (SecondOpinion, Duration) {
        self.failures = self.failures.saturating_add(1);
        match self.opinion {
            SecondOpinion::Unknown if self.failures >= MAX_FAILURES => {
                self.keeps_a_record = false;
                (SecondOpinion::Own { assumed: None }, ASKED_AGAIN_AFTER)
            }
            known => (known, RETRIED_AFTER),
        }
    }
}

/// Tells of one chain's second opinion: in the log, once for each change, and in a gauge.
#[derive(Debug)]
pub(super) struct OpinionTeller {
    chain_id: ChainId,
    metrics: Metrics,
    told: SecondOpinion,
}

impl OpinionTeller {
    /// Nothing was told yet.
    pub(super) fn new(chain_id: ChainId, metrics: Metrics) -> Self {
        Self { chain_id, metrics, told: SecondOpinion::default() }
    }

    /// Tells what is other than before.
    pub(super) fn tell(&mut self, opinion: SecondOpinion, node: &str) {
        let chain_id = self.chain_id;
        self.metrics.second_opinion(chain_id, opinion == SecondOpinion::Repeated);
        // That a node does not answer is told by its heads. It may be the same as before when it does.
        if opinion == SecondOpinion::Unknown || opinion == self.told {
            return;
        }
        let before = core::mem::replace(&mut self.told, opinion);
        match opinion {
            SecondOpinion::Repeated => warn!(%chain_id, node, "{REPEATED}"),
            SecondOpinion::Own { .. } if before == SecondOpinion::Repeated => {
                info!(%chain_id, node, "the rollup node is not known to repeat another's word any more: its chain is a second opinion");
            }
            SecondOpinion::Own { .. } | SecondOpinion::Unknown => {
                if let Some(note) = opinion.in_words() {
                    info!(%chain_id, node, note, "the rollup node has not derived all of its chain");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::scripted_node::safe_head;
    use alloy::primitives::B256;
    use rstest::rstest;

    fn assumed(number: u64, timestamp: u64) -> SecondOpinion {
        SecondOpinion::Own { assumed: Some(Assumed { number, timestamp: UnixSeconds(timestamp) }) }
    }

    #[rstest]
    #[case::no_record(SafeRecord::None, SecondOpinion::default())]
    #[case::light(SafeRecord::Repeated, SecondOpinion::Repeated)]
    #[case::nothing_yet(SafeRecord::Empty, SecondOpinion::Unknown)]
    #[case::synced_before(SafeRecord::Since(safe_head(40, 90)), assumed(90, 1_180))]
    #[case::synced_since(SafeRecord::Since(safe_head(40, 103)), assumed(103, 1_206))]
    #[case::from_genesis(SafeRecord::Since(safe_head(0, 0)), SecondOpinion::default())]
    fn what_a_record_makes_of_an_opinion(#[case] record: SafeRecord, #[case] expected: SecondOpinion) {
        let first = L2BlockRef::new(100, B256::repeat_byte(1), UnixSeconds(1_200));
        assert_eq!(SecondOpinion::of(record, first, 2), expected);
    }

    #[rstest]
    #[case::derives(SecondOpinion::default(), true, true)]
    #[case::assumed(assumed(100, 1), false, true)]
    #[case::repeated(SecondOpinion::Repeated, false, false)]
    #[case::unknown(SecondOpinion::Unknown, false, false)]
    fn which_blocks_it_covers(#[case] opinion: SecondOpinion, #[case] at: bool, #[case] above: bool) {
        assert_eq!((opinion.covers(100), opinion.covers(101)), (at, above));
        assert_eq!(opinion.in_words().is_none(), at && above);
    }

    /// A node that refuses or does not answer in time: what was known of it stays.
    #[rstest]
    #[case::repeats(SecondOpinion::Repeated, [SecondOpinion::Repeated; 3])]
    #[case::took_over(assumed(100, 1_200), [assumed(100, 1_200); 3])]
    #[case::nothing_known(
        SecondOpinion::Unknown,
        [SecondOpinion::Unknown, SecondOpinion::Unknown, SecondOpinion::default()]
    )]
    fn failures_change_nothing_that_is_known(
        #[case] known: SecondOpinion,
        #[case] expected: [SecondOpinion; 3],
    ) {
        let mut watch = OpinionWatch { opinion: known, ..OpinionWatch::new(ChainId::from(901)) };
        let found = [(); 3].map(|()| {
            watch.opinion = watch.failed().0;
            watch.opinion
        });
        assert_eq!(found, expected);
    }
}
