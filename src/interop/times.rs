//! [`Times`]: the clauses that need nothing but the dependency set and the times on both sides, in their one order.
//!
//! An executed message and a declared one are held to the same clauses, but for whether the timestamps may be equal
//! and until when the message must not expire.

use super::{DependencySet, InvalidReason};
use crosscheck_p2p::{ChainId, UnixSeconds};

/// Who executes what, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// The executing chain. `None`: it is not told, and nothing is asked of it.
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
    /// Membership of both chains, activation on both sides, order, expiry.
    pub(super) fn check(&self, set: &DependencySet) -> Result<(), InvalidReason> {
        let &Self { executed, initiated, initiating: initiating_id, .. } = self;
        let executing = match self.executing {
            Some(chain_id) => {
                let member = set.member(chain_id).ok_or(InvalidReason::ExecutingChainUnknown { chain_id })?;
                Some((member, chain_id))
            }
            None => None,
        };
        let initiating =
            set.member(initiating_id).ok_or(InvalidReason::UnknownChain { chain_id: initiating_id })?;
        if let Some((member, chain_id)) = executing
            && !member.is_past_activation_block(executed)
        {
            return Err(InvalidReason::NotActive { chain_id, timestamp: executed });
        }
        if !initiating.is_past_activation_block(initiated) {
            return Err(InvalidReason::NotActive { chain_id: initiating_id, timestamp: initiated });
        }
        if initiated > executed || (initiated == executed && !self.may_be_equal) {
            return Err(InvalidReason::InitiatedAfterExecution { initiated, executed });
        }
        let window = set.expiry_window();
        // No overflow: `latest` is not before `executed`, which is not before `initiated`.
        if self.latest.0.saturating_sub(initiated.0) > window {
            return Err(InvalidReason::Expired { initiated, executed: self.latest, window });
        }
        Ok(())
    }
}
