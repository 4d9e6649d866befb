//! [`FaultSpec`]: a fault as it is written on the command line, `NAME@BLOCK[:CHAIN]`.

use super::fault::ScriptedFault;
use super::registry::{REGISTRY, named};
use core::{fmt, str::FromStr};

/// Which fault, at which block, on which chain.
#[derive(Clone, Copy, Debug)]
pub struct FaultSpec {
    /// The fault.
    pub fault: &'static ScriptedFault,
    /// The height.
    pub block: u64,
    /// The chain id; `None`: the first chain.
    pub chain_id: Option<u64>,
}

/// A text that does not name a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseFaultError {
    /// The text does not have the form `NAME@BLOCK[:CHAIN]`.
    #[error(
        "{text:?} is not a fault: write NAME@BLOCK or NAME@BLOCK:CHAIN, for example invalid-message@15:902"
    )]
    Malformed {
        /// What was given.
        text: String,
    },
    /// No fault has this name.
    #[error("there is no fault named {name:?}: choose one of {known}")]
    UnknownName {
        /// What was given.
        name: String,
        /// The names there are.
        known: String,
    },
}

impl FromStr for FaultSpec {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || ParseFaultError::Malformed { text: text.to_owned() };
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse::<u64>().ok()).flatten().ok_or_else(malformed)
        };
        let (name, place) = text.split_once('@').ok_or_else(malformed)?;
        let (block, chain_id) = match place.split_once(':') {
            Some((block, chain)) => (block, Some(number(chain)?)),
            None => (place, None),
        };
        let block = number(block)?;
        let fault = named(name).ok_or_else(|| ParseFaultError::UnknownName {
            name: name.to_owned(),
            known: REGISTRY.iter().map(|fault| fault.name).collect::<Vec<_>>().join(", "),
        })?;
        Ok(Self { fault, block, chain_id })
    }
}

impl fmt::Display for FaultSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.fault.name, self.block)?;
        self.chain_id.map_or(Ok(()), |chain_id| write!(f, ":{chain_id}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::first_chain("invalid-message@15", "invalid-message", 15, None)]
    #[case::named_chain("wrong-log-index@22:902", "wrong-log-index", 22, Some(902))]
    fn reads(#[case] text: &str, #[case] name: &str, #[case] block: u64, #[case] chain_id: Option<u64>) {
        let spec: FaultSpec = text.parse().unwrap();
        assert_eq!((spec.fault.name, spec.block, spec.chain_id), (name, block, chain_id));
        assert_eq!(spec.to_string(), text);
    }

    #[rstest]
    #[case::no_block("invalid-message")]
    #[case::empty_block("invalid-message@")]
    #[case::word_for_a_block("invalid-message@last")]
    #[case::negative_block("invalid-message@-1")]
    #[case::signed_block("invalid-message@+1")]
    #[case::empty_chain("invalid-message@15:")]
    #[case::word_for_a_chain("invalid-message@15:op")]
    #[case::two_chains("invalid-message@15:901:902")]
    #[case::too_large("invalid-message@99999999999999999999")]
    fn refuses_a_text_of_another_form(#[case] text: &str) {
        let refused = ParseFaultError::Malformed { text: text.to_owned() };
        assert_eq!(text.parse::<FaultSpec>().unwrap_err(), refused);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "no-such-fault@3".parse::<FaultSpec>().unwrap_err();
        let text = error.to_string();
        assert!(REGISTRY.iter().all(|fault| text.contains(fault.name)), "{text}");
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = REGISTRY.iter().map(|fault| fault.name).collect();
        assert_eq!(names.len(), REGISTRY.len());
    }
}
