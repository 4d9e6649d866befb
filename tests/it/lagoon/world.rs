//! [`World`]: OP Sepolia, Unichain Sepolia and Ink Sepolia around Lagoon, on one L1, at a time of their own.
//!
//! Time is stopped but for [`World::advance`]: each second of it builds what is due, publishes it, and sets
//! the clock file that the program reads.

use super::member::{Followed, Member, Served, system_config};
use alloy::primitives::U64;
use crosscheck::for_tests::NetworkName;
use crosscheck_core::message::Message;
use crosscheck_devnet::free_addrs::free_addrs;
use crosscheck_devnet::keys::Keyring;
use crosscheck_devnet::l1::{L1, L1Params};
use crosscheck_devnet::serve;
use crosscheck_devnet::serve::RunningServer;
use crosscheck_devnet::timing::ClockFile;
use crosscheck_p2p::{FileClock, UnixSeconds};
use jsonrpsee::types::ErrorObjectOwned;
use parking_lot::RwLock;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// When Lagoon takes force on all three: 10 December 2026 16:00:01 UTC.
pub(crate) const LAGOON: u64 = 1_796_918_401;
/// When the chains begin here.
const START: u64 = LAGOON - 61;
const L1_BLOCK_TIME: u64 = 12;
/// Sepolia.
const L1_CHAIN_ID: u64 = 11_155_111;

/// The three networks, in the order of [`World::members`].
pub(crate) const NETWORKS: [&str; 3] = ["op-sepolia", "unichain-sepolia", "ink-sepolia"];
/// The place of each.
pub(crate) const OP: usize = 0;
pub(crate) const UNICHAIN: usize = 1;
pub(crate) const INK: usize = 2;

/// The chains, and all that serves them.
pub(crate) struct World {
    pub(crate) members: Vec<Member>,
    pub(crate) served: Vec<Served>,
    l1: Arc<RwLock<L1>>,
    pub(crate) l1_server: RunningServer,
    pub(crate) clock: ClockFile,
    now: u64,
    /// What the chains execute next, by place.
    executed: BTreeMap<usize, Vec<Message>>,
}

impl World {
    pub(crate) async fn start(dir: &Path) -> Self {
        Self::serve(dir, false).await
    }

    /// The same, with rollup nodes that derive their chains, and check no messages.
    pub(crate) async fn start_with_plain_nodes(dir: &Path) -> Self {
        Self::serve(dir, true).await
    }

    async fn serve(dir: &Path, is_plain: bool) -> Self {
        let networks = NETWORKS.map(|name| name.parse::<NetworkName>().unwrap().network().unwrap());
        let keys: Vec<_> = (0..3).map(|place| Keyring::derive(1, place).unwrap()).collect();
        let configs = networks.iter().zip(&keys);
        let l1 = L1::new(L1Params {
            genesis_time: UnixSeconds(START),
            seed: 1,
            safe_depth: 1,
            finalized_depth: 2,
            system_configs: configs.map(|(it, keys)| (it.system_config, system_config(keys))).collect(),
        });
        let first = l1.head().id();
        let members = networks.into_iter().zip(keys);
        let members: Vec<_> =
            members.map(|(it, keys)| Member::new(it, keys, first, UnixSeconds(START))).collect();
        let clock = ClockFile::create(dir.join("clock"), UnixSeconds(START)).unwrap();
        let l1 = Arc::new(RwLock::new(l1));
        let mut served = Vec::new();
        for member in &members {
            let clock = Arc::new(FileClock::open(clock.path()).unwrap());
            served.push(member.serve(clock, Arc::clone(&l1), is_plain).await);
        }
        let l1_server = serve_l1(Arc::clone(&l1)).await;
        Self { members, served, l1, l1_server, clock, now: START, executed: BTreeMap::new() }
    }

    /// The time.
    pub(crate) const fn now(&self) -> u64 {
        self.now
    }

    /// A chain's next block executes this message.
    pub(crate) fn execute(&mut self, place: usize, message: Message) {
        self.executed.entry(place).or_default().push(message);
    }

    /// Second by second until then.
    pub(crate) async fn advance(&mut self, until: u64) {
        while self.now < until {
            self.now += 1;
            self.clock.set(UnixSeconds(self.now)).unwrap();
            let age = self.now - START;
            if age.is_multiple_of(L1_BLOCK_TIME) {
                self.l1.write().produce(UnixSeconds(self.now)).unwrap();
            }
            for (place, member) in self.members.iter_mut().enumerate() {
                if age.is_multiple_of(member.network.block_time) {
                    let executed = self.executed.remove(&place).unwrap_or_default();
                    let l1 = self.l1.read().clone();
                    let tick = member.build(&l1, &executed);
                    self.served[place].publish(&tick).await;
                }
            }
        }
    }

    /// A follower of each chain, of the program whose server for followers is here.
    pub(crate) fn follow(&self, source: &str) -> Vec<Followed> {
        let follow = |(member, served): (&Member, &Served)| {
            member.follow(served, format!("{source}/{}/", member.id()), Arc::clone(&self.l1))
        };
        self.members.iter().zip(&self.served).map(follow).collect()
    }

    /// Writes the configuration of a program that watches all three: their names, and where they are.
    pub(crate) async fn configure(&self, dir: &Path) -> PathBuf {
        let [rpc, http, follow] = free_addrs().unwrap();
        let mut chains = serde_json::Map::new();
        for (member, served) in self.members.iter().zip(&self.served) {
            let section = json!({
                "execution": [served.execution.url()],
                "rollup_node": served.rollup_node.url(),
                "p2p": served.gossip().await,
            });
            chains.insert(member.id().to_string(), section);
        }
        let config = json!({
            "network": NETWORKS,
            "clock": format!("file:{}", self.clock.path().display()),
            "data_dir": dir.join("sidecar"),
            "rpc": { "addr": rpc }, "http": { "addr": http },
            "follow": { "mode": "attested", "addr": follow },
            "l1": { "execution": self.l1_server.url() },
            "sources": { "poll_interval": "100ms" },
            "chains": chains,
        });
        let path = dir.join("crosscheck.toml");
        std::fs::write(&path, toml::to_string(&config).unwrap()).unwrap();
        path
    }
}

async fn serve_l1(store: Arc<RwLock<L1>>) -> RunningServer {
    let mut module = serve::l1_module(store).unwrap();
    module.remove_method("eth_chainId");
    let chain_id = U64::from(L1_CHAIN_ID);
    module.register_method("eth_chainId", move |_, _, _| Ok::<_, ErrorObjectOwned>(chain_id)).unwrap();
    serve::start(module).await.unwrap()
}
