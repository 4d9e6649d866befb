//! [`Originals`]: what a chain would have had if no message were invalid: of a replacement the block that it
//! replaced, of every other block itself.
//!
//! That a block was replaced is known from the ledger: the audit recognised the replacement, or the monitor
//! found the block at its height invalid. A block that was replaced unseen by Crosscheck cannot be determined
//! from one that never held anything but deposits: docs/RPC.md says so.

use super::SupervisorError;
use super::super_root::output_of;
use super::superchain_reader::SuperchainReader;
use crate::ledger::Ledger;
use alloy::primitives::B256;
use crosscheck_core::message::BlockKey;
use crosscheck_core::proof::{OutputV0, VerifiedBlock};
use crosscheck_p2p::ChainId;
use tracing::warn;

/// Finds originals.
#[derive(Clone, Debug)]
pub(super) struct Originals {
    superchain: SuperchainReader,
    ledger: Ledger,
}

impl Originals {
    /// Of this superchain's blocks.
    pub(super) const fn new(superchain: SuperchainReader, ledger: Ledger) -> Self {
        Self { superchain, ledger }
    }

    /// What the output root at the original of a canonical block is the hash of.
    ///
    /// # Errors
    /// If it is another block that is unavailable any more, or a header holds no output.
    pub(super) async fn output(
        &self,
        chain_id: ChainId,
        canonical: &VerifiedBlock,
    ) -> Result<OutputV0, SupervisorError> {
        let Some(hash) = self.replaced(chain_id, canonical).await? else {
            return proven_output(chain_id, canonical);
        };
        let original = self.superchain.block(chain_id, hash).await?;
        // With another parent it was dropped by a reorg, and nothing took its place.
        let is_its_place = original.header().parent_hash == canonical.header().parent_hash;
        proven_output(chain_id, if is_its_place { &original } else { canonical })
    }

    async fn replaced(
        &self,
        chain_id: ChainId,
        canonical: &VerifiedBlock,
    ) -> Result<Option<B256>, SupervisorError> {
        if !canonical.is_deposits_only() {
            return Ok(None);
        }
        let key = BlockKey { chain_id, number: canonical.number(), hash: canonical.hash() };
        self.ledger.replaced_by(&key).await.map_err(|error| {
            warn!(%error, "ledger lookup of the replaced block failed");
            SupervisorError::Unanswered {
                what: format!("what block {} of chain {chain_id} replaced", key.number),
            }
        })
    }
}

/// What the output root at a block is the hash of.
///
/// # Errors
/// If its header is from before Isthmus.
pub(super) fn proven_output(chain_id: ChainId, block: &VerifiedBlock) -> Result<OutputV0, SupervisorError> {
    output_of(block).ok_or_else(|| SupervisorError::Skipped {
        what: format!("the output root of block {} of chain {chain_id}", block.number()),
        reason: "its header is from before Isthmus and has no withdrawals root".to_owned(),
    })
}
