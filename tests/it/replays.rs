//! A bystander without a key republishes the sequencer's unsafe frames as attestations. Whichever comes
//! first, and over restarts: the genuine attestation is kept, passed on, and a verdict that was given is
//! bound to the signer.

use crate::cli::frames::{CHAIN, envelope, frame, sequencer};
use crate::gossip_mesh::Sidecar;
use crate::metrics::scrape;
use crate::program::{Running, Written, attestations, eventually, go_on, joined, paused_at};
use crate::sidecar::devnet;
use alloy::primitives::B256;
use crosscheck_core::consolidation::deposits::decode_l1_info;
use crosscheck_devnet::keys::Keyring;
use crosscheck_p2p::{
    BlockSigner, ChainId, Clock, Envelope, ExecutionPayload, FileClock, Multiaddr, NetworkEvent, Signers,
    SigningDomain, SystemClock, Topic, UnixSeconds, ValidBlock,
};
use crosscheck_peer::{GossipNode, in_time};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const ZERO: SigningDomain = SigningDomain::Zero;
const EQUIVOCATION: &str = "equivocation: sequencer signed two blocks at one height";
const REPLAYABLE: &str = "two attested blocks at one height: possible replay";
const L1_REORG: &str = "two attested blocks at one height: L1 reorg";
const OWN: SigningDomain = SigningDomain::CrossSafeBlocksV1;

/// Blocks 1 to 5, each the child of the one before.
fn blocks() -> Vec<Envelope> {
    let mut blocks: Vec<Envelope> = Vec::new();
    for number in 1..=5 {
        let parent = blocks.last().map(|parent| parent.payload.block_hash).unwrap_or_default();
        blocks.push(envelope(|payload| {
            payload.number = number;
            payload.timestamp = UnixSeconds(SystemClock.now().0 - 100 + number);
            payload.parent_hash = parent;
        }));
    }
    blocks
}

/// Waits until the program keeps one record of a block, and it is so attributable.
async fn kept(rpc: &str, number: u64, attributable: bool) {
    eventually(&format!("block {number} to be kept, attributable: {attributable}"), async || {
        let records = attestations(rpc).await?;
        let of_block: Vec<&Value> = records.iter().filter(|record| record["number"] == number).collect();
        assert!(of_block.len() < 2, "two records of one block: {of_block:?}");
        (of_block.first()?["attributable"] == attributable).then_some(())
    })
    .await;
}

/// The next block that a node lets in.
async fn next_block(node: &mut GossipNode, what: &str) -> ValidBlock {
    in_time(what, async {
        loop {
            if let NetworkEvent::Block { block, .. } = node.events.recv().await.unwrap() {
                return block;
            }
        }
    })
    .await
}

/// What comes out of the program is distinguished by height and domain.
async fn passed_on(node: &mut GossipNode, number: u64, domain: SigningDomain) {
    let block = next_block(node, &format!("block {number}, {domain}")).await;
    assert_eq!((block.number(), block.domain()), (number, domain));
}

