//! [`MessagesPage`]: what `crosscheck_messages` answers, from what is tracked and from what the ledger keeps.
//!
//! Both are numbered in one order. What is tracked, and what ended plainly valid in this run, is on the
//! tracker. What ended otherwise is reported by the ledger: it is answered the same after any restart. Anyone
//! who reads on from a cursor misses nothing, for the ledger has it before the tracker counts its number.

use crate::ledger::{FiledFilter, FiledMessage, Ledger, LedgerError};
use crate::shared_tracker::SharedTracker;
use crosscheck_core::events::MessageRecord;
use crosscheck_p2p::ChainId;
use serde::{Deserialize, Serialize};

/// How many messages are checked for a page, regardless of the request: the tracker is locked meanwhile.
const MAX_SCANNED: usize = 20_000;

/// A page of messages.
#[derive(Debug, Clone, Serialize)]
pub struct MessagesPage {
    /// The messages, by their last change.
    pub messages: Vec<ListedMessage>,
    /// What to give as `after` for the next page. `null`: this was the last.
    pub next: Option<u64>,
    /// Where this page ended: given as `after`, it leads to whatever comes later.
    pub cursor: u64,
}

/// A message, in the form that users see.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum ListedMessage {
    /// As the tracker has it.
    Live(Box<MessageRecord>),
    /// As the ledger keeps it: its life is over.
    Filed(FiledMessage),
}

impl ListedMessage {
    const fn sequence(&self) -> u64 {
        match self {
            Self::Live(message) => message.sequence,
            Self::Filed(message) => message.sequence(),
        }
    }
}

/// Which part of the messages to read.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct MessagesPageRequest {
    /// Only messages that changed after this one. `null`: from the first one on.
    #[serde(deserialize_with = "super::crosscheck::cursor_or_null")]
    pub after: u64,
    /// At most this many: 100 unless given, at most 1000.
    pub limit: Option<u32>,
    /// Only messages that this chain executed.
    pub chain_id: Option<ChainId>,
    /// Only messages that are still open.
    pub open_only: bool,
}

/// What the tracker has of a page.
struct Live {
    messages: Vec<ListedMessage>,
    /// Up to where it was looked.
    end: u64,
    /// Whether there may be more behind it.
    is_more: bool,
}

impl MessagesPageRequest {
    fn limit(&self) -> u32 {
        super::crosscheck::page_limit(self.limit)
    }

    /// The page as it is now.
    pub(super) async fn read(
        &self,
        tracker: &SharedTracker,
        ledger: &Ledger,
    ) -> Result<MessagesPage, LedgerError> {
        let limit = self.limit();
        // The tracker first: what the ledger gets meanwhile has a number beyond the end.
        let live = self.open_messages(tracker);
        let filed = match self.open_only {
            true => Vec::new(),
            false => {
                let (chain_id, after) = (self.chain_id, self.after);
                // One more than requested is read, to know whether there are more.
                let filter = FiledFilter { chain_id, after, up_to: live.end, limit: limit.saturating_add(1) };
                ledger.filed_messages(filter).await?
            }
        };
        let mut messages = live.messages;
        messages.extend(filed.into_iter().map(ListedMessage::Filed));
        messages.sort_by_key(ListedMessage::sequence);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_cut = messages.len() > limit;
        messages.truncate(limit);
        let cursor = messages.last().filter(|_| is_cut).map_or(live.end, ListedMessage::sequence);
        Ok(MessagesPage { messages, next: (is_cut || live.is_more).then_some(cursor), cursor })
    }

    fn open_messages(&self, tracker: &SharedTracker) -> Live {
        let limit = usize::try_from(self.limit()).unwrap_or(usize::MAX);
        let (mut messages, mut scanned, mut end) = (Vec::new(), 0_usize, self.after);
        let tracker = tracker.read();
        for message in tracker.changed_after(self.after) {
            if messages.len() >= limit || scanned >= MAX_SCANNED {
                return Live { messages, end, is_more: true };
            }
            scanned = scanned.saturating_add(1);
            end = message.sequence();
            let of_chain = self.chain_id.is_none_or(|chain_id| message.key().block.chain_id == chain_id);
            let is_meant = message.reported_state().is_open() || !self.open_only;
            if of_chain && is_meant && !message.is_filed() {
                messages.push(ListedMessage::Live(Box::new(MessageRecord::as_reported(message))));
            }
        }
        Live { messages, end: end.max(tracker.last_number()), is_more: false }
    }
}
