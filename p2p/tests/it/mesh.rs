//! Twelve nodes over real sockets: a mesh that blocks cross, through the restart of any of them, through a
//! change of the signer, and through a ban and its expiry.

use crate::support::{HeldPort, NOW, Node, block, chain, in_time, sequencer, stranger, until};
use alloy_primitives::{B256, Bytes};
use crosscheck_p2p::{BlockSigner, Envelope, NetworkEvent, NodeIdentity, SigningDomain, Topic, UnixSeconds};
use rstest::rstest;
use std::path::{Path, PathBuf};

const NODES: usize = 12;
/// Whom each node dials: those this many places before it. Every node is two steps from most others.
const STEPS: [usize; 3] = [1, 2, 5];

fn before(index: usize) -> impl Iterator<Item = usize> {
    STEPS.into_iter().filter_map(move |step| index.checked_sub(step))
}

fn after(index: usize) -> impl Iterator<Item = usize> {
    (index + 1..NODES).filter(move |later| before(*later).any(|peer| peer == index))
}

/// Starts the node of a place at a port of its own.
async fn start(place: usize, nodes: &[Node], key: &Path, port: &HeldPort) -> Node {
    let peers: Vec<&Node> = before(place).map(|peer| &nodes[peer]).collect();
    Node::start_with(&peers, NodeIdentity::load_or_create(key).unwrap(), |config| {
        config.listen = vec![port.addr()];
    })
    .await
}

/// Waits until the node of a place has every peer in its mesh that it dials or that dials it.
async fn meshed(place: usize, nodes: &[Node]) {
    for peer in before(place).chain(after(place)) {
        nodes[place].meshed_with(&nodes[peer]).await;
        nodes[peer].meshed_with(&nodes[place]).await;
    }
}

/// Twelve nodes, each with the key file and the port of its place.
async fn twelve_of(keys: &Path, ports: &[HeldPort; NODES]) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    for (place, port) in ports.iter().enumerate() {
        let node = start(place, &nodes, &key(keys, place), port).await;
        nodes.push(node);
    }
    for place in 0..NODES {
        meshed(place, &nodes).await;
    }
    nodes
}

fn key(keys: &Path, place: usize) -> PathBuf {
    keys.join(format!("{place}.key"))
}

fn ports() -> [HeldPort; NODES] {
    std::array::from_fn(|_| HeldPort::draw())
}

async fn twelve() -> Vec<Node> {
    twelve_of(tempfile::tempdir().unwrap().path(), &ports()).await
}

/// The chain's block of a height: the child of the one before, and a second later.
fn block_at(number: u64) -> Envelope {
    let mut envelope = block(number, vec![Bytes::from_static(&[0x7e, 1])]);
    envelope.payload.timestamp = UnixSeconds(NOW.0 - 20 + number);
    if let Some(parent) = number.checked_sub(1).filter(|parent| *parent > 0) {
        envelope.payload.parent_hash = block_at(parent).payload.block_hash;
    }
    envelope.payload.block_hash = envelope.payload.recompute_hash();
    envelope
}

async fn publish(node: &Node, number: u64, signer: &BlockSigner) {
    let frame = block_at(number).sign(signer, SigningDomain::Zero, chain()).unwrap().frame();
    node.handle.publish(Topic::BlocksV4, frame).await.unwrap();
}

/// Publishes a block at one node and waits until every other one has it, and none after it.
async fn cross(nodes: &mut [Node], at: usize, number: u64) {
    cross_by(nodes, at, number, &sequencer()).await;
}

async fn cross_by(nodes: &mut [Node], at: usize, number: u64, signer: &BlockSigner) {
    publish(&nodes[at], number, signer).await;
    for (index, node) in nodes.iter_mut().enumerate().filter(|(index, _)| *index != at) {
        let mut block = in_time("a block", node.next_block()).await;
        // Who has just come may be told of earlier ones.
        while block.number() < number {
            block = in_time("a block", node.next_block()).await;
        }
        assert_eq!((block.number(), block.signer()), (number, signer.address()), "at node {index}");
    }
}

