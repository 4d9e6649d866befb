//! [`Form::check`]: whether a value has the kind and keeps the bounds of its key.

use super::form::{Form, Kind};
use super::redaction::shortened_reason;
use std::num::{IntErrorKind, ParseIntError};
use std::ops::RangeInclusive;
use std::time::Duration;
use toml::Value;

/// Why a value is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The entry of the list that is at fault, if the value is a list.
    pub(super) index: Option<usize>,
    pub(super) reason: String,
}

impl Form {
    /// Checks the kind and the bounds of a value.
    ///
    /// # Errors
    /// If it cannot be the key's value.
    pub(super) fn check(&self, value: &Value) -> Result<(), Refusal> {
        match (&self.kind, value) {
            (Kind::Boolean, Value::Boolean(_)) | (Kind::Text(_) | Kind::TextOrList(_), Value::String(_)) => {
                Ok(())
            }
            (Kind::Whole(range), Value::Integer(number)) => self.check_whole(range, *number),
            (Kind::Duration(range), Value::String(text)) => self.check_duration(range, text, false),
            (Kind::WholeSeconds(range), Value::String(text)) => self.check_duration(range, text, true),
            (Kind::Choice(choices), Value::String(text)) => {
                let is_known = choices.iter().any(|(name, _)| name == text);
                if is_known { Ok(()) } else { refuse("not one of the values of this key") }
            }
            (Kind::List(_) | Kind::TextOrList(_), Value::Array(items)) => check_items(items, false),
            (Kind::ListOrNumbers(_), Value::Array(items)) => check_items(items, true),
            (kind, value) => refuse(format!("expected {}, found {}", kind.expected(), kind_of(value))),
        }
    }

    fn check_whole(&self, range: &RangeInclusive<u64>, number: i64) -> Result<(), Refusal> {
        match u64::try_from(number) {
            Ok(number) if number > *range.end() => refuse(self.above(range)),
            Ok(number) if number >= *range.start() => Ok(()),
            _ => refuse(self.below(range)),
        }
    }

    fn above(&self, range: &RangeInclusive<u64>) -> String {
        because(format!("above {}", (*range.end()).min(i64::MAX.unsigned_abs())), self.if_above)
    }

    fn below(&self, range: &RangeInclusive<u64>) -> String {
        because(format!("below {}", range.start()), self.if_below)
    }

    /// Why a text is not a number of TOML: one that is too long for it is a whole number nevertheless.
    pub(super) fn not_readable(&self, range: &RangeInclusive<u64>, error: &ParseIntError) -> String {
        match error.kind() {
            IntErrorKind::PosOverflow => self.above(range),
            IntErrorKind::NegOverflow => self.below(range),
            _ => "not a whole number".to_owned(),
        }
    }

    fn check_duration(
        &self,
        range: &RangeInclusive<Duration>,
        text: &str,
        is_whole_seconds: bool,
    ) -> Result<(), Refusal> {
        let shown = |duration: &Duration| humantime::format_duration(*duration).to_string();
        match humantime::parse_duration(text) {
            Err(humantime::DurationError::NumberOverflow) => {
                refuse("the duration is too long, or finer than a nanosecond")
            }
            Err(error) => refuse(shortened_reason(&format!("not a duration: {error}"))),
            Ok(span) if span < *range.start() => {
                refuse(because(format!("shorter than {}", shown(range.start())), self.if_below))
            }
            Ok(span) if span > *range.end() => {
                refuse(because(format!("longer than {}", shown(range.end())), self.if_above))
            }
            Ok(span) if is_whole_seconds && span.subsec_nanos() != 0 => {
                refuse("it has a fraction of a second, and timestamps of blocks are whole seconds")
            }
            Ok(_) => Ok(()),
        }
    }
}

impl Kind {
    /// What the value must be in TOML.
    const fn expected(&self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Whole(_) => "a whole number",
            Self::Duration(_) | Self::WholeSeconds(_) | Self::Choice(_) | Self::Text(_) => "a string",
            Self::List(_) | Self::ListOrNumbers(_) => "a list",
            Self::TextOrList(_) => "a string or a list",
        }
    }
}

/// What a value is, in an operator's words.
pub(super) const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Integer(number) if *number < 0 => "a negative number",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a floating-point number",
        Value::Boolean(_) => "a boolean",
        Value::Datetime(_) => "a date or a time",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    }
}

fn check_items(items: &[Value], are_numbers_accepted: bool) -> Result<(), Refusal> {
    let is_accepted = |item: &Value| item.is_str() || (are_numbers_accepted && item.is_integer());
    let expected = if are_numbers_accepted { "a string or a whole number" } else { "a string" };
    match items.iter().enumerate().find(|(_, item)| !is_accepted(item)) {
        Some((index, item)) => Err(Refusal {
            index: Some(index),
            reason: format!("expected {expected}, found {}", kind_of(item)),
        }),
        None => Ok(()),
    }
}

fn refuse(reason: impl Into<String>) -> Result<(), Refusal> {
    Err(Refusal { index: None, reason: reason.into() })
}

/// A bound that is not kept, and why there is one.
fn because(bound: String, why: Option<&str>) -> String {
    match why {
        Some(why) => format!("{bound}: {why}"),
        None => bound,
    }
}
