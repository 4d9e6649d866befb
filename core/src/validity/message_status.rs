//! [`MessageStatus`]: what is known of an executed message.

use super::InvalidReason;
use serde::Serialize;
use std::fmt;
use std::str::FromStr;

/// What is known of a message. An endpoint's failure leaves it unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageStatus {
    /// Not decided yet.
    Unknown,
    /// Every clause is met.
    Valid,
    /// A clause is proven broken.
    Invalid(InvalidReason),
}

/// A [`MessageStatus`] without its reason. Its text, and its JSON, is its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatusKind {
    /// Not decided yet.
    Unknown,
    /// Every clause is met.
    Valid,
    /// A clause is proven broken.
    Invalid,
}

/// A text that names no status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the status of a message: expected unknown, valid or invalid")]
pub struct NoSuchStatus(String);

impl MessageStatus {
    /// Every name that [`MessageStatus::name`] gives.
    pub const NAMES: [&str; 3] =
        [StatusKind::Unknown.name(), StatusKind::Valid.name(), StatusKind::Invalid.name()];

    /// The status without its reason.
    pub const fn kind(&self) -> StatusKind {
        match self {
            Self::Unknown => StatusKind::Unknown,
            Self::Valid => StatusKind::Valid,
            Self::Invalid(_) => StatusKind::Invalid,
        }
    }

    /// Its stable name.
    pub const fn name(&self) -> &'static str {
        self.kind().name()
    }
}

impl StatusKind {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
        }
    }
}

impl fmt::Display for StatusKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for StatusKind {
    type Err = NoSuchStatus;

    fn from_str(name: &str) -> Result<Self, NoSuchStatus> {
        let all = [Self::Unknown, Self::Valid, Self::Invalid];
        all.into_iter().find(|kind| kind.name() == name).ok_or_else(|| NoSuchStatus(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_by_its_name() {
        for kind in [StatusKind::Unknown, StatusKind::Valid, StatusKind::Invalid] {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        assert_eq!("Valid".parse::<StatusKind>(), Err(NoSuchStatus("Valid".to_owned())));
    }
}
