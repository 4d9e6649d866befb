//! [`Mesh`]: twelve nodes, ten in this process and two programs, each connected to six others at most.

use crate::arrivals::Heard;
use crate::block_maker::{CHAIN, attester, sequencer};
use crate::net_program::{NetProgram, NetProgramEnd};
use alloy::primitives::Bytes;
use crosscheck_p2p::{
    ChainId, Multiaddr, NetworkCounters, NetworkEvent, NetworkHandle, PeerId, PublishError, Signers, Topic,
};
use crosscheck_peer::GossipNode;
use std::collections::BTreeMap;
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How many nodes there are.
pub(crate) const NODES: usize = 12;
/// Who publishes.
pub(crate) const PUBLISHER: usize = 0;
/// Which of them are programs.
const PROGRAMS: [usize; 2] = [3, 8];
/// Whom each node dials: those this many places before it.
const STEPS: [usize; 3] = [1, 2, 5];

/// Whether a node is a program of its own.
pub(crate) fn is_program(node: usize) -> bool {
    PROGRAMS.contains(&node)
}

fn before(node: usize) -> impl Iterator<Item = usize> {
    STEPS.into_iter().filter_map(move |step| node.checked_sub(step))
}

/// The nodes.
pub(crate) struct Mesh {
    nodes: BTreeMap<usize, NetworkHandle>,
    programs: Vec<NetProgram>,
    /// One for each node of this process, listening to it.
    _listening: JoinSet<()>,
}

impl Mesh {
    /// Starts them, and waits until each is in the mesh of whom it dialled.
    pub(crate) async fn start(heard: mpsc::Sender<Heard>) -> Self {
        let signers = Signers::of(sequencer().address()).with_attester(attester().address());
        let (mut nodes, mut programs, mut addrs) = (BTreeMap::new(), Vec::new(), Vec::<Multiaddr>::new());
        for place in 0..NODES {
            let peers = before(place).map(|peer| addrs[peer].clone()).collect::<Vec<_>>();
            addrs.push(if is_program(place) {
                let program = NetProgram::start(place, &peers, heard.clone());
                let addr = program.addr.clone();
                programs.push(program);
                addr
            } else {
                let node = GossipNode::start(ChainId::from(CHAIN), signers, peers);
                let addr = node.addr().await;
                nodes.insert(place, node);
                addr
            });
        }
        let ids: Vec<PeerId> = addrs.iter().map(peer_id).collect();
        for (one, other) in (0..NODES).flat_map(|node| before(node).map(move |peer| (node, peer))) {
            match (nodes.get(&one), nodes.get(&other)) {
                (Some(node), _) => node.meshed_with(ids[other]).await,
                (None, Some(node)) => node.meshed_with(ids[one]).await,
                // Two programs: nobody here can ask them.
                (None, None) => {}
            }
        }
        let mut listening = JoinSet::new();
        let handles = nodes.iter().map(|(place, node)| (*place, node.handle.clone())).collect();
        for (place, node) in nodes {
            listening.spawn(listen(place, node, heard.clone()));
        }
        Self { nodes: handles, programs, _listening: listening }
    }

    /// Publishes a frame.
    pub(crate) async fn publish(&self, topic: Topic, frame: Bytes) -> Result<(), PublishError> {
        self.nodes[&PUBLISHER].publish(topic, frame).await.map(drop)
    }

    /// The processes of the programs.
    pub(crate) fn program_ids(&self) -> Vec<u32> {
        self.programs.iter().map(NetProgram::id).collect()
    }

    /// What the nodes of this process have counted.
    pub(crate) fn counters(&self) -> BTreeMap<usize, NetworkCounters> {
        self.nodes.iter().map(|(place, node)| (*place, node.counters())).collect()
    }

    /// Ends it all.
    pub(crate) fn end(self) -> Vec<NetProgramEnd> {
        self.programs.into_iter().map(NetProgram::end).collect()
    }
}

fn peer_id(addr: &Multiaddr) -> PeerId {
    addr.to_string().rsplit('/').next().unwrap().parse().unwrap()
}

/// Passes on what a node hears, until nobody wants to know.
async fn listen(place: usize, mut node: GossipNode, heard: mpsc::Sender<Heard>) {
    while let Some(event) = node.events.recv().await {
        let told = match event {
            NetworkEvent::Block { block, .. } => {
                Heard::Block { node: place, topic: block.topic(), number: block.number(), at: Instant::now() }
            }
            NetworkEvent::Refused { refusal, .. } => {
                Heard::Refused { node: place, reason: refusal.reason.code().to_owned() }
            }
            NetworkEvent::Filled { .. }
            | NetworkEvent::PeerConnected { .. }
            | NetworkEvent::PeerDisconnected { .. } => continue,
        };
        if heard.send(told).await.is_err() {
            return;
        }
    }
}
