//! [`StaleBranches`]: the chains whose nodes remain on a block that was lawfully replaced, as nodes do that check no messages.
//! The audit writes it once the replacement is upheld; what such nodes say from that block on is used against no one. Pure
//! shared state: no I/O.

use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A vouched block that the chain's execution client does not have, because it has the block that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleBranch {
    /// The replaced block: what the client has.
    pub replaced: B256,
    /// The block that took its place.
    pub by: BlockNumHash,
}

/// The chains whose nodes stay on such a block. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct StaleBranches(Arc<Mutex<BTreeMap<ChainId, StaleBranch>>>);

impl StaleBranches {
    /// Where a chain's nodes stay. `None`: nowhere.
    pub fn of(&self, chain_id: ChainId) -> Option<StaleBranch> {
        self.0.lock().get(&chain_id).copied()
    }

    /// A chain's nodes stay there, or nowhere. What was known before.
    pub fn set(&self, chain_id: ChainId, branch: Option<StaleBranch>) -> Option<StaleBranch> {
        let mut branches = self.0.lock();
        match branch {
            Some(branch) => branches.insert(chain_id, branch),
            None => branches.remove(&chain_id),
        }
    }
}
