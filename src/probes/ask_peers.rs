//! Dials a chain's static peers, as the chain's gossip would, with a key of its own and without listening.

use super::answers::PeerAnswer;
use crate::config::ChainConfig;
use crosscheck_p2p::{ChainId, Clock, Network, NetworkConfig, NetworkTaskError, NodeIdentity, Signers};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// For how long peers are waited for.
const DIALLING: Duration = Duration::from_secs(15);

/// Whether one of a chain's static peers can be dialled and subscribes to its topics. `None`: it has none.
/// None is dialled after `until`.
pub(super) async fn ask_peers(
    chain_id: ChainId,
    chain: &ChainConfig,
    until: Instant,
    clock: Arc<dyn Clock>,
) -> Option<PeerAnswer> {
    let peers = chain.p2p.static_peers.len();
    if peers == 0 || chain.is_monitored_only() {
        return None;
    }
    if Instant::now() >= until {
        let reached = Err("there was no time left".to_owned());
        return Some(PeerAnswer { chain_id, peers, reached });
    }
    let reached = dial(chain_id, chain, clock).await.map_err(|error| error.to_string());
    Some(PeerAnswer { chain_id, peers, reached })
}

async fn dial(
    chain_id: ChainId,
    chain: &ChainConfig,
    clock: Arc<dyn Clock>,
) -> Result<bool, NetworkTaskError> {
    let config = NetworkConfig {
        listen: Vec::new(),
        static_peers: chain.p2p.static_peers.clone(),
        ..NetworkConfig::new(chain_id)
    };
    let (_signers, receiver) = watch::channel(Signers::default());
    let (network, handle, mut events) = Network::new(config, NodeIdentity::generate(), clock, receiver)?;
    let mut subscribers = handle.subscribers();
    let cancel = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(network.run(cancel.clone()));
    let reached = tokio::select! {
        found = subscribers.wait_for(|peers| *peers > 0) => found.is_ok(),
        // Nothing of what is gossiped is of interest, and nothing may wait for being taken.
        () = async { while events.recv().await.is_some() {} } => false,
        () = tokio::time::sleep(DIALLING) => false,
    };
    cancel.cancel();
    while let Some(ended) = tasks.join_next().await {
        if let Ok(outcome) = ended {
            outcome?;
        }
    }
    Ok(reached)
}
