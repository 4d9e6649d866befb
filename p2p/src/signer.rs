//! [`Signer`]: signs with a sequencer's key, in this process or outside it; and the check of what it returns.
//!
//! [`Envelope::sign`](crate::Envelope::sign) checks every signature before it is used, so a signer that has
//! another key, or signed for another chain, is found before anything is published. Never has a key, never
//! does I/O.

use crate::{
    ChainId, PayloadHash, SigningDomain,
    signature::{BlockSignature, SIGNATURE_BYTES},
    signing_hash,
};
use alloy_primitives::{Address, B256};

/// Signs block payloads with one secp256k1 key.
///
/// [`BlockSigner`](crate::BlockSigner) has the key in memory. An implementation for a remote signer sends the
/// [`SigningRequest`] there; for op-signer that is `opsigner_signBlockPayloadV2` with the request's three
/// fields as `domain`, `chainId` and `payloadHash`, and [`Signer::address`] as `senderAddress`. The call may
/// block. A signer that can only be awaited needs no implementation: await it, then use
/// [`SignedEnvelope::from_parts`](crate::SignedEnvelope::from_parts).
///
/// The trait is object safe: `&dyn Signer<Error = E>` works wherever a signer is accepted.
///
/// ```
/// use alloy_primitives::{Address, B256};
/// use crosscheck_p2p::{BlockSigner, SIGNATURE_BYTES, Signer, SignerError, SigningRequest};
///
/// /// A signer behind an interface of its own: here it only counts what it signs.
/// struct Counting {
///     key: BlockSigner,
///     signed: std::cell::Cell<u32>,
/// }
///
/// impl Signer for Counting {
///     type Error = SignerError;
///
///     fn address(&self) -> Address {
///         self.key.address()
///     }
///
///     fn sign(&self, request: &SigningRequest) -> Result<[u8; SIGNATURE_BYTES], SignerError> {
///         self.signed.set(self.signed.get() + 1);
///         self.key.sign(request)
///     }
/// }
///
/// # use alloy_consensus::Header;
/// # use crosscheck_p2p::{ChainId, Envelope, ExecutionPayload, SigningDomain};
/// # let header = Header { base_fee_per_gas: Some(1), ..Header::default() };
/// # let envelope = Envelope { payload: ExecutionPayload::from_header(&header, vec![])? };
/// let signer = Counting { key: BlockSigner::from_bytes(&B256::repeat_byte(0x11))?, signed: 0.into() };
/// let signed = envelope.sign(&signer, SigningDomain::Zero, ChainId::from(10))?;
/// assert_eq!(signer.signed.get(), 1);
/// # assert!(!signed.frame().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Signer {
    /// Why the signer did not sign.
    type Error: core::error::Error + 'static;

    /// The address of the key. Signatures of any other key are refused.
    fn address(&self) -> Address;

    /// Signs the request's [signing hash](SigningRequest::signing_hash): `r ‖ s ‖ recovery id`, 32, 32 and 1
    /// bytes, big-endian, low-S (EIP-2), recovery id 0 or 1.
    ///
    /// # Errors
    /// The signer's own error.
    fn sign(&self, request: &SigningRequest) -> Result<[u8; SIGNATURE_BYTES], Self::Error>;
}

/// What a signer is asked to sign: the three inputs of the [signing hash](signing_hash).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningRequest {
    /// The domain: [`SigningDomain::Zero`] for unsafe blocks.
    pub domain: SigningDomain,
    /// The chain that the block belongs to.
    pub chain_id: ChainId,
    /// The hash of the signed bytes: [`Envelope::payload_hash`](crate::Envelope::payload_hash).
    pub payload_hash: PayloadHash,
}

impl SigningRequest {
    /// The 32 bytes to sign: `keccak256(domain ‖ chain id, 32 bytes big-endian ‖ payload hash)`.
    pub fn signing_hash(&self) -> B256 {
        signing_hash(self.domain, self.chain_id, self.payload_hash)
    }

    /// Checks that a signature of this request is the signer's own, and that it may be published.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn check(&self, signature: &[u8; SIGNATURE_BYTES], expected: Address) -> Result<(), SignatureError> {
        let [.., id] = *signature;
        if id > MAX_RECOVERY_ID {
            return Err(SignatureError::RecoveryId { expected, id });
        }
        let unrecoverable = |_| SignatureError::Unrecoverable { expected };
        let parsed = BlockSignature::parse(signature).map_err(unrecoverable)?;
        let recovered = parsed.recover(self.signing_hash()).map_err(unrecoverable)?;
        if recovered != expected {
            return Err(SignatureError::WrongSigner { expected, recovered });
        }
        // Parsing lowers s: what reads back otherwise was high.
        if parsed.to_bytes() != *signature {
            return Err(SignatureError::HighS { expected, recovered });
        }
        Ok(())
    }
}

