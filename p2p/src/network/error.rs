//! [`NetworkTaskError`]: why a network task could not be created, or ended.

use super::{NoPeerIdError, PeerFileError};
use crate::ChainId;
use libp2p::Multiaddr;
use std::net::SocketAddr;

/// Why a network task could not be created, or ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkTaskError {
    /// There is no tokio runtime, which sockets need.
    #[error("a network was created outside a tokio runtime: create it inside one")]
    NoRuntime,
    /// The rules are those of another chain: the validator would refuse every block.
    #[error("the network of chain {ours} was given the rules of chain {rules}: give both one chain id")]
    RulesOfAnotherChain {
        /// The network's chain id.
        ours: ChainId,
        /// The rules' chain id.
        rules: ChainId,
    },
    /// A static peer's address does not name its id.
    #[error(transparent)]
    StaticPeer(#[from] NoPeerIdError),
    /// The peer file cannot be used.
    #[error(transparent)]
    PeerFile(#[from] PeerFileError),
    /// An address cannot be listened on.
    #[error(
        "cannot listen on {addr}: {detail}; choose an IP address of this machine and a TCP port that is free"
    )]
    Listen {
        /// The address.
        addr: Multiaddr,
        /// The error of libp2p or of the operating system.
        detail: String,
    },
    /// Discovery's socket cannot be bound, or the chain's id does not fit a node record (64 bits).
    #[error(
        "discovery of chain {chain_id} cannot use UDP {listen}: {detail}; choose an IP address of this machine and a UDP port \
         that is free"
    )]
    Discovery {
        /// The chain's id.
        chain_id: ChainId,
        /// The UDP socket's address.
        listen: SocketAddr,
        /// The error.
        detail: String,
    },
    /// libp2p refused a setting.
    #[error("the network of chain {chain_id} cannot be set up: {detail}")]
    Setup {
        /// The chain's id.
        chain_id: ChainId,
        /// The error of libp2p or of the operating system.
        detail: String,
    },
    /// A judging task ended while the network ran: a defect.
    #[error("a validation task of chain {chain_id} stopped unexpectedly")]
    JudgeStopped {
        /// The chain's id.
        chain_id: ChainId,
    },
}
