//! [`L1Judge`]: asks L1 what it alone says of a block: its origin, its deposits, its attributes.
//!
//! The imperative shell of `consolidation::deposits`. The batches' transactions are not part of it. What
//! cannot be determined is a wait, never a contradiction.

mod blob_memory;

use self::blob_memory::BlobMemory;
use super::AuditMetrics;
use super::reasons::Reasons;
use crate::ledger::Ledger;
use crate::metrics::EndpointKind;
use crate::sources::{L1Reader, RollupNodes, SourceError};
use alloy::eips::BlockNumHash;
use crosscheck_core::case::{Awaited, Cause, Fact, L1Contradiction, Origin, Wait};
use crosscheck_core::consolidation::BlockAttributes;
use crosscheck_core::consolidation::deposits::{
    Comparison, DepositRules, DepositsError, L1Epoch, L1InfoError, NamedBundle, ParentFacts, ReportedBlobs,
    SetSize, TakenFromNode, compare_with_l1, derive_from_l1,
};
use crosscheck_core::message::BlockKey;
use crosscheck_core::proof::{ProvenL1Logs, VerifiedBlock, VerifiedL1Header};
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::{debug, warn};

/// How long a chain's rules are kept before they are asked for again.
const RULES_KEPT: Duration = Duration::from_secs(3600);

/// How soon they are asked for again when L1 did not say its blob schedule.
const RULES_RETRY: Duration = Duration::from_secs(60);

/// For how long what L1 says of its blob schedule serves all chains.
const REPORTED_KEPT: Duration = Duration::from_secs(300);

/// What L1 alone says of a block.
#[derive(Debug)]
pub(super) enum L1Answer {
    /// Nothing against it; but for what was taken from the rollup node, if anything was.
    Agrees(Option<TakenFromNode>),
    /// That it cannot be.
    Contradicts(Box<L1Contradiction>),
    /// It was built on an L1 block that is removed permanently.
    OriginDropped(BlockNumHash),
}

impl L1Answer {
    /// The fact that it is for a case.
    pub(super) fn into_fact(self) -> Fact {
        match self {
            Self::Agrees(taken) => Fact::L1Agrees { taken },
            Self::Contradicts(contradiction) => Fact::L1Contradicts(contradiction),
            Self::OriginDropped(l1_origin) => Fact::OriginDropped(l1_origin),
        }
    }
}

/// The blocks around the one that is judged.
#[derive(Debug)]
pub(super) struct Surroundings {
    /// The block that it builds on.
    pub(super) parent: VerifiedBlock,
    /// The block that that one builds on, if [`Wanted::grandparent`].
    pub(super) grandparent: Option<VerifiedBlock>,
    /// What the chain's rollup node derived at its height, if [`Wanted::node_block`].
    pub(super) node_block: Option<VerifiedBlock>,
}

/// Which blocks besides the parent it takes to judge a block: those around the first block of a fork whose
/// upgrade transactions are not known here.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    /// The block is the first of such a fork: its upgrade transactions are the rollup node's claim.
    pub(super) node_block: bool,
    /// Its parent is: what the gas limit was without the upgrade follows from L1 and the block before that.
    pub(super) grandparent: bool,
}

/// What is asked about in one judgement.
#[derive(Clone, Copy)]
struct Question<'a> {
    chain_id: ChainId,
    rules: &'a DepositRules,
}

/// Asks L1 about blocks of these chains.
#[derive(Debug)]
pub struct L1Judge {
    l1: L1Reader,
    chains: BTreeMap<ChainId, ChainRules>,
    bundles: Arc<[NamedBundle]>,
    blobs: BlobMemory,
    /// What L1's node said of blob base fees last, and until when it need not be asked again. `None`: it did
    /// not say it.
    reported: Mutex<Option<(Instant, Option<ReportedBlobs>)>>,
    reasons: Reasons,
    metrics: AuditMetrics,
}

/// A chain that is judged.
#[derive(Debug)]
pub struct JudgedChain {
    /// Which.
    pub chain_id: ChainId,
    /// Its rollup nodes, which say now and then what its configuration is.
    pub nodes: RollupNodes,
    /// Whether its dependency set has several chains by the settings.
    pub is_of_several: bool,
}

/// A chain's rules, asked of its node and of L1 now and then: forks are scheduled while the program runs.
#[derive(Debug)]
struct ChainRules {
    nodes: RollupNodes,
    is_of_several: bool,
    /// Until when they need not be asked for again.
    known: Mutex<Option<(Instant, Arc<DepositRules>)>>,
    /// Whether it was reported that blob base fees are not known.
    assumes_blob_fees: AtomicBool,
}

