//! [`SupervisorError`]: why a supervisor's question has no answer, with the code that clients know it by.
//!
//! Spec: interop/supervisor.md, "Protocol Specific Error Codes". The failsafe's code is op-interop-filter's. The
//! spec's other codes are about writing to, and iterating over, a database of its own: -320601 (ineffective data),
//! -320900 (out of order), -321000 (stop), -321200 (parent of the first block) and -321501 (corruption). Crosscheck
//! keeps no such database, so it never sends them.
//!
//! | code | name | Crosscheck sends it when |
//! | --- | --- | --- |
//! | -32602 | invalid params | entries, safety level or block cannot be read |
//! | -32000 | not found | `interop_getBlockHashByNumber` asks for a block that is not there |
//! | -320400 | uninitialized | nothing is known of the chain, or of L1, yet |
//! | -320500 | skipped data | no source can prove the data: pruned, not served, or not answered |
//! | -320501 | unknown chain | the chain is not in the dependency set |
//! | -320600 | conflict | there is proof of the contrary: another block, another log, a broken time rule |
//! | -320602 | failsafe | the failsafe is on |
//! | -320901 | awaiting replacement | the block executes an invalid message: it is going to be replaced |
//! | -321100 | out of scope | the data is there, but not as safe as was asked for |
//! | -321401 | future | the data is not there yet |
//! | -321500 | missed data | the sources contradict each other: an L1 block that L1 no longer has |

use super::failsafe::FAILSAFE_REFUSAL;
use crate::interop::{AccessListError, InvalidReason, SafetyLevel};
use crate::sources::SourceError;
use crosscheck_p2p::ChainId;
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::types::error::INVALID_PARAMS_CODE;

/// Why a question has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SupervisorError {
    /// A parameter means nothing.
    #[error("{problem}")]
    Params {
        /// What is wrong, and what to send instead.
        problem: String,
    },
    /// A list of inbox entries is malformed.
    #[error("failed to parse access entry: {0}")]
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
    #[error("{what} is not known yet; ask again once the program is ready")]
    Uninitialized {
        /// What is not known.
        what: String,
    },
    /// No source can prove it.
    #[error("{what} cannot be proven: {reason}")]
    Skipped {
        /// What was asked for.
        what: String,
        /// Why there is no proof.
        reason: String,
    },
    /// The chain is not in the dependency set.
    #[error("chain {chain_id} is unknown: it is not in the dependency set")]
    UnknownChain {
        /// The chain.
        chain_id: ChainId,
    },
    /// A message breaks a rule.
    #[error("conflict: {0}")]
    Broken(InvalidReason),
    /// The canonical data is other than what was asked about.
    #[error("conflict: {problem}")]
    Conflict {
        /// What contradicts what.
        problem: String,
    },
    /// The failsafe is on.
    #[error("{FAILSAFE_REFUSAL}")]
    Failsafe,
    /// The block is going to be replaced.
    #[error("block {number} of chain {chain_id} executes an invalid message and awaits its replacement")]
    AwaitingReplacement {
        /// The chain.
        chain_id: ChainId,
        /// The height.
        number: u64,
    },
    /// The block is there, but not as safe as was asked for.
    #[error("block {number} of chain {chain_id} is not {wanted} yet")]
    NotAsSafe {
        /// The chain.
        chain_id: ChainId,
        /// The height.
        number: u64,
        /// What was asked for.
        wanted: SafetyLevel,
    },
    /// It is not there yet.
    #[error("{what} is not there yet")]
    Future {
        /// What was asked for.
        what: String,
    },
    /// Sources contradict each other.
    #[error("{what} was missed: {reason}")]
    Missed {
        /// What was asked for.
        what: String,
        /// What contradicts what.
        reason: String,
    },
}

/// The code of a block that is not found: what a Go server sends for an error without a code.
const NOT_FOUND_CODE: i32 = -32_000;

impl SupervisorError {
    /// The code that clients know it by.
    pub const fn code(&self) -> i32 {
        match self {
            Self::Params { .. } | Self::AccessList(_) => INVALID_PARAMS_CODE,
            Self::NotFound { .. } => NOT_FOUND_CODE,
            Self::Uninitialized { .. } => -320_400,
            Self::Skipped { .. } => -320_500,
            Self::UnknownChain { .. } => -320_501,
            Self::Broken(_) | Self::Conflict { .. } => -320_600,
            Self::Failsafe => -320_602,
            Self::AwaitingReplacement { .. } => -320_901,
            Self::NotAsSafe { .. } => -321_100,
            Self::Future { .. } => -321_401,
            Self::Missed { .. } => -321_500,
        }
    }

    /// A source did not answer, so nothing is proven: never a statement about a block.
    pub fn unproven(what: impl Into<String>, error: &SourceError) -> Self {
        Self::Skipped { what: what.into(), reason: error.to_string() }
    }
}

impl From<InvalidReason> for SupervisorError {
    fn from(reason: InvalidReason) -> Self {
        match reason {
            InvalidReason::UnknownChain { chain_id } | InvalidReason::ExecutingChainUnknown { chain_id } => {
                Self::UnknownChain { chain_id }
            }
            other => Self::Broken(other),
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
    #[case::unknown_executing_chain(InvalidReason::ExecutingChainUnknown { chain_id: chain() }, -320_501)]
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
    fn each_error_is_sent_with_its_code(#[case] error: SupervisorError, #[case] code: i32) {
        let text = error.to_string();
        let sent = ErrorObjectOwned::from(error);
        assert_eq!((sent.code(), sent.message()), (code, text.as_str()));
    }
}
