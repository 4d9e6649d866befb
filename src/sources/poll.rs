//! [`Poll`]: what a chain's endpoints say of the block at one height, counted. Pure.
//!
//! A vote is a block, or that there is none; a failure is not a vote. A missing answer is never a vote.

use super::{Quorum, SourceError};
use crosscheck_core::heads::L2BlockRef;

/// What one endpoint said.
pub(super) type Vote = Result<Option<L2BlockRef>, SourceError>;

/// The votes on one height.
#[derive(Clone, Debug)]
pub(super) struct Poll {
    quorum: Quorum,
    votes: Vec<Option<Vote>>,
}

/// The state of a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VoteTally {
    /// Votes that are still out may decide it.
    Open,
    /// Enough say so, and nothing that is still out can speak against it.
    Agreed(Option<L2BlockRef>),
    /// Nobody can get enough votes any more, or several have enough.
    Split,
}

impl Poll {
    /// No votes yet.
    pub(super) fn new(quorum: Quorum) -> Self {
        Self { quorum, votes: vec![None; quorum.endpoints()] }
    }

    /// Takes the vote of the endpoint in this place. Each has one: a second one is ignored.
    pub(super) fn record(&mut self, place: usize, vote: Vote) {
        if let Some(slot @ None) = self.votes.get_mut(place) {
            *slot = Some(vote);
        }
    }

    /// Its position.
    ///
    /// A block wins with enough votes, once no other block can have as many. That there is none wins with
    /// enough votes, once no block can: an endpoint that lags says nothing against one that has the block.
    pub(super) fn tally(&self) -> VoteTally {
        let needed = self.quorum.needed();
        let out = self.votes.iter().filter(|vote| vote.is_none()).count();
        let counts = self.counts();
        let can_win = |votes: usize| votes.saturating_add(out) >= needed;
        let mut contenders = counts.iter().filter(|(_, votes)| can_win(*votes));
        match (contenders.next(), contenders.next()) {
            // Blocks that nobody named yet can win by the votes that are out alone.
            (Some((block, votes)), None) if *votes >= needed && out < needed => {
                VoteTally::Agreed(Some(*block))
            }
            (Some(_), Some(_)) if out == 0 => VoteTally::Split,
            (None, _) if out < needed => self.tally_without_block(out),
            _ => VoteTally::Open,
        }
    }

    fn tally_without_block(&self, out: usize) -> VoteTally {
        let none = self.votes.iter().filter(|vote| matches!(vote, Some(Ok(None)))).count();
        if none >= self.quorum.needed() {
            VoteTally::Agreed(None)
        } else if none.saturating_add(out) < self.quorum.needed() {
            VoteTally::Split
        } else {
            VoteTally::Open
        }
    }

    /// Each block that was named, with its votes.
    fn counts(&self) -> Vec<(L2BlockRef, usize)> {
        let mut counts: Vec<(L2BlockRef, usize)> = Vec::new();
        for (_, block) in self.blocks() {
            match counts.iter_mut().find(|(known, _)| known.hash() == block.hash()) {
                Some((_, votes)) => *votes = votes.saturating_add(1),
                None => counts.push((block, 1)),
            }
        }
        counts
    }

