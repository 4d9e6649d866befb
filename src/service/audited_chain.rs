//! [`AuditedChain`]: the tasks of one chain with rollup nodes, wired together: its heads, its signers and its
//! gossip.

use super::monitoring::Monitoring;
use super::{Shared, claimants, rules_asker, stall_bounds, validation_rules};
use crate::audit::{
    COMPARE_EVERY, HeadWatcher, HeadWatcherParts, NodeComparer, NodeComparerParts, OriginWitnesses,
    RulesAsker,
};
use crate::config::{ChainConfig, Config};
use crate::gossip::{
    Intake, IntakeParts, PeerWatch, PeerWatchParts, RefusalWatch, SignerReader, SignerWatcher,
    SignerWatcherParts, key_file, network_config,
};
use crate::health::HealthPart;
use crate::sources::ExecutionClient;
use crate::tasks::TaskGroup;
use crosscheck_p2p::{ChainId, Network, NodeIdentity, Signers};
use std::sync::Arc;
use tokio::sync::watch;

/// A chain that is audited, and what its tasks are made from.
#[derive(Clone, Copy)]
pub(super) struct AuditedChain<'a> {
    pub(super) chain_id: ChainId,
    pub(super) chain: &'a ChainConfig,
    pub(super) execution: &'a ExecutionClient,
    pub(super) config: &'a Config,
    pub(super) shared: &'a Shared,
    pub(super) monitoring: &'a Monitoring,
}

impl AuditedChain<'_> {
    /// Starts the chain's tasks.
    pub(super) fn start(self, tasks: &mut TaskGroup) -> eyre::Result<()> {
        self.watch_heads(tasks);
        claimants::start(tasks, self.config, self.shared, self.chain_id, self.chain)?;
        let signers = self.watch_signers(tasks)?;
        self.join_gossip(tasks, signers)
    }

    fn watch_heads(self, tasks: &mut TaskGroup) {
        let Self { chain_id, chain, execution, config, shared, .. } = self;
        let Some(nodes) = shared.nodes.get(&chain_id) else { return };
        for part in HeadWatcher::health_parts(chain_id) {
            shared.health.expect(&part);
        }
        let l1 = shared.l1.as_ref().map(|l1| l1.client().clone());
        let witnesses = OriginWitnesses::new(Some(execution.clone()), l1);
        let watcher = HeadWatcher::new(HeadWatcherParts {
            chain_id,
            nodes: nodes.clone(),
            safe_means: chain.safe_means,
            execution: execution.clone(),
            rules: RulesAsker {
                ledger: Some(shared.ledger.clone()),
                ..rules_asker(config, &shared.set, chain_id, nodes, witnesses)
            },
            interval: config.sources.poll_interval.0,
            stall: stall_bounds(chain),
            heads: shared.heads.clone(),
            auditor: shared.auditor.clone(),
            health: shared.health.clone(),
            metrics: shared.metrics.audit.clone(),
        });
        tasks.spawn(format!("heads of chain {chain_id}"), watcher.run(tasks.cancellation().clone()));
        if nodes.len() > 1 {
            let comparer = NodeComparer::new(NodeComparerParts {
                chain_id,
                nodes: nodes.clone(),
                block_time: chain.block_time,
                interval: COMPARE_EVERY,
                heads: shared.heads.clone(),
                disagreements: shared.disagreements.clone(),
                health: shared.health.clone(),
                metrics: shared.metrics.audit.clone(),
            });
            let name = format!("comparison of rollup nodes of chain {chain_id}");
            tasks.spawn(name, comparer.run(tasks.cancellation().clone()));
        }
    }

    /// Who may sign: as configured, or as L1 says, kept current by a task.
    fn watch_signers(self, tasks: &mut TaskGroup) -> eyre::Result<watch::Receiver<Signers>> {
        let Self { chain_id, chain, shared, .. } = self;
        let configured = Signers {
            unsafe_block_signer: chain.unsafe_block_signer,
            attester: chain.attester,
            ..Signers::default()
        };
        let (signers, receiver) = watch::channel(configured);
        if chain.unsafe_block_signer.is_some() {
            return Ok(receiver);
        }
        let (Some(l1), Some(system_config)) = (&shared.l1, chain.system_config) else {
            eyre::bail!(
                "chain {chain_id} has neither unsafe_block_signer nor l1.execution and system_config"
            );
        };
        shared.health.expect(&HealthPart::UnsafeBlockSigner(chain_id));
        let watcher = SignerWatcher::new(SignerWatcherParts {
            chain_id,
            system_config,
            reader: SignerReader::new(l1.clone(), system_config),
            grace: chain.p2p.signer_grace.as_secs(),
            clock: Arc::clone(&shared.clock),
            signers,
            health: shared.health.clone(),
            metrics: shared.metrics.shared.clone(),
        });
        tasks.spawn(format!("signers of chain {chain_id}"), watcher.run(tasks.cancellation().clone()));
        Ok(receiver)
    }

    fn join_gossip(self, tasks: &mut TaskGroup, signers: watch::Receiver<Signers>) -> eyre::Result<()> {
        let Self { chain_id, chain, config, shared, monitoring, .. } = self;
        let identity = NodeIdentity::load_or_create(&key_file(chain_id, &chain.p2p, &config.data_dir))?;
        let rules = validation_rules(config, chain_id, chain);
        let network = network_config(chain_id, chain, rules, &config.data_dir);
        let refused = RefusalWatch::new(
            chain_id,
            chain.p2p.refusal_patience.0,
            network.kept_peers(),
            shared.health.clone(),
            shared.metrics.gossip.clone(),
        );
        let (network, handle, events) = Network::new(network, identity, Arc::clone(&shared.clock), signers)?;
        let peers = PeerWatch::new(PeerWatchParts {
            chain_id,
            peers: handle.subscribers(),
            patience: chain.p2p.peer_patience.0,
            health: shared.health.clone(),
            metrics: shared.metrics.gossip.clone(),
        });
        shared.networks.insert(chain_id, handle.clone());
        let intake = Intake::new(IntakeParts {
            chain_id,
            network: handle,
            heads: shared.heads.clone(),
            events,
            auditor: shared.auditor.clone(),
            suspects: monitoring.gossip.clone(),
            rivals: shared.rivals.clone(),
            hints: monitoring.hints.clone(),
            refusals: shared.refusals.clone(),
            refused,
            clock: Arc::clone(&shared.clock),
            health: shared.health.clone(),
            gossiped: shared.gossiped.clone(),
            transactions: shared.transactions.clone(),
            metrics: shared.metrics.gossip.clone(),
            ledger: shared.ledger.clone(),
        });
        let cancel = tasks.cancellation().clone();
        tasks.spawn(format!("gossip of chain {chain_id}"), network.run(cancel.clone()));
        tasks.spawn(format!("intake of chain {chain_id}"), intake.run(cancel.clone()));
        tasks.spawn(format!("peers of chain {chain_id}"), peers.run(cancel));
        Ok(())
    }
}
