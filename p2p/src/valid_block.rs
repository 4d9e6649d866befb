//! [`ValidBlock`]: a block that holds by the rules of its topic.
//!
//! The last of three states; only the validator makes one. Says nothing about whether L1 or the messages in
//! the block bear it out.

use crate::{
    AuthenticFrame, ChainId, Envelope, ExecutionPayload, GossipMessageId, PayloadHash, Rival, SigningDomain,
    Topic, UnixSeconds, signature::SIGNATURE_BYTES,
};
use alloy_primitives::{Address, B256, Bytes};
use core::fmt;
use std::sync::Arc;

/// A judged block. A clone is a reference count.
#[derive(Clone)]
pub struct ValidBlock(Arc<Parts>);

struct Parts {
    frame: AuthenticFrame,
    envelope: Envelope,
    message_id: GossipMessageId,
    rivals: Vec<Rival>,
}

impl ValidBlock {
    pub(crate) fn new(
        frame: AuthenticFrame,
        envelope: Envelope,
        message_id: GossipMessageId,
        rivals: Vec<Rival>,
    ) -> Self {
        Self(Arc::new(Parts { frame, envelope, message_id, rivals }))
    }

    /// The topic that it was heard on.
    pub fn topic(&self) -> Topic {
        self.0.frame.topic()
    }

    /// The chain that it belongs to.
    pub fn chain_id(&self) -> ChainId {
        self.0.frame.chain_id()
    }

    /// The signed envelope.
    pub fn envelope(&self) -> &Envelope {
        &self.0.envelope
    }

    /// The block.
    pub fn payload(&self) -> &ExecutionPayload {
        &self.0.envelope.payload
    }

    /// The block's number.
    pub fn number(&self) -> u64 {
        self.payload().number
    }

    /// The block's hash: claimed and recomputed alike.
    pub fn hash(&self) -> B256 {
        self.payload().block_hash
    }

    /// The parent block's hash.
    pub fn parent_hash(&self) -> B256 {
        self.payload().parent_hash
    }

    /// The block's timestamp.
    pub fn timestamp(&self) -> UnixSeconds {
        self.payload().timestamp
    }

    /// The domain that it was signed in.
    pub fn domain(&self) -> SigningDomain {
        self.0.frame.domain()
    }

    /// Who signed it.
    pub fn signer(&self) -> Address {
        self.0.frame.signer()
    }

    /// `r ‖ s ‖ recovery id`, low-S, with an id of 0 to 3, however it was received.
    pub fn signature(&self) -> [u8; SIGNATURE_BYTES] {
        self.0.frame.signature()
    }

    /// The hash of the signed bytes.
    pub fn payload_hash(&self) -> PayloadHash {
        self.0.frame.frame().payload_hash()
    }

    /// The id of the gossip message as it travelled.
    pub fn message_id(&self) -> GossipMessageId {
        self.0.message_id
    }

    /// The other blocks of this height that its topic let through before it. Few: a height has a bound. On the
    /// cross-safe topic at most one of them holds; only where both signatures are attributable has the signer said two
    /// things.
    pub fn rivals(&self) -> &[Rival] {
        &self.0.rivals
    }

    /// The frame in its canonical form: as it travelled, unless it was rewritten on the way.
    pub fn frame(&self) -> &Bytes {
        self.0.frame.frame().compressed()
    }
}

impl fmt::Debug for ValidBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValidBlock")
            .field("topic", &self.topic())
            .field("chain_id", &self.chain_id())
            .field("number", &self.number())
            .field("hash", &self.hash())
            .field("domain", &self.domain())
            .field("signer", &self.signer())
            .field("rivals", &self.rivals())
            .finish_non_exhaustive()
    }
}
