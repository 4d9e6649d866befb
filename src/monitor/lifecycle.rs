//! [`Lifecycle`]: one message's life as a state machine. Pure: it is told steps, and answers what they changed.
//!
//! ```text
//!                 Judge, Level
//!                  .-----.
//!                  |     v         Displace
//!  discovered --> Tracked ------------------------> Displaced
//!                  |  ^  |                           |  |  |
//!                  |  |  '--- End(Expired) ----.     |  |  '-- End(Expired) --> Expired
//!                  |  '------ Readopt ---------|-----'  |
//!                  |                           v        |--- End(Resolved) ---> Resolved
//!                  |                        Expired     |    last found invalid
//!                  |                                    |
//!                  '--- End(Finalized) --> Finalized    '--- End(Orphaned) ---> Orphaned
//!                       level Finalized, decided
//! ```
//!
//! | from | step | only if | to |
//! | --- | --- | --- | --- |
//! | Tracked | Judge | another status | Tracked |
//! | Tracked | Level | another level | Tracked |
//! | Tracked | Displace | | Displaced |
//! | Tracked | End(Finalized) | level Finalized, status not unknown | Finalized |
//! | Tracked | End(Expired) | | Expired |
//! | Displaced | Readopt | | Tracked |
//! | Displaced | End(Resolved) | last decided status invalid | Resolved |
//! | Displaced | End(Orphaned) | | Orphaned |
//! | Displaced | End(Expired) | | Expired |
//!
//! Every other step is refused and changes nothing; an ending allows none at all.

use super::{Cause, Change, Ending};
use crate::interop::{MessageStatus, SafetyLevel};

/// Where a message is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Its block is canonical.
    Tracked,
    /// Its block was dropped, and nothing stands in its place yet.
    Displaced,
    /// Its life is over.
    Ended(Ending),
}

impl State {
    /// Its stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Tracked => "tracked",
            Self::Displaced => "displaced",
            Self::Ended(ending) => ending.name(),
        }
    }

    /// Whether the message's life goes on.
    pub const fn is_open(&self) -> bool {
        !matches!(self, Self::Ended(_))
    }
}

/// Something that may happen to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its status is this one now.
    Judge {
        /// The status.
        to: MessageStatus,
        /// Why.
        cause: Cause,
    },
    /// Its block is at this level now.
    Level(SafetyLevel),
    /// Its block was dropped.
    Displace,
    /// Its block is canonical again.
    Readopt,
    /// Its life is over.
    End(Ending),
}

/// A step that the message's state does not allow. It changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message that is {} ({}, {level}) allows no {step:?}: this is a fault of the tracker", state.name(), status.name())]
pub struct ForbiddenStep {
    /// The state it was refused in.
    pub state: State,
    /// The message's status.
    pub status: MessageStatus,
    /// The message's level.
    pub level: SafetyLevel,
    /// The step.
    pub step: Step,
}

/// The life of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    state: State,
    status: MessageStatus,
    level: SafetyLevel,
    /// Whether it was valid when it was decided last.
    decided: Option<bool>,
    flips: u32,
}

impl Lifecycle {
    /// A message that was discovered in a block of this level.
    pub const fn new(level: SafetyLevel) -> Self {
        Self { state: State::Tracked, status: MessageStatus::Unknown, level, decided: None, flips: 0 }
    }

    /// Where it is.
    pub const fn state(&self) -> State {
        self.state
    }

    /// What is known of it.
    pub const fn status(&self) -> MessageStatus {
        self.status
    }

    /// How far its block is, or was when it was dropped.
    pub const fn level(&self) -> SafetyLevel {
        self.level
    }

    /// How often it was decided the other way than before.
    pub const fn flips(&self) -> u32 {
        self.flips
    }

    /// Whether it was valid when it was decided last. `None`: it never was decided.
    pub const fn decided(&self) -> Option<bool> {
        self.decided
    }

    /// Takes a step. `None`: it was there already.
    ///
    /// # Errors
    /// If the table of this module has no such step. Nothing has changed then.
    pub fn apply(&mut self, step: Step) -> Result<Option<Change>, ForbiddenStep> {
        match (self.state, step) {
            (State::Tracked, Step::Judge { to, cause }) => Ok(self.judge(to, cause)),
            (State::Tracked, Step::Level(to)) => Ok(self.rise(to)),
            (State::Tracked, Step::Displace) => {
                self.state = State::Displaced;
                Ok(Some(Change::Displaced))
            }
            (State::Displaced, Step::Readopt) => {
                self.state = State::Tracked;
                Ok(Some(Change::Readopted))
            }
            (from, Step::End(ending)) if self.may_end(from, ending) => {
                self.state = State::Ended(ending);
                Ok(Some(Change::Ended(ending)))
            }
            (state, step) => Err(ForbiddenStep { state, status: self.status, level: self.level, step }),
        }
    }

    const fn may_end(&self, from: State, ending: Ending) -> bool {
        match (from, ending) {
            (State::Tracked, Ending::Finalized) => {
                matches!(self.level, SafetyLevel::Finalized) && !matches!(self.status, MessageStatus::Unknown)
            }
            (State::Displaced, Ending::Resolved { .. }) => matches!(self.decided, Some(false)),
            (State::Displaced, Ending::Orphaned { .. })
            | (State::Tracked | State::Displaced, Ending::Expired) => true,
            _ => false,
        }
    }

    fn judge(&mut self, to: MessageStatus, cause: Cause) -> Option<Change> {
        let from = self.status;
        if from == to {
            return None;
        }
        let valid = match to {
            MessageStatus::Unknown => None,
            MessageStatus::Valid => Some(true),
            MessageStatus::Invalid(_) => Some(false),
        };
        let flip = self.decided.zip(valid).is_some_and(|(before, now)| before != now);
        self.status = to;
        if valid.is_some() {
            self.decided = valid;
        }
        if flip {
            self.flips = self.flips.saturating_add(1);
        }
        Some(Change::Status { from, to, cause, flip })
    }

    fn rise(&mut self, to: SafetyLevel) -> Option<Change> {
        let from = self.level;
        if from == to {
            return None;
        }
        self.level = to;
        Some(Change::Level { from })
    }
}
