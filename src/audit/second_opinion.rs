//! [`SecondOpinion`]: whether the local-safe head of a chain's rollup node is an opinion of its own, and
//! [`OpinionWatch`], which finds that out from the node's record of safe heads. A node that cannot be
//! distinguished counts as one that derives.
//!
//! It moves no head and judges no block: code that would use a node's chain against a block asks it first.

use super::AuditMetrics;
use crate::pieces::Pieces;
use crate::sources::{NodeAnswer, RollupNodes, SafeHeadAtL1, SafeRecord, SourceError};
use crosscheck_core::heads::L2BlockRef;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::time::Duration;
use tokio::time::Instant;
use tracing::{debug, error, info, warn};

/// After how long the node is asked again. It may be another program by then, or follow a source.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// After how long it is asked again when it did not answer.
const RETRIED_AFTER: Duration = Duration::from_secs(15);

/// How long a search of its record may take in all.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the heads wait for a search that has just begun. A node nearby has answered by then.
const GRACE: Duration = Duration::from_secs(1);

/// After this many refusals in a row a node of which nothing is known counts as one that keeps no record.
const MAX_REFUSALS: u32 = 3;

/// What it means that a node repeats its source, and what to do.
const REPEATED: &str = "no independent second opinion: the rollup node follows a source and does not derive the chain from L1. Messages \
    and L1 data are still checked, and valid blocks are upheld, but a block that only differs from the source's chain stays open. \
    Add a rollup node that derives the chain (an op-node without --l2.follow.source, with --safedb.path) to rollup_node";

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
    /// The node has derived its chain, as far as is known.
    Own {
        /// Up to this block it has not: it began with another node's claim. `None`: no such block is known.
        assumed: Option<Assumed>,
    },
    /// It repeats the source that it follows.
    Repeated,
    /// It was asked, and has not answered.
    Unknown,
}

impl Default for SecondOpinion {
    fn default() -> Self {
        Self::Own { assumed: None }
    }
}

impl SecondOpinion {
    /// Whether the node has derived its block at this height itself, as far as is known.
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
                "the rollup node did not derive the chain up to block {number}: it started there by a sync, or its \
                 record of safe heads starts there; its answers about those blocks are not used as evidence"
            )),
            Self::Repeated => Some(REPEATED.to_owned()),
            Self::Unknown => Some(
                "the rollup node did not answer whether it derives the chain; until it does, its answers are not used as evidence"
                    .to_owned(),
            ),
        }
    }

    /// Why the node's claim does not count against a block of this height, for people.
    pub fn why_not(self, number: u64) -> String {
        match self {
            Self::Own { assumed: Some(assumed) } if number <= assumed.number => format!(
                "its rollup node has another block {number}, and did not derive the blocks up to {}",
                assumed.number
            ),
            Self::Own { .. } => format!("its rollup node has another block {number}"),
            Self::Repeated => format!(
                "its rollup node has another block {number}, and repeats the source that it follows; add a rollup \
                 node that derives the chain"
            ),
            Self::Unknown => format!(
                "its rollup node has another block {number}, and did not answer whether it derives the chain"
            ),
        }
    }

    /// What a record says. `first`: the node's local-safe head when it was first seen. `block_time`: seconds
    /// between two blocks.
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

/// Determines whether one chain's rollup node derives the chain or repeats a source.
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
    /// How often in a row it refused to say.
    refusals: u32,
    keeps_a_record: bool,
    /// The search of its record that is under way, beside the heads.
    search: Pieces<(), Searched>,
}

