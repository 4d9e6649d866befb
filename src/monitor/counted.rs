//! [`CountedEvents`]: which events of messages were counted. Pure, and bounded.
//!
//! A block that is dropped and comes back is the same block: its messages are not discovered, and do not end
//! so, again.

use crosscheck_core::tracker::{Change, Ending, MessageEvent, MessageKey};
use lru::LruCache;
use std::num::NonZeroUsize;

/// How many messages are remembered. Beyond it those that nothing happened to for longest are forgotten.
const MESSAGES: NonZeroUsize = match NonZeroUsize::new(65_536) {
    Some(messages) => messages,
    None => NonZeroUsize::MIN,
};

/// Which events of messages were counted.
#[derive(Debug)]
pub(super) struct CountedEvents {
    messages: LruCache<MessageKey, Once>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Once {
    discovered: bool,
    ended_as: [bool; Ending::NAMES.len()],
}

impl Default for CountedEvents {
    fn default() -> Self {
        Self { messages: LruCache::new(MESSAGES) }
    }
}

impl CountedEvents {
    /// Whether an event is to be counted: it was not before, or it may come any number of times.
    pub(super) fn is_first(&mut self, event: &MessageEvent) -> bool {
        let name = match event.change {
            Change::Discovered => None,
            Change::Ended(ending) => Some(ending.name()),
            _ => return true,
        };
        let once = self.messages.get_or_insert_mut(event.key, Once::default);
        let Some(name) = name else { return !std::mem::replace(&mut once.discovered, true) };
        let mut named = Ending::NAMES.iter().zip(&mut once.ended_as).filter(|(known, _)| **known == name);
        named.next().is_some_and(|(_, ended)| !std::mem::replace(ended, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use crosscheck_core::heads::SafetyLevel;
    use crosscheck_core::message::BlockKey;
    use crosscheck_p2p::{ChainId, UnixSeconds};

    fn event(hash: u64, change: Change) -> MessageEvent {
        let hash = B256::left_padding_from(&hash.to_be_bytes());
        let block = BlockKey { chain_id: ChainId::from(901), number: 9, hash };
        let key = MessageKey { block, log_index: 0 };
        MessageEvent {
            transaction_hash: None,
            key,
            initiating: None,
            timestamp: UnixSeconds(1),
            level: SafetyLevel::Unsafe,
            change,
        }
    }

    #[test]
    fn a_block_that_comes_back_counts_once() {
        let mut counted = CountedEvents::default();
        let (by, discovered) = (B256::ZERO, event(1, Change::Discovered));
        let orphaned = event(1, Change::Ended(Ending::Orphaned { by }));
        let finalized = event(1, Change::Ended(Ending::Finalized));
        let events = [&discovered, &orphaned, &discovered, &orphaned, &finalized, &finalized];
        let first = events.map(|event| counted.is_first(event));
        assert_eq!(first, [true, true, false, false, true, false]);
        assert!(counted.is_first(&event(2, Change::Discovered)), "another block");
        assert!(
            counted.is_first(&event(1, Change::Displaced)) && counted.is_first(&event(1, Change::Displaced))
        );
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut counted = CountedEvents::default();
        let all = MESSAGES.get() as u64 + 1;
        assert!((0..all).all(|hash| counted.is_first(&event(hash, Change::Discovered))));
        assert_eq!(counted.messages.len(), MESSAGES.get());
    }
}
