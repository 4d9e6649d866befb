//! The ledger: what must never be lost. Cases and their verdicts, operators' resolutions, and the
//! head vouched for, what was noted of executed messages, and switches, in SQLite.
//!
//! Everything is durable when a call returns. A verdict is written once. One against a block is taken back if
//! L1 reorgs out what it rests on and says otherwise then, and is kept beside; that a vouched head left a
//! branch stands beside, too. Of an attestation the signature that says most is kept.

mod ancestry;
mod anchor;
mod attested;
mod blob_forks;
mod candidates;
mod claims;
mod column;
mod counts;
mod database;
mod error;
mod event_of;
mod events;
mod filed_messages;
mod flags;
mod genesis;
mod heads;
mod hold;
mod invalid_blocks;
mod ledger_retry;
mod message_events;
mod record;
mod resolution;
mod resolved;
mod retention;
mod retraction;
mod runs;
mod store;
mod suspects;
mod tied_verdicts;
mod unresolved;

pub use ancestry::{BoundVerdict, NewAncestor};
#[cfg(test)]
pub(crate) use anchor::RefusedAnchor;
pub use anchor::{Anchored, Anchoring};
pub use attested::KnownCase;
#[cfg(test)]
pub(crate) use claims::Claimed;
pub use claims::{Claimant, RefutedClaim};
#[cfg(test)]
pub(crate) use counts::CaseCounts;
pub use error::LedgerError;
pub use events::{EventFilter, Read, StoredEvent};
pub use filed_messages::{FiledFilter, FiledMessage};
pub use genesis::GenesisSource;
pub(crate) use heads::MAX_ADVANCE;
pub use heads::{Passage, VouchedHead};
pub use hold::Hold;
pub use ledger_retry::Backoff;
pub use record::{CaseFilter, CaseRecord};
#[cfg(test)]
pub(crate) use resolution::RefusedResolution;
pub use resolution::{Resolution, Resolved};
pub use resolved::ResolvedBlock;
#[cfg(test)]
pub(crate) use retention::Pruned;
pub use retention::Pruning;
pub use retraction::{BranchBlock, Retraction, RetractionReason};
pub use store::{Decided, Decision, Ledger, NewCase, Opened, Opening, StoredCase};
pub use tied_verdicts::TiedVerdict;
pub use unresolved::{Attribution, Unresolved, UnresolvedCount};

#[cfg(test)]
mod tests;
