//! [`Nodes`]: the servers of a devnet, and the stores that they answer from.

use super::claimants::ClaimantNode;
use super::{
    ChainStore, RequestCounts, RunningServer, ServeError, SimulatedRollupNode, execution_module, l1_module,
    rollup_node_module, start,
};
use crate::chain::L2Block;
use crate::faults::CLAIMANTS;
use crate::keys::system_config_address;
use crate::l1::L1;
use crate::simulation::{ChainTick, OddEndpoint, Sequencer, Superchain, Tick};
use crate::timing::Schedule;
use parking_lot::RwLock;
use std::{collections::VecDeque, sync::Arc};

/// The servers of one chain.
#[derive(Debug)]
pub struct ChainNodes {
    /// The chain.
    pub chain_id: u64,
    /// The execution client beside its rollup node.
    pub execution: RunningServer,
    /// Its rollup node.
    pub rollup_node: RunningServer,
    store: Arc<RwLock<ChainStore>>,
    /// What they do not know yet: it was built after a replacement that they have not followed.
    unfollowed: Vec<ChainTick>,
    /// Execution clients that others run.
    others: Vec<Endpoint>,
    /// Endpoints whose safe head is taken as a claim, if it has any.
    claimants: Vec<ClaimantNode>,
}

/// An execution client that knows the chain by itself.
#[derive(Debug)]
struct Endpoint {
    server: RunningServer,
    store: Arc<RwLock<ChainStore>>,
    /// What it does not know yet. As long as it lags, never more ticks than it is behind.
    held: VecDeque<ChainTick>,
}

impl Endpoint {
    async fn start(chain_id: u64, genesis: &Arc<L2Block>, history: u64) -> Result<Self, ServeError> {
        let store = ChainStore::new(chain_id, Arc::clone(genesis)).keeping(history);
        let store = Arc::new(RwLock::new(store));
        let server = start(execution_module(Arc::clone(&store))?).await?;
        Ok(Self { server, store, held: VecDeque::new() })
    }

    fn apply(&mut self, tick: &ChainTick, odd: Option<&OddEndpoint>) {
        let mut tick = tick.clone();
        let mut behind = 0;
        match odd {
            Some(OddEndpoint::Lies(blocks)) => tick.other_branch = Some(blocks.clone()),
            Some(OddEndpoint::Lags(by)) => behind = usize::try_from(*by).unwrap_or(usize::MAX),
            None => {}
        }
        self.held.push_back(tick);
        let mut store = self.store.write();
        while self.held.len() > behind
            && let Some(known) = self.held.pop_front()
        {
            store.apply(&known);
        }
    }
}

impl ChainNodes {
    /// Takes in what the chain did, once they leave the replaced block that they stay on.
    fn follow(&mut self, chain: &ChainTick) {
        if chain.remains_on.is_some() {
            return self.unfollowed.push(chain.clone());
        }
        let mut store = self.store.write();
        for known in self.unfollowed.drain(..).chain([chain.clone()]) {
            store.apply(&known);
        }
    }

    /// The URLs of all execution clients: those of others first.
    pub(crate) fn execution_urls(&self) -> Vec<String> {
        let servers = self.others.iter().map(|endpoint| &endpoint.server).chain([&self.execution]);
        servers.map(RunningServer::url).collect()
    }

