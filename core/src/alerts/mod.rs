//! What is reported to an operator of events and of state, and when: [`AlertBook`], a pure state machine.
//!
//! ```text
//! Event, parts that are not ready, unresolved blocks -> Observed -> AlertBook -> Transition
//! ```
//!
//! It never sends anything, never reads a clock, and knows no receiver and no wire format. The caller stores
//! the snapshot, and the id of the last event, together with the transitions before it sends them: then a
//! restart neither repeats nor loses one.

mod alert;
mod book;
mod entry;
mod kind;
mod observed;
mod silence;

pub use alert::{Alert, AlertKey, Family, Subject};
pub use book::{AlertBook, Snapshot, Transition};
pub use entry::Slot;
pub use kind::{AlertKind, Severity};
pub use observed::{NotReady, Observed, UnresolvedViolation, observe};
pub use silence::Silence;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
