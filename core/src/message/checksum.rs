//! [`Checksum`]: the word that binds a message's identifier to its payload.
//!
//! Spec: interop/predeploys.md, "type 3: checksum". In the packed identifier the timestamp comes before the
//! log index; in the inbox's event it is the other way round.

use super::Message;
use alloy::primitives::{Address, B256, Keccak256, keccak256};
use core::fmt;
use serde::{Deserialize, Serialize};

/// The first byte of a checksum: the type byte of its access-list entry.
pub(super) const CHECKSUM_TYPE: u8 = 3;

/// What the `CrossL2Inbox` demands to be declared in the access list before a message may execute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Checksum(pub(super) B256);

impl Checksum {
    /// The checksum of a message.
    pub fn of(message: &Message) -> Self {
        let id = &message.identifier;
        Self::bind(log_hash(id.origin, message.payload_hash), id)
    }

    /// Binds a log, by its hash, to its position.
    fn bind(log_hash: B256, id: &super::Identifier) -> Self {
        // The identifier's word: twelve zero bytes, the height, the timestamp, the log index.
        let mut hasher = Keccak256::new();
        hasher.update(log_hash);
        hasher.update([0u8; 12]);
        hasher.update(id.block_number.to_be_bytes());
        hasher.update(id.timestamp.0.to_be_bytes());
        hasher.update(id.log_index.to_be_bytes());
        let id_log_hash = hasher.finalize();
        let mut hasher = Keccak256::new();
        hasher.update(id_log_hash);
        hasher.update(id.chain_id.to_be_bytes());
        let mut word = hasher.finalize();
        if let Some(first) = word.0.first_mut() {
            *first = CHECKSUM_TYPE;
        }
        Self(word)
    }

    /// The checksum as an access-list storage key.
    pub const fn as_word(&self) -> B256 {
        self.0
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The hash of a log: its origin and the hash of its payload.
pub fn log_hash(origin: Address, payload_hash: B256) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(origin);
    hasher.update(payload_hash);
    hasher.finalize()
}

/// The payload hash of a log: `keccak256` of its topics and then its data.
pub fn payload_hash(log: &alloy::primitives::LogData) -> B256 {
    let mut payload =
        Vec::with_capacity(log.topics().len().saturating_mul(32).saturating_add(log.data.len()));
    for topic in log.topics() {
        payload.extend_from_slice(topic.as_slice());
    }
    payload.extend_from_slice(&log.data);
    keccak256(payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Identifier;
    use alloy::primitives::{U256, address, b256};
    use crosscheck_p2p::{ChainId, UnixSeconds};
    use rstest::rstest;

    /// The vector of the monorepo's `messages_test.go`; the wide chain id is recomputed by hand.
    fn example(chain_id: ChainId) -> Message {
        Message {
            identifier: Identifier {
                origin: address!("e0e1e2e3e4e5e6e7e8e9f0f1f2f3f4f5f6f7f8f9"),
                block_number: 0xa1a2_a3a4_a5a6_a7a8,
                log_index: 0xb1b2_b3b4,
                timestamp: UnixSeconds(0xc1c2_c3c4_c5c6_c7c8),
                chain_id,
            },
            payload_hash: keccak256("example payload"),
        }
    }

    /// The vectors of kona's interop crate.
    #[test]
    fn agrees_with_konas_vectors() {
        let log_hash_given = b256!("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
        let identifier = Identifier {
            origin: Address::ZERO,
            block_number: 2587,
            log_index: 66,
            timestamp: UnixSeconds(4660),
            chain_id: ChainId::from(3),
        };
        assert_eq!(
            Checksum::bind(log_hash_given, &identifier).as_word(),
            b256!("03ca886771056d8ea647bb809b888ba14986f57daaf28954d40408321717716a")
        );
        let data = "example payload".as_bytes().into();
        let topics = vec![B256::repeat_byte(0xaa), B256::repeat_byte(0xbb)];
        let log = alloy::primitives::LogData::new_unchecked(topics, data);
        assert_eq!(
            log_hash(address!("e0e1e2e3e4e5e6e7e8e9f0f1f2f3f4f5f6f7f8f9"), payload_hash(&log)),
            b256!("20b21f284fb0286571fbf1cbfc20cdb1d50ea5c74c914478aee4a47b0a82a170")
        );
    }

    #[rstest]
    #[case::narrow_chain_id(
        ChainId::from(0xd1d2_d3d4_d5d6_d7d8_u64),
        b256!("03749e87fd7789575de9906569deb05aaf220dc4cfab3d8abbfd34a2e1d7d357")
    )]
    #[case::wide_chain_id(
        ChainId::from((U256::from(7) << 248) + U256::from(10)),
        b256!("030f3a5f2d8928b9b7f05d95a819aa71d2768ba945ade288d2f6a873f245ede0")
    )]
    fn agrees_with_the_published_vector(#[case] chain_id: ChainId, #[case] checksum: B256) {
        let message = example(chain_id);
        assert_eq!(
            message.payload_hash,
            b256!("8017559a85b12c04b14a1a425d53486d1015f833714a09bd62f04152a7e2ae9b")
        );
        assert_eq!(
            log_hash(message.identifier.origin, message.payload_hash),
            b256!("f9ed05990c887d3f86718aabd7e940faaa75d6a5cd44602e89642586ce85f2aa")
        );
        assert_eq!(Checksum::of(&message).as_word(), checksum);
    }
}
