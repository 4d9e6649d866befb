//! [`BlockSignature`]: the 65 bytes in front of a payload, parsed.
//!
//! The wire rule is `r ‖ s ‖ recovery id` with an id of 0 to 3. Libraries differ in what they let through (27,
//! 28 and EIP-155 ids, high-S); here the rule is applied before any library recovers a key. libsecp256k1 does that,
//! in a third of the time that other implementations take; a block of few transactions costs little else.

use crate::{PayloadHash, Reason};
use alloy_primitives::{Address, B256};
use k256::ecdsa::{RecoveryId, Signature};
use secp256k1::{Message, SECP256K1, ecdsa::RecoverableSignature};

/// The size of a signature on the wire.
pub const SIGNATURE_BYTES: usize = 65;

const MAX_RECOVERY_ID: u8 = 3;

/// A recoverable low-S signature.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockSignature {
    signature: Signature,
    recovery_id: RecoveryId,
}

impl BlockSignature {
    /// Parses the wire form.
    ///
    /// # Errors
    /// [`Reason::BadRecoveryId`], [`Reason::BadSignature`] for a zero or oversized scalar, [`Reason::HighS`].
    pub(crate) fn parse(bytes: &[u8; SIGNATURE_BYTES]) -> Result<Self, Reason> {
        let [scalars @ .., id] = bytes;
        let recovery_id = RecoveryId::from_byte(*id)
            .filter(|id| id.to_byte() <= MAX_RECOVERY_ID)
            .ok_or(Reason::BadRecoveryId { id: *id })?;
        let signature = Signature::from_slice(scalars).map_err(|_| Reason::BadSignature)?;
        if signature.normalize_s().is_some() {
            return Err(Reason::HighS);
        }
        Ok(Self { signature, recovery_id })
    }

    /// The address whose key made this signature over a [signing hash](crate::signing_hash).
    ///
    /// # Errors
    /// [`Reason::BadSignature`] when no key could have made it.
    pub(crate) fn recover(&self, signing_hash: B256) -> Result<Address, Reason> {
        let id = secp256k1::ecdsa::RecoveryId::try_from(i32::from(self.recovery_id.to_byte()));
        let key = id
            .and_then(|id| RecoverableSignature::from_compact(&self.signature.to_bytes(), id))
            .and_then(|signature| SECP256K1.recover_ecdsa(Message::from_digest(signing_hash.0), &signature))
            .map_err(|_| Reason::BadSignature)?;
        let [_uncompressed, point @ ..] = key.serialize_uncompressed();
        Ok(Address::from_raw_public_key(&point))
    }
}

/// Who a frame's signature recovers to, under one domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The domain that the signature was read in.
    pub domain: crate::SigningDomain,
    /// The address recovered. A signature made in another domain recovers to an address nobody holds.
    pub signer: Address,
    /// The hash of the signed bytes.
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
            let mut bytes = signer.sign(hash.into()).unwrap();
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
