//! [`DifferenceBook`]: where an endpoint and we differ. Pure.
//!
//! A difference is reported only if it is there again when both are asked the same again: while a chain reorgs, answers rightly differ.

use super::outcome::Outcome;
use std::collections::BTreeMap;

/// In how many rounds a suspected difference may be without an answer before it is forgotten.
const MAX_UNANSWERED: u32 = 5;

/// A difference that may be there again.
pub(super) trait Difference: Clone {
    /// Whether this is the same difference, found again.
    fn repeats(&self, earlier: &Self) -> bool;
}

/// What is new after a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News<A> {
    /// Nothing.
    None,
    /// The endpoint and we differ.
    Differ(A),
    /// They did, and agree again.
    AgreeAgain,
}

#[derive(Clone, Debug)]
struct Suspected<A> {
    difference: A,
    unanswered: u32,
}

/// Where an endpoint and we differ. `K`: what both were asked. It has as many entries as questions are asked in a round.
#[derive(Clone, Debug)]
pub(super) struct DifferenceBook<K, A> {
    suspected: BTreeMap<K, Suspected<A>>,
    is_reported: bool,
}

impl<K: Ord, A: Difference> DifferenceBook<K, A> {
    /// No difference is known.
    pub(super) const fn new() -> Self {
        Self { suspected: BTreeMap::new(), is_reported: false }
    }

    /// What is to be asked again, with what was found.
    pub(super) fn suspected(&self) -> impl Iterator<Item = (&K, &A)> {
        self.suspected.iter().map(|(question, suspected)| (question, &suspected.difference))
    }

    /// Whether a difference was reported, and they do not agree again.
    pub(super) const fn is_reported(&self) -> bool {
        self.is_reported
    }

    /// Takes in what a round of questions came to.
    pub(super) fn note(&mut self, round: Vec<(K, Outcome<A>)>) -> News<A> {
        let has = |is: fn(&Outcome<A>) -> bool| round.iter().any(|(_, outcome)| is(outcome));
        let agree = has(|outcome| matches!(outcome, Outcome::Agrees))
            && !has(|outcome| matches!(outcome, Outcome::Differs(_)));
        let mut confirmed = None;
        for (question, outcome) in round {
            let earlier = self.suspected.remove(&question);
            match outcome {
                Outcome::Agrees => {}
                Outcome::Differs(difference) => match earlier {
                    Some(earlier) if difference.repeats(&earlier.difference) => confirmed = Some(difference),
                    Some(_) | None => self.suspect(question, difference, 0),
                },
                Outcome::None(_) => {
                    if let Some(Suspected { difference, unanswered }) = earlier
                        && unanswered < MAX_UNANSWERED
                    {
                        self.suspect(question, difference, unanswered.saturating_add(1));
                    }
                }
            }
        }
        match confirmed {
            Some(difference) if !self.is_reported => {
                self.is_reported = true;
                self.suspected.clear();
                News::Differ(difference)
            }
            None if self.is_reported && agree => {
                self.is_reported = false;
                News::AgreeAgain
            }
            Some(_) | None => News::None,
        }
    }

    /// What is reported needs no second look.
    fn suspect(&mut self, question: K, difference: A, unanswered: u32) {
        if !self.is_reported {
            self.suspected.insert(question, Suspected { difference, unanswered });
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

    /// Rounds of questions and what they came to: `1=` they agree on question 1, `1a` they differ in the way a, `1?` one of them has
    /// no opinion. With each: `!a` is reported, `=` is reported as over.
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
    #[case::over("1a,1a,2=,3=", ".,!a,=,.")]
    #[case::not_over_without_an_opinion("1a,1a,2?", ".,!a,.")]
    #[case::not_over_while_one_differs("1a,1a,2= 3a", ".,!a,.")]
    #[case::again("1a,1a,2=,3a,3a", ".,!a,=,.,!a")]
    #[case::one_for_a_round("1a 2b,1a 2b", ".,!b")]
    fn a_difference_is_reported_when_it_is_found_again(#[case] rounds: &str, #[case] expected: &str) {
        let mut book = DifferenceBook::<char, u32>::new();
        let news = rounds.split(',').map(|round| {
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
            match book.note(outcomes.collect()) {
                News::None => ".".to_owned(),
                News::Differ(way) => format!("!{}", char::from_u32(way).unwrap()),
                News::AgreeAgain => "=".to_owned(),
            }
        });
        assert_eq!(news.collect::<Vec<_>>().join(","), expected);
    }

    #[test]
    fn what_is_suspected_is_asked_again_until_it_is_reported() {
        let mut book = DifferenceBook::<u8, u32>::new();
        let differs = || vec![(1, Outcome::Differs(7)), (2, Outcome::Agrees)];
        assert_eq!(book.note(differs()), News::None);
        assert_eq!((book.suspected().collect::<Vec<_>>(), book.is_reported()), (vec![(&1, &7)], false));
        assert_eq!(book.note(differs()), News::Differ(7));
        assert_eq!((book.suspected().count(), book.is_reported()), (0, true));
        assert_eq!(book.note(differs()), News::None);
        assert_eq!(book.suspected().count(), 0);
    }
}