    /// The URLs of its claimants.
    pub(crate) fn claimant_urls(&self) -> Vec<String> {
        self.claimants.iter().map(|claimant| claimant.server.url()).collect()
    }
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
    /// Starts all servers, with the chains at their genesis and this many execution clients a chain: at least
    /// one.
    ///
    /// # Errors
    /// When a server cannot be started.
    pub async fn start(superchain: &Superchain, endpoints: usize) -> Result<Self, ServeError> {
        let l1_store = Arc::new(RwLock::new(superchain.l1().clone()));
        let schedule = superchain.params().schedule;
        let dependencies: Vec<u64> = superchain.sequencers().iter().map(Sequencer::chain_id).collect();
        let mut chains = Vec::with_capacity(dependencies.len());
        for sequencer in superchain.sequencers() {
            let genesis = sequencer.chain().genesis();
            let mut others = Vec::with_capacity(endpoints);
            for _ in 1..endpoints {
                others.push(Endpoint::start(sequencer.chain_id(), genesis, superchain.history()).await?);
            }
            let store = ChainStore::new(sequencer.chain_id(), Arc::clone(genesis));
            let store = store.keeping(superchain.history());
            let store = Arc::new(RwLock::new(store));
            let is_plain = superchain.params().plan.has_plain_node(sequencer.chain_id());
            let node = rollup_node(sequencer, &store, &l1_store, &dependencies, &schedule, is_plain);
            let mut claimants = Vec::new();
            if superchain.params().plan.has_claimants(sequencer.chain_id()) {
                for claimant in CLAIMANTS {
                    let store = ChainStore::new(sequencer.chain_id(), Arc::clone(genesis));
                    let store = store.keeping(superchain.history());
                    claimants.push(ClaimantNode::start(claimant, node.clone(), store).await?);
                }
            }
            chains.push(ChainNodes {
                chain_id: sequencer.chain_id(),
                execution: start(execution_module(Arc::clone(&store))?).await?,
                rollup_node: start(rollup_node_module(node)?).await?,
                store,
                unfollowed: Vec::new(),
                others,
                claimants,
            });
        }
        Ok(Self { chains, l1: start(l1_module(Arc::clone(&l1_store))?).await?, l1_store })
    }

    /// The L1 as its execution client has it.
    pub(crate) fn l1_store(&self) -> Arc<RwLock<L1>> {
        Arc::clone(&self.l1_store)
    }

    /// Lets the servers know what happened in a tick.
    pub fn apply(&mut self, tick: &Tick, l1: &L1) {
        self.apply_l1(tick, l1);
        for chain in &tick.chains {
            self.apply_chain(chain);
        }
    }

    /// Lets L1's server know what happened to L1 in a tick.
    pub(crate) fn apply_l1(&self, tick: &Tick, l1: &L1) {
        if tick.l1_moved {
            *self.l1_store.write() = l1.clone();
        }
    }

    /// Lets a chain's servers know what the chain did.
    pub(crate) fn apply_chain(&mut self, chain: &ChainTick) {
        for nodes in self.chains.iter_mut().filter(|nodes| nodes.chain_id == chain.chain_id) {
            nodes.follow(chain);
            nodes.claimants.iter().for_each(|claimant| claimant.follow(chain));
            for (place, endpoint) in nodes.others.iter_mut().enumerate() {
                let odd = chain.odd.as_ref().filter(|(odd, _)| *odd == place).map(|(_, how)| how);
                endpoint.apply(chain, odd);
            }
        }
    }

    /// What the servers were asked. Of several execution clients of a chain the first one counts.
    pub fn requests(&self) -> RequestCounts {
        let mut counts = RequestCounts { l1: self.l1.requests.counts(), ..RequestCounts::default() };
        for chain in &self.chains {
            let nodes =
                [(&mut counts.execution, &chain.execution), (&mut counts.rollup_node, &chain.rollup_node)];
            for (all, server) in nodes {
                for (method, count) in server.requests.counts() {
                    let known: &mut u64 = all.entry(method).or_default();
                    *known = known.saturating_add(count);
                }
            }
        }
        counts
    }

