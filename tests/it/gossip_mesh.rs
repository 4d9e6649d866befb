//! Two `crosscheck run` programs in the gossip of a chain: two halves of five nodes each that only they
//! connect, so that what crosses has passed a program. Either of them may end, without warning or on demand,
//! and come back.

use crate::cli::frames::{CHAIN, envelope, frame, sequencer};
use crate::program::{Running, attestations, call, eventually};
use crosscheck_devnet::free_addrs::free_addrs;
use crosscheck_p2p::{
    ChainId, Clock, Envelope, Multiaddr, NetworkEvent, PeerId, Signers, SigningDomain, SystemClock, Topic,
    UnixSeconds,
};
use crosscheck_peer::{GossipNode, in_time};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const HALF: usize = 5;
/// Where the halves touch the first program, and the second.
const FIRST_DIALS: [usize; 4] = [0, 1, 5, 6];
const SECOND_DIALS: [usize; 4] = [3, 4, 8, 9];
/// Nodes of either half that no program is connected to.
const INNER: [usize; 2] = [2, 7];

/// How old a block is when it is made: in the past though several are made in one second, and far from too
/// old.
const AGE: u64 = 10;

/// A program, whether it runs or not.
pub(crate) struct Sidecar {
    dir: PathBuf,
    gossip: SocketAddr,
    pub(crate) rpc: String,
    peer_id: Option<PeerId>,
}

impl Sidecar {
    /// Writes the configuration of one that dials these. It has no execution client to speak to.
    pub(crate) fn new(dir: &Path, peers: &[Multiaddr]) -> Self {
        let [gossip, rpc, http] = free_addrs().unwrap();
        let peers: Vec<String> = peers.iter().map(ToString::to_string).collect();
        let text = format!(
            "data_dir = {dir:?}\nrpc.addr = \"{rpc}\"\nhttp.addr = \"{http}\"\n\
             [chains.{CHAIN}]\nexecution = [\"http://127.0.0.1:9\"]\nrollup_node = \"http://127.0.0.1:9\"\n\
             block_time = 2\ninterop_time = 0\nunsafe_block_signer = \"{}\"\n\
             [chains.{CHAIN}.p2p]\nlisten = [\"/ip4/127.0.0.1/tcp/{}\"]\nstatic_peers = {peers:?}\n",
            sequencer(),
            gossip.port()
        );
        std::fs::create_dir_all(dir).unwrap();
        std::fs::write(dir.join("crosscheck.toml"), text).unwrap();
        Self { dir: dir.to_owned(), gossip, rpc: format!("http://{rpc}"), peer_id: None }
    }

    /// Starts the program, and waits until these have it in their mesh. It has the name that it had before.
    pub(crate) async fn start(&mut self, dialled: impl Iterator<Item = &GossipNode>) -> Running {
        let config = self.dir.join("crosscheck.toml");
        let running = Running::start(&["run", "--config", config.to_str().unwrap()], &self.dir.join("log"));
        let own =
            eventually("the program to answer", async || call(&self.rpc, "opp2p_self", &[]).await).await;
        let id: PeerId = own["peerID"].as_str().unwrap().parse().unwrap();
        assert_eq!(*self.peer_id.get_or_insert(id), id, "the program has changed its name");
        for node in dialled {
            node.meshed_with(id).await;
        }
        running
    }

    fn addr(&self) -> Multiaddr {
        let addr: Multiaddr = format!("/ip4/127.0.0.1/tcp/{}", self.gossip.port()).parse().unwrap();
        addr.with_p2p(self.peer_id.unwrap()).unwrap()
    }

    /// Waits until the program has an attestation in its ledger, once.
    async fn has_attestation(&self, number: u64) {
        eventually("the attestation", async || {
            let records = attestations(&self.rpc).await?;
            let found = |record: &&Value| record["number"] == number;
            let found = records.iter().filter(found).count();
            assert!(found < 2, "an attestation has {found} records");
            (found == 1).then_some(())
        })
        .await;
    }
}

fn those<'a>(nodes: &'a [GossipNode], places: &'a [usize]) -> impl Iterator<Item = &'a GossipNode> {
    places.iter().map(|place| &nodes[*place])
}

/// Two halves, each with connections of its own alone.
async fn halves() -> Vec<GossipNode> {
    let mut nodes: Vec<GossipNode> = Vec::new();
    for place in 0..2 * HALF {
        let near = [1, 2].into_iter().filter(|step| place % HALF >= *step).map(|step| place - step);
        let near: Vec<usize> = near.collect();
        let mut peers = Vec::new();
        for peer in &near {
            peers.push(nodes[*peer].addr().await);
        }
        let node = GossipNode::start(ChainId::from(CHAIN), Signers::of(sequencer()), peers);
        for peer in those(&nodes, &near) {
            node.meshed_with(peer.handle.peer_id()).await;
        }
        nodes.push(node);
    }
    nodes
}

