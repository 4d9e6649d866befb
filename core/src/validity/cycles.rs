//! Cycles among messages that are initiated and executed at one timestamp.
//!
//! Only executed messages are nodes. Each depends on the executed message before it on its own chain, and on
//! the last executed message at or before the log that it cites on the cited chain. Which chains are invalid
//! by that, two rules say, and nodes of both are in use:
//!
//! - *stripping*: what nothing depends on is taken away until nothing more can be; the chains of what is
//!   left. So a chain that a cycle depends on is named, though it is in none;
//! - *components*: the chains of the strongly connected components, and of messages that depend on
//!   themselves.
//!
//! Every chain that the second rule names, the first names too. A chain that only the first names is
//! rule-dependent: whether its block is replaced depends on the version of the node, and attesting either
//! block is not wrong. Which rules are in use is a setting.

use super::Execution;
use crate::proof::Executed;
use crosscheck_p2p::ChainId;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A message that is initiated at the timestamp at which it is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SameTimestamp {
    /// The executing chain.
    pub chain_id: ChainId,
    /// The place of the inbox's log among all logs of the executing block.
    pub log_index: u32,
    /// The chain that it cites.
    pub cited_chain_id: ChainId,
    /// The cited log's place among all logs of its block.
    pub cited_log_index: u32,
}

impl SameTimestamp {
    /// What the cycle rule sees of an executed message. `None`: it is of an earlier or later timestamp.
    ///
    /// The rule checks logs alone: a message that breaks another clause still counts.
    pub fn of(execution: Execution, executed: &Executed) -> Option<Self> {
        let id = executed.message.message.identifier;
        (id.timestamp == execution.timestamp).then_some(Self {
            chain_id: execution.chain_id,
            log_index: executed.log_index,
            cited_chain_id: id.chain_id,
            cited_log_index: id.log_index,
        })
    }
}

/// By which rule nodes name the chains that a cycle makes invalid: a setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CycleRule {
    /// Some nodes strip and some look for components: a chain that both name is invalid.
    #[default]
    Both,
    /// All strip: op-supernode and kona up to September 2026.
    Stripping,
    /// All look for components: newer ones.
    Components,
}

/// The chains whose blocks at a timestamp are invalid because of a cycle. `messages` are all those of that
/// timestamp, of every chain, in any order.
///
/// Takes `n log n` steps for `n` messages.
///
/// ```
/// use crosscheck_core::validity::{CycleRule, SameTimestamp, cyclic_chains};
///
/// // Each chain executes, as its first log, what the other chain's first log says.
/// let cites = |chain_id: u64, cited: u64| SameTimestamp {
///     chain_id: chain_id.into(),
///     log_index: 0,
///     cited_chain_id: cited.into(),
///     cited_log_index: 0,
/// };
/// let cyclic = cyclic_chains(CycleRule::Both, &[cites(10, 130), cites(130, 10)]);
/// assert_eq!(cyclic, [10.into(), 130.into()].into());
/// ```
pub fn cyclic_chains(rule: CycleRule, messages: &[SameTimestamp]) -> BTreeSet<ChainId> {
    let nodes = linked(messages);
    match rule {
        // Whom components name, stripping names too.
        CycleRule::Both | CycleRule::Components => in_components(&nodes),
        CycleRule::Stripping => unstripped(nodes),
    }
}

/// The chains that one rule in use names and another does not: neither can be judged invalid.
pub fn rule_dependent_chains(rule: CycleRule, messages: &[SameTimestamp]) -> BTreeSet<ChainId> {
    if rule != CycleRule::Both {
        return BTreeSet::new();
    }
    let stripped = cyclic_chains(CycleRule::Stripping, messages);
    if stripped.is_empty() {
        return stripped;
    }
    stripped.difference(&cyclic_chains(CycleRule::Components, messages)).copied().collect()
}

struct Node {
    message: SameTimestamp,
    /// The positions in the list of those that it depends on: the one before it on its chain, and the one
    /// that it cites.
    depends_on: [Option<usize>; 2],
    /// How many times others depend on it.
    dependents: u32,
}

impl Node {
    const fn of(message: SameTimestamp) -> Self {
        Self { message, depends_on: [None; 2], dependents: 0 }
    }

    const fn place(&self) -> (ChainId, u32) {
        (self.message.chain_id, self.message.log_index)
    }
}

