//! [`Suspect`]: a gossiped transaction that declares a message which breaks a rule, seen before any receipt
//! exists. Pure.
//!
//! A suspect is not yet a finding: what is declared need not be executed. [`SuspectOutcome`]
//! says what became of it once the block's receipts are proven.

use crate::events::{SuspectOutcome, SuspectRecord};
use crate::message::{AccessListError, BlockKey, Checksum, InboxAccess, parse_access_list};
use crate::proof::{InboxKeys, LogIndex};
use crate::tracker::{ObservedBlock, Tracker};
use crate::validity::{
    Execution, InvalidReason, Objection, check_access_log, check_access_tip, check_suspect,
};
use alloy::primitives::B256;
use crosscheck_p2p::UnixSeconds;

/// The reason code of an access list that cannot be read.
const MALFORMED: &str = "malformed-access-list";

/// A gossiped transaction that declares a message which breaks a rule, or whose declarations cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// The gossiped block.
    pub block: BlockKey,
    /// The transaction.
    pub transaction_hash: B256,
    /// Its place in the block.
    pub transaction_index: u32,
    /// The message's place among those that the transaction declares.
    pub entry: u32,
    /// The message. `None`: the access list cannot be read.
    pub access: Option<InboxAccess>,
    /// What is wrong.
    pub fault: SuspectFault,
    /// Whether that rests on a chain's view, which may be behind a reorg, and not on the declaration alone.
    pub rests_on_view: bool,
}

/// What is wrong with a declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SuspectFault {
    /// The inbox's keys are not a list of messages.
    #[error(transparent)]
    Malformed(#[from] AccessListError),
    /// The message breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidReason),
}

impl SuspectFault {
    /// Its stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => MALFORMED,
            Self::Invalid(reason) => reason.code(),
        }
    }
}

impl Suspect {
    /// The suspect as users see it.
    pub fn record(&self) -> SuspectRecord {
        SuspectRecord {
            id: 0,
            block: self.block,
            transaction_hash: self.transaction_hash,
            transaction_index: self.transaction_index,
            access: self.access,
            reason: self.fault.code(),
            detail: self.fault.to_string(),
            outcome: SuspectOutcome::Pending,
        }
    }

    /// What became of it, by the block that is at its height.
    pub fn outcome(&self, canonical: &ObservedBlock) -> SuspectOutcome {
        if canonical.key != self.block {
            return SuspectOutcome::Dropped;
        }
        let of_transaction =
            canonical.executed.iter().filter(|executed| executed.transaction_index == self.transaction_index);
        let is_executed = of_transaction.map(|executed| &executed.message).any(|message| {
            // Declarations that cannot be read may still hold the checksum of what was executed.
            self.access.is_none_or(|access| access.checksum == Checksum::of(&message.message))
        });
        if is_executed { SuspectOutcome::Executed } else { SuspectOutcome::NotExecuted }
    }
}

/// The suspects among the declarations of a gossiped block, by what is known now. What is not known is not a
/// suspect.
pub fn suspects(
    tracker: &Tracker,
    index: &LogIndex,
    block: BlockKey,
    timestamp: UnixSeconds,
    declared: &[InboxKeys],
) -> Vec<Suspect> {
    let mut found = Vec::new();
    for of in declared {
        let mut add = |entry, access, fault, rests_on_view| {
            found.push(Suspect {
                block,
                transaction_hash: of.transaction_hash,
                transaction_index: of.transaction_index,
                entry,
                access,
                fault,
                rests_on_view,
            });
        };
        match parse_access_list(&of.keys) {
            Err(error) => add(0, None, error.into(), false),
            Ok(accesses) => {
                let execution = Execution { chain_id: block.chain_id, timestamp };
                for (entry, access) in (0..).zip(accesses) {
                    match check_suspect(tracker.set(), execution, &access) {
                        Err(Objection::Broken(reason)) => add(entry, Some(access), reason.into(), false),
                        // Nobody is suspected by rules that are not known.
                        Err(Objection::Unclear(_)) => {}
                        Ok(()) => {
                            if let Err(reason) = check_view(tracker, index, &access) {
                                add(entry, Some(access), reason.into(), true);
                            }
                        }
                    }
                }
            }
        }
    }
    found
}

/// Checks a declared message against the view of the chain that it cites, as far as that is possible without
/// asking anybody.
fn check_view(tracker: &Tracker, index: &LogIndex, access: &InboxAccess) -> Result<(), InvalidReason> {
    let Some(view) = tracker.chain(access.chain_id) else { return Ok(()) };
    let Some(tip) = view.tip() else { return Ok(()) };
    if let Some(reason) = check_access_tip(access, (tip.key.number, tip.timestamp)) {
        return Err(reason);
    }
    let logs =
        view.block(access.block_number).and_then(|block| index.get(block.key.chain_id, block.key.hash));
    logs.map_or(Ok(()), |logs| check_access_log(access, &logs))
}

#[cfg(test)]
mod tests;
