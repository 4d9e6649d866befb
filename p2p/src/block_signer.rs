//! [`BlockSigner`]: the secret key that signs envelopes.
//!
//! Signs deterministically (RFC 6979), low-S, recovery id 0 or 1. Never shows the key.

use crate::{Signer, SigningRequest, signature::SIGNATURE_BYTES};
use alloy_primitives::{Address, B256};
use core::fmt;
use k256::ecdsa::SigningKey;

/// A secp256k1 secret key in memory, which signs blocks.
#[derive(Clone)]
pub struct BlockSigner {
    key: SigningKey,
    address: Address,
}

/// Why there is no key or no signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The 32 bytes are zero or not below the curve's order.
    #[error("the 32 bytes are not a secp256k1 secret key: generate another one")]
    InvalidKey,
    /// The curve library refused to sign. Not reachable with a valid key and a 32-byte hash.
    #[error("signing with the key of {address} failed: {detail}")]
    Signing {
        /// The address of the key.
        address: Address,
        /// The error of the library.
        detail: String,
    },
}

impl BlockSigner {
    /// A signer with this secret key: 32 bytes, big-endian.
    ///
    /// # Errors
    /// [`SignerError::InvalidKey`]: zero, or not below the curve's order.
    pub fn from_bytes(secret: &B256) -> Result<Self, SignerError> {
        let key = SigningKey::from_slice(secret.as_slice()).map_err(|_| SignerError::InvalidKey)?;
        let address = Address::from_public_key(key.verifying_key());
        Ok(Self { key, address })
    }

    /// The address of the key.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Signs a [signing hash](crate::signing_hash): `r ‖ s ‖ recovery id`.
    pub(crate) fn sign_hash(&self, signing_hash: B256) -> Result<[u8; SIGNATURE_BYTES], SignerError> {
        let (signature, recovery_id) = self
            .key
            .sign_prehash_recoverable(signing_hash.as_slice())
            .map_err(|error| SignerError::Signing { address: self.address, detail: error.to_string() })?;
        let mut bytes = [0; SIGNATURE_BYTES];
        let scalars = signature.to_bytes();
        bytes
            .iter_mut()
            .zip(scalars.iter().chain([&recovery_id.to_byte()]))
            .for_each(|(to, from)| *to = *from);
        Ok(bytes)
    }
}

impl Signer for BlockSigner {
    type Error = SignerError;

    fn address(&self) -> Address {
        self.address
    }

    fn sign(&self, request: &SigningRequest) -> Result<[u8; SIGNATURE_BYTES], SignerError> {
        self.sign_hash(request.signing_hash())
    }
}

impl fmt::Debug for BlockSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockSigner").field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::BlockSignature;
    use alloy_primitives::address;

    #[test]
    fn the_address_is_the_keys() {
        let signer = BlockSigner::from_bytes(&B256::with_last_byte(1)).unwrap();
        assert_eq!(signer.address(), address!("0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"));
    }

    #[test]
    fn zero_is_not_a_key() {
        assert_eq!(BlockSigner::from_bytes(&B256::ZERO).unwrap_err(), SignerError::InvalidKey);
    }

    #[test]
    fn debug_does_not_show_the_secret() {
        let secret = B256::repeat_byte(0x5a);
        let text = format!("{:?}", BlockSigner::from_bytes(&secret).unwrap());
        assert!(!text.contains("5a5a") && !text.contains("90, 90"), "{text}");
    }

    #[test]
    fn signatures_are_low_s_and_recover_to_the_signer() {
        let signer = BlockSigner::from_bytes(&B256::repeat_byte(3)).unwrap();
        for byte in 0..64 {
            let hash = B256::repeat_byte(byte);
            let bytes = signer.sign_hash(hash).unwrap();
            assert!(bytes[64] <= 1);
            assert_eq!(BlockSignature::parse(&bytes).unwrap().recover(hash).unwrap(), signer.address());
        }
    }
}
