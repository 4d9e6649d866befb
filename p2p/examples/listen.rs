//! Joins one chain's gossip as a node of its own and prints each frame's judgement.
//!
//! ```text
//! cargo run -p crosscheck-p2p --example listen -- CHAIN SIGNER PEER...
//! ```
//!
//! `CHAIN` is the chain id. `SIGNER` is the address whose signature counts: the `unsafeBlockSigner` of the
//! chain's SystemConfig on L1. Each `PEER` is a peer to stay connected to (a multiaddress that ends in
//! `/p2p/ID`) or a bootnode to find peers with (`enr:…` or `enode://…`). With a bootnode the node runs discv5
//! on all interfaces, on free ports.
//!
//! It prints `listening ADDRESS`, then for each frame either `accepted TOPIC NUMBER HASH` or
//! `ignored|rejected TOPIC RULE: WHY`, and runs until it is interrupted. OP Mainnet, by a bootnode of its
//! own:
//!
//! ```text
//! cargo run -p crosscheck-p2p --example listen -- 10 0xAAAA45d9549EDA09E70937013520214382Ffc4A2 enr:…
//! ```

use alloy_primitives::Address;
use crosscheck_p2p::{
    Bootnode, ChainId, DiscoveryConfig, Network, NetworkConfig, NetworkEvent, NodeIdentity, RefusalVerdict,
    Signers, SystemClock,
};
use std::{
    error::Error,
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

type Problem = Box<dyn Error + Send + Sync>;

const USAGE: &str = "usage: listen CHAIN SIGNER PEER...";

/// What the command line asks for.
struct Wanted {
    config: NetworkConfig,
    signer: Address,
}

#[tokio::main]
async fn main() -> Result<(), Problem> {
    let Wanted { config, signer } = wanted(std::env::args().skip(1))?;
    // The sender is how a program that follows L1 would name the next signer.
    let (_signers, known) = watch::channel(Signers::of(signer));
    let (network, handle, mut events) =
        Network::new(config, NodeIdentity::generate(), Arc::new(SystemClock), known)?;
    let cancel = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(network.run(cancel.clone()));
    for addr in handle.listen_addrs().await? {
        say(&format!("listening {addr}"))?;
    }
    loop {
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                break;
            }
            event = events.recv() => match event {
                Some(event) => print(&event)?,
                None => break,
            },
        }
    }
    cancel.cancel();
    tasks.join_all().await.into_iter().collect::<Result<(), _>>()?;
    Ok(())
}

/// Reads `CHAIN SIGNER PEER...`.
fn wanted(mut arguments: impl Iterator<Item = String>) -> Result<Wanted, Problem> {
    let chain_id: ChainId = arguments.next().ok_or(USAGE)?.parse()?;
    let signer: Address = arguments.next().ok_or(USAGE)?.parse()?;
    let mut bootnodes: Vec<Bootnode> = Vec::new();
    let mut config = NetworkConfig::new(chain_id);
    for peer in arguments {
        if peer.starts_with('/') {
            config.static_peers.push(peer.parse()?);
        } else {
            bootnodes.push(peer.parse()?);
        }
    }
    if !bootnodes.is_empty() {
        let listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        config.listen = vec!["/ip4/0.0.0.0/tcp/0".parse()?];
        config.discovery = Some(DiscoveryConfig { listen, bootnodes, ..DiscoveryConfig::new() });
    } else if config.static_peers.is_empty() {
        return Err(USAGE.into());
    }
    Ok(Wanted { config, signer })
}

/// Prints an event that judges a frame. A block is valid by every rule of its topic; whether the chain's L1
/// bears it out is another question.
fn print(event: &NetworkEvent) -> std::io::Result<()> {
    match event {
        NetworkEvent::Block { block, .. } => {
            say(&format!("accepted {} {} {}", block.topic(), block.number(), block.hash()))
        }
        NetworkEvent::Refused { topic, verdict, refusal, .. } => {
            let verdict = match verdict {
                RefusalVerdict::Ignore => "ignored",
                RefusalVerdict::Reject => "rejected",
            };
            say(&format!("{verdict} {topic} {}: {}", refusal.reason.code(), refusal.reason))
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
