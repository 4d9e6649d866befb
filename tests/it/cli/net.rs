//! `crosscheck net`: what it prints of a real peer's blocks, and the code that it ends with.

use super::frames::{CHAIN, envelope, frame, sequencer};
use super::{FAILED, OK, USAGE, assert_code, run, stderr, stdout};
use crate::program::crosscheck;
use crosscheck_p2p::{
    ChainId, Clock, Network, NetworkConfig, NetworkHandle, NodeIdentity, PublishError, Signers,
    SigningDomain, SystemClock, Topic,
};
use rstest::rstest;
use serde_json::Value;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How soon publishing is retried while no peer is subscribed.
const AGAIN: Duration = Duration::from_millis(50);

/// Publishes a block of now as soon as a peer is subscribed: gossip takes none that is a minute old.
async fn publish(network: &NetworkHandle) {
    loop {
        let block = envelope(|payload| payload.timestamp = SystemClock.now());
        match network.publish(Topic::BlocksV4, frame(&block, SigningDomain::Zero)).await {
            Ok(_) => return,
            Err(PublishError::NoPeers { .. }) => tokio::time::sleep(AGAIN).await,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Runs `crosscheck net` beside a peer that publishes one block of now, until the program ends.
async fn hear(arguments: &[&str]) -> Output {
    let (_signers, known) = watch::channel(Signers::default());
    let (network, handle, mut events) = Network::new(
        NetworkConfig::new(ChainId::from(CHAIN)),
        NodeIdentity::generate(),
        Arc::new(SystemClock),
        known,
    )
    .unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(network.run(CancellationToken::new()));
    let addr = handle.listen_addrs().await.unwrap().first().unwrap().to_string();
    let mut program = crosscheck(&["net", "--chain=901", "--peer", &addr]);
    program.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let program = program.spawn().unwrap();
    publish(&handle).await;
    let ended = tokio::task::spawn_blocking(move || program.wait_with_output().unwrap());
    // The peer's events are of no interest, but must be taken.
    let drained = async { while events.recv().await.is_some() {} };
    tokio::select! {
        output = ended => output.unwrap(),
        () = drained => panic!("the peer ended"),
    }
}

fn events(output: &Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_valid_block_is_printed_and_is_a_success() {
    let signer = format!("--signer={}", sequencer());
    let output = hear(&["--blocks=1", "--for=300s", "--json", &signer]).await;
    assert_code(&output, OK);
    let events = events(&output);
    assert_eq!(events.first().unwrap()["event"], "connected");
    let block = events.last().unwrap();
    assert_eq!((&block["event"], &block["topic"]), (&"block".into(), &"blocksv4".into()));
    assert_eq!((&block["number"], &block["transactions"]), (&42.into(), &2.into()));
    assert_eq!(block["signer"], serde_json::to_value(sequencer()).unwrap());
    assert!(stderr(&output).contains("gossip works"), "{}", stderr(&output));
}

#[tokio::test]
async fn a_block_of_another_signer_is_printed_and_is_not_a_success() {
    let output =
        hear(&["--frames=1", "--for=300s", "--signer=0x2222222222222222222222222222222222222222"]).await;
    assert_code(&output, FAILED);
    let printed = stdout(&output);
    assert!(printed.contains("reject        blocksv4 wrong-signer"), "{printed}");
    assert!(stderr(&output).contains("none of them is a valid block"), "{}", stderr(&output));
}

#[test]
fn no_peer_is_not_a_success() {
    let output = run(["net", "--network=op-mainnet", "--for=100ms"]);
    assert_code(&output, FAILED);
    assert!(stderr(&output).contains("no peer was reached"), "{}", stderr(&output));
}

#[test]
fn a_port_in_use_is_named() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("/ip4/127.0.0.1/tcp/{}", other.local_addr().unwrap().port());
    let output = run(["net", "--chain=901", "--for=100ms", "--listen", &listen]);
    assert_code(&output, FAILED);
    let problem = format!("cannot listen on {listen}: Address already in use");
    assert!(stderr(&output).contains(&problem), "{}", stderr(&output));
}

#[rstest]
#[case::nothing(&["net"], "--network <NAME>")]
#[case::nothing_of_use(&["net", "--json"], "--network <NAME>")]
#[case::both(&["net", "--network=op-mainnet", "--chain=10"], "cannot be used with")]
#[case::unknown(&["net", "--network=op-mainet"], "did you mean op-mainnet?")]
#[case::peer_without_id(&["net", "--chain=901", "--peer=/ip4/127.0.0.1/tcp/1"], "end in /p2p/PEER_ID")]
#[case::no_block(&["net", "--chain=901", "--blocks=0"], "0 is not in 1..")]
#[case::no_contract(&["net", "--chain=901", "--l1=http://127.0.0.1:1"], "needs --system-config")]
fn misuse_says_what_to_write(#[case] arguments: &[&str], #[case] problem: &str) {
    let output = run(arguments);
    assert_code(&output, USAGE);
    assert!(stderr(&output).contains(problem), "{}", stderr(&output));
}