/// The others have only its address and its name to find it by: it keeps both.
#[rstest]
#[case::which_everybody_near_dialled(0)]
#[case::in_the_middle(5)]
#[case::which_nobody_dials(11)]
#[tokio::test(flavor = "multi_thread")]
async fn twelve_nodes_pass_every_block_on_and_survive_the_restart_of_one(#[case] place: usize) {
    let (keys, ports) = (tempfile::tempdir().unwrap(), ports());
    let mut nodes = twelve_of(keys.path(), &ports).await;
    for number in 1..=3 {
        cross(&mut nodes, usize::try_from(number).unwrap(), number).await;
    }
    let id = nodes[place].handle.peer_id();
    let rest = nodes.split_off(place + 1);
    nodes.pop().unwrap().stop().await;
    let mut others: Vec<Node> = nodes.into_iter().chain(rest).collect();
    cross(&mut others, 3, 4).await;
    let last = others.len() - 1;
    cross(&mut others, last, 5).await;

    let rest = others.split_off(place);
    let back = start(place, &others, &key(keys.path(), place), &ports[place]).await;
    assert_eq!(back.handle.peer_id(), id);
    let mut nodes: Vec<Node> = others.into_iter().chain([back]).chain(rest).collect();
    meshed(place, &nodes).await;
    cross(&mut nodes, 4, 6).await;
    cross(&mut nodes, place, 7).await;
    for node in &nodes {
        assert_eq!((node.handle.counters().frames().rejected, node.handle.counters().queue_full), (0, 0));
        assert!(node.handle.block_list().await.unwrap().bans.is_empty());
    }
}

/// How long the old signer is honoured, seconds.
const GRACE: u64 = 30;

fn new_sequencer() -> BlockSigner {
    BlockSigner::from_bytes(&B256::repeat_byte(0x33)).unwrap()
}

/// Nodes learn from L1 who signs now.
fn learn<'a>(nodes: impl Iterator<Item = &'a Node>) {
    for node in nodes {
        node.signers.send_modify(|signers| assert!(signers.change_to(new_sequencer().address(), NOW, GRACE)));
    }
}

fn odd(nodes: &[Node]) -> impl Iterator<Item = &Node> {
    nodes.iter().skip(1).step_by(2)
}

/// Everybody is in the mesh as before, banned by nobody, and held in no less than no esteem.
async fn assert_no_peer_is_blamed(nodes: &[Node]) {
    for (place, node) in nodes.iter().enumerate() {
        assert!(node.handle.block_list().await.unwrap().bans.is_empty(), "node {place} has banned somebody");
        for peer in node.handle.peers().await.unwrap() {
            assert!(peer.score >= 0.0 && peer.application_score >= 0.0, "node {place} blames {peer:?}");
        }
        meshed(place, nodes).await;
    }
}

/// Each node publishes a block of the old signer that nobody else has: each refuses those of all its
/// neighbours.
async fn the_old_signer_is_refused_everywhere(nodes: &mut [Node]) {
    for (number, node) in (20..).zip(nodes.iter()) {
        publish(node, number, &sequencer()).await;
    }
    for (place, node) in nodes.iter_mut().enumerate() {
        let neighbours = before(place).chain(after(place)).count();
        let mut refused = 0;
        while refused < neighbours {
            match node.next_event().await {
                NetworkEvent::Refused { refusal, .. } => {
                    assert_eq!(refusal.reason.code(), "wrong-signer", "at node {place}");
                    refused += 1;
                }
                NetworkEvent::Block { block, .. } => panic!("node {place} accepts {block:?}"),
                NetworkEvent::Filled { .. }
                | NetworkEvent::PeerConnected { .. }
                | NetworkEvent::PeerDisconnected { .. } => {}
            }
        }
    }
}

