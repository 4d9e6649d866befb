//! [`States`]: several Keccak states side by side, and [`Permute`], which permutes them at a time.

use super::hash_input::{BLOCK_BYTES, HashInput};
use alloy_primitives::B256;

/// 64-bit words of a Keccak state.
pub(super) const STATE_WORDS: usize = 25;

/// Keccak states side by side: word by word, the same word of every lane.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct States<const N: usize>(pub(super) [[u64; N]; STATE_WORDS]);

/// A permutation of `N` states at a time.
pub(super) trait Permute<const N: usize>: Copy {
    /// Permutes every state.
    fn permute(self, states: &mut States<N>);
}

impl<const N: usize> States<N> {
    /// Clears the state of a lane.
    pub(super) fn clear(&mut self, column: usize) {
        self.0.iter_mut().filter_map(|row| row.get_mut(column)).for_each(|word| *word = 0);
    }

    /// Absorbs the next block of an input into the state of a lane.
    pub(super) fn absorb(&mut self, column: usize, input: &mut HashInput<'_>) {
        let mut scratch = [0; BLOCK_BYTES];
        let (words, _) = input.next_block(&mut scratch).as_chunks();
        for (row, bytes) in self.0.iter_mut().zip(words) {
            if let Some(word) = row.get_mut(column) {
                *word ^= u64::from_le_bytes(*bytes);
            }
        }
    }

    /// The digest of a lane, after the last block and its permutation.
    pub(super) fn squeeze(&self, column: usize) -> B256 {
        let mut digest = B256::ZERO;
        let (words, _) = digest.0.as_chunks_mut();
        for (bytes, row) in words.iter_mut().zip(&self.0) {
            *bytes = row.get(column).copied().unwrap_or_default().to_le_bytes();
        }
        digest
    }
}
