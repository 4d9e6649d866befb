//! [`Fields`]: a JSON object whose fields are read one by one, by name.
//!
//! Other fields are ignored, whatever they contain: clients disagree about fields that no hash covers. An
//! error names its field. This module does not know what the fields mean.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::borrow::{Borrow, Cow};
use std::collections::BTreeMap;

/// How much of a parser's words is repeated: they may quote what a client wrote.
const LONGEST_PROBLEM: usize = 200;

/// A field that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// There are no fields.
    #[error("it is not an object: {problem}")]
    NoObject {
        /// What the parser said.
        problem: String,
    },
    /// It is not there.
    #[error("`{field}` is missing")]
    Missing {
        /// Its name.
        field: String,
    },
    /// It is not a value of its kind.
    #[error("`{field}` cannot be read: {problem}")]
    Malformed {
        /// Its name.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl FieldError {
    /// A field that is not there.
    pub fn missing(field: &str) -> Self {
        Self::Missing { field: field.to_owned() }
    }

    /// A field with a value that is none.
    pub fn malformed(field: &str, problem: &impl ToString) -> Self {
        Self::Malformed { field: field.to_owned(), problem: shortened(problem) }
    }

    /// The same error, of an object that is a field of another.
    pub fn within(self, outer: &str) -> Self {
        match self {
            Self::NoObject { problem } => Self::Malformed { field: outer.to_owned(), problem },
            Self::Missing { field } => Self::Missing { field: format!("{outer}.{field}") },
            Self::Malformed { field, problem } => {
                Self::Malformed { field: format!("{outer}.{field}"), problem }
            }
        }
    }
}

/// A field's name, borrowed where it holds no escapes.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl Borrow<str> for Name<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A JSON object, its fields not read yet.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Fields<'a>(#[serde(borrow)] BTreeMap<Name<'a>, &'a RawValue>);

impl<'a> Fields<'a> {
    /// The fields of an object.
    ///
    /// # Errors
    /// If the text is not a JSON object.
    pub fn of(json: &'a str) -> Result<Self, FieldError> {
        serde_json::from_str(json).map_err(|error| FieldError::NoObject { problem: shortened(&error) })
    }

    /// A field as it is written. `None`: it is not there, or null.
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|value| value.get()).filter(|value| *value != "null")
    }

    /// A list that must be there, its parts not read yet.
    ///
    /// # Errors
    /// If the field is missing or null, or is not a list.
    pub fn list(&self, name: &str) -> Result<Vec<&'a RawValue>, FieldError> {
        let written = self.raw(name).ok_or_else(|| FieldError::missing(name))?;
        serde_json::from_str(written).map_err(|error| FieldError::malformed(name, &error))
    }

    /// A field that may be left out, or null.
    ///
    /// # Errors
    /// If the field is there, and is not a value of its kind.
    pub fn optional<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, FieldError> {
        let read = |value| serde_json::from_str(value).map_err(|error| FieldError::malformed(name, &error));
        self.raw(name).map(read).transpose()
    }

    /// A field that must be there.
    ///
    /// # Errors
    /// If the field is missing or null, or is not a value of its kind.
    pub fn required<T: DeserializeOwned>(&self, name: &str) -> Result<T, FieldError> {
        self.optional(name)?.ok_or_else(|| FieldError::missing(name))
    }
}

/// Reads JSON.
///
/// # Errors
/// If the text is not JSON of this kind. The error names the place, and is short.
pub fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, String> {
    let error = match serde_json::from_str(json) {
        Ok(read) => return Ok(read),
        Err(error) => error,
    };
    // Only now: following the path costs time.
    let mut again = serde_json::Deserializer::from_str(json);
    let named = serde_path_to_error::deserialize::<_, T>(&mut again).err();
    let named = named.filter(|named| named.path().iter().next().is_some());
    Err(named.map_or_else(|| shortened(&error), |named| shortened(&named)))
}

fn shortened(problem: &impl ToString) -> String {
    problem.to_string().chars().take(LONGEST_PROBLEM).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::there(r#"{"other":{"a":[1]},"a":7}"#, Ok(Some(7)))]
    #[case::escaped(r#"{"\u0061":7}"#, Ok(Some(7)))]
    #[case::null(r#"{"a":null}"#, Ok(None))]
    #[case::absent(r#"{"other":false}"#, Ok(None))]
    #[case::another_kind(r#"{"a":[]}"#, Err("`a` cannot be read"))]
    #[case::no_object("[]", Err("it is not an object"))]
    fn a_field(#[case] json: &str, #[case] expected: Result<Option<u8>, &str>) {
        let read = Fields::of(json).and_then(|fields| fields.optional::<u8>("a"));
        match expected {
            Ok(value) => assert_eq!(read, Ok(value)),
            Err(problem) => assert!(read.unwrap_err().to_string().contains(problem)),
        }
    }

    #[test]
    fn a_missing_required_field_is_named() {
        let fields = Fields::of("{}").unwrap();
        assert_eq!(fields.required::<u8>("a"), Err(FieldError::missing("a")));
        let within = FieldError::missing("a").within("logs[1]").to_string();
        assert_eq!(within, "`logs[1].a` is missing");
    }

    #[test]
    fn an_error_of_a_whole_answer_names_its_place_and_is_short() {
        #[derive(Debug, Deserialize)]
        struct Inner {
            #[expect(dead_code, reason = "only read")]
            number: u8,
        }
        let long = "x".repeat(1000);
        let error = read::<BTreeMap<String, Inner>>(&format!(r#"{{"head":{{"number":"{long}"}}}}"#));
        let error = error.unwrap_err();
        assert!(error.starts_with("head.number: ") && error.chars().count() == LONGEST_PROBLEM, "{error}");
        assert!(read::<u8>("\"x\"").unwrap_err().starts_with("invalid type"));
    }
}
