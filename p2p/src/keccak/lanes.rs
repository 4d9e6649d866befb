//! [`hash_in_lanes`]: keeps every lane of a permutation busy with an input of its own.
//!
//! A lane whose input ends takes the next one at once, so that inputs of different sizes do not wait for one
//! another.

use super::{
    hash_input::HashInput,
    state::{Permute, STATE_WORDS, States},
};
use alloy_primitives::B256;

/// Hashes each input in a lane, except those that are to be hashed `alone`.
pub(super) fn hash_in_lanes<'m, const N: usize>(
    kernel: impl Permute<N>,
    mut inputs: impl Iterator<Item = (usize, HashInput<'m>)>,
    alone: impl Fn(&HashInput<'m>) -> bool,
    mut digest: impl FnMut(usize, B256),
) {
    let mut states = States([[0; N]; STATE_WORDS]);
    let mut lanes: [Option<(usize, HashInput<'m>)>; N] = [None; N];
    loop {
        let mut busy = false;
        for (column, lane) in lanes.iter_mut().enumerate() {
            if lane.is_none() {
                *lane = next_for_lane(&mut inputs, &alone, &mut digest);
                states.clear(column);
            }
            if let Some((_, input)) = lane {
                states.absorb(column, input);
                busy = true;
            }
        }
        if !busy {
            return;
        }
        kernel.permute(&mut states);
        for (column, lane) in lanes.iter_mut().enumerate() {
            if let Some((number, _)) = lane.take_if(|(_, input)| input.is_finished()) {
                digest(number, states.squeeze(column));
            }
        }
    }
}

/// The next input for a lane. Inputs before it that are to be hashed alone are hashed on the way.
fn next_for_lane<'m>(
    inputs: &mut impl Iterator<Item = (usize, HashInput<'m>)>,
    alone: impl Fn(&HashInput<'m>) -> bool,
    mut digest: impl FnMut(usize, B256),
) -> Option<(usize, HashInput<'m>)> {
    inputs.find(|(number, input)| {
        let alone = alone(input);
        if alone {
            digest(*number, input.hash());
        }
        !alone
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keccak::Prefix;
    use alloy_primitives::keccak256;
    use fearless_simd::Level;
    use proptest::{collection::vec, prelude::*};

    /// Hashes with one kernel, each input cut in two at its own place.
    fn digests<const N: usize>(kernel: impl Permute<N>, inputs: &[(Vec<u8>, usize)]) -> Vec<B256> {
        let mut digests = vec![B256::ZERO; inputs.len()];
        let cut = inputs.iter().map(|(bytes, at)| {
            let (front, body) = bytes.split_at(*at.min(&bytes.len()));
            let mut prefix = Prefix::default();
            prefix.extend(front);
            HashInput::new(prefix, body)
        });
        let keep = |number: usize, digest| digests[number] = digest;
        hash_in_lanes(kernel, cut.enumerate(), |_| false, keep);
        digests
    }

    /// As far as this machine has them; the AVX2 kernel runs wherever the AVX-512 one does.
    fn check(inputs: &[(Vec<u8>, usize)]) {
        let expected: Vec<_> = inputs.iter().map(|(bytes, _)| keccak256(bytes)).collect();
        if let Some(kernel) = Level::new().as_avx512() {
            assert_eq!(digests(kernel, inputs), expected);
        }
        if let Some(kernel) = Level::new().as_avx2() {
            assert_eq!(digests(kernel, inputs), expected);
        }
    }

    /// Sizes on both sides of every block's edge, with and without a prefix.
    #[test]
    fn every_size_around_the_edges_of_blocks() {
        for prefix in [0, 1, 7, 20] {
            let inputs: Vec<_> = (0..600_usize).map(|size| (vec![size as u8; size], prefix)).collect();
            check(&inputs);
        }
    }

    proptest! {
        #[test]
        fn each_digest_is_that_of_its_input_alone(
            inputs in vec((vec(any::<u8>(), 0..500), 0..20_usize), 0..40)
        ) {
            check(&inputs);
        }
    }
}
