//! What a tracker must say, the slow way: after every input every status is found again, by definition.
//!
//! Invalid is the least set that holds the broken messages and anyone who cites a block with an invalid one;
//! unknown is, of the others, the least set that holds those that lack a fact and anyone who cites a block
//! with an unknown one.

use super::world::World;
use crate::heads::{SafetyHeads, SafetyLevel};
use crate::tracker::{Input, MessageKey, ObservedBlock};
use crate::validity::{
    CycleRule, Execution, InvalidReason, MessageStatus, Objection, SameTimestamp, check_executed, check_log,
    check_tip, cyclic_chains,
};
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) block: Arc<ObservedBlock>,
    pub(super) position: usize,
    /// "tracked", "displaced", or the ending's name.
    pub(super) state: &'static str,
    pub(super) status: MessageStatus,
    pub(super) level: SafetyLevel,
    pub(super) decided: Option<bool>,
    pub(super) flips: u32,
    /// The cited block whose logs were seen for it.
    seen: Option<B256>,
}

impl Life {
    pub(super) fn key(&self) -> MessageKey {
        MessageKey { block: self.block.key, log_index: self.block.executed[self.position].log_index }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, "tracked" | "displaced")
    }
}

#[derive(Debug, Default)]
pub(super) struct Reference {
    pub(super) chains: BTreeMap<ChainId, Vec<Arc<ObservedBlock>>>,
    pub(super) heads: BTreeMap<ChainId, SafetyHeads>,
    pub(super) lives: Vec<Life>,
    /// Logs that were asked for and not given.
    pub(super) outstanding: BTreeSet<(ChainId, u64)>,
    pub(super) retention: u64,
}

/// What a message is by itself.
enum Own {
    Unknown,
    Broken(InvalidReason),
    Holds { lasts: bool },
}

impl Reference {
    fn tip(&self, id: ChainId) -> Option<&Arc<ObservedBlock>> {
        self.chains.get(&id).and_then(|blocks| blocks.last())
    }

    pub(super) fn canonical(&self, id: ChainId, number: u64) -> Option<&Arc<ObservedBlock>> {
        self.chains.get(&id)?.iter().find(|block| block.key.number == number)
    }

    /// Takes in what changes the facts. [`Self::conclude`] must follow.
    pub(super) fn apply_input(&mut self, input: &Input) {
        match input {
            Input::Block(block) => self.arrive(block),
            Input::Rewound { chain_id, kept } => {
                if let Some(blocks) = self.chains.get_mut(chain_id) {
                    blocks.retain(|block| block.key.number <= *kept);
                }
                self.outstanding.retain(|(id, number)| id != chain_id || number <= kept);
                for life in self.lives.iter_mut().filter(|life| life.state == "tracked") {
                    if life.block.key.chain_id == *chain_id && life.block.key.number > *kept {
                        life.state = "displaced";
                    }
                }
            }
            Input::Heads { chain_id, heads } => {
                self.heads.insert(*chain_id, *heads);
                self.orphan(*chain_id);
            }
            Input::Answer { request, .. } => {
                self.outstanding.remove(&request.place());
            }
            Input::Time(now) => {
                for life in self.lives.iter_mut().filter(|life| life.is_open()) {
                    if life.block.timestamp.0 + self.retention < now.0 {
                        life.state = "expired";
                    }
                }
            }
        }
    }

    /// What was dropped for another block is over once that is final.
    fn orphan(&mut self, chain_id: ChainId) {
        let finalized = self.heads.get(&chain_id).map_or(0, |heads| heads.finalized);
        for index in 0..self.lives.len() {
            let (key, state) = (self.lives[index].block.key, self.lives[index].state);
            let is_due = key.chain_id == chain_id && state == "displaced" && key.number <= finalized;
            if is_due && self.canonical(chain_id, key.number).is_some() {
                self.lives[index].state = "orphaned";
            }
        }
    }

    fn arrive(&mut self, block: &Arc<ObservedBlock>) {
        let key = block.key;
        let is_invalid = |life: &&Life| life.state == "displaced" && life.decided == Some(false);
        let broken: BTreeSet<B256> =
            self.lives.iter().filter(is_invalid).map(|life| life.block.key.hash).collect();
        let mut is_back = false;
        for life in self.lives.iter_mut().filter(|life| life.state == "displaced") {
            if life.block.key == key {
                life.state = "tracked";
                is_back = true;
            } else if (life.block.key.chain_id, life.block.key.number) == (key.chain_id, key.number)
                && (block.is_deposits_only || !broken.contains(&life.block.key.hash))
            {
                let is_resolved = life.decided == Some(false) && block.is_deposits_only;
                life.state = if is_resolved { "resolved" } else { "orphaned" };
            }
        }
        self.chains.entry(key.chain_id).or_default().push(Arc::clone(block));
        if !is_back {
            let new = (0..block.executed.len()).map(|position| Life {
                block: Arc::clone(block),
                position,
                state: "tracked",
                status: MessageStatus::Unknown,
                level: SafetyLevel::Unsafe,
                decided: None,
                flips: 0,
                seen: None,
            });
            self.lives.extend(new);
        }
        self.orphan(key.chain_id);
    }

