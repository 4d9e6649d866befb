//! [`NetworkHandle`]: how the rest of the program sends commands to the network task.
//!
//! Every command waits in one bounded queue ([`NetworkConfig::command_queue`](crate::NetworkConfig)) and is
//! answered by the task. Nothing here uses a socket.

use super::{
    BlockList, BlockListFull, DiscoveryView, OwnInfo, PeerInfo, Subnet, TooManyProtected,
    counters::{Counters, NetworkCounters},
};
use crate::{GossipMessageId, SettledBlocks, Topic};
use alloy_primitives::{B256, Bytes};
use libp2p::{Multiaddr, PeerId};
use std::{net::IpAddr, sync::Arc};
use tokio::sync::{mpsc, oneshot, watch};

/// A handle of a network task. Clones share the task. Every method that waits for the task ends with
/// [`NetworkClosed`] once the task has ended.
#[derive(Clone, Debug)]
pub struct NetworkHandle {
    pub(super) peer_id: PeerId,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) listening: watch::Receiver<Option<Vec<Multiaddr>>>,
    pub(super) discovery: Option<watch::Receiver<DiscoveryView>>,
    pub(super) settled: watch::Sender<Arc<SettledBlocks>>,
    pub(super) counters: Arc<Counters>,
    pub(super) subscribers: watch::Receiver<usize>,
}

/// A command for the task.
#[derive(Debug)]
pub(super) enum Command {
    Publish { topic: Topic, frame: Bytes, reply: oneshot::Sender<Result<GossipMessageId, PublishError>> },
    Peers { known: bool, reply: oneshot::Sender<Vec<PeerInfo>> },
    Own { reply: oneshot::Sender<OwnInfo> },
    Gate { command: GateCommand, reply: oneshot::Sender<Result<(), GateError>> },
    BlockList { reply: oneshot::Sender<BlockList> },
    Connect { addr: Multiaddr, reply: oneshot::Sender<Result<(), ConnectError>> },
    Disconnect { peer_id: PeerId, reply: oneshot::Sender<bool> },
}

/// An operator's command about who may be connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateCommand {
    /// Blocks a peer, and disconnects it.
    BlockPeer(PeerId),
    /// Unblocks a peer, and ends its ban.
    UnblockPeer(PeerId),
    /// Blocks an address, and disconnects its peers.
    BlockAddr(IpAddr),
    /// Unblocks an address.
    UnblockAddr(IpAddr),
    /// Blocks a subnet, and disconnects its peers.
    BlockSubnet(Subnet),
    /// Unblocks a subnet.
    UnblockSubnet(Subnet),
    /// Protects a peer from pruning and bans, and ends its ban.
    Protect(PeerId),
    /// Ends the protection of a peer.
    Unprotect(PeerId),
}

impl core::fmt::Display for GateCommand {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::BlockPeer(peer_id) => write!(f, "block peer {peer_id}"),
            Self::UnblockPeer(peer_id) => write!(f, "unblock peer {peer_id}"),
            Self::BlockAddr(addr) => write!(f, "block address {addr}"),
            Self::UnblockAddr(addr) => write!(f, "unblock address {addr}"),
            Self::BlockSubnet(subnet) => write!(f, "block subnet {subnet}"),
            Self::UnblockSubnet(subnet) => write!(f, "unblock subnet {subnet}"),
            Self::Protect(peer_id) => write!(f, "protect peer {peer_id}"),
            Self::Unprotect(peer_id) => write!(f, "unprotect peer {peer_id}"),
        }
    }
}

