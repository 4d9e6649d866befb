//! Keccak-f\[1600\] on several states at a time: FIPS 202, section 3.
//!
//! Written once as a macro over five operations on lanes, and compiled for AVX-512, which has each of them as
//! an instruction, and for AVX2. The library's macro makes the instructions safe to use: a kernel runs only
//! with a token that proves that the machine has them.

/// The constants of the step ι.
pub(super) const ROUND_CONSTANTS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// θ, ρ, π, χ and ι on `$s`, an array of 25 vectors, word `x + 5y` at that index.
///
/// `$xor3` is `a ^ b ^ c`, `$chi` is `a ^ (!b & c)`, `$rol` rotates left by a constant.
macro_rules! round {
    ($s:ident, $constant:expr, $xor:ident, $xor3:ident, $chi:ident, $rol:ident) => {{
        let c0 = $xor3!($xor3!($s[0], $s[5], $s[10]), $s[15], $s[20]);
        let c1 = $xor3!($xor3!($s[1], $s[6], $s[11]), $s[16], $s[21]);
        let c2 = $xor3!($xor3!($s[2], $s[7], $s[12]), $s[17], $s[22]);
        let c3 = $xor3!($xor3!($s[3], $s[8], $s[13]), $s[18], $s[23]);
        let c4 = $xor3!($xor3!($s[4], $s[9], $s[14]), $s[19], $s[24]);
        let (r0, r1, r2) = ($rol!(c0, 1), $rol!(c1, 1), $rol!(c2, 1));
        let (r3, r4) = ($rol!(c3, 1), $rol!(c4, 1));
        let (b0, b1) = ($xor3!($s[0], c4, r1), $rol!($xor3!($s[6], c0, r2), 44));
        let (b2, b3) = ($rol!($xor3!($s[12], c1, r3), 43), $rol!($xor3!($s[18], c2, r4), 21));
        let (b4, b5) = ($rol!($xor3!($s[24], c3, r0), 14), $rol!($xor3!($s[3], c2, r4), 28));
        let (b6, b7) = ($rol!($xor3!($s[9], c3, r0), 20), $rol!($xor3!($s[10], c4, r1), 3));
        let (b8, b9) = ($rol!($xor3!($s[16], c0, r2), 45), $rol!($xor3!($s[22], c1, r3), 61));
        let (b10, b11) = ($rol!($xor3!($s[1], c0, r2), 1), $rol!($xor3!($s[7], c1, r3), 6));
        let (b12, b13) = ($rol!($xor3!($s[13], c2, r4), 25), $rol!($xor3!($s[19], c3, r0), 8));
        let (b14, b15) = ($rol!($xor3!($s[20], c4, r1), 18), $rol!($xor3!($s[4], c3, r0), 27));
        let (b16, b17) = ($rol!($xor3!($s[5], c4, r1), 36), $rol!($xor3!($s[11], c0, r2), 10));
        let (b18, b19) = ($rol!($xor3!($s[17], c1, r3), 15), $rol!($xor3!($s[23], c2, r4), 56));
        let (b20, b21) = ($rol!($xor3!($s[2], c1, r3), 62), $rol!($xor3!($s[8], c2, r4), 55));
        let (b22, b23) = ($rol!($xor3!($s[14], c3, r0), 39), $rol!($xor3!($s[15], c4, r1), 41));
        let b24 = $rol!($xor3!($s[21], c0, r2), 2);
        $s = [
            $xor!($chi!(b0, b1, b2), $constant),
            $chi!(b1, b2, b3),
            $chi!(b2, b3, b4),
            $chi!(b3, b4, b0),
            $chi!(b4, b0, b1),
            $chi!(b5, b6, b7),
            $chi!(b6, b7, b8),
            $chi!(b7, b8, b9),
            $chi!(b8, b9, b5),
            $chi!(b9, b5, b6),
            $chi!(b10, b11, b12),
            $chi!(b11, b12, b13),
            $chi!(b12, b13, b14),
            $chi!(b13, b14, b10),
            $chi!(b14, b10, b11),
            $chi!(b15, b16, b17),
            $chi!(b16, b17, b18),
            $chi!(b17, b18, b19),
            $chi!(b18, b19, b15),
            $chi!(b19, b15, b16),
            $chi!(b20, b21, b22),
            $chi!(b21, b22, b23),
            $chi!(b22, b23, b24),
            $chi!(b23, b24, b20),
            $chi!(b24, b20, b21),
        ];
    }};
}

