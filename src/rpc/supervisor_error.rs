//! [`SupervisorError`]: why a supervisor's question has no answer, with the code that clients know it by.
//!
//! Spec: interop/supervisor.md, "Protocol Specific Error Codes". The failsafe's code is op-interop-filter's.
//! The spec's other codes are about writing to, and iterating over, a database of its own: -320601
//! (ineffective data), -320900 (out of order), -321000 (stop), -321200 (parent of the first block) and
//! -321501 (corruption). Crosscheck keeps no such database, so it never sends them.
//!
//! | code | name | Crosscheck sends it when |
//! | --- | --- | --- |
//! | -32602 | invalid params | entries, safety level or block cannot be read |
//! | -32000 | not found | `interop_getBlockHashByNumber` asks for a block that is not there |
//! | -32603 | internal error | nothing is decided: no endpoint answered or has it, not in time, too many ask, or a chain is not watched here |
//! | -320400 | uninitialized | nothing is known of the chain, or of L1, yet |
//! | -320500 | skipped data | a source says that it does not keep such data: a method is not served, a record is not kept |
//! | -320501 | unknown chain | the chain is not in the executing chain's set, or no executing chain is named |
//! | -320600 | conflict | there is proof of the contrary: another block, another log, a broken time rule |
//! | -320602 | failsafe | the failsafe is on |
//! | -320901 | awaiting replacement | the block executes an invalid message: it is going to be replaced |
//! | -321100 | out of scope | the data is there, but not as safe as was asked for |
//! | -321401 | future | the data is not there yet |
//! | -321500 | missed data | the sources contradict each other: an L1 block that L1 no longer has |
//!
//! Callers that lose the code on the way (proxyd with several filters) find it again by the words: each text
//! ends with the phrase that Go's implementation has for its code, and holds no other one. No text says where
//! an endpoint is: what a source said goes to the log.

use super::failsafe::FAILSAFE_REFUSAL;
use crate::sources::SourceError;
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::message::AccessListError;
use crosscheck_core::validity::{InvalidReason, Objection, Unclear};
use crosscheck_p2p::ChainId;
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::types::error::{INTERNAL_ERROR_CODE, INVALID_PARAMS_CODE, METHOD_NOT_FOUND_CODE};
use tracing::debug;

/// Why a question has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SupervisorError {
    /// A parameter means nothing.
    #[error("{problem}: failed to read data")]
    Params {
        /// What is wrong, and what to send instead.
        problem: String,
    },
    /// A list of inbox entries is malformed.
    #[error("failed to parse access entry: {0}: failed to read data")]
    AccessList(#[from] AccessListError),
    /// There is no such block, and the caller asked for just that.
    #[error("block {number} for chain {chain_id}: not found")]
    NotFound {
        /// The chain.
        chain_id: ChainId,
        /// The height.
        number: u64,
    },
    /// Nothing is known yet.
    #[error("{what} is not known yet; ask again once the program is ready: uninitialized chain database")]
    Uninitialized {
        /// What is not known.
        what: String,
    },
    /// The sources say that they do not have it.
    #[error("{what} cannot be proven: {reason}: skipped data")]
    Skipped {
        /// What was asked for.
        what: String,
        /// Why there is no proof.
        reason: String,
    },
    /// The chain is not in the dependency set.
    #[error("chain {chain_id} is not in the dependency set: unknown chain")]
    UnknownChain {
        /// The chain.
        chain_id: ChainId,
    },
    /// The descriptor does not say on which chain the messages are to be executed.
    #[error("the descriptor names no executing chain; send its id as chainID: unknown chain")]
    NoChain,
    /// The chain is merely not watched here, which says nothing about its messages.
    #[error("chain {chain_id} is not watched here; add a [chains.{chain_id}] section, or ask another server")]
    NotWatched {
        /// The chain.
        chain_id: ChainId,
    },
    /// A message breaks a rule.
    #[error("{0}: conflicting data")]
    Broken(InvalidReason),
    /// The canonical data is other than what was asked about.
    #[error("{problem}: conflicting data")]
    Conflict {
        /// What contradicts what.
        problem: String,
    },
    /// The failsafe is on.
    #[error("{FAILSAFE_REFUSAL}")]
    Failsafe,
    /// The block is going to be replaced.
    #[error("block {number} of chain {chain_id} executes an invalid message: awaiting replacement block")]
    AwaitingReplacement {
        /// The chain.
        chain_id: ChainId,
        /// The height.
        number: u64,
    },
    /// The block is there, but not as safe as was asked for.
    #[error("block {number} of chain {chain_id} is not {wanted} yet: out of scope")]
    NotAsSafe {
        /// The chain.
        chain_id: ChainId,
        /// The height.
        number: u64,
        /// What was asked for.
        wanted: SafetyLevel,
    },
    /// It is not there yet.
    #[error("{what} is not there yet: future data")]
    Future {
        /// What was asked for.
        what: String,
    },
    /// Sources contradict each other.
    #[error("{what}: {reason}: missed data")]
    Missed {
        /// What was asked for.
        what: String,
        /// What contradicts what.
        reason: String,
    },
    /// No source has it. It exists, or may: they are behind, or have pruned it.
    #[error(
        "{what} could not be looked up: no endpoint has it now (behind or pruned); ask again, or add one that keeps history"
    )]
    Absent {
        /// What was asked for.
        what: String,
    },
    /// No source answered.
    #[error("{what} could not be looked up: no endpoint answered; ask again")]
    Unanswered {
        /// What was asked for.
        what: String,
    },
    /// It was not there in time.
    #[error("{what} could not be looked up in time; ask again")]
    Late {
        /// What was asked for.
        what: String,
    },
    /// Too many ask for what has to be fetched.
    #[error("busy: too many access lists wait for blocks that have to be fetched; ask again")]
    Busy,
}