    /// Which endpoint named which block.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (usize, L2BlockRef)> {
        let cast = self.votes.iter().enumerate();
        cast.filter_map(|(place, vote)| Some((place, vote.as_ref()?.as_ref().ok()?.as_ref().copied()?)))
    }

    /// The answer of each endpoint, in words. `name` names an endpoint by its place.
    pub(super) fn answers(&self, name: impl Fn(usize) -> String) -> String {
        let cast = self.votes.iter().enumerate();
        let words: Vec<String> = cast
            .map(|(place, vote)| match vote {
                None => format!("{} has not answered", name(place)),
                Some(Ok(None)) => format!("{} has none", name(place)),
                Some(Ok(Some(block))) => format!("{} says {} ({})", name(place), block.hash(), block.number),
                Some(Err(error)) => format!("{} failed: {error}", name(place)),
            })
            .collect();
        words.join("; ")
    }

    /// The only endpoint's error, if there is only one: then there is nothing to count.
    pub(super) fn into_only_error(self) -> Option<SourceError> {
        let [vote] = <[_; 1]>::try_from(self.votes).ok()?;
        vote?.err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use crosscheck_p2p::UnixSeconds;
    use proptest::prelude::*;
    use rstest::rstest;

    fn block(byte: u8) -> L2BlockRef {
        L2BlockRef::new(9, B256::repeat_byte(byte), UnixSeconds(18)).unwrap()
    }

    fn failure() -> SourceError {
        let endpoint = "http://127.0.0.1:1".parse().unwrap();
        SourceError::Unreachable { endpoint, method: "eth_getBlockByNumber", reason: "refused".to_owned() }
    }

    /// `a` and `b` are blocks, `-` is none, `x` a failure, `.` no answer yet.
    fn poll(needed: usize, votes: &str) -> Poll {
        let mut poll = Poll::new(Quorum::new(needed, votes.len()).unwrap());
        for (place, vote) in votes.chars().enumerate() {
            match vote {
                '.' => {}
                '-' => poll.record(place, Ok(None)),
                'x' => poll.record(place, Err(failure())),
                name => poll.record(place, Ok(Some(block(name as u8)))),
            }
        }
        poll
    }

    fn agreed_on_a() -> VoteTally {
        VoteTally::Agreed(Some(block(b'a')))
    }

    #[rstest]
    #[case::one_of_one(1, "a", agreed_on_a())]
    #[case::none_of_one(1, "-", VoteTally::Agreed(None))]
    #[case::failure_of_one(1, "x", VoteTally::Split)]
    #[case::two_of_three_do_not_wait(2, "aa.", agreed_on_a())]
    #[case::one_vote_waits(2, "a..", VoteTally::Open)]
    #[case::an_invalid_answer_waits_for_the_third(2, "ab.", VoteTally::Open)]
    #[case::an_invalid_answer_is_outvoted(2, "aba", agreed_on_a())]
    #[case::no_two_agree(2, "abc", VoteTally::Split)]
    #[case::an_invalid_answer_and_a_failure(2, "abx", VoteTally::Split)]
    #[case::two_failures_settle_it(2, "xx.", VoteTally::Split)]
    #[case::a_failure_is_compensated(2, "axa", agreed_on_a())]
    #[case::both_of_two(2, "aa", agreed_on_a())]
    #[case::two_of_two_differ(2, "ab", VoteTally::Split)]
    #[case::one_of_two_is_not_there_yet(2, "a-", VoteTally::Split)]
    #[case::missing_on_two_of_three(2, "--.", VoteTally::Agreed(None))]
    #[case::missing_on_one_with_a_failure(2, "-x.", VoteTally::Open)]
    #[case::missing_on_one_with_two_failures(2, "-xx", VoteTally::Split)]
    #[case::a_lagging_endpoint_is_outvoted(2, "-aa", agreed_on_a())]
    #[case::two_lagging_endpoints_outvote(2, "-a-", VoteTally::Agreed(None))]
    #[case::failover_waits_for_the_other(1, "a.", VoteTally::Open)]
    #[case::failover_on_failure(1, "ax", agreed_on_a())]
    #[case::failover_past_a_lagging_endpoint(1, "a-", agreed_on_a())]
    #[case::failover_does_not_choose_between_two(1, "ab", VoteTally::Split)]
    fn tallies(#[case] needed: usize, #[case] votes: &str, #[case] expected: VoteTally) {
        assert_eq!(poll(needed, votes).tally(), expected);
    }

    #[test]
    fn the_answer_of_each_endpoint_is_reported() {
        let said = poll(2, "ab-.").answers(|place| format!("#{place}"));
        assert!(said.contains(&format!("#0 says {}", block(b'a').hash())), "{said}");
        assert!(said.contains("#2 has none; #3 has not answered"), "{said}");
    }

    proptest! {
        /// What is agreed before everyone has spoken is never taken back, whatever the others say.
        #[test]
        fn an_early_outcome_is_the_last_one(needed in 1_usize..=5, votes in "[abc\\-x]{5}", order in Just([0, 1, 2, 3, 4]).prop_shuffle()) {
            let whole = poll(needed, &votes);
            let mut part = Poll::new(Quorum::new(needed, 5).unwrap());
            for place in order {
                if part.tally() != VoteTally::Open {
                    prop_assert_eq!(part.tally(), whole.tally());
                }
                part.record(place, whole.votes[place].clone().unwrap());
            }
            prop_assert_ne!(whole.tally(), VoteTally::Open);
        }

        /// Against the rule's own words: the one block with enough votes; else none, if enough say so and no
        /// block has.
        #[test]
        fn the_outcome_follows_the_quorum_rule(needed in 1_usize..=5, votes in "[abc\\-x]{5}") {
            let count = |name: char| votes.chars().filter(|vote| *vote == name).count();
            let winners: Vec<char> = "abc".chars().filter(|name| count(*name) >= needed).collect();
            let expected = match winners.as_slice() {
                [winner] => VoteTally::Agreed(Some(block(*winner as u8))),
                [] if count('-') >= needed => VoteTally::Agreed(None),
                _ => VoteTally::Split,
            };
            prop_assert_eq!(poll(needed, &votes).tally(), expected);
        }
    }
}
