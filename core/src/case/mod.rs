//! An attested block under audit: [`Case`] says which facts it needs, takes them, and ends in a [`Verdict`].
//!
//! Nothing here asks for a fact.

mod candidates;
mod checked_message;
mod closure;
mod fact;
mod known_verdict;
mod machine;
mod need;
mod proven_blocks;
mod relation;
mod verdict;
mod verdict_kind;
mod wait;

pub use candidates::{Candidate, CandidateBook, Candidates};
pub use checked_message::CheckedMessage;
pub use closure::{BlockRequest, Closure, Maturity};
pub use fact::{DerivedBlock, Fact};
pub use known_verdict::KnownVerdict;
pub use machine::{Case, CaseRules};
pub use need::{AroundNeed, FactNeed, Need};
pub use proven_blocks::{Continuity, ProvenBlocks};
pub use relation::{Origin, Relation, Side};
pub use verdict::{Discard, InvalidMessage, L1Contradiction, Superseding, Verdict, Violation};
pub use verdict_kind::{UnknownVerdict, VerdictKind};
pub use wait::{Awaited, Cause, Wait};

/// The worlds of the closure's tests, for tests of other rooms.
#[cfg(test)]
pub(crate) use closure::tests as worlds;
