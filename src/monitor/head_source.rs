//! [`HeadSource`]: who says how far a chain is: its rollup node, or the labels of its execution clients.

use super::MonitorMetrics;
use super::block_source::BlockSource;
use crate::audit::{Heads, StatusAnswer};
use crate::sources::{ExecutionClient, SourceError, SyncStatus};
use crate::unsafe_pause::UnsafePause;
use crosscheck_core::heads::{L2BlockRef, ReportedHeads, SafetyLevel};
use crosscheck_p2p::ChainId;
use tokio::sync::watch;

/// Who says how far a chain is.
#[derive(Debug)]
pub enum HeadSource {
    /// Its rollup node, by its last answer to its watcher.
    Node {
        /// What it said.
        answers: watch::Receiver<Option<StatusAnswer>>,
        /// Where the meaning of its answers is kept.
        heads: Heads,
    },
    /// The labels `safe` and `finalized` of its execution clients. No other part reads them, so they are kept
    /// here for those who check other chains' messages against this one.
    Labels {
        /// Where they are kept.
        heads: Heads,
        /// What is measured.
        metrics: MonitorMetrics,
    },
}

impl HeadSource {
    /// Why the chain's unsafe head is stalled lawfully, as the rollup node's watcher knows.
    pub(super) fn unsafe_pause(&self, chain_id: ChainId) -> Option<UnsafePause> {
        match self {
            Self::Node { heads, .. } | Self::Labels { heads, .. } => heads.unsafe_pause(chain_id),
        }
    }

    /// The heads as they are reported now. `None`: they are not known.
    pub(super) async fn reported<S: BlockSource>(
        &self,
        chain_id: ChainId,
        execution: &S,
        tip: L2BlockRef,
    ) -> Result<Option<ReportedHeads>, SourceError> {
        match self {
            Self::Node { answers, heads } => {
                let status = answers.borrow().as_ref().map(|answer| answer.document.heads());
                let safe_means = heads.safe_means(chain_id);
                Ok(status.map(|status| ReportedHeads {
                    local_safe: status.local_safe_l2,
                    safe: status.safe_l2,
                    finalized: status.finalized_l2,
                    safe_means,
                    verified_since: heads.verified_since(),
                }))
            }
            Self::Labels { heads, metrics } => {
                let status = execution.labelled_status(tip).await?;
                let (safe, finalized) = (status.safe_l2, status.finalized_l2);
                if heads.set(chain_id, Some(status)) {
                    let measured = [
                        (SafetyLevel::Unsafe, Some(tip)),
                        (SafetyLevel::Safe, safe),
                        (SafetyLevel::Finalized, finalized),
                    ];
                    for (level, head) in measured {
                        if let Some(head) = head {
                            metrics.shared.head(chain_id, level.into(), head.number);
                        }
                    }
                }
                let safe_means = heads.safe_means(chain_id);
                let verified_since = heads.verified_since();
                Ok(Some(ReportedHeads { local_safe: safe, safe, finalized, safe_means, verified_since }))
            }
        }
    }
}

/// The labels of a chain's execution clients, in the form of a rollup node's heads.
///
/// # Errors
/// If too few endpoints answer, or they do not agree.
pub async fn labelled_status(
    execution: &ExecutionClient,
    tip: L2BlockRef,
) -> Result<SyncStatus, SourceError> {
    let labelled = execution.labelled_heads().await?;
    let (safe_l2, finalized_l2) = (labelled.safe, labelled.finalized);
    Ok(SyncStatus { unsafe_l2: Some(tip), safe_l2, local_safe_l2: safe_l2, finalized_l2 })
}
