//! [`Fork`] and [`ForkSchedule`]: which rules are in force at a block's timestamp. No clock: time is an
//! argument.
//!
//! Names and order: op-node, `op-core/forks/forks.go`. JSON: the `*_time` fields of `optimism_rollupConfig`.

use core::fmt;
use crosscheck_p2p::UnixSeconds;
use serde::{Deserialize, Serialize};

/// An upgrade of the OP Stack, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "names")]
pub enum Fork {
    Bedrock,
    Regolith,
    Canyon,
    Delta,
    Ecotone,
    Fjord,
    Granite,
    Holocene,
    Isthmus,
    Jovian,
    Karst,
    /// Called Interop until 2026.
    Lagoon,
}

impl Fork {
    /// All of them, in order.
    pub const ALL: [Self; 12] = [
        Self::Bedrock,
        Self::Regolith,
        Self::Canyon,
        Self::Delta,
        Self::Ecotone,
        Self::Fjord,
        Self::Granite,
        Self::Holocene,
        Self::Isthmus,
        Self::Jovian,
        Self::Karst,
        Self::Lagoon,
    ];

    /// Its name, lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bedrock => "bedrock",
            Self::Regolith => "regolith",
            Self::Canyon => "canyon",
            Self::Delta => "delta",
            Self::Ecotone => "ecotone",
            Self::Fjord => "fjord",
            Self::Granite => "granite",
            Self::Holocene => "holocene",
            Self::Isthmus => "isthmus",
            Self::Jovian => "jovian",
            Self::Karst => "karst",
            Self::Lagoon => "lagoon",
        }
    }
}

impl fmt::Display for Fork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// When a chain's forks take force. Bedrock always has; each fork's time is no earlier than that of the one
/// before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ForkTimes")]
pub struct ForkSchedule(ForkTimes);

/// A schedule that no chain can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{fork} is scheduled, but {before} is not, or only after it: correct the rollup configuration")]
pub struct ForkScheduleError {
    /// The later fork.
    pub fork: Fork,
    /// The fork that must come before it.
    pub before: Fork,
}

/// The activation times as the rollup configuration names them, Unix seconds; absent: not scheduled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "names")]
pub struct ForkTimes {
    pub regolith_time: Option<u64>,
    pub canyon_time: Option<u64>,
    pub delta_time: Option<u64>,
    pub ecotone_time: Option<u64>,
    pub fjord_time: Option<u64>,
    pub granite_time: Option<u64>,
    pub holocene_time: Option<u64>,
    pub isthmus_time: Option<u64>,
    pub jovian_time: Option<u64>,
    pub karst_time: Option<u64>,
    pub lagoon_time: Option<u64>,
    /// Lagoon's name until 2026; without force beside `lagoon_time`.
    pub interop_time: Option<u64>,
}

impl ForkTimes {
    const fn time(&self, fork: Fork) -> Option<u64> {
        match fork {
            Fork::Bedrock => Some(0),
            Fork::Regolith => self.regolith_time,
            Fork::Canyon => self.canyon_time,
            Fork::Delta => self.delta_time,
            Fork::Ecotone => self.ecotone_time,
            Fork::Fjord => self.fjord_time,
            Fork::Granite => self.granite_time,
            Fork::Holocene => self.holocene_time,
            Fork::Isthmus => self.isthmus_time,
            Fork::Jovian => self.jovian_time,
            Fork::Karst => self.karst_time,
            Fork::Lagoon => match self.lagoon_time {
                Some(time) => Some(time),
                None => self.interop_time,
            },
        }
    }
}

impl TryFrom<ForkTimes> for ForkSchedule {
    type Error = ForkScheduleError;

