//! [`Words`]: a reader of big-endian fields, packed or in 32-byte words. Never reads past the end.

use alloy::primitives::{Address, B256, U256};

/// What is left to read. `None` from a reader: too few bytes, or a word that does not contain such a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    left: &'a [u8],
}

impl<'a> Words<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, left) = self.left.split_first_chunk::<N>()?;
        self.left = left;
        Some(*array)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn word(&mut self) -> Option<B256> {
        self.array().map(B256::new)
    }

    pub(super) fn u256(&mut self) -> Option<U256> {
        self.array().map(U256::from_be_bytes::<32>)
    }

    /// A word with a 64-bit number.
    pub(super) fn word_u64(&mut self) -> Option<u64> {
        u64::try_from(self.u256()?).ok()
    }

    /// A word with an address: its first 12 bytes are zero.
    pub(super) fn word_address(&mut self) -> Option<Address> {
        let word = self.word()?;
        let address = Address::from_word(word);
        (address.into_word() == word).then_some(address)
    }

    /// All that is left.
    pub(super) const fn rest(self) -> &'a [u8] {
        self.left
    }
}
