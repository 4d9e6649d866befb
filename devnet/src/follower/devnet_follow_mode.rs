//! [`DevnetFollowMode`]: what the sidecar's head for followers rests on, as the command line has it.

use core::{fmt, str::FromStr};

/// What the served head rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DevnetFollowMode {
    /// Attestations.
    Attested,
    /// What the chain's rollup node calls safe.
    Clamp,
    /// What the sidecar itself finds valid.
    Verified,
}

/// A text that names no mode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a mode: write attested, clamp or verified")]
pub struct ParseFollowModeError {
    text: String,
}

impl DevnetFollowMode {
    const ALL: [Self; 3] = [Self::Attested, Self::Clamp, Self::Verified];

    /// Its name, as in the sidecar's configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attested => "attested",
            Self::Clamp => "clamp",
            Self::Verified => "verified",
        }
    }
}

impl FromStr for DevnetFollowMode {
    type Err = ParseFollowModeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|mode| mode.name() == text);
        named.ok_or_else(|| ParseFollowModeError { text: text.to_owned() })
    }
}

impl fmt::Display for DevnetFollowMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_read_by_its_name() {
        for mode in DevnetFollowMode::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        let error = "off".parse::<DevnetFollowMode>().unwrap_err().to_string();
        assert!(error.contains("\"off\"") && error.contains("verified"), "{error}");
    }
}
