//! [`Sampler`]: which of the messages that were decided lately are asked about. Pure.
//!
//! Invalid messages are rare, and the ones about which a wrong answer costs most: they take up to half of the
//! room, or more if there is room left.

use alloy::primitives::B256;
use crosscheck_core::events::{EventMessage, ExecutingBlock};
use crosscheck_core::message::{Message, encode_access_list};
use crosscheck_core::tracker::{MessageKey, State, TrackedMessage, Tracker};
use crosscheck_core::validity::StatusKind;

/// How many changed messages are looked through in a round: the latest.
const MAX_SCANNED: usize = 1024;

/// A message that is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    /// Which message.
    pub(super) key: MessageKey,
    /// The message, as events name it.
    pub(super) message: EventMessage,
    /// What it cites.
    pub(super) cited: Message,
}

/// Chooses among the messages that changed since the last time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sampler {
    after: u64,
}

impl Sampler {
    /// Of the messages that change from now on.
    pub(crate) const fn new(tracker: &Tracker) -> Self {
        Self { after: tracker.last_number() }
    }

    /// At most this many of the messages that are decided and have changed since the last time, the latest
    /// first. Changes beyond the latest of them are left out: nobody is asked about everything.
    pub(super) fn take(&mut self, tracker: &Tracker, room: usize) -> Vec<Sample> {
        let (mut invalid, mut valid) = (Vec::new(), Vec::new());
        for message in tracker.changed_after(self.after).rev().take(MAX_SCANNED) {
            let of_kind = match message.status().kind() {
                StatusKind::Invalid => &mut invalid,
                StatusKind::Valid => &mut valid,
                StatusKind::Unknown => continue,
            };
            if of_kind.len() < room && message.state() == State::Tracked {
                of_kind.extend(message.message().map(|cited| (message, *cited)));
            }
        }
        self.after = tracker.last_number();
        let of_invalid = room.saturating_sub(valid.len()).max(room / 2);
        invalid.truncate(of_invalid);
        valid.truncate(room.saturating_sub(invalid.len()));
        invalid.into_iter().chain(valid).map(|(message, cited)| Sample::of(message, cited)).collect()
    }
}

/// Whether the block that executes a message is canonical, or so old that the tracker no longer has it.
pub(super) fn is_canonical(tracker: &Tracker, key: &MessageKey) -> bool {
    let Some(chain) = tracker.chain(key.block.chain_id) else { return false };
    chain.block(key.block.number).map_or_else(
        || chain.first().is_some_and(|first| key.block.number < first),
        |block| block.key == key.block,
    )
}

impl Sample {
    fn of(message: &TrackedMessage, cited: Message) -> Self {
        let key = message.key();
        let executing = ExecutingBlock { key: key.block, timestamp: message.timestamp() };
        let message = EventMessage {
            executing,
            log_index: key.log_index,
            transaction_hash: message.transaction_hash(),
            initiating_chain: message.initiating(),
            level: message.level(),
        };
        Self { key, message, cited }
    }

    /// The access list that declares it. It takes time to encode: not while the tracker is locked.
    pub(super) fn entries(&self) -> Vec<B256> {
        encode_access_list(&self.cited)
    }
}
