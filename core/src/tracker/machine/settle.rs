//! What was touched is settled: earlier timestamps first, because no message cites a later block.

use super::round::{Round, Standing};
use super::{Tracker, Work};
use crate::tracker::same_timestamp::{GroupMember, Place};
use crate::tracker::tracked_message::{Own, TrackedId};
use crate::tracker::{BlockStatus, State};
use crate::validity::InvalidReason;
use crosscheck_p2p::{ChainId, UnixSeconds};
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
        let Some(message) = self.book.get(id).filter(|message| message.own.holds()) else { return };
        let lasts = message.own == Own::Last;
        let Some(cited) = message.message().map(|message| message.identifier) else { return };
        let standing =
            if lasts { Standing::Valid } else { self.standing(cited.chain_id, cited.block_number) };
        let (to, ground) = standing.of_citer();
        self.judge(id, to, ground, work);
    }

    /// The messages that were initiated and executed at one timestamp.
    fn settle_group(&mut self, timestamp: UnixSeconds, work: &mut Work) {
        let is_complete = self.horizon().is_some_and(|horizon| timestamp <= horizon);
        let round = self.gather(timestamp);
        for (id, to, ground) in round.decide(is_complete) {
            self.judge(id, to, ground, work);
        }
        // The round has heeded every word of its own: nobody of this timestamp has more to hear.
        work.dirty_groups.remove(&timestamp);
    }

    fn gather(&self, timestamp: UnixSeconds) -> Round {
        let mut round = Round::default();
        let mut gathered = BTreeSet::new();
        for (place, members) in self.groups.at(timestamp) {
            gathered.insert(place);
            self.gather_block(&mut round, timestamp, place, members);
        }
        // A block of this timestamp that has no such messages leans on nobody here: its standing is what it is.
        let others: Vec<Place> = round.leaned_on().filter(|place| !gathered.contains(place)).collect();
        for (chain_id, number) in others {
            round.set_standing((chain_id, number), self.standing(chain_id, number));
        }
        round
    }

    /// One block's messages whose own clauses hold, and what the block is without them.
    fn gather_block(
        &self,
        round: &mut Round,
        timestamp: UnixSeconds,
        (chain_id, number): Place,
        members: &[GroupMember],
    ) {
        let Some(node) = self.chains.get(&chain_id).and_then(|view| view.canonical(number)) else { return };
        let mut without = node.tally();
        for message in members.iter().filter_map(|member| self.book.get(member.id?)) {
            if !message.own.holds() || message.state() != State::Tracked {
                continue;
            }
            let Some(cited) = message.message().map(|message| message.identifier) else { continue };
            without.remove(&message.status());
            let leans_on = (message.own == Own::Hold).then_some((cited.chain_id, cited.block_number));
            round.join(message.id, node.block.key, leans_on);
        }
        round.set_standing(
            (chain_id, number),
            match without.status() {
                BlockStatus::Valid => Standing::Valid,
                BlockStatus::Unknown => Standing::Unknown,
                BlockStatus::Invalid => Standing::Invalid(node.block.key),
            },
        );
        if self.groups.is_cyclic(timestamp, chain_id) {
            round.break_cycle(node.block.key, InvalidReason::Cycle { timestamp });
        }
    }

    /// What the canonical block at a height is. What lies below the view and is not remembered is settled.
    fn standing(&self, chain_id: ChainId, number: u64) -> Standing {
        let Some(view) = self.chains.get(&chain_id) else { return Standing::Unknown };
        match view.canonical(number) {
            Some(node) => match node.status() {
                BlockStatus::Valid => Standing::Valid,
                BlockStatus::Unknown => Standing::Unknown,
                BlockStatus::Invalid => Standing::Invalid(node.block.key),
            },
            None if view.first().is_some_and(|first| number < first) => Standing::Valid,
            None => Standing::Unknown,
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