/// The chain: each block is made when it is first published, for gossip takes none that is a minute old.
#[derive(Default)]
struct Blocks(Vec<Envelope>);

impl Blocks {
    /// The block of a height that is there, or the next one: the child of the one before, and later.
    fn at(&mut self, number: u64) -> &Envelope {
        let place = usize::try_from(number).unwrap() - 1;
        if place == self.0.len() {
            let parent = self.0.last().map(|parent| &parent.payload);
            let earliest = parent.map_or(0, |parent| parent.timestamp.0 + 1);
            let parent_hash = parent.map(|parent| parent.block_hash).unwrap_or_default();
            self.0.push(envelope(|payload| {
                payload.number = number;
                payload.timestamp = UnixSeconds(earliest.max(SystemClock.now().0 - AGE));
                payload.parent_hash = parent_hash;
            }));
        }
        &self.0[place]
    }
}

/// Publishes a block at one node, and waits until every other one has it.
async fn cross(blocks: &mut Blocks, nodes: &mut [GossipNode], at: usize, number: u64, topic: Topic) {
    let block = blocks.at(number);
    let domain = if topic.is_cross_safe() { SigningDomain::CrossSafeBlocksV1 } else { SigningDomain::Zero };
    nodes[at].handle.publish(topic, frame(block, domain)).await.unwrap();
    for (place, node) in nodes.iter_mut().enumerate().filter(|(place, _)| *place != at) {
        let what = format!("block {number} on {topic} at node {place}");
        let heard = async {
            loop {
                if let NetworkEvent::Block { block, .. } = node.events.recv().await.unwrap() {
                    return block;
                }
            }
        };
        let heard = in_time(&what, heard).await;
        assert_eq!((heard.topic(), heard.number()), (topic, number), "at node {place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_cross_through_either_program_while_the_other_restarts() {
    let dir = TempDir::new().unwrap();
    let (mut blocks, mut nodes) = (Blocks::default(), halves().await);
    let mut addrs = Vec::new();
    for node in &nodes {
        addrs.push(node.addr().await);
    }
    let dials = |places: [usize; 4]| places.map(|place| addrs[place].clone());
    let mut first = Sidecar::new(&dir.path().join("first"), &dials(FIRST_DIALS));
    let running_first = first.start(those(&nodes, &FIRST_DIALS)).await;
    let to_second = [&dials(SECOND_DIALS)[..], &[first.addr()]].concat();
    let mut second = Sidecar::new(&dir.path().join("second"), &to_second);
    let running_second = second.start(those(&nodes, &SECOND_DIALS)).await;

    let [one, other] = INNER;
    cross(&mut blocks, &mut nodes, one, 1, Topic::BlocksV4).await;
    cross(&mut blocks, &mut nodes, other, 2, Topic::BlocksV4).await;
    cross(&mut blocks, &mut nodes, other, 1, Topic::CrossSafeBlocksV1).await;
    first.has_attestation(1).await;
    second.has_attestation(1).await;

    running_second.kill();
    cross(&mut blocks, &mut nodes, one, 3, Topic::BlocksV4).await;
    cross(&mut blocks, &mut nodes, other, 4, Topic::BlocksV4).await;
    let running_second = second.start(those(&nodes, &SECOND_DIALS)).await;
    assert!(running_first.terminate().success());
    cross(&mut blocks, &mut nodes, one, 5, Topic::BlocksV4).await;
    cross(&mut blocks, &mut nodes, other, 6, Topic::BlocksV4).await;
    second.has_attestation(1).await;

    let running_first = first.start(those(&nodes, &FIRST_DIALS)).await;
    running_second.kill();
    cross(&mut blocks, &mut nodes, other, 7, Topic::BlocksV4).await;
    cross(&mut blocks, &mut nodes, one, 2, Topic::CrossSafeBlocksV1).await;
    first.has_attestation(2).await;
    assert!(running_first.terminate().success());
    for node in &nodes {
        let counters = node.handle.counters();
        assert_eq!((counters.frames().rejected, counters.frames().ignored, counters.queue_full), (0, 0, 0));
        assert!(node.handle.peers().await.unwrap().iter().all(|peer| peer.score >= 0.0));
    }
}
