//! [`NodeRef`]: what a trie node is to its parent: its hash, or the node itself if that is shorter.

use alloy_primitives::B256;

/// The length from which on a node is referred to by its hash.
pub(super) const HASHED_FROM: usize = 32;

/// RLP of an empty string: no child.
const EMPTY: u8 = 0x80;
/// RLP's prefix of a string of 32 bytes.
const HASH_PREFIX: u8 = 0xa0;

/// A reference to a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum NodeRef {
    /// No node.
    #[default]
    Empty,
    /// A node of fewer than 32 bytes: itself.
    Inline {
        /// Its bytes, zeros after them.
        bytes: [u8; HASHED_FROM - 1],
        /// How many they are.
        len: u8,
    },
    /// Any other node: its hash.
    Hash(B256),
}

impl NodeRef {
    /// A node that is short enough to be its own reference.
    pub(super) fn inline<'b>(node: impl Iterator<Item = &'b u8>) -> Self {
        let (mut bytes, mut len) = ([0; HASHED_FROM - 1], 0_u8);
        for (place, &byte) in bytes.iter_mut().zip(node) {
            *place = byte;
            len = len.saturating_add(1);
        }
        Self::Inline { bytes, len }
    }

    /// Its size in the parent, bytes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Empty => 1,
            Self::Inline { len, .. } => usize::from(*len),
            Self::Hash(_) => HASHED_FROM.saturating_add(1),
        }
    }

    /// Appends it to the parent.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Empty => out.push(EMPTY),
            Self::Inline { bytes, len } => {
                out.extend_from_slice(bytes.get(..usize::from(*len)).unwrap_or(bytes));
            }
            Self::Hash(hash) => {
                out.push(HASH_PREFIX);
                out.extend_from_slice(hash.as_slice());
            }
        }
    }
}
