//! [`SeenMessages`]: what a sidecar was seen to say of executed messages, one entry a message. Pure.
//!
//! It holds at most `MAX_MESSAGES` messages and `MAX_SUSPECTS` suspects. Beyond that those of the lowest
//! heights are dropped, and it knows up to which height they were dropped. Settled ones are forgotten before,
//! and counted.

use crate::findings::{MessagePlace, ObservedSuspect, SeenMessage, TrackedRecord};
use crosscheck_p2p::ChainId;
use std::collections::{BTreeMap, HashMap};

/// The most messages that are kept.
const MAX_MESSAGES: usize = 1_000_000;
/// The most suspects that are kept.
const MAX_SUSPECTS: usize = 100_000;

/// Everything that was seen of messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeenMessages {
    messages: HashMap<MessagePlace, SeenMessage>,
    /// The messages of each height, so that the lowest can go first.
    heights: BTreeMap<u64, Vec<MessagePlace>>,
    suspects: BTreeMap<u64, ObservedSuspect>,
    sequence: u64,
    forgotten: Option<u64>,
    /// Up to which height of each chain all messages were seen to be valid, and were forgotten.
    settled: BTreeMap<ChainId, u64>,
    /// How many were.
    settled_messages: u64,
}

impl SeenMessages {
    /// Takes records in.
    pub(crate) fn take(&mut self, records: Vec<TrackedRecord>) {
        for record in records {
            self.sequence = self.sequence.max(record.sequence);
            let place = record.place();
            let is_settled = self.settled_up_to(place.chain_id) >= place.number;
            if is_settled && record.is_plain() && !self.messages.contains_key(&place) {
                continue;
            }
            let heights = &mut self.heights;
            let seen = self.messages.entry(place).or_insert_with(|| {
                heights.entry(place.number).or_default().push(place);
                SeenMessage::default()
            });
            seen.take(record);
        }
        self.forget(MAX_MESSAGES);
    }

    fn forget(&mut self, most: usize) {
        while self.messages.len() > most
            && let Some((height, places)) = self.heights.pop_first()
        {
            for place in places {
                self.messages.remove(&place);
            }
            self.forgotten = self.forgotten.max(Some(height));
        }
    }

    /// Forgets the messages of a chain's block, the next one of its chain, if all of them were seen to be
    /// what most are: valid. Answers whether they were.
    pub(crate) fn settle(&mut self, chain_id: ChainId, number: u64, places: &[MessagePlace]) -> bool {
        let is_settled = |place: &MessagePlace| {
            self.messages.get(place).is_some_and(|message| message.status == "valid" && !message.is_alarm())
        };
        if !places.iter().all(is_settled) {
            return false;
        }
        for place in places {
            self.messages.remove(place);
            self.settled_messages = self.settled_messages.saturating_add(1);
        }
        if let Some(known) = self.heights.get_mut(&number) {
            known.retain(|place| !places.contains(place));
            if known.is_empty() {
                self.heights.remove(&number);
            }
        }
        self.settled.insert(chain_id, number);
        true
    }

    /// Up to which height of a chain all messages were seen to be valid, and were forgotten.
    pub(crate) fn settled_up_to(&self, chain_id: ChainId) -> u64 {
        self.settled.get(&chain_id).copied().unwrap_or_default()
    }

    /// Takes suspects in.
    pub(crate) fn record_suspects(&mut self, records: Vec<ObservedSuspect>) {
        self.suspects.extend(records.into_iter().map(|record| (record.id, record)));
        while self.suspects.len() > MAX_SUSPECTS {
            self.suspects.pop_first();
        }
    }

    /// The message that was executed there.
    pub(crate) fn at(&self, place: &MessagePlace) -> Option<&SeenMessage> {
        self.messages.get(place)
    }

    /// All messages, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&MessagePlace, &SeenMessage)> {
        self.messages.iter()
    }

    /// All suspects, by id.
    pub(crate) fn suspects(&self) -> impl Iterator<Item = &ObservedSuspect> {
        self.suspects.values()
    }

    /// Whether a message of this height may have been seen and forgotten.
    pub(crate) fn has_forgotten(&self, number: u64) -> bool {
        self.forgotten.is_some_and(|forgotten| number <= forgotten)
    }

    /// The newest change that was seen; 0 before the first.
    pub(crate) const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The id of the newest suspect; 0 before the first.
    pub(crate) fn last_suspect(&self) -> u64 {
        self.suspects.last_key_value().map(|(id, _)| *id).unwrap_or_default()
    }
}

/// How many messages were seen to be what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct TrackedCounts {
    /// All that were seen, including those of removed blocks.
    pub(crate) seen: u64,
    /// Valid, when they were last looked at.
    pub(crate) valid: u64,
    /// Invalid, when they were last looked at.
    pub(crate) invalid: u64,
    /// Executed without having been declared.
    pub(crate) undeclared: u64,
    /// Valid and invalid, one after the other.
    pub(crate) flipped: u64,
    /// Gone in a lawful replacement.
    pub(crate) resolved: u64,
    /// Declared in gossip, and known to be wrong before they were executed.
    pub(crate) suspects: u64,
}

impl From<&SeenMessages> for TrackedCounts {
    fn from(seen: &SeenMessages) -> Self {
        let count = |is: &dyn Fn(&SeenMessage) -> bool| {
            u64::try_from(seen.iter().filter(|(_, message)| is(message)).count()).unwrap_or(u64::MAX)
        };
        Self {
            seen: count(&|_| true).saturating_add(seen.settled_messages),
            valid: count(&|message| message.status == "valid").saturating_add(seen.settled_messages),
            invalid: count(&|message| message.status == "invalid"),
            undeclared: count(&|message| message.undeclared),
            flipped: count(&|message| message.flips > 0),
            resolved: count(&|message| message.state == "resolved"),
            suspects: u64::try_from(seen.suspects().count()).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::record;
    use alloy::primitives::B256;

    #[test]
    fn a_message_that_changed_is_still_one_and_the_cursor_moves_on() {
        let mut seen = SeenMessages::default();
        seen.take(vec![record(4, 20, B256::ZERO, "unknown"), record(7, 20, B256::ZERO, "invalid")]);
        seen.take(vec![record(9, 20, B256::repeat_byte(1), "valid")]);
        assert_eq!((seen.iter().count(), seen.sequence()), (2, 9));
        let counts = TrackedCounts::from(&seen);
        assert_eq!((counts.seen, counts.valid, counts.invalid), (2, 1, 1));
    }

    #[test]
    fn the_lowest_heights_go_first_and_are_known_to_be_gone() {
        let mut seen = SeenMessages::default();
        seen.take((10..20).map(|number| record(number, number, B256::ZERO, "valid")).collect());
        seen.forget(4);
        assert_eq!(seen.iter().count(), 4);
        assert!(seen.has_forgotten(15) && !seen.has_forgotten(16));
        assert_eq!(seen.heights.len(), 4);
    }
}
