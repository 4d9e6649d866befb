//! [`NetworkTaskError`]: why a network task could not be made, or ended.

use super::{NoPeerIdError, PeerFileError};
use crate::ChainId;
use libp2p::Multiaddr;
use std::net::SocketAddr;

/// A network task that could not be made, or ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkTaskError {
    /// Sockets need a runtime.
    #[error("a network was created outside a tokio runtime: create it inside one")]
    NoRuntime,
    /// The validator would refuse every block.
    #[error("the network of chain {ours} was given the rules of chain {rules}: give both one chain id")]
    RulesOfAnotherChain {
        /// The network's chain.
        ours: ChainId,
        /// The rules' chain.
        rules: ChainId,
    },
    /// A static peer cannot be verified.
    #[error(transparent)]
    StaticPeer(#[from] NoPeerIdError),
    /// The peer file cannot be used.
    #[error(transparent)]
    PeerFile(#[from] PeerFileError),
    /// A listener could not bind.
    #[error(
        "cannot listen on {addr}: {detail}; choose an IP address of this machine and a TCP port that is free"
    )]
    Listen {
        /// Where.
        addr: Multiaddr,
        /// What libp2p said.
        detail: String,
    },
    /// Discovery's socket could not bind, or the chain has no entry in a node record.
    #[error(
        "discovery of chain {chain_id} cannot use UDP {listen}: {detail}; choose an IP address of this machine and a UDP port \
         that is free"
    )]
    Discovery {
        /// The chain.
        chain_id: ChainId,
        /// Where.
        listen: SocketAddr,
        /// What is wrong.
        detail: String,
    },
    /// libp2p refused a setting.
    #[error("the network of chain {chain_id} cannot be set up: {detail}")]
    Setup {
        /// The chain.
        chain_id: ChainId,
        /// What libp2p said.
        detail: String,
    },
    /// A judging task ended while the network ran: a defect.
    #[error("a validation task of chain {chain_id} stopped unexpectedly")]
    JudgeStopped {
        /// The chain.
        chain_id: ChainId,
    },
}
