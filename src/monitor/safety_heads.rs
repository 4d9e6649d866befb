//! [`SafetyHeads`]: how far a chain is, as its own node or client says.

use crate::interop::SafetyLevel;

/// Heights of a chain's heads. A client that tells no local-safe head is taken at its safe one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SafetyHeads {
    /// Derived from L1.
    pub local_safe: u64,
    /// Cross-safe.
    pub safe: u64,
    /// Covered by L1 finality.
    pub finalized: u64,
}

impl SafetyHeads {
    /// The level of a canonical block at this height, where every block up to `cross_unsafe` is verified.
    pub const fn level_of(&self, number: u64, cross_unsafe: u64) -> SafetyLevel {
        if number <= self.finalized {
            SafetyLevel::Finalized
        } else if number <= self.safe {
            SafetyLevel::Safe
        } else if number <= self.local_safe {
            SafetyLevel::LocalSafe
        } else if number <= cross_unsafe {
            SafetyLevel::CrossUnsafe
        } else {
            SafetyLevel::Unsafe
        }
    }
}
