//! [`MonitorConfig`]: how many messages are tracked, and how long.

use super::Seconds;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How many messages are tracked, and how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MonitorConfig {
    /// How many messages are tracked at once. Beyond it new ones are counted, not tracked.
    pub max_messages: usize,
    /// How long a message is tracked that neither becomes final nor is dropped, by its block's timestamp.
    pub retention: Seconds,
}

impl Default for MonitorConfig {
    fn default() -> Self {
        Self { max_messages: 1_000_000, retention: Seconds(Duration::from_secs(7 * 24 * 60 * 60)) }
    }
}
