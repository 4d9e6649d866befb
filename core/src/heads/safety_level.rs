//! [`SafetyLevel`]: how far a block has come.
//!
//! Spec: interop/verifier.md, "Safety"; interop/supervisor.md, "SafetyLevel".

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// How far a block has come. `Safe` is cross-safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SafetyLevel {
    /// It exists.
    Unsafe,
    /// Every message in it, and in all below it, is verified.
    CrossUnsafe,
    /// It is derived from L1.
    LocalSafe,
    /// It is derived from L1 and every message in it is verified.
    Safe,
    /// L1 finality covers it.
    Finalized,
}

/// A text that names no safety level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a safety level; write unsafe, cross-unsafe, local-safe, safe or finalized")]
pub struct ParseSafetyLevelError {
    /// The text.
    pub found: String,
}

impl SafetyLevel {
    /// Every level, from the lowest.
    pub const ALL: [Self; 5] =
        [Self::Unsafe, Self::CrossUnsafe, Self::LocalSafe, Self::Safe, Self::Finalized];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unsafe => "unsafe",
            Self::CrossUnsafe => "cross-unsafe",
            Self::LocalSafe => "local-safe",
            Self::Safe => "safe",
            Self::Finalized => "finalized",
        }
    }
}

impl fmt::Display for SafetyLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SafetyLevel {
    type Err = ParseSafetyLevelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|level| level.name() == text);
        named.ok_or_else(|| ParseSafetyLevelError { found: text.to_owned() })
    }
}
