//! [`Envelope`] and [`SignedEnvelope`]: a block, from version 3 on with its parent beacon block root in front, as it
//! is signed and sent.
//!
//! The bytes' layout is in [`crate::payload_layout`]. Never judges: that is the validator's.

use crate::{
    BlockSigner, ChainId, ExecutionPayload, MAX_FRAME_BYTES, MalformedPayload, PayloadHash, PayloadVersion,
    SignerError, SigningDomain, payload_reader::PayloadReader, payload_writer::PayloadWriter,
    signature::SIGNATURE_BYTES, signing_hash, snappy::compress,
};
use alloy_primitives::Bytes;

/// What a gossip signature covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The block.
    pub payload: ExecutionPayload,
}

/// Why an envelope was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The payload has no wire form.
    #[error("block {number} has no wire form: {source}")]
    Malformed {
        /// The block's number.
        number: u64,
        /// What is wrong with it.
        source: MalformedPayload,
    },
    /// The network would drop it.
    #[error("block {number} takes {size} bytes as a frame: the network carries at most {limit}")]
    TooLarge {
        /// The block's number.
        number: u64,
        /// The frame's size, compressed or not, whichever breaks the limit.
        size: usize,
        /// The most allowed.
        limit: usize,
    },
    /// The key did not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

impl Envelope {
    /// Reads the signed bytes of a version. The payload's variable parts stay slices of `signed`.
    ///
    /// # Errors
    /// The first rule of the layout that the bytes break.
    pub fn decode(version: PayloadVersion, signed: &Bytes) -> Result<Self, MalformedPayload> {
        Ok(Self { payload: PayloadReader::new(version, signed)?.read()? })
    }

    /// The bytes that are signed.
    ///
    /// # Errors
    /// The payload has no wire form: a list is too long.
    pub fn encode(&self) -> Result<Bytes, MalformedPayload> {
        let mut bytes = Vec::new();
        self.append_to(&mut bytes)?;
        Ok(bytes.into())
    }

    /// Signs the envelope and packs it for the network.
    ///
    /// # Errors
    /// [`SignError`]: no wire form, larger than the network carries, or the key did not sign.
    pub fn sign(
        &self,
        signer: &BlockSigner,
        domain: SigningDomain,
        chain_id: ChainId,
    ) -> Result<SignedEnvelope, SignError> {
        let number = self.payload.number;
        let fits = |size: usize| match size {
            size if size > MAX_FRAME_BYTES => {
                Err(SignError::TooLarge { number, size, limit: MAX_FRAME_BYTES })
            }
            _ => Ok(()),
        };
        let mut bytes = vec![0; SIGNATURE_BYTES];
        self.append_to(&mut bytes).map_err(|source| SignError::Malformed { number, source })?;
        fits(bytes.len())?;
        let (signature, signed) = bytes.split_at_mut(SIGNATURE_BYTES);
        let payload_hash = PayloadHash::of(signed);
        signature.copy_from_slice(&signer.sign(signing_hash(domain, chain_id, payload_hash))?);
        let frame = compress(&bytes).map_err(|_| SignError::TooLarge {
            number,
            size: bytes.len(),
            limit: MAX_FRAME_BYTES,
        })?;
        fits(frame.len())?;
        Ok(SignedEnvelope { frame: frame.into(), payload_hash })
    }

    fn append_to(&self, out: &mut Vec<u8>) -> Result<(), MalformedPayload> {
        let writer = PayloadWriter::new(&self.payload)?;
        let root = self.payload.parent_beacon_block_root();
        let root = root.as_ref().map_or(&[][..], |root| root.as_slice());
        out.reserve_exact(root.len().saturating_add(writer.size()));
        out.extend_from_slice(root);
        writer.write(out);
        Ok(())
    }
}

/// An envelope with its signature, ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedEnvelope {
    frame: Bytes,
    payload_hash: PayloadHash,
}

impl SignedEnvelope {
    /// The frame that travels: a snappy block. Cheap: shares the buffer.
    pub fn frame(&self) -> Bytes {
        self.frame.clone()
    }

    /// The hash of the signed bytes.
    pub const fn payload_hash(&self) -> PayloadHash {
        self.payload_hash
    }
}