/// The messages as nodes, by their place, each with what it depends on.
fn linked(messages: &[SameTimestamp]) -> Vec<Node> {
    let mut nodes: Vec<Node> = messages.iter().copied().map(Node::of).collect();
    nodes.sort_unstable_by_key(Node::place);
    nodes.dedup_by_key(|node| node.place());
    link(&mut nodes);
    nodes
}

/// Finds what each node depends on. The nodes are sorted by their place.
fn link(nodes: &mut [Node]) {
    let last_at_or_before = |nodes: &[Node], chain_id: ChainId, log_index: u32| {
        let after = nodes.partition_point(|node| node.place() <= (chain_id, log_index));
        let index = after.checked_sub(1)?;
        nodes.get(index).filter(|node| node.message.chain_id == chain_id).map(|_| index)
    };
    let links: Vec<[Option<usize>; 2]> = nodes
        .iter()
        .map(|node| {
            let message = node.message;
            let before = message.log_index.checked_sub(1);
            [
                before.and_then(|before| last_at_or_before(nodes, message.chain_id, before)),
                last_at_or_before(nodes, message.cited_chain_id, message.cited_log_index),
            ]
        })
        .collect();
    for index in links.iter().flatten().flatten() {
        if let Some(node) = nodes.get_mut(*index) {
            node.dependents = node.dependents.saturating_add(1);
        }
    }
    for (node, depends_on) in nodes.iter_mut().zip(links) {
        node.depends_on = depends_on;
    }
}

/// The chains of what is left when what nothing depends on is taken away, until nothing more can be.
fn unstripped(mut nodes: Vec<Node>) -> BTreeSet<ChainId> {
    let free = |(index, node): (usize, &Node)| (node.dependents == 0).then_some(index);
    let mut free: Vec<usize> = nodes.iter().enumerate().filter_map(free).collect();
    while let Some(index) = free.pop() {
        let links = nodes.get(index).map_or([None; 2], |node| node.depends_on);
        for index in links.into_iter().flatten() {
            let Some(node) = nodes.get_mut(index) else { continue };
            node.dependents = node.dependents.saturating_sub(1);
            if node.dependents == 0 {
                free.push(index);
            }
        }
    }
    nodes.iter().filter(|node| node.dependents > 0).map(|node| node.message.chain_id).collect()
}

