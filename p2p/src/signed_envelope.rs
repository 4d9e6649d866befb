//! [`SignedEnvelope`]: an envelope with its signature, compressed for the network; and the two ways to create
//! one.
//!
//! [`Envelope::sign`] asks a [`Signer`]; [`SignedEnvelope::from_parts`] takes a signature that was made
//! before. Both check the signature. Never judges the block: a signer may sign an invalid one.

use crate::{
    ChainId, Envelope, MAX_FRAME_BYTES, MalformedPayload, PayloadHash, SIGNATURE_BYTES, SignatureError,
    Signer, SignerError, SigningDomain, SigningRequest, snappy::compress,
};
use alloy_primitives::{Address, Bytes};
use core::convert::Infallible;

/// Why an envelope was not signed. `E` is the [signer's own error](Signer::Error).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError<E = SignerError> {
    /// The payload has no wire form.
    #[error("block {number} cannot be encoded: {source}")]
    Malformed {
        /// The block's number.
        number: u64,
        /// What is wrong with it.
        source: MalformedPayload,
    },
    /// The frame is larger than the network carries.
    #[error("block {number} takes {size} bytes as a frame: the network carries at most {limit}")]
    TooLarge {
        /// The block's number.
        number: u64,
        /// The frame's size in bytes, compressed or not, whichever breaks the limit.
        size: usize,
        /// The most allowed, bytes.
        limit: usize,
    },
    /// The signer did not sign.
    #[error(transparent)]
    Signer(E),
    /// The signer returned a signature that must not be published.
    #[error("block {number}: {source}")]
    Signature {
        /// The block's number.
        number: u64,
        /// What is wrong with the signature.
        source: SignatureError,
    },
}

/// An envelope with its signature, ready to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedEnvelope {
    frame: Bytes,
    payload_hash: PayloadHash,
}

impl Envelope {
    /// Signs the envelope and compresses it for the network. A topic expects one of its
    /// [domains](crate::Topic::domains).
    ///
    /// # Errors
    /// [`SignError`]: no wire form, larger than the network carries, the signer did not sign, or what it
    /// returned is not its own signature in low-S form.
    pub fn sign<S: Signer + ?Sized>(
        &self,
        signer: &S,
        domain: SigningDomain,
        chain_id: ChainId,
    ) -> Result<SignedEnvelope, SignError<S::Error>> {
        let number = self.payload.number;
        let mut bytes = vec![0; SIGNATURE_BYTES];
        self.append_to(&mut bytes).map_err(|source| SignError::Malformed { number, source })?;
        check_size(number, bytes.len())?;
        let (front, signed) = bytes.split_at_mut(SIGNATURE_BYTES);
        let payload_hash = PayloadHash::of(signed);
        let request = SigningRequest { domain, chain_id, payload_hash };
        let signature = signer.sign(&request).map_err(SignError::Signer)?;
        let checked = request.check(&signature, signer.address());
        checked.map_err(|source| SignError::Signature { number, source })?;
        front.copy_from_slice(&signature);
        let frame = compress(&bytes).map_err(|_| too_large(number, bytes.len()))?;
        check_size(number, frame.len())?;
        Ok(SignedEnvelope { frame: frame.into(), payload_hash })
    }
}

fn check_size<E>(number: u64, size: usize) -> Result<(), SignError<E>> {
    if size > MAX_FRAME_BYTES { Err(too_large(number, size)) } else { Ok(()) }
}

const fn too_large<E>(number: u64, size: usize) -> SignError<E> {
    SignError::TooLarge { number, size, limit: MAX_FRAME_BYTES }
}

