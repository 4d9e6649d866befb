//! [`Suspects`]: the suspect messages noted lately. Bounded: the oldest make room.

use crosscheck_core::events::{SuspectOutcome, SuspectRecord};
use crosscheck_p2p::ChainId;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

/// How many suspects are remembered.
pub const MAX_SUSPECTS: usize = 4096;

/// The suspects noted lately. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Suspects {
    recent: Arc<Mutex<Recent>>,
}

#[derive(Debug, Default)]
struct Recent {
    records: VecDeque<SuspectRecord>,
}

impl Suspects {
    /// Remembers a suspect, whose id is greater than those before. The oldest is removed if there are too
    /// many.
    pub fn note(&self, suspect: SuspectRecord) {
        let mut recent = self.recent.lock();
        if recent.records.len() >= MAX_SUSPECTS {
            recent.records.pop_front();
        }
        recent.records.push_back(suspect);
    }

    /// Says what became of a suspect. One that was removed since is skipped.
    pub fn settle(&self, id: u64, outcome: SuspectOutcome) {
        let mut recent = self.recent.lock();
        if let Ok(place) = recent.records.binary_search_by_key(&id, |suspect| suspect.id)
            && let Some(suspect) = recent.records.get_mut(place)
        {
            suspect.outcome = outcome;
        }
    }

    /// The suspects after this one, oldest first.
    pub fn after(&self, id: u64, chain_id: Option<ChainId>, limit: usize) -> Vec<SuspectRecord> {
        let recent = self.recent.lock();
        let wanted = recent.records.iter().filter(|suspect| {
            suspect.id > id && chain_id.is_none_or(|chain_id| suspect.block.chain_id == chain_id)
        });
        wanted.take(limit).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use crosscheck_core::message::BlockKey;

    fn suspect(id: u64) -> SuspectRecord {
        SuspectRecord {
            id,
            block: BlockKey { chain_id: ChainId::from(901), number: 5, hash: B256::repeat_byte(1) },
            transaction_hash: B256::repeat_byte(2),
            transaction_index: 3,
            access: None,
            reason: "malformed",
            detail: "it ends in the middle".to_owned(),
            outcome: SuspectOutcome::Pending,
        }
    }

    #[test]
    fn the_oldest_suspect_is_removed_and_ids_continue() {
        let suspects = Suspects::default();
        for id in (1..).take(MAX_SUSPECTS + 1) {
            suspects.note(suspect(id));
        }
        let all = suspects.after(0, None, usize::MAX);
        assert_eq!(all.len(), MAX_SUSPECTS);
        assert_eq!(all.first().unwrap().id, 2);
        suspects.settle(1, SuspectOutcome::Dropped);
        suspects.settle(3, SuspectOutcome::NotExecuted);
        let page = suspects.after(2, Some(ChainId::from(901)), 1);
        assert_eq!((page[0].id, page[0].outcome), (3, SuspectOutcome::NotExecuted));
        assert!(suspects.after(0, Some(ChainId::from(902)), 10).is_empty());
    }

    #[test]
    fn a_suspect_is_written_as_clients_read_it() {
        let written = serde_json::to_value(suspect(1)).unwrap();
        let expected = serde_json::json!({
            "id": 1, "chain_id": 901, "number": 5, "hash": B256::repeat_byte(1),
            "transaction_hash": B256::repeat_byte(2), "transaction_index": 3, "access": null,
            "reason": "malformed", "detail": "it ends in the middle", "outcome": "pending",
        });
        assert_eq!(written, expected);
    }
}
