//! [`HashInput`]: the bytes to hash, in two pieces, cut into blocks.
//!
//! The second piece is not copied: a transaction is hashed as part of its trie node where it is in the frame.

/// How many bytes a permutation takes in: the rate of Keccak-256.
#[cfg(target_arch = "x86_64")]
pub(super) const BLOCK_BYTES: usize = 136;

/// The most bytes of a [`Prefix`].
const PREFIX_BYTES: usize = 24;

/// The first bytes of an input: few, and built for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Prefix {
    bytes: [u8; PREFIX_BYTES],
    len: usize,
}

impl Prefix {
    /// Appends a byte. What does not fit is dropped: no prefix that is built here is as long.
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

/// An input: its prefix, then its body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HashInput<'m> {
    prefix: Prefix,
    body: &'m [u8],
    /// Whether its last block has been taken.
    #[cfg(target_arch = "x86_64")]
    finished: bool,
}

impl<'m> HashInput<'m> {
    /// An input in two pieces.
    pub(crate) const fn new(prefix: Prefix, body: &'m [u8]) -> Self {
        Self {
            prefix,
            body,
            #[cfg(target_arch = "x86_64")]
            finished: false,
        }
    }

    /// Its size, bytes.
    pub(crate) const fn len(&self) -> usize {
        self.prefix.len.saturating_add(self.body.len())
    }

    /// Its two pieces.
    pub(super) fn pieces(&self) -> (&[u8], &[u8]) {
        (self.prefix.as_slice(), self.body)
    }
}

/// Block by block, for the lanes.
#[cfg(target_arch = "x86_64")]
impl<'m> HashInput<'m> {
    /// Whether the last block has been taken.
    pub(super) const fn is_finished(&self) -> bool {
        self.finished
    }

    /// Takes all whole blocks of the body, unless the prefix is before them.
    pub(super) const fn take_blocks(&mut self) -> &'m [[u8; BLOCK_BYTES]] {
        if self.prefix.len > 0 {
            return &[];
        }
        let (blocks, rest) = self.body.as_chunks();
        self.body = rest;
        blocks
    }

    /// Takes the next block, padded if it is the last: a piece of the body where that has a whole block,
    /// otherwise put together in `scratch`.
    pub(super) fn next_block<'b>(&mut self, scratch: &'b mut [u8; BLOCK_BYTES]) -> &'b [u8; BLOCK_BYTES]
    where
        'm: 'b,
    {
        if self.prefix.len == 0
            && let Some((block, rest)) = self.body.split_first_chunk()
        {
            self.body = rest;
            return block;
        }
        self.assemble(scratch);
        scratch
    }

    fn assemble(&mut self, scratch: &mut [u8; BLOCK_BYTES]) {
        let prefix = core::mem::take(&mut self.prefix);
        let room = BLOCK_BYTES.saturating_sub(prefix.len);
        let (taken, rest) = self.body.split_at_checked(room).unwrap_or((self.body, &[]));
        self.body = rest;
        scratch.fill(0);
        let (front, back) = scratch.split_at_mut(prefix.len);
        front.copy_from_slice(prefix.as_slice());
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
