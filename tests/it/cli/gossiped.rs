//! `crosscheck envelope inspect` on what a running devnet gossips, heard as any peer hears it.

use super::frames::altered;
use super::{FAILED, OK, assert_code, json, run};
use crate::program::{DEADLINE, Running, Written};
use crosscheck::for_tests::L1Client;
use crosscheck::for_tests::{ClockSource, Config};
use crosscheck_p2p::{
    ChainId, FileClock, Network, NetworkConfig, NetworkEvent, NodeIdentity, Signers, Topic, ValidBlock,
};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The first unsafe block and the first attestation of the chain that are heard, from a peer of the devnet
/// that the configuration is of.
async fn heard(config: &Config, chain_id: ChainId) -> BTreeMap<Topic, ValidBlock> {
    let chain = config.chains.get(&chain_id).unwrap();
    let l1 = L1Client::new(config.l1.execution.clone().unwrap(), config.sources.limits()).unwrap();
    let signer = l1.unsafe_block_signer(chain.system_config.unwrap()).await.unwrap();
    let (_signers, known) = watch::channel(Signers { unsafe_block_signer: signer, ..Signers::default() });
    let ClockSource::File(clock) = &config.clock else { panic!("a fast devnet shares a clock file") };
    let settings =
        NetworkConfig { static_peers: chain.p2p.static_peers.clone(), ..NetworkConfig::new(chain_id) };
    let clock = Arc::new(FileClock::open(clock).unwrap());
    let (network, _handle, mut events) =
        Network::new(settings, NodeIdentity::generate(), clock, known).unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(network.run(CancellationToken::new()));
    let mut first = BTreeMap::new();
    while first.len() < 2 {
        if let NetworkEvent::Block { block, .. } = events.recv().await.unwrap() {
            first.entry(block.topic()).or_insert(block);
        }
    }
    first
}

fn inspect(dir: &Path, block: &ValidBlock, frame: &[u8]) -> Output {
    let file = dir.join("frame");
    std::fs::write(&file, frame).unwrap();
    run([
        "envelope".to_owned(),
        "inspect".to_owned(),
        format!("--chain-id={}", block.chain_id()),
        format!("--topic={}", block.topic()),
        format!("--signer={}", block.signer()),
        format!("--at={}", block.timestamp()),
        file.display().to_string(),
    ])
}

#[tokio::test]
async fn devnet_gossip_is_accepted_and_its_mutations_are_not() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().to_str().unwrap();
    let arguments = ["devnet", "--fast", "--no-sidecar", "--chains=1", "--await-sidecar=300", "--dir", path];
    let _devnet = Running::start(&arguments, &dir.path().join("devnet.log"));
    let file = dir.path().join("crosscheck.toml");
    Written::wait_for(&file).await;
    let config = Config::load(&file).unwrap();
    let heard = tokio::time::timeout(DEADLINE, heard(&config, ChainId::from(901))).await.unwrap();
    for (topic, block) in &heard {
        let output = inspect(dir.path(), block, block.frame());
        assert_code(&output, OK);
        let answer = json(&output);
        assert_eq!(answer["topic"], topic.name());
        assert_eq!(answer["block"]["hash"], block.hash().to_string());
        assert_eq!(answer["block"]["transactions"], block.payload().transactions.len());
        assert_eq!(answer["domain"], block.domain().name());
        assert_eq!(answer["message_id"], block.message_id().to_string());
        for (place, reason) in
            [(64, "bad-recovery-id"), (65, "wrong-signer"), (65 + 32 + 404, "wrong-signer")]
        {
            let mutation = altered(block.frame(), |bytes| bytes[place] ^= 0x80);
            let output = inspect(dir.path(), block, &mutation);
            assert_code(&output, FAILED);
            assert_eq!(
                (&json(&output)["verdict"], &json(&output)["reason"]),
                (&"reject".into(), &reason.into())
            );
        }
    }
}
