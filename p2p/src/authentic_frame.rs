//! [`AuthenticFrame`]: a frame whose signature is of a key that may sign.
//!
//! The second of three states. Only here does the payload get decoded: bytes that anybody could have sent
//! never reach the decoder.

use crate::{
    ChainId, Envelope, Frame, MalformedPayload, Reason, RecoveredSigner, Refusal, Signers, SigningDomain,
    Topic,
    signature::{BlockSignature, SIGNATURE_BYTES},
    signing_hash,
};
use alloy_primitives::{Address, Bytes};

/// A frame that was signed, for its chain, by a signer that its topic allows.
#[derive(Clone, Debug)]
pub struct AuthenticFrame {
    frame: Frame,
    topic: Topic,
    chain_id: ChainId,
    domain: SigningDomain,
    signer: Address,
}

impl Frame {
    /// Proves that the frame was signed for this chain, in one of the topic's domains, by a signer that may
    /// sign on the topic. A [previous signer](Signers::previous) is allowed whatever the time: apply
    /// [`Signers::at`] first.
    ///
    /// # Errors
    /// A [`Refusal`] with one of [`Reason::NoSignerKnown`], [`Reason::BadRecoveryId`],
    /// [`Reason::BadSignature`], [`Reason::WrongSigner`] and [`Reason::SignerInDoubt`].
    pub fn authenticate(
        self,
        topic: Topic,
        chain_id: ChainId,
        signers: &Signers,
    ) -> Result<AuthenticFrame, Refusal> {
        let (payload_hash, claimed) = (self.payload_hash(), self.claimed_block(topic));
        let refuse = |reason| Refusal {
            reason,
            payload_hash: Some(payload_hash),
            signer: None,
            claimed: claimed.map(Box::new),
        };
        let expected = signers.expected_on(topic).ok_or_else(|| refuse(Reason::NoSignerKnown { topic }))?;
        let recovered = self.recover(topic, chain_id).map_err(refuse)?;
        match recovered.iter().find(|one| signers.may_sign(topic, one.signer)) {
            Some(&RecoveredSigner { domain, signer, .. }) => {
                let signature = BlockSignature::parse(&self.signature()).map_err(refuse)?;
                let frame = self.with_signature(signature.to_bytes()).map_err(refuse)?;
                Ok(AuthenticFrame { frame, topic, chain_id, domain, signer })
            }
            None => {
                let is_in_doubt = signers.is_in_doubt(topic);
                let (signer, reason) = wrong_signer(&recovered, expected, is_in_doubt);
                Err(Refusal { signer, ..refuse(reason) })
            }
        }
    }

    /// The addresses that the signature recovers to, one for each [domain of the topic](Topic::domains), in
    /// their order. One of them at most is the signer's.
    ///
    /// # Errors
    /// [`Reason::BadRecoveryId`], or [`Reason::BadSignature`] if it recovers to no address in any domain.
    pub fn recover(&self, topic: Topic, chain_id: ChainId) -> Result<Vec<RecoveredSigner>, Reason> {
        let signature = BlockSignature::parse(&self.signature())?;
        let payload_hash = self.payload_hash();
        let recovered: Vec<_> = topic
            .domains()
            .iter()
            .filter_map(|&domain| {
                let signer = signature.recover(signing_hash(domain, chain_id, payload_hash)).ok()?;
                Some(RecoveredSigner { domain, signer, payload_hash })
            })
            .collect();
        if recovered.is_empty() { Err(Reason::BadSignature) } else { Ok(recovered) }
    }
}

fn wrong_signer(
    recovered: &[RecoveredSigner],
    expected: Address,
    is_in_doubt: bool,
) -> (Option<Address>, Reason) {
    let signer = recovered.first().map(|one| one.signer);
    let reason = match signer {
        None => Reason::BadSignature,
        Some(recovered) if is_in_doubt => Reason::SignerInDoubt { recovered, expected },
        Some(recovered) => Reason::WrongSigner { recovered, expected },
    };
    (signer, reason)
}

impl AuthenticFrame {
    /// The topic that it was received on.
    pub const fn topic(&self) -> Topic {
        self.topic
    }

    /// The chain that it was signed for.
    pub const fn chain_id(&self) -> ChainId {
        self.chain_id
    }

    /// The domain that it was signed in.
    pub const fn domain(&self) -> SigningDomain {
        self.domain
    }

    /// The address that signed it.
    pub const fn signer(&self) -> Address {
        self.signer
    }

    /// `r ‖ s ‖ recovery id`, low-S, with an id of 0 to 3, however it was received.
    pub const fn signature(&self) -> [u8; SIGNATURE_BYTES] {
        self.frame.signature()
    }

    /// The frame in its canonical form: as received, but for a signature or a length that was rewritten on
    /// the way.
    pub const fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Decodes the signed bytes, in the topic's [version](Topic::version). The payload shares the frame's
    /// buffer.
    ///
    /// # Errors
    /// The first rule of the layout that they break.
    pub fn decode(&self) -> Result<Envelope, MalformedPayload> {
        Envelope::decode(self.topic.version(), &self.frame.signed())
    }

    /// A refusal of this frame.
    pub(crate) fn refuse(&self, reason: Reason) -> Refusal {
        Refusal {
            reason,
            payload_hash: Some(self.frame.payload_hash()),
            signer: Some(self.signer),
            claimed: self.frame.claimed_block(self.topic).map(Box::new),
        }
    }
}

/// The addresses that a compressed frame's signature recovers to, one for each domain of the topic: for
/// inspecting a frame whose signer is not known.
///
/// On the cross-safe topic a signature recovers to a different address in each domain, and only one of them
/// is the signer's: which one cannot be determined without knowing the signer.
///
/// # Errors
/// As [`Frame::open`] and [`Frame::recover`].
pub fn recover_signers(
    topic: Topic,
    chain_id: ChainId,
    frame: &Bytes,
) -> Result<Vec<RecoveredSigner>, Reason> {
    Frame::open(frame)?.recover(topic, chain_id)
}
