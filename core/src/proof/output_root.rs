//! [`OutputV0`]: what an output root of version 0 is the hash of.

use alloy::primitives::{B256, keccak256};

/// What an output root of version 0 is the hash of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputV0 {
    /// The block's state root.
    pub state_root: B256,
    /// The storage root of the message passer: since Isthmus the header's withdrawals root.
    pub withdrawals_root: B256,
    /// The block's hash.
    pub block_hash: B256,
}

impl OutputV0 {
    /// The 128 bytes that its root is the hash of: the version, then its parts.
    pub fn preimage(&self) -> [u8; 128] {
        let mut bytes = [0; 128];
        let parts = [B256::ZERO, self.state_root, self.withdrawals_root, self.block_hash];
        for (to, from) in bytes.iter_mut().zip(parts.iter().flatten()) {
            *to = *from;
        }
        bytes
    }

    /// The output root.
    pub fn root(&self) -> B256 {
        keccak256(self.preimage())
    }
}
