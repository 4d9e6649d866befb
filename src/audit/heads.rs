//! [`Heads`]: what each chain's rollup node said last of its heads. Written by the head watchers, read by
//! the investigator.

use super::second_opinion::SecondOpinion;
use crate::sources::{StatusDocument, SyncStatus};
use crate::unsafe_pause::UnsafePause;
use alloy::eips::BlockNumHash;
use crosscheck_core::consolidation::UnknownForks;
use crosscheck_core::heads::SafeMeans;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// What a chain's rollup node answered, and when.
#[derive(Clone, Debug)]
pub struct StatusAnswer {
    /// What it said.
    pub document: StatusDocument,
    /// When it said so.
    pub at: Instant,
    /// The place of the node in the list.
    pub place: usize,
    /// What it means that the node calls a block safe.
    pub safe_means: SafeMeans,
}

/// A rollup node of a chain that is not in use, and has derived a chain itself.
#[derive(Clone, Copy, Debug)]
pub struct OtherNode {
    /// Its local-safe head.
    pub local_safe: BlockNumHash,
    /// From where on its chain is its own.
    pub opinion: SecondOpinion,
    /// When it said so.
    pub at: Instant,
}

/// How old what another node said may be. They are asked every few seconds.
const OLDEST_WORD: Duration = Duration::from_secs(60);

impl OtherNode {
    /// Whether it said lately, by its own derivation, what the chain has at a height.
    pub(super) fn has_derived(&self, number: u64) -> bool {
        self.at.elapsed() < OLDEST_WORD && self.local_safe.number >= number && self.opinion.covers(number)
    }
}

/// The last known heads of every chain. `None`: the node has not answered yet, or no longer does.
#[derive(Clone, Debug)]
pub struct Heads {
    by_chain: Arc<BTreeMap<ChainId, ChainHeads>>,
}

#[derive(Debug, Default)]
struct ChainHeads {
    status: watch::Sender<Option<SyncStatus>>,
    answer: watch::Sender<Option<StatusAnswer>>,
    safe_means: watch::Sender<SafeMeans>,
    second_opinion: watch::Sender<SecondOpinion>,
    others: watch::Sender<Vec<OtherNode>>,
    unknown_forks: watch::Sender<UnknownForks>,
    unsafe_pause: watch::Sender<Option<UnsafePause>>,
    wanted: Notify,
}

impl Heads {
    /// Heads of these chains, none of them known.
    pub fn new(chains: impl IntoIterator<Item = ChainId>) -> Self {
        let by_chain = chains.into_iter().map(|chain_id| (chain_id, ChainHeads::default())).collect();
        Self { by_chain: Arc::new(by_chain) }
    }

    /// The chain's heads, if they are known.
    pub fn get(&self, chain_id: ChainId) -> Option<SyncStatus> {
        self.by_chain.get(&chain_id).and_then(|heads| *heads.status.borrow())
    }

    /// Takes in what the chain's node says. `true`: it is something new.
    pub fn set(&self, chain_id: ChainId, status: Option<SyncStatus>) -> bool {
        self.by_chain.get(&chain_id).is_some_and(|heads| {
            heads.status.send_if_modified(|known| {
                let changed = *known != status;
                *known = status;
                changed
            })
        })
    }

    /// Keeps the node's whole answer. It stays when the node no longer answers: its time shows how old it is.
    pub fn set_answer(&self, chain_id: ChainId, answer: StatusAnswer) {
        if let Some(heads) = self.by_chain.get(&chain_id) {
            heads.answer.send_replace(Some(answer));
        }
    }

    /// The node's last answer, and a notification of each new one. `None`: the chain is not watched.
    pub fn answers(&self, chain_id: ChainId) -> Option<watch::Receiver<Option<StatusAnswer>>> {
        self.by_chain.get(&chain_id).map(|heads| heads.answer.subscribe())
    }

    /// The L1 block up to which the chain's node has read L1, by its last answer.
    pub(super) fn current_l1(&self, chain_id: ChainId) -> Option<BlockNumHash> {
        let heads = self.by_chain.get(&chain_id)?;
        heads.answer.borrow().as_ref().and_then(|answer| answer.document.current_l1())
    }

    /// What it means that the chain's node calls a block safe. Local-safe until something else is known.
    pub fn safe_means(&self, chain_id: ChainId) -> SafeMeans {
        self.by_chain.get(&chain_id).map_or_else(SafeMeans::default, |heads| *heads.safe_means.borrow())
    }

    /// Takes in what it means that the chain's node calls a block safe.
    pub fn set_safe_means(&self, chain_id: ChainId, meaning: SafeMeans) {
        if let Some(heads) = self.by_chain.get(&chain_id) {
            heads.safe_means.send_replace(meaning);
        }
    }

    /// The forks that the chain has by its node, and that this build does not know.
    pub fn unknown_forks(&self, chain_id: ChainId) -> UnknownForks {
        self.by_chain
            .get(&chain_id)
            .map_or_else(UnknownForks::default, |heads| heads.unknown_forks.borrow().clone())
    }

