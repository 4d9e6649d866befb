//! [`UnknownInboxEvents`]: which events of the inbox that are not known here were noted in this run. Pure.
//!
//! A newer inbox may emit one with every message: one note on each kind of event is enough, and the others
//! are counted.

use super::{Notice, NoticeContent};
use crate::message::DecodeError;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use std::collections::BTreeSet;

/// How many kinds of events are distinguished, all chains together. Beyond it none is noted.
const MOST: usize = 256;

/// The events that were noted: on which chain, and their first topic.
#[derive(Debug, Default)]
pub struct UnknownInboxEvents(BTreeSet<(ChainId, Option<B256>)>);

impl UnknownInboxEvents {
    /// Whether a note is to be taken: that on an event that is not known is, if it is the first of its kind.
    pub fn pass(&mut self, note: &Notice) -> bool {
        match note.content {
            NoticeContent::Undecodable { error: DecodeError::UnknownEvent { topic } } => {
                self.0.len() < MOST && self.0.insert((note.key.block.chain_id, topic))
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heads::SafetyLevel;
    use crate::message::BlockKey;
    use crate::tracker::MessageKey;
    use crosscheck_p2p::UnixSeconds;

    fn note(chain: u64, number: u64, error: DecodeError) -> Notice {
        let block = BlockKey { chain_id: chain.into(), number, hash: B256::ZERO };
        Notice {
            transaction_hash: None,
            key: MessageKey { block, log_index: 0 },
            initiating: None,
            timestamp: UnixSeconds(0),
            level: SafetyLevel::Unsafe,
            content: NoticeContent::Undecodable { error },
            ordinal: 0,
            invalid_before: None,
        }
    }

    fn event(topic: u8) -> DecodeError {
        DecodeError::UnknownEvent { topic: Some(B256::repeat_byte(topic)) }
    }

    #[test]
    fn each_kind_of_event_is_noted_once_on_each_chain() {
        let mut events = UnknownInboxEvents::default();
        let notes = [
            (note(1, 1, event(1)), true),
            (note(1, 2, event(1)), false),
            (note(1, 2, event(2)), true),
            (note(2, 1, event(1)), true),
            (note(1, 3, DecodeError::UnknownEvent { topic: None }), true),
            (note(1, 4, DecodeError::UnknownEvent { topic: None }), false),
            (note(1, 5, DecodeError::TopicCount { found: 1 }), true),
            (note(1, 6, DecodeError::TopicCount { found: 1 }), true),
        ];
        for (note, passes) in notes {
            assert_eq!(events.pass(&note), passes, "{note:?}");
        }
    }

    #[test]
    fn the_number_of_remembered_events_is_bounded() {
        let mut events = UnknownInboxEvents::default();
        let topic = |index: usize| B256::left_padding_from(&index.to_be_bytes());
        for index in 0..MOST {
            assert!(events.pass(&note(1, 1, DecodeError::UnknownEvent { topic: Some(topic(index)) })));
        }
        assert!(!events.pass(&note(1, 1, DecodeError::UnknownEvent { topic: Some(topic(MOST)) })));
    }
}