    /// Finds every status, level and ending again.
    pub(super) fn conclude(&mut self, world: &World, first: &BTreeMap<ChainId, u64>) {
        let statuses = self.statuses(world);
        for (life, status) in self.lives.iter_mut().zip(statuses) {
            let Some(status) = status.filter(|_| life.state == "tracked") else { continue };
            life.status = status;
            let decided = match status {
                MessageStatus::Unknown => None,
                MessageStatus::Valid => Some(true),
                MessageStatus::Invalid(_) => Some(false),
            };
            if let Some(now) = decided {
                life.flips += u32::from(life.decided == Some(!now));
                life.decided = Some(now);
            }
        }
        let cross_unsafe: BTreeMap<ChainId, u64> =
            first.iter().map(|(id, first)| (*id, self.cross_unsafe(*id, *first).unwrap_or(0))).collect();
        let levels: Vec<SafetyLevel> =
            self.lives.iter().map(|life| self.level(life, &cross_unsafe)).collect();
        for (life, level) in self.lives.iter_mut().zip(levels) {
            if life.state == "tracked" {
                life.level = level;
            }
        }
        let final_ones: Vec<bool> = self.lives.iter().map(|life| self.is_final(world, life)).collect();
        for (life, is_final) in self.lives.iter_mut().zip(final_ones) {
            if is_final {
                life.state = "finalized";
            }
        }
    }

    /// The new status of each tracked message.
    fn statuses(&mut self, world: &World) -> Vec<Option<MessageStatus>> {
        let owns: Vec<Own> = (0..self.lives.len()).map(|index| self.own(world, index)).collect();
        let mut found: Vec<Option<MessageStatus>> = self
            .lives
            .iter()
            .zip(&owns)
            .map(|(life, own)| match (life.state, own) {
                ("tracked", Own::Broken(reason)) => Some(MessageStatus::Invalid(*reason)),
                ("tracked", Own::Holds { .. }) if self.is_cyclic(life) => {
                    Some(MessageStatus::Invalid(InvalidReason::Cycle { timestamp: life.block.timestamp }))
                }
                ("tracked", _) => None,
                _ => Some(life.status),
            })
            .collect();
        self.spread(
            &owns,
            &mut found,
            |status| matches!(status, MessageStatus::Invalid(_)),
            |block| {
                let crate::message::BlockKey { chain_id, number, hash } = block.key;
                MessageStatus::Invalid(InvalidReason::InitiatingBlockInvalid { chain_id, number, hash })
            },
        );
        for ((life, own), status) in self.lives.iter().zip(&owns).zip(&mut found) {
            let is_early = is_same_timestamp(life) && !self.is_complete(world, life.block.timestamp);
            if status.is_none() && (matches!(own, Own::Unknown) || is_early) {
                *status = Some(MessageStatus::Unknown);
            }
        }
        self.spread(
            &owns,
            &mut found,
            |status| *status == MessageStatus::Unknown,
            |_| MessageStatus::Unknown,
        );
        found.into_iter().map(|status| Some(status.unwrap_or(MessageStatus::Valid))).collect()
    }

    /// Gives `status_of(cited block)` to anyone who holds and cites a block with such a message, until
    /// nothing changes.
    fn spread(
        &self,
        owns: &[Own],
        found: &mut [Option<MessageStatus>],
        is_spreading: impl Fn(&MessageStatus) -> bool,
        status_of: impl Fn(&ObservedBlock) -> MessageStatus,
    ) {
        let current = self.current();
        loop {
            let sources: BTreeSet<B256> = self
                .lives
                .iter()
                .zip(found.iter())
                .enumerate()
                .filter(|(index, (life, _))| life.state != "displaced" && current.contains(index))
                .filter(|(_, (_, status))| status.as_ref().is_some_and(&is_spreading))
                .map(|(_, (life, _))| life.block.key.hash)
                .collect();
            let mut has_changed = false;
            for (index, life) in self.lives.iter().enumerate() {
                if found[index].is_some() || !matches!(owns[index], Own::Holds { lasts: false }) {
                    continue;
                }
                let id = life.block.executed[life.position].message.message.identifier;
                let cited = self.canonical(id.chain_id, id.block_number).unwrap();
                if sources.contains(&cited.key.hash) {
                    found[index] = Some(status_of(cited));
                    has_changed = true;
                }
            }
            if !has_changed {
                return;
            }
        }
    }

