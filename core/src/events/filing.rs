//! [`Filing`]: what is kept of a message of which something was noted, so that it can be read after any
//! restart. Pure.
//!
//! A message whose life is over gets a number of its own, as a change does: it is listed where anyone who
//! reads in order has not been yet, once it is durable.

use super::{MessageRecord, Notice, NoticeContent};
use crate::heads::SafetyLevel;
use crate::tracker::{Ending, MessageKey, State, Tracker};
use crate::validity::StatusKind;
use std::collections::BTreeSet;

/// What is kept of a message.
#[derive(Clone, Debug)]
pub enum Filing {
    /// Its current state. It is still open.
    Open(Box<MessageRecord>),
    /// As it was when its life ended.
    Over(Box<MessageRecord>),
    /// A message that an earlier run has filed, and whose life ended between two runs.
    Gone {
        /// The message.
        key: MessageKey,
        /// Its number in the order of changes.
        sequence: u64,
        /// How far its block was.
        level: SafetyLevel,
        /// How it ended.
        ending: Ending,
        /// Its last status.
        status: StatusKind,
    },
}

impl Filing {
    /// What to keep now that these notes are written, and that these messages ended without one.
    pub fn all(notes: &[Notice], ended: &[MessageKey], tracker: &Tracker) -> Vec<Self> {
        let mut number = tracker.last_number();
        let mut known = BTreeSet::new();
        let noted = notes.iter().map(|note| (note.key, Some(note)));
        let mut filings = Vec::new();
        for (key, note) in noted.chain(ended.iter().map(|key| (*key, None))) {
            if !known.insert(key) {
                continue;
            }
            let record = tracker.message(&key).map(|message| (message.state(), MessageRecord::of(message)));
            match (record, note.map(|note| (note, &note.content))) {
                (Some((State::Ended(_), record)), _) => {
                    number = number.saturating_add(1);
                    filings.push(Self::Over(Box::new(MessageRecord { sequence: number, ..record })));
                }
                (Some((State::Tracked | State::Displaced, record)), _) => {
                    filings.push(Self::Open(Box::new(record)));
                }
                (None, Some((note, &NoticeContent::Ended { ending, status }))) => {
                    number = number.saturating_add(1);
                    let (sequence, level) = (number, note.level);
                    filings.push(Self::Gone { key, sequence, level, ending, status });
                }
                (None, _) => {}
            }
        }
        filings
    }

    /// The number that it is listed under, if its life is over.
    pub const fn sequence(&self) -> Option<u64> {
        match self {
            Self::Open(_) => None,
            Self::Over(record) => Some(record.sequence),
            Self::Gone { sequence, .. } => Some(*sequence),
        }
    }

    /// Which message.
    pub const fn key(&self) -> MessageKey {
        match self {
            Self::Open(record) | Self::Over(record) => record.key(),
            Self::Gone { key, .. } => *key,
        }
    }
}
