//! The JSON-RPC server, wired to what its methods read.

use super::monitoring::Monitoring;
use super::sources::endpoint_names;
use super::{Shared, opinions};
use crate::config::Config;
use crate::rpc::{self, ChainSources, CrosscheckRpc, Failsafe, RpcParts, SuperchainReader};
use crate::tasks::TaskGroup;
use eyre::WrapErr;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// Binds the JSON-RPC server and starts its task, and those that compare its answers with others.
pub(super) async fn start(
    tasks: &mut TaskGroup,
    config: &Config,
    shared: &Shared,
    monitoring: &Monitoring,
) -> eyre::Result<SocketAddr> {
    let parts = RpcParts {
        crosscheck: CrosscheckRpc {
            chains: config.chains.keys().copied().collect(),
            ledger: shared.ledger.without_waiting(),
            refusals: shared.refusals.clone(),
            heads: shared.heads.clone(),
            nodes: shared.nodes.clone(),
            disagreements: shared.disagreements.clone(),
            gossiped: shared.gossiped.clone(),
            health: shared.health.clone(),
            names: endpoint_names(config),
        },
        networks: shared.networks.clone(),
        superchain: superchain(config, shared, monitoring)?,
        suspects: monitoring.suspects.clone(),
        events: shared.events.clone(),
        failsafe: Failsafe::open(&shared.ledger, shared.metrics.rpc.clone()).await?,
        admin: config.rpc.admin,
        clock: Arc::clone(&shared.clock),
        metrics: shared.metrics.rpc.clone(),
    };
    opinions::start(tasks, config, shared, &monitoring.tracker, &parts.own_answers())?;
    let chains = config.chains.keys().copied().collect();
    let (methods, cancel) = (parts.module()?, tasks.cancellation().clone());
    let (bound, server) = rpc::serve(config.rpc.addr, methods, chains, shared.metrics.shared.clone(), cancel)
        .await
        .wrap_err_with(|| format!("rpc.addr {} cannot be bound; is it in use?", config.rpc.addr))?;
    tasks.spawn("rpc", server);
    Ok(bound)
}

fn superchain(config: &Config, shared: &Shared, monitoring: &Monitoring) -> eyre::Result<SuperchainReader> {
    let set = shared.set.clone();
    let mut chains = BTreeMap::new();
    for (chain_id, chain) in &config.chains {
        let Some(execution) = shared.clients.get(chain_id).cloned() else { continue };
        let node = shared.nodes.get(chain_id).cloned();
        chains.insert(*chain_id, ChainSources { execution, node, block_time: chain.block_time });
    }
    let l1 = shared.l1.as_ref().map(|l1| l1.client().clone());
    Ok(SuperchainReader {
        set,
        tracker: monitoring.tracker.clone(),
        index: shared.index.clone(),
        heads: shared.heads.clone(),
        chains,
        l1,
    })
}
