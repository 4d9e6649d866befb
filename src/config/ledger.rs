//! [`LedgerConfig`]: how long what is in the ledger is kept.

use super::Seconds;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The shortest time that upheld cases are kept: as long as gossip may bring back a block, or a message may cite one.
pub(super) const MIN_KEEP_UPHELD: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long what is in the ledger is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerConfig {
    /// How long an upheld case is kept after its verdict.
    pub keep_upheld: Seconds,
}

impl Default for LedgerConfig {
    fn default() -> Self {
        Self { keep_upheld: Seconds(Duration::from_secs(30 * 24 * 60 * 60)) }
    }
}