/// What op-node says where it keeps no record of safe heads.
const NO_RECORD: &str = "safe head database not enabled";

/// The code of a block that is not found: what a Go server sends for an error without a code.
const NOT_FOUND_CODE: i32 = -32_000;

impl SupervisorError {
    /// Every code that is sent.
    pub(crate) const CODES: [i32; 12] = [
        INVALID_PARAMS_CODE,
        NOT_FOUND_CODE,
        INTERNAL_ERROR_CODE,
        -320_400,
        -320_500,
        -320_501,
        -320_600,
        -320_602,
        -320_901,
        -321_100,
        -321_401,
        -321_500,
    ];

    /// The names that [`SupervisorError::reason`] gives for a refused access list.
    pub(crate) const REASONS: [&str; 21] = [
        "malformed",
        "uninitialized",
        "skipped",
        "unknown-chain",
        "no-chain",
        "not-watched",
        "not-active",
        "initiated-after-execution",
        "expired",
        "block-not-found",
        "timestamp-mismatch",
        "log-not-found",
        "checksum-mismatch",
        "failsafe",
        "awaiting-replacement",
        "not-as-safe",
        "future",
        "absent",
        "unanswered",
        "late",
        "busy",
    ];

    /// The reason's stable name, for metrics.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Params { .. } | Self::AccessList(_) => "malformed",
            Self::NotFound { .. } => "not-found",
            Self::Uninitialized { .. } => "uninitialized",
            Self::Skipped { .. } => "skipped",
            Self::UnknownChain { .. } => "unknown-chain",
            Self::NoChain => "no-chain",
            Self::NotWatched { .. } => "not-watched",
            Self::Broken(reason) => reason.code(),
            Self::Conflict { .. } => "conflict",
            Self::Failsafe => "failsafe",
            Self::AwaitingReplacement { .. } => "awaiting-replacement",
            Self::NotAsSafe { .. } => "not-as-safe",
            Self::Future { .. } => "future",
            Self::Missed { .. } => "missed",
            Self::Absent { .. } => "absent",
            Self::Unanswered { .. } => "unanswered",
            Self::Late { .. } => "late",
            Self::Busy => "busy",
        }
    }

    /// The code that clients know it by.
    pub const fn code(&self) -> i32 {
        match self {
            Self::Params { .. } | Self::AccessList(_) => INVALID_PARAMS_CODE,
            Self::NotFound { .. } => NOT_FOUND_CODE,
            Self::Uninitialized { .. } => -320_400,
            Self::Skipped { .. } => -320_500,
            Self::UnknownChain { .. } | Self::NoChain => -320_501,
            Self::Broken(_) | Self::Conflict { .. } => -320_600,
            Self::Failsafe => -320_602,
            Self::AwaitingReplacement { .. } => -320_901,
            Self::NotAsSafe { .. } => -321_100,
            Self::Future { .. } => -321_401,
            Self::Missed { .. } => -321_500,
            Self::NotWatched { .. }
            | Self::Absent { .. }
            | Self::Unanswered { .. }
            | Self::Late { .. }
            | Self::Busy => INTERNAL_ERROR_CODE,
        }
    }

    /// A source gave no valid answer, so nothing is proven: never a statement about a block. What it said
    /// goes to the log: callers do not get an endpoint's address.
    pub(super) fn unproven(what: impl Into<String>, error: &SourceError) -> Self {
        let what = what.into();
        match error {
            SourceError::Refused { code: METHOD_NOT_FOUND_CODE, method, .. } => {
                Self::Skipped { what, reason: format!("its endpoint does not serve {method}") }
            }
            SourceError::Refused { message, .. } if message.contains(NO_RECORD) => Self::Skipped {
                what,
                reason: "its rollup node does not keep a record of safe heads".to_owned(),
            },
            error => {
                debug!(%error, what, "lookup failed");
                Self::Unanswered { what }
            }
        }
    }
}