impl L1Judge {
    /// A judge of these chains, that knows these bundles besides those of this build.
    pub fn new(
        l1: L1Reader,
        chains: impl IntoIterator<Item = JudgedChain>,
        bundles: Arc<[NamedBundle]>,
        metrics: AuditMetrics,
    ) -> Self {
        let chains = chains.into_iter().map(|JudgedChain { chain_id, nodes, is_of_several }| {
            let (known, assumes_blob_fees) = (Mutex::new(None), AtomicBool::new(false));
            (chain_id, ChainRules { nodes, is_of_several, known, assumes_blob_fees })
        });
        let (chains, blobs, reasons) = (chains.collect(), BlobMemory::default(), Reasons::default());
        Self { l1, chains, bundles, blobs, reported: Mutex::default(), reasons, metrics }
    }

    /// The same judge, which keeps there what L1 says about blob base fees.
    #[must_use]
    pub(super) fn with_ledger(self, ledger: Ledger) -> Self {
        Self { blobs: BlobMemory::of(ledger), ..self }
    }

    /// Why L1's answer is unavailable.
    pub(super) const fn reasons(&self) -> &Reasons {
        &self.reasons
    }

    /// Which blocks it takes to judge a block of this time on that parent.
    pub(super) async fn required_blocks(
        &self,
        chain_id: ChainId,
        timestamp: UnixSeconds,
        parent: &VerifiedBlock,
    ) -> Result<Wanted, Wait> {
        let rules = self.rules(chain_id).await?;
        Ok(Wanted {
            node_block: rules.lacks_bundle_at(timestamp),
            grandparent: rules.lacks_bundle_at(parent.timestamp()),
        })
    }

    /// What L1 alone says of a block.
    pub(super) async fn judge(
        &self,
        key: BlockKey,
        attributes: &BlockAttributes,
        around: &Surroundings,
    ) -> Result<L1Answer, Wait> {
        let rules = self.rules(key.chain_id).await?;
        let question = Question { chain_id: key.chain_id, rules: &rules };
        let info = match attributes.l1_info() {
            Ok(info) => info,
            Err(error) => return self.no_origin(question, attributes, error),
        };
        let claimed = BlockNumHash { number: info.number, hash: info.hash };
        let origin = self.canonical(key.chain_id, claimed).await?;
        if origin.hash() != claimed.hash {
            return self.judge_dropped(key.chain_id, claimed).await;
        }
        let parent = self.parent_facts(question, around).await?;
        let logs = self.logs_of_first(question, &parent, &origin).await?;
        let epoch = L1Epoch { header: &origin, logs: logs.as_deref() };
        let node = around.node_block.as_ref().map(BlockAttributes::of_block);
        match compare_with_l1(&rules, &parent, epoch, node.as_ref(), attributes) {
            Ok(Comparison { mismatch: Some(mismatch), .. }) => {
                Ok(contradicts(L1Contradiction::Attribute(mismatch)))
            }
            Ok(Comparison { mismatch: None, taken, assumes_blob_fee }) => {
                self.note_blob_fee(question.chain_id, assumes_blob_fee);
                Ok(L1Answer::Agrees(taken))
            }
            Err(error) if error.is_contradiction() => Ok(contradicts(L1Contradiction::Origin(error))),
            Err(error) => Err(self.unsupported(question.chain_id, &error)),
        }
    }

    /// A block whose first transaction does not contain an L1 origin. Under a fork that this build does not
    /// know it may be valid nevertheless.
    fn no_origin(
        &self,
        question: Question<'_>,
        attributes: &BlockAttributes,
        error: L1InfoError,
    ) -> Result<L1Answer, Wait> {
        match question.rules.may_be_unknown(&error, attributes.timestamp) {
            Some(unknown) => Err(self.unsupported(question.chain_id, &unknown)),
            None => Ok(contradicts(L1Contradiction::NoOrigin(error))),
        }
    }