/// What came of a search. `None`: it took too long.
type Searched = Option<Result<SafeRecord, SourceError>>;

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
            refusals: 0,
            keeps_a_record: false,
            search: Pieces::new(),
        }
    }

    /// The node did not answer: it may be another program when it does.
    pub(super) const fn on_no_answer(&mut self) {
        self.place = None;
    }

    /// Whether the node keeps a record of safe heads, so that its opinion is known rather than taken for
    /// granted.
    pub(super) const fn keeps_a_record(&self) -> bool {
        self.keeps_a_record
    }

    /// Whose opinion it is what this node says. Asks it if it is another than before, or was not asked
    /// lately. What takes long is found out beside the heads, and is known at a later call.
    pub(super) async fn ask(
        &mut self,
        nodes: &RollupNodes,
        answer: &NodeAnswer,
        block_time: u64,
    ) -> SecondOpinion {
        if self.place != Some(answer.place) {
            self.place = Some(answer.place);
            (self.ask_at, self.first, self.opinion, self.refusals) = (None, None, SecondOpinion::Unknown, 0);
            self.search = Pieces::new();
        }
        self.first = self.first.or(answer.document.heads().local_safe_l2);
        let mut grace = Duration::ZERO;
        if self.search.len() == 0 {
            if self.ask_at.is_some_and(|ask_at| Instant::now() < ask_at) {
                return self.opinion;
            }
            // Without these it has no result yet, and nothing that could be used against anyone.
            let (Some(node), Some(l1)) = (nodes.node(answer.place), answer.document.current_l1()) else {
                return self.opinion;
            };
            let (node, oldest) = (node.clone(), self.oldest);
            let search = async move { node.safe_record(l1.number, oldest).await };
            self.search.begin((), async move { tokio::time::timeout(PATIENCE, search).await.ok() });
            grace = GRACE;
        }
        if let Ok(Some(((), searched))) = tokio::time::timeout(grace, self.search.next()).await {
            let searched = searched.unwrap_or_else(|error| {
                error!(chain_id = %self.chain_id, %error, "search of the rollup node's safe head record crashed; retrying");
                None
            });
            let (opinion, again) = self.learn(searched, block_time);
            self.ask_at = Instant::now().checked_add(again);
            self.opinion = opinion;
        }
        self.opinion
    }

    /// What a search makes of the opinion, and when the node is asked again.
    fn learn(&mut self, searched: Searched, block_time: u64) -> (SecondOpinion, Duration) {
        let record = match searched {
            Some(Ok(record)) => record,
            Some(Err(error)) => {
                debug!(chain_id = %self.chain_id, %error, "not known yet whether the rollup node derives the chain");
                return self.failed(matches!(error, SourceError::Refused { .. }));
            }
            None => {
                debug!(chain_id = %self.chain_id, "search of the rollup node's safe head record takes too long");
                return self.failed(false);
            }
        };
        self.refusals = 0;
        self.keeps_a_record = matches!(record, SafeRecord::Since(_));
        self.oldest = match record {
            SafeRecord::Since(oldest) => Some(oldest),
            SafeRecord::None | SafeRecord::Repeated | SafeRecord::Empty => None,
        };
        let again = if record == SafeRecord::Empty { RETRIED_AFTER } else { ASKED_AGAIN_AFTER };
        (SecondOpinion::of(record, self.first, block_time), again)
    }

    /// What was known stays. A node that answers, and refuses to say this again and again, counts as one that
    /// keeps no record. One that does not answer in time has said nothing.
    const fn failed(&mut self, is_refused: bool) -> (SecondOpinion, Duration) {
        if is_refused {
            self.refusals = self.refusals.saturating_add(1);
        }
        match self.opinion {
            SecondOpinion::Unknown if self.refusals >= MAX_REFUSALS => {
                self.keeps_a_record = false;
                (SecondOpinion::Own { assumed: None }, ASKED_AGAIN_AFTER)
            }
            known => (known, RETRIED_AFTER),
        }
    }
}

/// Reports one chain's second opinion: in the log, once for each change, and in a gauge.
#[derive(Debug)]
pub(super) struct OpinionReporter {
    chain_id: ChainId,
    metrics: AuditMetrics,
    reported: SecondOpinion,
}

impl OpinionReporter {
    /// Nothing was reported yet.
    pub(super) fn new(chain_id: ChainId, metrics: AuditMetrics) -> Self {
        Self { chain_id, metrics, reported: SecondOpinion::default() }
    }