/// Half of the nodes learn of the new signer before the others do, and it is silent until all have.
#[tokio::test(flavor = "multi_thread")]
async fn the_old_signer_is_accepted_everywhere_until_the_new_one_has_signed() {
    let mut nodes = twelve().await;
    cross(&mut nodes, 0, 1).await;
    learn(nodes.iter().step_by(2));
    cross(&mut nodes, 0, 2).await;
    cross(&mut nodes, 1, 3).await;
    learn(odd(&nodes));
    nodes.iter().for_each(|node| node.clock.advance(GRACE));
    cross(&mut nodes, 2, 4).await;
    assert_no_peer_is_blamed(&nodes).await;
    cross_by(&mut nodes, 3, 5, &new_sequencer()).await;
    assert!(nodes.iter().all(|node| node.handle.counters().frames().rejected == 0));
    // A node does not hear what it publishes itself.
    cross_by(&mut nodes, 4, 6, &new_sequencer()).await;
    the_old_signer_is_refused_everywhere(&mut nodes).await;
    cross_by(&mut nodes, 5, 7, &new_sequencer()).await;
    assert_no_peer_is_blamed(&nodes).await;
}

/// Nobody ever hears the new signer: the old one's time ends by the clock.
#[tokio::test(flavor = "multi_thread")]
async fn the_old_signer_is_refused_everywhere_once_its_grace_is_over() {
    let mut nodes = twelve().await;
    learn(nodes.iter());
    nodes.iter().for_each(|node| node.clock.advance(GRACE));
    cross(&mut nodes, 0, 1).await;
    nodes.iter().for_each(|node| node.clock.advance(1));
    the_old_signer_is_refused_everywhere(&mut nodes).await;
    assert_no_peer_is_blamed(&nodes).await;
}

/// The new signer is heard while half of the nodes have not learned of it, and refuse it. Honest relays keep
/// their standing, and who has learned late asks for what was refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_signer_that_half_of_the_nodes_know_does_not_split_the_mesh() {
    const LAST: u64 = 6;
    let mut nodes = twelve().await;
    cross(&mut nodes, 0, 1).await;
    learn(nodes.iter().step_by(2));
    // Even places are connected among themselves: what one knows the others hear.
    for number in 2..=LAST {
        publish(&nodes[0], number, &new_sequencer()).await;
        for node in nodes.iter_mut().step_by(2).skip(1) {
            assert_eq!(in_time("a block of the new signer", node.next_block()).await.number(), number);
        }
    }
    for node in odd(&nodes) {
        until("refusals", async || node.handle.counters().frames().rejected == LAST - 1).await;
        assert_eq!(node.handle.counters().frames().accepted, 1);
    }
    assert_no_peer_is_blamed(&nodes).await;
    learn(odd(&nodes));
    cross_by(&mut nodes, 2, LAST + 1, &new_sequencer()).await;
    for node in odd(&nodes) {
        until("what was refused", async || node.handle.counters().filled == LAST - 1).await;
    }
    cross_by(&mut nodes, 1, LAST + 2, &new_sequencer()).await;
    assert_no_peer_is_blamed(&nodes).await;
}

/// The flooder is a static peer of nobody, so each node that it reaches bans it.
#[tokio::test(flavor = "multi_thread")]
async fn a_flooder_among_twelve_is_banned_while_blocks_continue_and_may_return() {
    let mut nodes = twelve().await;
    let hostile = Node::start(&[&nodes[4], &nodes[7]]).await;
    nodes[4].meshed_with(&hostile).await;
    nodes[7].meshed_with(&hostile).await;
    for number in 0..200 {
        let envelope = block(number, vec![Bytes::from(vec![0x7e, 3])]);
        let frame = envelope.sign(&stranger(), SigningDomain::Zero, chain()).unwrap().frame();
        let _nobody_left = hostile.handle.publish(Topic::BlocksV4, frame).await;
    }
    for index in [4, 7] {
        let node = &nodes[index];
        until("a ban", async || {
            let bans = node.handle.block_list().await.unwrap().bans;
            bans.contains_key(&hostile.handle.peer_id()) && !node.is_connected_to(&hostile).await
        })
        .await;
    }
    cross(&mut nodes, 11, 1).await;
    // A relay of blocks is not to blame for what it did not pass on.
    for node in &nodes {
        let bans = node.handle.block_list().await.unwrap().bans;
        assert!(bans.keys().all(|banned| *banned == hostile.handle.peer_id()));
    }
    nodes[4].clock.advance(3_600);
    until("the end of the ban", async || {
        let _refused = hostile.handle.connect(nodes[4].addrs().await.remove(0)).await;
        nodes[4].is_connected_to(&hostile).await
    })
    .await;
}
