//! The ledger: what must never be lost. Cases and their verdicts, and the head vouched for, in SQLite.
//!
//! Everything is durable when a call returns. A verdict is written once and never changed.

mod candidates;
mod counts;
mod error;
mod heads;
mod record;
mod store;

pub use counts::CaseCounts;
pub use error::LedgerError;
pub use heads::{BlockPosition, Unlinked};
pub use record::{CaseFilter, CaseRecord};
pub use store::{Decision, Ledger, NewCase, OpenCase, Opened};

#[cfg(test)]
mod tests;
