//! [`ExpectedMessage`]: what a sidecar must make of one scripted message, in the terms of the report.

use super::message_record::SeenMessage;
use core::fmt;

/// What must be seen of a message by the end of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExpectedMessage {
    /// Whether it is valid.
    pub(crate) status: ExpectedStatus,
    /// Whether it is executed without having been declared.
    pub(crate) undeclared: bool,
    /// Whether it must have been valid and invalid, in whichever order.
    pub(crate) flipped: bool,
    /// How its life ends: `finalized`, or `resolved` by a replacement.
    pub(crate) ending: &'static str,
}

/// Whether a message is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExpectedStatus {
    /// It is.
    Valid,
    /// It is not, for this reason.
    Invalid(&'static str),
}

impl ExpectedMessage {
    /// A valid message, finalized without a change.
    pub(crate) const VALID: Self =
        Self { status: ExpectedStatus::Valid, undeclared: false, flipped: false, ending: "finalized" };

    /// An invalid message that is finalized because its block is not replaced.
    pub(crate) const fn invalid(reason: &'static str) -> Self {
        Self { status: ExpectedStatus::Invalid(reason), ..Self::VALID }
    }

    /// An invalid message whose block is replaced by its deposits.
    pub(crate) const fn resolved(reason: &'static str) -> Self {
        Self { ending: "resolved", ..Self::invalid(reason) }
    }

    /// What was seen, in the terms of what was expected: equal to its own text form if it is what it must be.
    /// `tolerates_flips`: its chains' nodes were on another branch for a while.
    pub(crate) fn describe(&self, seen: &SeenMessage, tolerates_flips: bool) -> String {
        // What a message cites may be removed when its own block is: it is replaced for what was known of it
        // before.
        let counted_as = if seen.state == "resolved" && seen.was_invalid { "invalid" } else { &seen.status };
        let mut text = counted_as.to_owned();
        if let Some(reason) = self.reason(seen) {
            text.push_str(&format!(" ({reason})"));
        }
        if seen.undeclared {
            text.push_str(", undeclared");
        }
        let reported = if tolerates_flips { self.flipped } else { true };
        if seen.flips > 0 && reported {
            text.push_str(", flipped");
        }
        format!("{text}, {}", seen.state)
    }

    /// Why it is invalid. What a resolved message cites may have been removed before its own block was: then
    /// the reason for which it had to go is among those that were reported before.
    fn reason<'a>(&self, seen: &'a SeenMessage) -> Option<&'a str> {
        let expected = match self.status {
            ExpectedStatus::Invalid(reason) if seen.state == "resolved" => {
                seen.reasons.iter().find(|reported| *reported == reason)
            }
            ExpectedStatus::Invalid(_) | ExpectedStatus::Valid => None,
        };
        expected.map(String::as_str).or(seen.reason.as_deref())
    }
}

impl fmt::Display for ExpectedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            ExpectedStatus::Valid => f.write_str("valid")?,
            ExpectedStatus::Invalid(reason) => write!(f, "invalid ({reason})")?,
        }
        if self.undeclared {
            f.write_str(", undeclared")?;
        }
        if self.flipped {
            f.write_str(", flipped")?;
        }
        write!(f, ", {}", self.ending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn seen(status: &str, reason: Option<&str>, state: &str) -> SeenMessage {
        SeenMessage {
            status: status.to_owned(),
            reason: reason.map(ToOwned::to_owned),
            state: state.to_owned(),
            ..SeenMessage::default()
        }
    }

    #[rstest]
    #[case::as_expected(seen("invalid", Some("cycle"), "resolved"), true)]
    #[case::believed(seen("valid", None, "finalized"), false)]
    #[case::undecided(seen("unknown", None, "resolved"), false)]
    #[case::another_reason(seen("invalid", Some("expired"), "resolved"), false)]
    #[case::another_ending(seen("invalid", Some("cycle"), "orphaned"), false)]
    #[case::undeclared(SeenMessage { undeclared: true, ..seen("invalid", Some("cycle"), "resolved") }, false)]
    #[case::flipped(SeenMessage { flips: 1, ..seen("invalid", Some("cycle"), "resolved") }, false)]
    fn a_seen_message_is_as_expected_only_if_every_part_is(#[case] seen: SeenMessage, #[case] is: bool) {
        let expected = ExpectedMessage::resolved("cycle");
        assert_eq!(expected.describe(&seen, false) == expected.to_string(), is);
    }

    #[test]
    fn a_missing_flip_is_reported_and_one_that_another_branch_explains_is_not() {
        let flips = ExpectedMessage { flipped: true, ..ExpectedMessage::VALID };
        assert_ne!(flips.describe(&seen("valid", None, "finalized"), true), flips.to_string());
        let flipped = SeenMessage { flips: 2, ..seen("valid", None, "finalized") };
        assert_eq!(flips.describe(&flipped, true), flips.to_string());
        assert_eq!(ExpectedMessage::VALID.describe(&flipped, true), "valid, finalized");
    }

    #[rstest]
    #[case::known_before(true, true)]
    #[case::never_known(false, false)]
    fn a_message_that_is_resolved_after_what_it_cites_was_invalid_before(
        #[case] was_invalid: bool,
        #[case] is: bool,
    ) {
        let expected = ExpectedMessage::resolved("cycle");
        let reasons = vec!["cycle".to_owned()];
        let seen = SeenMessage { was_invalid, reasons, ..seen("unknown", None, "resolved") };
        assert_eq!(expected.describe(&seen, false) == expected.to_string(), is);
    }

    #[rstest]
    #[case::resolved("resolved", true)]
    #[case::kept("finalized", false)]
    fn the_reason_of_a_resolved_message_is_any_that_was_reported(#[case] state: &str, #[case] is: bool) {
        let expected = ExpectedMessage { ending: "resolved", ..ExpectedMessage::invalid("cycle") };
        let expected = ExpectedMessage { ending: if is { "resolved" } else { "finalized" }, ..expected };
        let reasons = ["cycle", "log-not-found"].map(ToOwned::to_owned).to_vec();
        let seen = SeenMessage { reasons, ..seen("invalid", Some("log-not-found"), state) };
        assert_eq!(expected.describe(&seen, false) == expected.to_string(), is);
    }
}