    /// What the parent says. Of a fork's first block whose upgrade is not known here, L1 says what its gas
    /// limit would be without that.
    async fn parent_facts(&self, question: Question<'_>, around: &Surroundings) -> Result<ParentFacts, Wait> {
        let (rules, block) = (question.rules, &around.parent);
        let checked = |facts: Result<ParentFacts, DepositsError>| {
            facts.map_err(|error| self.unsupported(question.chain_id, &error))
        };
        let Some(before) = &around.grandparent else { return checked(ParentFacts::of_block(rules, block)) };
        let before = checked(ParentFacts::of_block(rules, before))?;
        let attributes = BlockAttributes::of_block(block);
        let info = attributes.l1_info().map_err(|reason| DepositsError::ParentL1Info { reason });
        let info = info.map_err(|error| self.unsupported(question.chain_id, &error))?;
        let claimed = BlockNumHash { number: info.number, hash: info.hash };
        let origin = self.canonical(question.chain_id, claimed).await?;
        let logs = self.logs_of_first(question, &before, &origin).await?;
        let epoch = L1Epoch { header: &origin, logs: logs.as_deref() };
        let derived = derive_from_l1(rules, &before, epoch, Some(&attributes))
            .map_err(|error| self.unsupported(question.chain_id, &error))?;
        let id = BlockNumHash { number: block.number(), hash: block.hash() };
        let gas_limit = derived.system_config.gas_limit;
        checked(ParentFacts::with_gas_limit(&rules.config, id, &attributes, gas_limit))
    }

    /// Waits unless the L1 block that a block is built on is canonical: a node that has not seen an L1 reorg
    /// yet, or is on another branch, serves blocks that mean nothing. A block without an origin is used
    /// unchecked.
    pub(super) async fn expect_canonical(
        &self,
        chain_id: ChainId,
        block: &VerifiedBlock,
        awaited: Awaited,
    ) -> Result<(), Wait> {
        let Ok(info) = BlockAttributes::of_block(block).l1_info() else { return Ok(()) };
        let claimed = BlockNumHash { number: info.number, hash: info.hash };
        if self.canonical(chain_id, claimed).await?.hash() == claimed.hash {
            return Ok(());
        }
        Err(Wait { awaited, chain_id, cause: Cause::OtherFork })
    }

    /// Whether L1 has the block that an L2 block is built on.
    pub(super) async fn origin(&self, chain_id: ChainId, claimed: BlockNumHash) -> Origin {
        match self.canonical(chain_id, claimed).await {
            Ok(found) if found.hash() == claimed.hash => Origin::Canonical,
            Ok(_) => Origin::Dropped,
            Err(_) => Origin::NotYet,
        }
    }

    /// Whether L1 has permanently reorged out the block that an L2 block is built on. `Err`: it has another
    /// for now.
    pub(super) async fn is_dropped(&self, chain_id: ChainId, claimed: BlockNumHash) -> Result<bool, Wait> {
        if self.canonical(chain_id, claimed).await?.hash() == claimed.hash {
            return Ok(false);
        }
        self.judge_dropped(chain_id, claimed).await.map(|_| true)
    }

    /// An origin that is not canonical now may be again: only finality settles it.
    async fn judge_dropped(&self, chain_id: ChainId, claimed: BlockNumHash) -> Result<L1Answer, Wait> {
        let finalized = self.l1.client().finalized().await.map_err(|error| self.failed(chain_id, &error))?;
        match finalized {
            Some(finalized) if finalized.number() >= claimed.number => Ok(L1Answer::OriginDropped(claimed)),
            _ => Err(Wait { awaited: Awaited::L1, chain_id, cause: Cause::OtherFork }),
        }
    }

    /// How often L1 was seen to leave a branch.
    pub(super) fn reorg_count(&self) -> u64 {
        self.l1.reorg_count()
    }

    /// Asks L1 for its latest block: whether it has left a branch is known after that.
    pub(super) async fn refresh(&self, chain_id: ChainId) -> Result<(), Wait> {
        self.l1.refresh().await.map_err(|error| self.failed(chain_id, &error))
    }

    /// The block that L1 has at the height of this one.
    async fn canonical(
        &self,
        chain_id: ChainId,
        claimed: BlockNumHash,
    ) -> Result<Arc<VerifiedL1Header>, Wait> {
        let answer = self.l1.at(claimed).await.map_err(|error| self.failed(chain_id, &error))?;
        answer.ok_or(Wait { awaited: Awaited::L1, chain_id, cause: Cause::NotYet })
    }

    /// The origin's logs, if the block is the first with that origin.
    async fn logs_of_first(
        &self,
        question: Question<'_>,
        parent: &ParentFacts,
        origin: &VerifiedL1Header,
    ) -> Result<Option<Arc<ProvenL1Logs>>, Wait> {
        let Question { chain_id, rules } = question;
        if parent.l1_origin() == origin.id() {
            return Ok(None);
        }
        let answer = self.l1.client().logs(origin, &rules.contracts()).await;
        let logs = answer.map_err(|error| self.failed(chain_id, &error))?;
        logs.map(Some).ok_or(Wait { awaited: Awaited::L1, chain_id, cause: Cause::NotYet })
    }

