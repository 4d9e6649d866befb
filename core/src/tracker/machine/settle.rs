//! What was touched is settled: earlier timestamps first, because no message cites a later block.

use super::round::{Round, status_by_cited};
use super::{Tracker, Work};
use crate::message::{BlockKey, ChainHeight};
use crate::tracker::State;
use crate::tracker::same_timestamp::GroupMember;
use crate::tracker::tracked_message::{Own, TrackedId};
use crate::validity::{InvalidReason, Validity};
use crosscheck_p2p::UnixSeconds;
use std::collections::BTreeSet;

impl Tracker {
    /// Settles everything that was touched.
    pub(super) fn settle(&mut self, work: &mut Work) {
        while let Some(timestamp) = work.earliest() {
            while let Some(id) = work.next_at(timestamp) {
                self.settle_one(id, work);
            }
            if work.dirty_groups.remove(&timestamp) {
                self.settle_group(timestamp, work);
            }
        }
    }

    /// A message whose cited block is earlier.
    fn settle_one(&mut self, id: TrackedId, work: &mut Work) {
        let Some(message) = self.book.get(id).filter(|message| message.own.is_met()) else { return };
        let lasts = message.own == Own::MetForGood;
        let Some(cited) = message.message().map(|message| message.identifier) else { return };
        let (validity, block) = if lasts {
            (Validity::Valid, None)
        } else {
            self.canonical((cited.chain_id, cited.block_number))
        };
        let (to, ground) = status_by_cited(validity, block);
        self.judge(id, to, ground, work);
    }

    /// The messages that were initiated and executed at one timestamp.
    fn settle_group(&mut self, timestamp: UnixSeconds, work: &mut Work) {
        let is_complete = self.horizon().is_some_and(|horizon| timestamp <= horizon);
        let round = self.gather(timestamp);
        for (id, to, ground) in round.decide(is_complete) {
            self.judge(id, to, ground, work);
        }
        // The round has taken its own changes into account: no message of this timestamp is to be settled
        // again.
        work.dirty_groups.remove(&timestamp);
    }

    fn gather(&self, timestamp: UnixSeconds) -> Round {
        let mut round = Round::default();
        let mut gathered = BTreeSet::new();
        for (place, members) in self.groups.at(timestamp) {
            gathered.insert(place);
            self.gather_block(&mut round, timestamp, place, members);
        }
        // A block of this timestamp without such messages depends on no other block of the round.
        let others: Vec<ChainHeight> = round.cited().filter(|at| !gathered.contains(at)).collect();
        for at in others {
            let (validity, block) = self.canonical(at);
            round.set_own(at, block, validity);
        }
        round
    }

    /// One block's messages whose own clauses are met, and what the block is without them.
    fn gather_block(
        &self,
        round: &mut Round,
        timestamp: UnixSeconds,
        at: ChainHeight,
        members: &[GroupMember],
    ) {
        let (chain_id, number) = at;
        let Some(node) = self.chains.get(&chain_id).and_then(|view| view.canonical(number)) else {
            // It was forgotten: its messages have ended.
            let (validity, block) = self.canonical(at);
            return round.set_own(at, block, validity);
        };
        let mut without = node.tally();
        for message in members.iter().filter_map(|member| self.book.get(member.id?)) {
            if !message.own.is_met() || message.state() != State::Tracked {
                continue;
            }
            let Some(cited) = message.message().map(|message| message.identifier) else { continue };
            without.remove(&message.status());
            let cites = (message.own == Own::Met).then_some((cited.chain_id, cited.block_number));
            round.add_message(message.id, at, cites);
        }
        round.set_own(at, Some(node.block.key), without.validity());
        if self.groups.is_cyclic(timestamp, chain_id) {
            round.break_cycle(at, InvalidReason::Cycle { timestamp });
        }
    }

    /// The validity of the canonical block at a height, and which block it is, if it is known. A block below
    /// the view that is not remembered is settled.
    fn canonical(&self, (chain_id, number): ChainHeight) -> (Validity, Option<BlockKey>) {
        let Some(view) = self.chains.get(&chain_id) else { return (Validity::Unknown, None) };
        match view.canonical(number) {
            Some(node) => (node.validity(), Some(node.block.key)),
            None if view.first().is_some_and(|first| number < first) => (Validity::Valid, None),
            None => (Validity::Unknown, None),
        }
    }
}

impl Work {
    /// The earliest timestamp that something of was touched.
    fn earliest(&self) -> Option<UnixSeconds> {
        let message = self.dirty.first().map(|(timestamp, _)| *timestamp);
        let group = self.dirty_groups.first().copied();
        message.into_iter().chain(group).min()
    }

    /// A touched message of this timestamp.
    fn next_at(&mut self, timestamp: UnixSeconds) -> Option<TrackedId> {
        let (at, _) = self.dirty.first()?;
        if *at != timestamp {
            return None;
        }
        self.dirty.pop_first().map(|(_, id)| id)
    }
}
