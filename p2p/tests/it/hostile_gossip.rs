//! Hostile control messages that have crashed nodes of libp2p or filled their memory; and the limit on
//! control messages, on both sides of it. Over sockets, by a peer that writes its bytes by hand.

use crate::{
    raw_peer::{GOSSIP, RawPeer, control, controls, fields, graft, ihave, prune, subscribe},
    support::{Node, chain, frame, sequencer},
};
use crosscheck_p2p::Topic;
use rstest::rstest;
use std::{collections::BTreeSet, future::Future};

/// What three nodes may keep after an attack of some 8 MB in 400,000 names: far below what remembering them
/// takes.
const MAX_KEPT: i64 = 8 * 1024 * 1024;
/// What they may hold at once while it continues.
const MAX_HELD: u64 = 32 * 1024 * 1024;

fn path(topic: Topic) -> String {
    topic.path(chain())
}

/// The versions of a package that the lockfile has.
fn locked(package: &str) -> Vec<[u64; 3]> {
    let lockfile = include_str!("../../../Cargo.lock");
    let name = format!("name = \"{package}\"\nversion = \"");
    let found = lockfile.split("[[package]]\n").filter_map(|entry| entry.strip_prefix(&name));
    let version = |entry: &str| {
        let mut parts = entry.split(['.', '"']).map(|part| part.parse().unwrap_or_default());
        [(); 3].map(|()| parts.next().unwrap())
    };
    found.map(version).collect()
}

/// The versions in which what is known was mended.
#[rstest]
#[case::libp2p("libp2p", [0, 57, 0])]
#[case::gossipsub("libp2p-gossipsub", [0, 50, 1])]
#[case::yamux("yamux", [0, 13, 10])]
fn the_lockfile_has_no_version_with_a_known_vulnerability(#[case] package: &str, #[case] least: [u64; 3]) {
    let versions = locked(package);
    assert!(!versions.is_empty() && versions.iter().all(|version| *version >= least), "{versions:?}");
}

/// A node, an honest peer in its mesh, and a raw one that is subscribed but pruned itself: so it hears, with
/// a heartbeat, of what the node has.
struct Three {
    node: Node,
    honest: Node,
    raw: RawPeer,
}

impl Three {
    async fn start() -> Self {
        let node = Node::start(&[]).await;
        let honest = Node::start(&[&node]).await;
        honest.meshed_with(&node).await;
        let raw = RawPeer::of(&node, GOSSIP.to_owned()).await;
        for topic in Topic::ALL {
            raw.send(&subscribe(&path(topic))).await;
        }
        let away: Vec<_> = Topic::ALL.iter().map(|topic| prune(&path(*topic), 3_600)).collect();
        raw.send(&control(&away)).await;
        Self { node, honest, raw }
    }

    /// An honest block arrives; and after a heartbeat the node tells the raw peer of it, of which it wants
    /// nothing.
    async fn goes_on(&mut self, height: u64) {
        let block = frame(height, &sequencer(), Topic::BlocksV4);
        self.honest.handle.publish(Topic::BlocksV4, block).await.unwrap();
        assert_eq!(self.node.next_block().await.number(), height);
        let topic = path(Topic::BlocksV4);
        let tells = |rpc: &[u8]| {
            assert_eq!(wanted(rpc), None);
            let mut told = controls(rpc, 1).into_iter();
            told.any(|ihave| fields(ihave, 1) == [topic.as_bytes()]).then_some(())
        };
        self.raw.hear("word of the block", tells).await;
    }
}

/// Runs on this thread alone, so that everything that is held is counted, and nothing of other tests.
fn measured(work: impl Future<Output = ()>) -> allocation_counter::AllocationInfo {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    allocation_counter::measure(|| runtime.block_on(work))
}

/// 40 RPCs of 10,000 messages each, every topic another one.
fn with_many_topics(message: fn(&str) -> Vec<u8>) -> Vec<Vec<u8>> {
    let rpc = |first: u32| {
        let messages = (first..first + 10_000).map(|number| message(&format!("/unknown/{number:06}")));
        control(&messages.collect::<Vec<_>>())
    };
    (0..40).map(|rpcs| rpc(rpcs * 10_000)).collect()
}

