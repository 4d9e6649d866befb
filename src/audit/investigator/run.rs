//! An ancestor of an attested block, and those below it that nobody knows either, fetched at once.

use super::{Investigator, Wait};
use crate::audit::gap_run::{RUN_LIMITS, linked_below};
use crate::audit::reasons::{ReasonTexts, with_texts};
use crosscheck_core::message::BlockKey;
use crosscheck_core::proof::VerifiedBlock;
use crosscheck_p2p::ChainId;

impl Investigator {
    /// An ancestor, and this many blocks below it as far as they are linked to it, highest first; or why it
    /// is unavailable.
    pub(in crate::audit) async fn fetch_run_explained(
        &self,
        key: BlockKey,
        below: u64,
    ) -> (Result<Vec<VerifiedBlock>, Wait>, ReasonTexts) {
        with_texts(self.fetch_run(key, below)).await
    }

    async fn fetch_run(&self, key: BlockKey, below: u64) -> Result<Vec<VerifiedBlock>, Wait> {
        let block = self.fetch(key).await?;
        let parent = block.header().parent_hash;
        let mut run = vec![block];
        let lowest = key.number.saturating_sub(below);
        if let Some(above) = key.number.checked_sub(1).filter(|above| *above >= lowest) {
            let fetch = |number| self.any_block(key.chain_id, number);
            run.extend(linked_below(parent, lowest..=above, RUN_LIMITS, fetch).await);
        }
        Ok(run)
    }

    /// A block that an endpoint has at a height. A block that is unavailable by number is requested by its
    /// hash later, and a failure is reported then.
    async fn any_block(&self, chain_id: ChainId, number: u64) -> Option<VerifiedBlock> {
        self.parts.clients.get(&chain_id)?.any_block_by_number(number).await.ok().flatten()
    }
}
