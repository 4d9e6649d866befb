//! [`InvalidReason`]: the clause of the interop rules that an executing message breaks.

use crate::message::Identifier;
use alloy::primitives::{Address, B256};
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde::Serialize;

/// Why an executing message is invalid: a proven contradiction, never a missing answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReason {
    /// The executing chain is not in the dependency set.
    #[error("executing chain {chain_id} is not in the dependency set")]
    ExecutingChainUnknown {
        /// The executing chain.
        chain_id: ChainId,
    },
    /// The initiating chain is not in the dependency set.
    #[error("initiating chain {chain_id} is not in the dependency set")]
    UnknownChain {
        /// The initiating chain.
        chain_id: ChainId,
    },
    /// One side is in or before its chain's activation block.
    #[error(
        "interop was not active on chain {chain_id} at {timestamp} (the activation block does not count)"
    )]
    NotActive {
        /// The chain that was not active.
        chain_id: ChainId,
        /// The timestamp of that side.
        timestamp: UnixSeconds,
    },
    /// The message is initiated after the block that executes it; for an access list, at its timestamp too.
    #[error("initiated at {initiated}, too late to be executed at {executed}")]
    InitiatedAfterExecution {
        /// When the message claims to be initiated.
        initiated: UnixSeconds,
        /// The executing block's timestamp.
        executed: UnixSeconds,
    },
    /// The message is older than the expiry window.
    #[error("initiated at {initiated}, more than {window} s before its execution at {executed}")]
    Expired {
        /// When the message claims to be initiated.
        initiated: UnixSeconds,
        /// The executing block's timestamp.
        executed: UnixSeconds,
        /// The expiry window in seconds.
        window: u64,
    },
    /// The initiating chain passed the claimed timestamp without reaching the claimed height.
    #[error(
        "block {number} of chain {chain_id} does not exist at {timestamp}: the chain is at {tip} by then"
    )]
    BlockNotFound {
        /// The initiating chain.
        chain_id: ChainId,
        /// The claimed height.
        number: u64,
        /// The claimed timestamp.
        timestamp: UnixSeconds,
        /// A block of the chain at or after the claimed timestamp.
        tip: u64,
    },
    /// The block at the claimed height has another timestamp.
    #[error("block {number} of chain {chain_id} has timestamp {found}, not {claimed}")]
    TimestampMismatch {
        /// The initiating chain.
        chain_id: ChainId,
        /// The claimed height.
        number: u64,
        /// The claimed timestamp.
        claimed: UnixSeconds,
        /// The block's timestamp.
        found: UnixSeconds,
    },
    /// The block has no log with the claimed index.
    #[error("block {number} of chain {chain_id} has {logs} logs, none with index {index}")]
    LogNotFound {
        /// The initiating chain.
        chain_id: ChainId,
        /// The claimed height.
        number: u64,
        /// The claimed index.
        index: u32,
        /// How many logs the block has.
        logs: usize,
    },
    /// The claimed log is in the block, but at another index.
    #[error("the log is at index {found} of its block, not at {claimed}")]
    WrongLogIndex {
        /// The claimed index.
        claimed: u32,
        /// The actual position of the log.
        found: u32,
    },
    /// The log was emitted by another contract.
    #[error("the log was emitted by {found}, not by {claimed}")]
    WrongOrigin {
        /// The claimed emitter.
        claimed: Address,
        /// The real emitter.
        found: Address,
    },
    /// The log says something else.
    #[error("the log's payload hashes to {found}, not to {claimed}")]
    PayloadMismatch {
        /// The claimed payload hash.
        claimed: B256,
        /// The log's payload hash.
        found: B256,
    },
    /// The log is not the one that an access-list entry declares.
    #[error("the log's checksum is {found}, not {claimed}")]
    ChecksumMismatch {
        /// The declared checksum.
        claimed: B256,
        /// The checksum of the log at that position.
        found: B256,
    },
    /// A deposit executed the message: deposits declare nothing, so the real inbox refuses them.
    #[error("it was executed by a deposit, which cannot declare it")]
    ExecutedByDeposit,
    /// The message is part of a cycle of messages initiated and executed at one timestamp; of a block that
    /// was replaced, also that a cycle depends on it.
    #[error("its chain's messages at {timestamp} are in a cycle, or a cycle depends on them")]
    Cycle {
        /// The timestamp.
        timestamp: UnixSeconds,
    },
    /// The block that the message cites executes an invalid message itself.
    #[error("block {number} of chain {chain_id} ({hash}) executes an invalid message itself")]
    InitiatingBlockInvalid {
        /// The initiating chain.
        chain_id: ChainId,
        /// The height.
        number: u64,
        /// The block.
        hash: B256,
    },
}

