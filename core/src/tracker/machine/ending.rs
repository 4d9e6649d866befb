//! How messages' lives end.

use super::{Tracker, Work};
use crate::heads::SafetyLevel;
use crate::message::BlockKey;
use crate::tracker::block_node::BlockNode;
use crate::tracker::tracked_message::{Own, TrackedId, TrackedMessage};
use crate::tracker::{Ending, ObservedBlock, State, Step};
use crate::validity::MessageStatus;
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::sync::Arc;

/// Above how many timestamps those whose messages have all ended are forgotten although a chain, still far
/// behind, may yet bring a message that closes a cycle with them.
const CLOSED_GROUPS: usize = 65_536;

impl Tracker {
    /// Ends the touched messages that are final, if what they depend on is final too.
    pub(super) fn finish_ripe(&mut self, work: &mut Work) {
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
        let is_old = |(timestamp, _): &&(UnixSeconds, TrackedId)| *timestamp < oldest;
        let old = self.chains.values().flat_map(|view| view.open.iter().take_while(is_old));
        let old: Vec<TrackedId> = old.map(|(_, id)| *id).collect();
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

    /// A block comes in the place of dropped ones, whose messages end: resolved or orphaned. Where one was
    /// invalid and this is not a block of deposits alone, its block waits for the final one: the sequencer
    /// may build the height again before derivation replaces it because of that very message.
    pub(super) fn end_replaced(&mut self, by: &ObservedBlock, work: &mut Work) {
        let BlockKey { chain_id, number, hash } = by.key;
        let Some(view) = self.chains.get_mut(&chain_id) else { return };
        let mut gone: Vec<BlockNode> = view.displaced.remove(&number).into_iter().collect();
        if by.is_deposits_only {
            gone.extend(view.supplanted.remove(&number).into_iter().flatten());
        }
        let (waiting, over): (Vec<_>, Vec<_>) =
            gone.into_iter().partition(|node| !by.is_deposits_only && self.has_invalid_message(node));
        if !waiting.is_empty()
            && let Some(view) = self.chains.get_mut(&chain_id)
        {
            view.supplanted.entry(number).or_default().extend(waiting);
        }
        over.iter().for_each(|node| self.end_displaced(node, hash, by.is_deposits_only, work));
    }

    /// Ends the messages of dropped blocks at heights that are final now.
    pub(super) fn end_supplanted(&mut self, chain_id: ChainId, work: &mut Work) {
        let Some(view) = self.chains.get_mut(&chain_id) else { return };
        let final_heights: Vec<u64> =
            view.supplanted.range(..=view.heads.finalized).map(|(number, _)| *number).collect();
        for number in final_heights {
            let Some(view) = self.chains.get_mut(&chain_id) else { return };
            let Some(by) = view.canonical(number).map(|node| Arc::clone(&node.block)) else { continue };
            for node in view.supplanted.remove(&number).into_iter().flatten() {
                self.end_displaced(&node, by.key.hash, by.is_deposits_only, work);
            }
        }
    }

    /// Whether a message of a dropped block was last found invalid.
    fn has_invalid_message(&self, node: &BlockNode) -> bool {
        let mut messages = node.ids().filter_map(|id| self.book.get(id));
        messages.any(|message| message.state().is_open() && message.life.decided() == Some(false))
    }

    fn end_displaced(&mut self, node: &BlockNode, by: B256, is_deposits_only: bool, work: &mut Work) {
        for id in node.ids() {
            let Some(message) = self.book.get(id).filter(|message| message.state().is_open()) else {
                continue;
            };
            let ending = Ending::displaced(message.life.decided(), by, is_deposits_only);
            self.end(id, ending, work);
        }
    }

    /// Ends a message's life. Its last status stays in its block's tally.
    pub(super) fn end(&mut self, id: TrackedId, ending: Ending, work: &mut Work) {
        let Some(message) = self.book.get(id) else { return };
        let (key, timestamp) = (message.block.key, message.timestamp());
        // A dropped block is in no group: its chain may have another block there.
        let is_grouped = message.is_same_timestamp() && message.state() == State::Tracked;
        self.uncite(id);
        // The book may forget the message at once.
        self.book.step(id, Step::End(ending), &mut work.events);
        if let Some(view) = self.chains.get_mut(&key.chain_id) {
            view.open.remove(&(timestamp, id));
            view.close_one(&key);
        }
        if is_grouped {
            self.groups.close_one(timestamp, key.chain_id);
            if self.all_final() >= Some(timestamp) {
                self.groups.forget_closed(timestamp);
            }
        }
    }
}