    /// Takes in which forks the chain has that this build does not know.
    pub fn set_unknown_forks(&self, chain_id: ChainId, forks: UnknownForks) {
        if let Some(heads) = self.by_chain.get(&chain_id) {
            heads.unknown_forks.send_replace(forks);
        }
    }

    /// What it means that the chain's node calls a block of this timestamp safe. A source that verifies
    /// messages does so from the time on from which it has derived all of its chains: what it calls safe
    /// before is taken over.
    pub fn safe_means_at(&self, chain_id: ChainId, timestamp: UnixSeconds) -> SafeMeans {
        match self.safe_means(chain_id) {
            SafeMeans::CrossSafe if timestamp > self.verified_since() => SafeMeans::CrossSafe,
            SafeMeans::CrossSafe | SafeMeans::LocalSafe => SafeMeans::LocalSafe,
        }
    }

    /// After which time sources that verify messages do verify them: op-supernode begins where the last of
    /// its chains does. While one has not said where it began, nothing is known to be verified.
    pub fn verified_since(&self) -> UnixSeconds {
        let verifying =
            self.by_chain.values().filter(|heads| *heads.safe_means.borrow() == SafeMeans::CrossSafe);
        let since = verifying.filter_map(|heads| match *heads.second_opinion.borrow() {
            SecondOpinion::Unknown => Some(UnixSeconds(u64::MAX)),
            opinion => opinion.assumed_until(),
        });
        since.max_by_key(|since| since.0).unwrap_or(UnixSeconds(0))
    }

    /// Whether what the chain's node says is an opinion of its own. It counts as one until something else is
    /// known.
    pub fn second_opinion(&self, chain_id: ChainId) -> SecondOpinion {
        self.by_chain
            .get(&chain_id)
            .map_or_else(SecondOpinion::default, |heads| *heads.second_opinion.borrow())
    }

    /// Takes in whether what the chain's node says is an opinion of its own.
    pub fn set_second_opinion(&self, chain_id: ChainId, opinion: SecondOpinion) {
        if let Some(heads) = self.by_chain.get(&chain_id) {
            heads.second_opinion.send_replace(opinion);
        }
    }

    /// The chain's other nodes that have derived it themselves, by their last answers.
    pub fn others(&self, chain_id: ChainId) -> Vec<OtherNode> {
        self.by_chain.get(&chain_id).map_or_else(Vec::new, |heads| heads.others.borrow().clone())
    }

    /// Takes in what the chain's other nodes say.
    pub fn set_others(&self, chain_id: ChainId, others: Vec<OtherNode>) {
        if let Some(heads) = self.by_chain.get(&chain_id) {
            heads.others.send_replace(others);
        }
    }

    /// Why the chain's unsafe head is stalled lawfully. `None`: no such reason is known.
    pub(crate) fn unsafe_pause(&self, chain_id: ChainId) -> Option<UnsafePause> {
        self.by_chain.get(&chain_id).and_then(|heads| *heads.unsafe_pause.borrow())
    }

    /// Takes in why the chain's unsafe head is stalled lawfully.
    pub(crate) fn set_unsafe_pause(&self, chain_id: ChainId, pause: Option<UnsafePause>) {
        if let Some(heads) = self.by_chain.get(&chain_id) {
            heads.unsafe_pause.send_replace(pause);
        }
    }

    /// Requests a poll of the chain's heads before the next regular one: something waits for them.
    pub fn request_poll(&self, chain_id: ChainId) {
        if let Some(heads) = self.by_chain.get(&chain_id) {
            heads.wanted.notify_one();
        }
    }

    /// Waits until the chain's heads are requested.
    pub(super) async fn poll_requested(&self, chain_id: ChainId) {
        match self.by_chain.get(&chain_id) {
            Some(heads) => heads.wanted.notified().await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Assumed;

    #[test]
    fn a_node_with_an_unknown_first_block_has_verified_nothing_yet() {
        let chain_id = ChainId::from(901);
        let heads = Heads::new([chain_id]);
        heads.set_safe_means(chain_id, SafeMeans::CrossSafe);
        let means = || heads.safe_means_at(chain_id, UnixSeconds(100));
        let assumed = |timestamp| {
            let assumed = Some(Assumed { number: 9, timestamp: UnixSeconds(timestamp) });
            SecondOpinion::Own { assumed }
        };
        for (opinion, expected) in [
            (SecondOpinion::Unknown, SafeMeans::LocalSafe),
            (assumed(100), SafeMeans::LocalSafe),
            (assumed(99), SafeMeans::CrossSafe),
            (SecondOpinion::default(), SafeMeans::CrossSafe),
        ] {
            heads.set_second_opinion(chain_id, opinion);
            assert_eq!(means(), expected, "{opinion:?}");
        }
    }
}
