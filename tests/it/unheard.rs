//! Gossip that nobody passes on, or that is refused: `crosscheck run` is not ready, says why, and says when
//! it is over.

use crate::cli::frames::{CHAIN, envelope, frame, frame_by, sequencer};
use crate::metrics::scrape;
use crate::paused_chains::{entries, reasons};
use crate::program::{Running, Written, call, eventually};
use crosscheck_devnet::free_addrs::free_addrs;
use crosscheck_p2p::{
    BlockSigner, ChainId, Clock, Envelope, Signers, SigningDomain, SystemClock, Topic, UnixSeconds,
};
use crosscheck_peer::GossipNode;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// The devnet's configuration, but for the first chain: nobody is dialled there, and only its peers can be in
/// the way.
fn without_peers(dir: &Path) -> String {
    let written = std::fs::read_to_string(dir.join("crosscheck.toml")).unwrap();
    let mut config: toml::Table = written.parse().unwrap();
    config.insert("rpc".into(), {
        let mut rpc = config["rpc"].as_table().unwrap().clone();
        rpc.insert("admin".into(), true.into());
        rpc.into()
    });
    for (chain_id, chain) in config["chains"].as_table_mut().unwrap() {
        let chain = chain.as_table_mut().unwrap();
        for stall in ["unsafe_stall", "safe_stall", "l1_stall"] {
            chain.insert(stall.into(), "1day".into());
        }
        let p2p = chain["p2p"].as_table_mut().unwrap();
        if chain_id == "901" {
            p2p.insert("static_peers".into(), toml::Value::Array(Vec::new()));
            p2p.insert("peer_patience".into(), "1s".into());
        }
    }
    let path = dir.join("alone.toml");
    std::fs::write(&path, config.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_without_a_peer_is_not_ready_until_one_comes() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().to_str().unwrap();
    let arguments =
        ["devnet", "--fast", "--no-sidecar", "--seed", "5", "--blocks", "12", "--stay", "--dir", folder];
    let chains = Running::start(&arguments, &dir.path().join("devnet.log"));
    let written = Written::wait_for(&dir.path().join("crosscheck.toml")).await;
    let (config, log) = (without_peers(dir.path()), dir.path().join("sidecar.log"));
    let sidecar = Running::start(&["run", "--config", &config, "--log-format", "json"], &log);
    let rpc = written.rpc();
    let is_alone = |reasons: &Vec<String>| matches!(&reasons[..], [reason] if reason.starts_with("chain 901 peers: no peer has subscribed to the chain's topics for 1s"));
    let alone = || async { reasons(&rpc).await.filter(is_alone) };
    eventually("the lack of peers to be all that is in the way", alone).await;

    let own = call(&rpc, "opp2p_self", &[json!(901)]).await.unwrap();
    let addr = own["addresses"][0].as_str().unwrap().parse().unwrap();
    let peer = GossipNode::start(ChainId::from(901_u64), Signers::default(), vec![addr]);
    let ready = || async { reasons(&rpc).await.filter(Vec::is_empty) };
    eventually("the program to be ready", ready).await;
    let gauge = "crosscheck_without_peer_seconds{chain_id=\"901\"} 0";
    assert!(scrape(written.http()).await.unwrap().lines().any(|line| line == gauge));

    let id = peer.handle.peer_id().to_string();
    let order = [json!(id), json!(901)];
    eventually("the order", || async { call(&rpc, "opp2p_blockPeer", &order).await }).await;
    eventually("the lack of peers", alone).await;
    assert!(sidecar.terminate().success() && chains.terminate().success());

    let of_901 = |message| -> Vec<Value> {
        entries(&log, message).into_iter().filter(|entry| entry["chain_id"] == "901").collect()
    };
    assert_eq!(of_901("chain has no gossip peer").len(), 2, "told once each time");
    assert!(of_901("chain has no gossip peer").iter().all(|entry| entry["level"] == "WARN"));
    assert_eq!(of_901("chain has a gossip peer again").len(), 1);
    assert_eq!(of_901("last gossip peer of the chain disconnected").len(), 1);
    let [order] = &of_901("operator's peer command executed")[..] else { panic!("one order") };
    assert_eq!(order["order"], format!("block peer {id}"));
}

/// A block of this height, made a moment ago.
fn block(number: u64) -> Envelope {
    envelope(|payload| {
        payload.number = number;
        payload.timestamp = UnixSeconds(SystemClock.now().0 - 5);
    })
}

const OWN: SigningDomain = SigningDomain::CrossSafeBlocksV1;

#[tokio::test(flavor = "multi_thread")]
async fn frames_of_another_signer_are_reported_until_a_valid_one_arrives() {
    let dir = TempDir::new().unwrap();
    let node = GossipNode::start(ChainId::from(CHAIN), Signers::of(sequencer()), Vec::new());
    let ([rpc, http], log) = (free_addrs().unwrap(), dir.path().join("sidecar.log"));
    let text = format!(
        "data_dir = {:?}\nrpc.addr = \"{rpc}\"\nhttp.addr = \"{http}\"\n\
         [chains.{CHAIN}]\nexecution = [\"http://127.0.0.1:9\"]\nrollup_node = \"http://127.0.0.1:9\"\n\
         block_time = 2\ninterop_time = 0\nunsafe_block_signer = \"{}\"\n\
         [chains.{CHAIN}.p2p]\nlisten = []\nstatic_peers = [\"{}\"]\nrefusal_patience = \"0s\"\n",
        dir.path().join("data"),
        sequencer(),
        node.addr().await
    );
    let config = dir.path().join("crosscheck.toml");
    std::fs::write(&config, text).unwrap();
    let sidecar =
        Running::start(&["run", "--config", config.to_str().unwrap(), "--log-format", "json"], &log);
    let rpc = format!("http://{rpc}");
    let own = eventually("the program to answer", async || call(&rpc, "opp2p_self", &[]).await).await;
    node.meshed_with(own["peerID"].as_str().unwrap().parse().unwrap()).await;

    let stranger = BlockSigner::from_bytes(&alloy::primitives::B256::repeat_byte(0x33)).unwrap();
    let told = async |what: &str, is_told: bool| {
        let part = format!("chain {CHAIN} refused {what}: ");
        eventually(&format!("{what}: {is_told}"), || async {
            let is_there = reasons(&rpc).await?.iter().any(|reason| reason.starts_with(&part));
            (is_there == is_told).then_some(())
        })
        .await;
    };
    for number in 1..=8 {
        let wrong = frame_by(&block(number), &stranger, SigningDomain::Zero);
        node.handle.publish(Topic::BlocksV4, wrong).await.unwrap();
    }
    told("unsafe blocks", true).await;
    for number in 1..=8 {
        node.handle
            .publish(Topic::CrossSafeBlocksV1, frame_by(&block(number), &stranger, OWN))
            .await
            .unwrap();
    }
    told("attestations", true).await;
    told("unsafe blocks", true).await;
    node.handle.publish(Topic::BlocksV4, frame(&block(9), SigningDomain::Zero)).await.unwrap();
    told("unsafe blocks", false).await;
    node.handle.publish(Topic::CrossSafeBlocksV1, frame(&block(9), OWN)).await.unwrap();
    told("attestations", false).await;

    let page = call(&rpc, "crosscheck_refusals", &[]).await.unwrap();
    let records = page["refusals"].as_array().unwrap();
    assert_eq!(records.len(), 16, "{page}");
    for (record, number) in records.iter().zip((1..=8).chain(1..=8)) {
        assert_eq!(
            (&record["reason"], &record["number"]),
            (&json!("wrong-signer"), &json!(number)),
            "{record}"
        );
        assert_eq!(record["peer"], node.handle.peer_id().to_string());
        assert!(record["at"].as_u64().unwrap() + 3_600 > SystemClock.now().0, "{record}");
        assert_eq!(record["hash"].as_str().map(str::len), Some(66), "{record}");
    }
    let counted = format!(
        "crosscheck_gossip_refused_frames_total{{chain_id=\"{CHAIN}\",reason=\"wrong-signer\",topic=\"blocksv4\"}} 8"
    );
    let is_counted = |text: &String| text.lines().any(|line| line == counted);
    eventually("the count", || async { scrape(http).await.filter(is_counted) }).await;
    assert!(sidecar.terminate().success());
    assert_eq!(entries(&log, "gossip is being refused").len(), 2, "told once each");
    assert_eq!(entries(&log, "gossip is no longer being refused").len(), 2);
    let named = entries(&log, "attestation rejected");
    assert!((1..=2).contains(&named.len()), "{named:?}");
    assert_eq!((&named[0]["level"], &named[0]["reason"]), (&json!("WARN"), &json!("wrong-signer")));
    assert_eq!(named[0]["signer"], stranger.address().to_string());
    assert_eq!((&named[0]["number"], &named[0]["unnamed"]), (&json!(1), &json!(0)));
}
