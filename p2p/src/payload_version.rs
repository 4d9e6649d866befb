//! [`PayloadVersion`] and [`GossipForkTimes`]: which layout a block travels in, by the forks of its chain.
//!
//! Pure: a block's timestamp is an argument. Only the forks that gossip depends on are known here.

use crate::UnixSeconds;
use core::fmt;
use serde::{Deserialize, Serialize};

/// The version of an execution payload: which fields it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PayloadVersion {
    /// Bedrock and Regolith.
    V1,
    /// Canyon and Delta: with a list of withdrawals.
    V2,
    /// Ecotone to Holocene: with blob gas, and the parent beacon block root in front.
    V3,
    /// Isthmus and later: with the withdrawals root.
    V4,
}

impl PayloadVersion {
    /// Every version, in order.
    pub const ALL: [Self; 4] = [Self::V1, Self::V2, Self::V3, Self::V4];

    /// The version's name: `v1` to `v4`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V3 => "v3",
            Self::V4 => "v4",
        }
    }

    /// Whether the payload lists withdrawals.
    pub fn has_withdrawals(self) -> bool {
        self >= Self::V2
    }

    /// Whether the payload has blob gas fields, and a parent beacon block root in front of it.
    pub fn has_blob_fields(self) -> bool {
        self >= Self::V3
    }

    /// The size of the payload's fixed part, bytes.
    pub(crate) const fn fixed_bytes(self) -> usize {
        match self {
            Self::V1 => 508,
            Self::V2 => 512,
            Self::V3 => 528,
            Self::V4 => 560,
        }
    }
}

impl fmt::Display for PayloadVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// When the forks that gossip depends on take force: timestamps of the first block of each. `None`: the fork
/// is not scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GossipForkTimes {
    /// Canyon: from version 1 to 2.
    pub canyon: Option<UnixSeconds>,
    /// Ecotone: from version 2 to 3.
    pub ecotone: Option<UnixSeconds>,
    /// Isthmus: from version 3 to 4.
    pub isthmus: Option<UnixSeconds>,
    /// Jovian: since then `blobGasUsed` is the data-availability footprint, and need not be 0.
    pub jovian: Option<UnixSeconds>,
}

impl GossipForkTimes {
    /// Every fork in force from genesis. It is assumed for a chain whose forks are not known, so that a rule
    /// that applies only before a fork does not cost an honest peer.
    pub const AT_GENESIS: Self = {
        let start = Some(UnixSeconds(0));
        Self { canyon: start, ecotone: start, isthmus: start, jovian: start }
    };

    /// The version that a block of this time is gossiped in: op-node's choice when it publishes.
    pub fn version_at(&self, timestamp: UnixSeconds) -> PayloadVersion {
        let is_active = |fork: Option<UnixSeconds>| fork.is_some_and(|time| timestamp >= time);
        if is_active(self.isthmus) {
            PayloadVersion::V4
        } else if is_active(self.ecotone) {
            PayloadVersion::V3
        } else if is_active(self.canyon) {
            PayloadVersion::V2
        } else {
            PayloadVersion::V1
        }
    }

    /// Whether Jovian is in force at this time.
    pub fn is_jovian(&self, timestamp: UnixSeconds) -> bool {
        self.jovian.is_some_and(|time| timestamp >= time)
    }
}

impl Default for GossipForkTimes {
    fn default() -> Self {
        Self::AT_GENESIS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// OP Mainnet's.
    const FORKS: GossipForkTimes = GossipForkTimes {
        canyon: Some(UnixSeconds(1_704_992_401)),
        ecotone: Some(UnixSeconds(1_710_374_401)),
        isthmus: Some(UnixSeconds(1_746_806_401)),
        jovian: Some(UnixSeconds(1_764_691_201)),
    };

    #[rstest]
    #[case::bedrock(1_704_992_400, PayloadVersion::V1)]
    #[case::canyon(1_704_992_401, PayloadVersion::V2)]
    #[case::delta(1_710_374_400, PayloadVersion::V2)]
    #[case::ecotone(1_710_374_401, PayloadVersion::V3)]
    #[case::holocene(1_746_806_400, PayloadVersion::V3)]
    #[case::isthmus(1_746_806_401, PayloadVersion::V4)]
    #[case::jovian(1_764_691_201, PayloadVersion::V4)]
    fn version_by_time(#[case] timestamp: u64, #[case] version: PayloadVersion) {
        assert_eq!(FORKS.version_at(UnixSeconds(timestamp)), version);
    }

    #[rstest]
    #[case::last_block_before(Some(100), 99, false)]
    #[case::first_block(Some(100), 100, true)]
    #[case::never(None, u64::MAX, false)]
    fn jovian_by_time(#[case] jovian: Option<u64>, #[case] timestamp: u64, #[case] expected: bool) {
        let forks = GossipForkTimes { jovian: jovian.map(UnixSeconds), ..FORKS };
        assert_eq!(forks.is_jovian(UnixSeconds(timestamp)), expected);
    }

    #[test]
    fn a_chain_of_unknown_forks_is_taken_to_have_had_them_all() {
        let forks = GossipForkTimes::default();
        assert_eq!(forks.version_at(UnixSeconds(0)), PayloadVersion::V4);
        assert!(forks.is_jovian(UnixSeconds(0)));
    }
}
