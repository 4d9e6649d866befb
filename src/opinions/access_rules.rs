//! When the answers of an interop filter and of ourselves to one access list differ. Pure.
//!
//! | answer | opinion |
//! | --- | --- |
//! | `null` | valid |
//! | -320600 (conflict) | invalid; of ourselves not for a message before interop is active: filters do not check that |
//! | every other code | none: it lags, is starting, keeps no such data, does not watch the chain, is in failsafe, or asks for a replacement |
//! | no answer | none |
//!
//! A filter has no dependency set, so a chain that is unknown to one side only is not a difference either.

use super::difference_book::{Difference, MIN_AGE};
use super::outcome::{CROSSCHECK, NoOpinion, Outcome};
use super::sample::Sample;
use crate::rpc::SupervisorError;
use crate::sources::{SourceError, is_not_served};
use alloy::primitives::B256;
use crosscheck_core::events::{AccessCheckAnswer, Event};
use crosscheck_core::validity::InvalidReason;

/// The code of a message that is proven to be invalid.
const CONFLICT: i32 = -320_600;

/// How many seconds a difference must last where it is not known whether both are about the same block:
/// longer than a reorg lasts, or a filter lags.
const MIN_AGE_UNCLEAR: u64 = 600;

/// Two answers to one access list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChecksDiffer {
    /// What was asked.
    pub(super) sample: Sample,
    /// The own answer.
    pub(super) own: Opinion,
    /// The endpoint's.
    pub(super) theirs: Opinion,
    /// Whether both are known to have the same initiating block.
    pub(super) is_same_block: bool,
}

/// Somebody's opinion of an access list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Opinion {
    /// It may be executed.
    Valid,
    /// It may not.
    Invalid {
        /// Why, in the words of the answer.
        detail: String,
    },
}

impl Difference for ChecksDiffer {
    fn min_age(&self) -> u64 {
        if self.is_same_block { MIN_AGE } else { MIN_AGE_UNCLEAR }
    }

    // The words of an answer may name a time.
    fn repeats(&self, earlier: &Self) -> bool {
        self.own.is_valid() == earlier.own.is_valid()
    }
}

impl ChecksDiffer {
    /// What there is to report of it.
    pub(super) fn event(&self, endpoint: &str) -> Event {
        let answers = [self.own.answer(CROSSCHECK), self.theirs.answer(endpoint)];
        Event::AccessChecksDiffer { message: self.sample.message.clone(), answers }
    }
}

impl Opinion {
    const fn is_valid(&self) -> bool {
        matches!(self, Self::Valid)
    }

    fn answer(&self, by: &str) -> AccessCheckAnswer {
        let by = by.to_owned();
        match self {
            Self::Valid => AccessCheckAnswer { by, is_valid: true, code: None, detail: None },
            Self::Invalid { detail } => {
                AccessCheckAnswer { by, is_valid: false, code: Some(CONFLICT), detail: Some(detail.clone()) }
            }
        }
    }

    /// The opinion in words, for the log.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Valid => "valid".to_owned(),
            Self::Invalid { detail } => format!("invalid: {detail}"),
        }
    }
}

/// What a filter's answer says.
pub(super) fn of_filter(answer: Result<(), SourceError>) -> Result<Opinion, NoOpinion> {
    match answer {
        Ok(()) => Ok(Opinion::Valid),
        Err(SourceError::Refused { code: CONFLICT, message, .. }) => Ok(Opinion::Invalid { detail: message }),
        Err(error) if is_not_served(&error) => Err(NoOpinion::Failed(error.to_string())),
        Err(SourceError::Refused { code, message, .. }) => Err(NoOpinion::Undecided { code, message }),
        Err(error) => Err(NoOpinion::Failed(error.to_string())),
    }
}

/// What the own answer says.
pub(super) fn of_own(answer: Result<(), SupervisorError>) -> Result<Opinion, NoOpinion> {
    match answer {
        Ok(()) => Ok(Opinion::Valid),
        Err(error @ SupervisorError::Broken(InvalidReason::NotActive { .. })) => {
            Err(NoOpinion::OwnUnknown(error.to_string()))
        }
        Err(error) if error.code() == CONFLICT => Ok(Opinion::Invalid { detail: error.to_string() }),
        Err(error) => Err(NoOpinion::OwnUnknown(error.to_string())),
    }
}

/// Whether two answers that differ are about one block. `own`, `theirs`: the hashes that both have for the
/// initiating block, as far as known.
pub(super) fn on_one_branch(
    differ: ChecksDiffer,
    own: Option<B256>,
    theirs: Option<B256>,
) -> Outcome<ChecksDiffer> {
    match (own, theirs) {
        (Some(own), Some(theirs)) if own == theirs => {
            Outcome::Differs(ChecksDiffer { is_same_block: true, ..differ })
        }
        (Some(_), Some(_)) => {
            Outcome::None(NoOpinion::AnotherBranch(differ.sample.cited.identifier.chain_id))
        }
        (_, None) | (None, _) => Outcome::Differs(ChecksDiffer { is_same_block: false, ..differ }),
    }
}

/// Compares two answers to one access list.
pub(super) fn compare(
    sample: &Sample,
    own: Result<Opinion, NoOpinion>,
    theirs: Result<Opinion, NoOpinion>,
) -> Outcome<ChecksDiffer> {
    match (own, theirs) {
        (Ok(own), Ok(theirs)) if own.is_valid() == theirs.is_valid() => Outcome::Agrees,
        (Ok(own), Ok(theirs)) => {
            Outcome::Differs(ChecksDiffer { sample: sample.clone(), own, theirs, is_same_block: false })
        }
        // What has to be fixed comes first.
        (_, Err(why)) | (Err(why), Ok(_)) => Outcome::None(why),
    }
}
