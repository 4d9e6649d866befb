//! [`leaf`]: the node of an item, ready to be hashed without a copy of the item.

use super::{
    node_ref::{HASHED_FROM, NodeRef},
    trie_key::TrieKey,
};
use crate::keccak::{HashInput, Prefix};

/// RLP's prefix of a short string, and of a long one less the length of its length.
const STRING: (u8, u8) = (0x80, 0xb7);
/// The same for a list.
const LIST: (u8, u8) = (0xc0, 0xf7);
/// The most bytes that RLP calls short.
const SHORT: usize = 55;

/// A node that has no hash yet.
pub(super) enum Unhashed<'v> {
    /// It needs none.
    Inline(NodeRef),
    /// Hash this.
    Long(HashInput<'v>),
}

/// The leaf of the item `value`, whose key is used up to `depth` by the nodes above it.
pub(super) fn leaf(key: TrieKey, depth: u32, value: &[u8]) -> Unhashed<'_> {
    let mut rest = Prefix::default();
    key.write_path(depth..key.len(), true, &mut rest);
    if !matches!(value, [0..=0x7f]) {
        write_header(STRING, value.len(), &mut rest);
    }
    let size = rest.as_slice().len().saturating_add(value.len());
    let mut prefix = Prefix::default();
    write_header(LIST, size, &mut prefix);
    prefix.extend(rest.as_slice());
    let input = HashInput::new(prefix, value);
    if input.len() < HASHED_FROM {
        Unhashed::Inline(NodeRef::inline(prefix.as_slice().iter().chain(value)))
    } else {
        Unhashed::Long(input)
    }
}

/// The header of a list of `size` bytes.
pub(super) fn list_header(size: usize) -> Prefix {
    let mut prefix = Prefix::default();
    write_header(LIST, size, &mut prefix);
    prefix
}

fn write_header((short, long): (u8, u8), size: usize, out: &mut Prefix) {
    if size <= SHORT {
        out.push(short.saturating_add(u8::try_from(size).unwrap_or(u8::MAX)));
        return;
    }
    let digits = size.to_be_bytes();
    let zeros = digits.iter().take_while(|&&digit| digit == 0).count();
    let digits = digits.get(zeros..).unwrap_or_default();
    out.push(long.saturating_add(u8::try_from(digits.len()).unwrap_or(u8::MAX)));
    out.extend(digits);
}
