//! [`Nodes`]: the servers of a devnet, and the stores that they answer from.

use super::{
    keyring::system_config_address,
    l1::L1,
    schedule::Schedule,
    sequencer::Sequencer,
    serve::{
        ChainStore, RollupNode, RunningServer, ServeError, execution_module, l1_module, rollup_node_module,
        start,
    },
    superchain::{Superchain, Tick},
};
use parking_lot::RwLock;
use std::sync::Arc;

/// The servers of one chain.
#[derive(Debug)]
pub struct ChainNodes {
    /// The chain.
    pub chain_id: u64,
    /// Its execution client.
    pub execution: RunningServer,
    /// Its rollup node.
    pub rollup_node: RunningServer,
    store: Arc<RwLock<ChainStore>>,
}

/// All servers.
#[derive(Debug)]
pub struct Nodes {
    /// The chains', in the order of their ids.
    pub chains: Vec<ChainNodes>,
    /// The L1's execution client.
    pub l1: RunningServer,
    l1_store: Arc<RwLock<L1>>,
}

impl Nodes {
    /// Starts all servers, with the chains at their genesis.
    ///
    /// # Errors
    /// When a server cannot be started.
    pub async fn start(superchain: &Superchain) -> Result<Self, ServeError> {
        let l1_store = Arc::new(RwLock::new(superchain.l1().clone()));
        let schedule = superchain.params().schedule;
        let dependencies: Vec<u64> = superchain.sequencers().iter().map(Sequencer::chain_id).collect();
        let mut chains = Vec::with_capacity(dependencies.len());
        for sequencer in superchain.sequencers() {
            let store = ChainStore::new(sequencer.chain_id(), Arc::clone(sequencer.chain().genesis()));
            let store = Arc::new(RwLock::new(store));
            let node = rollup_node(sequencer, &store, &l1_store, &dependencies, &schedule);
            chains.push(ChainNodes {
                chain_id: sequencer.chain_id(),
                execution: start(execution_module(Arc::clone(&store))?).await?,
                rollup_node: start(rollup_node_module(node)?).await?,
                store,
            });
        }
        Ok(Self { chains, l1: start(l1_module(Arc::clone(&l1_store))?).await?, l1_store })
    }

    /// The L1 as its execution client has it.
    pub fn l1_store(&self) -> Arc<RwLock<L1>> {
        Arc::clone(&self.l1_store)
    }

    /// Lets the servers know what happened in a tick.
    pub fn apply(&self, tick: &Tick, l1: &L1) {
        if tick.l1_moved {
            *self.l1_store.write() = l1.clone();
        }
        for (nodes, chain) in self.chains.iter().zip(&tick.chains) {
            nodes.store.write().apply(chain);
        }
    }

    /// Stops all servers.
    pub async fn stop(self) {
        for chain in self.chains {
            chain.execution.stop().await;
            chain.rollup_node.stop().await;
        }
        self.l1.stop().await;
    }
}

fn rollup_node(
    sequencer: &Sequencer,
    chain: &Arc<RwLock<ChainStore>>,
    l1: &Arc<RwLock<L1>>,
    dependencies: &[u64],
    schedule: &Schedule,
) -> RollupNode {
    RollupNode {
        chain: Arc::clone(chain),
        l1: Arc::clone(l1),
        dependencies: dependencies.to_vec(),
        expiry_window: schedule.expiry_window(),
        block_time: schedule.block_time,
        system_config: system_config_address(sequencer.chain_id()),
        batcher: sequencer.keys().batcher.address(),
    }
}
