//! [`Frame`]: a gossip message, decompressed within its bound and split from its signature.
//!
//! The first of three states: `Frame` → [`AuthenticFrame`](crate::AuthenticFrame) →
//! [`ValidBlock`](crate::ValidBlock). Never allocates what a header claims before the claim is checked. Reads
//! of the payload only the number and hash that a refusal names.

use crate::{
    GossipMessageId, PayloadHash, Reason, Topic, ValidationRules,
    payload_layout::claimed_block,
    signature::SIGNATURE_BYTES,
    snappy::{compress, decompress, with_shortest_length},
    two_cores::both,
};
use alloy_eips::BlockNumHash;
use alloy_primitives::Bytes;
use std::borrow::Cow;

/// The fewest bytes that a decompressed frame may have: a signature and one byte of payload, as in op-node.
pub const MIN_FRAME_BYTES: usize = SIGNATURE_BYTES + 1;

/// A decompressed gossip message of which nothing is proven yet.
///
/// Decompressed it is `signature (65) ‖ signed bytes`. The signed bytes are
/// `parent beacon block root (32, from version 3 on) ‖ SSZ payload`: rollup-node p2p specification, "Block
/// encoding".
///
/// ```
/// use alloy_primitives::Bytes;
/// use crosscheck_p2p::{Frame, Reason};
///
/// // Bytes that anybody may send: here a snappy header that claims 4 GiB.
/// let bytes = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0x00]);
/// assert!(matches!(Frame::open(&bytes), Err(Reason::DeclaredSizeTooLarge { declared: 0xffff_ffff, .. })));
/// ```
#[derive(Clone, Debug)]
pub struct Frame {
    compressed: Bytes,
    decompressed: Bytes,
    signature: [u8; SIGNATURE_BYTES],
    payload_hash: PayloadHash,
}

impl Frame {
    /// Decompresses the data of a gossip message: a snappy block (not the framed format).
    ///
    /// # Errors
    /// [`Reason::DeclaredSizeTooLarge`], [`Reason::BadSnappy`] or [`Reason::DeclaredSizeTooSmall`].
    pub fn open(compressed: &Bytes) -> Result<Self, Reason> {
        Self::open_with(compressed, |_, signed| (PayloadHash::of(signed), ())).map(|(frame, ())| frame)
    }

    /// Decompresses a frame and computes its id on a topic, a large one's on a second core, unless it is
    /// known.
    ///
    /// # Errors
    /// As [`Frame::open`].
    pub(crate) fn open_on(
        topic: Topic,
        rules: &ValidationRules,
        compressed: &Bytes,
        known: Option<GossipMessageId>,
    ) -> Result<(Self, GossipMessageId), Reason> {
        Self::open_with(compressed, |decompressed, signed| {
            let hash = || PayloadHash::of(signed);
            let identify = || GossipMessageId::of_decompressed(&topic.path(rules.chain_id), decompressed);
            let mut id = known;
            let payload_hash = match known {
                Some(_) => hash(),
                None => both(signed.len(), hash, || id = Some(identify())),
            };
            (payload_hash, id.unwrap_or_else(identify))
        })
    }

    /// Opens a frame; `hash` sees it whole, and from the signature on.
    fn open_with<T>(
        compressed: &Bytes,
        hash: impl FnOnce(&[u8], &[u8]) -> (PayloadHash, T),
    ) -> Result<(Self, T), Reason> {
        let compressed = match with_shortest_length(compressed)? {
            Cow::Borrowed(_) => compressed.clone(),
            Cow::Owned(rewritten) => rewritten.into(),
        };
        let decompressed = decompress(&compressed)?;
        let too_small = Reason::DeclaredSizeTooSmall { size: decompressed.len(), minimum: MIN_FRAME_BYTES };
        if decompressed.len() < MIN_FRAME_BYTES {
            return Err(too_small);
        }
        let (signature, signed) = decompressed.split_first_chunk().ok_or(too_small)?;
        let (signature, (payload_hash, more)) = (*signature, hash(&decompressed, signed));
        Ok((Self { compressed, decompressed: decompressed.into(), signature, payload_hash }, more))
    }

