//! [`PayloadResponse`]: a response of `payload_by_number`, and how it is read and written.
//!
//! `code (1) ‖ version (4, little-endian) ‖ snappy frames of the payload`; after a code other than 0 nothing
//! need follow. Version 0 is a payload alone, version 1 one behind its parent beacon block root. Reading
//! allocates no more than a frame on the gossip topics may hold.

use crate::{
    Envelope, GossipForkTimes, MAX_FRAME_BYTES, MalformedPayload, PayloadVersion, SIGNATURE_BYTES,
    snappy::decompress,
};
use alloy_primitives::Bytes;
use std::io::{self, Read as _, Write as _};

const HEAD_BYTES: usize = 5;
/// The largest response: snappy's frames add a checksum and a head to every 64 KiB, and nothing grows
/// otherwise.
pub(in crate::network) const MAX_RESPONSE_BYTES: usize = MAX_FRAME_BYTES + MAX_FRAME_BYTES / 64 + 1024;

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::network) enum PayloadResponse {
    /// To be sent: a block as it is stored.
    Stored(StoredBlock),
    /// Received: the signed bytes of a block, without the signature.
    Payload {
        /// The code of their layout.
        version: u32,
        /// The bytes.
        signed: Bytes,
    },
    /// There is no block in it.
    Error(ResponseError),
}

/// A block as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::network) struct StoredBlock {
    /// A snappy block.
    pub(in crate::network) compressed: Bytes,
    /// Whether a signature leads.
    pub(in crate::network) is_signed: bool,
    /// The payload's version.
    pub(in crate::network) version: PayloadVersion,
}

/// Why there is no block in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::network) enum ResponseError {
    /// The peer does not have the block.
    #[error("it does not have the block")]
    NotFound,
    /// The peer does not understand the request.
    #[error("it reports the request as invalid")]
    Invalid,
    /// The peer has too many requests, or failed.
    #[error("it is overloaded, or failed")]
    Unavailable,
}

/// The code of a version's layout.
const fn layout_code(version: PayloadVersion) -> u32 {
    match version {
        PayloadVersion::V1 | PayloadVersion::V2 => 0,
        PayloadVersion::V3 | PayloadVersion::V4 => 1,
    }
}

impl PayloadResponse {
    /// The response's bytes.
    ///
    /// # Errors
    /// What is stored cannot be read, which is a defect.
    pub(super) fn encode(&self) -> io::Result<Vec<u8>> {
        let (version, signed) = match self {
            Self::Stored(stored) => {
                let data = decompress(&stored.compressed).map_err(io::Error::other)?;
                let skip = if stored.is_signed { SIGNATURE_BYTES } else { 0 };
                if data.len() < skip {
                    return Err(io::Error::other("what is stored has no room for its signature"));
                }
                (layout_code(stored.version), Bytes::from(data).slice(skip..))
            }
            Self::Payload { version, signed } => (*version, signed.clone()),
            Self::Error(refused) => {
                let code = match refused {
                    ResponseError::NotFound => 1,
                    ResponseError::Invalid => 2,
                    ResponseError::Unavailable => 3,
                };
                return Ok(vec![code, 0, 0, 0, 0]);
            }
        };
        let mut out = vec![0];
        out.extend_from_slice(&version.to_le_bytes());
        let mut encoder = snap::write::FrameEncoder::new(&mut out);
        encoder.write_all(&signed)?;
        encoder.flush()?;
        drop(encoder);
        Ok(out)
    }

    /// Reads a response's bytes.
    ///
    /// # Errors
    /// They are not a response, or too many.
    pub(super) fn decode(bytes: &[u8]) -> io::Result<Self> {
        let malformed = |detail: &str| io::Error::new(io::ErrorKind::InvalidData, detail.to_owned());
        let code = bytes.first().ok_or_else(|| malformed("an empty response"))?;
        match code {
            0 => {}
            1 => return Ok(Self::Error(ResponseError::NotFound)),
            2 => return Ok(Self::Error(ResponseError::Invalid)),
            _ => return Ok(Self::Error(ResponseError::Unavailable)),
        }
        let (head, frames) =
            bytes.split_first_chunk::<HEAD_BYTES>().ok_or_else(|| malformed("a response cut short"))?;
        let [_, version @ ..] = head;
        let limit = u64::try_from(MAX_FRAME_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        let mut signed = Vec::new();
        snap::read::FrameDecoder::new(frames).take(limit).read_to_end(&mut signed)?;
        if signed.len() > MAX_FRAME_BYTES {
            return Err(malformed("a payload of more than 10 MiB"));
        }
        Ok(Self::Payload { version: u32::from_le_bytes(*version), signed: signed.into() })
    }
}

/// Why received bytes are not a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::network) enum InvalidResponse {
    /// They do not have the layout of any version.
    #[error(transparent)]
    Malformed(#[from] MalformedPayload),
    /// They have the layout of a version that is not in force at the block's time.
    #[error("the payload does not have the version of its timestamp")]
    Version,
}

/// Reads a received payload. Its version is the one whose layout it has, and must be the one of its time.
pub(in crate::network) fn open_response(
    version: u32,
    signed: &Bytes,
    forks: &GossipForkTimes,
) -> Result<Envelope, InvalidResponse> {
    let candidates = match version {
        0 => [PayloadVersion::V2, PayloadVersion::V1],
        _ => [PayloadVersion::V4, PayloadVersion::V3],
    };
    let mut refused = InvalidResponse::Version;
    for version in candidates {
        match Envelope::decode(version, signed) {
            Ok(envelope) if forks.version_at(envelope.payload.timestamp) == version => return Ok(envelope),
            Ok(_) => refused = InvalidResponse::Version,
            Err(malformed) => refused = malformed.into(),
        }
    }
    Err(refused)
}