    /// Reports what has changed.
    pub(super) fn report(&mut self, opinion: SecondOpinion, node: &str) {
        let chain_id = self.chain_id;
        self.metrics.second_opinion(chain_id, opinion == SecondOpinion::Repeated);
        // A node that does not answer is reported by its heads. Its opinion may be unchanged when it answers
        // again.
        if opinion == SecondOpinion::Unknown || opinion == self.reported {
            return;
        }
        let before = core::mem::replace(&mut self.reported, opinion);
        match opinion {
            SecondOpinion::Repeated => {
                warn!(%chain_id, node, detail = REPEATED, "rollup node is not a second opinion; add one that derives the chain");
            }
            SecondOpinion::Own { .. } if before == SecondOpinion::Repeated => {
                info!(%chain_id, node, "rollup node no longer repeats a source; it is a second opinion");
            }
            SecondOpinion::Own { .. } | SecondOpinion::Unknown => {
                if let Some(note) = opinion.in_words() {
                    info!(%chain_id, node, note, "rollup node did not derive its whole chain");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::EndpointLimits;
    use crate::sources::scripted_node::{ScriptedNode, at, safe_head};
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
    fn a_safe_head_record_determines_the_second_opinion(
        #[case] record: SafeRecord,
        #[case] expected: SecondOpinion,
    ) {
        let first = L2BlockRef::new(100, B256::repeat_byte(1), UnixSeconds(1_200));
        assert_eq!(SecondOpinion::of(record, first, 2), expected);
    }

    #[rstest]
    #[case::derives(SecondOpinion::default(), true, true)]
    #[case::assumed(assumed(100, 1), false, true)]
    #[case::repeated(SecondOpinion::Repeated, false, false)]
    #[case::unknown(SecondOpinion::Unknown, false, false)]
    fn blocks_that_a_second_opinion_covers(
        #[case] opinion: SecondOpinion,
        #[case] at: bool,
        #[case] above: bool,
    ) {
        assert_eq!((opinion.covers(100), opinion.covers(101)), (at, above));
        assert_eq!(opinion.in_words().is_none(), at && above);
    }

    /// A node that refuses or does not answer in time: what was known of it stays.
    #[rstest]
    #[case::repeats(SecondOpinion::Repeated, true, [SecondOpinion::Repeated; 3])]
    #[case::took_over(assumed(100, 1_200), true, [assumed(100, 1_200); 3])]
    #[case::refuses_for_good(
        SecondOpinion::Unknown,
        true,
        [SecondOpinion::Unknown, SecondOpinion::Unknown, SecondOpinion::default()]
    )]
    #[case::does_not_answer(SecondOpinion::Unknown, false, [SecondOpinion::Unknown; 3])]
    #[case::took_over_and_does_not_answer(assumed(100, 1_200), false, [assumed(100, 1_200); 3])]
    fn failures_change_no_known_opinion(
        #[case] known: SecondOpinion,
        #[case] is_refused: bool,
        #[case] expected: [SecondOpinion; 3],
    ) {
        let mut watch = OpinionWatch { opinion: known, ..OpinionWatch::new(ChainId::from(901)) };
        let found = [(); 3].map(|()| {
            watch.opinion = watch.failed(is_refused).0;
            watch.opinion
        });
        assert_eq!(found, expected);
    }

    /// Its answers to this take as long as they like; its heads are taken all the same.
    #[tokio::test]
    async fn a_slow_search_delays_no_heads_and_leaves_the_opinion_unchanged() {
        let node = ScriptedNode::start(Some(at([9, 8, 7, 6]))).await;
        node.change(|conduct| conduct.is_silent_on_safe_heads = true);
        let limits =
            EndpointLimits { timeout: PATIENCE * 10, max_response_bytes: 4096, max_concurrent_requests: 1 };
        let nodes = RollupNodes::new(ChainId::from(901), &[node.url()], limits).unwrap();
        let answer = nodes.status().await.unwrap();
        let mut watch = OpinionWatch::new(ChainId::from(901));
        tokio::time::pause();
        let begun = Instant::now();
        assert_eq!(watch.ask(&nodes, &answer, 2).await, SecondOpinion::Unknown);
        assert!(begun.elapsed() < GRACE * 2, "{:?}", begun.elapsed());
        for _ in 0..5 {
            tokio::time::advance(PATIENCE).await;
            let asked = Instant::now();
            assert_eq!(watch.ask(&nodes, &answer, 2).await, SecondOpinion::Unknown);
            assert!(asked.elapsed() < GRACE * 2, "{:?}", asked.elapsed());
        }
    }
}
