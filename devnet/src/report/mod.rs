//! What was scripted against what was found: the report of a run, its outcome, and their text for a person.

mod claim_report;
mod devnet_report;
mod message_report;
mod outcome;
mod summary;

pub(crate) use claim_report::{PlantedClaim, RunMode, is_difference_reported, is_lie_refuted, unrefuted};
pub use devnet_report::DevnetReport;
pub(crate) use devnet_report::{ChainReport, PlantedAttestation, PlantedFault};
pub use outcome::DevnetOutcome;
pub(crate) use outcome::{held_elsewhere, lagging_followers, last_attested, missed, unsettled};
pub use summary::summary;