fn backoffs() -> Vec<Vec<u8>> {
    let backoffs = [0, 1, u64::from(u32::MAX), u64::MAX / 1_000, i64::MAX as u64, u64::MAX - 1, u64::MAX];
    let all = |backoff| Topic::ALL.map(|topic| prune(&path(topic), backoff));
    backoffs.iter().map(|backoff| control(&all(*backoff))).collect()
}

#[rstest]
#[case::prune_with_any_backoff(backoffs())]
#[case::graft_for_unknown_topics(with_many_topics(graft))]
#[case::prune_for_topics_never_joined(with_many_topics(|topic| prune(topic, u64::MAX)))]
fn control_messages_neither_stop_a_node_nor_fill_its_memory(#[case] attack: Vec<Vec<u8>>) {
    let measured = measured(async {
        let mut three = Three::start().await;
        three.goes_on(1).await;
        for rpc in &attack {
            three.raw.send(rpc).await;
        }
        for height in 2..5 {
            three.goes_on(height).await;
        }
        assert!(
            three.node.handle.block_list().await.unwrap().bans.is_empty(),
            "the raw peer was there to the end"
        );
    });
    assert!(measured.bytes_max < MAX_HELD && measured.bytes_current < MAX_KEPT, "{measured:?}");
}

type Id = [u8; 20];

/// Ids of messages that nobody has.
fn ids(topic: u8, count: u32) -> Vec<Id> {
    let id = |number: u32| {
        let mut id = [topic; 20];
        id[..4].copy_from_slice(&number.to_le_bytes());
        id
    };
    (0..count).map(id).collect()
}

/// One RPC with this many ids of each topic.
fn ihaves(per_topic: u32) -> Vec<u8> {
    let topics = Topic::ALL.iter().zip(0..);
    control(&topics.map(|(topic, place)| ihave(&path(*topic), &ids(place, per_topic))).collect::<Vec<_>>())
}

/// The ids that an RPC asks for, if it asks for any.
fn wanted(rpc: &[u8]) -> Option<BTreeSet<Id>> {
    let ids = controls(rpc, 2).into_iter().flat_map(|iwant| fields(iwant, 1));
    let ids: BTreeSet<Id> = ids.map(|id| id.try_into().unwrap()).collect();
    (!ids.is_empty()).then_some(ids)
}

/// go-libp2p reports up to 5,000 ids a topic at once, and asks a peer for as many: so do we.
#[tokio::test(flavor = "multi_thread")]
async fn the_longest_ihave_of_go_libp2p_is_answered() {
    let Three { raw, .. } = &mut Three::start().await;
    raw.send(&ihaves(5_000)).await;
    let wanted = raw.hear("an IWANT", wanted).await;
    let told: BTreeSet<Id> = (0..5).flat_map(|place| ids(place, 5_000)).collect();
    assert_eq!((wanted.len(), told.len()), (5_000, 25_000));
    assert!(wanted.is_subset(&told));
}

/// It costs its sender the stream, and nobody else anything; of a new stream the node reads on.
#[tokio::test(flavor = "multi_thread")]
async fn an_ihave_beyond_the_limit_is_refused() {
    let mut three = Three::start().await;
    three.goes_on(1).await;
    three.raw.send(&ihaves(6_000)).await;
    three.raw.finish().await;
    three.goes_on(2).await;
    three.raw.open().await;
    let told = [[0xee; 20]];
    three.raw.send(&control(&[ihave(&path(Topic::BlocksV4), &told)])).await;
    assert_eq!(three.raw.hear("an IWANT", wanted).await, told.into());
    three.goes_on(3).await;
    assert!(three.node.handle.peers().await.unwrap().iter().any(|peer| peer.peer_id == three.raw.id));
    assert!(three.node.is_connected_to(&three.honest).await);
}
