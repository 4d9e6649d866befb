//! Keccak-256 of many inputs at a time, and of a long one by itself.
//!
//! A permutation is a chain of dependent steps, so a core that hashes one input leaves most of its vector
//! unit idle. Here as many inputs as a vector has lanes advance together: eight with AVX-512, four with AVX2,
//! determined at run time; elsewhere they are hashed one by one with the assembly that everything else uses.
//! A long input that is hashed by itself has the rows of its state as vectors, with AVX-512. Never allocates,
//! and never spreads work over threads.

mod hash_input;
#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(target_arch = "x86_64")]
mod permutation;
#[cfg(target_arch = "x86_64")]
mod rows;
mod single;
#[cfg(target_arch = "x86_64")]
mod state;

pub(crate) use hash_input::{HashInput, Prefix};

use alloy_primitives::B256;

/// Hashes each input and passes its number and digest to `digest`, in any order.
///
/// An input of more than half of `total` bytes is hashed alone: its lane would run on when the others have
/// nothing left to do.
pub(crate) fn hash_each<'m>(
    inputs: impl Iterator<Item = (usize, HashInput<'m>)>,
    total: usize,
    mut digest: impl FnMut(usize, B256),
) {
    let is_alone = |input: &HashInput<'_>| input.len() > total / 2;
    #[cfg(target_arch = "x86_64")]
    {
        let level = fearless_simd::Level::new();
        if let Some(kernel) = level.as_avx512() {
            return lanes::hash_in_lanes(kernel, inputs, is_alone, digest);
        }
        if let Some(kernel) = level.as_avx2() {
            return lanes::hash_in_lanes(kernel, inputs, is_alone, digest);
        }
    }
    // Every input is hashed by itself here.
    let _ = is_alone;
    inputs.for_each(|(number, input)| digest(number, input.hash()));
}
