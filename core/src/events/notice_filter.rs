//! [`NoticeFilter`]: which events of messages are content. Pure: the ledger and its readers come after it.
//!
//! It remembers what was noted of each noteworthy message, so that nothing is noted twice, also not after a
//! restart: then it is filled from the ledger, and messages whose block was reorged out by then get their
//! ending from it.

use super::{Notice, NoticeContent};
use crate::heads::SafetyLevel;
use crate::message::BlockKey;
use crate::tracker::{Change, Ending, MessageEvent, MessageKey, ObservedBlock, StatusCause};
use crate::validity::{InvalidReason, MessageStatus, StatusKind};
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::BTreeMap;

/// How many noteworthy messages are remembered. Beyond it the lowest are forgotten; the ledger still knows
/// them.
const MAX_ENTRIES: usize = 1_000_000;

/// What was noted of every noteworthy message.
#[derive(Clone, Debug, Default)]
pub struct NoticeFilter {
    entries: BTreeMap<MessageKey, NotedMessage>,
}

/// What was noted of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotedMessage {
    /// The chain that it cites.
    pub initiating: Option<ChainId>,
    /// The executing block's timestamp.
    pub timestamp: UnixSeconds,
    /// What it was found last: `true` invalid, `false` valid. `None`: neither yet.
    pub is_invalid: Option<bool>,
    /// The highest level at which it was noted as invalid.
    pub invalid_at: Option<SafetyLevel>,
    /// How many flips were noted.
    pub flips: u32,
    /// Whether it was noted as undeclared.
    pub is_undeclared: bool,
    /// How many endings were noted: a block may be dropped, come back, and be final.
    pub endings: u32,
    /// Which endings were noted, in the order of [`Ending::NAMES`]: each once, however often the block comes
    /// back.
    pub ended_as: [bool; Ending::NAMES.len()],
    /// Whether its life is over.
    pub is_over: bool,
    /// Whether it comes from the ledger, and its block was not seen since the start.
    pub is_restored: bool,
    /// The rule that it was found to break last.
    pub reason: Option<InvalidReason>,
    /// The block that was seen last in the place of its own, with transactions of users: the height is not
    /// settled.
    pub rival: Option<B256>,
}

impl NotedMessage {
    /// Nothing noted yet.
    pub const fn new(initiating: Option<ChainId>, timestamp: UnixSeconds) -> Self {
        Self {
            initiating,
            timestamp,
            is_invalid: None,
            invalid_at: None,
            flips: 0,
            is_undeclared: false,
            endings: 0,
            ended_as: [false; Ending::NAMES.len()],
            is_over: false,
            is_restored: false,
            reason: None,
            rival: None,
        }
    }

    /// Takes note of an ending. `false`: it was noted before.
    pub fn note_ending(&mut self, ending: &str) -> bool {
        let mut named = Ending::NAMES.iter().zip(&mut self.ended_as).filter(|(name, _)| **name == ending);
        named.next().is_some_and(|(_, noted)| !std::mem::replace(noted, true))
    }

    const fn status(&self) -> StatusKind {
        match self.is_invalid {
            None => StatusKind::Unknown,
            Some(true) => StatusKind::Invalid,
            Some(false) => StatusKind::Valid,
        }
    }
}

impl NoticeFilter {
    /// Opens what an earlier run noted.
    pub fn restore(&mut self, key: MessageKey, entry: NotedMessage) {
        self.entries.insert(key, NotedMessage { is_restored: !entry.is_over, ..entry });
    }

    /// Whether a message is noted as invalid now.
    pub fn is_invalid(&self, key: &MessageKey) -> bool {
        self.entries.get(key).is_some_and(|entry| entry.is_invalid == Some(true))
    }

