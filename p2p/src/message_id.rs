//! [`GossipMessageId`]: how gossip identifies messages.
//!
//! Computed as op-node does, not as the specification's text has it, which leaves the topic out: with the
//! topic, a frame that is sent on another topic does not suppress the genuine one.

use crate::snappy::decompress;
use alloy_primitives::FixedBytes;
use core::fmt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const INVALID_SNAPPY: [u8; 4] = [0, 0, 0, 0];
const VALID_SNAPPY: [u8; 4] = [1, 0, 0, 0];

/// The id of a gossip message: the first 20 bytes of
/// `SHA-256(domain ‖ topic length, 8 bytes little-endian ‖ topic ‖ data)`. As text and in JSON it is 0x-hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GossipMessageId(FixedBytes<20>);

impl GossipMessageId {
    /// The id's 20 bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0.0
    }

    /// The id with these bytes. `None`: there are not 20 of them.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        FixedBytes::try_from(bytes).map(Self).ok()
    }

    /// The id of a frame whose decompressed form is at hand.
    pub(crate) fn of_decompressed(topic_path: &str, decompressed: &[u8]) -> Self {
        Self::of(VALID_SNAPPY, topic_path, decompressed)
    }

    fn of(domain: [u8; 4], topic_path: &str, data: &[u8]) -> Self {
        let topic = topic_path.as_bytes();
        let digest: [u8; 32] = Sha256::new()
            .chain_update(domain)
            .chain_update(u64::try_from(topic.len()).unwrap_or(u64::MAX).to_le_bytes())
            .chain_update(topic)
            .chain_update(data)
            .finalize()
            .into();
        let (id, _) = digest.split_first_chunk::<20>().unwrap_or((&[0; 20], &[]));
        Self(FixedBytes(*id))
    }
}

impl fmt::Display for GossipMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id of a frame on the topic with this [path](crate::Topic::path): of its decompressed bytes if it is a
/// snappy block of at most [`MAX_FRAME_BYTES`](crate::MAX_FRAME_BYTES), of its raw bytes otherwise.
pub fn message_id(topic_path: &str, frame: &[u8]) -> GossipMessageId {
    match decompress(frame) {
        Ok(data) => GossipMessageId::of_decompressed(topic_path, &data),
        Err(_) => GossipMessageId::of(INVALID_SNAPPY, topic_path, frame),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_vector() {
        let id = message_id("test", &[1, 2, 3, 4, 5]);
        assert_eq!(id.to_string(), "0xb6897dcba59347fedcd694cc0f5117093c9dc727");
    }

    #[test]
    fn snappy_vector() {
        let frame = snap::raw::Encoder::new().compress_vec(&[1, 2, 3, 4, 5]).unwrap();
        let id = message_id("test", &frame);
        assert_eq!(id.to_string(), "0xadbe547b27f41294a08a09210a5e8531e83cdc16");
        assert_eq!(serde_json::to_value(id).unwrap(), id.to_string());
    }

    #[test]
    fn the_topic_is_part_of_the_message_id() {
        assert_ne!(message_id("a", b"frame"), message_id("b", b"frame"));
    }

    #[test]
    fn a_size_claim_beyond_the_bound_is_hashed_raw() {
        let claim = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0];
        assert_eq!(message_id("test", &claim), GossipMessageId::of(INVALID_SNAPPY, "test", &claim));
    }
}
