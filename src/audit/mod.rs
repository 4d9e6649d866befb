//! The audit: an attested block becomes a [`Case`], a case ends in a [`Verdict`].
//!
//! `case`, `verdict`, `checked_message` and `candidates` are pure. The auditor task around them asks the
//! sources and writes to the ledger; a verdict is durable before anything else hears of it.

mod auditor;
mod candidates;
mod case;
mod checked_message;
mod head_watcher;
mod heads;
mod investigator;
mod open_cases;
mod verdict;
mod wait;

pub use auditor::{AuditLimits, Auditor, AuditorMessage};
pub use candidates::Candidates;
pub use case::{BlockKey, Candidate, Case, Fact, Need};
pub use checked_message::{CheckedMessage, MessageStatus};
pub use head_watcher::HeadWatcher;
pub use heads::{Answer, Heads};
pub use investigator::{Investigation, Investigator};
pub use verdict::{InvalidMessage, Verdict, Violation};
pub use wait::{Awaited, Cause, Wait};
