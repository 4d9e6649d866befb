//! [`TrieKey`]: the key of a list's item in its trie: the RLP of its index, nibble by nibble.

use crate::keccak::Prefix;

/// A key of at most sixteen nibbles, the first in the highest bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TrieKey {
    nibbles: u64,
    len: u32,
}

/// Nibbles in a byte.
const PER_BYTE: u32 = 2;

impl TrieKey {
    /// The key of an index below 2^56, which is more items than any list in memory has.
    pub(super) const fn of(index: usize) -> Self {
        let index = index as u64;
        let (rlp, bytes) = match index {
            0 => (0x80, 1),
            1..=0x7f => (index, 1),
            _ => {
                let digits = u64::BITS.saturating_sub(index.leading_zeros()).div_ceil(8);
                let prefix = 0x80_u64.saturating_add(digits as u64);
                (prefix.wrapping_shl(digits.saturating_mul(8)) | index, digits.saturating_add(1))
            }
        };
        let unused = u64::BITS.saturating_sub(bytes.saturating_mul(8));
        Self { nibbles: rlp.wrapping_shl(unused), len: bytes.saturating_mul(PER_BYTE) }
    }

    /// How many nibbles it has.
    pub(super) const fn len(self) -> u32 {
        self.len
    }

    /// The nibble at a depth; 0 past the end.
    pub(super) const fn nibble(self, depth: u32) -> u8 {
        let shifted = match self.nibbles.checked_shl(depth.saturating_mul(4)) {
            Some(shifted) => shifted,
            None => 0,
        };
        (shifted >> 60) as u8
    }

    /// How many nibbles it has in common with another key from the front. No key is the beginning of another.
    pub(super) const fn common(self, other: Self) -> u32 {
        (self.nibbles ^ other.nibbles).leading_zeros() / 4
    }

    /// Appends the nibbles of a span of depths as a node's path: the RLP of their hex-prefix form.
    pub(super) fn write_path(self, span: core::ops::Range<u32>, is_leaf: bool, out: &mut Prefix) {
        let count = span.end.saturating_sub(span.start);
        let is_odd = !count.is_multiple_of(PER_BYTE);
        let bytes = (count / PER_BYTE).saturating_add(1);
        if bytes > 1 {
            out.push(0x80_u8.saturating_add(u8::try_from(bytes).unwrap_or(u8::MAX)));
        }
        let flag = (u8::from(is_leaf) << 5) | (u8::from(is_odd) << 4);
        let odd = if is_odd { self.nibble(span.start) } else { 0 };
        out.push(flag | odd);
        let even = span.start.saturating_add(u32::from(is_odd));
        for depth in (even..span.end).step_by(2) {
            out.push((self.nibble(depth) << 4) | self.nibble(depth.saturating_add(1)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// Indices on both sides of where the RLP gets longer.
    #[rstest]
    fn is_the_rlp_of_the_index(
        #[values(0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000, 0xf_ffff)] index: usize,
    ) {
        let key = TrieKey::of(index);
        let nibbles: Vec<u8> =
            alloy_rlp::encode(index).iter().flat_map(|byte| [byte >> 4, byte & 0xf]).collect();
        assert_eq!((0..key.len()).map(|depth| key.nibble(depth)).collect::<Vec<_>>(), nibbles);
        assert_eq!(key.nibble(16), 0);
    }

    /// The four examples of the yellow paper's appendix C, after their RLP.
    #[rstest]
    #[case::even_extension(0..4, false, &[0x83, 0x00, 0x82, 0x12])]
    #[case::odd_extension(1..4, false, &[0x82, 0x12, 0x12])]
    #[case::even_leaf(4..6, true, &[0x82, 0x20, 0x34])]
    #[case::odd_leaf(5..6, true, &[0x34])]
    #[case::nothing_left(6..6, true, &[0x20])]
    fn path(#[case] span: core::ops::Range<u32>, #[case] is_leaf: bool, #[case] expected: &[u8]) {
        let mut out = Prefix::default();
        TrieKey::of(0x1234).write_path(span, is_leaf, &mut out);
        assert_eq!(out.as_slice(), expected);
    }
}
