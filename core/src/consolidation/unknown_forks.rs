//! [`UnknownForks`]: the forks of a rollup configuration that this build does not know, by the time that each
//! takes force.
//!
//! What such a fork changes is unknown. So no difference from the rules known here contradicts a block from
//! then on.

use crosscheck_p2p::UnixSeconds;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

/// How the key of a fork's time ends.
const TIME: &str = "_time";

/// A fork that this build does not know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownFork {
    /// When it takes force. 0 where the configuration does not say it in a number.
    pub time: UnixSeconds,
    /// Its name: its key without `_time`.
    pub name: String,
}

impl UnknownFork {
    /// When it takes force, in words.
    pub fn date(&self) -> String {
        date(self.time)
    }
}

/// A time in words, as far as there are any: years have four digits.
pub fn date(time: UnixSeconds) -> String {
    const YEAR_10000: u64 = 253_402_300_800;
    let date = UNIX_EPOCH.checked_add(Duration::from_secs(time.0)).filter(|_| time.0 < YEAR_10000);
    date.map_or_else(|| time.to_string(), |date| humantime::format_rfc3339_seconds(date).to_string())
}

/// Those of one chain, in order of their times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownForks(Vec<UnknownFork>);

impl UnknownForks {
    /// The forks among the keys of a rollup configuration that nothing else here reads. `null`: not
    /// scheduled.
    pub fn among(rest: &BTreeMap<String, Value>) -> Self {
        let fork = |(key, value): (&String, &Value)| {
            let name = key.strip_suffix(TIME)?.to_owned();
            let time = UnixSeconds(value.as_u64().unwrap_or_default());
            (!value.is_null()).then_some(UnknownFork { time, name })
        };
        let mut forks: Vec<_> = rest.iter().filter_map(fork).collect();
        forks.sort();
        Self(forks)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &UnknownFork> {
        self.0.iter()
    }

    /// The last one that is in force at a timestamp.
    pub fn in_force(&self, timestamp: UnixSeconds) -> Option<&UnknownFork> {
        self.0.iter().rev().find(|fork| fork.time <= timestamp)
    }

    /// Those whose first block has this timestamp. Genesis never is one.
    pub fn first_at(&self, timestamp: UnixSeconds, block_time: u64) -> impl Iterator<Item = &UnknownFork> {
        let before = timestamp.0.checked_sub(block_time);
        self.0
            .iter()
            .filter(move |fork| fork.time <= timestamp && before.is_some_and(|before| before < fork.time.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn forks() -> UnknownForks {
        let rest = json!({
            "zephyr_time": 100, "aurora_time": 100, "mistral_time": null, "seq_window_size": 3600, "sirocco_time": 90,
        });
        UnknownForks::among(&serde_json::from_value(rest).unwrap())
    }

    #[test]
    fn every_scheduled_time_is_a_fork_in_order() {
        let names: Vec<_> = forks().iter().map(|fork| (fork.time.0, fork.name.clone())).collect();
        assert_eq!(names, [(90, "sirocco".into()), (100, "aurora".into()), (100, "zephyr".into())]);
    }

    #[rstest]
    #[case::before(89, None, &[])]
    #[case::first(91, Some("sirocco"), &["sirocco"])]
    #[case::second(93, Some("sirocco"), &[])]
    #[case::two_at_once(101, Some("zephyr"), &["aurora", "zephyr"])]
    #[case::later(103, Some("zephyr"), &[])]
    fn in_force(#[case] timestamp: u64, #[case] last: Option<&str>, #[case] first: &[&str]) {
        let (forks, timestamp) = (forks(), UnixSeconds(timestamp));
        assert_eq!(forks.in_force(timestamp).map(|fork| fork.name.as_str()), last);
        let begun: Vec<_> = forks.first_at(timestamp, 2).map(|fork| fork.name.as_str()).collect();
        assert_eq!(begun, first);
    }

    #[rstest]
    #[case::soon(1_900_000_000, "2030-03-17T17:46:40Z")]
    #[case::the_last_with_words(253_402_300_799, "9999-12-31T23:59:59Z")]
    #[case::later(253_402_300_800, "253402300800")]
    #[case::never(u64::MAX, "18446744073709551615")]
    fn dates(#[case] time: u64, #[case] expected: &str) {
        assert_eq!(date(UnixSeconds(time)), expected);
    }

    #[test]
    fn a_time_that_is_not_a_number_may_be_any_time() {
        let rest = json!({ "zephyr_time": "soon" });
        let forks = UnknownForks::among(&serde_json::from_value(rest).unwrap());
        assert!(forks.in_force(UnixSeconds(0)).is_some());
        assert_eq!(forks.first_at(UnixSeconds(0), 2).count(), 0);
    }
}
