//! [`ClockSource`]: where the time comes from.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::str::FromStr;

/// Where the time comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ClockSource {
    /// The machine's clock.
    System,
    /// A file that holds the seconds since 1970, kept current by a simulated superchain.
    File(PathBuf),
}

impl FromStr for ClockSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "system" => Ok(Self::System),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            _ => Err(format!("{text:?} is not a source of time")),
        }
    }
}

impl TryFrom<String> for ClockSource {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ClockSource> for String {
    fn from(source: ClockSource) -> Self {
        match source {
            ClockSource::System => "system".to_owned(),
            ClockSource::File(path) => format!("file:{}", path.display()),
        }
    }
}