    async fn rules(&self, chain_id: ChainId) -> Result<Arc<DepositRules>, Wait> {
        let wait = Wait { awaited: Awaited::L1, chain_id, cause: Cause::NotYet };
        let chain = self.chains.get(&chain_id).ok_or(wait)?;
        let mut known = chain.known.lock().await;
        if let Some((_, rules)) = known.as_ref().filter(|(until, _)| Instant::now() < *until) {
            return Ok(Arc::clone(rules));
        }
        let config = chain.nodes.rollup_config().await.map_err(|error| self.failed(chain_id, &error))?;
        let set = self.set_size(chain_id, chain).await?;
        let mut rules = DepositRules { bundles: Arc::clone(&self.bundles), ..DepositRules::new(config, set) };
        let kept = self.learn_blobs(chain_id, &mut rules).await;
        let rules = Arc::new(rules);
        let now = Instant::now();
        *known = Some((now.checked_add(kept).unwrap_or(now), Arc::clone(&rules)));
        Ok(rules)
    }

    /// Adds what L1's node reports about blob base fees, now or earlier. Returns for how long it need not be
    /// asked again.
    async fn learn_blobs(&self, chain_id: ChainId, rules: &mut DepositRules) -> Duration {
        let reported = self.reported_blobs(chain_id).await;
        let known = self.blobs.with(rules.config.l1_chain_id, reported.as_ref()).await;
        rules.blobs = core::mem::take(&mut rules.blobs).with_all(&known);
        if reported.is_some() { RULES_KEPT } else { RULES_RETRY }
    }

    /// What L1's node says about blob base fees, asked for once for all chains. `None`: nothing.
    ///
    /// Older clients have no such method; then what is known of public networks must do.
    async fn reported_blobs(&self, chain_id: ChainId) -> Option<ReportedBlobs> {
        let mut reported = self.reported.lock().await;
        if let Some((_, known)) = reported.as_ref().filter(|(until, _)| Instant::now() < *until) {
            return known.clone();
        }
        let answer = self.l1.client().reported_blobs().await;
        if let Err(error) = &answer {
            debug!(%chain_id, %error, "L1 does not report its blob schedule; keeping the known one");
        }
        let (answer, kept) =
            (answer.as_ref().ok().cloned(), if answer.is_ok() { REPORTED_KEPT } else { RULES_RETRY });
        let now = Instant::now();
        *reported = Some((now.checked_add(kept).unwrap_or(now), answer.clone()));
        answer
    }

    /// The node knows its dependency set for certain; one that cannot say it leaves it to the settings.
    async fn set_size(&self, chain_id: ChainId, chain: &ChainRules) -> Result<SetSize, Wait> {
        match chain.nodes.dependency_set().await {
            Ok((chains, _)) => Ok(SetSize { is_of_several: chains.len() > 1, is_certain: true }),
            Err(SourceError::Refused { .. }) => {
                Ok(SetSize { is_of_several: chain.is_of_several, is_certain: false })
            }
            Err(error) => Err(self.failed(chain_id, &error)),
        }
    }

    /// Counts a block whose blob base fee could not be checked, and reports the first: whether it can be
    /// comes and goes with the blob gas of L1.
    fn note_blob_fee(&self, chain_id: ChainId, is_assumed: bool) {
        if is_assumed {
            self.metrics.blob_fee_assumed(chain_id);
        }
        let Some(chain) = self.chains.get(&chain_id) else { return };
        if is_assumed && !chain.assumes_blob_fees.swap(true, Ordering::Relaxed) {
            warn!(%chain_id, "blob base fee is not checked; use an L1 client that serves eth_config, or upgrade Crosscheck");
        }
    }

    fn failed(&self, chain_id: ChainId, error: &SourceError) -> Wait {
        self.metrics.shared().source_failed(chain_id, EndpointKind::L1);
        debug!(%chain_id, %error, "L1 did not answer; the L1 check stays unknown");
        let wait = Wait { awaited: Awaited::L1, chain_id, cause: Cause::EndpointError };
        self.reasons.note(wait, &error.to_string());
        wait
    }

    fn unsupported(&self, chain_id: ChainId, error: &DepositsError) -> Wait {
        let wait = Wait { awaited: Awaited::L1, chain_id, cause: Cause::Unsupported };
        if self.reasons.note(wait, &error.to_string()) {
            warn!(%chain_id, %error, "L1 check of a block is not supported by this build; its case stays open");
        }
        wait
    }
}

fn contradicts(contradiction: L1Contradiction) -> L1Answer {
    L1Answer::Contradicts(Box::new(contradiction))
}

#[cfg(test)]
mod tests;