impl SignedEnvelope {
    /// Puts together an envelope and a signature that was made elsewhere: 65 bytes, `r ‖ s ‖ recovery id`,
    /// over the [signing hash](crate::signing_hash) of this domain, chain and
    /// [payload hash](Envelope::payload_hash).
    ///
    /// # Errors
    /// [`SignError`]: no wire form, larger than the network carries, or not the signature of `signer` in
    /// low-S form.
    ///
    /// ```
    /// # use alloy_consensus::Header;
    /// # use alloy_primitives::B256;
    /// # use crosscheck_p2p::{ExecutionPayload, SignError, SignatureError};
    /// use crosscheck_p2p::{BlockSigner, ChainId, Envelope, SignedEnvelope, Signer, SigningDomain, SigningRequest};
    ///
    /// # let header = Header { number: 7, base_fee_per_gas: Some(1), ..Header::default() };
    /// # let envelope = Envelope { payload: ExecutionPayload::from_header(&header, vec![])? };
    /// let (domain, chain_id) = (SigningDomain::Zero, ChainId::from(10));
    /// // What a signer elsewhere is sent: three words. It may be awaited.
    /// let request = SigningRequest { domain, chain_id, payload_hash: envelope.payload_hash()? };
    /// # let remote = BlockSigner::from_bytes(&B256::repeat_byte(0x11))?;
    /// let signature = remote.sign(&request)?;
    ///
    /// let signed = SignedEnvelope::from_parts(&envelope, signature, remote.address(), domain, chain_id)?;
    /// assert_eq!(signed.frame(), envelope.sign(&remote, domain, chain_id)?.frame());
    ///
    /// // A signature for another chain is refused.
    /// let other = SignedEnvelope::from_parts(&envelope, signature, remote.address(), domain, ChainId::from(11));
    /// assert!(matches!(other, Err(SignError::Signature { source: SignatureError::WrongSigner { .. }, .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_parts(
        envelope: &Envelope,
        signature: [u8; SIGNATURE_BYTES],
        signer: Address,
        domain: SigningDomain,
        chain_id: ChainId,
    ) -> Result<Self, SignError<Infallible>> {
        envelope.sign(&PresetSigner { signer, signature }, domain, chain_id)
    }

    /// The frame that travels: a snappy block of the signature (65 bytes) and the signed bytes. A reference
    /// to one buffer.
    pub fn frame(&self) -> Bytes {
        self.frame.clone()
    }

    /// The Keccak-256 hash of the signed bytes.
    pub const fn payload_hash(&self) -> PayloadHash {
        self.payload_hash
    }
}

/// A signer that returns a signature made before.
struct PresetSigner {
    signer: Address,
    signature: [u8; SIGNATURE_BYTES],
}

impl Signer for PresetSigner {
    type Error = Infallible;

    fn address(&self) -> Address {
        self.signer
    }

