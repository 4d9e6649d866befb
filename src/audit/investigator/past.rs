//! Which blocks final heights have, asked for once: for an audit of past blocks, which comes to each of them
//! again and again.
//!
//! Only what a quorum said of a height that the rollup node calls final is remembered, and nothing where that
//! contradicts itself. While chains are watched as they move, nothing is remembered here.

use super::{Awaited, Cause, Investigator, Wait};
use crate::sources::{ExecutionClient, SourceError};
use alloy::primitives::B256;
use crosscheck_core::proof::VerifiedBlock;
use crosscheck_p2p::ChainId;
use lru::LruCache;
use parking_lot::Mutex;
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::{OnceCell, OwnedMutexGuard};

/// How many heights are remembered. Beyond it the one that was asked for longest ago is asked for again.
const REMEMBERED: NonZeroUsize = match NonZeroUsize::new(65_536) {
    Some(remembered) => remembered,
    None => NonZeroUsize::MIN,
};

/// The hash of a height, once it was asked for.
type Height = Arc<OnceCell<B256>>;

/// The hashes of final heights, and whose receipts are being asked for. A second request for the same
/// receipts waits for the first answer.
#[derive(Debug)]
pub(super) struct Past {
    heights: Mutex<LruCache<(ChainId, u64), Height>>,
    turns: Mutex<LruCache<B256, Arc<tokio::sync::Mutex<()>>>>,
}

impl Past {
    pub(super) fn new() -> Self {
        let (heights, turns) = (LruCache::new(REMEMBERED), LruCache::new(REMEMBERED));
        Self { heights: Mutex::new(heights), turns: Mutex::new(turns) }
    }

    fn cell(&self, place: (ChainId, u64)) -> Height {
        Arc::clone(self.heights.lock().get_or_insert(place, Arc::default))
    }

    fn forget(&self, place: (ChainId, u64)) {
        self.heights.lock().pop(&place);
    }

    /// The turn to ask for a block's receipts: anyone who has it next finds them in the index.
    pub(super) async fn fetch_lock(&self, block: B256) -> OwnedMutexGuard<()> {
        let turn = Arc::clone(self.turns.lock().get_or_insert(block, Arc::default));
        turn.lock_owned().await
    }
}

impl Investigator {
    /// The canonical block at a height of the past, for who reads each block once.
    ///
    /// # Errors
    /// What it waits for.
    pub(in crate::audit) async fn past_block(
        &self,
        chain_id: ChainId,
        number: u64,
    ) -> Result<Option<VerifiedBlock>, SourceError> {
        let Some(client) = self.parts.clients.get(&chain_id) else { return Ok(None) };
        match self.past_of(chain_id, number) {
            Some(past) => remembered(past, client, number).await,
            None => client.block_by_number(number).await,
        }
    }

    /// The canonical block at a height, for callers that may have read it before.
    pub(super) async fn canonical_block(
        &self,
        chain_id: ChainId,
        number: u64,
        awaited: Awaited,
    ) -> Result<VerifiedBlock, Wait> {
        let wait = Wait { awaited, chain_id, cause: Cause::NotYet };
        let client = self.parts.clients.get(&chain_id).ok_or(wait)?;
        let answer = match self.past_of(chain_id, number) {
            Some(past) => remembered(past, client, number).await,
            None => client.known_block_by_number(number).await,
        };
        answer.map_err(|error| self.record_failure(&error, chain_id, awaited))?.ok_or(wait)
    }

    /// A block and the next one do not belong together: what was said of their heights is asked for again.
    pub(super) fn forget_unlinked(&self, chain_id: ChainId, number: u64) {
        for number in [number, number.saturating_add(1)] {
            if let Some(past) = &self.past {
                past.forget((chain_id, number));
            }
        }
    }

    /// What is remembered of final heights, if this is one.
    fn past_of(&self, chain_id: ChainId, number: u64) -> Option<&Past> {
        let past = self.past.as_ref()?;
        let finalized = self.parts.heads.get(chain_id)?.finalized_l2?;
        (number <= finalized.number).then_some(past)
    }
}

async fn remembered(
    past: &Past,
    client: &ExecutionClient,
    number: u64,
) -> Result<Option<VerifiedBlock>, SourceError> {
    let cell = past.cell((client.chain_id(), number));
    let ask = || async {
        let block = client.block_by_number(number).await.map_err(Some)?;
        block.map(|block| block.hash()).ok_or(None::<SourceError>)
    };
    match cell.get_or_try_init(ask).await {
        Ok(hash) => match client.block_by_hash(*hash).await? {
            Some(block) => Ok(Some(block)),
            None => Err(SourceError::Vanished { chain_id: client.chain_id(), number, hash: *hash }),
        },
        Err(None) => Ok(None),
        Err(Some(error)) => Err(error),
    }
}
