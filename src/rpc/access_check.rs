//! [`AccessCheck`]: whether every message that an access list declares is there, and safe enough.
//!
//! What the monitor has seen is answered from memory: the board's lock is held for the lookups alone, the hashing comes
//! after it. Blocks below the monitor's view are fetched and proven, a bounded number of them at once.
//!
//! The checks, in their order: the failsafe, the entries' form, then of each entry its chains and times
//! ([`check_access`]), its block, the block's safety, its log. Crosscheck answers `invalid` (an error of code -320600)
//! only with proof; what it cannot prove is refused with another code.

use super::params::ExecutingDescriptor;
use super::standing::Standing;
use super::superchain_reader::SuperchainReader;
use super::{Failsafe, SupervisorError};
use crate::interop::{
    AccessContext, InboxAccess, SafetyLevel, check_access, check_access_log, check_access_tip,
    parse_access_list,
};
use crate::monitor::{BlockStatus, ChainView};
use crate::sources::ProvenLogs;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use lru::LruCache;
use parking_lot::Mutex;
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many blocks may be fetched at once, for all callers together.
const MAX_FETCHES: usize = 32;

/// How many settled blocks' hashes are remembered.
const REMEMBERED: NonZeroUsize = match NonZeroUsize::new(8192) {
    Some(blocks) => blocks,
    None => NonZeroUsize::MIN,
};

/// Checks access lists. Clones share its memory.
#[derive(Clone, Debug)]
pub struct AccessCheck {
    superchain: SuperchainReader,
    failsafe: Failsafe,
    fetches: Arc<Semaphore>,
    /// The hashes of blocks below the view: they are final.
    settled: Arc<Mutex<LruCache<(ChainId, u64), B256>>>,
}

/// Where a declared message's block is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the view, under this hash.
    InView(B256),
    /// Below the view.
    Settled,
}

impl AccessCheck {
    /// Checks against this superchain, unless the failsafe is on.
    pub fn new(superchain: SuperchainReader, failsafe: Failsafe) -> Self {
        Self {
            superchain,
            failsafe,
            fetches: Arc::new(Semaphore::new(MAX_FETCHES)),
            settled: Arc::new(Mutex::new(LruCache::new(REMEMBERED))),
        }
    }

    /// Checks that every message declared is there, at least as safe as `min_safety`, and may be executed as described.
    ///
    /// # Errors
    /// The first entry for which that is not proven, with the code that says why.
    pub async fn check(
        &self,
        entries: &[B256],
        min_safety: SafetyLevel,
        descriptor: &ExecutingDescriptor,
    ) -> Result<(), SupervisorError> {
        if self.failsafe.is_enabled() {
            return Err(SupervisorError::Failsafe);
        }
        let set = &self.superchain.set;
        if let Some(chain_id) = descriptor.chain_id.filter(|chain_id| set.member(*chain_id).is_none()) {
            return Err(SupervisorError::UnknownChain { chain_id });
        }
        let context = AccessContext {
            executing: descriptor.chain_id,
            timestamp: descriptor.timestamp(),
            timeout: descriptor.timeout(),
        };
        let accesses = parse_access_list(entries)?;
        for access in &accesses {
            check_access(set, context, access)?;
        }
        for (access, place) in accesses.iter().zip(self.places(&accesses, min_safety)?) {
            let logs = self.logs(access, place).await?;
            check_access_log(access, &logs)?;
        }
        Ok(())
    }

    /// Looks every block up, under one lock.
    fn places(
        &self,
        accesses: &[InboxAccess],
        min_safety: SafetyLevel,
    ) -> Result<Vec<Place>, SupervisorError> {
        let board = self.superchain.board.read();
        let place = |access: &InboxAccess| {
            let chain_id = access.chain_id;
            let view = board.chain(chain_id).ok_or(SupervisorError::UnknownChain { chain_id })?;
            place(view, access, min_safety)
        };
        accesses.iter().map(place).collect()
    }

    async fn logs(&self, access: &InboxAccess, place: Place) -> Result<Arc<ProvenLogs>, SupervisorError> {
        let key = (access.chain_id, access.block_number);
        let hash = match place {
            Place::InView(hash) => Some(hash),
            Place::Settled => self.settled.lock().get(&key).copied(),
        };
        if let Some(known) = hash.and_then(|hash| self.superchain.index.get(access.chain_id, hash)) {
            return Ok(known);
        }
        self.fetch(access, hash).await
    }

    async fn fetch(
        &self,
        access: &InboxAccess,
        hash: Option<B256>,
    ) -> Result<Arc<ProvenLogs>, SupervisorError> {
        let (chain_id, number) = (access.chain_id, access.block_number);
        let what = || format!("block {number} of chain {chain_id}");
        let missing = |reason: &str| SupervisorError::Skipped { what: what(), reason: reason.to_owned() };
        let permit = self.fetches.acquire().await;
        let _permit = permit.map_err(|_closed| missing("the program is shutting down"))?;
        let execution = &self.superchain.sources(chain_id)?.execution;
        let block = match hash {
            Some(hash) => execution.block_by_hash(hash).await,
            None => execution.block_by_number(number).await,
        };
        let block = block.map_err(|error| SupervisorError::unproven(what(), &error))?;
        let block = block.ok_or_else(|| missing("its endpoints no longer have it"))?;
        let logs = execution.logs(&block).await.map_err(|error| SupervisorError::unproven(what(), &error))?;
        let logs = logs.ok_or_else(|| missing("its endpoints have no receipts of it"))?;
        if hash.is_none() {
            self.settled.lock().put((chain_id, number), block.hash());
        }
        Ok(logs)
    }
}

/// Where the block of an entry is, if it is there and safe enough.
fn place(view: &ChainView, access: &InboxAccess, wanted: SafetyLevel) -> Result<Place, SupervisorError> {
    let (chain_id, number) = (access.chain_id, access.block_number);
    let standing = Standing::of(view)
        .ok_or_else(|| SupervisorError::Uninitialized { what: format!("the view of chain {chain_id}") })?;
    if number > standing.tip.0 {
        return Err(match check_access_tip(access, standing.tip) {
            Some(reason) => reason.into(),
            None => SupervisorError::Future { what: format!("block {number} of chain {chain_id}") },
        });
    }
    if view.status_of(number) == Some(BlockStatus::Invalid) {
        return Err(SupervisorError::AwaitingReplacement { chain_id, number });
    }
    if !standing.reaches(number, wanted) {
        return Err(SupervisorError::NotAsSafe { chain_id, number, wanted });
    }
    Ok(view.block(number).map_or(Place::Settled, |block| Place::InView(block.key.hash)))
}
