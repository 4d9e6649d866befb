//! [`Member`]: a chain with the identity of a public network, its sequencer, and the nodes that serve it.
//!
//! Its blocks are real in all that Crosscheck can check: their hashes, their deposits, their places on L1. It
//! begins a minute before Lagoon, at the height that the network has then, and takes no part in the real
//! network.

use super::bundle;
use alloy::eips::BlockNumHash;
use alloy::primitives::{Address, B256, Bytes, U256};
use crosscheck::for_tests::KnownNetwork;
use crosscheck_core::consolidation::Fork;
use crosscheck_core::message::{CROSS_L2_INBOX, Message};
use crosscheck_devnet::chain::BlockOverrides;
use crosscheck_devnet::chain::{Chain, ChainParams, L2Block};
use crosscheck_devnet::contracts::{EMITTER, emit_call, inbox_access_list, validate_message_call};
use crosscheck_devnet::follower::{FollowerBehaviour, FollowerEndpoints, ServedL2Ref, SimulatedFollower};
use crosscheck_devnet::gossip::Publisher;
use crosscheck_devnet::keys::Call;
use crosscheck_devnet::keys::{Keyring, deposit_contract_address};
use crosscheck_devnet::l1::L1;
use crosscheck_devnet::l1::{FeeScalars, SystemConfigContract};
use crosscheck_devnet::messages::InitiatingBlock;
use crosscheck_devnet::serve;
use crosscheck_devnet::serve::{ChainStore, RunningServer, SimulatedRollupNode};
use crosscheck_devnet::simulation::ChainHeads;
use crosscheck_devnet::simulation::{Attestation, ChainTick};
use crosscheck_p2p::{Clock, Signers, UnixSeconds};
use crosscheck_peer::GossipNode;
use jsonrpsee::types::ErrorObjectOwned;
use parking_lot::{Mutex, RwLock};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How many seconds a head is behind the newest block.
const LOCAL_SAFE_LAG: u64 = 6;
const SAFE_LAG: u64 = 8;
const FINALIZED_LAG: u64 = 14;
const GAS_LIMIT: u64 = 60_000_000;

/// Its chain as a follower of Crosscheck has come to see it.
pub(crate) struct Followed {
    behaviour: Arc<Mutex<FollowerBehaviour>>,
    chain_id: u64,
    /// Ends when it is dropped.
    _task: JoinSet<()>,
}

impl Followed {
    /// How far its safe head is.
    pub(crate) fn safe(&self) -> u64 {
        let report = self.behaviour.lock().report(self.chain_id, None);
        assert!(!report.went_backwards && report.rejected_statuses == 0, "{report:?}");
        report.safe
    }
}

/// A chain.
pub(crate) struct Member {
    pub(crate) network: KnownNetwork,
    pub(crate) keys: Keyring,
    chain: Chain,
    store: Arc<RwLock<ChainStore>>,
    attested: u64,
}

/// What serves a chain, until it is dropped.
pub(crate) struct Served {
    pub(crate) execution: RunningServer,
    pub(crate) rollup_node: RunningServer,
    pub(crate) sequencer: GossipNode,
    publisher: Publisher,
}

/// What a `SystemConfig` holds for a sequencer's keys.
pub(crate) fn system_config(keys: &Keyring) -> SystemConfigContract {
    SystemConfigContract {
        unsafe_block_signer: keys.sequencer.address(),
        batcher: keys.batcher.address(),
        scalars: FeeScalars::GENESIS,
    }
}

impl Member {
    /// The chain of a network from this time on, at the height that the network has then.
    pub(crate) fn new(network: KnownNetwork, keys: Keyring, l1: BlockNumHash, start: UnixSeconds) -> Self {
        let age = start.0 - network.genesis.time.0;
        assert!(age.is_multiple_of(network.block_time));
        let is_of_several = network.dependency_set.len() > 1;
        let chain_id = network.chain_id.as_u64().unwrap();
        let params = ChainParams {
            chain_id,
            block_time: network.block_time,
            first_number: network.genesis.l2.number + age / network.block_time,
            genesis_time: start,
            l1_genesis: l1,
            gas_limit: GAS_LIMIT,
            system_config: network.system_config,
            deposit_contract: deposit_contract_address(chain_id),
            batcher: keys.batcher.address(),
            upgrade: network.interop_time().map(|time| bundle::lagoon(time, is_of_several)),
        };
        let chain = Chain::new(params, &keys.user_addresses()).unwrap();
        let store = ChainStore::new(chain_id, Arc::clone(chain.genesis()));
        let attested = chain.head().number();
        Self { network, keys, chain, store: Arc::new(RwLock::new(store)), attested }
    }

