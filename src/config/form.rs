//! [`Form`]: which values a key accepts. The check of a value and every text about it (help,
//! `config/default.toml`, the fix in an error) are made from it, so that a bound is written once.

use std::ops::RangeInclusive;
use std::time::Duration;
use toml::Value;

/// Which values a key accepts, as far as its kind and its bounds determine that. A text is checked by its
/// parser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form {
    pub(super) kind: Kind,
    /// What a number counts: `MiB`.
    unit: Option<&'static str>,
    /// A bound that another key sets, in words. A rule checks it.
    limit: Option<&'static str>,
    /// Why a smaller value cannot work.
    pub(super) if_below: Option<&'static str>,
    /// Why a larger value cannot work.
    pub(super) if_above: Option<&'static str>,
    pub(super) when_unset: WhenUnset,
    /// What the key has in place of that if the chain's network is named.
    pub(super) if_named: Option<&'static str>,
    /// Whether what is written may be a secret by mistake. Then no message shows it.
    pub(super) is_secret: bool,
    pub(super) example: Example,
}

/// What kind of value a key has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Whole(RangeInclusive<u64>),
    /// A text such as `"10s"`.
    Duration(RangeInclusive<Duration>),
    /// The same, without fractions of a second.
    WholeSeconds(RangeInclusive<Duration>),
    /// One of these words, each with its meaning.
    Choice(&'static [(&'static str, &'static str)]),
    /// A text, and what it is.
    Text(&'static str),
    /// A list of texts, and what they are.
    List(&'static str),
    /// A list of texts or numbers, and what they are.
    ListOrNumbers(&'static str),
    /// A text or a list of texts, and what that is.
    TextOrList(&'static str),
}

/// What happens if a key is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenUnset {
    /// It has its default.
    Default,
    /// It has no value, and this is what that means.
    Means(&'static str),
    /// The configuration is not accepted.
    Required,
}

/// A value that shows how a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Example {
    /// None is needed.
    None,
    /// The default.
    Default,
    /// This TOML.
    Toml(&'static str),
}

pub(super) const fn boolean() -> Form {
    Form::new(Kind::Boolean, Example::None)
}

pub(super) const fn whole(range: RangeInclusive<u64>) -> Form {
    Form::new(Kind::Whole(range), Example::None)
}

pub(super) const fn duration(range: RangeInclusive<Duration>) -> Form {
    Form::new(Kind::Duration(range), Example::Default)
}

pub(super) const fn any_duration() -> Form {
    duration(Duration::ZERO..=Duration::MAX)
}

pub(super) const fn whole_seconds(range: RangeInclusive<Duration>) -> Form {
    Form::new(Kind::WholeSeconds(range), Example::Default)
}

/// Each choice with its meaning, as `config/default.toml` gives it in brackets.
pub(super) const fn choice(choices: &'static [(&'static str, &'static str)]) -> Form {
    Form::new(Kind::Choice(choices), Example::None)
}

/// `what` has its article: "a file name".
pub(super) const fn text(what: &'static str) -> Form {
    Form::new(Kind::Text(what), Example::None)
}

/// The URL of an endpoint.
pub(super) const URL: Form = text("an http:// or https:// URL");

pub(super) const fn socket() -> Form {
    Form::new(Kind::Text("an IP address and a port"), Example::Default)
}

/// `what` is in the plural: "peer ids".
pub(super) const fn list(what: &'static str) -> Form {
    Form::new(Kind::List(what), Example::None)
}

pub(super) const fn list_or_numbers(what: &'static str) -> Form {
    Form::new(Kind::ListOrNumbers(what), Example::None)
}

pub(super) const fn text_or_list(what: &'static str) -> Form {
    Form::new(Kind::TextOrList(what), Example::None)
}

impl Form {
    const fn new(kind: Kind, example: Example) -> Self {
        Self {
            kind,
            unit: None,
            limit: None,
            if_below: None,
            if_above: None,
            when_unset: WhenUnset::Default,
            if_named: None,
            is_secret: false,
            example,
        }
    }

    pub(super) const fn of(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }

    pub(super) const fn limited(self, limit: &'static str) -> Self {
        Self { limit: Some(limit), ..self }
    }

    pub(super) const fn if_below(self, if_below: &'static str) -> Self {
        Self { if_below: Some(if_below), ..self }
    }

    pub(super) const fn if_above(self, if_above: &'static str) -> Self {
        Self { if_above: Some(if_above), ..self }
    }

    /// What it means that there is no value: a clause that follows "Not set: ".
    pub(super) const fn unset(self, meaning: &'static str) -> Self {
        Self { when_unset: WhenUnset::Means(meaning), ..self }
    }

    pub(super) const fn required(self) -> Self {
        Self { when_unset: WhenUnset::Required, ..self }
    }

    /// What a chain of a named network has if the key is not set: a clause that follows "Not set, and the
    /// network is named: ".
    pub(super) const fn if_named(self, meaning: &'static str) -> Self {
        Self { if_named: Some(meaning), ..self }
    }

    /// No message shows what is written.
    pub(super) const fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    pub(super) const fn example(self, toml: &'static str) -> Self {
        Self { example: Example::Toml(toml), ..self }
    }

    /// What may be written: "a whole number of MiB, 1 to 1024".
    pub(super) fn phrase(&self) -> String {
        let mut phrase = match &self.kind {
            Kind::Boolean => "true or false".to_owned(),
            Kind::Whole(range) => {
                let unit = self.unit.map_or_else(String::new, |unit| format!(" of {unit}"));
                format!("a whole number{unit}{}", whole_bounds(range))
            }
            Kind::Duration(range) => format!("a duration with a unit{}", duration_bounds(range)),
            Kind::WholeSeconds(range) => {
                format!("a duration in whole seconds with a unit{}", duration_bounds(range))
            }
            Kind::Choice(choices) => one_of(choices.iter().map(|(name, _)| format!("\"{name}\"")).collect()),
            Kind::Text(what) | Kind::TextOrList(what) => (*what).to_owned(),
            Kind::List(what) | Kind::ListOrNumbers(what) => format!("a list of {what}"),
        };
        if let Some(limit) = self.limit {
            phrase = format!("{phrase}, {limit}");
        }
        phrase
    }

    /// The same, with the meanings of choices.
    pub(super) fn long_phrase(&self) -> String {
        match &self.kind {
            Kind::Choice(choices) => one_of(choices.iter().map(with_meaning).collect()),
            _ => self.phrase(),
        }
    }

    /// The placeholder of a value in the help of a flag.
    pub(super) const fn value_name(&self) -> &'static str {
        match self.kind {
            Kind::Boolean => "BOOLEAN",
            Kind::Whole(_) => "NUMBER",
            Kind::Duration(_) | Kind::WholeSeconds(_) => "DURATION",
            Kind::Choice(_) | Kind::Text(_) => "TEXT",
            Kind::List(_) | Kind::ListOrNumbers(_) | Kind::TextOrList(_) => "LIST",
        }
    }

    /// The value of a text of a flag or of the environment.
    ///
    /// # Errors
    /// The reason, if it has none.
    pub(super) fn read(&self, text: &str) -> Result<Value, String> {
        Ok(match &self.kind {
            Kind::Boolean => Value::Boolean(text.parse().map_err(|_| "not true or false")?),
            Kind::Whole(range) => {
                Value::Integer(text.parse().map_err(|error| self.not_readable(range, &error))?)
            }
            Kind::Duration(_) | Kind::WholeSeconds(_) | Kind::Choice(_) | Kind::Text(_) => {
                Value::String(text.to_owned())
            }
            Kind::List(_) | Kind::ListOrNumbers(_) | Kind::TextOrList(_) => {
                Value::Array(text.split(',').map(|item| Value::String(item.trim().to_owned())).collect())
            }
        })
    }
}

/// `, 1 to 1024`.
fn whole_bounds(range: &RangeInclusive<u64>) -> String {
    match (range.start(), range.end()) {
        (start, &u64::MAX) => format!(", {start} or more"),
        (start, end) => format!(", {start} to {end}"),
    }
}

/// `, "10ms" to "10m"`.
fn duration_bounds(range: &RangeInclusive<Duration>) -> String {
    let shown = |duration: &Duration| format!("\"{}\"", humantime::format_duration(*duration));
    match (range.start(), range.end()) {
        (&Duration::ZERO, &Duration::MAX) => String::new(),
        (&Duration::ZERO, end) => format!(", up to {}", shown(end)),
        (start, &Duration::MAX) => format!(", {} or longer", shown(start)),
        (start, end) => format!(", {} to {}", shown(start), shown(end)),
    }
}

fn with_meaning((name, meaning): &(&str, &str)) -> String {
    format!("\"{name}\" ({meaning})")
}

/// `a, b or c`.
fn one_of(mut names: Vec<String>) -> String {
    match names.pop() {
        Some(last) if !names.is_empty() => format!("{} or {last}", names.join(", ")),
        last => last.unwrap_or_default(),
    }
}