async fn publish(node: &GossipNode, block: &Envelope, domain: SigningDomain) {
    node.handle.publish(Topic::CrossSafeBlocksV1, frame(block, domain)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_genuine_attestation_is_kept_and_forwarded_in_either_order_and_across_a_restart() {
    let dir = TempDir::new().unwrap();
    let blocks = blocks();
    let start = || GossipNode::start(ChainId::from(CHAIN), Signers::of(sequencer()), Vec::new());
    // The program alone connects them.
    let (publisher, mut peer) = (start(), start());
    let mut program = Sidecar::new(dir.path(), &[publisher.addr().await, peer.addr().await]);
    let rpc = program.rpc.clone();
    let running = program.start([&publisher, &peer].into_iter()).await;

    publish(&publisher, &blocks[0], ZERO).await;
    passed_on(&mut peer, 1, ZERO).await;
    kept(&rpc, 1, false).await;
    publish(&publisher, &blocks[0], OWN).await;
    passed_on(&mut peer, 1, OWN).await;
    kept(&rpc, 1, true).await;

    publish(&publisher, &blocks[1], OWN).await;
    passed_on(&mut peer, 2, OWN).await;
    publish(&publisher, &blocks[1], ZERO).await;
    // The next that is passed on is the next block, not the replay.
    publish(&publisher, &blocks[2], ZERO).await;
    passed_on(&mut peer, 3, ZERO).await;
    kept(&rpc, 2, true).await;
    publish(&publisher, &blocks[3], OWN).await;
    passed_on(&mut peer, 4, OWN).await;
    kept(&rpc, 4, true).await;

    running.kill();
    let running = program.start([&publisher, &peer].into_iter()).await;
    for (number, attributable) in [(1, true), (2, true), (3, false), (4, true)] {
        kept(&rpc, number, attributable).await;
    }
    publish(&publisher, &blocks[2], OWN).await;
    passed_on(&mut peer, 3, OWN).await;
    kept(&rpc, 3, true).await;
    // What the program has forgotten to have seen comes as a replay: the record stays.
    publish(&publisher, &blocks[3], ZERO).await;
    publish(&publisher, &blocks[4], OWN).await;
    passed_on(&mut peer, 5, OWN).await;
    kept(&rpc, 5, true).await;
    kept(&rpc, 4, true).await;
    assert!(running.terminate().success());
}

/// The log's entries with this message, of this block.
fn entries(log: &Path, message: &str, number: u64) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap();
    let entries = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    entries.filter(|entry| entry["message"] == message && entry["number"] == number).collect()
}

async fn verdict_on_the_lie(rpc: &str, attributable: bool) {
    eventually(&format!("the verdict on block 20, attributable: {attributable}"), async || {
        let records = attestations(rpc).await?;
        let lie = records.iter().find(|record| record["chain_id"] == 901 && record["number"] == 20)?;
        (lie["verdict"] == "violated" && lie["attributable"] == attributable).then_some(())
    })
    .await;
}

/// At the height of an attested block that L1 bears out, the sequencer signs another; a third may be a
/// replay; a fourth is built on an L1 block that L1 does not have.
async fn rivals_are_told_apart(
    config: &Written,
    log: &Path,
    node: &GossipNode,
    key: &BlockSigner,
    honest: &Envelope,
) {
    let other = |domain: SigningDomain, change: &dyn Fn(&mut ExecutionPayload)| {
        let mut other = honest.clone();
        change(&mut other.payload);
        other.payload.block_hash = other.payload.recompute_hash();
        (other.payload.block_hash, other.sign(key, domain, ChainId::from(901)).unwrap().frame())
    };
    let number = honest.payload.number;
    let told = async |relation: &str, message: &str, hash: B256, count: usize| {
        eventually(&format!("{relation} to be told"), async || {
            let entries = entries(log, message, number);
            let of_block = entries.iter().filter(|entry| entry["hash"] == json!(hash));
            (of_block.count() == count).then_some(())
        })
        .await;
    };
    eventually("the honest block to be upheld", async || {
        let records = attestations(&config.rpc()).await?;
        let record = records.iter().find(|record| record["hash"] == json!(honest.payload.block_hash))?;
        (record["verdict"] == "upheld" && record["attributable"] == true).then_some(())
    })
    .await;
    let (second, frame) = other(OWN, &|payload| payload.gas_used += 1);
    node.handle.publish(Topic::CrossSafeBlocksV1, frame).await.unwrap();
    told("equivocation", EQUIVOCATION, second, 1).await;
    let (third, frame) = other(ZERO, &|payload| payload.gas_used += 2);
    node.handle.publish(Topic::CrossSafeBlocksV1, frame).await.unwrap();
    told("replayable", REPLAYABLE, third, 2).await;
    let (fourth, frame) = other(OWN, &|payload| {
        // Of the L1-attributes deposit's calldata: the L1 block's hash.
        let first = &mut payload.transactions[0];
        let mut bytes = first.to_vec();
        let info = decode_l1_info(first).unwrap();
        let at = bytes.windows(32).position(|window| window == info.hash.as_slice()).unwrap();
        bytes[at] ^= 1;
        *first = bytes.into();
    });
    node.handle.publish(Topic::CrossSafeBlocksV1, frame).await.unwrap();
    told("l1-reorg", L1_REORG, fourth, 3).await;
    eventually("all of them to be counted", async || {
        let page = scrape(config.http()).await?;
        let expected = [("equivocation", 1), ("replayable", 2), ("l1-reorg", 3), ("unknown", 0)];
        let line = |(relation, count)| {
            let name = "crosscheck_rival_attestations_total";
            format!("{name}{{chain_id=\"901\",relation=\"{relation}\"}} {count}\n")
        };
        expected.into_iter().all(|each| page.contains(&line(each))).then_some(())
    })
    .await;
}

fn sidecar(dir: &Path, log: &Path) -> Running {
    let config = dir.join("crosscheck.toml");
    Running::start(&["run", "--config", config.to_str().unwrap(), "--log-format", "json"], log)
}

/// The bystander of a running devnet's first chain.
async fn bystander(config: &Written, key: &BlockSigner) -> GossipNode {
    let publisher: Multiaddr = config.sequencer("901").parse().unwrap();
    let clock = Arc::new(FileClock::open(config.clock_file()).unwrap());
    let signers = Signers::of(key.address());
    let bystander = GossipNode::start_at(clock, ChainId::from(901), signers, vec![publisher.clone()]);
    let (_, id) = publisher.to_string().rsplit_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    bystander.meshed_with(id.parse().unwrap()).await;
    bystander
}

/// The honest block is upheld and final when the sequencer signs another of its height.
#[tokio::test(flavor = "multi_thread")]
async fn another_block_of_a_final_height_is_recorded() {
    let dir = TempDir::new().unwrap();
    let chains = devnet(dir.path(), &[], &[10, 60]);
    let config = Written::wait_for(&dir.path().join("crosscheck.toml")).await;
    let log = dir.path().join("sidecar.log");
    let running = sidecar(dir.path(), &log);
    paused_at(dir.path(), 10).await;
    joined(&config.rpc(), &[901, 902]).await;
    let key = BlockSigner::from_bytes(&Keyring::derive(5, 0).unwrap().sequencer.secret()).unwrap();
    let mut bystander = bystander(&config, &key).await;
    go_on(dir.path());
    let honest = loop {
        let block = next_block(&mut bystander, "block 14").await;
        if block.number() == 14 {
            break block.envelope().clone();
        }
    };
    paused_at(dir.path(), 60).await;
    eventually("block 14 to be settled", async || {
        let page = scrape(config.http()).await?;
        let settled = "crosscheck_head_number{chain_id=\"901\",level=\"settled\"} ";
        let number = page.lines().find_map(|line| line.strip_prefix(settled))?;
        (number.parse::<u64>().ok()? >= 14).then_some(())
    })
    .await;
    let mut other = honest;
    other.payload.gas_used += 1;
    other.payload.block_hash = other.payload.recompute_hash();
    let hash = json!(other.payload.block_hash);
    publish_signed(&bystander, &other, &key).await;
    eventually("the other block to be kept", async || {
        attestations(&config.rpc()).await?.iter().any(|record| record["hash"] == hash).then_some(())
    })
    .await;
    eventually("equivocation to be told", async || {
        entries(&log, EQUIVOCATION, 14).iter().any(|entry| entry["hash"] == hash).then_some(())
    })
    .await;
    assert!(running.terminate().success() && chains.terminate().success());
}

async fn publish_signed(node: &GossipNode, block: &Envelope, key: &BlockSigner) {
    let frame = block.sign(key, OWN, ChainId::from(901)).unwrap().frame();
    node.handle.publish(Topic::CrossSafeBlocksV1, frame).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_on_a_replay_is_bound_to_the_signer_by_the_genuine_attestation() {
    let dir = TempDir::new().unwrap();
    // At block 22 the lie in block 20 is local-safe, and not attested yet.
    let chains = devnet(dir.path(), &["invalid-message@20"], &[10, 22]);
    let config = Written::wait_for(&dir.path().join("crosscheck.toml")).await;
    let (rpc, log) = (config.rpc(), dir.path().join("sidecar.log"));
    let running = sidecar(dir.path(), &log);
    paused_at(dir.path(), 10).await;
    joined(&rpc, &[901, 902]).await;
    let key = BlockSigner::from_bytes(&Keyring::derive(5, 0).unwrap().sequencer.secret()).unwrap();
    let mut bystander = bystander(&config, &key).await;
    go_on(dir.path());
    let mut unsafe_block = async |number: u64| loop {
        let block = next_block(&mut bystander, "an unsafe block").await;
        if block.number() == number && !block.topic().is_cross_safe() {
            break block;
        }
    };
    let (honest, lie) = (unsafe_block(14).await, unsafe_block(20).await);
    paused_at(dir.path(), 22).await;
    rivals_are_told_apart(&config, &log, &bystander, &key, honest.envelope()).await;
    bystander.handle.publish(Topic::CrossSafeBlocksV1, lie.frame().clone()).await.unwrap();
    verdict_on_the_lie(&rpc, false).await;
    let violated = "invalid block in a replayable attestation; no signer is bound";
    eventually("the verdict to be told", async || (!entries(&log, violated, 20).is_empty()).then_some(()))
        .await;
    running.kill();

    let running = sidecar(dir.path(), &log);
    joined(&rpc, &[901, 902]).await;
    let counted = async |name: &str| {
        let page = scrape(config.http()).await?;
        let line = page.lines().find(|line| line.starts_with(name))?.to_owned();
        line.rsplit_once(' ')?.1.parse::<u64>().ok()
    };
    let bound = "crosscheck_attributable_verdicts_total{chain_id=\"901\",verdict=\"violated\"}";
    eventually("the metrics", async || (counted(bound).await? == 0).then_some(())).await;
    go_on(dir.path());
    verdict_on_the_lie(&rpc, true).await;
    let told_again = "sequencer attested this invalid block; binding signature received";
    eventually("it to be told again", async || (!entries(&log, told_again, 20).is_empty()).then_some(()))
        .await;
    eventually("it to be counted", async || (counted(bound).await? == 1).then_some(())).await;
    assert!(running.terminate().success());
    let (first, again) = (entries(&log, violated, 20), entries(&log, told_again, 20));
    assert_eq!((first.len(), again.len()), (1, 1), "{first:?} {again:?}");
    assert_eq!(
        (&first[0]["attributable"], &again[0]["attributable"], &again[0]["reason"]),
        (&json!(false), &json!(true), &json!("invalid-message"))
    );
    assert!(chains.terminate().success());
}
