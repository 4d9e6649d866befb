//! [`BlockSignature`]: the 65 bytes in front of a payload, parsed.
//!
//! The wire rule is `r ‖ s ‖ recovery id` with an id of 0 to 3. Libraries differ in what they accept (27, 28
//! and EIP-155 ids, high-S); here the rule is applied before any library recovers a key. libsecp256k1 does
//! that where it is built in (feature `libsecp256k1`), in a third of the time that other implementations
//! take; a block of few transactions costs little else.
//!
//! Without the key anybody can write a signature in other ways: `s` as its twin `n - s` with the parity
//! flipped, the recovery id plus 4. op-node takes them and relays them, so they are read here as the one
//! canonical form (low-S, id of 0 to 3). It recovers to the same key.

use crate::{PayloadHash, Reason};
use alloy_primitives::{Address, B256};
use k256::ecdsa::{RecoveryId, Signature};

/// The size of a signature on the wire, bytes: `r` (32), `s` (32), recovery id (1).
pub const SIGNATURE_BYTES: usize = 65;

/// go-ethereum's Go implementation reads 4 to 7 as 0 to 3: the bit says that the key was compressed.
const COMPRESSED_KEY: u8 = 4;

/// A recoverable signature in its canonical form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockSignature {
    signature: Signature,
    recovery_id: RecoveryId,
}

impl BlockSignature {
    /// Parses the wire form, and brings it into the canonical form.
    ///
    /// # Errors
    /// [`Reason::BadRecoveryId`], [`Reason::BadSignature`] for a zero or oversized scalar.
    pub(crate) fn parse(bytes: &[u8; SIGNATURE_BYTES]) -> Result<Self, Reason> {
        let [scalars @ .., id] = bytes;
        let recovery_id =
            RecoveryId::from_byte(*id & !COMPRESSED_KEY).ok_or(Reason::BadRecoveryId { id: *id })?;
        let signature = Signature::from_slice(scalars).map_err(|_| Reason::BadSignature)?;
        Ok(match signature.normalize_s() {
            Some(low) => {
                let (odd, reduced) = (recovery_id.is_y_odd(), recovery_id.is_x_reduced());
                Self { signature: low, recovery_id: RecoveryId::new(!odd, reduced) }
            }
            None => Self { signature, recovery_id },
        })
    }

    /// The canonical wire form.
    pub(crate) fn to_bytes(self) -> [u8; SIGNATURE_BYTES] {
        let mut bytes = [self.recovery_id.to_byte(); SIGNATURE_BYTES];
        for (byte, scalar) in bytes.iter_mut().zip(self.signature.to_bytes()) {
            *byte = scalar;
        }
        bytes
    }

    /// The address whose key made this signature over a [signing hash](crate::signing_hash).
    ///
    /// # Errors
    /// [`Reason::BadSignature`] when no key could have made it.
    pub(crate) fn recover(&self, signing_hash: B256) -> Result<Address, Reason> {
        recover(&self.signature, self.recovery_id, signing_hash).ok_or(Reason::BadSignature)
    }
}

#[cfg(feature = "libsecp256k1")]
fn recover(signature: &Signature, id: RecoveryId, signing_hash: B256) -> Option<Address> {
    use secp256k1::{Message, SECP256K1, ecdsa};
    let id = ecdsa::RecoveryId::try_from(i32::from(id.to_byte())).ok()?;
    let signature = ecdsa::RecoverableSignature::from_compact(&signature.to_bytes(), id).ok()?;
    let key = SECP256K1.recover_ecdsa(Message::from_digest(signing_hash.0), &signature).ok()?;
    let [_uncompressed, point @ ..] = key.serialize_uncompressed();
    Some(Address::from_raw_public_key(&point))
}

#[cfg(not(feature = "libsecp256k1"))]
fn recover(signature: &Signature, id: RecoveryId, signing_hash: B256) -> Option<Address> {
    let key = k256::ecdsa::VerifyingKey::recover_from_prehash(signing_hash.as_slice(), signature, id).ok()?;
    Some(Address::from_public_key(&key))
}

/// The address that a frame's signature recovers to in one domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveredSigner {
    /// The domain that the signature was read in.
    pub domain: crate::SigningDomain,
    /// The address. A signature that was made in another domain recovers to an address without a known key.
    pub signer: Address,
    /// The Keccak-256 hash of the signed bytes.
    pub payload_hash: PayloadHash,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BlockSigner;
    use k256::ecdsa::VerifyingKey;
    use proptest::prelude::*;

    proptest! {
        /// Another implementation recovers the same key, or none either, whatever the id and the hash.
        #[test]
        fn k256_recovers_the_same(key in 1..=u64::MAX, hash: [u8; 32], other: [u8; 32], id in 0..=3_u8) {
            let signer = BlockSigner::from_bytes(&B256::left_padding_from(&key.to_be_bytes())).unwrap();
            let mut bytes = signer.sign_hash(hash.into()).unwrap();
            let signature = BlockSignature::parse(&bytes).unwrap();
            prop_assert_eq!(signature.recover(hash.into()), Ok(signer.address()));
            bytes[64] = id;
            let signature = BlockSignature::parse(&bytes).unwrap();
            for hash in [hash, other] {
                let theirs =
                    VerifyingKey::recover_from_prehash(&hash, &signature.signature, signature.recovery_id);
                let theirs = theirs.map(|key| Address::from_public_key(&key)).map_err(|_| Reason::BadSignature);
                prop_assert_eq!(signature.recover(hash.into()), theirs);
            }
        }
    }
}
