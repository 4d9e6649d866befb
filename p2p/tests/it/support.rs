//! Nodes on loopback, and blocks for them to exchange.

#[path = "../../src/sample/version_fields.rs"]
mod version_fields;

pub(crate) use version_fields::version_fields;

use alloy_primitives::{Address, B256, Bloom, Bytes, U256};
use crosscheck_p2p::{
    BlobFields, BlockSigner, ChainId, Clock, Envelope, ExecutionPayload, Multiaddr, Network, NetworkConfig,
    NetworkEvent, NetworkHandle, NodeIdentity, PayloadVersion, Refusal, RefusalVerdict, Signers, Topic,
    UnixSeconds, ValidBlock, VersionFields,
};
use std::{
    future::Future,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    net::{Ipv4Addr, SocketAddr},
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpSocket,
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

pub(crate) const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
/// How long anything may take: far more than it ever takes, however busy the machine is.
pub(crate) const DEADLINE: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_millis(20);

/// A clock that is at [`NOW`] until it is moved.
#[derive(Debug, Default)]
pub(crate) struct HandClock {
    passed: AtomicU64,
}

impl HandClock {
    pub(crate) fn advance(&self, seconds: u64) {
        self.passed.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> UnixSeconds {
        UnixSeconds(NOW.0 + self.passed.load(Ordering::SeqCst))
    }
}

pub(crate) fn chain() -> ChainId {
    ChainId::from(901)
}

pub(crate) fn sequencer() -> BlockSigner {
    BlockSigner::from_bytes(&B256::repeat_byte(0x11)).unwrap()
}

pub(crate) fn stranger() -> BlockSigner {
    BlockSigner::from_bytes(&B256::repeat_byte(0x22)).unwrap()
}

/// A version 4 block that hashes to what it claims.
pub(crate) fn block(number: u64, transactions: Vec<Bytes>) -> Envelope {
    block_of(PayloadVersion::V4, number, transactions)
}

/// A block of a version that hashes to what it claims.
pub(crate) fn block_of(version: PayloadVersion, number: u64, transactions: Vec<Bytes>) -> Envelope {
    let mut payload = ExecutionPayload {
        parent_hash: B256::repeat_byte(1),
        fee_recipient: Address::repeat_byte(2),
        state_root: B256::repeat_byte(3),
        receipts_root: B256::repeat_byte(4),
        logs_bloom: Bloom::ZERO,
        prev_randao: B256::repeat_byte(6),
        number,
        gas_limit: 60_000_000,
        gas_used: 21_000,
        timestamp: NOW,
        extra_data: Bytes::from_static(&[1; 17]),
        base_fee_per_gas: U256::from(1_000_000),
        block_hash: B256::ZERO,
        transactions,
        version_fields: version_fields(version),
    };
    payload.block_hash = payload.recompute_hash();
    Envelope { payload }
}

/// The frame of a small block in the topic's version, signed in the topic's own domain.
pub(crate) fn frame(number: u64, signer: &BlockSigner, topic: Topic) -> Bytes {
    framed(number, topic).sign(signer, topic.domains()[0], chain()).unwrap().frame()
}

/// The block of [`frame`].
pub(crate) fn framed(number: u64, topic: Topic) -> Envelope {
    block_of(topic.version(), number, vec![Bytes::from_static(&[0x7e, 1])])
}

/// A running node; it ends when dropped.
pub(crate) struct Node {
    pub(crate) handle: NetworkHandle,
    pub(crate) events: mpsc::Receiver<NetworkEvent>,
    cancel: CancellationToken,
    tasks: JoinSet<Result<(), crosscheck_p2p::NetworkTaskError>>,
    pub(crate) signers: watch::Sender<Signers>,
    pub(crate) clock: Arc<HandClock>,
}

impl Node {
    pub(crate) async fn start(peers: &[&Self]) -> Self {
        Self::start_with(peers, NodeIdentity::generate(), |_| ()).await
    }

    pub(crate) async fn start_with(
        peers: &[&Self],
        identity: NodeIdentity,
        change: impl FnOnce(&mut NetworkConfig),
    ) -> Self {
        let mut config = NetworkConfig::new(chain());
        for peer in peers {
            config.static_peers.extend(peer.addrs().await);
        }
        change(&mut config);
        let (signers, receiver) = watch::channel(Signers::of(sequencer().address()));
        let clock = Arc::new(HandClock::default());
        let (network, handle, events) =
            Network::new(config, identity, Arc::<HandClock>::clone(&clock), receiver).unwrap();
        let (cancel, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(network.run(cancel.clone()));
        Self { handle, events, cancel, tasks, signers, clock }
    }

    pub(crate) async fn addrs(&self) -> Vec<Multiaddr> {
        in_time("a listener", self.handle.listen_addrs()).await.unwrap()
    }

    /// Waits until `other` is in this node's mesh on every topic.
    pub(crate) async fn meshed_with(&self, other: &Self) {
        let id = other.handle.peer_id();
        until("a mesh", async || {
            let peers = self.handle.peers().await.unwrap();
            peers.iter().any(|peer| peer.peer_id == id && peer.mesh.len() == Topic::ALL.len())
        })
        .await;
    }

    pub(crate) async fn is_connected_to(&self, other: &Self) -> bool {
        let id = other.handle.peer_id();
        self.handle.peers().await.unwrap().iter().any(|peer| peer.peer_id == id)
    }

    pub(crate) async fn next_event(&mut self) -> NetworkEvent {
        in_time("an event", self.events.recv()).await.expect("the node runs")
    }

    pub(crate) async fn next_block(&mut self) -> ValidBlock {
        loop {
            if let NetworkEvent::Block { block, .. } = self.next_event().await {
                return block;
            }
        }
    }

    pub(crate) async fn stop(mut self) {
        self.cancel.cancel();
        in_time("the end of the task", self.tasks.join_next()).await.unwrap().unwrap().unwrap();
    }
}

/// A port of loopback for a node that starts later, or again. Nobody else is given it for as long as it is
/// held.
pub(crate) struct HeldPort {
    addr: SocketAddr,
    _held: Option<TcpSocket>,
}

/// Below the ports that systems give to outgoing connections and to anyone who asks for any.
const PORTS: Range<u16> = 10_000..32_768;

impl HeldPort {
    /// Draws by lot until one is free. It is bound by a socket that does not listen: a node, which asks for
    /// an address that may be used again, gets it all the same, and another test, which tries it as this one
    /// does, does not.
    pub(crate) fn draw() -> Self {
        loop {
            let lot = RandomState::new().build_hasher().finish() % u64::try_from(PORTS.len()).unwrap();
            let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, PORTS.start + u16::try_from(lot).unwrap()));
            let held = TcpSocket::new_v4().unwrap();
            if held.bind(addr).is_ok() {
                held.set_reuseaddr(true).unwrap();
                // Elsewhere such a socket would keep the node out.
                return Self { addr, _held: cfg!(target_os = "linux").then_some(held) };
            }
        }
    }

    pub(crate) const fn socket(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn addr(&self) -> Multiaddr {
        format!("/ip4/127.0.0.1/tcp/{}", self.addr.port()).parse().unwrap()
    }
}

/// The next refusal; a block before it is a failure.
pub(crate) async fn next_refusal(node: &mut Node) -> (RefusalVerdict, Refusal) {
    loop {
        match node.next_event().await {
            NetworkEvent::Refused { verdict, refusal, .. } => return (verdict, refusal),
            NetworkEvent::Block { block, .. } => panic!("accepted {block:?}"),
            NetworkEvent::Filled { .. }
            | NetworkEvent::PeerConnected { .. }
            | NetworkEvent::PeerDisconnected { .. } => {}
        }
    }
}

pub(crate) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {DEADLINE:?} for {what}"),
    }
}

pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    in_time(what, async {
        while !holds().await {
            tokio::time::sleep(POLL).await;
        }
    })
    .await;
}
