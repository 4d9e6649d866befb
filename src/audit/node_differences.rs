//! [`NodeDifferences`]: where the rollup nodes of one chain say otherwise, and what of it is news. Pure.
//!
//! It shows both values and which node reports each, and does not decide which is right. A node that does not
//! report a value does not differ in it.

use alloy::primitives::B256;
use crosscheck_core::consolidation::RollupConfig;
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::validity::DEFAULT_EXPIRY_WINDOW;
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;

/// In how many looks in a row heads must differ before that is reported: while a chain reorgs, nodes rightly
/// differ.
const HEADS_TOLERATED: u32 = 1;

/// What a rollup node says of its chain's rules.
#[derive(Clone, Debug)]
pub(super) struct NodeRules {
    /// The node, as messages name it.
    pub(super) name: String,
    /// That it follows another chain, in words.
    pub(super) other_chain: Option<String>,
    /// Its rollup configuration, if it can be read.
    pub(super) config: Option<RollupConfig>,
    /// Its dependency set: chains, and the expiry window if that is overridden. `None`: it does not say.
    pub(super) dependencies: Option<(Vec<ChainId>, Option<u64>)>,
}

/// A block of a node at whose height the node in use named another one.
#[derive(Clone, Debug)]
pub(super) struct OtherHead {
    /// The node.
    pub(super) name: String,
    /// The node in use.
    pub(super) in_use: String,
    /// The level, the height, the block of the node in use, and this node's.
    pub(super) conflict: (SafetyLevel, u64, B256, B256),
}

/// What a difference is about: who, and which field.
type Subject = (String, String);

/// The present differences.
#[derive(Debug, Default)]
pub(super) struct NodeDifferences {
    rules: BTreeMap<Subject, String>,
    heads: BTreeMap<Subject, (u32, String)>,
}

/// What is to be reported.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct DifferenceChanges {
    /// Differences that were not reported yet, in words.
    pub(super) begun: Vec<String>,
    /// How many that were reported are over.
    pub(super) over: usize,
}

impl NodeDifferences {
    /// Takes in what the nodes say of the rules.
    pub(super) fn apply_rules(&mut self, nodes: &[NodeRules]) -> DifferenceChanges {
        let next = differing_rules(nodes);
        let begun = next.iter().filter(|(subject, _)| !self.rules.contains_key(*subject));
        let begun = begun.map(|(_, text)| text.clone()).collect();
        let over = self.rules.keys().filter(|subject| !next.contains_key(*subject)).count();
        self.rules = next;
        DifferenceChanges { begun, over }
    }

    /// Takes in which nodes named another block at a height. `asked`: those that answered.
    pub(super) fn apply_heads(&mut self, asked: &[String], others: Vec<OtherHead>) -> DifferenceChanges {
        let mut news = DifferenceChanges::default();
        let mut next = BTreeMap::new();
        for other in others {
            let subject = (other.name.clone(), "heads".to_owned());
            let looks = self.heads.get(&subject).map_or(0, |(looks, _)| *looks).saturating_add(1);
            let OtherHead { name, in_use, conflict: (level, number, theirs, own) } = other;
            let text = format!("block {number}: {theirs} ({in_use}), {own} ({name}, its {level} head)");
            if looks == HEADS_TOLERATED.saturating_add(1) {
                news.begun.push(text.clone());
            }
            next.insert(subject, (looks, text));
        }
        for (subject, (looks, text)) in &self.heads {
            if next.contains_key(subject) {
                continue;
            }
            if !asked.contains(&subject.0) {
                next.insert(subject.clone(), (*looks, text.clone()));
            } else if *looks > HEADS_TOLERATED {
                news.over = news.over.saturating_add(1);
            }
        }
        self.heads = next;
        news
    }

    /// Why the chain is not ready, if the rules differ.
    pub(super) fn obstacle(&self) -> Option<String> {
        let texts: Vec<&str> = self.rules.values().map(String::as_str).collect();
        (!texts.is_empty()).then(|| format!("its rollup nodes differ: {}", texts.join("; ")))
    }

    /// All present differences, in words.
    pub(super) fn texts(&self) -> Vec<String> {
        let heads = self.heads.values().filter(|(looks, _)| *looks > HEADS_TOLERATED);
        self.rules.values().cloned().chain(heads.map(|(_, text)| text.clone())).collect()
    }
}

fn differing_rules(nodes: &[NodeRules]) -> BTreeMap<Subject, String> {
    let mut found = BTreeMap::new();
    for node in nodes {
        if let Some(other) = &node.other_chain {
            found.insert((node.name.clone(), "l2_chain_id".to_owned()), format!("{}: {other}", node.name));
        }
    }
    let answered = |node: &&NodeRules| node.config.is_some() && node.other_chain.is_none();
    let mut configs = nodes.iter().filter(answered);
    if let Some(first) = configs.next() {
        for node in configs {
            let (Some(one), Some(other)) = (&first.config, &node.config) else { continue };
            for difference in one.differences(other) {
                let (field, one, other) = (difference.field, difference.one, difference.other);
                let text = format!("{field}: {one} ({}), {other} ({})", first.name, node.name);
                found.insert((node.name.clone(), field), text);
            }
        }
    }
    let answered = |node: &&NodeRules| node.dependencies.is_some() && node.other_chain.is_none();
    let mut sets = nodes.iter().filter(answered);
    if let Some(first) = sets.next() {
        for node in sets {
            let (Some(one), Some(other)) = (shown_set(first), shown_set(node)) else { continue };
            if one != other {
                let text = format!("dependency set: {one} ({}), {other} ({})", first.name, node.name);
                found.insert((node.name.clone(), "dependency set".to_owned()), text);
            }
        }
    }
    found
}

