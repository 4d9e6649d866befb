//! [`Lifecycle`]: one message's life as a state machine. Pure: it gets steps, and answers what they changed.
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
//! | Tracked | End(CrowdedOut) | status valid | CrowdedOut |
//! | Displaced | Readopt | | Tracked |
//! | Displaced | End(Resolved) | last decided status invalid | Resolved |
//! | Displaced | End(Orphaned) | | Orphaned |
//! | Displaced | End(Expired) | | Expired |
//!
//! Every other step is refused and changes nothing; an ending allows none at all.

use super::{Change, Ending, StatusCause};
use crate::heads::SafetyLevel;
use crate::validity::MessageStatus;

/// Where a message is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Its block is canonical.
    Tracked,
    /// Its block was dropped, and nothing is in its place yet.
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

    /// Whether the message is still open.
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
        cause: StatusCause,
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
#[error("a message that is {} ({}, {level}) does not allow {step:?}: this is a bug in the tracker", state.name(), status.name())]
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
    pub fn apply(&mut self, step: Step) -> Result<Option<Change>, Box<ForbiddenStep>> {
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
            (state, step) => {
                Err(Box::new(ForbiddenStep { state, status: self.status, level: self.level, step }))
            }
        }
    }

    const fn may_end(&self, from: State, ending: Ending) -> bool {
        match (from, ending) {
            (State::Tracked, Ending::Finalized) => {
                matches!(self.level, SafetyLevel::Finalized) && !matches!(self.status, MessageStatus::Unknown)
            }
            (State::Tracked, Ending::CrowdedOut) => matches!(self.status, MessageStatus::Valid),
            (State::Displaced, Ending::Resolved { .. }) => matches!(self.decided, Some(false)),
            (State::Displaced, Ending::Orphaned { .. })
            | (State::Tracked | State::Displaced, Ending::Expired) => true,
            _ => false,
        }
    }

    fn judge(&mut self, to: MessageStatus, cause: StatusCause) -> Option<Change> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validity::InvalidReason;
    use alloy::primitives::B256;
    use proptest::prelude::*;
    use rstest::rstest;

    const INVALID: MessageStatus = MessageStatus::Invalid(InvalidReason::ExecutedByDeposit);
    const BY: B256 = B256::repeat_byte(1);

    const fn judge(to: MessageStatus) -> Step {
        Step::Judge { to, cause: StatusCause::Checked }
    }

    const RESOLVED: Step = Step::End(Ending::Resolved { by: BY });
    const ORPHANED: Step = Step::End(Ending::Orphaned { by: BY });
    const FINALIZED: Step = Step::End(Ending::Finalized);
    const EXPIRED: Step = Step::End(Ending::Expired);

    /// The table of the module's documentation, a row each, and what each state refuses.
    #[rstest]
    #[case::judged(&[judge(MessageStatus::Valid)], judge(INVALID), Some("tracked"))]
    #[case::levelled(&[], Step::Level(SafetyLevel::Safe), Some("tracked"))]
    #[case::displaced(&[], Step::Displace, Some("displaced"))]
    #[case::final_and_valid(&[judge(MessageStatus::Valid), Step::Level(SafetyLevel::Finalized)], FINALIZED, Some("finalized"))]
    #[case::final_and_invalid(&[judge(INVALID), Step::Level(SafetyLevel::Finalized)], FINALIZED, Some("finalized"))]
    #[case::final_but_unknown(&[Step::Level(SafetyLevel::Finalized)], FINALIZED, None)]
    #[case::valid_but_only_safe(&[judge(MessageStatus::Valid), Step::Level(SafetyLevel::Safe)], FINALIZED, None)]
    #[case::expired(&[], EXPIRED, Some("expired"))]
    #[case::readopted(&[Step::Displace], Step::Readopt, Some("tracked"))]
    #[case::readopted_in_place(&[], Step::Readopt, None)]
    #[case::displaced_twice(&[Step::Displace], Step::Displace, None)]
    #[case::judged_while_displaced(&[Step::Displace], judge(MessageStatus::Valid), None)]
    #[case::levelled_while_displaced(&[Step::Displace], Step::Level(SafetyLevel::Safe), None)]
    #[case::invalid_resolved(&[judge(INVALID), Step::Displace], RESOLVED, Some("resolved"))]
    #[case::last_found_invalid_resolved(&[judge(INVALID), judge(MessageStatus::Unknown), Step::Displace], RESOLVED, Some("resolved"))]
    #[case::valid_resolved(&[judge(INVALID), judge(MessageStatus::Valid), Step::Displace], RESOLVED, None)]
    #[case::undecided_resolved(&[Step::Displace], RESOLVED, None)]
    #[case::resolved_in_place(&[judge(INVALID)], RESOLVED, None)]
    #[case::orphaned(&[Step::Displace], ORPHANED, Some("orphaned"))]
    #[case::orphaned_in_place(&[], ORPHANED, None)]
    #[case::expired_while_displaced(&[Step::Displace], EXPIRED, Some("expired"))]
    #[case::final_while_displaced(&[judge(INVALID), Step::Level(SafetyLevel::Finalized), Step::Displace], FINALIZED, None)]
    fn transitions(#[case] before: &[Step], #[case] step: Step, #[case] allowed: Option<&str>) {
        let mut life = Lifecycle::new(SafetyLevel::Unsafe);
        for step in before {
            life.apply(*step).unwrap();
        }
        let unchanged = life;
        match (life.apply(step), allowed) {
            (Ok(Some(_)), Some(name)) => assert_eq!(life.state().name(), name),
            (Err(refused), None) => {
                assert_eq!((refused.state, refused.step), (unchanged.state(), step));
                assert_eq!(life, unchanged);
            }
            (other, _) => panic!("{other:?}"),
        }
    }

    #[rstest]
    #[case::at_once(&[judge(MessageStatus::Valid), judge(INVALID)], 1)]
    #[case::with_unknown_between(&[judge(MessageStatus::Valid), judge(MessageStatus::Unknown), judge(INVALID)], 1)]
    #[case::back(&[judge(INVALID), judge(MessageStatus::Valid), judge(INVALID)], 2)]
    #[case::lost_and_found(&[judge(MessageStatus::Valid), judge(MessageStatus::Unknown), judge(MessageStatus::Valid)], 0)]
    #[case::first_decided(&[judge(INVALID)], 0)]
    fn status_flips(#[case] steps: &[Step], #[case] flips: u32) {
        let mut life = Lifecycle::new(SafetyLevel::Unsafe);
        let reported = steps
            .iter()
            .filter(|step| matches!(life.apply(**step).unwrap(), Some(Change::Status { flip: true, .. })));
        let reported = reported.count();
        assert_eq!((life.flips(), reported), (flips, usize::try_from(flips).unwrap()));
    }

    fn step() -> impl Strategy<Value = Step> {
        let status = prop_oneof![Just(MessageStatus::Unknown), Just(MessageStatus::Valid), Just(INVALID)];
        let level = (0..5_usize).prop_map(|level| SafetyLevel::ALL[level]);
        prop_oneof![
            4 => status.prop_map(judge),
            4 => level.prop_map(Step::Level),
            3 => Just(Step::Displace),
            3 => Just(Step::Readopt),
            1 => Just(RESOLVED),
            1 => Just(ORPHANED),
            1 => Just(FINALIZED),
            1 => Just(EXPIRED),
        ]
    }

    proptest! {
        #[test]
        fn a_message_ends_once(steps in proptest::collection::vec(step(), 0..40)) {
            let mut life = Lifecycle::new(SafetyLevel::Unsafe);
            let mut ended = None;
            for step in steps {
                let before = life;
                let changed = life.apply(step);
                match changed {
                    Ok(Some(_)) => prop_assert_ne!(life, before),
                    Ok(None) | Err(_) => prop_assert_eq!(life, before),
                }
                if let Some(end) = ended {
                    prop_assert!(changed.is_err());
                    prop_assert_eq!(life, end);
                } else if !life.state().is_open() {
                    prop_assert!(matches!(changed, Ok(Some(Change::Ended(_)))));
                    ended = Some(life);
                }
            }
        }
    }
}
