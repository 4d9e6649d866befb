//! A peer on loopback that reads from standard input what to publish, and writes to standard output what it
//! receives.
//!
//! ```text
//! cargo run -p crosscheck-peer -- CHAIN SIGNER [PEER...]
//! ```
//!
//! It prints `listening ADDRESS`, then `accepted TOPIC NUMBER HASH` and `refused TOPIC REASON` for each
//! frame. A line `publish TOPIC SECRET PAYLOAD` has it take an encoded payload apart, put it together again,
//! sign it with the key and publish it as soon as a peer is subscribed. It ends with its standard input.

use alloy_primitives::{Address, B256, Bytes};
use crosscheck_p2p::{
    BlockSigner, ChainId, Envelope, NetworkEvent, NetworkHandle, PublishError, Signers, SigningDomain,
    SystemClock, Topic,
};
use crosscheck_peer::GossipNode;
use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How many lines may wait to be read.
const LINES: usize = 64;

/// How soon a publication is retried while no peer is subscribed.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

type Problem = Box<dyn std::error::Error + Send + Sync>;

/// What a line asks for.
struct Request {
    topic: Topic,
    frame: Bytes,
}

#[tokio::main]
async fn main() -> Result<(), Problem> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: crosscheck-peer CHAIN SIGNER [PEER...]";
    let chain_id: ChainId = arguments.next().ok_or(usage)?.parse()?;
    let signer: Address = arguments.next().ok_or(usage)?.parse()?;
    let peers = arguments.map(|peer| peer.parse()).collect::<Result<_, _>>()?;
    let mut node = GossipNode::try_start(Arc::new(SystemClock), chain_id, Signers::of(signer), peers)?;
    for addr in node.handle.listen_addrs().await? {
        say(&format!("listening {addr}"))?;
    }
    let mut lines = lines();
    loop {
        tokio::select! {
            line = lines.recv() => match line {
                Some(line) => publish(&node.handle, &request(&line, chain_id)?).await?,
                None => break,
            },
            Some(event) = node.events.recv() => print(&event)?,
        }
    }
    node.stop().await?;
    Ok(())
}

/// The lines of standard input. Reading them blocks, so a thread does it.
fn lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(LINES);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Reads `publish TOPIC SECRET PAYLOAD`.
fn request(line: &str, chain_id: ChainId) -> Result<Request, Problem> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["publish", topic, secret, payload] = words.as_slice() else {
        return Err(format!("{line:?} is not publish TOPIC SECRET PAYLOAD").into());
    };
    let topic: Topic = topic.parse()?;
    let mut envelope = Envelope::decode(topic.version(), &payload.parse()?)?;
    envelope.payload.block_hash = envelope.payload.recompute_hash();
    let signer = BlockSigner::from_bytes(&secret.parse::<B256>()?)?;
    let frame = envelope.sign(&signer, SigningDomain::Zero, chain_id)?.frame();
    Ok(Request { topic, frame })
}

async fn publish(network: &NetworkHandle, request: &Request) -> Result<(), PublishError> {
    loop {
        match network.publish(request.topic, request.frame.clone()).await {
            Err(PublishError::NoPeers { .. }) => tokio::time::sleep(RETRY_INTERVAL).await,
            outcome => return outcome.map(drop),
        }
    }
}

fn print(event: &NetworkEvent) -> std::io::Result<()> {
    match event {
        NetworkEvent::Block { block, .. } => {
            say(&format!("accepted {} {} {}", block.topic(), block.number(), block.hash()))
        }
        NetworkEvent::Refused { topic, refusal, .. } => {
            say(&format!("refused {topic} {}", refusal.reason.code()))
        }
        NetworkEvent::Filled { .. }
        | NetworkEvent::PeerConnected { .. }
        | NetworkEvent::PeerDisconnected { .. } => Ok(()),
    }
}

fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
