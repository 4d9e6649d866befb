//! [`hash_in_lanes`]: keeps every lane of a permutation busy with a message of its own.
//!
//! A lane whose message ends takes the next one at once, so that messages of different sizes do not wait for one
//! another.

use super::message::{BLOCK_BYTES, Message};
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

/// Hashes each message in some lane, those that are to be hashed `alone` in none.
pub(super) fn hash_in_lanes<'m, const N: usize>(
    kernel: impl Permute<N>,
    mut messages: impl Iterator<Item = (usize, Message<'m>)>,
    alone: impl Fn(&Message<'m>) -> bool,
    mut digest: impl FnMut(usize, B256),
) {
    let mut states = States([[0; N]; STATE_WORDS]);
    let mut lanes: [Option<(usize, Message<'m>)>; N] = [None; N];
    loop {
        let mut busy = false;
        for (column, lane) in lanes.iter_mut().enumerate() {
            if lane.is_none() {
                *lane = next_for_lane(&mut messages, &alone, &mut digest);
                states.clear(column);
            }
            if let Some((_, message)) = lane {
                states.absorb(column, message);
                busy = true;
            }
        }
        if !busy {
            return;
        }
        kernel.permute(&mut states);
        for (column, lane) in lanes.iter_mut().enumerate() {
            if let Some((number, _)) = lane.take_if(|(_, message)| message.is_finished()) {
                digest(number, states.squeeze(column));
            }
        }
    }
}

/// The next message for a lane; those before it that want to be alone are hashed on the way.
fn next_for_lane<'m>(
    messages: &mut impl Iterator<Item = (usize, Message<'m>)>,
    alone: impl Fn(&Message<'m>) -> bool,
    mut digest: impl FnMut(usize, B256),
) -> Option<(usize, Message<'m>)> {
    messages.find(|(number, message)| {
        let alone = alone(message);
        if alone {
            digest(*number, message.hash());
        }
        !alone
    })
}

impl<const N: usize> States<N> {
    fn clear(&mut self, column: usize) {
        self.0.iter_mut().filter_map(|row| row.get_mut(column)).for_each(|word| *word = 0);
    }

    fn absorb(&mut self, column: usize, message: &mut Message<'_>) {
        let mut scratch = [0; BLOCK_BYTES];
        let (words, _) = message.next_block(&mut scratch).as_chunks();
        for (row, bytes) in self.0.iter_mut().zip(words) {
            if let Some(word) = row.get_mut(column) {
                *word ^= u64::from_le_bytes(*bytes);
            }
        }
    }

    fn squeeze(&self, column: usize) -> B256 {
        let mut digest = B256::ZERO;
        let (words, _) = digest.0.as_chunks_mut();
        for (bytes, row) in words.iter_mut().zip(&self.0) {
            *bytes = row.get(column).copied().unwrap_or_default().to_le_bytes();
        }
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keccak::Head;
    use alloy_primitives::keccak256;
    use fearless_simd::Level;
    use proptest::{collection::vec, prelude::*};

    /// Hashes with one kernel, each message cut in two at its own place.
    fn digests<const N: usize>(kernel: impl Permute<N>, messages: &[(Vec<u8>, usize)]) -> Vec<B256> {
        let mut digests = vec![B256::ZERO; messages.len()];
        let cut = messages.iter().map(|(bytes, at)| {
            let (front, body) = bytes.split_at(*at.min(&bytes.len()));
            let mut head = Head::default();
            head.extend(front);
            Message::new(head, body)
        });
        let keep = |number: usize, digest| digests[number] = digest;
        hash_in_lanes(kernel, cut.enumerate(), |_| false, keep);
        digests
    }

    /// As far as this machine has them; the AVX2 kernel runs wherever the AVX-512 one does.
    fn check(messages: &[(Vec<u8>, usize)]) {
        let expected: Vec<_> = messages.iter().map(|(bytes, _)| keccak256(bytes)).collect();
        if let Some(kernel) = Level::new().as_avx512() {
            assert_eq!(digests(kernel, messages), expected);
        }
        if let Some(kernel) = Level::new().as_avx2() {
            assert_eq!(digests(kernel, messages), expected);
        }
    }

    /// Sizes on both sides of every block's edge, with and without a head.
    #[test]
    fn every_size_around_the_edges_of_blocks() {
        for head in [0, 1, 7, 20] {
            let messages: Vec<_> = (0..600_usize).map(|size| (vec![size as u8; size], head)).collect();
            check(&messages);
        }
    }

    proptest! {
        #[test]
        fn digests_are_the_ones_of_each_message_alone(
            messages in vec((vec(any::<u8>(), 0..500), 0..20_usize), 0..40)
        ) {
            check(&messages);
        }
    }
}
