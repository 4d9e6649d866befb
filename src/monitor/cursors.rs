//! [`Cursors`]: up to which block of each chain every message has ended. Pure.
//!
//! After a restart the blocks above are read again: what was open is found again, and nothing that came in
//! between is missed.

use alloy::eips::BlockNumHash;
use crosscheck_core::tracker::{Change, MessageEvent};
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;

/// Up to which block of each chain every message has ended.
#[derive(Clone, Debug, Default)]
pub struct Cursors {
    chains: BTreeMap<ChainId, Chain>,
}

#[derive(Clone, Debug, Default)]
struct Chain {
    /// How many open messages the blocks at each height have. No zeros.
    open: BTreeMap<u64, usize>,
    cursor: Option<BlockNumHash>,
}

impl Cursors {
    /// Opens what an earlier run left.
    pub fn restore(&mut self, chain_id: ChainId, cursor: BlockNumHash) {
        self.chains.entry(chain_id).or_default().cursor = Some(cursor);
    }

    /// Counts a message that is tracked from now on, or no longer.
    pub fn on_event(&mut self, event: &MessageEvent) {
        let block = event.key.block;
        let open = &mut self.chains.entry(block.chain_id).or_default().open;
        match event.change {
            Change::Discovered => {
                let count = open.entry(block.number).or_default();
                *count = count.saturating_add(1);
            }
            Change::Ended(_) => {
                let left = open.get(&block.number).map_or(0, |count| count.saturating_sub(1));
                if left == 0 {
                    open.remove(&block.number);
                } else {
                    open.insert(block.number, left);
                }
            }
            _ => {}
        }
    }

    /// Moves a chain's cursor as far as it goes. `None`: it stays where it is.
    ///
    /// `finalized`: the chain's final height; `hash_at`: the canonical block at a height, if it is at hand.
    pub fn advance(
        &mut self,
        chain_id: ChainId,
        finalized: u64,
        hash_at: impl FnOnce(u64) -> Option<alloy::primitives::B256>,
    ) -> Option<BlockNumHash> {
        let chain = self.chains.entry(chain_id).or_default();
        let below_open = chain.open.first_key_value().map(|(number, _)| number.saturating_sub(1));
        let number = below_open.map_or(finalized, |below| below.min(finalized));
        if chain.cursor.is_some_and(|cursor| cursor.number >= number) {
            return None;
        }
        let cursor = BlockNumHash { number, hash: hash_at(number)? };
        chain.cursor = Some(cursor);
        Some(cursor)
    }

    /// The chain's cursor.
    #[cfg(test)]
    fn get(&self, chain_id: ChainId) -> Option<BlockNumHash> {
        self.chains.get(&chain_id).and_then(|chain| chain.cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use crosscheck_core::heads::SafetyLevel;
    use crosscheck_core::message::BlockKey;
    use crosscheck_core::tracker::{Ending, MessageKey};
    use crosscheck_p2p::UnixSeconds;

    fn chain() -> ChainId {
        ChainId::from(901)
    }

    fn on_event(cursors: &mut Cursors, number: u64, change: Change) {
        let block = BlockKey { chain_id: chain(), number, hash: B256::ZERO };
        let key = MessageKey { block, log_index: 0 };
        let (timestamp, level) = (UnixSeconds(1), SafetyLevel::Unsafe);
        cursors.on_event(&MessageEvent {
            transaction_hash: None,
            key,
            initiating: None,
            timestamp,
            level,
            change,
        });
    }

    fn advance(cursors: &mut Cursors, finalized: u64) -> Option<u64> {
        cursors.advance(chain(), finalized, |_| Some(B256::ZERO)).map(|cursor| cursor.number)
    }

    #[test]
    fn without_open_messages_the_cursor_is_at_the_final_block() {
        let mut cursors = Cursors::default();
        assert_eq!(advance(&mut cursors, 10), Some(10));
        assert_eq!(advance(&mut cursors, 10), None, "nothing new");
        assert_eq!(advance(&mut cursors, 9), None, "it never goes back");
        assert_eq!(cursors.get(chain()).unwrap().number, 10);
    }

    #[test]
    fn the_cursor_remains_below_the_first_open_message() {
        let mut cursors = Cursors::default();
        on_event(&mut cursors, 7, Change::Discovered);
        on_event(&mut cursors, 7, Change::Discovered);
        on_event(&mut cursors, 9, Change::Discovered);
        assert_eq!(advance(&mut cursors, 20), Some(6));
        on_event(&mut cursors, 7, Change::Ended(Ending::Finalized));
        assert_eq!(advance(&mut cursors, 20), None);
        on_event(&mut cursors, 7, Change::Ended(Ending::Expired));
        assert_eq!(advance(&mut cursors, 20), Some(8));
        on_event(&mut cursors, 9, Change::Ended(Ending::Finalized));
        assert_eq!(advance(&mut cursors, 20), Some(20));
    }

    #[test]
    fn the_cursor_moves_only_to_blocks_with_a_known_hash() {
        let mut cursors = Cursors::default();
        cursors.restore(chain(), BlockNumHash { number: 3, hash: B256::ZERO });
        assert_eq!(cursors.advance(chain(), 9, |_| None), None);
        assert_eq!(cursors.get(chain()).unwrap().number, 3);
    }
}
