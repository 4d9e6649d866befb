//! [`PayloadHash`] and [`signing_hash`]: what a gossip signature is made over.
//!
//! Rollup-node p2p specification, "Block signatures". No curve arithmetic here.

use crate::{
    ChainId, SigningDomain,
    keccak::{HashInput, Prefix},
};
use alloy_primitives::{B256, keccak256};
use core::fmt;
use serde::{Deserialize, Serialize};

/// `keccak256` of the signed bytes: everything in the decompressed frame after the signature. Rollup-node p2p
/// specification, "Block signatures".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PayloadHash(B256);

impl PayloadHash {
    /// Hashes the signed bytes.
    pub fn of(signed: &[u8]) -> Self {
        Self(HashInput::new(Prefix::default(), signed).hash())
    }

    /// The hash as 32 bytes.
    pub const fn as_b256(self) -> B256 {
        self.0
    }
}

impl From<B256> for PayloadHash {
    fn from(hash: B256) -> Self {
        Self(hash)
    }
}

impl fmt::Display for PayloadHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The 32 bytes that are signed: `keccak256(domain ‖ chain id, 32 bytes big-endian ‖ payload hash)`.
pub fn signing_hash(domain: SigningDomain, chain_id: ChainId, payload_hash: PayloadHash) -> B256 {
    signing_hash_of_word(domain.as_word(), chain_id, payload_hash)
}

fn signing_hash_of_word(domain: B256, chain_id: ChainId, payload_hash: PayloadHash) -> B256 {
    keccak256([domain.0, chain_id.to_be_bytes(), payload_hash.0.0].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::b256;

    /// op-alloy's published vector.
    #[test]
    fn zero_domain_vector() {
        let hash = signing_hash(SigningDomain::Zero, ChainId::from(10), PayloadHash::of(&[0x99; 32]));
        assert_eq!(hash, b256!("0x44a0e2b1aba1aae1771eddae1dcd2ad18a8cdac8891517153f03253e49d3f206"));
    }

    /// The vector of op-service's `blockpayload_args_test.go`.
    #[test]
    fn other_domain_vector() {
        let mut domain = B256::ZERO;
        domain.0[..2].copy_from_slice(&[0x7b, 0x2a]);
        let hash = signing_hash_of_word(domain, ChainId::from(100), PayloadHash::of(b"arbitraryData"));
        assert_eq!(hash, b256!("0xc724de7aefa316a12cbbd5edc39d512830598cce5d6ac81d1b518ef69450ad77"));
    }
}
