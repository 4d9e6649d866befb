//! [`Closure`]: a block and all that its validity depends on, as far as it is known. Pure: blocks come in,
//! requests go out.
//!
//! A message is valid only if the block that it cites is valid, and so on for that block's messages. The
//! closure follows citations back until blocks that are settled (found valid before, or without messages) or
//! final. That a block is final does not make it valid: what cites it may be checked long after. So a final
//! block that a block which is not cites is examined like any other; only what it cites, being final too, is
//! taken to be valid if its logs are right. Messages of one timestamp may cite each other; blocks are thus
//! taken to be valid until something is wrong with them, and [`Propagation`] decides. A same-timestamp
//! message is only valid once every chain's block of that timestamp is known, and no cycle includes it.
//!
//! ```text
//! settled, or final and cited by nothing but final blocks -------------> valid by itself
//! a message breaks a clause, or the chain is cyclic at the timestamp --> invalid by itself
//! a fact is missing --------------------------------------------------> unknown by itself
//! ```

use crate::message::{BlockKey, ChainHeight};
use crate::proof::ProvenLogs;
use crate::validity::{
    DependencySet, Execution, Objection, Propagation, SameTimestamp, Validity, check_executed, check_log,
    check_tip, cyclic_chains,
};
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A block that the closure wants. Ascending: by age, so that fetching the first ones reaches settled blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockRequest {
    /// The block's timestamp, as claimed.
    pub timestamp: UnixSeconds,
    /// Its chain.
    pub chain_id: ChainId,
    /// Its height. `None`: the one with the timestamp.
    pub number: Option<u64>,
}

/// What is known of a block that is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maturity {
    /// It is valid, and what it depends on does not matter.
    Settled,
    /// L1 finality covers it, and so all that it cites.
    Final,
    /// Neither.
    Open,
}

#[derive(Clone, Debug)]
enum Known {
    Settled(Arc<ProvenLogs>),
    Final(Arc<ProvenLogs>),
    Open(Arc<ProvenLogs>),
    /// A canonical block of the chain: it is past the timestamp without having the height.
    Missing {
        number: u64,
        timestamp: UnixSeconds,
    },
}

/// A block and what its validity rests on.
#[derive(Clone, Debug)]
pub struct Closure<'a> {
    set: &'a DependencySet,
    root: ChainHeight,
    blocks: BTreeMap<ChainHeight, Known>,
    /// By timestamp: each chain's block, or that it has none.
    contemporaries: BTreeMap<UnixSeconds, BTreeMap<ChainId, Option<u64>>>,
}

/// What an open block says by itself.
#[derive(Default)]
struct Findings {
    is_broken: bool,
    is_unknown: bool,
    cites: BTreeSet<ChainHeight>,
}

impl Findings {
    const fn own(&self) -> Validity {
        match (self.is_broken, self.is_unknown) {
            (true, _) => Validity::Invalid,
            (false, true) => Validity::Unknown,
            (false, false) => Validity::Valid,
        }
    }
}

impl<'a> Closure<'a> {
    /// The closure of a block, which is at its height regardless of which block is canonical there.
    pub fn of(set: &'a DependencySet, root: Arc<ProvenLogs>) -> Self {
        let place = (root.chain_id(), root.number());
        let own = [(root.chain_id(), Some(root.number()))].into();
        let contemporaries = [(root.timestamp(), own)].into();
        Self { set, root: place, blocks: [(place, Known::Open(root))].into(), contemporaries }
    }

    /// Takes a block in.
    pub fn insert(&mut self, logs: Arc<ProvenLogs>, maturity: Maturity) {
        let place = (logs.chain_id(), logs.number());
        self.place(logs.timestamp(), logs.chain_id(), Some(logs.number()));
        let known = match maturity {
            Maturity::Settled => Known::Settled(logs),
            Maturity::Final => Known::Final(logs),
            Maturity::Open => Known::Open(logs),
        };
        self.blocks.entry(place).or_insert(known);
    }

    /// Takes in that a chain is past the timestamp of a block without having its height.
    pub fn miss(&mut self, place: ChainHeight, tip: (u64, UnixSeconds)) {
        let (number, timestamp) = tip;
        self.blocks.entry(place).or_insert(Known::Missing { number, timestamp });
    }

