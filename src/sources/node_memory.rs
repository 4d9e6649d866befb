//! [`NodeMemory`]: which of a chain's rollup nodes is in use, and what was named by it. Pure.
//!
//! Going over to another node never takes a head back: a node that is not as far as another was is behind,
//! and says nothing until it has caught up. The node in use may go back by itself: then its chain did.

use super::{Shortfall, StatusDocument, SyncStatus};
use alloy::primitives::B256;
use crosscheck_core::heads::SafetyLevel;
use std::collections::BTreeMap;

/// How many heights of named heads are remembered.
const MAX_NAMED: usize = 1024;

/// What is remembered of a chain's rollup nodes.
#[derive(Debug, Default)]
pub(super) struct NodeMemory {
    in_use: Option<usize>,
    /// The last head of each level that was taken over.
    known: SyncStatus,
    /// The blocks that were taken over as heads lately: of one chain, that of the node in use.
    named: BTreeMap<u64, B256>,
}

impl NodeMemory {
    /// The place of the node in use. `None`: none has been yet.
    pub(super) const fn in_use(&self) -> Option<usize> {
        self.in_use
    }

    /// What keeps this node's status from being worked with.
    pub(super) fn shortfall(&self, place: usize, document: &StatusDocument) -> Option<Shortfall> {
        let lacking = Shortfall::of(document);
        if matches!(lacking, Some(Shortfall::NoHeads | Shortfall::NoLocalSafe)) || self.in_use == Some(place)
        {
            return lacking;
        }
        let heads = document.heads().by_level().into_iter().zip(self.known.by_level());
        let is_behind = heads.into_iter().any(|((_, head), (_, known))| {
            known.is_some_and(|known| head.is_none_or(|head| head.number < known.number))
        });
        if is_behind { Some(Shortfall::Behind) } else { lacking }
    }

    /// Records what a node said. Returns the place of the node that was in use before, if that is another
    /// one.
    pub(super) fn select(&mut self, place: usize, heads: &SyncStatus) -> Option<usize> {
        let before = self.in_use.replace(place).filter(|before| *before != place);
        let SyncStatus { unsafe_l2, safe_l2, local_safe_l2, finalized_l2 } = *heads;
        let known = &mut self.known;
        known.unsafe_l2 = unsafe_l2.or(known.unsafe_l2);
        known.safe_l2 = safe_l2.or(known.safe_l2);
        known.local_safe_l2 = local_safe_l2.or(known.local_safe_l2);
        known.finalized_l2 = finalized_l2.or(known.finalized_l2);
        let mut named: Vec<_> = heads.by_level().into_iter().filter_map(|(_, head)| head).collect();
        named.sort_by_key(|head| head.number);
        for head in named {
            if self.named.get(&head.number).is_some_and(|known| *known != head.hash()) {
                // Another block: what was built on the former one is dropped with it.
                self.named.split_off(&head.number);
            }
            self.named.insert(head.number, head.hash());
        }
        while self.named.len() > MAX_NAMED {
            self.named.pop_first();
        }
        before
    }

    /// A head of this status at whose height another block was named: its level, its height, and both blocks.
    pub(super) fn conflict(&self, heads: &SyncStatus) -> Option<(SafetyLevel, u64, B256, B256)> {
        heads.by_level().into_iter().find_map(|(level, head)| {
            let head = head?;
            let named = *self.named.get(&head.number)?;
            (named != head.hash()).then_some((level, head.number, named, head.hash()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::keccak256;
    use serde_json::json;

    /// Heads (unsafe, local-safe, safe, finalized) on a branch; above 100 there are none.
    fn document(branch: &str, heads: [u64; 4]) -> StatusDocument {
        let names = ["unsafe_l2", "local_safe_l2", "safe_l2", "finalized_l2"];
        let fields = names.into_iter().zip(heads).map(|(name, number)| {
            let hash = keccak256(format!("{branch} {number}"));
            let hash = if number > 100 { B256::ZERO } else { hash };
            (name.to_owned(), json!({ "hash": hash, "number": number, "timestamp": number }))
        });
        let fields: serde_json::Map<_, _> = fields.collect();
        StatusDocument::read(&serde_json::value::to_raw_value(&fields).unwrap()).unwrap()
    }

    fn memory(place: usize, heads: [u64; 4]) -> NodeMemory {
        let mut memory = NodeMemory::default();
        memory.select(place, &document("main", heads).heads());
        memory
    }

    #[test]
    fn the_first_node_sets_the_expected_heights() {
        let memory = NodeMemory::default();
        assert_eq!(memory.shortfall(1, &document("main", [4, 3, 2, 1])), None);
        assert_eq!(memory.shortfall(0, &document("main", [101; 4])), Some(Shortfall::NoHeads));
    }

    #[test]
    fn another_node_below_the_known_heads_is_behind() {
        let memory = memory(0, [9, 8, 7, 6]);
        for heads in [[8, 8, 7, 6], [9, 7, 7, 6], [9, 8, 6, 6], [9, 8, 7, 5], [9, 8, 7, 101]] {
            assert_eq!(memory.shortfall(1, &document("main", heads)), Some(Shortfall::Behind), "{heads:?}");
        }
        assert_eq!(memory.shortfall(1, &document("main", [9, 8, 7, 6])), None);
        assert_eq!(memory.shortfall(1, &document("other", [10, 8, 8, 6])), None);
    }

    #[test]
    fn the_node_in_use_may_go_back() {
        let mut memory = memory(0, [9, 8, 7, 6]);
        let back = document("main", [5, 4, 3, 2]);
        assert_eq!(memory.shortfall(0, &back), None);
        assert_eq!(memory.select(0, &back.heads()), None);
        assert_eq!(memory.shortfall(1, &document("main", [6, 4, 3, 2])), None);
    }

    #[test]
    fn a_known_head_is_remembered_when_a_node_no_longer_names_it() {
        let mut memory = memory(0, [9, 8, 7, 6]);
        memory.select(0, &document("main", [101; 4]).heads());
        assert_eq!(memory.shortfall(1, &document("main", [8, 7, 7, 6])), Some(Shortfall::Behind));
        assert_eq!(memory.select(1, &document("main", [9, 8, 7, 6]).heads()), Some(0));
        assert_eq!(memory.in_use(), Some(1));
    }

    #[test]
    fn another_block_at_a_height_that_was_named_is_a_conflict() {
        let mut memory = memory(0, [9, 8, 7, 6]);
        memory.select(0, &document("main", [11, 10, 8, 6]).heads());
        assert_eq!(memory.conflict(&document("main", [9, 8, 7, 6]).heads()), None);
        assert_eq!(memory.conflict(&document("other", [20, 19, 18, 17]).heads()), None);
        let (level, number, ..) = memory.conflict(&document("other", [20, 9, 5, 4]).heads()).unwrap();
        assert_eq!((level, number), (SafetyLevel::LocalSafe, 9));
        // The node in use reorgs: what it named above is no longer used against anyone.
        memory.select(0, &document("other", [9, 8, 7, 6]).heads());
        assert_eq!(memory.conflict(&document("main", [11, 11, 11, 11]).heads()), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut memory = NodeMemory::default();
        for number in 0..3_000 {
            let head = crosscheck_core::heads::L2BlockRef::new(
                number,
                B256::repeat_byte(1),
                crosscheck_p2p::UnixSeconds(0),
            );
            memory.select(0, &SyncStatus { unsafe_l2: head, ..SyncStatus::default() });
        }
        assert_eq!(
            (memory.named.len(), memory.named.keys().next().copied()),
            (MAX_NAMED, Some(3_000 - 1024))
        );
    }
}
