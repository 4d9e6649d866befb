//! Keccak-f\[1600\] on a single state, for one long input: FIPS 202, section 3.
//!
//! The lanes of a long input are a chain that no other input fills up, so here the steps of one permutation
//! share the vectors: each of the five rows is a vector. π makes columns out of rows, which is what χ wants,
//! word by word; then the columns are turned back into rows. With AVX-512 that takes less time than scalar
//! assembly; AVX2 has too few registers and no rotation for it.

use super::{
    hash_input::{BLOCK_BYTES, HashInput},
    permutation::{
        ROUND_CONSTANTS,
        avx512::{chi, xor3},
    },
    state::STATE_WORDS,
};
use alloy_primitives::B256;
use core::arch::x86_64::{
    __m512i, _mm512_mask_blend_epi64, _mm512_maskz_set1_epi64, _mm512_permutex2var_epi64,
    _mm512_permutexvar_epi64, _mm512_rol_epi64, _mm512_rolv_epi64, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi64, _mm512_xor_si512,
};
use fearless_simd::{Avx512, SimdInto, u64x8};

/// Words of a row.
const ROW_WORDS: usize = 5;

/// A state: row `y` has word `x + 5y` at place `x`. The three places beyond are not used.
#[derive(Clone, Debug, Default)]
#[repr(align(64))]
struct Rows([[u64; 8]; STATE_WORDS / ROW_WORDS]);

/// Which word goes where, as the instructions read it.
struct Moves {
    /// θ: the column before each.
    before: [u64; 8],
    /// θ: the column after each.
    after: [u64; 8],
    /// ρ: how far each word of each row is rotated.
    rho: [[u64; 8]; 5],
    /// π: row `y` becomes column `y`, whose place `Y` takes `x` with `2x + 3y = Y`. Place 6 repeats place 4.
    pi: [[u64; 8]; 5],
    /// The last column, spread to where the pairs of the others leave room: rows 1 and 3, then 0 and 2.
    spread: [u64; 8],
    /// Each row out of two vectors of pairs, those of the second numbered from 8 on.
    rows: [[u64; 8]; 5],
}

static MOVES: Moves = Moves {
    before: [4, 0, 1, 2, 3, 5, 6, 7],
    after: [1, 2, 3, 4, 0, 5, 6, 7],
    rho: [
        [0, 1, 62, 28, 27, 0, 0, 0],
        [36, 44, 6, 55, 20, 0, 0, 0],
        [3, 10, 43, 25, 39, 0, 0, 0],
        [41, 45, 15, 21, 8, 0, 0, 0],
        [18, 2, 61, 56, 14, 0, 0, 0],
    ],
    pi: [
        [0, 3, 1, 4, 2, 0, 2, 0],
        [1, 4, 2, 0, 3, 0, 3, 0],
        [2, 0, 3, 1, 4, 0, 4, 0],
        [3, 1, 4, 2, 0, 0, 0, 0],
        [4, 2, 0, 3, 1, 0, 1, 0],
    ],
    spread: [0, 0, 0, 0, 1, 3, 0, 2],
    rows: [
        [0, 1, 8, 9, 14, 0, 0, 0],
        [0, 1, 8, 9, 12, 0, 0, 0],
        [2, 3, 10, 11, 15, 0, 0, 0],
        [2, 3, 10, 11, 13, 0, 0, 0],
        [4, 5, 12, 13, 6, 0, 0, 0],
    ],
};

/// The words of a block, where a state has them.
#[inline]
fn rows_of(block: &[u8; BLOCK_BYTES]) -> Rows {
    let mut rows = Rows::default();
    let (words, _) = block.as_chunks();
    for (row, words) in rows.0.iter_mut().zip(words.chunks(ROW_WORDS)) {
        for (place, word) in row.iter_mut().zip(words) {
            *place = u64::from_le_bytes(*word);
        }
    }
    rows
}