    fn own(&mut self, world: &World, index: usize) -> Own {
        let life = &self.lives[index];
        let execution = Execution { chain_id: life.block.key.chain_id, timestamp: life.block.timestamp };
        let message = match check_executed(&world.set(), execution, &life.block.executed[life.position]) {
            Ok(message) => message,
            Err(Objection::Broken(reason)) => return Own::Broken(reason),
            Err(Objection::Unclear(unclear)) => panic!("{unclear}"),
        };
        let place = (message.identifier.chain_id, message.identifier.block_number);
        let cited = self.canonical(place.0, place.1).map(|block| block.key.hash);
        let tip = self.tip(place.0).map(|tip| (tip.key.number, tip.timestamp));
        let is_known = !self.outstanding.contains(&place);
        let life = &mut self.lives[index];
        let Some(cited) = cited else {
            life.seen = None;
            return tip.and_then(|tip| check_tip(&message, tip)).map_or(Own::Unknown, Own::Broken);
        };
        if life.state == "displaced" {
            life.seen = None;
            return Own::Unknown;
        }
        if life.seen != Some(cited) && !is_known {
            life.seen = None;
            return Own::Unknown;
        }
        life.seen = Some(cited);
        let lasts = world.logs[&cited].survives_replacement(message.identifier.log_index);
        check_log(&message, &world.logs[&cited]).map_or_else(Own::Broken, |()| Own::Holds { lasts })
    }

    fn is_cyclic(&self, life: &Life) -> bool {
        if !is_same_timestamp(life) {
            return false;
        }
        let at = life.block.timestamp;
        let blocks = self.chains.values().flatten().filter(|block| block.timestamp == at);
        let nodes = blocks.flat_map(|block| {
            let execution = Execution { chain_id: block.key.chain_id, timestamp: at };
            block.executed.iter().filter_map(move |executed| SameTimestamp::of(execution, executed))
        });
        cyclic_chains(CycleRule::default(), &nodes.collect::<Vec<_>>()).contains(&life.block.key.chain_id)
    }

    fn is_complete(&self, world: &World, at: UnixSeconds) -> bool {
        world.block_times.keys().all(|id| self.tip(*id).is_some_and(|tip| tip.timestamp >= at))
    }

    pub(super) fn cross_unsafe(&self, id: ChainId, first: u64) -> Option<u64> {
        let current = self.current();
        let is_valid = |block: &&Arc<ObservedBlock>| {
            let lives = current.iter().map(|index| &self.lives[*index]);
            lives.filter(|life| life.block.key == block.key).all(|life| life.status == MessageStatus::Valid)
        };
        let blocks = self.chains.get(&id)?.iter().filter(|block| block.key.number >= first);
        blocks.take_while(is_valid).last().map(|block| block.key.number)
    }

    /// The last life of each message: a block that came back after another has new ones.
    pub(super) fn current(&self) -> BTreeSet<usize> {
        let last: BTreeMap<MessageKey, usize> =
            self.lives.iter().enumerate().map(|(index, life)| (life.key(), index)).collect();
        last.into_values().collect()
    }

    fn level(&self, life: &Life, cross_unsafe: &BTreeMap<ChainId, u64>) -> SafetyLevel {
        let id = life.block.key.chain_id;
        let heads = self.heads.get(&id).copied().unwrap_or_default();
        heads.level_of(life.block.key.number, cross_unsafe.get(&id).copied().unwrap_or(0))
    }

    fn is_final(&self, world: &World, life: &Life) -> bool {
        let head = |id| self.heads.get(&id).map_or(0, |heads| heads.finalized);
        if life.state != "tracked" || life.block.key.number > head(life.block.key.chain_id) {
            return false;
        }
        let execution = Execution { chain_id: life.block.key.chain_id, timestamp: life.block.timestamp };
        let Ok(message) = check_executed(&world.set(), execution, &life.block.executed[life.position]) else {
            return true;
        };
        let id = message.identifier;
        let final_until = || {
            let tip = self.tip(id.chain_id)?;
            let number = head(id.chain_id).min(tip.key.number);
            self.canonical(id.chain_id, number).map(|block| block.timestamp)
        };
        match life.status {
            MessageStatus::Unknown => false,
            MessageStatus::Valid => id.block_number <= head(id.chain_id),
            MessageStatus::Invalid(_) => final_until() >= Some(id.timestamp),
        }
    }
}

fn is_same_timestamp(life: &Life) -> bool {
    let message = life.block.executed[life.position].message.message;
    message.identifier.timestamp == life.block.timestamp
}

/// The same status, no matter which tip proved a block missing.
pub(super) fn alike(one: &MessageStatus, other: &MessageStatus) -> bool {
    match (one, other) {
        (
            MessageStatus::Invalid(InvalidReason::BlockNotFound { number: a, .. }),
            MessageStatus::Invalid(InvalidReason::BlockNotFound { number: b, .. }),
        ) => a == b,
        _ => one == other,
    }
}