    /// What there is to note of an event. `last`: what is known of the message after it, if that is at hand.
    pub fn on_event(&mut self, event: &MessageEvent, last: Option<MessageStatus>) -> Option<Notice> {
        match event.change {
            Change::Discovered => {
                if let Some(entry) = self.entries.get_mut(&event.key) {
                    entry.is_restored = false;
                    entry.is_over = false;
                }
                None
            }
            Change::Status { to, cause, flip, .. } => self.on_status(event, to, cause, flip),
            Change::Level { .. } => {
                let entry =
                    self.entries.get_mut(&event.key).filter(|entry| entry.is_invalid == Some(true))?;
                note_invalid(entry, event, StatusCause::Checked)
            }
            Change::Undeclared => {
                let entry = self.entry(event);
                let is_news = !std::mem::replace(&mut entry.is_undeclared, true);
                is_news.then(|| Notice::on(event, NoticeContent::Undeclared, 0, entry.invalid_at))
            }
            Change::Ended(ending) => self.on_ending(event, ending, last),
            Change::Displaced | Change::Readopted => None,
        }
    }

    fn on_status(
        &mut self,
        event: &MessageEvent,
        to: MessageStatus,
        cause: StatusCause,
        is_flip: bool,
    ) -> Option<Notice> {
        match to {
            MessageStatus::Unknown => None,
            MessageStatus::Valid => {
                // What an earlier run found invalid has flipped since, though this run never saw it invalid.
                let entry = self.entries.get_mut(&event.key)?;
                let was_invalid = entry.is_invalid.replace(false) == Some(true);
                was_invalid.then(|| note_flip(entry, event, to, cause))
            }
            MessageStatus::Invalid(reason) => {
                let entry = self.entry(event);
                entry.reason = Some(reason);
                let was_valid = is_flip || entry.is_invalid == Some(false);
                entry.is_invalid = Some(true);
                if was_valid {
                    let note = note_flip(entry, event, to, cause);
                    entry.invalid_at = entry.invalid_at.max(Some(event.level));
                    return Some(note);
                }
                note_invalid(entry, event, cause)
            }
        }
    }

    fn on_ending(
        &mut self,
        event: &MessageEvent,
        ending: Ending,
        last: Option<MessageStatus>,
    ) -> Option<Notice> {
        let known = self.entries.get(&event.key).copied();
        let is_invalid = known.is_some_and(|entry| entry.is_invalid == Some(true));
        if matches!(ending, Ending::Finalized | Ending::CrowdedOut) && !is_invalid {
            self.entries.remove(&event.key);
            return None;
        }
        let entry = self.entry(event);
        if entry.is_invalid.is_none() && last == Some(MessageStatus::Valid) {
            entry.is_invalid = Some(false);
        }
        let ended = end(entry, event.key, event.level, ending);
        ended.map(|note| Notice { transaction_hash: event.transaction_hash, ..note })
    }

    /// What a block says about messages that an earlier run noted: another block is in the place of theirs.
    pub fn observe(&mut self, block: &ObservedBlock) -> Vec<Notice> {
        let BlockKey { chain_id, number, hash } = block.key;
        let mut notes = Vec::new();
        for (key, entry) in self.entries.range_mut(at_height(chain_id, number)) {
            if !entry.is_restored {
                continue;
            }
            if key.block.hash == hash {
                // The tracker follows it from here on.
                entry.is_restored = false;
                continue;
            }
            if entry.is_invalid == Some(true) && !block.is_deposits_only {
                // Derivation may yet replace it because of this message.
                entry.rival = Some(hash);
                continue;
            }
            let is_resolved = entry.is_invalid == Some(true);
            let ending =
                if is_resolved { Ending::Resolved { by: hash } } else { Ending::Orphaned { by: hash } };
            let level = entry.invalid_at.unwrap_or(SafetyLevel::Unsafe);
            notes.extend(end(entry, *key, level, ending));
        }
        notes
    }

    /// Ends what an earlier run noted and whose heights are final now, with other blocks.
    pub fn orphan(&mut self, chain_id: ChainId, number: u64) -> Vec<Notice> {
        let mut notes = Vec::new();
        for (key, entry) in self.entries.range_mut(up_to(chain_id, number)) {
            let Some(by) = entry.rival.filter(|_| entry.is_restored) else { continue };
            let level = entry.invalid_at.unwrap_or(SafetyLevel::Unsafe);
            notes.extend(end(entry, *key, level, Ending::Orphaned { by }));
        }
        notes
    }