    /// Karst may be skipped under Lagoon's old name alone: chains had that before Karst had a place in the
    /// order. Regolith may be left out beside Canyon: the superchain registry, and kona with it, does not
    /// write it; it is 0 on every chain.
    fn try_from(mut times: ForkTimes) -> Result<Self, Self::Error> {
        if times.canyon_time.is_some() {
            times.regolith_time = times.regolith_time.or(Some(0));
        }
        let mut before = (Fork::Bedrock, Some(0));
        for fork in Fork::ALL {
            let time = times.time(fork);
            if fork == Fork::Karst && time.is_none() && times.lagoon_time.is_none() {
                continue;
            }
            if time.is_some_and(|time| before.1.is_none_or(|before| before > time)) {
                return Err(ForkScheduleError { fork, before: before.0 });
            }
            before = (fork, time);
        }
        Ok(Self(times))
    }
}

impl ForkSchedule {
    /// A chain that has had every fork up to this one from its genesis on, and no later one.
    #[cfg(test)]
    pub(crate) fn all_until(last: Fork) -> Self {
        let time = |fork| (fork <= last).then_some(0);
        Self(ForkTimes {
            regolith_time: time(Fork::Regolith),
            canyon_time: time(Fork::Canyon),
            delta_time: time(Fork::Delta),
            ecotone_time: time(Fork::Ecotone),
            fjord_time: time(Fork::Fjord),
            granite_time: time(Fork::Granite),
            holocene_time: time(Fork::Holocene),
            isthmus_time: time(Fork::Isthmus),
            jovian_time: time(Fork::Jovian),
            karst_time: time(Fork::Karst),
            lagoon_time: time(Fork::Lagoon),
            interop_time: None,
        })
    }

    /// When messages may be executed: Lagoon's time, and that of its former name where both are set, the
    /// later of the two.
    pub fn interop_activation(&self) -> Option<UnixSeconds> {
        self.0.lagoon_time.max(self.0.interop_time).map(UnixSeconds)
    }

    /// When a fork takes force. `None`: not scheduled.
    pub fn activation(&self, fork: Fork) -> Option<UnixSeconds> {
        self.0.time(fork).map(UnixSeconds)
    }

    /// Whether a fork is in force at a timestamp.
    pub fn is_active(&self, fork: Fork, timestamp: UnixSeconds) -> bool {
        self.activation(fork).is_some_and(|activation| activation <= timestamp)
    }

    /// Whether the block of this timestamp is the first with a fork in force. Genesis never is.
    pub fn is_activation_block(&self, fork: Fork, timestamp: UnixSeconds, block_time: u64) -> bool {
        let before = timestamp.0.checked_sub(block_time).map(UnixSeconds);
        self.is_active(fork, timestamp) && before.is_some_and(|before| !self.is_active(fork, before))
    }