/// Why a [`GateCommand`] was not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// Too many peers, addresses or subnets are blocked.
    #[error(transparent)]
    Full(#[from] BlockListFull),
    /// Too many peers are protected.
    #[error(transparent)]
    TooManyProtected(#[from] TooManyProtected),
    /// The network task has ended.
    #[error(transparent)]
    Closed(#[from] NetworkClosed),
}

/// Why a peer is not connected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address does not name the peer that is expected there.
    #[error("{addr} does not end in /p2p/<peer id>: add the peer's id")]
    NoPeerId {
        /// The address.
        addr: Multiaddr,
    },
    /// It is blocked, banned, or being dialled already.
    #[error("peer {peer_id} is not dialled at {addr}: it is blocked or banned, or being dialled already")]
    NotDialled {
        /// The peer.
        peer_id: PeerId,
        /// The address.
        addr: Multiaddr,
    },
    /// It could not be reached.
    #[error("peer {peer_id} was not reached: {detail}")]
    Unreachable {
        /// The peer.
        peer_id: PeerId,
        /// The error of libp2p.
        detail: String,
    },
    /// Too many callers wait for a connection.
    #[error("{limit} connections are pending: try again later")]
    TooMany {
        /// The most callers that may wait.
        limit: usize,
    },
    /// The network task has ended.
    #[error(transparent)]
    Closed(#[from] NetworkClosed),
}

/// The network task has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the network task has stopped")]
pub struct NetworkClosed;

/// Why a frame was not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// No peer would receive it.
    #[error("no peer is subscribed to {topic}: publish again once one is")]
    NoPeers {
        /// The topic.
        topic: Topic,
    },
    /// The network has the message already, or an attempt to publish it ended with
    /// [`PublishError::QueuesFull`]. gossipsub remembers a message for 65 s.
    #[error("message {message_id} was published on {topic} before, or received from there")]
    Duplicate {
        /// The topic.
        topic: Topic,
        /// The message.
        message_id: GossipMessageId,
    },
    /// The frame is larger than the network carries.
    #[error("the frame has {size} bytes: the network carries at most {limit}")]
    TooLarge {
        /// Its size, bytes.
        size: usize,
        /// The most allowed, bytes.
        limit: usize,
    },
    /// The queue of every peer that it was to be sent to is full: it was sent to none of them. A queue has
    /// room for 512 messages.
    ///
    /// The frame may still reach peers. gossipsub (0.50) remembers a message before it looks for room in the
    /// queues: in the next heartbeats it names the message to peers outside the mesh (IHAVE), and sends it to
    /// those that ask (IWANT).
    ///
    /// For the same reason the same frame cannot be published again at once: for the next 65 s it is a
    /// [`PublishError::Duplicate`]. What works:
    ///
    /// - to publish the next frame, once the peers have read some of their queues;
    /// - to publish this one through another node;
    /// - to publish an attestation again after 65 s and after another message. An unsafe block is too old by
    ///   then: peers would reject it.
    ///
    /// Whether it helps to sign the block again depends on the signer. A deterministic one, as
    /// [`BlockSigner`](crate::BlockSigner) is, makes the same signature, and so the same message. Another one
    /// may make a signature that is a message of its own, which can be published at once. A peer that
    /// received the first one ignores it.
    #[error(
        "the queues of all {peers} peers on {topic} are full: the frame was sent to none of them, and may reach others by IHAVE; \
         this frame cannot be published again for 65 s; publish the next one, or this one through another node"
    )]
    QueuesFull {
        /// The topic.
        topic: Topic,
        /// How many peers it was to be sent to.
        peers: usize,
    },
    /// libp2p refused it for another reason.
    #[error("the frame was not published on {topic}: {detail}")]
    Refused {
        /// The topic.
        topic: Topic,
        /// The error of libp2p.
        detail: String,
    },
    /// The network task has ended.
    #[error(transparent)]
    Closed(#[from] NetworkClosed),
}

impl NetworkHandle {
    /// The node's libp2p peer id.
    pub const fn peer_id(&self) -> PeerId {
        self.peer_id
    }

    /// Publishes a frame: a snappy block, as [`SignedEnvelope::frame`](crate::SignedEnvelope::frame) returns
    /// it. The node's own validator does not judge it, and no event reports it. Needs no subscription to the
    /// topic. `Ok`: the frame is in the queue of at least one peer.
    ///
    /// # Errors
    /// [`PublishError`]. [`PublishError::NoPeers`] may be retried; see [`PublishError::QueuesFull`] for what
    /// cannot be.
    pub async fn publish(&self, topic: Topic, frame: Bytes) -> Result<GossipMessageId, PublishError> {
        self.request(|reply| Command::Publish { topic, frame, reply }).await?
    }