    /// Ends what an earlier run noted and whose blocks are older than messages are kept.
    pub fn expire(&mut self, now: UnixSeconds, retention: u64) -> Vec<Notice> {
        let is_late = |entry: &NotedMessage| entry.timestamp.0.saturating_add(retention) < now.0;
        let late = self.entries.iter_mut().filter(|(_, entry)| entry.is_restored && is_late(entry));
        late.filter_map(|(key, entry)| {
            let level = entry.invalid_at.unwrap_or(SafetyLevel::Unsafe);
            end(entry, *key, level, Ending::Expired)
        })
        .collect()
    }

    /// Forgets the ended messages of a chain up to a height: they will not be read again.
    pub fn settle(&mut self, chain_id: ChainId, number: u64) {
        let over: Vec<MessageKey> = self
            .entries
            .range(up_to(chain_id, number))
            .filter(|(_, entry)| entry.is_over)
            .map(|(key, _)| *key)
            .collect();
        for key in over {
            self.entries.remove(&key);
        }
    }

    /// What was noted of a message.
    pub fn get(&self, key: &MessageKey) -> Option<&NotedMessage> {
        self.entries.get(key)
    }

    /// How many messages are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no message is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn entry(&mut self, event: &MessageEvent) -> &mut NotedMessage {
        if self.entries.len() >= MAX_ENTRIES && !self.entries.contains_key(&event.key) {
            self.entries.pop_first();
        }
        self.entries.entry(event.key).or_insert_with(|| NotedMessage::new(event.initiating, event.timestamp))
    }
}

/// Every key at a height of a chain.
fn at_height(chain_id: ChainId, number: u64) -> core::ops::RangeInclusive<MessageKey> {
    let key = |byte, log_index| {
        let block = BlockKey { chain_id, number, hash: B256::repeat_byte(byte) };
        MessageKey { block, log_index }
    };
    key(0, 0)..=key(0xff, u32::MAX)
}

/// Every key of a chain up to a height.
fn up_to(chain_id: ChainId, number: u64) -> core::ops::RangeInclusive<MessageKey> {
    *at_height(chain_id, 0).start()..=*at_height(chain_id, number).end()
}

fn note_flip(
    entry: &mut NotedMessage,
    event: &MessageEvent,
    to: MessageStatus,
    cause: StatusCause,
) -> Notice {
    entry.flips = entry.flips.saturating_add(1);
    Notice::on(event, NoticeContent::Flip { to, cause }, entry.flips, entry.invalid_at)
}

/// An invalid message is content when it is found, and again at each higher level from local-safe on.
fn note_invalid(entry: &mut NotedMessage, event: &MessageEvent, cause: StatusCause) -> Option<Notice> {
    let rank = |level: SafetyLevel| if level < SafetyLevel::LocalSafe { SafetyLevel::Unsafe } else { level };
    let reason = entry.reason?;
    let level = rank(event.level);
    if entry.invalid_at.is_some_and(|noted| rank(noted) >= level) {
        return None;
    }
    let before = entry.invalid_at.replace(level);
    let ordinal = SafetyLevel::ALL.iter().position(|each| *each == level).unwrap_or_default();
    let ordinal = u32::try_from(ordinal).unwrap_or_default();
    Some(Notice::on(event, NoticeContent::Invalid { reason, cause }, ordinal, before))
}

/// Ends a message. `None`: it ended so before.
fn end(entry: &mut NotedMessage, key: MessageKey, level: SafetyLevel, ending: Ending) -> Option<Notice> {
    (entry.is_over, entry.is_restored) = (true, false);
    if !entry.note_ending(ending.name()) {
        return None;
    }
    let content = NoticeContent::Ended { ending, status: entry.status() };
    let (ordinal, invalid_before) = (entry.endings, entry.invalid_at);
    entry.endings = entry.endings.saturating_add(1);
    if ending == Ending::Finalized && entry.is_invalid == Some(true) {
        entry.invalid_at = entry.invalid_at.max(Some(level));
    }
    let (initiating, timestamp) = (entry.initiating, entry.timestamp);
    let transaction_hash = None;
    Some(Notice { key, initiating, timestamp, transaction_hash, level, content, ordinal, invalid_before })
}

#[cfg(test)]
mod tests;