pub(super) mod avx512 {
    use super::ROUND_CONSTANTS;
    use crate::keccak::state::{Permute, STATE_WORDS, States};
    use core::arch::x86_64::{__m512i, _mm512_rol_epi64, _mm512_set1_epi64, _mm512_xor_si512};
    use fearless_simd::{Avx512, SimdInto, u64x8};

    macro_rules! xor {
        ($a:expr, $b:expr) => {
            _mm512_xor_si512($a, $b)
        };
    }
    macro_rules! xor3 {
        ($a:expr, $b:expr, $c:expr) => {
            core::arch::x86_64::_mm512_ternarylogic_epi64::<0x96>($a, $b, $c)
        };
    }
    macro_rules! chi {
        ($a:expr, $b:expr, $c:expr) => {
            core::arch::x86_64::_mm512_ternarylogic_epi64::<0xd2>($a, $b, $c)
        };
    }
    pub(in crate::keccak) use {chi, xor3};
    macro_rules! rol {
        ($a:expr, $by:literal) => {
            _mm512_rol_epi64::<$by>($a)
        };
    }

    fearless_simd::kernel!(
        #[inline]
        fn permute(token: Avx512, states: &mut States<8>) {
            let mut s: [__m512i; STATE_WORDS] = states.0.map(|row| {
                let row: u64x8<Avx512> = row.simd_into(token);
                row.into()
            });
            for constant in ROUND_CONSTANTS {
                round!(s, _mm512_set1_epi64(constant.cast_signed()), xor, xor3, chi, rol);
            }
            for (row, vector) in states.0.iter_mut().zip(s) {
                let vector: u64x8<Avx512> = vector.simd_into(token);
                *row = vector.into();
            }
        }
    );

    impl Permute<8> for Avx512 {
        #[inline]
        fn permute(self, states: &mut States<8>) {
            permute(self, states);
        }
    }
}

mod avx2 {
    use super::ROUND_CONSTANTS;
    use crate::keccak::state::{Permute, STATE_WORDS, States};
    use core::arch::x86_64::{
        __m256i, _mm256_andnot_si256, _mm256_or_si256, _mm256_set1_epi64x, _mm256_slli_epi64,
        _mm256_srli_epi64, _mm256_xor_si256,
    };
    use fearless_simd::{Avx2, SimdInto, u64x4};

    macro_rules! xor {
        ($a:expr, $b:expr) => {
            _mm256_xor_si256($a, $b)
        };
    }
    macro_rules! xor3 {
        ($a:expr, $b:expr, $c:expr) => {
            _mm256_xor_si256(_mm256_xor_si256($a, $b), $c)
        };
    }
    macro_rules! chi {
        ($a:expr, $b:expr, $c:expr) => {
            _mm256_xor_si256($a, _mm256_andnot_si256($b, $c))
        };
    }
    macro_rules! rol {
        ($a:expr, $by:literal) => {{
            let a = $a;
            _mm256_or_si256(_mm256_slli_epi64::<$by>(a), _mm256_srli_epi64::<{ 64 - $by }>(a))
        }};
    }

    fearless_simd::kernel!(
        #[inline]
        fn permute(token: Avx2, states: &mut States<4>) {
            let mut s: [__m256i; STATE_WORDS] = states.0.map(|row| {
                let row: u64x4<Avx2> = row.simd_into(token);
                row.into()
            });
            for constant in ROUND_CONSTANTS {
                round!(s, _mm256_set1_epi64x(constant.cast_signed()), xor, xor3, chi, rol);
            }
            for (row, vector) in states.0.iter_mut().zip(s) {
                let vector: u64x4<Avx2> = vector.simd_into(token);
                *row = vector.into();
            }
        }
    );

    impl Permute<4> for Avx2 {
        #[inline]
        fn permute(self, states: &mut States<4>) {
            permute(self, states);
        }
    }
}
