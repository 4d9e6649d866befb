//! Whether a block that a client has at a height is the parent of its next block.
//!
//! A client may have a replaced block by number under descendants of its replacement. The contents of such a
//! block must not be evidence against anyone.

use super::{Awaited, Cause, Investigator, Wait};
use alloy::primitives::B256;
use crosscheck_core::proof::VerifiedBlock;
use crosscheck_p2p::ChainId;
use lru::LruCache;
use parking_lot::Mutex;
use std::num::NonZeroUsize;

/// How many blocks are remembered to have a child. Beyond it the one that was asked for longest ago is
/// forgotten.
const REMEMBERED: NonZeroUsize = match NonZeroUsize::new(8192) {
    Some(remembered) => remembered,
    None => NonZeroUsize::MIN,
};

/// The blocks that were seen under their children.
#[derive(Debug)]
pub(super) struct Linked(Mutex<LruCache<B256, ()>>);

impl Default for Linked {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }
}

impl Investigator {
    /// Waits if the next local-safe block is not a child of this one, which its client has at its height. The
    /// local-safe head itself was checked against what the rollup node calls so.
    pub(super) async fn expect_linked(
        &self,
        chain_id: ChainId,
        block: &VerifiedBlock,
        awaited: Awaited,
    ) -> Result<(), Wait> {
        let wait = |cause| Wait { awaited, chain_id, cause };
        let heads = self.parts.heads.get(chain_id).ok_or_else(|| wait(Cause::EndpointError))?;
        let local_safe = heads.local_safe_l2.ok_or_else(|| wait(Cause::NotYet))?;
        let is_head = block.number() >= local_safe.number;
        if is_head || self.linked.0.lock().get(&block.hash()).is_some() {
            return Ok(());
        }
        let child = self.canonical_block(chain_id, block.number().saturating_add(1), awaited).await?;
        if child.header().parent_hash != block.hash() {
            self.forget_unlinked(chain_id, block.number());
            return Err(wait(Cause::OtherFork));
        }
        self.linked.0.lock().put(block.hash(), ());
        Ok(())
    }
}
