//! [`ValidBlock`]: a block that is valid by every rule of its topic.
//!
//! The last of three states; only the validator creates one. It says nothing about whether the block follows
//! from L1, or its messages are valid.

use crate::{
    AuthenticFrame, ChainId, Envelope, ExecutionPayload, GossipMessageId, PayloadHash, Rival, SigningDomain,
    Topic, UnixSeconds, signature::SIGNATURE_BYTES,
};
use alloy_primitives::{Address, B256, Bytes};
use core::fmt;
use std::sync::Arc;

/// A block that is valid by every rule of its topic. Cloning it copies a reference.
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

    /// The topic that it was received on.
    pub fn topic(&self) -> Topic {
        self.0.frame.topic()
    }

    /// The chain that it was signed for.
    pub fn chain_id(&self) -> ChainId {
        self.0.frame.chain_id()
    }

    /// The envelope that was signed.
    pub fn envelope(&self) -> &Envelope {
        &self.0.envelope
    }

    /// The block's execution payload.
    pub fn payload(&self) -> &ExecutionPayload {
        &self.0.envelope.payload
    }

    /// The block's height.
    pub fn number(&self) -> u64 {
        self.payload().number
    }

    /// The block's hash, which its fields hash to.
    pub fn hash(&self) -> B256 {
        self.payload().block_hash
    }

    /// The hash of the parent block, which may be unknown.
    pub fn parent_hash(&self) -> B256 {
        self.payload().parent_hash
    }

    /// The block's timestamp, seconds since the Unix epoch.
    pub fn timestamp(&self) -> UnixSeconds {
        self.payload().timestamp
    }

    /// The domain that it was signed in.
    pub fn domain(&self) -> SigningDomain {
        self.0.frame.domain()
    }

    /// The address that signed it.
    pub fn signer(&self) -> Address {
        self.0.frame.signer()
    }

    /// `r ‖ s ‖ recovery id`, low-S, with an id of 0 to 3, however it was received.
    pub fn signature(&self) -> [u8; SIGNATURE_BYTES] {
        self.0.frame.signature()
    }

    /// The Keccak-256 hash of the signed bytes.
    pub fn payload_hash(&self) -> PayloadHash {
        self.0.frame.frame().payload_hash()
    }

    /// The id of the gossip message as it travelled.
    pub fn message_id(&self) -> GossipMessageId {
        self.0.message_id
    }

    /// The other blocks of this height that were accepted on the topic before it, at most
    /// [`max_blocks_per_height`](crate::ValidationRules::max_blocks_per_height) + 1 by attributable
    /// signatures and as many by others. On the cross-safe topic at most one block of a height is valid. Only
    /// if both signatures are attributable has the signer attested two blocks.
    pub fn rivals(&self) -> &[Rival] {
        &self.0.rivals
    }

    /// The frame in its canonical form, compressed: as it travelled, unless it was rewritten on the way.
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
