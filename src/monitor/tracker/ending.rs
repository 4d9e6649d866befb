//! How messages' lives end.

use super::{Tracker, Work};
use crate::interop::{MessageStatus, SafetyLevel};
use crate::monitor::tracked_message::{MessageId, Own, TrackedMessage};
use crate::monitor::{Ending, State, Step};
use crosscheck_p2p::UnixSeconds;

/// Above how many timestamps those whose messages have all ended are forgotten although a chain, still far behind, may
/// yet bring a message that closes a cycle with them.
const CLOSED_GROUPS: usize = 65_536;

impl Tracker {
    /// Ends the touched messages that are final, and so is what they rest on.
    pub(super) fn harvest(&mut self, work: &mut Work) {
        while let Some(id) = work.ripe.pop_first() {
            if self.book.get(id).is_some_and(|message| self.is_final(message)) {
                self.end(id, Ending::Finalized, work);
            }
        }
    }

    fn is_final(&self, message: &TrackedMessage) -> bool {
        if message.state() != State::Tracked || message.level() != SafetyLevel::Finalized {
            return false;
        }
        if message.own == Own::BrokenForGood {
            return true;
        }
        let Some(cited) = message.message().map(|message| message.identifier) else { return false };
        let Some(view) = self.chains.get(&cited.chain_id) else { return false };
        match message.status() {
            MessageStatus::Unknown => false,
            MessageStatus::Valid => cited.block_number <= view.heads().finalized,
            MessageStatus::Invalid(_) => view.final_timestamp() >= Some(cited.timestamp),
        }
    }

    /// Ends what is open for longer than messages are kept.
    pub(super) fn expire(&mut self, now: UnixSeconds, work: &mut Work) {
        let oldest = UnixSeconds(now.0.saturating_sub(self.limits.retention));
        let is_old = |(timestamp, _): &&(UnixSeconds, MessageId)| *timestamp < oldest;
        let old = self.chains.values().flat_map(|view| view.open.iter().take_while(is_old));
        let old: Vec<MessageId> = old.map(|(_, id)| *id).collect();
        for id in old {
            self.end(id, Ending::Expired, work);
        }
        if self.groups.len() > CLOSED_GROUPS {
            let old: Vec<UnixSeconds> = self.groups.timestamps(..oldest).collect();
            for timestamp in old {
                self.groups.forget_closed(timestamp);
            }
        }
    }

    /// Ends a message's life. Its last status stays in its block's tally.
    pub(super) fn end(&mut self, id: MessageId, ending: Ending, work: &mut Work) {
        let Some(message) = self.book.get(id) else { return };
        let (key, timestamp) = (message.block.key, message.timestamp());
        let is_same_timestamp = message.is_same_timestamp();
        self.uncite(id);
        // The book may forget the message at once.
        self.book.step(id, Step::End(ending), &mut work.events);
        if let Some(view) = self.chains.get_mut(&key.chain_id) {
            view.open.remove(&(timestamp, id));
            view.close_one(&key);
        }
        if is_same_timestamp {
            self.groups.close_one(timestamp, key.chain_id);
            if self.all_final() >= Some(timestamp) {
                self.groups.forget_closed(timestamp);
            }
        }
    }
}
