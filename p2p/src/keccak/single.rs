//! [`HashInput::hash`]: the digest of one input by itself.

use super::hash_input::HashInput;
use alloy_primitives::{B256, Keccak256};

/// From how many bytes on an input by itself is hashed with the rows of its state as vectors: the start-up
/// cost is then small beside the rest.
#[cfg(target_arch = "x86_64")]
const IN_ROWS_FROM: usize = 4 * super::hash_input::BLOCK_BYTES;

impl HashInput<'_> {
    /// Its digest, computed by itself.
    pub(crate) fn hash(&self) -> B256 {
        #[cfg(target_arch = "x86_64")]
        // Without optimisation each instruction is a call: the assembly is faster then.
        if !cfg!(debug_assertions)
            && self.len() >= IN_ROWS_FROM
            && let Some(kernel) = fearless_simd::Level::new().as_avx512()
        {
            return super::rows::hash_in_rows(kernel, *self);
        }
        let (prefix, body) = self.pieces();
        let mut hasher = Keccak256::new();
        hasher.update(prefix);
        hasher.update(body);
        hasher.finalize()
    }
}
