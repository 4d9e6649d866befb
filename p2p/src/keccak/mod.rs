//! Keccak-256 of many messages at a time, and of a long one by itself.
//!
//! A permutation is a chain of dependent steps, so a core that hashes one message leaves most of its vector unit
//! idle. Here as many messages as a vector has lanes advance together: eight with AVX-512, four with AVX2, told
//! apart at run time; elsewhere they are hashed one by one with the assembly that everything else uses. A long message
//! that is hashed by itself has the rows of its state as vectors, with AVX-512. Never allocates, and never spreads work
//! over threads.

#[cfg(target_arch = "x86_64")]
mod lanes;
mod message;
#[cfg(target_arch = "x86_64")]
mod permutation;
#[cfg(target_arch = "x86_64")]
mod rows;

pub(crate) use message::{Head, Message};

use alloy_primitives::B256;

/// Hashes each message and hands its number and digest to `digest`, in any order.
///
/// A message of more than half of `total` bytes is hashed alone: its lane would run on when the others have
/// nothing left to do.
pub(crate) fn hash_each<'m>(
    messages: impl Iterator<Item = (usize, Message<'m>)>,
    total: usize,
    mut digest: impl FnMut(usize, B256),
) {
    let is_alone = |message: &Message<'_>| message.len() > total / 2;
    #[cfg(target_arch = "x86_64")]
    {
        let level = fearless_simd::Level::new();
        if let Some(kernel) = level.as_avx512() {
            return lanes::hash_in_lanes(kernel, messages, is_alone, digest);
        }
        if let Some(kernel) = level.as_avx2() {
            return lanes::hash_in_lanes(kernel, messages, is_alone, digest);
        }
    }
    // Alone or not, there is one way here.
    let _ = is_alone;
    messages.for_each(|(number, message)| digest(number, message.hash()));
}