    /// Whether a fork was in force at the block before already. Encodings of L1 attributes change one block
    /// late.
    pub fn is_active_before(&self, fork: Fork, timestamp: UnixSeconds, block_time: u64) -> bool {
        self.is_active(fork, timestamp) && !self.is_activation_block(fork, timestamp, block_time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    /// OP Mainnet: superchain-registry, `superchain/configs/mainnet/superchain.toml`; Regolith from genesis
    /// on.
    fn mainnet() -> ForkSchedule {
        let times = json!({
            "regolith_time": 0, "canyon_time": 1_704_992_401, "delta_time": 1_708_560_000, "ecotone_time": 1_710_374_401,
            "fjord_time": 1_720_627_201, "granite_time": 1_726_070_401, "holocene_time": 1_736_445_601,
            "isthmus_time": 1_746_806_401, "jovian_time": 1_764_691_201, "lagoon_time": null, "max_sequencer_drift": 600,
        });
        serde_json::from_value(times).unwrap()
    }

    #[rstest]
    #[case::before_canyon(1_704_992_400, Fork::Regolith)]
    #[case::canyon(1_704_992_401, Fork::Canyon)]
    #[case::delta(1_708_560_000, Fork::Delta)]
    #[case::ecotone(1_710_374_401, Fork::Ecotone)]
    #[case::fjord(1_720_627_201, Fork::Fjord)]
    #[case::granite(1_726_070_401, Fork::Granite)]
    #[case::holocene(1_736_445_601, Fork::Holocene)]
    #[case::isthmus(1_746_806_401, Fork::Isthmus)]
    #[case::jovian(1_764_691_201, Fork::Jovian)]
    #[case::far_future(u64::MAX, Fork::Jovian)]
    fn in_force(#[case] timestamp: u64, #[case] last: Fork) {
        for fork in Fork::ALL {
            assert_eq!(mainnet().is_active(fork, UnixSeconds(timestamp)), fork <= last, "{fork}");
        }
    }

    #[rstest]
    #[case::block_before(98, false, false)]
    #[case::first_block(100, true, false)]
    #[case::first_block_late(101, true, false)]
    #[case::second_block(102, false, true)]
    fn the_activation_block_is_the_first(#[case] timestamp: u64, #[case] first: bool, #[case] later: bool) {
        let times = ForkTimes { regolith_time: Some(0), canyon_time: Some(100), ..ForkTimes::default() };
        let schedule = ForkSchedule::try_from(times).unwrap();
        let timestamp = UnixSeconds(timestamp);
        assert_eq!(schedule.is_activation_block(Fork::Canyon, timestamp, 2), first);
        assert_eq!(schedule.is_active_before(Fork::Canyon, timestamp, 2), later);
        assert!(!schedule.is_activation_block(Fork::Bedrock, timestamp, 2));
    }

    #[rstest]
    #[case::current(json!({"lagoon_time": 7, "karst_time": 0}), 7)]
    #[case::legacy(json!({"interop_time": 8}), 8)]
    #[case::both(json!({"lagoon_time": 7, "interop_time": 8, "karst_time": 0}), 7)]
    fn lagoon_has_two_names(#[case] names: serde_json::Value, #[case] expected: u64) {
        let ForkSchedule(jovian) = ForkSchedule::all_until(Fork::Jovian);
        let mut times = serde_json::to_value(jovian).unwrap();
        for name in ["lagoon_time", "interop_time", "karst_time"] {
            times[name] = names[name].clone();
        }
        let schedule: ForkSchedule = serde_json::from_value(times).unwrap();
        assert_eq!(schedule.activation(Fork::Lagoon), Some(UnixSeconds(expected)));
    }

    #[rstest]
    #[case::missing(ForkTimes { delta_time: Some(1), ..ForkTimes::default() }, Fork::Delta, Fork::Canyon)]
    #[case::lagoon_without_karst(
        ForkTimes { karst_time: None, ..ForkSchedule::all_until(Fork::Lagoon).0 },
        Fork::Lagoon,
        Fork::Karst
    )]
    #[case::later(
        ForkTimes { regolith_time: Some(2), canyon_time: Some(1), ..ForkTimes::default() },
        Fork::Canyon,
        Fork::Regolith
    )]
    fn a_fork_requires_the_previous_fork(#[case] times: ForkTimes, #[case] fork: Fork, #[case] before: Fork) {
        assert_eq!(ForkSchedule::try_from(times), Err(ForkScheduleError { fork, before }));
    }

    #[rstest]
    #[case::nothing_later(None, None, None)]
    #[case::canyon(None, Some(7), Some(0))]
    #[case::said(Some(3), Some(7), Some(3))]
    fn canyon_implies_regolith_from_genesis_on(
        #[case] regolith: Option<u64>,
        #[case] canyon: Option<u64>,
        #[case] expected: Option<u64>,
    ) {
        let times = serde_json::json!({ "regolith_time": regolith, "canyon_time": canyon });
        let schedule: ForkSchedule = serde_json::from_value(times).unwrap();
        assert_eq!(schedule.activation(Fork::Regolith), expected.map(UnixSeconds));
    }

    #[test]
    fn all_until_a_fork() {
        for last in Fork::ALL {
            let schedule = ForkSchedule::all_until(last);
            assert_eq!(ForkSchedule::try_from(schedule.0), Ok(schedule));
            assert!(
                Fork::ALL.iter().all(|fork| schedule.is_active(*fork, UnixSeconds(0)) == (*fork <= last))
            );
            assert!(!schedule.is_activation_block(last, UnixSeconds(2), 2));
        }
    }
}
