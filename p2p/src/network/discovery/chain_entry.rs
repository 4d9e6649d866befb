//! [`ChainEntry`]: the `opstack` entry of a node record: which chain the node is on.
//!
//! An RLP byte string of two unsigned varints: chain id, version. Only version 0 exists; more bytes may
//! follow it, as op-node's reader lets them. Pure.

use crate::ChainId;
use alloy_rlp::{Decodable as _, Encodable as _};
use unsigned_varint::{decode, encode};

/// The entry of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::network) struct ChainEntry {
    /// The chain. The entry has room for 64 bits.
    pub(in crate::network) chain_id: u64,
}

const VERSION: u64 = 0;

impl ChainEntry {
    /// The entry's key in a record.
    pub(in crate::network) const KEY: &'static str = "opstack";

    /// The entry of a chain, if its id has room in it.
    pub(in crate::network) fn of(chain_id: ChainId) -> Option<Self> {
        chain_id.as_u64().map(|chain_id| Self { chain_id })
    }

    /// The entry as RLP.
    pub(in crate::network) fn to_rlp(self) -> Vec<u8> {
        let (mut chain_id, mut version) = (encode::u64_buffer(), encode::u64_buffer());
        let content =
            [encode::u64(self.chain_id, &mut chain_id), encode::u64(VERSION, &mut version)].concat();
        let mut rlp = Vec::new();
        content.as_slice().encode(&mut rlp);
        rlp
    }

    /// Reads an entry. `None`: it is malformed, or of a version to come.
    pub(in crate::network) fn from_rlp(mut rlp: &[u8]) -> Option<Self> {
        let content = alloy_primitives::Bytes::decode(&mut rlp).ok()?;
        let (chain_id, rest) = uvarint(&content)?;
        let (version, _) = uvarint(rest)?;
        (version == VERSION).then_some(Self { chain_id })
    }
}

/// Reads a number that was written in the one way there is. `decode` alone would take one of more than 64
/// bits, and forget those above: a node of another chain would pass for one of ours. Go's reader refuses it
/// too.
fn uvarint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = decode::u64(bytes).ok()?;
    bytes.starts_with(encode::u64(number, &mut encode::u64_buffer())).then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::op_mainnet(10, "820a00")]
    #[case::a_varint_of_two_bytes(130, "83820100")]
    #[case::base(8_453, "83854200")]
    #[case::devnet(901, "83850700")]
    #[case::op_sepolia(11_155_420, "85dcefa80500")]
    fn golden(#[case] chain_id: u64, #[case] rlp: &str) {
        assert_eq!(hex::encode(ChainEntry { chain_id }.to_rlp()), rlp);
        assert_eq!(ChainEntry::from_rlp(&hex::decode(rlp).unwrap()), Some(ChainEntry { chain_id }));
    }

    #[rstest]
    #[case::more_follows("830a0001", Some(10))]
    #[case::of_a_version_to_come("820a01", None)]
    #[case::no_version("0a", None)]
    #[case::a_varint_without_end("8affffffffffffffffffff", None)]
    #[case::the_largest("8bffffffffffffffffff0100", Some(u64::MAX))]
    #[case::a_varint_of_more_than_64_bits("8b858780808080808080800200", None)]
    #[case::a_list("c20a00", None)]
    #[case::cut("83820a", None)]
    #[case::nothing("", None)]
    fn others(#[case] rlp: &str, #[case] chain_id: Option<u64>) {
        let read = ChainEntry::from_rlp(&hex::decode(rlp).unwrap());
        assert_eq!(read.map(|entry| entry.chain_id), chain_id);
    }

    #[test]
    fn an_id_beyond_64_bits_has_no_entry() {
        assert_eq!(ChainEntry::of(ChainId::from(alloy_primitives::U256::MAX)), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(chain_id: u64) {
            let entry = ChainEntry { chain_id };
            prop_assert_eq!(ChainEntry::from_rlp(&entry.to_rlp()), Some(entry));
        }

        #[test]
        fn no_input_panics_the_reader(rlp in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _read = ChainEntry::from_rlp(&rlp);
        }
    }
}