/// θ, ρ, π, χ and ι on `$r`, five rows, with the moves as vectors.
macro_rules! round {
    ($r:ident, $constant:expr, $before:ident, $after:ident, $rho:ident, $pi:ident, $spread:ident, $rows:ident) => {{
        let parity = xor3!(xor3!($r[0], $r[1], $r[2]), $r[3], $r[4]);
        let before = _mm512_permutexvar_epi64($before, parity);
        let after = _mm512_permutexvar_epi64($after, _mm512_rol_epi64::<1>(parity));
        macro_rules! column {
            ($y:literal) => {{
                let rotated = _mm512_rolv_epi64(xor3!($r[$y], before, after), $rho[$y]);
                _mm512_permutexvar_epi64($pi[$y], rotated)
            }};
        }
        let (b0, b1, b2, b3, b4) = (column!(0), column!(1), column!(2), column!(3), column!(4));
        let (c0, c1) = (chi!(_mm512_xor_si512(b0, $constant), b1, b2), chi!(b1, b2, b3));
        let (c2, c3, c4) = (chi!(b2, b3, b4), chi!(b3, b4, b0), chi!(b4, b0, b1));
        // In pairs, for 0, 2 and 4 of the first two columns, place 6 taken from the last; and so on.
        let even01 = _mm512_mask_blend_epi64(0x40, _mm512_unpacklo_epi64(c0, c1), c4);
        let odd01 = _mm512_unpackhi_epi64(c0, c1);
        let spread = _mm512_permutexvar_epi64($spread, c4);
        let even23 = _mm512_mask_blend_epi64(0xc0, _mm512_unpacklo_epi64(c2, c3), spread);
        let odd23 = _mm512_mask_blend_epi64(0x30, _mm512_unpackhi_epi64(c2, c3), spread);
        $r = [
            _mm512_permutex2var_epi64(even01, $rows[0], even23),
            _mm512_permutex2var_epi64(odd01, $rows[1], odd23),
            _mm512_permutex2var_epi64(even01, $rows[2], even23),
            _mm512_permutex2var_epi64(odd01, $rows[3], odd23),
            _mm512_permutex2var_epi64(even01, $rows[4], even23),
        ];
    }};
}

fearless_simd::kernel!(
    #[inline]
    fn absorb(token: Avx512, state: &mut Rows, blocks: &[[u8; BLOCK_BYTES]]) {
        macro_rules! vector {
            ($words:expr) => {{
                let vector: u64x8<Avx512> = $words.simd_into(token);
                let vector: __m512i = vector.into();
                vector
            }};
        }
        // Constants that the compiler knew it would merge, into fewer moves that wait for each other longer.
        let moves = core::hint::black_box(&MOVES);
        let (before, after, spread) = (vector!(moves.before), vector!(moves.after), vector!(moves.spread));
        let (rho, pi) = (moves.rho.map(|row| vector!(row)), moves.pi.map(|row| vector!(row)));
        let rows = moves.rows.map(|row| vector!(row));
        let mut r: [__m512i; 5] = core::mem::take(&mut state.0).map(|row| vector!(row));
        for block in blocks {
            let words = rows_of(block);
            for (row, words) in r.iter_mut().zip(words.0) {
                *row = _mm512_xor_si512(*row, vector!(words));
            }
            for constant in ROUND_CONSTANTS {
                let constant = _mm512_maskz_set1_epi64(1, constant.cast_signed());
                round!(r, constant, before, after, rho, pi, spread, rows);
            }
        }
        state.0 = r.map(|row| {
            let row: u64x8<Avx512> = row.simd_into(token);
            row.into()
        });
    }
);

/// Hashes one input.
pub(super) fn hash_in_rows(kernel: Avx512, mut input: HashInput<'_>) -> B256 {
    let mut state = Rows::default();
    let mut scratch = [0; BLOCK_BYTES];
    while !input.is_finished() {
        match input.take_blocks() {
            [] => absorb(kernel, &mut state, core::slice::from_ref(input.next_block(&mut scratch))),
            blocks => absorb(kernel, &mut state, blocks),
        }
    }
    let mut digest = B256::ZERO;
    let (words, _) = digest.0.as_chunks_mut();
    for (bytes, word) in words.iter_mut().zip(state.0.iter().flatten()) {
        *bytes = word.to_le_bytes();
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keccak::Prefix;
    use alloy_primitives::keccak256;
    use fearless_simd::Level;
    use proptest::{collection::vec, prelude::*};

    /// As far as this machine has the kernel; the input is cut in two.
    fn check(bytes: &[u8], cut: usize) {
        let Some(kernel) = Level::new().as_avx512() else { return };
        let (front, body) = bytes.split_at(cut.min(bytes.len()));
        let mut prefix = Prefix::default();
        prefix.extend(front);
        assert_eq!(hash_in_rows(kernel, HashInput::new(prefix, body)), keccak256(bytes));
    }

    /// Sizes on both sides of every block's edge, with and without a prefix.
    #[test]
    fn every_size_around_the_edges_of_blocks() {
        for prefix in [0, 1, 7, 20] {
            for size in 0..600_usize {
                check(&vec![size as u8; size], prefix);
            }
        }
    }

    proptest! {
        #[test]
        fn digests_are_those_of_the_assembly(bytes in vec(any::<u8>(), 0..5_000), cut in 0..20_usize) {
            check(&bytes, cut);
        }
    }
}
