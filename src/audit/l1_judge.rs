//! [`L1Judge`]: asks L1 what it alone says of a block: its origin, its deposits, its attributes.
//!
//! The imperative shell of `consolidation::deposits`. The batches' transactions are no part of it. What cannot be told
//! is a wait, never a contradiction.

use super::{Awaited, Cause, L1Contradiction, Wait};
use crate::consolidation::deposits::{DepositRules, L1Epoch, ParentFacts, derive_from_l1};
use crate::consolidation::{BlockAttributes, MatchingRules};
use crate::interop::BlockKey;
use crate::metrics::Metrics;
use crate::sources::{L1Client, RollupNodes, SourceError, VerifiedBlock, VerifiedL1Header};
use alloy::eips::BlockNumHash;
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::debug;

/// How long a chain's rules are kept before they are asked for again.
const RULES_KEPT: Duration = Duration::from_secs(3600);

/// What L1 alone says of a block.
#[derive(Debug)]
pub(super) enum L1Word {
    /// Nothing against it.
    Agrees,
    /// That it cannot be.
    Contradicts(Box<L1Contradiction>),
    /// That it stood on an L1 block that is gone for good.
    OriginDropped(BlockNumHash),
}

/// Asks L1 about blocks of these chains.
#[derive(Debug)]
pub struct L1Judge {
    l1: L1Client,
    chains: BTreeMap<ChainId, ChainRules>,
    metrics: Metrics,
}

/// A chain's rules, asked of its node and of L1 now and then: forks are scheduled while the program runs.
#[derive(Debug)]
struct ChainRules {
    nodes: RollupNodes,
    known: Mutex<Option<(Instant, Arc<DepositRules>)>>,
}

impl L1Judge {
    /// A judge of the chains of these nodes, which say once what their configuration is.
    pub fn new(
        l1: L1Client,
        nodes: impl IntoIterator<Item = (ChainId, RollupNodes)>,
        metrics: Metrics,
    ) -> Self {
        let chains = nodes
            .into_iter()
            .map(|(chain_id, nodes)| (chain_id, ChainRules { nodes, known: Mutex::new(None) }));
        Self { l1, chains: chains.collect(), metrics }
    }

    /// What L1 alone says of a block on this parent.
    pub(super) async fn judge(
        &self,
        key: BlockKey,
        attributes: &BlockAttributes,
        parent: &VerifiedBlock,
    ) -> Result<L1Word, Wait> {
        let info = match attributes.l1_info() {
            Ok(info) => info,
            Err(error) => return Ok(contradicts(L1Contradiction::NoOrigin(error))),
        };
        let claimed = BlockNumHash { number: info.number, hash: info.hash };
        let origin = self.canonical(key.chain_id, claimed.number).await?;
        if origin.hash() != claimed.hash {
            return self.judge_dropped(key.chain_id, claimed).await;
        }
        let rules = self.rules(key.chain_id).await?;
        let wait = |cause| Wait { awaited: Awaited::L1, chain_id: key.chain_id, cause };
        let unsupported = |error: &dyn std::error::Error| {
            debug!(chain_id = %key.chain_id, number = key.number, %error, "what L1 says cannot be told");
            wait(Cause::Unsupported)
        };
        let parent = ParentFacts::of_block(&rules.config, parent).map_err(|error| unsupported(&error))?;
        let is_first = parent.l1_origin() != claimed;
        let logs = match is_first {
            true => Some(self.logs(key.chain_id, &origin, &rules).await?),
            false => None,
        };
        let epoch = L1Epoch { header: &origin, logs: logs.as_deref() };
        match derive_from_l1(&rules, &parent, epoch) {
            Ok(derived) => {
                let mismatch =
                    MatchingRules::from(&rules.config).first_mismatch_with_l1(&derived, attributes);
                Ok(mismatch
                    .map_or(L1Word::Agrees, |mismatch| contradicts(L1Contradiction::Attribute(mismatch))))
            }
            Err(error) if error.is_contradiction() => Ok(contradicts(L1Contradiction::Origin(error))),
            Err(error) => Err(unsupported(&error)),
        }
    }

    /// Waits unless the L1 block that a block stands on is canonical: a node that has not seen an L1 reorg yet, or
    /// is on another fork, serves blocks that mean nothing. A block that tells no origin is taken as it is.
    pub(super) async fn expect_canonical(
        &self,
        chain_id: ChainId,
        block: &VerifiedBlock,
        awaited: Awaited,
    ) -> Result<(), Wait> {
        let Ok(info) = BlockAttributes::of_block(block).l1_info() else { return Ok(()) };
        if self.canonical(chain_id, info.number).await?.hash() == info.hash {
            return Ok(());
        }
        Err(Wait { awaited, chain_id, cause: Cause::OtherFork })
    }

    /// An origin that is not canonical now may be again: only finality settles it.
    async fn judge_dropped(&self, chain_id: ChainId, claimed: BlockNumHash) -> Result<L1Word, Wait> {
        let finalized = self.l1.finalized().await.map_err(|error| self.failed(chain_id, &error))?;
        match finalized {
            Some(finalized) if finalized.number() >= claimed.number => Ok(L1Word::OriginDropped(claimed)),
            _ => Err(Wait { awaited: Awaited::L1, chain_id, cause: Cause::OtherFork }),
        }
    }

    async fn canonical(&self, chain_id: ChainId, number: u64) -> Result<Arc<VerifiedL1Header>, Wait> {
        let answer = self.l1.block_by_number(number).await.map_err(|error| self.failed(chain_id, &error))?;
        answer.ok_or(Wait { awaited: Awaited::L1, chain_id, cause: Cause::NotYet })
    }

    async fn logs(
        &self,
        chain_id: ChainId,
        origin: &VerifiedL1Header,
        rules: &DepositRules,
    ) -> Result<Arc<crate::sources::ProvenL1Logs>, Wait> {
        let answer = self.l1.logs(origin, &rules.contracts()).await;
        answer.map_err(|error| self.failed(chain_id, &error))?.ok_or(Wait {
            awaited: Awaited::L1,
            chain_id,
            cause: Cause::NotYet,
        })
    }

    async fn rules(&self, chain_id: ChainId) -> Result<Arc<DepositRules>, Wait> {
        let wait = Wait { awaited: Awaited::L1, chain_id, cause: Cause::NotYet };
        let chain = self.chains.get(&chain_id).ok_or(wait)?;
        let mut known = chain.known.lock().await;
        if let Some((_, rules)) = known.as_ref().filter(|(since, _)| since.elapsed() < RULES_KEPT) {
            return Ok(Arc::clone(rules));
        }
        let config = chain.nodes.rollup_config().await.map_err(|error| self.failed(chain_id, &error))?;
        let mut rules = DepositRules::new(config);
        // Older clients have no such method; then what is known of public networks must do.
        if let Ok(blobs) = self.l1.blob_schedule(rules.blobs.clone()).await {
            rules.blobs = blobs;
        }
        let rules = Arc::new(rules);
        *known = Some((Instant::now(), Arc::clone(&rules)));
        Ok(rules)
    }

    fn failed(&self, chain_id: ChainId, error: &SourceError) -> Wait {
        self.metrics.source_failed(chain_id, "l1");
        debug!(%chain_id, %error, "L1 could not be asked; what it says stays unknown");
        Wait { awaited: Awaited::L1, chain_id, cause: Cause::EndpointError }
    }
}

fn contradicts(contradiction: L1Contradiction) -> L1Word {
    L1Word::Contradicts(Box::new(contradiction))
}
