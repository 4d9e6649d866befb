//! The `CrossL2Inbox` part of a transaction's access list: one group of storage keys a message.
//!
//! Spec: interop/predeploys.md, "Access list". A group is a lookup entry (type 1), a chain-id extension (type
//! 2, only for ids beyond 64 bits) and the checksum (type 3). Only the checksum binds; the rest are hints.

use super::checksum::CHECKSUM_TYPE;
use super::{Checksum, Message};
use alloy::primitives::{B256, U256};
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde::Serialize;

const LOOKUP_TYPE: u8 = 1;
const CHAIN_ID_TYPE: u8 = 2;

/// One declared message: where to look it up, and the checksum that binds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct InboxAccess {
    /// The initiating chain.
    pub chain_id: ChainId,
    /// The height of the initiating block.
    pub block_number: u64,
    /// The timestamp of the initiating block.
    pub timestamp: UnixSeconds,
    /// The index of the initiating log in its block.
    pub log_index: u32,
    /// The checksum of the whole message.
    pub checksum: Checksum,
}

/// Why a list of storage keys is not a list of inbox entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessListError {
    /// A key's first byte names no entry type that is allowed here.
    #[error("access-list entry {index} has type {found}, expected a {expected} entry")]
    UnexpectedType {
        /// Position in the list.
        index: usize,
        /// The type byte found.
        found: u8,
        /// What is required there.
        expected: &'static str,
    },
    /// Bytes that must be zero are not.
    #[error("access-list entry {index} of type {entry_type} has non-zero padding")]
    NonZeroPadding {
        /// Position in the list.
        index: usize,
        /// The entry's type.
        entry_type: u8,
    },
    /// The list ends before the last message's checksum.
    #[error("the access list ends after {entries} entries, before the last message's checksum")]
    MissingChecksum {
        /// How many entries there are.
        entries: usize,
    },
}

/// The storage keys that declare a message, in order: the lookup entry, the upper half of the chain id if it
/// is not zero, and the checksum. Spec: interop/predeploys.md, "Access-list format".
///
/// ```
/// use alloy::primitives::{Address, B256};
/// use crosscheck_core::message::{Identifier, Message, encode_access_list, parse_access_list};
/// use crosscheck_p2p::UnixSeconds;
///
/// let identifier = Identifier {
///     origin: Address::repeat_byte(0xaa),
///     block_number: 1_234,
///     log_index: 7,
///     timestamp: UnixSeconds(1_796_000_000),
///     chain_id: 130.into(),
/// };
/// let message = Message { identifier, payload_hash: B256::repeat_byte(0xbb) };
/// let keys = encode_access_list(&message);
/// let declared = parse_access_list(&keys)?;
/// assert_eq!((declared.len(), declared[0].block_number, declared[0].log_index), (1, 1_234, 7));
/// # Ok::<(), crosscheck_core::message::AccessListError>(())
/// ```
pub fn encode_access_list(message: &Message) -> Vec<B256> {
    let id = &message.identifier;
    let [upper @ .., a, b, c, d, e, f, g, h] = id.chain_id.to_be_bytes();
    let low = [a, b, c, d, e, f, g, h];
    let mut keys = Vec::with_capacity(3);
    let mut lookup = vec![LOOKUP_TYPE, 0, 0, 0];
    lookup.extend(low);
    lookup.extend(id.block_number.to_be_bytes());
    lookup.extend(id.timestamp.0.to_be_bytes());
    lookup.extend(id.log_index.to_be_bytes());
    keys.push(B256::from_slice(&lookup));
    if upper != [0u8; 24] {
        let mut extension = vec![CHAIN_ID_TYPE, 0, 0, 0, 0, 0, 0, 0];
        extension.extend(upper);
        keys.push(B256::from_slice(&extension));
    }
    keys.push(Checksum::of(message).as_word());
    keys
}

/// Reads the inbox's storage keys, in order, all of them.
///
/// # Errors
/// Any key that is out of place, unknown or padded with anything but zero.
pub fn parse_access_list(keys: &[B256]) -> Result<Vec<InboxAccess>, AccessListError> {
    let mut messages = Vec::new();
    let mut entries = keys.iter().enumerate().peekable();
    while let Some((index, key)) = entries.next() {
        let lookup = Lookup::parse(index, key)?;
        let upper = match entries.next_if(|(_, key)| key.0[0] == CHAIN_ID_TYPE) {
            Some((index, key)) => parse_chain_id_extension(index, key)?,
            None => U256::ZERO,
        };
        let (index, key) = entries.next().ok_or(AccessListError::MissingChecksum { entries: keys.len() })?;
        expect_type(index, key, CHECKSUM_TYPE, "checksum (type 3)")?;
        messages.push(InboxAccess {
            chain_id: ChainId::from(upper | U256::from(lookup.chain_id_low)),
            block_number: lookup.block_number,
            timestamp: lookup.timestamp,
            log_index: lookup.log_index,
            checksum: Checksum(*key),
        });
    }
    Ok(messages)
}

struct Lookup {
    chain_id_low: u64,
    block_number: u64,
    timestamp: UnixSeconds,
    log_index: u32,
}