/// The chains of the strongly connected components of at least two messages, and of messages that depend on
/// themselves.
///
/// A builder decides how many messages a block has and how far they lean on each other. So the search must
/// not recurse: `tarjan_scc` does.
fn in_components(nodes: &[Node]) -> BTreeSet<ChainId> {
    let mut graph = DiGraph::<ChainId, ()>::with_capacity(nodes.len(), nodes.len().saturating_mul(2));
    let places: Vec<_> = nodes.iter().map(|node| graph.add_node(node.message.chain_id)).collect();
    for (from, node) in places.iter().zip(nodes) {
        for to in node.depends_on.into_iter().flatten().filter_map(|index| places.get(index)) {
            graph.add_edge(*from, *to, ());
        }
    }
    let mut named = BTreeSet::new();
    for component in kosaraju_scc(&graph) {
        let is_cycle = match component.as_slice() {
            [alone] => graph.contains_edge(*alone, *alone),
            _ => true,
        };
        if is_cycle {
            named.extend(component.into_iter().filter_map(|place| graph.node_weight(place)));
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{ExecutingMessage, Identifier, Message};
    use alloy::primitives::{Address, B256};
    use crosscheck_p2p::UnixSeconds;
    use proptest::prelude::*;
    use rstest::rstest;

    /// Chain `.0` executes at log `.1` what is at log `.3` of chain `.2`.
    type Row = (u64, u32, u64, u32);

    fn messages(rows: &[Row]) -> Vec<SameTimestamp> {
        let message = |&(chain, log_index, cited, cited_log_index): &Row| SameTimestamp {
            chain_id: chain.into(),
            log_index,
            cited_chain_id: cited.into(),
            cited_log_index,
        };
        rows.iter().map(message).collect()
    }

    #[rstest]
    #[case::nothing(&[], &[])]
    #[case::one_way(&[(1, 1, 2, 0)], &[])]
    #[case::a_line_of_three(&[(1, 1, 2, 0), (2, 1, 3, 0)], &[])]
    #[case::cycle_of_two(&[(1, 0, 2, 0), (2, 0, 1, 0)], &[1, 2])]
    #[case::cycle_of_three(&[(1, 0, 2, 0), (2, 0, 3, 0), (3, 0, 1, 0)], &[1, 2, 3])]
    #[case::mutual_without_a_cycle(&[(1, 1, 2, 0), (2, 1, 1, 0)], &[])]
    #[case::mutual_where_only_one_cites_back_past_it(&[(1, 1, 2, 5), (2, 1, 1, 0)], &[])]
    #[case::mutual_past_each_other(&[(1, 1, 2, 5), (2, 1, 1, 5)], &[1, 2])]
    #[case::own_later_log(&[(1, 1, 1, 3)], &[1])]
    #[case::own_log_itself(&[(1, 1, 1, 1)], &[1])]
    #[case::own_earlier_log(&[(1, 1, 1, 0)], &[])]
    #[case::own_earlier_message(&[(1, 1, 2, 0), (1, 3, 1, 1)], &[])]
    #[case::closed_by_the_order_on_a_chain(&[(1, 0, 2, 1), (1, 1, 3, 0), (2, 0, 1, 1)], &[1, 2])]
    #[case::depends_on_a_cycle(&[(1, 0, 2, 0), (2, 0, 1, 0), (3, 0, 1, 0)], &[1, 2])]
    #[case::a_cycle_depends_on_it(&[(3, 0, 4, 0), (1, 0, 3, 0), (1, 1, 2, 0), (2, 0, 1, 1)], &[1, 2, 3])]
    #[case::a_later_message_on_a_cyclic_chain_is_not_a_cycle(&[(1, 0, 1, 0), (1, 1, 2, 0), (2, 0, 3, 0)], &[1])]
    #[case::bystanders(&[(1, 0, 2, 0), (2, 0, 1, 0), (3, 1, 4, 0), (4, 1, 3, 0)], &[1, 2])]
    fn rule(#[case] rows: &[Row], #[case] cyclic: &[u64]) {
        let cyclic: BTreeSet<ChainId> = cyclic.iter().map(|chain| ChainId::from(*chain)).collect();
        assert_eq!(cyclic_chains(CycleRule::Stripping, &messages(rows)), cyclic);
    }

    #[rstest]
    #[case::nothing(&[], &[], &[])]
    #[case::a_line(&[(1, 1, 2, 0), (2, 1, 3, 0)], &[], &[])]
    #[case::cycle_of_two(&[(1, 0, 2, 0), (2, 0, 1, 0)], &[1, 2], &[])]
    #[case::own_log_itself(&[(1, 1, 1, 1)], &[1], &[])]
    #[case::own_later_log(&[(1, 1, 1, 3)], &[1], &[])]
    #[case::depends_on_a_cycle(&[(1, 0, 2, 0), (2, 0, 1, 0), (3, 0, 1, 0)], &[1, 2], &[])]
    #[case::a_cycle_depends_on_it(&[(3, 0, 4, 0), (1, 0, 3, 0), (1, 1, 2, 0), (2, 0, 1, 1)], &[1, 2], &[3])]
    #[case::two_chains_are_enough(&[(2, 0, 1, 0), (1, 1, 2, 0), (1, 2, 1, 5)], &[1], &[2])]
    #[case::two_cycles_apart(&[(1, 0, 2, 0), (2, 0, 1, 0), (3, 0, 4, 0), (4, 0, 3, 0)], &[1, 2, 3, 4], &[])]
    #[case::between_two_cycles(
        &[(1, 0, 2, 0), (2, 0, 1, 0), (3, 0, 1, 0), (4, 0, 3, 0), (4, 1, 5, 0), (5, 0, 4, 1)], &[1, 2, 4, 5], &[3]
    )]
    fn cyclic_and_rule_dependent_chains(
        #[case] rows: &[Row],
        #[case] by_both: &[u64],
        #[case] by_one: &[u64],
    ) {
        let set = |chains: &[u64]| chains.iter().map(|chain| ChainId::from(*chain)).collect::<BTreeSet<_>>();
        let messages = messages(rows);
        let named = |rule| (cyclic_chains(rule, &messages), rule_dependent_chains(rule, &messages));
        assert_eq!(named(CycleRule::Both), (set(by_both), set(by_one)));
        // Where all nodes have one rule, nothing hangs on it.
        assert_eq!(named(CycleRule::Components), (set(by_both), set(&[])));
        let by_stripping = &set(by_both) | &set(by_one);
        assert_eq!(named(CycleRule::Stripping), (by_stripping, set(&[])));
    }

    /// Who can come back to where it started.
    fn by_reach(messages: &[SameTimestamp]) -> BTreeSet<ChainId> {
        let comes_back = |start: &&SameTimestamp| {
            let (mut reached, mut list) = (Vec::new(), vec![**start]);
            while let Some(from) = list.pop() {
                for to in messages.iter().filter(|to| depends(messages, &from, to)) {
                    if !reached.contains(to) {
                        reached.push(*to);
                        list.push(*to);
                    }
                }
            }
            reached.contains(*start)
        };
        messages.iter().filter(comes_back).map(|message| message.chain_id).collect()
    }

    fn depends(messages: &[SameTimestamp], from: &SameTimestamp, to: &SameTimestamp) -> bool {
        let last = |chain_id: ChainId, fits: &dyn Fn(u32) -> bool| {
            let on_chain = messages.iter().filter(|other| other.chain_id == chain_id);
            on_chain.filter(|other| fits(other.log_index)).max_by_key(|other| other.log_index)
        };
        last(from.chain_id, &|index| index < from.log_index) == Some(to)
            || last(from.cited_chain_id, &|index| index <= from.cited_log_index) == Some(to)
    }

    #[rstest]
    #[case::same_timestamp(100, true)]
    #[case::earlier(99, false)]
    #[case::later(101, false)]
    fn only_messages_of_the_timestamp_count(#[case] initiated: u64, #[case] counts: bool) {
        let identifier = Identifier {
            origin: Address::ZERO,
            block_number: 1,
            log_index: 7,
            timestamp: UnixSeconds(initiated),
            chain_id: 902.into(),
        };
        let message = Message { identifier, payload_hash: B256::ZERO };
        let message = ExecutingMessage { log_index: 3, message };
        let executed = Executed { log_index: 3, transaction_index: 1, by_deposit: false, message };
        let execution = Execution { chain_id: 901.into(), timestamp: UnixSeconds(100) };
        let expected = messages(&[(901, 3, 902, 7)]).first().copied().filter(|_| counts);
        assert_eq!(SameTimestamp::of(execution, &executed), expected);
    }

    /// The rule as its text has it, step by step, without any cleverness.
    fn slowly(messages: &[SameTimestamp]) -> BTreeSet<ChainId> {
        let mut left: Vec<SameTimestamp> = messages.to_vec();
        loop {
            let kept: Vec<SameTimestamp> = left
                .iter()
                .filter(|to| left.iter().any(|from| depends(messages, from, to)))
                .copied()
                .collect();
            if kept.len() == left.len() {
                return left.iter().map(|message| message.chain_id).collect();
            }
            left = kept;
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn agrees_with_the_rule_applied_step_by_step(
            rows in prop::collection::btree_map((1u64..5, 0u32..6), (1u64..6, 0u32..7), 0..16)
        ) {
            let rows: Vec<Row> = rows.into_iter().map(|((chain, at), (cited, log))| (chain, at, cited, log)).collect();
            let mut messages = messages(&rows);
            for _ in 0..2 {
                let stripped = cyclic_chains(CycleRule::Stripping, &messages);
                prop_assert_eq!(&stripped, &slowly(&messages));
                let by_both = cyclic_chains(CycleRule::Both, &messages);
                prop_assert_eq!(&by_both, &by_reach(&messages));
                prop_assert!(by_both.is_subset(&stripped));
                let by_one = rule_dependent_chains(CycleRule::Both, &messages);
                prop_assert_eq!(&by_one, &(&stripped - &by_both));
                messages.reverse();
            }
        }
    }

    /// As many messages as blocks can hold, each citing the one before: no search goes so deep that the stack
    /// ends.
    #[rstest]
    #[case::a_line(u32::MAX, &[])]
    #[case::the_first_cites_the_last(0, &[1])]
    fn a_long_line_of_messages(#[case] closing: u32, #[case] cyclic: &[u64]) {
        let last = 100_000;
        let cites = |at: u32| if at == closing { last } else { 0 };
        let rows: Vec<Row> =
            (0..=last).map(|at| (1, at, if at == closing { 1 } else { 2 }, cites(at))).collect();
        let cyclic: BTreeSet<ChainId> = cyclic.iter().map(|chain| ChainId::from(*chain)).collect();
        for rule in [CycleRule::Both, CycleRule::Stripping, CycleRule::Components] {
            assert_eq!(cyclic_chains(rule, &messages(&rows)), cyclic);
        }
    }
}
