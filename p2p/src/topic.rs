//! [`Topic`]: the gossip topics that Crosscheck takes part in.
//!
//! Names only: what a topic requires of a block is in [`crate::ValidationRules`].

use crate::{ChainId, GossipForkTimes, PayloadVersion, SigningDomain, UnixSeconds};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Serialize};

/// A gossip topic of a chain: rollup-node p2p specification, "Topics".
///
/// ```
/// use crosscheck_p2p::{ChainId, GossipForkTimes, PayloadVersion, Topic, UnixSeconds};
///
/// let topic = Topic::of_block(&GossipForkTimes::AT_GENESIS, UnixSeconds(1_800_000_000));
/// assert_eq!((topic, topic.name(), topic.version()), (Topic::BlocksV4, "blocksv4", PayloadVersion::V4));
/// assert_eq!(topic.path(ChainId::from(10)), "/optimism/10/3/blocks");
/// assert_eq!("cross-safe-blocksv1".parse(), Ok(Topic::CrossSafeBlocksV1));
/// // A node need not join the cross-safe topic.
/// assert!(!Topic::BLOCKS.contains(&Topic::CrossSafeBlocksV1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// The sequencer's unsafe blocks before Canyon.
    #[serde(rename = "blocksv1")]
    BlocksV1,
    /// The sequencer's unsafe blocks, Canyon and Delta.
    #[serde(rename = "blocksv2")]
    BlocksV2,
    /// The sequencer's unsafe blocks, Ecotone to Holocene.
    #[serde(rename = "blocksv3")]
    BlocksV3,
    /// The sequencer's unsafe blocks, Isthmus and later.
    #[serde(rename = "blocksv4")]
    BlocksV4,
    /// The sequencer's attestations that a block is cross-safe.
    #[serde(rename = "cross-safe-blocksv1")]
    CrossSafeBlocksV1,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 5] =
        [Self::BlocksV1, Self::BlocksV2, Self::BlocksV3, Self::BlocksV4, Self::CrossSafeBlocksV1];

    /// The topics of unsafe blocks: all but the cross-safe one, which a network of plain op-nodes does not
    /// have.
    pub const BLOCKS: [Self; 4] = [Self::BlocksV1, Self::BlocksV2, Self::BlocksV3, Self::BlocksV4];

    /// The topic of unsafe blocks in a version.
    pub const fn of_blocks(version: PayloadVersion) -> Self {
        match version {
            PayloadVersion::V1 => Self::BlocksV1,
            PayloadVersion::V2 => Self::BlocksV2,
            PayloadVersion::V3 => Self::BlocksV3,
            PayloadVersion::V4 => Self::BlocksV4,
        }
    }

    /// The topic that an unsafe block of this time is published on.
    pub fn of_block(forks: &GossipForkTimes, timestamp: UnixSeconds) -> Self {
        Self::of_blocks(forks.version_at(timestamp))
    }

    /// The topic's name, as texts and JSON carry it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BlocksV1 => "blocksv1",
            Self::BlocksV2 => "blocksv2",
            Self::BlocksV3 => "blocksv3",
            Self::BlocksV4 => "blocksv4",
            Self::CrossSafeBlocksV1 => "cross-safe-blocksv1",
        }
    }

    /// The topic's string on the wire, for one chain: `/optimism/<chain id>/<version>/blocks`.
    pub fn path(self, chain_id: ChainId) -> String {
        match self {
            Self::BlocksV1 => format!("/optimism/{chain_id}/0/blocks"),
            Self::BlocksV2 => format!("/optimism/{chain_id}/1/blocks"),
            Self::BlocksV3 => format!("/optimism/{chain_id}/2/blocks"),
            Self::BlocksV4 => format!("/optimism/{chain_id}/3/blocks"),
            Self::CrossSafeBlocksV1 => format!("/optimism/{chain_id}/0/cross-safe-blocks"),
        }
    }

    /// The version that payloads on this topic have.
    pub const fn version(self) -> PayloadVersion {
        match self {
            Self::BlocksV1 => PayloadVersion::V1,
            Self::BlocksV2 => PayloadVersion::V2,
            Self::BlocksV3 => PayloadVersion::V3,
            Self::BlocksV4 | Self::CrossSafeBlocksV1 => PayloadVersion::V4,
        }
    }

    /// Whether a block on this topic is an attestation, not an unsafe block.
    pub const fn is_cross_safe(self) -> bool {
        matches!(self, Self::CrossSafeBlocksV1)
    }

    /// The domains that a signature on this topic may be made in, the topic's own domain first.
    pub const fn domains(self) -> &'static [SigningDomain] {
        if self.is_cross_safe() {
            &[SigningDomain::CrossSafeBlocksV1, SigningDomain::Zero]
        } else {
            &[SigningDomain::Zero]
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
#[error("{text:?} is not a topic: write one of blocksv1 to blocksv4, or cross-safe-blocksv1")]
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
    #[case::blocks_v1(Topic::BlocksV1, "/optimism/10/0/blocks")]
    #[case::blocks_v2(Topic::BlocksV2, "/optimism/10/1/blocks")]
    #[case::blocks_v3(Topic::BlocksV3, "/optimism/10/2/blocks")]
    #[case::blocks_v4(Topic::BlocksV4, "/optimism/10/3/blocks")]
    #[case::cross_safe(Topic::CrossSafeBlocksV1, "/optimism/10/0/cross-safe-blocks")]
    fn a_path_names_chain_and_version(#[case] topic: Topic, #[case] path: &str) {
        assert_eq!(topic.path(ChainId::from(10)), path);
    }

    #[test]
    fn text_and_json_use_the_same_name() {
        for topic in Topic::ALL {
            assert_eq!(topic.to_string().parse::<Topic>().unwrap(), topic);
            assert_eq!(serde_json::to_value(topic).unwrap(), topic.name());
            assert_eq!(serde_json::from_value::<Topic>(topic.name().into()).unwrap(), topic);
        }
    }

    #[test]
    fn a_blocks_topic_has_the_version_that_chose_it() {
        for version in PayloadVersion::ALL {
            assert_eq!(Topic::of_blocks(version).version(), version);
        }
        let forks = GossipForkTimes { isthmus: Some(UnixSeconds(10)), ..GossipForkTimes::AT_GENESIS };
        assert_eq!(Topic::of_block(&forks, UnixSeconds(9)), Topic::BlocksV3);
        assert_eq!(Topic::of_block(&forks, UnixSeconds(10)), Topic::BlocksV4);
    }

    #[test]
    fn unsafe_blocks_are_on_every_topic_but_the_cross_safe_one() {
        let others = Topic::ALL.into_iter().filter(|topic| !topic.is_cross_safe());
        assert!(others.eq(Topic::BLOCKS));
        assert!(Topic::BLOCKS.into_iter().eq(PayloadVersion::ALL.map(Topic::of_blocks)));
    }

    #[test]
    fn an_unknown_name_is_refused() {
        assert!("blocksv5".parse::<Topic>().is_err());
    }
}