    fn sign(&self, _: &SigningRequest) -> Result<[u8; SIGNATURE_BYTES], Infallible> {
        Ok(self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        BlockSigner, Judgement, Topic, ValidationRules, Validator,
        sample::{NOW, chain, envelope, frame, sequencer, signers, twin, withdrawals},
    };
    use alloy_eips::eip4895::Withdrawal;
    use alloy_primitives::B256;

    const TOPIC: Topic = Topic::BlocksV4;
    const ZERO: SigningDomain = SigningDomain::Zero;

    #[derive(Debug, PartialEq, Eq, thiserror::Error)]
    #[error("the signing service is down")]
    struct Down;

    /// A signing service: it says who it is, and answers.
    struct Service<F>(Address, F);

    impl<F: Fn(&SigningRequest) -> Result<[u8; SIGNATURE_BYTES], Down>> Signer for Service<F> {
        type Error = Down;

        fn address(&self) -> Address {
            self.0
        }

        fn sign(&self, request: &SigningRequest) -> Result<[u8; SIGNATURE_BYTES], Down> {
            self.1(request)
        }
    }

    fn by(
        answer: impl Fn(&SigningRequest) -> Result<[u8; SIGNATURE_BYTES], Down>,
    ) -> Result<SignedEnvelope, SignError<Down>> {
        envelope(7, |_| ()).sign(&Service(sequencer().address(), answer), ZERO, chain())
    }

    fn signature_error(error: &SignError<Down>) -> SignatureError {
        let SignError::Signature { number: 7, source } = error else { panic!("{error:?}") };
        *source
    }

    #[test]
    fn a_remote_signer_makes_the_frame_that_a_local_one_makes() {
        let remote = by(|request| Ok(sequencer().sign(request).unwrap())).unwrap();
        assert_eq!(remote.frame(), frame(&envelope(7, |_| ()), TOPIC));
        let judged =
            Validator::new(ValidationRules::new(chain())).judge(TOPIC, &remote.frame(), &signers(), NOW);
        assert!(matches!(judged, Judgement::Accept(_)), "{judged:?}");
    }

    #[test]
    fn a_signer_may_be_a_trait_object() {
        let key = sequencer();
        let signer: &dyn Signer<Error = SignerError> = &key;
        let signed = envelope(7, |_| ()).sign(signer, ZERO, chain()).unwrap();
        assert_eq!(signed.frame(), frame(&envelope(7, |_| ()), TOPIC));
    }

    #[test]
    fn another_key_is_refused() {
        let other = BlockSigner::from_bytes(&B256::repeat_byte(0x22)).unwrap();
        let error = by(|request| Ok(other.sign(request).unwrap())).unwrap_err();
        let (expected, recovered) = (sequencer().address(), other.address());
        assert_eq!(signature_error(&error), SignatureError::WrongSigner { expected, recovered });
        let text = error.to_string();
        assert!(text.contains(&expected.to_string()) && text.contains(&recovered.to_string()), "{text}");
    }

    #[test]
    fn a_high_s_is_refused() {
        let answer = |request: &SigningRequest| {
            let mut signature = sequencer().sign(request).unwrap();
            twin(&mut signature);
            Ok(signature)
        };
        let error = signature_error(&by(answer).unwrap_err());
        assert!(matches!(error, SignatureError::HighS { .. }), "{error}");
    }

    #[test]
    fn the_error_of_the_signer_is_returned() {
        assert_eq!(by(|_| Err(Down)), Err(SignError::Signer(Down)));
    }

    #[test]
    fn a_block_that_cannot_be_encoded_is_not_sent_to_the_signer() {
        let envelope = envelope(7, |payload| *withdrawals(payload) = vec![Withdrawal::default(); 17]);
        let signer = Service(sequencer().address(), |_: &SigningRequest| panic!("asked"));
        let error = envelope.sign(&signer, ZERO, chain()).unwrap_err();
        assert!(matches!(error, SignError::Malformed { number: 7, .. }), "{error}");
    }

    #[test]
    fn a_signature_made_before_makes_the_same_frame() {
        let envelope = envelope(7, |_| ());
        let payload_hash = envelope.payload_hash().unwrap();
        let request = SigningRequest { domain: ZERO, chain_id: chain(), payload_hash };
        let signature = sequencer().sign(&request).unwrap();
        let signer = sequencer().address();
        let made = SignedEnvelope::from_parts(&envelope, signature, signer, ZERO, chain()).unwrap();
        assert_eq!((made.frame(), made.payload_hash()), (frame(&envelope, TOPIC), payload_hash));
    }

    #[test]
    fn a_signature_of_another_block_is_refused() {
        let payload_hash = envelope(8, |_| ()).payload_hash().unwrap();
        let request = SigningRequest { domain: ZERO, chain_id: chain(), payload_hash };
        let (signature, signer) = (sequencer().sign(&request).unwrap(), sequencer().address());
        let made = SignedEnvelope::from_parts(&envelope(7, |_| ()), signature, signer, ZERO, chain());
        assert!(
            matches!(made, Err(SignError::Signature { source: SignatureError::WrongSigner { .. }, .. })),
            "{made:?}"
        );
    }
}
