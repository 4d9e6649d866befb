//! [`KnownVerdict`]: a verdict as it was stored.

/// A verdict as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownVerdict {
    /// Its name.
    pub name: String,
    /// Its reason.
    pub reason: Option<String>,
    /// What was found, for people.
    pub detail: String,
}