    /// The same signed bytes under a signature written otherwise.
    ///
    /// # Errors
    /// [`Reason::BadSnappy`] if they cannot be compressed again.
    pub(crate) fn with_signature(self, signature: [u8; SIGNATURE_BYTES]) -> Result<Self, Reason> {
        if self.signature == signature {
            return Ok(self);
        }
        let decompressed = [signature.as_slice(), &self.signed()].concat();
        let bad = |error: snap::Error| Reason::BadSnappy { detail: error.to_string() };
        let compressed = compress(&decompressed).map_err(bad)?.into();
        Ok(Self { compressed, decompressed: decompressed.into(), signature, payload_hash: self.payload_hash })
    }

    /// The frame as it travels: a snappy block, with its length written in as few bytes as it needs.
    pub const fn compressed(&self) -> &Bytes {
        &self.compressed
    }

    /// The signature, `r (32) ‖ s (32) ‖ recovery id (1)`, big-endian, unchecked.
    pub const fn signature(&self) -> [u8; SIGNATURE_BYTES] {
        self.signature
    }

    /// The Keccak-256 hash of the signed bytes.
    pub const fn payload_hash(&self) -> PayloadHash {
        self.payload_hash
    }

    /// The signed bytes: from version 3 on the parent beacon block root (32 bytes), then the SSZ payload.
    /// Shares the frame's buffer.
    pub fn signed(&self) -> Bytes {
        self.decompressed.slice(SIGNATURE_BYTES..)
    }

    /// The number and hash of the block that a frame on this topic claims to be. Nothing of it is checked.
    /// `None`: the frame is too short.
    pub fn claimed_block(&self, topic: Topic) -> Option<BlockNumHash> {
        claimed_block(topic.version(), self.decompressed.get(SIGNATURE_BYTES..)?)
    }

    /// The id that gossip gives the frame on a topic of the chain of these rules. See
    /// [`message_id`](crate::message_id()).
    pub fn message_id(&self, topic: Topic, rules: &ValidationRules) -> GossipMessageId {
        GossipMessageId::of_decompressed(&topic.path(rules.chain_id), &self.decompressed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_FRAME_BYTES;
    use rstest::rstest;

    fn open(frame: &[u8]) -> Result<Frame, Reason> {
        Frame::open(&Bytes::copy_from_slice(frame))
    }

    #[rstest]
    #[case::four_gib_in_seven_bytes(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0], "declared-size-too-large")]
    #[case::one_byte_over(&[0x81, 0x80, 0x80, 0x05, 0], "declared-size-too-large")]
    #[case::length_of_six_bytes(&[0xff, 0xff, 0xff, 0xff, 0xff, 0x01], "bad-snappy")]
    #[case::empty(&[], "bad-snappy")]
    #[case::claims_more_than_it_holds(&[0x42, 0, 0], "bad-snappy")]
    #[case::shorter_than_a_signature(&compress(&[7; 64]).unwrap(), "declared-size-too-small")]
    #[case::a_signature_alone(&compress(&[7; 65]).unwrap(), "declared-size-too-small")]
    fn refuses(#[case] frame: &[u8], #[case] code: &str) {
        assert_eq!(open(frame).unwrap_err().code(), code);
    }

    #[test]
    fn splits_signature_from_signed_bytes() {
        let mut data = vec![1; 65];
        data.extend([2; 3]);
        let frame = open(&compress(&data).unwrap()).unwrap();
        assert_eq!(frame.signature(), [1; 65]);
        assert_eq!(frame.signed(), Bytes::from_static(&[2; 3]));
        assert_eq!(frame.payload_hash(), PayloadHash::of(&[2; 3]));
    }

    #[test]
    fn ten_mebibytes_are_accepted() {
        let frame = compress(&vec![0; MAX_FRAME_BYTES]).unwrap();
        assert!(open(&frame).is_ok());
    }

    #[test]
    fn a_cut_frame_is_refused_at_every_length() {
        let data: Vec<u8> = (0..=255).collect();
        let frame = compress(&data).unwrap();
        for end in 0..frame.len() {
            assert_eq!(open(&frame[..end]).unwrap_err().code(), "bad-snappy", "cut at {end}");
        }
    }
}
