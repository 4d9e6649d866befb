//! Twelve nodes over real sockets: a mesh that blocks cross, through a restart, and through a ban and its expiry.

use crate::support::{Node, block, chain, frame, in_time, sequencer, stranger, until};
use alloy_primitives::Bytes;
use crosscheck_p2p::{NodeIdentity, SigningDomain, Topic};

const NODES: usize = 12;
/// Whom each node dials: those so many places before it. Every node is two steps from most others.
const STEPS: [usize; 3] = [1, 2, 5];

fn before(index: usize) -> impl Iterator<Item = usize> {
    STEPS.into_iter().filter_map(move |step| index.checked_sub(step))
}

async fn twelve() -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    for index in 0..NODES {
        let peers: Vec<&Node> = before(index).map(|peer| &nodes[peer]).collect();
        let node = Node::start(&peers).await;
        nodes.push(node);
    }
    for index in 0..NODES {
        for peer in before(index) {
            nodes[index].meshed_with(&nodes[peer]).await;
        }
    }
    nodes
}

/// Publishes a block at one node and waits until every other one has it.
async fn cross(nodes: &mut [Node], at: usize, number: u64) {
    nodes[at].handle.publish(Topic::BlocksV4, frame(number, &sequencer(), Topic::BlocksV4)).await.unwrap();
    for (index, node) in nodes.iter_mut().enumerate().filter(|(index, _)| *index != at) {
        let block = in_time("a block", node.next_block()).await;
        assert_eq!(block.number(), number, "at node {index}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_nodes_pass_every_block_on_and_survive_a_restart() {
    let mut nodes = twelve().await;
    for number in 1..=5 {
        cross(&mut nodes, usize::try_from(number).unwrap() % NODES, number).await;
    }
    // One in the middle goes, and comes back under its name and address.
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("node.key");
    let restarted =
        Node::start_with(&[&nodes[3], &nodes[8]], NodeIdentity::load_or_create(&key).unwrap(), |_| ()).await;
    nodes[3].meshed_with(&restarted).await;
    nodes.push(restarted);
    cross(&mut nodes, 0, 6).await;
    let gone = nodes.pop().unwrap();
    gone.stop().await;
    cross(&mut nodes, 0, 7).await;
    let peers = [&nodes[3], &nodes[8]];
    let back = Node::start_with(&peers, NodeIdentity::load_or_create(&key).unwrap(), |_| ()).await;
    nodes[3].meshed_with(&back).await;
    nodes[8].meshed_with(&back).await;
    nodes.push(back);
    cross(&mut nodes, 0, 8).await;
    for node in &nodes {
        assert_eq!((node.handle.counters().rejected, node.handle.counters().queue_full), (0, 0));
    }
}

/// The flooder is a static peer of nobody, so each node that it reaches bans it.
#[tokio::test(flavor = "multi_thread")]
async fn a_flooder_among_twelve_is_banned_while_blocks_go_on_and_may_return() {
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
            let bans = node.handle.gates().await.unwrap().bans;
            bans.contains_key(&hostile.handle.peer_id()) && !node.is_connected_to(&hostile).await
        })
        .await;
    }
    cross(&mut nodes, 11, 1).await;
    // A relay of blocks is not to blame for what it did not pass on.
    for node in &nodes {
        let bans = node.handle.gates().await.unwrap().bans;
        assert!(bans.keys().all(|banned| *banned == hostile.handle.peer_id()));
    }
    nodes[4].clock.advance(3_600);
    until("the end of the ban", async || {
        let _refused = hostile.handle.connect(nodes[4].addrs().await.remove(0)).await;
        nodes[4].is_connected_to(&hostile).await
    })
    .await;
}
