//! When a message is valid: each chain's dependency set, the clauses, cycles, and what an access list may
//! declare.
//!
//! Facts about other chains come in as arguments.

mod access_rules;
mod cycles;
mod dependency_set;
mod invalid_reason;
mod message_status;
mod objection;
mod propagation;
mod rules;
mod times;

pub use access_rules::{AccessContext, check_access, check_access_log, check_access_tip, check_suspect};
pub use cycles::{CycleRule, SameTimestamp, cyclic_chains, rule_dependent_chains};
pub use dependency_set::{
    ChainRules, DEFAULT_EXPIRY_WINDOW, DependencySet, Learnt, Member, ReportedRules, RuleAgreement,
};
pub use invalid_reason::InvalidReason;
pub use message_status::{MessageStatus, NoSuchStatus, StatusKind};
pub use objection::{Objection, Unclear};
pub use propagation::{Propagation, Validity};
pub use rules::{Execution, check_claim, check_executed, check_log, check_tip};
