//! [`Entry`]: one transfer, and where it was initiated and executed.

use super::Place;
use super::finding::Finding;
use crate::message::{BlockKey, ChainHeight};
use crate::transfers::Transfer;
use crate::transfers::totals::Standing;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;

/// A log of one of the two chains, which the transfer names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) number: u64,
    pub(super) hash: B256,
    pub(super) log_index: u32,
    pub(super) transaction_index: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Execution {
    pub(super) end: End,
    /// The source's block in which its message claims to be initiated.
    pub(super) cited: Option<u64>,
}

/// One transfer. Both lists ascend.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) message_hash: B256,
    pub(super) transfer: Transfer,
    pub(super) initiated: Vec<End>,
    pub(super) executed: Vec<Execution>,
    /// The execution that is found to be without initiation.
    pub(super) uninitiated: Option<Execution>,
    /// Its place in its queue.
    pub(super) sequence: u64,
    /// Whether it is initiated and executed in final blocks.
    pub(super) is_settled: bool,
    /// Whether it is in the totals.
    pub(super) is_counted: bool,
}

impl End {
    const fn place(&self, chain_id: ChainId) -> Place {
        let block = BlockKey { chain_id, number: self.number, hash: self.hash };
        Place { block, log_index: self.log_index, transaction_index: self.transaction_index }
    }
}

impl Entry {
    pub(super) fn standing(&self) -> Standing {
        Standing {
            is_initiated: !self.initiated.is_empty(),
            executions: u64::try_from(self.executed.len()).unwrap_or(u64::MAX),
            is_without_initiation: self.uninitiated.is_some(),
        }
    }

    pub(super) const fn ends(&self) -> usize {
        self.initiated.len().saturating_add(self.executed.len())
    }

    pub(super) const fn is_flagged(&self) -> bool {
        self.uninitiated.is_some() || self.executed.len() > 1
    }

    /// The finding that one of its executions is not the first.
    pub(super) fn twice(&self, again: &Execution) -> Option<Finding> {
        let first = self.executed.first().filter(|first| *first != again)?;
        let (message_hash, transfer) = (self.message_hash, self.transfer);
        let place = |execution: &Execution| execution.end.place(transfer.destination);
        Some(Finding::ExecutedTwice { message_hash, transfer, first: place(first), again: place(again) })
    }

    /// The finding that an execution is without initiation.
    pub(super) fn without(&self, execution: &Execution) -> Option<Finding> {
        let (message_hash, transfer) = (self.message_hash, self.transfer);
        let executed = execution.end.place(transfer.destination);
        let cited: ChainHeight = (transfer.source, execution.cited?);
        Some(Finding::ExecutedWithoutInitiation { message_hash, transfer, executed, cited })
    }

    pub(super) fn findings(&self) -> impl Iterator<Item = Finding> {
        let without = self.uninitiated.as_ref().and_then(|execution| self.without(execution));
        let again = self.executed.iter().filter_map(|execution| self.twice(execution));
        without.into_iter().chain(again)
    }
}
