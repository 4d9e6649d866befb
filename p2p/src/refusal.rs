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
    /// The address that its signature recovers to, in the topic's own domain. `None`: it was not recovered.
    pub signer: Option<Address>,
    /// The number and hash of the block that it claims to be. Nothing of it was checked. `None`: the frame is too short.
    pub claimed: Option<Box<BlockNumHash>>,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, payload_hash: None, signer: None, claimed: None }
    }
}
