//! [`Topic`]: the gossip topics that Crosscheck takes part in.
//!
//! Names only: what a topic demands of a block is in [`crate::ValidationRules`].

use crate::{ChainId, SigningDomain};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Serialize};

/// A gossip topic of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// The sequencer's unsafe blocks, Isthmus and later.
    #[serde(rename = "blocksv4")]
    BlocksV4,
    /// The sequencer's attestations that a block is cross-safe.
    #[serde(rename = "cross-safe-blocksv1")]
    CrossSafeBlocksV1,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 2] = [Self::BlocksV4, Self::CrossSafeBlocksV1];

    /// The topic's name, as texts and JSON carry it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BlocksV4 => "blocksv4",
            Self::CrossSafeBlocksV1 => "cross-safe-blocksv1",
        }
    }

    /// The topic's string on the wire, for one chain.
    pub fn path(self, chain_id: ChainId) -> String {
        match self {
            Self::BlocksV4 => format!("/optimism/{chain_id}/3/blocks"),
            Self::CrossSafeBlocksV1 => format!("/optimism/{chain_id}/0/cross-safe-blocks"),
        }
    }

    /// The domains that a signature on this topic may be made in, the one to try first leading.
    pub const fn domains(self) -> &'static [SigningDomain] {
        match self {
            Self::BlocksV4 => &[SigningDomain::Zero],
            Self::CrossSafeBlocksV1 => &[SigningDomain::CrossSafeBlocksV1, SigningDomain::Zero],
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no topic: write blocksv4 or cross-safe-blocksv1")]
pub struct ParseTopicError {
    /// What was given.
    pub text: String,
}

impl FromStr for Topic {
    type Err = ParseTopicError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|topic| topic.name() == text)
            .ok_or_else(|| ParseTopicError { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::blocks(Topic::BlocksV4, "/optimism/10/3/blocks")]
    #[case::cross_safe(Topic::CrossSafeBlocksV1, "/optimism/10/0/cross-safe-blocks")]
    fn a_path_names_chain_and_version(#[case] topic: Topic, #[case] path: &str) {
        assert_eq!(topic.path(ChainId::from(10)), path);
    }

    #[rstest]
    #[case(Topic::BlocksV4)]
    #[case(Topic::CrossSafeBlocksV1)]
    fn text_and_json_use_the_same_name(#[case] topic: Topic) {
        assert_eq!(topic.to_string().parse::<Topic>().unwrap(), topic);
        assert_eq!(serde_json::to_value(topic).unwrap(), topic.name());
        assert_eq!(serde_json::from_value::<Topic>(topic.name().into()).unwrap(), topic);
    }

    #[test]
    fn an_unknown_name_is_refused() {
        assert!("blocksv5".parse::<Topic>().is_err());
    }
}
