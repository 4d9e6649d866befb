//! [`DifferenceBook`]: where an endpoint and we differ. Pure.
//!
//! A difference is reported only if it is there again when both are asked the same again, long enough after
//! it was found: while a chain reorgs, and while one of them lags, answers rightly differ. The time is an
//! argument. What was reported is asked again, too. The difference ends when all of that agrees, or can no
//! longer be decided; that other answers agree does not end it.

use super::outcome::Outcome;
use crosscheck_p2p::UnixSeconds;
use std::collections::BTreeMap;

/// In how many rounds a difference may be without an answer before it is forgotten.
const MAX_UNANSWERED: u32 = 5;

/// How many reported questions are asked again. What is found beyond them is part of the same difference.
const MAX_REPORTED: usize = 8;

/// How many seconds a difference must have lasted before it is reported, however often both are asked.
pub(super) const MIN_AGE: u64 = 60;

/// A difference that may be there again.
pub(super) trait Difference: Clone {
    /// How many seconds it must have lasted before it is reported.
    fn min_age(&self) -> u64 {
        MIN_AGE
    }

    /// Whether this is the same difference, found again.
    fn repeats(&self, earlier: &Self) -> bool;
}

/// What is new after a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RoundChange<A> {
    /// Nothing.
    None,
    /// The endpoint and we differ.
    Differ(A),
    /// They did, and agree again.
    AgreeAgain,
    /// They did, and it can no longer be decided whether they do.
    Undecided,
}

#[derive(Clone, Debug)]
struct Found<A> {
    difference: A,
    since: UnixSeconds,
    unanswered: u32,
    is_reported: bool,
}

impl<A: Difference> Found<A> {
    fn again(difference: A, earlier: Option<Self>, now: UnixSeconds) -> Self {
        let repeated =
            earlier.filter(|earlier| earlier.is_reported || difference.repeats(&earlier.difference));
        let is_old = |since: UnixSeconds| now.0.saturating_sub(since.0) >= difference.min_age();
        let is_reported = repeated.as_ref().is_some_and(|found| found.is_reported || is_old(found.since));
        let since = repeated.map_or(now, |found| found.since);
        Self { difference, since, unanswered: 0, is_reported }
    }
}

/// Where an endpoint and we differ. `K`: what both were asked.
#[derive(Clone, Debug)]
pub(super) struct DifferenceBook<K, A> {
    found: BTreeMap<K, Found<A>>,
    is_reported: bool,
}

impl<K: Ord, A: Difference> DifferenceBook<K, A> {
    /// No difference is known.
    pub(super) const fn new() -> Self {
        Self { found: BTreeMap::new(), is_reported: false }
    }

    /// What is to be asked again, with what was found: what is suspected, and what was reported.
    pub(super) fn to_ask_again(&self) -> impl Iterator<Item = (&K, &A)> {
        self.found.iter().map(|(question, found)| (question, &found.difference))
    }

    /// How many differences are suspected, and not reported.
    pub(super) fn suspected(&self) -> usize {
        self.found.values().filter(|found| !found.is_reported).count()
    }

    /// Whether a difference was reported, and has not ended.
    pub(super) const fn is_reported(&self) -> bool {
        self.is_reported
    }

    /// Forgets the suspected differences for which this is not so.
    pub(super) fn retain_suspected(&mut self, mut is_kept: impl FnMut(&K) -> bool) {
        self.found.retain(|question, found| found.is_reported || is_kept(question));
    }

    /// Records the outcomes of a round at this time.
    pub(super) fn note(&mut self, round: Vec<(K, Outcome<A>)>, now: UnixSeconds) -> RoundChange<A> {
        let mut change = RoundChange::None;
        let mut agree = false;
        for (question, outcome) in round {
            let earlier = self.found.remove(&question);
            match outcome {
                Outcome::Agrees => agree |= earlier.is_some(),
                Outcome::Differs(difference) => {
                    let found = Found::again(difference, earlier, now);
                    if found.is_reported && !self.is_reported {
                        self.is_reported = true;
                        change = RoundChange::Differ(found.difference.clone());
                    }
                    self.keep(question, found);
                }
                Outcome::None(_) => {
                    if let Some(earlier) = earlier.filter(|earlier| earlier.unanswered < MAX_UNANSWERED) {
                        let unanswered = earlier.unanswered.saturating_add(1);
                        self.keep(question, Found { unanswered, ..earlier });
                    }
                }
            }
        }
        // What is suspected meanwhile may be the same difference.
        if self.is_reported && self.found.is_empty() {
            self.is_reported = false;
            return if agree { RoundChange::AgreeAgain } else { RoundChange::Undecided };
        }
        change
    }

