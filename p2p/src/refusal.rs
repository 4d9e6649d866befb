//! [`Refusal`]: why a frame was refused, and what was known of it by then.

use crate::{PayloadHash, Reason};
use alloy_eips::BlockNumHash;
use alloy_primitives::Address;

/// Why a frame was refused, and what was known of it by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The first rule that it broke.
    pub reason: Reason,
    /// The Keccak-256 hash of its signed bytes. `None`: it could not be decompressed.
    pub payload_hash: Option<PayloadHash>,
    /// The address that its signature recovers to. If that may sign on the topic in one of the topic's
    /// domains: that signer. Otherwise the address in the first of the
    /// [topic's domains](crate::Topic::domains) in which it recovers to any. `None`: it was not recovered,
    /// because the frame could not be opened, no signer is known, or the signature is malformed.
    pub signer: Option<Address>,
    /// The number and hash of the block that it claims to be. Nothing of it was checked. `None`: the frame is
    /// too short.
    pub claimed: Option<Box<BlockNumHash>>,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, payload_hash: None, signer: None, claimed: None }
    }
}
