//! [`Times`]: the clauses that need nothing but the dependency sets and the times on both sides, in their one
//! order.
//!
//! The same clauses apply to an executed message and to a declared one, but for whether the timestamps may be
//! equal and until when the message must not expire.

use super::{DependencySet, InvalidReason, Objection, Unclear};
use crosscheck_p2p::{ChainId, UnixSeconds};

/// Who executes what, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// The executing chain. `None`: it is not named, and no rule about it is checked.
    pub executing: Option<ChainId>,
    /// When the message is executed.
    pub executed: UnixSeconds,
    /// Until when it must not have expired: `executed`, or later.
    pub latest: UnixSeconds,
    /// The initiating chain.
    pub initiating: ChainId,
    /// When the message is initiated.
    pub initiated: UnixSeconds,
    /// Whether it may be initiated at the very timestamp of its execution.
    pub may_be_equal: bool,
}

impl Times {
    /// Membership, activation on both sides, order, expiry.
    pub(super) fn check(&self, set: &DependencySet) -> Result<(), Objection> {
        let &Self { executed, initiated, initiating, .. } = self;
        match self.executing {
            Some(executing) => {
                set.check_membership(executing, initiating)?;
                set.check_active(executing, executed)?;
            }
            // The chain whose set is meant is not named: any chain that is watched may be meant.
            None if !set.contains(initiating) => {
                return Err(Unclear::NotWatched { chain_id: initiating }.into());
            }
            None => {}
        }
        set.check_active(initiating, initiated)?;
        if initiated > executed || (initiated == executed && !self.may_be_equal) {
            return Err(InvalidReason::InitiatedAfterExecution { initiated, executed }.into());
        }
        // Without an executing chain, the window of the initiating chain applies: both are in one set.
        let window = set.expiry_window(self.executing.unwrap_or(initiating));
        // No overflow: `latest` is not before `executed`, which is not before `initiated`.
        if self.latest.0.saturating_sub(initiated.0) > window {
            return Err(InvalidReason::Expired { initiated, executed: self.latest, window }.into());
        }
        Ok(())
    }
}