    fn keep(&mut self, question: K, found: Found<A>) {
        let reported = self.found.values().filter(|found| found.is_reported).count();
        if !found.is_reported || reported < MAX_REPORTED {
            self.found.insert(question, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::outcome::NoOpinion;
    use super::*;
    use rstest::rstest;

    impl Difference for u32 {
        fn repeats(&self, earlier: &Self) -> bool {
            self == earlier
        }
    }

    /// Rounds of questions and their results: `1=` they agree on question 1, `1a` they differ in the way a,
    /// `1?` one of them has no opinion. With each: `!a` is reported, `=` they agree again, `?` it can no
    /// longer be decided.
    #[rstest]
    #[case::agree("1=", ".")]
    #[case::no_opinion("1?,1?", ".,.")]
    #[case::once_is_not_enough("1a", ".")]
    #[case::found_again("1a,1a", ".,!a")]
    #[case::it_was_a_reorg("1a,1=,1a", ".,.,.")]
    #[case::in_another_way("1a,1b,1b", ".,.,!b")]
    #[case::of_another_question("1a,2a,1a", ".,.,!a")]
    #[case::asked_again_later("1a,1?,1?,1?,1?,1?,1a", ".,.,.,.,.,.,!a")]
    #[case::forgotten_without_an_answer("1a,1?,1?,1?,1?,1?,1?,1a", ".,.,.,.,.,.,.,.")]
    #[case::reported_once("1a,1a,2a,2a,3b,3b", ".,!a,.,.,.,.")]
    #[case::over("1a,1a,1=,1=", ".,!a,=,.")]
    #[case::not_over_because_others_agree("1a,1a,1a 2=,1a 3=,2=,1=", ".,!a,.,.,.,=")]
    #[case::not_over_without_an_opinion("1a,1a,1?,1?,1?,1?,1?,1a,1=", ".,!a,.,.,.,.,.,.,=")]
    #[case::not_decided_any_more("1a,1a,1?,1?,1?,1?,1?,1?", ".,!a,.,.,.,.,.,?")]
    #[case::not_over_while_another_is_found("1a,1a,1a 2b,1= 2b,2b,2=", ".,!a,.,.,.,=")]
    #[case::not_over_while_another_is_suspected("1a,1a,1= 2a,2a,2=", ".,!a,.,.,=")]
    #[case::in_another_way_is_no_agreement("1a,1a,1b,1c,1=", ".,!a,.,.,=")]
    #[case::again("1a,1a,1=,3a,3a", ".,!a,=,.,!a")]
    #[case::one_for_a_round("1a 2b,1a 2b", ".,!a")]
    fn a_difference_is_reported_when_it_is_found_again(#[case] rounds: &str, #[case] expected: &str) {
        let (mut book, mut now) = (DifferenceBook::<char, u32>::new(), UnixSeconds(1_000));
        let change = rounds.split(',').map(|round| {
            let outcomes = round.split(' ').map(|asked| {
                let mut letters = asked.chars();
                let (question, outcome) = (letters.next().unwrap(), letters.next().unwrap());
                let outcome = match outcome {
                    '=' => Outcome::Agrees,
                    '?' => Outcome::None(NoOpinion::NotYet),
                    other => Outcome::Differs(u32::from(other)),
                };
                (question, outcome)
            });
            now.0 += MIN_AGE;
            match book.note(outcomes.collect(), now) {
                RoundChange::None => ".".to_owned(),
                RoundChange::Differ(way) => format!("!{}", char::from_u32(way).unwrap()),
                RoundChange::AgreeAgain => "=".to_owned(),
                RoundChange::Undecided => "?".to_owned(),
            }
        });
        assert_eq!(change.collect::<Vec<_>>().join(","), expected);
    }

    #[test]
    fn what_is_suspected_or_reported_is_asked_again() {
        let mut book = DifferenceBook::<u8, u32>::new();
        let differs = || vec![(1, Outcome::Differs(7)), (2, Outcome::Agrees)];
        assert_eq!(book.note(differs(), UnixSeconds(1)), RoundChange::None);
        assert_eq!((book.suspected(), book.is_reported()), (1, false));
        assert_eq!(book.note(differs(), UnixSeconds(61)), RoundChange::Differ(7));
        assert_eq!((book.suspected(), book.is_reported()), (0, true));
        assert_eq!(book.to_ask_again().collect::<Vec<_>>(), vec![(&1, &7)]);
    }

    #[test]
    fn few_of_what_was_reported_is_asked_again() {
        let mut book = DifferenceBook::<usize, u32>::new();
        let all = || (0..2 * MAX_REPORTED).map(|question| (question, Outcome::Differs(7))).collect();
        assert_eq!(book.note(all(), UnixSeconds(1)), RoundChange::None);
        assert_eq!(book.note(all(), UnixSeconds(61)), RoundChange::Differ(7));
        assert_eq!((book.to_ask_again().count(), book.suspected()), (MAX_REPORTED, 0));
        let end = (0..MAX_REPORTED).map(|question| (question, Outcome::Agrees)).collect();
        assert_eq!(book.note(end, UnixSeconds(62)), RoundChange::AgreeAgain);
    }

    #[rstest]
    #[case::at_once(&[(0, 7), (0, 7), (0, 7)], false)]
    #[case::too_soon(&[(0, 7), (1, 7), (59, 7)], false)]
    #[case::in_time(&[(0, 7), (1, 7), (60, 7)], true)]
    #[case::another_since(&[(0, 8), (30, 7), (60, 7)], false)]
    #[case::the_clock_was_set_back(&[(100, 7), (0, 7), (99, 7)], false)]
    fn a_difference_is_reported_when_it_has_lasted(#[case] rounds: &[(u64, u32)], #[case] expected: bool) {
        let mut book = DifferenceBook::<u8, u32>::new();
        for (at, difference) in rounds {
            book.note(vec![(1, Outcome::Differs(*difference))], UnixSeconds(1_000 + at));
        }
        assert_eq!(book.is_reported(), expected);
    }

    #[test]
    fn what_is_suspected_can_be_forgotten_and_what_was_reported_not() {
        let mut book = DifferenceBook::<u8, u32>::new();
        for (question, at) in [(1, 1), (1, 61), (2, 62)] {
            book.note(vec![(question, Outcome::Differs(7))], UnixSeconds(at));
        }
        book.retain_suspected(|_| false);
        assert_eq!(book.to_ask_again().map(|(question, _)| *question).collect::<Vec<_>>(), [1]);
    }
}