    /// Takes in that no block of a chain has a timestamp.
    pub fn skip(&mut self, timestamp: UnixSeconds, chain_id: ChainId) {
        self.place(timestamp, chain_id, None);
    }

    fn place(&mut self, timestamp: UnixSeconds, chain_id: ChainId, number: Option<u64>) {
        self.contemporaries.entry(timestamp).or_default().entry(chain_id).or_insert(number);
    }

    /// The blocks that the root's validity still depends on, oldest first.
    pub fn requests(&self) -> BTreeSet<BlockRequest> {
        let mut asks = BTreeSet::new();
        for (place, findings) in self.reach() {
            // What is invalid by itself needs no more looking into; of the root, every message is in
            // question.
            if findings.is_broken && place != self.root {
                continue;
            }
            let Some(Known::Open(logs) | Known::Final(logs)) = self.blocks.get(&place) else { continue };
            for message in self.claims(logs) {
                let id = message.identifier;
                let (timestamp, chain_id) = (id.timestamp, id.chain_id);
                if !self.blocks.contains_key(&(chain_id, id.block_number)) {
                    asks.insert(BlockRequest { timestamp, chain_id, number: Some(id.block_number) });
                }
                if timestamp == logs.timestamp() {
                    asks.extend(self.unplaced(timestamp));
                }
            }
        }
        asks
    }

    /// The validity of the root, and of every block that it depends on.
    pub fn validities(&self) -> BTreeMap<ChainHeight, Validity> {
        let mut blocks = Propagation::new();
        // A final block that was not examined, and one that was found valid before, are valid.
        for (place, known) in &self.blocks {
            if matches!(known, Known::Settled(_) | Known::Final(_)) {
                blocks.set_own(*place, Validity::Valid);
            }
        }
        let reach = self.reach();
        for (place, findings) in &reach {
            blocks.set_own(*place, findings.own());
            // A cited block that was not examined is settled or final, or does not matter: its citer is final
            // or invalid itself.
            for cited in findings.cites.iter().filter(|cited| reach.contains_key(*cited)) {
                blocks.cite(*place, *cited);
            }
        }
        blocks.propagate()
    }

    /// The blocks, by chain and hash, that are found valid here, and the chains that this rests on.
    pub fn proven(&self) -> (Vec<(ChainId, B256)>, BTreeSet<ChainId>) {
        let reach = self.reach();
        let valid = self.validities().into_iter().filter(|(_, validity)| *validity == Validity::Valid);
        let blocks = valid.filter_map(|(place, _)| match self.blocks.get(&place) {
            Some(Known::Open(logs)) => Some((place.0, logs.hash())),
            Some(Known::Final(logs)) if reach.contains_key(&place) => Some((place.0, logs.hash())),
            Some(Known::Settled(_) | Known::Final(_) | Known::Missing { .. }) | None => None,
        });
        let placed = self.contemporaries.values().flat_map(BTreeMap::keys).copied();
        (blocks.collect(), self.blocks.keys().map(|(chain_id, _)| *chain_id).chain(placed).collect())
    }

    /// Which block is at a place.
    pub fn key(&self, place: ChainHeight) -> Option<BlockKey> {
        match self.blocks.get(&place)? {
            Known::Settled(logs) | Known::Final(logs) | Known::Open(logs) => {
                Some(BlockKey { chain_id: place.0, number: place.1, hash: logs.hash() })
            }
            Known::Missing { .. } => None,
        }
    }

    /// Whether the block of a timestamp is known of every chain that bears on the root's.
    pub fn is_complete_at(&self, timestamp: UnixSeconds) -> bool {
        self.unplaced(timestamp).next().is_none()
    }

    /// The same-timestamp messages of the blocks of a timestamp that are known.
    pub fn placed_messages(&self, timestamp: UnixSeconds) -> Vec<SameTimestamp> {
        let placed = self.contemporaries.get(&timestamp).into_iter().flatten();
        let blocks =
            placed.filter_map(|(chain_id, number)| match self.blocks.get(&(*chain_id, (*number)?))? {
                Known::Settled(logs) | Known::Final(logs) | Known::Open(logs)
                    if logs.timestamp() == timestamp =>
                {
                    Some(logs)
                }
                Known::Settled(_) | Known::Final(_) | Known::Open(_) | Known::Missing { .. } => None,
            });
        let messages = blocks.flat_map(|logs| {
            let execution = Execution { chain_id: logs.chain_id(), timestamp };
            logs.executed().iter().filter_map(move |executed| SameTimestamp::of(execution, executed))
        });
        messages.collect()
    }

