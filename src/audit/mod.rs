//! The audit: an attested block becomes a [`Case`], a case ends in a [`Verdict`].
//!
//! `case`, `closure`, `gap_run`, `proven_blocks`, `verdict`, `checked_message`, `candidates` and `rivals` are pure. The auditor task around them asks the
//! sources and writes to the ledger; a verdict is durable before anything else hears of it.

mod auditor;
mod candidates;
mod case;
mod checked_message;
mod closure;
mod fact;
mod gap_run;
mod head_watcher;
mod heads;
mod investigator;
mod l1_judge;
mod long_open;
mod need;
mod node_comparer;
mod node_differences;
mod open_cases;
mod origin_witnesses;
mod outlook;
mod proven_blocks;
mod range;
mod reasons;
mod replaced_branch;
mod rival_watcher;
mod rivals;
mod rule_check;
mod rules_asker;
mod safe_meaning;
mod second_opinion;
mod told_forks;
mod verdict;
mod vouched_watch;
mod wait;

pub use auditor::{AuditLimits, Auditor, AuditorMessage};
pub use candidates::{Candidate, CandidateBook, Candidates};
pub use case::{Case, CaseRules};
pub use checked_message::CheckedMessage;
pub use closure::{Ask, Closure, Maturity, Place, Standing};
pub use fact::Fact;
pub use head_watcher::HeadWatcher;
pub use heads::{Answer, Heads, OtherNode};
pub use investigator::{Investigation, Investigator};
pub use l1_judge::{JudgedChain, L1Judge};
pub use long_open::{LongOpenCase, LongOpenCases, OpenCaseWatch};
pub use need::Need;
pub use node_comparer::{COMPARE_EVERY, NodeComparer, NodeQuarrels};
pub use origin_witnesses::OriginWitnesses;
pub use range::{RangeAudit, RangeOutcome};
pub use replaced_branch::BranchWatch;
pub use rival_watcher::{RIVAL_INBOX, RivalWatcher};
pub use rivals::Relation;
pub use rule_check::RuleDifference;
pub(crate) use rules_asker::Consultation;
pub use rules_asker::{RulesAsker, RulesError, in_words};
pub use second_opinion::{Assumed, SecondOpinion};
pub(crate) use told_forks::ToldForks;
pub use verdict::{Discard, InvalidMessage, L1Contradiction, Superseding, Verdict, Violation};
pub use vouched_watch::VouchedWatch;
pub use wait::{Awaited, Cause, Wait};
