//! [`Served`]: what each chain's followers are served now. Written by the followers, read by the server.
//!
//! A block that is proven invalid counts from the moment of its proof: each status is held below it when it
//! is read, whenever it was made.

use super::{Draft, ServedStatus};
use crate::audit::LongOpenCases;
use crate::invalid_blocks::InvalidBlocks;
use crate::ledger::Hold;
use crosscheck_p2p::ChainId;
use parking_lot::Mutex;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What each chain's followers are served now. Clones share it.
#[derive(Clone, Debug)]
pub struct Served {
    by_chain: Arc<BTreeMap<ChainId, Mutex<ChainServed>>>,
    invalid: InvalidBlocks,
    long_open: LongOpenCases,
}

#[derive(Debug)]
struct ChainServed {
    draft: Option<Draft>,
    rollup_config: Option<Box<RawValue>>,
    /// Why there is no status, or why it has not moved.
    pending: Option<String>,
}

impl Served {
    /// Nothing yet, for these chains. `invalid`: the blocks that no follower may be led onto. `long_open`:
    /// what is open for too long, reported in each status.
    pub fn new(
        chains: impl IntoIterator<Item = ChainId>,
        invalid: InvalidBlocks,
        long_open: LongOpenCases,
    ) -> Self {
        let nothing = || ChainServed {
            draft: None,
            rollup_config: None,
            pending: Some("the program has just started".to_owned()),
        };
        let by_chain = chains.into_iter().map(|chain_id| (chain_id, Mutex::new(nothing()))).collect();
        Self { by_chain: Arc::new(by_chain), invalid, long_open }
    }

    /// Whether a chain is served.
    pub fn serves(&self, chain_id: ChainId) -> bool {
        self.by_chain.contains_key(&chain_id)
    }

    /// The chain's status. `None`: there is none yet.
    pub fn status(&self, chain_id: ChainId) -> Option<ServedStatus> {
        let draft = self.by_chain.get(&chain_id)?.lock().draft.clone()?;
        let status = draft.below(&self.invalid.above(chain_id, draft.floor()));
        Some(ServedStatus { crosscheck_open: self.long_open.of(chain_id), ..status })
    }

    /// Why the chain has no status, or why it has not moved.
    pub fn pending(&self, chain_id: ChainId) -> Option<String> {
        self.by_chain.get(&chain_id)?.lock().pending.clone()
    }

    /// The chain's rollup configuration. `None`: its node has not given it yet.
    pub fn rollup_config(&self, chain_id: ChainId) -> Option<Box<RawValue>> {
        self.by_chain.get(&chain_id)?.lock().rollup_config.clone()
    }

    /// The next status is this one.
    pub(super) fn set(&self, chain_id: ChainId, draft: Draft) {
        self.change(chain_id, |served| {
            served.draft = Some(draft);
            served.pending = None;
        });
    }

    /// The safe head stays. `draft`: what is served with it; `None`: all that was served stays. `true`: the
    /// reason is new.
    pub(super) fn keep_safe(
        &self,
        chain_id: ChainId,
        reason: String,
        draft: Option<Draft>,
        hold: Option<&Hold>,
    ) -> bool {
        let mut is_new = false;
        self.change(chain_id, |served| {
            is_new = served.pending.as_ref() != Some(&reason);
            served.pending = Some(reason);
            if let Some(draft) = draft {
                served.draft = Some(draft);
            }
            if let Some(draft) = &mut served.draft {
                draft.status.crosscheck_hold = hold.cloned();
            }
        });
        is_new
    }

    pub(super) fn set_rollup_config(&self, chain_id: ChainId, config: Box<RawValue>) {
        self.change(chain_id, |served| served.rollup_config = Some(config));
    }

    fn change(&self, chain_id: ChainId, change: impl FnOnce(&mut ChainServed)) {
        if let Some(served) = self.by_chain.get(&chain_id) {
            change(&mut served.lock());
        }
    }
}
