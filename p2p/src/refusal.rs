//! [`Refusal`]: why a frame was refused, and what was known of it by then.

use crate::{PayloadHash, Reason};
use alloy_eips::BlockNumHash;
use alloy_primitives::Address;

/// Why a frame was refused, and what was known of it by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule that it broke.
    pub reason: Reason,
    /// The hash of its signed bytes, if it got as far as having some.
    pub payload_hash: Option<PayloadHash>,
    /// Who signed it, if anyone was recovered.
    pub signer: Option<Address>,
    /// The block that it claims to be, if it is long enough to claim one. Nothing of it was checked.
    pub claimed: Option<Box<BlockNumHash>>,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, payload_hash: None, signer: None, claimed: None }
    }
}
