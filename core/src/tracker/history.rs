//! [`History`]: how a message's status came to be what it is, the last changes of it.

use super::StatusCause;
use crate::validity::MessageStatus;
use serde::{Serialize, Serializer, ser::SerializeStruct};

/// How many changes are kept of a message.
const KEPT: usize = 8;

/// One change of a message's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// What was known before.
    pub from: MessageStatus,
    /// What was known then.
    pub to: MessageStatus,
    /// Why.
    pub cause: StatusCause,
}

impl Serialize for HistoryEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entry = serializer.serialize_struct("HistoryEntry", 3)?;
        entry.serialize_field("from", self.from.name())?;
        entry.serialize_field("to", self.to.name())?;
        entry.serialize_field("cause", self.cause.name())?;
        entry.end()
    }
}

/// The last changes of a message's status.
///
/// Nearly every message is found valid once and never changes again: that costs no allocation here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct History {
    found_valid_at_first: bool,
    later: Vec<HistoryEntry>,
}

const FOUND_VALID: HistoryEntry =
    HistoryEntry { from: MessageStatus::Unknown, to: MessageStatus::Valid, cause: StatusCause::Checked };

impl History {
    /// Adds a change; the oldest is removed when there are too many.
    pub(super) fn push(&mut self, entry: HistoryEntry) {
        if !self.found_valid_at_first && self.later.is_empty() && entry == FOUND_VALID {
            self.found_valid_at_first = true;
            return;
        }
        self.later.push(entry);
        if self.later.len().saturating_add(usize::from(self.found_valid_at_first)) > KEPT {
            if self.found_valid_at_first {
                self.found_valid_at_first = false;
            } else {
                self.later.remove(0);
            }
        }
    }

    /// The changes, oldest first.
    pub(super) fn entries(&self) -> impl Iterator<Item = &HistoryEntry> {
        self.found_valid_at_first.then_some(&FOUND_VALID).into_iter().chain(&self.later)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry() -> impl Strategy<Value = HistoryEntry> {
        let status = prop_oneof![Just(MessageStatus::Unknown), Just(MessageStatus::Valid)];
        let cause = prop_oneof![
            Just(StatusCause::Checked),
            any::<u64>()
                .prop_map(|t| StatusCause::SameTimestamp { timestamp: crosscheck_p2p::UnixSeconds(t) })
        ];
        (status.clone(), status, cause).prop_map(|(from, to, cause)| HistoryEntry { from, to, cause })
    }

    proptest! {
        #[test]
        fn keeps_the_last_eight_in_order(entries in proptest::collection::vec(entry(), 0..20)) {
            let mut history = History::default();
            entries.iter().for_each(|entry| history.push(*entry));
            let kept: Vec<_> = history.entries().copied().collect();
            prop_assert_eq!(&kept[..], &entries[entries.len().saturating_sub(KEPT)..]);
        }
    }
}
