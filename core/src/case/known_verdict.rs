//! [`KnownVerdict`]: a verdict as it was stored.

use super::VerdictKind;

/// A verdict as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownVerdict {
    /// What it says.
    pub kind: VerdictKind,
    /// Its reason.
    pub reason: Option<String>,
    /// What was found, for people.
    pub detail: String,
}
