//! [`Envelope`]: a block, from version 3 on with its parent beacon block root in front, as it is signed.
//!
//! The layout of its bytes is in [`crate::payload_layout`]. Never judges the block.

use crate::{
    ExecutionPayload, MalformedPayload, PayloadHash, PayloadVersion, payload_reader::PayloadReader,
    payload_writer::PayloadWriter,
};
use alloy_primitives::Bytes;

/// The block that a gossip signature covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The block's execution payload, with the parent beacon block root among its fields.
    pub payload: ExecutionPayload,
}

impl Envelope {
    /// Reads the signed bytes of a version: what follows the signature in a decompressed frame, from version
    /// 3 on the parent beacon block root (32 bytes), then the SSZ payload. Rollup-node p2p specification,
    /// "Block encoding". The payload's variable parts stay slices of `signed`.
    ///
    /// # Errors
    /// The first rule of the layout that the bytes break.
    pub fn decode(version: PayloadVersion, signed: &Bytes) -> Result<Self, MalformedPayload> {
        Ok(Self { payload: PayloadReader::new(version, signed)?.read()? })
    }

    /// The bytes that are signed, in the payload's own version: the inverse of [`Envelope::decode`].
    ///
    /// # Errors
    /// The payload has no wire form: a list is longer than its type allows, or the whole does not fit 32-bit
    /// offsets.
    pub fn encode(&self) -> Result<Bytes, MalformedPayload> {
        let mut bytes = Vec::new();
        self.append_to(&mut bytes)?;
        Ok(bytes.into())
    }

    /// The Keccak-256 hash of the bytes that are signed: what a signer outside this process needs.
    ///
    /// # Errors
    /// As [`Envelope::encode`].
    pub fn payload_hash(&self) -> Result<PayloadHash, MalformedPayload> {
        Ok(PayloadHash::of(&self.encode()?))
    }

    /// Appends the bytes that are signed.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) -> Result<(), MalformedPayload> {
        let writer = PayloadWriter::new(&self.payload)?;
        let root = self.payload.parent_beacon_block_root();
        let root = root.as_ref().map_or(&[][..], |root| root.as_slice());
        out.reserve_exact(root.len().saturating_add(writer.size()));
        out.extend_from_slice(root);
        writer.write(out);
        Ok(())
    }
}