impl Lookup {
    fn parse(index: usize, key: &B256) -> Result<Self, AccessListError> {
        expect_type(index, key, LOOKUP_TYPE, "lookup (type 1)")?;
        let [_, padding @ .., _, _, _, _] = &key.0;
        if padding.iter().take(3).any(|byte| *byte != 0) {
            return Err(AccessListError::NonZeroPadding { index, entry_type: LOOKUP_TYPE });
        }
        let word = U256::from_be_bytes(key.0);
        let field = |shift: usize| word.wrapping_shr(shift).wrapping_to::<u64>();
        Ok(Self {
            chain_id_low: field(160),
            block_number: field(96),
            timestamp: UnixSeconds(field(32)),
            log_index: word.wrapping_to::<u32>(),
        })
    }
}

fn parse_chain_id_extension(index: usize, key: &B256) -> Result<U256, AccessListError> {
    if key.0.iter().skip(1).take(7).any(|byte| *byte != 0) {
        return Err(AccessListError::NonZeroPadding { index, entry_type: CHAIN_ID_TYPE });
    }
    // The shift drops the type byte and puts the upper 24 bytes above the low 8.
    Ok(U256::from_be_bytes(key.0).wrapping_shl(64))
}

fn expect_type(index: usize, key: &B256, wanted: u8, expected: &'static str) -> Result<(), AccessListError> {
    let [found, ..] = key.0;
    if found == wanted {
        return Ok(());
    }
    Err(AccessListError::UnexpectedType { index, found, expected })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Identifier;
    use alloy::primitives::{Address, b256};
    use proptest::prelude::*;
    use rstest::rstest;

    fn message(chain_id: ChainId) -> Message {
        Message {
            identifier: Identifier {
                origin: Address::repeat_byte(0xee),
                block_number: 0xa1a2_a3a4_a5a6_a7a8,
                log_index: 0xb1b2_b3b4,
                timestamp: UnixSeconds(0xc1c2_c3c4_c5c6_c7c8),
                chain_id,
            },
            payload_hash: B256::repeat_byte(7),
        }
    }

    #[test]
    fn narrow_chain_id_takes_two_entries() {
        let keys = encode_access_list(&message(ChainId::from(0xd1d2_d3d4_d5d6_d7d8_u64)));
        let lookup = b256!("01000000d1d2d3d4d5d6d7d8a1a2a3a4a5a6a7a8c1c2c3c4c5c6c7c8b1b2b3b4");
        assert_eq!(keys.len(), 2);
        assert_eq!(keys[0], lookup);
    }

    #[test]
    fn wide_chain_id_takes_three_entries() {
        let keys = encode_access_list(&message(ChainId::from((U256::from(7) << 248) + U256::from(10))));
        assert_eq!(keys.len(), 3);
        assert_eq!(keys[0], b256!("01000000000000000000000aa1a2a3a4a5a6a7a8c1c2c3c4c5c6c7c8b1b2b3b4"));
        assert_eq!(keys[1], b256!("0200000000000000070000000000000000000000000000000000000000000000"));
    }

    fn word(head: &[u8]) -> B256 {
        let mut word = B256::ZERO;
        word.0[..head.len()].copy_from_slice(head);
        word
    }

    #[rstest]
    #[case::type_zero(&[word(&[0])])]
    #[case::type_ten(&[word(&[10])])]
    #[case::padded_lookup(&[word(&[1, 1]), word(&[3])])]
    #[case::lone_lookup(&[word(&[1])])]
    #[case::lookup_then_zero(&[word(&[1]), word(&[0])])]
    #[case::lookup_then_lookup(&[word(&[1]), word(&[1])])]
    #[case::lookup_then_ten(&[word(&[1]), word(&[10])])]
    #[case::extension_twice(&[word(&[1]), word(&[2]), word(&[2]), word(&[3])])]
    #[case::padded_extension(&[word(&[1]), word(&[2, 0, 0, 0, 0, 0, 0, 1]), word(&[3])])]
    #[case::lone_checksum(&[word(&[3])])]
    fn refuses(#[case] keys: &[B256]) {
        assert!(parse_access_list(keys).is_err());
    }

    #[test]
    fn an_empty_list_declares_nothing() {
        assert_eq!(parse_access_list(&[]), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn an_encoded_list_is_read_back(
            chain in any::<[u8; 32]>(), narrow in any::<bool>(), block_number: u64, timestamp: u64, log_index: u32
        ) {
            let chain = U256::from_be_bytes(chain) >> if narrow { 192 } else { 0 };
            let mut message = message(ChainId::from(chain));
            message.identifier.block_number = block_number;
            message.identifier.timestamp = UnixSeconds(timestamp);
            message.identifier.log_index = log_index;
            let read = parse_access_list(&encode_access_list(&message)).unwrap();
            prop_assert_eq!(read, vec![InboxAccess {
                chain_id: message.identifier.chain_id,
                block_number,
                timestamp: UnixSeconds(timestamp),
                log_index,
                checksum: Checksum::of(&message),
            }]);
        }
    }
}
