//! [`Lagoon`]: when a chain's interop fork activates, as its rollup configuration says.
//!
//! A follower takes a local-safe block from before it for safe at once: op-node's `localSafeIsFullySafe`.

use serde::Deserialize;

/// When interop activates on a chain, in Unix seconds. `None`: never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lagoon(Option<u64>);

#[derive(Deserialize)]
struct Times {
    lagoon_time: Option<u64>,
    /// The fork's former name.
    interop_time: Option<u64>,
}

impl Lagoon {
    /// It activates at this time.
    pub const fn at(timestamp: u64) -> Self {
        Self(Some(timestamp))
    }

    /// It never activates.
    pub const NEVER: Self = Self(None);

    /// Reads it from the answer of `optimism_rollupConfig`. If it has two times, the later one counts: no
    /// node takes it to be active before.
    ///
    /// # Errors
    /// If a time is not a number.
    pub fn of_rollup_config(config: &str) -> Result<Self, serde_json::Error> {
        let Times { lagoon_time, interop_time } = serde_json::from_str(config)?;
        Ok(Self(lagoon_time.max(interop_time)))
    }

    /// The last time before it activates. `None`: it never does.
    pub(super) fn eve(self) -> Option<u64> {
        self.0.map(|activation| activation.saturating_sub(1))
    }

    /// Whether it is active for a block of this timestamp.
    pub fn is_active_at(self, timestamp: u64) -> bool {
        self.0.is_some_and(|activation| timestamp >= activation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::today("{\"lagoon_time\": 100}", Lagoon::at(100))]
    #[case::former_name("{\"interop_time\": 100}", Lagoon::at(100))]
    #[case::both_alike("{\"lagoon_time\": 100, \"interop_time\": 100}", Lagoon::at(100))]
    #[case::the_later_of_two("{\"lagoon_time\": 200, \"interop_time\": 100}", Lagoon::at(200))]
    #[case::none("{}", Lagoon::NEVER)]
    #[case::null("{\"lagoon_time\": null}", Lagoon::NEVER)]
    fn the_lagoon_time_is_read(#[case] config: &str, #[case] expected: Lagoon) {
        assert_eq!(Lagoon::of_rollup_config(config).unwrap(), expected);
    }

    #[test]
    fn a_block_at_the_activation_time_is_in_the_fork() {
        assert_eq!([99, 100, 101].map(|time| Lagoon::at(100).is_active_at(time)), [false, true, true]);
        assert!(!Lagoon::NEVER.is_active_at(u64::MAX));
    }
}