    /// The connected peers.
    ///
    /// # Errors
    /// [`NetworkClosed`].
    pub async fn peers(&self) -> Result<Vec<PeerInfo>, NetworkClosed> {
        self.request(|reply| Command::Peers { known: false, reply }).await
    }

    /// What the node says about itself.
    ///
    /// # Errors
    /// [`NetworkClosed`].
    pub async fn own_info(&self) -> Result<OwnInfo, NetworkClosed> {
        self.request(|reply| Command::Own { reply }).await
    }

    /// The known peers: those that are connected, were, or that a node record names. 2,048 at most.
    ///
    /// # Errors
    /// [`NetworkClosed`].
    pub async fn known_peers(&self) -> Result<Vec<PeerInfo>, NetworkClosed> {
        self.request(|reply| Command::Peers { known: true, reply }).await
    }

    /// Blocks or protects a peer, address or subnet, or ends that. Connections that are no longer allowed
    /// close at once. A block is kept in the peer file, if there is one.
    ///
    /// # Errors
    /// [`GateError`].
    pub async fn gate(&self, command: GateCommand) -> Result<(), GateError> {
        self.request(|reply| Command::Gate { command, reply }).await?
    }

    /// Who may not connect: blocked peers, addresses and subnets, and bans.
    ///
    /// # Errors
    /// [`NetworkClosed`].
    pub async fn block_list(&self) -> Result<BlockList, NetworkClosed> {
        self.request(|reply| Command::BlockList { reply }).await
    }

    /// Connects to a peer at a multiaddress that ends in `/p2p/ID`, and waits until the connection is
    /// established or has failed.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(&self, addr: Multiaddr) -> Result<(), ConnectError> {
        self.request(|reply| Command::Connect { addr, reply }).await?
    }

    /// Closes every connection of a peer. `false`: it had none. The peer may connect again; see
    /// [`NetworkHandle::gate`].
    ///
    /// # Errors
    /// [`NetworkClosed`].
    pub async fn disconnect(&self, peer_id: PeerId) -> Result<bool, NetworkClosed> {
        self.request(|reply| Command::Disconnect { peer_id, reply }).await
    }

    /// The addresses that the node listens on, each with its `/p2p/ID`. Waits until at least one listener is
    /// up. Empty if none is configured.
    ///
    /// # Errors
    /// [`NetworkClosed`].
    pub async fn listen_addrs(&self) -> Result<Vec<Multiaddr>, NetworkClosed> {
        let mut listening = self.listening.clone();
        let addrs = listening.wait_for(Option::is_some).await.map_err(|_| NetworkClosed)?;
        Ok(addrs.clone().unwrap_or_default())
    }

    /// Marks blocks, by height and hash, as settled: attestations of them are ignored from now on. See
    /// [`SettledBlocks`].
    pub fn mark_settled(&self, blocks: impl IntoIterator<Item = (u64, B256)>) {
        let mut settled = SettledBlocks::clone(&self.settled.borrow());
        blocks.into_iter().for_each(|(number, hash)| settled.insert(number, hash));
        self.settled.send_replace(Arc::new(settled));
    }

    /// How many connected peers are subscribed to any of the chain's topics. The receiver is notified of each
    /// change.
    pub fn subscribers(&self) -> watch::Receiver<usize> {
        self.subscribers.clone()
    }

    /// The node record and table of discovery. `None`: discovery is not configured.
    pub fn discovery(&self) -> Option<DiscoveryView> {
        self.discovery.as_ref().map(|view| view.borrow().clone())
    }

    /// The counters since the task was created.
    pub fn counters(&self) -> NetworkCounters {
        self.counters.snapshot()
    }

    async fn request<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, NetworkClosed> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| NetworkClosed)?;
        answer.await.map_err(|_| NetworkClosed)
    }
}
