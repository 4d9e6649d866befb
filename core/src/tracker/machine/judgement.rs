//! A message's status, its cause, and which other messages must be checked again.

use super::{Tracker, Work};
use crate::message::{BlockKey, Identifier};
use crate::tracker::tracked_message::{Evidence, Ground, Own, TrackedId, TrackedMessage};
use crate::tracker::{Change, State, StatusCause, Step};
use crate::validity::{InvalidReason, MessageStatus};
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;

/// What is at the height that a message cites.
#[derive(Clone, Copy)]
enum Cited {
    /// This block of the view.
    Present { hash: B256, is_deposits_only: bool },
    /// A block below the view; its hash if it is remembered.
    Below { hash: Option<B256> },
    /// Nothing: the chain ends below it, at this tip.
    Absent { tip: Option<(B256, u64)> },
}

impl Tracker {
    /// A message's status is this one now.
    pub(super) fn judge(&mut self, id: TrackedId, to: MessageStatus, ground: Ground, work: &mut Work) {
        let Some(message) = self.book.get(id).filter(|message| message.state() == State::Tracked) else {
            return;
        };
        let (executing, timestamp) = (message.block.key, message.timestamp());
        let to = settle_reason(message.status(), to);
        let identifier = message.message().map(|message| message.identifier);
        let cited = identifier.filter(|_| message.own != Own::BrokenForGood).map(|id| (id, self.cited(&id)));
        let (cause, evidence) = match &cited {
            Some((identifier, cited)) => (
                self.cause(message, identifier, cited, ground),
                self.evidence(message, identifier, cited, to),
            ),
            None => (StatusCause::Checked, Evidence::None),
        };
        if let Some(message) = self.book.get_mut(id) {
            message.ground = ground;
            message.evidence = evidence;
        }
        let change = self.book.step(id, Step::Judge { to, cause }, &mut work.events);
        if let Some(Change::Status { from, to, .. }) = change {
            work.ripe.insert(id);
            self.recount(&executing, &from, &to, work);
            if self.groups.contains(timestamp, executing.chain_id) {
                // The block's same-timestamp messages may lean on each other: they are settled without
                // themselves.
                work.dirty_groups.insert(timestamp);
            }
        }
        if let Some((identifier, cited)) = cited {
            let waits = matches!(cited, Cited::Absent { .. }) || matches!(to, MessageStatus::Invalid(_));
            if let Some(view) = self.chains.get_mut(&identifier.chain_id) {
                view.citations.set_by_claim(identifier.timestamp, id, waits);
            }
        }
    }

    fn recount(&mut self, executing: &BlockKey, from: &MessageStatus, to: &MessageStatus, work: &mut Work) {
        let Some(view) = self.chains.get_mut(&executing.chain_id) else { return };
        let Some((before, after)) = view.recount(executing, from, to) else { return };
        if before != after {
            work.moved.insert(executing.chain_id);
            self.touch_citers(executing, work);
        }
    }

    /// The block's own status is another now: anyone who cites it is touched.
    fn touch_citers(&self, block: &BlockKey, work: &mut Work) {
        let Some(view) = self.chains.get(&block.chain_id) else { return };
        for id in view.citations.at_heights(block.number..=block.number) {
            let Some(message) = self.book.get(id).filter(|message| message.own == Own::Met) else {
                continue;
            };
            if message.is_same_timestamp() {
                work.dirty_groups.insert(message.timestamp());
            } else {
                work.dirty.insert((message.timestamp(), id));
            }
        }
    }

    fn cited(&self, id: &Identifier) -> Cited {
        let Some(view) = self.chains.get(&id.chain_id) else { return Cited::Absent { tip: None } };
        let (Some(tip), Some(first)) = (view.tip(), view.first()) else { return Cited::Absent { tip: None } };
        if id.block_number > tip.key.number {
            return Cited::Absent { tip: Some((tip.key.hash, tip.key.number)) };
        }
        match view.canonical(id.block_number) {
            Some(node) if id.block_number >= first => {
                Cited::Present { hash: node.block.key.hash, is_deposits_only: node.block.is_deposits_only }
            }
            node => Cited::Below { hash: node.map(|node| node.block.key.hash) },
        }
    }

