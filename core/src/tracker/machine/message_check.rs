//! A message's own clauses: what it claims, and what its cited block's proven logs say.

use super::{Tracker, Work};
use crate::message::{BlockKey, Identifier, Message};
use crate::proof::ProvenLogs;
use crate::tracker::tracked_message::{Ground, Own, TrackedId};
use crate::tracker::{Request, State};
use crate::validity::{
    Execution, InvalidReason, MessageStatus, Objection, check_executed, check_log, check_tip,
};
use std::sync::Arc;

/// The result of the search for the cited log.
enum Finding {
    /// The chain is not there yet, or the logs are awaited.
    Nothing,
    Broken(InvalidReason),
    Holds {
        lasts: bool,
    },
}

/// What is known of the cited block.
enum Logs<'a> {
    Kept,
    Given(&'a Arc<ProvenLogs>),
}

impl Tracker {
    /// Checks a message's own clauses, by what is known now.
    pub(super) fn check_message(&mut self, id: TrackedId, work: &mut Work) {
        self.check_message_with(id, &Logs::Kept, work);
    }

    /// An answer to a request has come.
    pub(super) fn answer(&mut self, request: &Request, logs: &Arc<ProvenLogs>, work: &mut Work) {
        let (chain_id, number) = request.place();
        let Some(view) = self.chains.get_mut(&chain_id) else { return };
        // Else it has been overtaken: the block was dropped since it was asked for.
        if !view.awaits(request) {
            return;
        }
        // Needed or not: a message that still lacks it requests it again.
        view.fulfil(request);
        let Some(first) = view.first().filter(|_| is_answer(request, logs)) else { return };
        let expected = view.canonical(number).map(|node| node.block.key.hash);
        if expected.map_or(number >= first, |hash| logs.hash() != hash) {
            return;
        }
        let citers: Vec<TrackedId> = view.citations.at_heights(number..=number).collect();
        if number < first {
            self.settled.put((chain_id, number), logs.hash());
        }
        let answer = Logs::Given(logs);
        for id in citers {
            if self.book.get(id).is_some_and(|message| message.own == Own::Unknown) {
                self.check_message_with(id, &answer, work);
            }
        }
    }

    fn check_message_with(&mut self, id: TrackedId, logs: &Logs<'_>, work: &mut Work) {
        if !self.check_once(id, work) {
            return;
        }
        let Some(message) = self.book.get(id) else { return };
        let (timestamp, is_same_timestamp) = (message.timestamp(), message.is_same_timestamp());
        let Some(claimed) = message.message().copied() else { return };
        let finding = self.find(&claimed, logs, work);
        let Some(message) = self.book.get_mut(id) else { return };
        message.own = match finding {
            Finding::Nothing => Own::Unknown,
            Finding::Broken(_) => Own::Broken,
            Finding::Holds { lasts: false } => Own::Met,
            Finding::Holds { lasts: true } => Own::MetForGood,
        };
        if is_same_timestamp {
            work.dirty_groups.insert(timestamp);
        }
        match finding {
            Finding::Nothing => self.judge(id, MessageStatus::Unknown, Ground::Own, work),
            Finding::Broken(reason) => self.judge(id, MessageStatus::Invalid(reason), Ground::Own, work),
            Finding::Holds { .. } if is_same_timestamp => {}
            Finding::Holds { .. } => {
                work.dirty.insert((timestamp, id));
            }
        }
    }

    /// Checks what needs nothing but the block and the dependency set, the first time. Whether there is more
    /// to check.
    fn check_once(&mut self, id: TrackedId, work: &mut Work) -> bool {
        let Some(message) = self.book.get_mut(id).filter(|message| message.state() == State::Tracked) else {
            return false;
        };
        match message.own {
            Own::BrokenForGood => return false,
            Own::Unknown | Own::Broken | Own::Met | Own::MetForGood => return true,
            Own::Unchecked => {}
        }
        let execution = Execution { chain_id: message.block.key.chain_id, timestamp: message.timestamp() };
        let Some(executed) = message.executed() else { return false };
        match check_executed(&self.set, execution, executed) {
            Ok(_) => {
                message.own = Own::Unknown;
                self.cite(id);
                true
            }
            // It stays unchecked until more is known of the rules.
            Err(Objection::Unclear(_)) => {
                self.unclear.insert(id);
                false
            }
            Err(Objection::Broken(reason)) => {
                message.own = Own::BrokenForGood;
                self.judge(id, MessageStatus::Invalid(reason), Ground::Own, work);
                false
            }
        }
    }

    /// Checks again the messages that could not be judged by what was known of the rules.
    pub(super) fn recheck_unclear(&mut self, work: &mut Work) {
        for id in std::mem::take(&mut self.unclear) {
            self.check_message(id, work);
        }
    }

    /// Checks a message against the chain that it cites.
    fn find(&mut self, message: &Message, logs: &Logs<'_>, work: &mut Work) -> Finding {
        let id = &message.identifier;
        let Some(view) = self.chains.get(&id.chain_id) else { return Finding::Nothing };
        let (Some(tip), Some(first)) = (view.tip(), view.first()) else { return Finding::Nothing };
        if id.block_number > tip.key.number {
            return check_tip(message, (tip.key.number, tip.timestamp))
                .map_or(Finding::Nothing, Finding::Broken);
        }
        let canonical = view.canonical(id.block_number).map(|node| node.block.key);
        let kept = match logs {
            Logs::Given(logs) => Some(Arc::clone(logs)),
            Logs::Kept => {
                let settled = || self.settled.get(&(id.chain_id, id.block_number)).copied();
                let hash = canonical.map(|key| key.hash).or_else(settled);
                hash.and_then(|hash| self.index.get(id.chain_id, hash))
            }
        };
        match kept {
            Some(logs) => {
                let lasts = logs.survives_replacement(id.log_index);
                check_log(message, &logs).map_or_else(Finding::Broken, |()| Finding::Holds { lasts })
            }
            None => {
                self.request(id, canonical.filter(|_| id.block_number >= first), work);
                Finding::Nothing
            }
        }
    }

    /// Asks for logs, once.
    fn request(&mut self, id: &Identifier, block: Option<BlockKey>, work: &mut Work) {
        let Some(view) = self.chains.get_mut(&id.chain_id) else { return };
        let canonical = Request::Canonical { chain_id: id.chain_id, number: id.block_number };
        work.requests.extend(view.request(block.map_or(canonical, Request::Logs)));
    }
}

/// Whether these are logs that the request is for. Any block of a height may be the canonical one.
fn is_answer(request: &Request, logs: &ProvenLogs) -> bool {
    let is_of_its_place = (logs.chain_id(), logs.number()) == request.place();
    match request {
        Request::Logs(key) => is_of_its_place && logs.hash() == key.hash,
        Request::Canonical { .. } => is_of_its_place,
    }
}