    /// The chains that bear on the root's and whose block of a timestamp is not known.
    fn unplaced(&self, timestamp: UnixSeconds) -> impl Iterator<Item = BlockRequest> + '_ {
        let placed = self.contemporaries.get(&timestamp);
        let is_placed = move |chain_id: ChainId| {
            placed.and_then(|placed| placed.get(&chain_id)).is_some_and(|number| {
                number.is_none_or(|number| self.blocks.contains_key(&(chain_id, number)))
            })
        };
        let chains = self.set.reachable_from(self.root.0).into_iter();
        let chains = chains.filter(move |chain_id| !is_placed(*chain_id));
        chains.map(move |chain_id| BlockRequest { timestamp, chain_id, number: None })
    }

    /// The messages of a block that are valid as far as the block itself goes.
    fn claims<'b>(&'b self, logs: &'b ProvenLogs) -> impl Iterator<Item = crate::message::Message> + 'b {
        let execution = Execution { chain_id: logs.chain_id(), timestamp: logs.timestamp() };
        logs.executed().iter().filter_map(move |executed| check_executed(self.set, execution, executed).ok())
    }

    /// Why the other messages of a block are not granted as far as the block itself goes.
    fn objections<'b>(&'b self, logs: &'b ProvenLogs) -> impl Iterator<Item = Objection> + 'b {
        let execution = Execution { chain_id: logs.chain_id(), timestamp: logs.timestamp() };
        logs.executed().iter().filter_map(move |executed| check_executed(self.set, execution, executed).err())
    }

    /// The blocks to examine that are reached from the root, and what each says by itself.
    fn reach(&self) -> BTreeMap<ChainHeight, Findings> {
        let mut reach = BTreeMap::new();
        let mut cyclic = BTreeMap::new();
        let mut list = vec![self.root];
        while let Some(place) = list.pop() {
            if reach.contains_key(&place) {
                continue;
            }
            let (logs, is_final) = match self.blocks.get(&place) {
                Some(Known::Open(logs)) => (logs, false),
                Some(Known::Final(logs)) => (logs, true),
                Some(Known::Settled(_) | Known::Missing { .. }) | None => continue,
            };
            let findings = self.findings(logs, &mut cyclic);
            if !is_final && (!findings.is_broken || place == self.root) {
                list.extend(&findings.cites);
            }
            reach.insert(place, findings);
        }
        reach
    }

    fn findings(&self, logs: &ProvenLogs, cyclic: &mut BTreeMap<UnixSeconds, BTreeSet<ChainId>>) -> Findings {
        let mut findings = Findings::default();
        for objection in self.objections(logs) {
            findings.is_broken |= matches!(objection, Objection::Broken(_));
            findings.is_unknown |= matches!(objection, Objection::Unclear(_));
        }
        let (place, at) = ((logs.chain_id(), logs.number()), logs.timestamp());
        for message in self.claims(logs) {
            let id = message.identifier;
            let cited = (id.chain_id, id.block_number);
            match self.blocks.get(&cited) {
                Some(Known::Settled(block) | Known::Final(block) | Known::Open(block)) => {
                    findings.is_broken |= check_log(&message, block).is_err();
                    // The log of a deposit is in the replacement of its block, too.
                    if cited != place && !block.survives_replacement(id.log_index) {
                        findings.cites.insert(cited);
                    }
                }
                Some(&Known::Missing { number, timestamp }) => {
                    let is_missing = check_tip(&message, (number, timestamp)).is_some();
                    findings.is_broken |= is_missing;
                    findings.is_unknown |= !is_missing;
                }
                None => findings.is_unknown = true,
            }
            if id.timestamp == at {
                // What is found among some of the messages stays when others join: more of them never open a
                // cycle.
                let cyclic = cyclic
                    .entry(at)
                    .or_insert_with(|| cyclic_chains(self.set.cycle_rule(), &self.placed_messages(at)));
                findings.is_broken |= cyclic.contains(&place.0);
                findings.is_unknown |= !self.is_complete_at(at);
            }
        }
        findings
    }
}

#[cfg(test)]
pub(crate) mod tests;
