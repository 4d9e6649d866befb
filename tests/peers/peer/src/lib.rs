//! [`GossipNode`]: a node of crosscheck-p2p, on loopback, for the tests of other programs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is the failure of a test")]

use crosscheck_p2p::{
    ChainId, Clock, Multiaddr, Network, NetworkConfig, NetworkEvent, NetworkHandle, NetworkTaskError,
    NodeIdentity, PeerId, Signers, SystemClock, Topic,
};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long a node may take to do what it is waited for: far more than it ever takes, however busy the
/// machine is.
const DEADLINE: Duration = Duration::from_secs(300);
/// How often it is asked.
const POLL: Duration = Duration::from_millis(50);

/// A running node; it ends when dropped.
pub struct GossipNode {
    /// Asks the node, and publishes.
    pub handle: NetworkHandle,
    /// What happens on the network.
    pub events: mpsc::Receiver<NetworkEvent>,
    _signers: watch::Sender<Signers>,
    cancel: CancellationToken,
    tasks: JoinSet<Result<(), NetworkTaskError>>,
}

impl GossipNode {
    /// Starts a node that stays connected to these peers and accepts these signers.
    pub fn start(chain_id: ChainId, signers: Signers, static_peers: Vec<Multiaddr>) -> Self {
        Self::start_at(Arc::new(SystemClock), chain_id, signers, static_peers)
    }

    /// The same by another clock.
    pub fn start_at(
        clock: Arc<dyn Clock>,
        chain_id: ChainId,
        signers: Signers,
        static_peers: Vec<Multiaddr>,
    ) -> Self {
        Self::try_start(clock, chain_id, signers, static_peers).unwrap()
    }

    /// The same, for those who handle the error.
    ///
    /// # Errors
    /// [`NetworkTaskError`]: a peer's address without an id, no free port, or no tokio runtime.
    pub fn try_start(
        clock: Arc<dyn Clock>,
        chain_id: ChainId,
        signers: Signers,
        static_peers: Vec<Multiaddr>,
    ) -> Result<Self, NetworkTaskError> {
        let (sender, receiver) = watch::channel(signers);
        let config = NetworkConfig { static_peers, ..NetworkConfig::new(chain_id) };
        let (network, handle, events) = Network::new(config, NodeIdentity::generate(), clock, receiver)?;
        let (cancel, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(network.run(cancel.clone()));
        Ok(Self { handle, events, _signers: sender, cancel, tasks })
    }

    /// Stops the node, and waits until it has ended.
    ///
    /// # Errors
    /// The error that the node has ended with.
    pub async fn stop(self) -> Result<(), NetworkTaskError> {
        self.cancel.cancel();
        self.tasks.join_all().await.into_iter().collect()
    }

    /// Where it listens, with its id.
    pub async fn addr(&self) -> Multiaddr {
        in_time("a listener", self.handle.listen_addrs()).await.unwrap().remove(0)
    }

    /// Waits until a peer is in this node's mesh on the topics of unsafe blocks and of attestations.
    pub async fn meshed_with(&self, peer_id: PeerId) {
        let is_meshed = async || {
            let peers = self.handle.peers().await.unwrap();
            let peer = peers.iter().find(|peer| peer.peer_id == peer_id);
            peer.is_some_and(|peer| {
                [Topic::BlocksV4, Topic::CrossSafeBlocksV1].iter().all(|topic| peer.mesh.contains(topic))
            })
        };
        in_time("a mesh", async {
            while !is_meshed().await {
                tokio::time::sleep(POLL).await;
            }
        })
        .await;
    }
}

/// The result of a future, which must come in time.
pub async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {DEADLINE:?} for {what}"),
    }
}
