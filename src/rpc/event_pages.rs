//! [`EventsPage`] and [`VerdictsPage`]: what `crosscheck_events` and `crosscheck_verdicts` answer.

use crate::ledger::{CaseRecord, StoredEvent};
use serde::Serialize;

/// A page of events.
#[derive(Debug, Clone, Serialize)]
pub struct EventsPage {
    /// The events, in the order in which they were written.
    pub events: Vec<StoredEvent>,
    /// What to give as `after` for the next page. `null`: this was the last.
    pub next: Option<u64>,
    /// Where this page ended: given as `after`, it leads to whatever comes later.
    pub cursor: u64,
}

/// A page of decided blocks.
#[derive(Debug, Clone, Serialize)]
pub struct VerdictsPage {
    /// The blocks, in the order in which their verdicts fell.
    pub verdicts: Vec<CaseRecord>,
    /// What to give as `after` for the next page. `null`: this was the last.
    pub next: Option<u64>,
    /// Where this page ended: given as `after`, it leads to whatever comes later.
    pub cursor: u64,
}