    /// Stops all servers.
    pub async fn stop(self) {
        for chain in self.chains {
            chain.execution.stop().await;
            chain.rollup_node.stop().await;
            for endpoint in chain.others {
                endpoint.server.stop().await;
            }
            for claimant in chain.claimants {
                claimant.server.stop().await;
            }
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
    is_plain: bool,
) -> SimulatedRollupNode {
    SimulatedRollupNode {
        chain: Arc::clone(chain),
        l1: Arc::clone(l1),
        dependencies: dependencies.to_vec(),
        expiry_window: schedule.expiry_window(),
        interop_time: schedule.interop_time().0,
        block_time: schedule.block_time,
        system_config: system_config_address(sequencer.chain_id()),
        batcher: sequencer.keys().batcher.address(),
        upgrade: sequencer.chain().params().upgrade.as_ref().map(|upgrade| upgrade.time),
        is_plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;
    use crate::simulation::{ChainHeads, Replaced};

    fn tick(block: &Arc<L2Block>) -> ChainTick {
        let heads = ChainHeads { unsafe_head: block.number(), ..ChainHeads::default() };
        ChainTick { built: vec![Arc::clone(block)], heads, ..ChainTick::idle(901) }
    }

    #[tokio::test]
    async fn a_lagging_endpoint_serves_older_blocks_and_catches_up() {
        let mut fixture = Fixture::new(7);
        let mut endpoint = Endpoint::start(901, fixture.chain.genesis(), 100).await.unwrap();
        let blocks: Vec<_> = (0..6).map(|_| fixture.extend(&[])).collect();
        for (block, known) in blocks.iter().zip([0, 0, 1, 2, 3]) {
            endpoint.apply(&tick(block), Some(&OddEndpoint::Lags(2)));
            assert_eq!(endpoint.store.read().heads().unsafe_head, known);
        }
        endpoint.apply(&tick(&blocks[5]), None);
        assert_eq!(endpoint.store.read().canonical(6), Some(&blocks[5]));
        assert!(endpoint.held.is_empty());
    }

    #[tokio::test]
    async fn nodes_that_remain_on_a_replaced_block_have_no_later_block_until_they_leave_it() {
        let mut fixture = Fixture::new(7);
        let genesis = Arc::clone(fixture.chain.genesis());
        let store = Arc::new(RwLock::new(ChainStore::new(901, genesis)));
        let server = || async { start(execution_module(Arc::clone(&store)).unwrap()).await.unwrap() };
        let (execution, rollup_node) = (server().await, server().await);
        let (unfollowed, others, claimants) = (Vec::new(), Vec::new(), Vec::new());
        let store = Arc::clone(&store);
        let mut nodes =
            ChainNodes { chain_id: 901, execution, rollup_node, store, unfollowed, others, claimants };
        let blocks: Vec<_> = (0..3).map(|_| fixture.extend(&[])).collect();
        let replaced = Replaced { hash: blocks[0].hash, by: blocks[1].hash };
        for (block, remains_on, known) in
            [(&blocks[0], None, 1), (&blocks[1], Some(replaced), 1), (&blocks[2], None, 3)]
        {
            nodes.follow(&ChainTick { remains_on, ..tick(block) });
            assert_eq!(nodes.store.read().heads().unsafe_head, known);
        }
        assert_eq!(nodes.store.read().canonical(2), Some(&blocks[1]));
    }

    #[tokio::test]
    async fn a_lying_endpoint_serves_its_own_blocks_and_then_those_of_the_chain() {
        let mut fixture = Fixture::new(7);
        let mut endpoint = Endpoint::start(901, fixture.chain.genesis(), 100).await.unwrap();
        let lying_branch = Fixture::new(8).extend(&[]);
        let [first, second] = [fixture.extend(&[]), fixture.extend(&[])];
        endpoint.apply(&tick(&first), Some(&OddEndpoint::Lies(vec![Arc::clone(&lying_branch)])));
        assert_eq!(endpoint.store.read().canonical(1), Some(&lying_branch));
        assert_eq!(endpoint.store.read().by_hash(first.hash), None);
        endpoint.apply(&tick(&second), None);
        assert_eq!(endpoint.store.read().canonical(1), Some(&first));
    }
}