    pub(crate) fn id(&self) -> u64 {
        self.chain.params().chain_id
    }

    /// The height of the block of this time, or of the next one.
    pub(crate) fn height_at(&self, time: u64) -> u64 {
        let params = self.chain.params();
        params.first_number + (time - params.genesis_time.0).div_ceil(params.block_time)
    }

    /// The height of the newest block.
    pub(crate) fn block_number(&self) -> u64 {
        self.chain.head().number()
    }

    /// The block of a height.
    pub(crate) fn block(&self, number: u64) -> Arc<L2Block> {
        Arc::clone(self.chain.canonical(number).unwrap())
    }

    /// The first message that the user's transaction of a block initiated.
    pub(crate) fn message_of(&self, number: u64) -> Message {
        let block = self.block(number);
        let messages = InitiatingBlock::of(self.id(), &block).messages;
        *messages.iter().find(|message| message.identifier.origin == EMITTER).unwrap()
    }

    /// Builds the block that is due, which executes these messages, and says what the sequencer attests with
    /// it. A block that executes messages is metered by its sequencer: it ends with a transaction of type
    /// 0x7D.
    pub(crate) fn build(&mut self, l1: &L1, executed: &[Message]) -> ChainTick {
        let parent = Arc::clone(self.chain.head());
        let timestamp = parent.header.timestamp + self.network.block_time;
        let next = l1.block_by_number(parent.l1_origin.number + 1);
        let origin = next.filter(|next| next.header.timestamp <= timestamp);
        let origin = origin.or_else(|| l1.block_by_number(parent.l1_origin.number)).unwrap();
        let lagoon = self.network.interop_time().unwrap();
        let is_first_of_lagoon = self.height_at(lagoon.0) == parent.number() + 1;
        // The first block of Lagoon holds nothing of users.
        let transactions = if is_first_of_lagoon { Vec::new() } else { self.traffic(&parent, executed) };
        let overrides = BlockOverrides { is_metered: !executed.is_empty(), ..BlockOverrides::default() };
        let block = self.chain.build_with(parent.hash, origin, &transactions, &overrides).unwrap();
        self.chain.adopt(block.hash).unwrap();
        let (first, time) = (self.chain.params().first_number, self.network.block_time);
        let behind = |lag: u64| block.number().saturating_sub(lag / time).max(first);
        let heads = ChainHeads {
            unsafe_head: block.number(),
            local_safe: behind(LOCAL_SAFE_LAG),
            safe: behind(SAFE_LAG),
            finalized: behind(FINALIZED_LAG),
        };
        let attested = (self.attested + 1..=heads.safe).map(|number| Attestation {
            block: self.block(number),
            by_impostor: false,
            is_published: true,
            fault: None,
        });
        let attestations = attested.collect();
        self.attested = heads.safe;
        let safe_at = vec![(l1.head().number(), heads.safe)];
        let tick =
            ChainTick { built: vec![block], attestations, heads, safe_at, ..ChainTick::idle(self.id()) };
        self.store.write().apply(&tick);
        tick
    }

    fn traffic(&self, parent: &L2Block, executed: &[Message]) -> Vec<Bytes> {
        let user = &self.keys.users[0];
        let nonce = self.chain.nonce(parent.hash, user.address()).unwrap();
        let emit = (EMITTER, emit_call(&[parent.hash], b"around Lagoon"), &[][..]);
        let execute =
            |message| (CROSS_L2_INBOX, validate_message_call(message), std::slice::from_ref(message));
        let calls = std::iter::once(emit).chain(executed.iter().map(execute));
        let sign = |(place, (to, input, declared)): (u64, (Address, Bytes, &[Message]))| {
            user.sign_call(Call {
                chain_id: self.id(),
                nonce: nonce + place,
                to,
                input,
                value: U256::ZERO,
                access_list: inbox_access_list(declared),
                gas_limit: 500_000,
                max_fee: 10_000_000_000,
            })
            .unwrap()
        };
        (0..).zip(calls).map(sign).collect()
    }

