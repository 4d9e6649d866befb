//! The audit: fetches the facts that each attested block's case needs, and stores its verdict before anything
//! else learns of it.
//!
//! The rules of a case are in [`crosscheck_core::case`]. Nothing here decides whether a message is valid.

mod auditor;
mod claim_book;
mod claimant_watcher;
mod gap_run;
mod head_watcher;
mod heads;
mod investigator;
mod l1_judge;
mod long_open;
mod metrics;
mod node_comparer;
mod node_differences;
mod open_cases;
mod origin_witnesses;
mod outlook;
mod range;
mod reasons;
mod replaced_branch;
mod reported_forks;
mod rival_watcher;
mod rivals;
mod rule_check;
mod rules_asker;
mod safe_meaning;
mod second_opinion;
mod vouched_watch;

pub use auditor::{AuditLimits, Auditor, AuditorMessage, AuditorParts, Claim};
pub use claimant_watcher::{ClaimantWatcher, ClaimantWatcherParts, shows_that_it_verifies};
pub use head_watcher::{HeadWatcher, HeadWatcherParts};
pub use heads::{Heads, OtherNode, StatusAnswer};
pub use investigator::{Investigation, Investigator, InvestigatorParts};
pub use l1_judge::{JudgedChain, L1Judge};
pub use long_open::{LongOpenCase, LongOpenCases, OpenCaseWatch};
pub use metrics::AuditMetrics;
pub use node_comparer::{COMPARE_EVERY, NodeComparer, NodeComparerParts, NodeDisagreements};
pub use origin_witnesses::OriginWitnesses;
pub use range::{RangeAudit, RangeOutcome};
pub use replaced_branch::BranchWatch;
pub(crate) use reported_forks::ReportedForks;
pub use rival_watcher::{RIVAL_INBOX, RivalWatcher, RivalWatcherParts};
pub use rule_check::RuleDifference;
pub(crate) use rules_asker::Consultation;
pub use rules_asker::{RulesAsker, RulesError, in_words};
#[cfg(test)]
pub(crate) use second_opinion::Assumed;
pub use second_opinion::SecondOpinion;
pub use vouched_watch::VouchedWatch;