impl From<InvalidReason> for SupervisorError {
    fn from(reason: InvalidReason) -> Self {
        match reason {
            InvalidReason::UnknownChain { chain_id } => Self::UnknownChain { chain_id },
            // Nobody configured it here: another program may know it well.
            InvalidReason::ExecutingChainUnknown { chain_id } => Self::NotWatched { chain_id },
            other => Self::Broken(other),
        }
    }
}

impl From<Objection> for SupervisorError {
    fn from(objection: Objection) -> Self {
        match objection {
            Objection::Broken(reason) => reason.into(),
            Objection::Unclear(unclear) => unclear.into(),
        }
    }
}

impl From<Unclear> for SupervisorError {
    fn from(unclear: Unclear) -> Self {
        match unclear {
            Unclear::NotWatched { chain_id } => Self::NotWatched { chain_id },
            other => Self::Uninitialized { what: other.unknown_part() },
        }
    }
}

impl From<SupervisorError> for ErrorObjectOwned {
    fn from(error: SupervisorError) -> Self {
        Self::owned(error.code(), error.to_string(), None::<()>)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn chain() -> ChainId {
        ChainId::from(901)
    }

    #[rstest]
    #[case::unknown_initiating_chain(InvalidReason::UnknownChain { chain_id: chain() }, -320_501)]
    #[case::executing_chain_not_watched(InvalidReason::ExecutingChainUnknown { chain_id: chain() }, -32_603)]
    #[case::any_other_rule(InvalidReason::ExecutedByDeposit, -320_600)]
    fn broken_rules_have_the_code_of_their_kind(#[case] reason: InvalidReason, #[case] code: i32) {
        assert_eq!(SupervisorError::from(reason).code(), code);
    }

    #[rstest]
    #[case::uninitialized(SupervisorError::Uninitialized { what: "x".to_owned() }, -320_400)]
    #[case::skipped(SupervisorError::Skipped { what: "x".to_owned(), reason: "y".to_owned() }, -320_500)]
    #[case::failsafe(SupervisorError::Failsafe, -320_602)]
    #[case::replaced(SupervisorError::AwaitingReplacement { chain_id: chain(), number: 1 }, -320_901)]
    #[case::not_as_safe(
        SupervisorError::NotAsSafe { chain_id: chain(), number: 1, wanted: SafetyLevel::Safe }, -321_100
    )]
    #[case::future(SupervisorError::Future { what: "x".to_owned() }, -321_401)]
    #[case::missed(SupervisorError::Missed { what: "x".to_owned(), reason: "y".to_owned() }, -321_500)]
    #[case::not_watched(SupervisorError::NotWatched { chain_id: chain() }, -32_603)]
    #[case::no_chain(SupervisorError::NoChain, -320_501)]
    fn each_error_is_sent_with_its_code(#[case] error: SupervisorError, #[case] code: i32) {
        let text = error.to_string();
        let sent = ErrorObjectOwned::from(error);
        assert_eq!((sent.code(), sent.message()), (code, text.as_str()));
    }
}