    /// Why the status is what it is now and was not before.
    fn cause(&self, message: &TrackedMessage, id: &Identifier, cited: &Cited, ground: Ground) -> StatusCause {
        let (chain_id, number) = (id.chain_id, id.block_number);
        let reorg = |old, new| StatusCause::RemoteReorg { chain_id, number, old, new };
        match (message.evidence, cited) {
            (
                Evidence::Gone { hash: old, was_invalid: true },
                Cited::Present { hash, is_deposits_only: true },
            ) if old != *hash => {
                StatusCause::RemoteReplacement { old: BlockKey { chain_id, number, hash: old }, new: *hash }
            }
            (Evidence::Gone { hash: old, .. }, Cited::Present { hash, .. }) => reorg(old, Some(*hash)),
            (Evidence::Cited { hash: old }, Cited::Present { hash, .. }) if old != *hash => {
                reorg(old, Some(*hash))
            }
            (Evidence::Cited { hash: old } | Evidence::Gone { hash: old, .. }, Cited::Absent { .. }) => {
                reorg(old, None)
            }
            (Evidence::Tip { hash: old, number: tip }, _) if self.has_lost(chain_id, tip, old) => {
                let now = self.chains.get(&chain_id).and_then(|view| view.block(number));
                reorg(old, now.map(|block| block.key.hash))
            }
            _ => self.current_cause(message, id, cited, ground),
        }
    }

    /// The cause, if the cited block is the same as before.
    fn current_cause(
        &self,
        message: &TrackedMessage,
        id: &Identifier,
        cited: &Cited,
        ground: Ground,
    ) -> StatusCause {
        let is_or_was = |wanted| ground == wanted || message.ground == wanted;
        let hash = match cited {
            Cited::Present { hash, .. } => Some(*hash),
            Cited::Below { hash } => *hash,
            Cited::Absent { .. } => None,
        };
        if is_or_was(Ground::Cycle) {
            return StatusCause::SameTimestamp { timestamp: message.timestamp() };
        }
        if let Some(hash) = hash.filter(|_| is_or_was(Ground::CitedBlock)) {
            let block = BlockKey { chain_id: id.chain_id, number: id.block_number, hash };
            return StatusCause::CitedBlock { block };
        }
        if is_or_was(Ground::Horizon) && message.life.decided().is_some() {
            return StatusCause::SameTimestamp { timestamp: message.timestamp() };
        }
        StatusCause::Checked
    }

    /// What the status rests on from now on. What an undecided message rested on stays with it, for its next
    /// cause.
    fn evidence(
        &self,
        message: &TrackedMessage,
        id: &Identifier,
        cited: &Cited,
        to: MessageStatus,
    ) -> Evidence {
        let is_decided = to != MessageStatus::Unknown;
        match (message.evidence, cited) {
            (_, Cited::Present { hash, .. }) if is_decided => Evidence::Cited { hash: *hash },
            (Evidence::Tip { hash, number }, Cited::Absent { tip })
                if self.has_lost(id.chain_id, number, hash) =>
            {
                match tip {
                    Some((hash, number)) if is_decided => Evidence::Tip { hash: *hash, number: *number },
                    _ => Evidence::Gone { hash, was_invalid: false },
                }
            }
            (Evidence::None, Cited::Absent { tip: Some((hash, number)) }) if is_decided => {
                Evidence::Tip { hash: *hash, number: *number }
            }
            (Evidence::Gone { .. } | Evidence::Cited { .. }, Cited::Absent { tip: Some((hash, number)) })
                if is_decided =>
            {
                Evidence::Tip { hash: *hash, number: *number }
            }
            (Evidence::Cited { hash }, Cited::Absent { .. }) => {
                Evidence::Gone { hash, was_invalid: self.was_invalid(id.chain_id, id.block_number, hash) }
            }
            (evidence, _) => evidence,
        }
    }

    fn has_lost(&self, chain_id: ChainId, number: u64, hash: B256) -> bool {
        let Some(view) = self.chains.get(&chain_id) else { return false };
        let is_below = view.first().is_some_and(|first| number < first);
        !is_below && view.block(number).map(|block| block.key.hash) != Some(hash)
    }

    fn was_invalid(&self, chain_id: ChainId, number: u64, hash: B256) -> bool {
        let node = self.chains.get(&chain_id).and_then(|view| view.displaced.get(&number));
        node.is_some_and(|node| node.block.key.hash == hash && node.was_invalid)
    }
}

/// A block that is still missing changes nothing: the reported reason remains.
const fn settle_reason(from: MessageStatus, to: MessageStatus) -> MessageStatus {
    match (from, to) {
        (
            MessageStatus::Invalid(InvalidReason::BlockNotFound { .. }),
            MessageStatus::Invalid(InvalidReason::BlockNotFound { .. }),
        ) => from,
        _ => to,
    }
}
