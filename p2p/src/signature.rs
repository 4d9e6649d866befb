//! [`BlockSignature`]: the 65 bytes in front of a payload, parsed.
//!
//! The wire rule is `r ‖ s ‖ recovery id` with an id of 0 to 3. Libraries differ in what they let through (27,
//! 28 and EIP-155 ids, high-S); here the rule is applied before any library sees the signature.

use crate::{PayloadHash, Reason};
use alloy_primitives::{Address, B256};
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};

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
        VerifyingKey::recover_from_prehash(signing_hash.as_slice(), &self.signature, self.recovery_id)
            .map(|key| Address::from_public_key(&key))
            .map_err(|_| Reason::BadSignature)
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