impl InvalidReason {
    /// The codes of the clauses of an executed message, in the order in which the clauses are checked.
    pub const OF_EXECUTED: [&'static str; 14] = [
        "executed-by-deposit",
        "executing-chain-unknown",
        "unknown-chain",
        "not-active",
        "initiated-after-execution",
        "expired",
        "block-not-found",
        "timestamp-mismatch",
        "log-not-found",
        "wrong-log-index",
        "wrong-origin",
        "payload-mismatch",
        "cycle",
        "initiating-block-invalid",
    ];

    /// The codes of the clauses of a declared message, in the order in which the clauses are checked.
    pub const OF_DECLARED: [&'static str; 9] = [
        "executing-chain-unknown",
        "unknown-chain",
        "not-active",
        "initiated-after-execution",
        "expired",
        "block-not-found",
        "timestamp-mismatch",
        "log-not-found",
        "checksum-mismatch",
    ];

    /// The reason's stable name, for reports, metrics and programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ExecutingChainUnknown { .. } => "executing-chain-unknown",
            Self::UnknownChain { .. } => "unknown-chain",
            Self::NotActive { .. } => "not-active",
            Self::InitiatedAfterExecution { .. } => "initiated-after-execution",
            Self::Expired { .. } => "expired",
            Self::BlockNotFound { .. } => "block-not-found",
            Self::TimestampMismatch { .. } => "timestamp-mismatch",
            Self::LogNotFound { .. } => "log-not-found",
            Self::WrongLogIndex { .. } => "wrong-log-index",
            Self::WrongOrigin { .. } => "wrong-origin",
            Self::PayloadMismatch { .. } => "payload-mismatch",
            Self::ChecksumMismatch { .. } => "checksum-mismatch",
            Self::ExecutedByDeposit => "executed-by-deposit",
            Self::Cycle { .. } => "cycle",
            Self::InitiatingBlockInvalid { .. } => "initiating-block-invalid",
        }
    }

    pub(super) const fn block_not_found(id: &Identifier, tip: u64) -> Self {
        Self::BlockNotFound { chain_id: id.chain_id, number: id.block_number, timestamp: id.timestamp, tip }
    }
}

impl Serialize for InvalidReason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// The code of every variant, as [`InvalidReason::code`] has them.
    fn codes() -> BTreeMap<&'static str, &'static str> {
        let source = include_str!("invalid_reason.rs");
        let arms = source.lines().filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => \""));
        let name = |variant: &'static str| variant.split(' ').next().unwrap();
        arms.map(|(variant, code)| (name(variant), code.trim_end_matches("\","))).collect()
    }

    /// The codes of the variants that the code of a file names.
    fn named_in(source: &'static str) -> BTreeSet<&'static str> {
        let code = source.split("#[cfg(test)]").next().unwrap();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let names = lines.flat_map(|line| line.split("InvalidReason::").skip(1));
        let names = names.map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap());
        let codes = codes();
        names.filter_map(|name| codes.get(name).copied()).collect()
    }

    #[test]
    fn every_code_belongs_to_an_executed_or_a_declared_message() {
        let listed: BTreeSet<_> =
            InvalidReason::OF_EXECUTED.into_iter().chain(InvalidReason::OF_DECLARED).collect();
        assert_eq!(codes().into_values().collect::<BTreeSet<_>>(), listed);
        assert_eq!(codes().len(), listed.len());
        assert_eq!(codes()["Cycle"], InvalidReason::Cycle { timestamp: UnixSeconds(1) }.code());
    }

    #[test]
    fn what_the_rules_check_is_listed() {
        let executed: BTreeSet<_> = InvalidReason::OF_EXECUTED.into();
        let declared: BTreeSet<_> = InvalidReason::OF_DECLARED.into();
        // The clauses about times and dependency sets are those of both.
        let common = || {
            let files = [include_str!("times.rs"), include_str!("dependency_set.rs")];
            files.into_iter().flat_map(named_in)
        };
        assert!(common().count() > 4);
        let of_executed: BTreeSet<_> =
            named_in(include_str!("rules.rs")).into_iter().chain(common()).collect();
        assert_eq!(of_executed.difference(&executed).count(), 0, "{of_executed:?}");
        let of_declared: BTreeSet<_> =
            named_in(include_str!("access_rules.rs")).into_iter().chain(common()).collect();
        assert_eq!(of_declared, declared);
    }
}
