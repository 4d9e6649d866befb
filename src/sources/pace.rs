//! [`Pace`]: how long an endpoint takes to answer, as a share of the time that it may take. Pure: time is an
//! argument.
//!
//! An endpoint that takes most of that time still answers, so nothing fails, but everything that needs it is
//! late. It is slow once the median of its recent answers is above half of the time, and slow no longer once
//! it is below a quarter: one long answer names nobody, and one short one clears nobody. How it is while
//! nobody asks it is not known, and nothing is said of it.

use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// How many answers are checked.
const ANSWERS: usize = 15;

/// How few are too few to call an endpoint slow.
const FEWEST: usize = 5;

/// For how long an answer counts.
const RECENT: Duration = Duration::from_secs(5 * 60);

/// An endpoint is slow from this percentage of its time limit on.
pub(crate) const SLOW_ABOVE: u64 = 50;

/// Below how many per cent of the time it is slow no longer.
const WELL_BELOW: u64 = 25;

/// How long an endpoint takes.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    timeout: Duration,
    /// When it answered, and how long that took.
    answers: VecDeque<(Instant, Duration)>,
    is_slow: bool,
}

impl Pace {
    /// An endpoint that may take this long, and has not been asked yet.
    pub(super) const fn new(timeout: Duration) -> Self {
        Self { timeout, answers: VecDeque::new(), is_slow: false }
    }

    /// It took this long to answer, or to be given up.
    pub(super) fn took(&mut self, time: Duration, now: Instant) {
        self.answers.push_back((now, time.min(self.timeout)));
        while self.answers.len() > ANSWERS {
            self.answers.pop_front();
        }
    }

    /// The median of its recent answers, if there are any, and whether it is slow now.
    pub(crate) fn current(&mut self, now: Instant) -> (Option<Duration>, bool) {
        self.answers.retain(|(at, _)| now.saturating_duration_since(*at) <= RECENT);
        let median = self.median();
        let share = median.map(|median| percent(median, self.timeout));
        self.is_slow = match share {
            None => false,
            Some(share) if self.is_slow => share >= WELL_BELOW,
            Some(share) => share > SLOW_ABOVE && self.answers.len() >= FEWEST,
        };
        (median, self.is_slow)
    }

    fn median(&self) -> Option<Duration> {
        let mut times: Vec<Duration> = self.answers.iter().map(|(_, time)| *time).collect();
        times.sort_unstable();
        times.get(times.len().checked_div(2)?).copied()
    }
}

/// A part of a time, in whole per cent of it.
pub(crate) fn percent(part: Duration, whole: Duration) -> u64 {
    let percent = part.as_millis().saturating_mul(100).checked_div(whole.as_millis());
    percent.and_then(|percent| u64::try_from(percent).ok()).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const TIMEOUT: Duration = Duration::from_secs(10);

    /// A pace after answers that took this many tenths of the time, a second apart; and the time after the
    /// last.
    fn after(tenths: &[u64]) -> (Pace, Instant) {
        let (mut pace, mut now) = (Pace::new(TIMEOUT), Instant::now());
        for tenth in tenths {
            pace.took(Duration::from_secs(*tenth), now);
            now += Duration::from_secs(1);
        }
        (pace, now)
    }

    #[rstest]
    #[case::not_asked(&[], None, false)]
    #[case::quick(&[1; 15], Some(1), false)]
    #[case::too_few_to_tell(&[8; 4], Some(8), false)]
    #[case::slow(&[8; 5], Some(8), true)]
    #[case::half_of_the_time(&[5; 15], Some(5), false)]
    #[case::single_long_answers(&[1, 9, 1, 9, 1, 9, 1], Some(1), false)]
    #[case::single_short_answers(&[9, 1, 9, 1, 9, 1, 9], Some(9), true)]
    #[case::given_up(&[11; 5], Some(10), true)]
    #[case::it_was_slow_long_ago(&[9, 9, 9, 9, 9, 9, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], Some(1), false)]
    #[tokio::test]
    async fn slow_or_not(#[case] tenths: &[u64], #[case] median: Option<u64>, #[case] is_slow: bool) {
        let (mut pace, now) = after(tenths);
        assert_eq!(pace.current(now), (median.map(Duration::from_secs), is_slow));
    }

    /// Above half of the time it becomes slow, and below a quarter slow no longer.
    #[tokio::test]
    async fn between_the_bounds_the_pace_does_not_change() {
        let (mut pace, mut now) = after(&[4; 15]);
        let mut reported = Vec::new();
        for tenth in [4, 6, 4, 3, 2, 4] {
            for _ in 0..ANSWERS {
                now += Duration::from_secs(1);
                pace.took(Duration::from_secs(tenth), now);
            }
            reported.push(pace.current(now).1);
        }
        assert_eq!(reported, [false, true, true, true, false, false]);
    }

    #[tokio::test]
    async fn an_endpoint_that_is_no_longer_asked_has_no_pace() {
        let (mut pace, now) = after(&[8; 15]);
        assert_eq!(pace.current(now), (Some(Duration::from_secs(8)), true));
        assert!(pace.current(now + RECENT - Duration::from_secs(2)).1);
        assert_eq!(pace.current(now + RECENT), (None, false));
    }

    proptest! {
        /// Whatever it did: it is slow only while half of what counts took more than a quarter of the time,
        /// and called slow only when half took more than half of it.
        #[test]
        fn an_endpoint_is_slow_only_after_slow_answers(steps in prop::collection::vec((0_u64..12_000, 0_u64..60, any::<bool>()), 1..80)) {
            let mut pace = Pace::new(TIMEOUT);
            let (mut now, mut was_slow) = (tokio::time::Instant::now(), false);
            for (millis, seconds, looks) in steps {
                now += Duration::from_secs(seconds);
                pace.took(Duration::from_millis(millis), now);
                if !looks {
                    continue;
                }
                let (median, is_slow) = pace.current(now);
                let counted: Vec<Duration> = pace.answers.iter().map(|(_, time)| *time).collect();
                let above = |share: u32| {
                    let slow = counted.iter().filter(|time| **time * share >= TIMEOUT).count();
                    slow * 2 >= counted.len()
                };
                prop_assert!(counted.len() <= ANSWERS && median.is_some());
                prop_assert!(!is_slow || above(4), "{counted:?}");
                prop_assert!(!is_slow || was_slow || (above(2) && counted.len() >= FEWEST), "{counted:?}");
                was_slow = is_slow;
            }
        }
    }
}
