//! The untrusted-input zone of Crosscheck: OP Stack block gossip, from bytes to judged blocks.
//!
//! A frame takes one way: [`Frame`] (bounded, decompressed) → [`AuthenticFrame`] (signed by whom the topic asks
//! for) → [`ValidBlock`] (holds by every rule). [`Validator`] walks it, purely; nothing later in the program
//! sees a byte that has not. This crate never asks L1, an execution client or the disk about a block, and
//! never depends on the daemon.

#![warn(clippy::wildcard_enum_match_arm)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod authentic_frame;
mod block_signer;
mod chain_id;
mod clock;
mod envelope;
mod frame;
mod keccak;
mod message_id;
mod network;
mod ordered_root;
mod payload;
mod payload_hash;
mod payload_layout;
mod payload_reader;
mod payload_writer;
mod reason;
mod refusal;
mod rules;
#[cfg(test)]
mod sample;
mod seen_blocks;
mod signature;
mod signers;
mod signing_domain;
mod topic;
mod two_cores;
mod valid_block;
mod validator;

pub use authentic_frame::{AuthenticFrame, recover_signers};
pub use block_signer::{BlockSigner, SignerError};
pub use chain_id::{ChainId, ParseChainIdError};
pub use clock::{Clock, SystemClock, UnixSeconds};
pub use envelope::{Envelope, SignError, SignedEnvelope};
pub use frame::{Frame, MAX_FRAME_BYTES, MIN_FRAME_BYTES};
pub use libp2p::{Multiaddr, PeerId};
pub use message_id::{MessageId, message_id};
pub use network::{
    IdentityError, Network, NetworkClosed, NetworkConfig, NetworkCounters, NetworkError, NetworkEvent,
    NetworkHandle, NoPeerIdError, NodeIdentity, PeerInfo, PublishError,
};
pub use payload::ExecutionPayload;
pub use payload_hash::{PayloadHash, signing_hash};
pub use payload_layout::MalformedPayload;
pub use reason::{Reason, RefusalVerdict};
pub use refusal::{Judgement, Refusal};
pub use rules::ValidationRules;
pub use signature::{Recovered, SIGNATURE_BYTES};
pub use signers::Signers;
pub use signing_domain::{ParseSigningDomainError, SigningDomain};
pub use topic::{ParseTopicError, Topic};
pub use valid_block::ValidBlock;
pub use validator::Validator;