/// The largest recovery id. 2 and 3 occur once in 2^127 signatures.
const MAX_RECOVERY_ID: u8 = 3;

/// Why a signature that a [`Signer`] returned must not be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Another key signed, or the key signed something else.
    #[error(
        "the signature recovers to {recovered}, not to the signer {expected}: check the signer's key, and the domain and \
         chain id that it signed for"
    )]
    WrongSigner {
        /// The signer's address.
        expected: Address,
        /// The address that the signature recovers to.
        recovered: Address,
    },
    /// `s` is above half the curve's order. Peers that keep to EIP-2 reject the block.
    #[error(
        "the signature is high-S (expected signer {expected}, recovered {recovered}): have the signer return n - s with \
         the other parity"
    )]
    HighS {
        /// The signer's address.
        expected: Address,
        /// The address that the signature recovers to: the same.
        recovered: Address,
    },
    /// The last byte is not a recovery id. Signers for transactions often add 27.
    #[error("recovery id {id} in a signature of {expected}: must be 0 or 1")]
    RecoveryId {
        /// The signer's address.
        expected: Address,
        /// The byte.
        id: u8,
    },
    /// No key can have made the signature.
    #[error("the signature recovers to no address, expected {expected}")]
    Unrecoverable {
        /// The signer's address.
        expected: Address,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{chain, sequencer, twin};
    use proptest::prelude::*;
    use rstest::rstest;

    fn request() -> SigningRequest {
        let payload_hash = PayloadHash::of(b"payload");
        SigningRequest { domain: SigningDomain::Zero, chain_id: chain(), payload_hash }
    }

    fn stranger() -> Address {
        Address::repeat_byte(0x77)
    }

    #[test]
    fn the_signers_own_signature_passes() {
        let signature = sequencer().sign(&request()).unwrap();
        assert_eq!(request().check(&signature, sequencer().address()), Ok(()));
    }

    #[test]
    fn another_signer_is_refused_by_both_addresses() {
        let signature = sequencer().sign(&request()).unwrap();
        let (expected, recovered) = (stranger(), sequencer().address());
        let error = request().check(&signature, expected).unwrap_err();
        assert_eq!(error, SignatureError::WrongSigner { expected, recovered });
        let text = error.to_string();
        assert!(text.contains(&expected.to_string()) && text.contains(&recovered.to_string()), "{text}");
    }

    #[rstest]
    #[case::domain(SigningRequest { domain: SigningDomain::CrossSafeBlocksV1, ..request() })]
    #[case::chain(SigningRequest { chain_id: ChainId::from(902), ..request() })]
    #[case::payload(SigningRequest { payload_hash: PayloadHash::of(b"other"), ..request() })]
    fn a_signature_of_something_else_is_refused(#[case] signed: SigningRequest) {
        let signature = sequencer().sign(&signed).unwrap();
        let error = request().check(&signature, sequencer().address()).unwrap_err();
        assert!(matches!(error, SignatureError::WrongSigner { .. }), "{error}");
    }

    #[test]
    fn a_high_s_is_refused_by_both_addresses() {
        let mut signature = sequencer().sign(&request()).unwrap();
        twin(&mut signature);
        let address = sequencer().address();
        let error = request().check(&signature, address).unwrap_err();
        assert_eq!(error, SignatureError::HighS { expected: address, recovered: address });
        assert_eq!(error.to_string().matches(&address.to_string()).count(), 2, "{error}");
    }

    #[rstest]
    #[case::compressed(4)]
    #[case::of_a_transaction(27)]
    #[case::of_a_replay_protected_transaction(37)]
    fn other_recovery_ids_are_refused(#[case] added: u8) {
        let mut signature = sequencer().sign(&request()).unwrap();
        signature[64] += added;
        let (expected, id) = (sequencer().address(), signature[64]);
        assert_eq!(request().check(&signature, expected), Err(SignatureError::RecoveryId { expected, id }));
    }

    #[test]
    fn a_signature_of_zeros_recovers_to_no_address() {
        let error = request().check(&[0; SIGNATURE_BYTES], stranger()).unwrap_err();
        assert_eq!(error, SignatureError::Unrecoverable { expected: stranger() });
    }

    proptest! {
        /// One byte changed: nothing passes but what was signed.
        #[test]
        fn every_changed_byte_is_refused(at in 0..SIGNATURE_BYTES, mask in 1..=u8::MAX) {
            let mut signature = sequencer().sign(&request()).unwrap();
            signature[at] ^= mask;
            prop_assert!(request().check(&signature, sequencer().address()).is_err());
        }
    }
}
