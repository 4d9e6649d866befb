//! [`Message`]: what is hashed, in two pieces, cut into blocks.
//!
//! The second piece stays where it is: a transaction is hashed as part of its trie node without being copied
//! behind the node's header.

use alloy_primitives::{B256, Keccak256};

/// How many bytes a permutation takes in: the rate of Keccak-256.
#[cfg(target_arch = "x86_64")]
pub(super) const BLOCK_BYTES: usize = 136;

/// From how many bytes on a message by itself is hashed with its rows as vectors: what it takes to begin is then
/// little beside the rest.
#[cfg(target_arch = "x86_64")]
const IN_ROWS_FROM: usize = 4 * BLOCK_BYTES;

/// The most bytes a [`Head`] holds.
const HEAD_BYTES: usize = 24;

/// The first bytes of a message, few and made up on the spot.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Head {
    bytes: [u8; HEAD_BYTES],
    len: usize,
}

impl Head {
    /// Appends a byte. What does not fit is dropped: no head that is built here comes near.
    pub(crate) fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len = self.len.saturating_add(1);
        }
    }

    /// Appends bytes.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.push(byte));
    }

    /// The bytes so far.
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }
}

/// A message: its head, then its body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'m> {
    head: Head,
    body: &'m [u8],
    /// Whether its last block has been taken.
    #[cfg(target_arch = "x86_64")]
    finished: bool,
}

impl<'m> Message<'m> {
    /// A message in two pieces.
    pub(crate) const fn new(head: Head, body: &'m [u8]) -> Self {
        Self {
            head,
            body,
            #[cfg(target_arch = "x86_64")]
            finished: false,
        }
    }

    /// Its size, bytes.
    pub(crate) const fn len(&self) -> usize {
        self.head.len.saturating_add(self.body.len())
    }

    /// Its digest, computed alone.
    pub(crate) fn hash(&self) -> B256 {
        #[cfg(target_arch = "x86_64")]
        // Without optimisation each instruction is a call: the assembly is faster then.
        if !cfg!(debug_assertions)
            && self.len() >= IN_ROWS_FROM
            && let Some(kernel) = fearless_simd::Level::new().as_avx512()
        {
            return super::rows::hash_in_rows(kernel, *self);
        }
        let mut hasher = Keccak256::new();
        hasher.update(self.head.as_slice());
        hasher.update(self.body);
        hasher.finalize()
    }
}

/// Block by block, for the lanes.
#[cfg(target_arch = "x86_64")]
impl<'m> Message<'m> {
    /// Whether the block that ends the message has been taken.
    pub(super) const fn is_finished(&self) -> bool {
        self.finished
    }

    /// Takes all whole blocks of the body, unless the head stands before them.
    pub(super) const fn take_blocks(&mut self) -> &'m [[u8; BLOCK_BYTES]] {
        if self.head.len > 0 {
            return &[];
        }
        let (blocks, rest) = self.body.as_chunks();
        self.body = rest;
        blocks
    }

    /// Takes the next block, padded if it is the last: a piece of the body where that holds a whole block,
    /// otherwise put together in `scratch`.
    pub(super) fn next_block<'b>(&mut self, scratch: &'b mut [u8; BLOCK_BYTES]) -> &'b [u8; BLOCK_BYTES]
    where
        'm: 'b,
    {
        if self.head.len == 0
            && let Some((block, rest)) = self.body.split_first_chunk()
        {
            self.body = rest;
            return block;
        }
        self.assemble(scratch);
        scratch
    }

    fn assemble(&mut self, scratch: &mut [u8; BLOCK_BYTES]) {
        let head = core::mem::take(&mut self.head);
        let room = BLOCK_BYTES.saturating_sub(head.len);
        let (taken, rest) = self.body.split_at_checked(room).unwrap_or((self.body, &[]));
        self.body = rest;
        scratch.fill(0);
        let (front, back) = scratch.split_at_mut(head.len);
        front.copy_from_slice(head.as_slice());
        let Some((filled, free)) = back.split_at_mut_checked(taken.len()) else { return };
        filled.copy_from_slice(taken);
        if let Some(first) = free.first_mut() {
            *first = 0x01;
            self.finished = true;
        }
        if let (true, Some(last)) = (self.finished, free.last_mut()) {
            *last |= 0x80;
        }
    }
}