fn shown_set(node: &NodeRules) -> Option<String> {
    let (chains, window) = node.dependencies.as_ref()?;
    let mut chains = chains.clone();
    chains.sort();
    let chains: Vec<String> = chains.iter().map(ToString::to_string).collect();
    let window = window.filter(|window| *window != 0).unwrap_or(DEFAULT_EXPIRY_WINDOW);
    Some(format!("{} with {window} s", chains.join(" and ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// OP Mainnet's.
    fn rollup_config_sample() -> RollupConfig {
        serde_json::from_value(crosscheck_core::consolidation::sample::op_mainnet_json()).unwrap()
    }

    fn node(place: usize) -> NodeRules {
        NodeRules {
            name: format!("#{place}"),
            other_chain: None,
            config: Some(rollup_config_sample()),
            dependencies: Some((vec![902.into(), 901.into()], None)),
        }
    }

    fn config(change: impl FnOnce(&mut RollupConfig)) -> Option<RollupConfig> {
        let mut config = rollup_config_sample();
        change(&mut config);
        Some(config)
    }

    #[rstest]
    #[case::the_same(node(1), &[])]
    #[case::nothing_reported(NodeRules { config: None, dependencies: None, ..node(1) }, &[])]
    #[case::set_in_another_order(
        NodeRules { dependencies: Some((vec![901.into(), 902.into()], Some(604_800))), ..node(1) }, &[]
    )]
    #[case::block_time(
        NodeRules { config: config(|config| config.block_time = 1), ..node(1) },
        &["block_time: 2 (#0), 1 (#1)"]
    )]
    #[case::another_set(
        NodeRules { dependencies: Some((vec![901.into()], None)), ..node(1) },
        &["dependency set: 901 and 902 with 604800 s (#0), 901 with 604800 s (#1)"]
    )]
    #[case::another_window(
        NodeRules { dependencies: Some((vec![901.into(), 902.into()], Some(60))), ..node(1) },
        &["dependency set: 901 and 902 with 604800 s (#0), 901 and 902 with 60 s (#1)"]
    )]
    #[case::another_chain_is_one_difference(
        NodeRules {
            other_chain: Some("it follows chain 902, not chain 901".to_owned()),
            config: config(|config| config.block_time = 1),
            ..node(1)
        },
        &["#1: it follows chain 902, not chain 901"]
    )]
    fn rules_that_differ_are_reported_once_with_both_values(
        #[case] other: NodeRules,
        #[case] reported: &[&str],
    ) {
        let mut differences = NodeDifferences::default();
        let nodes = [node(0), other];
        assert_eq!(differences.apply_rules(&nodes).begun, reported);
        assert_eq!(differences.obstacle().is_some(), !reported.is_empty());
        assert_eq!(differences.apply_rules(&nodes), DifferenceChanges::default());
        assert_eq!(
            differences.apply_rules(&[node(0), node(1)]),
            DifferenceChanges { begun: vec![], over: reported.len() }
        );
        assert_eq!((differences.obstacle(), differences.texts()), (None, vec![]));
    }

    fn other_head(number: u64) -> OtherHead {
        let conflict = (SafetyLevel::Unsafe, number, B256::repeat_byte(1), B256::repeat_byte(2));
        OtherHead { name: "#1".to_owned(), in_use: "#0".to_owned(), conflict }
    }

    #[test]
    fn heads_that_differ_for_longer_than_a_reorg_are_reported_once() {
        let mut differences = NodeDifferences::default();
        let asked = ["#1".to_owned()];
        assert_eq!(differences.apply_heads(&asked, vec![other_head(5)]), DifferenceChanges::default());
        assert!(differences.texts().is_empty());
        let news = differences.apply_heads(&asked, vec![other_head(6)]);
        assert!(
            news.begun[0].starts_with("block 6: 0x0101") && news.begun[0].ends_with("(#1, its unsafe head)")
        );
        assert_eq!(differences.apply_heads(&asked, vec![other_head(7)]), DifferenceChanges::default());
        assert_eq!(differences.obstacle(), None, "who is right is not known, and nobody is accused");
        // A node that does not answer has not agreed.
        assert_eq!(differences.apply_heads(&[], vec![]), DifferenceChanges::default());
        assert_eq!(differences.texts().len(), 1);
        assert_eq!(differences.apply_heads(&asked, vec![]), DifferenceChanges { begun: vec![], over: 1 });
        assert_eq!(differences.apply_heads(&asked, vec![other_head(5)]), DifferenceChanges::default());
    }
}
