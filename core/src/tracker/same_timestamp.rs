//! [`SameTimestampGroups`]: the messages that are initiated and executed at one timestamp, and the cycles
//! among them.

use super::tracked_message::TrackedId;
use crate::message::ChainHeight;
use crate::validity::{CycleRule, SameTimestamp, cyclic_chains};
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeBounds;

/// All messages of canonical blocks that are initiated and executed at one timestamp, by that timestamp.
#[derive(Clone, Debug)]
pub(super) struct SameTimestampGroups {
    rule: CycleRule,
    by_time: BTreeMap<UnixSeconds, Group>,
}

/// Those of one timestamp.
#[derive(Clone, Debug, Default)]
struct Group {
    blocks: BTreeMap<ChainId, GroupBlock>,
    /// How many of the messages cite each chain.
    cited: BTreeMap<ChainId, usize>,
    cyclic: BTreeSet<ChainId>,
}

/// Those of one block.
#[derive(Clone, Debug)]
struct GroupBlock {
    number: u64,
    members: Vec<GroupMember>,
    open: usize,
}

/// A message, as itself and as the cycle rule sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GroupMember {
    /// `None`: it is not tracked. The cycle rule includes it nevertheless.
    pub(super) id: Option<TrackedId>,
    pub(super) node: SameTimestamp,
}

impl SameTimestampGroups {
    /// None yet, where nodes name cycles by this rule.
    pub(super) const fn new(rule: CycleRule) -> Self {
        Self { rule, by_time: BTreeMap::new() }
    }

    /// A chain's canonical block has these messages of its own timestamp, this many of them open.
    pub(super) fn insert(
        &mut self,
        timestamp: UnixSeconds,
        (chain_id, number): ChainHeight,
        members: Vec<GroupMember>,
        open: usize,
    ) {
        if members.is_empty() {
            return;
        }
        let group = self.by_time.entry(timestamp).or_default();
        for member in &members {
            let cited = group.cited.entry(member.node.cited_chain_id).or_default();
            *cited = cited.saturating_add(1);
        }
        group.blocks.insert(chain_id, GroupBlock { number, members, open });
        // A chain that is not cited closes no cycle: most blocks cost nothing here.
        if group.cited.get(&chain_id).is_some_and(|cited| *cited > 0) {
            group.find_cycles(self.rule);
        }
    }

    /// A chain's block of this timestamp was dropped. Whether it had any such message.
    pub(super) fn remove(&mut self, timestamp: UnixSeconds, chain_id: ChainId) -> bool {
        let Some(group) = self.by_time.get_mut(&timestamp) else { return false };
        let Some(block) = group.blocks.remove(&chain_id) else { return false };
        for member in &block.members {
            let cited = group.cited.entry(member.node.cited_chain_id).or_default();
            *cited = cited.saturating_sub(1);
        }
        if group.blocks.is_empty() {
            self.by_time.remove(&timestamp);
        } else if !group.cyclic.is_empty() {
            group.find_cycles(self.rule);
        }
        true
    }

    /// A message's life is over.
    pub(super) fn close_one(&mut self, timestamp: UnixSeconds, chain_id: ChainId) {
        if let Some(block) =
            self.by_time.get_mut(&timestamp).and_then(|group| group.blocks.get_mut(&chain_id))
        {
            block.open = block.open.saturating_sub(1);
        }
    }

    /// Forgets a timestamp, unless it has an open message.
    pub(super) fn forget_closed(&mut self, timestamp: UnixSeconds) {
        if self
            .by_time
            .get(&timestamp)
            .is_some_and(|group| group.blocks.values().all(|block| block.open == 0))
        {
            self.by_time.remove(&timestamp);
        }
    }

    /// Whether the chain's block of this timestamp has such messages.
    pub(super) fn contains(&self, timestamp: UnixSeconds, chain_id: ChainId) -> bool {
        self.by_time.get(&timestamp).is_some_and(|group| group.blocks.contains_key(&chain_id))
    }

    /// Whether the chain's block of this timestamp is in a cycle, or holds one up.
    pub(super) fn is_cyclic(&self, timestamp: UnixSeconds, chain_id: ChainId) -> bool {
        self.by_time.get(&timestamp).is_some_and(|group| group.cyclic.contains(&chain_id))
    }

    /// The messages of this timestamp, by block.
    pub(super) fn at(&self, timestamp: UnixSeconds) -> impl Iterator<Item = (ChainHeight, &[GroupMember])> {
        let blocks = self.by_time.get(&timestamp).map(|group| &group.blocks).into_iter().flatten();
        blocks.map(|(chain_id, block)| ((*chain_id, block.number), block.members.as_slice()))
    }

    /// How many timestamps have such messages.
    pub(super) fn len(&self) -> usize {
        self.by_time.len()
    }

    /// The timestamps in a range that have such messages.
    pub(super) fn timestamps(
        &self,
        range: impl RangeBounds<UnixSeconds>,
    ) -> impl Iterator<Item = UnixSeconds> {
        self.by_time.range(range).map(|(timestamp, _)| *timestamp)
    }
}

impl Group {
    fn find_cycles(&mut self, rule: CycleRule) {
        let members = self.blocks.values().flat_map(|block| &block.members);
        let nodes: Vec<SameTimestamp> = members.map(|member| member.node).collect();
        self.cyclic = cyclic_chains(rule, &nodes);
    }
}
