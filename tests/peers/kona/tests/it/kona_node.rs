//! [`KonaNode`]: kona-p2p's gossip driver on loopback, run as kona-node runs it.

use crate::blocks::{CHAIN, Version};
use alloy_chains::Chain;
use alloy_primitives::Address;
use kona_genesis::{HardForkConfig, RollupConfig};
use kona_p2p::{ConnectionGater, GossipDriver};
use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use op_alloy_rpc_types_engine::OpNetworkPayloadEnvelope;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How many blocks may wait, either way.
const QUEUE: usize = 16;

/// A running node. It ends when it is dropped.
pub struct KonaNode {
    /// Where it listens, with its peer id.
    pub addr: String,
    outgoing: mpsc::Sender<OpNetworkPayloadEnvelope>,
    accepted: mpsc::Receiver<OpNetworkPayloadEnvelope>,
    _task: JoinSet<()>,
}

impl KonaNode {
    /// A node of a chain whose blocks are of a version, and whose sequencer is `signer`. It dials `peer`, if
    /// any.
    pub async fn start(version: Version, signer: Address, peer: Option<&str>) -> Self {
        let any_port: Multiaddr = "/ip4/127.0.0.1/tcp/0".parse().unwrap();
        let keypair = Keypair::generate_secp256k1();
        let builder =
            GossipDriver::<ConnectionGater>::builder(rollup_config(version), signer, any_port, keypair);
        let (mut driver, signers) = builder.build().unwrap();
        driver.start().await.unwrap();
        let listener = driver.swarm.listeners().next().unwrap().clone();
        let addr = listener.with(Protocol::P2p(*driver.local_peer_id())).to_string();
        if let Some(peer) = peer {
            driver.dial_multiaddr(peer.parse().unwrap());
        }
        let (outgoing, to_publish) = mpsc::channel(QUEUE);
        let (to_accepted, accepted) = mpsc::channel(QUEUE);
        let mut task = JoinSet::new();
        task.spawn(async move {
            // Held here: the driver asks it for the signer.
            let _signers = signers;
            run(driver, to_publish, to_accepted).await;
        });
        Self { addr, outgoing, accepted, _task: task }
    }

    /// Publishes a block once a peer is subscribed to its topic.
    pub async fn publish(&self, block: OpNetworkPayloadEnvelope) {
        self.outgoing.send(block).await.unwrap();
    }

    /// The next block that its validator accepted.
    pub async fn next_block(&mut self) -> OpNetworkPayloadEnvelope {
        crate::in_time("a block that kona accepts", self.accepted.recv()).await.expect("the node runs")
    }
}

async fn run(
    mut driver: GossipDriver<ConnectionGater>,
    mut to_publish: mpsc::Receiver<OpNetworkPayloadEnvelope>,
    accepted: mpsc::Sender<OpNetworkPayloadEnvelope>,
) {
    let mut waiting: Option<OpNetworkPayloadEnvelope> = None;
    loop {
        if let Some(block) = &waiting {
            let timestamp = block.payload.timestamp();
            // Refused until a peer has told that it is subscribed; that is an event, and then it is tried
            // again.
            if driver.publish(|handler| handler.topic(timestamp), Some(block.clone())).is_ok() {
                waiting = None;
            }
        }
        tokio::select! {
            event = driver.next() => {
                let Some(event) = event else { return };
                if let Some(block) = driver.handle_event(event)
                    && accepted.send(block).await.is_err()
                {
                    return;
                }
            }
            block = to_publish.recv(), if waiting.is_none() => match block {
                Some(block) => waiting = Some(block),
                None => return,
            },
        }
    }
}

/// kona asks which forks are in force when it takes a block's header together, and when it chooses a topic.
fn rollup_config(version: Version) -> RollupConfig {
    let from_genesis = Some(0);
    let ecotone = HardForkConfig {
        regolith_time: from_genesis,
        canyon_time: from_genesis,
        delta_time: from_genesis,
        ecotone_time: from_genesis,
        ..HardForkConfig::default()
    };
    let hardforks = match version {
        Version::V3 => ecotone,
        Version::V4 => HardForkConfig {
            fjord_time: from_genesis,
            granite_time: from_genesis,
            holocene_time: from_genesis,
            isthmus_time: from_genesis,
            ..ecotone
        },
    };
    RollupConfig { l2_chain_id: Chain::from(CHAIN), block_time: 2, hardforks, ..RollupConfig::default() }
}
