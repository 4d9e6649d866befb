//! Of which day the facts are that are compiled in, and when that is too long ago. Pure.

use crosscheck_p2p::UnixSeconds;

/// The day of the facts, for people.
pub const FACTS_OF: &str = "2026-11-25";

/// When that day began.
const SINCE: UnixSeconds = UnixSeconds(1_795_564_800);

/// For how many days they are trusted without a warning.
pub const FRESH_DAYS: u64 = 60;

/// How many days ago the day of the facts began.
pub const fn age_in_days(now: UnixSeconds) -> u64 {
    now.0.saturating_sub(SINCE.0) / 86_400
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::the_day_itself(1_795_564_800, 0)]
    #[case::before_it(0, 0)]
    #[case::lagoon_on_sepolia(1_796_918_401, 15)]
    #[case::lagoon_on_mainnet(1_799_683_201, 47)]
    #[case::too_long_ago(1_795_564_800 + 61 * 86_400, 61)]
    fn the_age_of_the_facts(#[case] now: u64, #[case] days: u64) {
        assert_eq!(age_in_days(UnixSeconds(now)), days);
    }

    #[test]
    fn the_date_of_the_facts_is_that_of_the_newest_table() {
        let table: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/data/announced_schedule.json")).unwrap();
        assert_eq!(table["date"], FACTS_OF);
    }
}