    /// Serves the chain, from now on. `is_plain`: its rollup node derives the chain, and checks no messages.
    pub(crate) async fn serve(&self, clock: Arc<dyn Clock>, l1: Arc<RwLock<L1>>, is_plain: bool) -> Served {
        let execution = serve::execution_module(Arc::clone(&self.store)).unwrap();
        let params = self.chain.params();
        let node = SimulatedRollupNode {
            chain: Arc::clone(&self.store),
            l1,
            dependencies: self.network.dependency_set.iter().map(|id| id.as_u64().unwrap()).collect(),
            expiry_window: 604_800,
            interop_time: self.network.interop_time().unwrap().0,
            block_time: self.network.block_time,
            system_config: params.system_config,
            batcher: params.batcher,
            upgrade: None,
            is_plain,
        };
        let mut rollup_node = serve::rollup_node_module(node).unwrap();
        let config = self.rollup_config();
        rollup_node.remove_method("optimism_rollupConfig");
        let answer =
            move |_: jsonrpsee::types::Params<'_>, _: &SimulatedRollupNode, _: &jsonrpsee::Extensions| {
                Ok::<_, ErrorObjectOwned>(config.clone())
            };
        rollup_node.register_method("optimism_rollupConfig", answer).unwrap();
        let signers = Signers::of(self.keys.sequencer.address());
        let sequencer = GossipNode::start_at(clock, self.network.chain_id, signers, Vec::new());
        Served {
            execution: serve::start(execution).await.unwrap(),
            rollup_node: serve::start(rollup_node).await.unwrap(),
            publisher: Publisher::new(self.id(), sequencer.handle.clone(), &self.keys).unwrap(),
            sequencer,
        }
    }

    /// The network's rollup configuration: its own genesis and fork times, and the contracts of this L1.
    fn rollup_config(&self) -> Value {
        let KnownNetwork { genesis, .. } = &self.network;
        let params = self.chain.params();
        let id = |id: BlockNumHash| json!({ "hash": id.hash, "number": id.number });
        let mut config = json!({
            "genesis": {
                "l1": id(genesis.l1), "l2": id(genesis.l2), "l2_time": genesis.time,
                "system_config": {
                    "batcherAddr": params.batcher, "overhead": B256::ZERO,
                    "scalar": FeeScalars::GENESIS.word(), "gasLimit": GAS_LIMIT,
                },
            },
            "block_time": params.block_time, "max_sequencer_drift": 600, "seq_window_size": 3_600,
            "l1_chain_id": self.network.l1_chain_id, "l2_chain_id": params.chain_id,
            "batch_inbox_address": self.network.batch_inbox,
            "deposit_contract_address": params.deposit_contract,
            "l1_system_config_address": params.system_config,
            "keep_karst_upgrade_gas": self.network.keep_karst_upgrade_gas,
            "pectra_blob_schedule_time": self.network.pectra_blob_schedule,
            "chain_op_config":
                { "eip1559Elasticity": 6, "eip1559Denominator": 250, "eip1559DenominatorCanyon": 250 },
        });
        // Bedrock has no time there.
        for fork in Fork::ALL.into_iter().filter(|fork| *fork != Fork::Bedrock) {
            if let Some(time) = self.network.forks.activation(fork) {
                config[format!("{fork}_time")] = json!(time);
            }
        }
        config
    }

    /// A node that follows what is served at this URL, and derives nothing.
    pub(crate) fn follow(&self, served: &Served, source: String, l1: Arc<RwLock<L1>>) -> Followed {
        let endpoints = FollowerEndpoints { source, execution: served.execution.url(), l1 };
        let behaviour = Arc::new(Mutex::new(FollowerBehaviour::default()));
        let (genesis, lagoon) = (ServedL2Ref::of_block(self.chain.genesis()), self.network.interop_time());
        let follower =
            SimulatedFollower::new(endpoints, genesis, lagoon.map(|time| time.0), Arc::clone(&behaviour))
                .unwrap();
        let mut task = JoinSet::new();
        task.spawn(async move {
            // It hears no gossip: it fetches what it is led to.
            let (_nobody, events) = tokio::sync::mpsc::channel(1);
            follower.run(events, Duration::from_millis(100), CancellationToken::new()).await;
        });
        Followed { behaviour, chain_id: self.id(), _task: task }
    }
}

impl Served {
    /// The section of a configuration that joins its gossip: nothing is asked of the real network.
    pub(crate) async fn gossip(&self) -> Value {
        let peer = self.sequencer.addr().await.to_string();
        json!({ "listen": ["/ip4/127.0.0.1/tcp/0"], "static_peers": [peer], "bootnodes": [] })
    }

    /// Publishes what was built, then what is attested.
    pub(crate) async fn publish(&self, tick: &ChainTick) {
        for block in &tick.built {
            self.publisher.publish_block(block).await.unwrap();
        }
        for attestation in &tick.attestations {
            self.publisher.publish_attestation(attestation).await.unwrap();
        }
    }
}
