//! [`ask_nodes`]: by which rules the chains' rollup nodes work, for commands that run once.
//!
//! What is not configured is learnt from them. If a chain's node works by other rules than those configured,
//! no message of the chain can be checked; each command decides what follows from that.

use crate::audit::{Consultation, OriginWitnesses, ReportedForks, RulesError};
use crate::config::Config;
use crate::service::rules_asker;
use crate::sources::{ExecutionClient, L1Reader, RollupNodes};
use crosscheck_core::validity::DependencySet;
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;

/// Asks every chain's rollup nodes, and its execution clients and L1 whether they are of the chain that the
/// nodes derive. What is news of the nodes' forks is logged.
pub(super) async fn ask_nodes(
    config: &Config,
    set: &DependencySet,
    nodes: &BTreeMap<ChainId, RollupNodes>,
    clients: &BTreeMap<ChainId, ExecutionClient>,
    l1: Option<&L1Reader>,
) -> Vec<(ChainId, Result<Consultation, RulesError>)> {
    let mut answers = Vec::with_capacity(nodes.len());
    for (chain_id, nodes) in nodes {
        let l1 = l1.map(|l1| l1.client().clone());
        let witnesses = OriginWitnesses::new(clients.get(chain_id).cloned(), l1);
        let answer = rules_asker(config, set, *chain_id, nodes, witnesses).compare().await;
        if let Ok(answer) = &answer {
            ReportedForks::of(*chain_id).report(answer);
        }
        answers.push((*chain_id, answer));
    }
    answers
}
