//! [`ApplicationScores`]: what our own verdicts say of a peer.
//!
//! Useful answers and blocks count for it, failures to answer a little and false answers much against it, each up
//! to a cap, as op-node counted them. Rejected frames count beyond a few, then quickly up to a ban: an honest relay
//! whose view of L1 or whose fork table differs for a moment keeps its standing, a flooder is banned within one batch.
//! Everything shrinks with the time that passes, however many blocks that time has. Pure; a peer is forgotten once all of its counts are nothing.

use super::decay_factor;
use libp2p::PeerId;
use std::{collections::BTreeMap, time::Duration};

/// One good deed.
const GOOD: f64 = 0.5;
const GOOD_CAP: f64 = 10.0;
/// One request that was not answered.
const FAILURE: f64 = 1.0;
const FAILURE_CAP: f64 = 9.0;
/// One false answer.
const FALSEHOOD: f64 = 20.0;
const FALSEHOOD_CAP: f64 = 20.0;
/// This many rejected frames are free. Eight a second forever add up to 16: an honest relay of blocks whose signer L1
/// has not told us of yet never comes here, however many blocks share a timestamp.
const FREE_REJECTS: f64 = 16.0;
/// Each of the next ones puts the peer out of the mesh, no further than where it is still listened to.
const REJECT_WEIGHT: f64 = 8.0;
/// This many of those, and the peer is banned, in one step: below gossipsub's graylist threshold it would not be heard
/// any more, and nothing could bring its score from there to where bans begin.
const WARNINGS: f64 = 5.0;
const BANNED: f64 = 70.0;
const REJECTS_CAP: f64 = 50.0;
/// The seconds in which a count shrinks to a hundredth: op-node's 60 slots on a chain of 2 s.
const DECAY_SECONDS: u32 = 120;
/// What is left of rejected frames after a second.
const REJECTS_LEFT: f64 = 0.5;
const NOTHING: f64 = 0.01;
/// How many peers are remembered. Beyond it the least remarkable is forgotten.
const MAX_PEERS: usize = 4_096;

/// What a peer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::network) enum Deed {
    /// It was the first to send a valid block, or answered a request well.
    Good,
    /// It did not answer, or with an error.
    Failed,
    /// It answered with something that is not a block of the height that was asked for.
    Lied,
    /// It sent a frame that breaks a rule that it could check.
    SentInvalid,
}

/// How much of each kind a peer did lately: counts that shrink to a hundredth within two minutes, but rejected
/// frames to a half within a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PeerDeeds {
    /// Blocks that it was the first to send, and requests that it answered well; 20 at most.
    pub good: f64,
    /// Requests that it did not answer; 9 at most.
    pub failures: f64,
    /// Answers that were not what was asked for; 1 at most.
    pub falsehoods: f64,
    /// Frames that were rejected; 50 at most.
    pub rejects: f64,
}

/// The counts of every peer.
#[derive(Debug, Default)]
pub(in crate::network) struct ApplicationScores {
    peers: BTreeMap<PeerId, Counts>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    good: f64,
    failures: f64,
    falsehoods: f64,
    rejects: f64,
}

impl Counts {
    fn score(&self) -> f64 {
        let excess = (self.rejects - FREE_REJECTS).max(0.0);
        let ban = if excess >= WARNINGS { BANNED } else { 0.0 };
        self.good - self.failures - self.falsehoods - REJECT_WEIGHT * excess - ban
    }

    fn decay(&mut self, factor: f64, of_rejects: f64) -> bool {
        self.good *= factor;
        self.failures *= factor;
        self.falsehoods *= factor;
        self.rejects *= of_rejects;
        let mut is_something = false;
        for count in [&mut self.good, &mut self.failures, &mut self.falsehoods, &mut self.rejects] {
            if *count < NOTHING {
                *count = 0.0;
            }
            is_something |= *count > 0.0;
        }
        is_something
    }

    fn weight(&self) -> f64 {
        self.good + self.failures + self.falsehoods + self.rejects
    }
}

impl ApplicationScores {
    /// Takes note of a deed, and gives the peer's score.
    pub(in crate::network) fn note(&mut self, peer_id: PeerId, deed: Deed) -> f64 {
        if self.peers.len() >= MAX_PEERS && !self.peers.contains_key(&peer_id) {
            let least = self.peers.iter().min_by(|(_, a), (_, b)| a.weight().total_cmp(&b.weight()));
            least.map(|(peer_id, _)| *peer_id).map(|peer_id| self.peers.remove(&peer_id));
        }
        let counts = self.peers.entry(peer_id).or_default();
        let (count, step, cap) = match deed {
            Deed::Good => (&mut counts.good, GOOD, GOOD_CAP),
            Deed::Failed => (&mut counts.failures, FAILURE, FAILURE_CAP),
            Deed::Lied => (&mut counts.falsehoods, FALSEHOOD, FALSEHOOD_CAP),
            Deed::SentInvalid => (&mut counts.rejects, 1.0, REJECTS_CAP),
        };
        *count = (*count + step).min(cap);
        counts.score()
    }

    /// Time passes. Gives the new score of every peer that has had one.
    pub(in crate::network) fn decay(&mut self, passed: Duration) -> Vec<(PeerId, f64)> {
        let seconds = passed.as_secs_f64();
        let (factor, of_rejects) = (decay_factor(DECAY_SECONDS).powf(seconds), REJECTS_LEFT.powf(seconds));
        let mut scores = Vec::with_capacity(self.peers.len());
        self.peers.retain(|peer_id, counts| {
            let is_something = counts.decay(factor, of_rejects);
            scores.push((*peer_id, counts.score()));
            is_something
        });
        scores
    }

    /// What a peer did lately.
    pub(in crate::network) fn deeds(&self, peer_id: &PeerId) -> PeerDeeds {
        let Counts { good, failures, falsehoods, rejects } =
            self.peers.get(peer_id).copied().unwrap_or_default();
        PeerDeeds {
            good: good / GOOD,
            failures: failures / FAILURE,
            falsehoods: falsehoods / FALSEHOOD,
            rejects,
        }
    }

    /// A peer's score.
    pub(in crate::network) fn score(&self, peer_id: &PeerId) -> f64 {
        self.peers.get(peer_id).map_or(0.0, Counts::score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const SECOND: Duration = Duration::from_secs(1);

    fn after(deed: Deed, times: usize) -> f64 {
        let (mut scores, peer_id) = (ApplicationScores::default(), PeerId::random());
        (0..times).for_each(|_| _ = scores.note(peer_id, deed));
        scores.score(&peer_id)
    }

    #[rstest]
    #[case::a_good_deed(Deed::Good, 1, 0.5)]
    #[case::good_deeds_are_capped(Deed::Good, 1_000, 10.0)]
    #[case::a_failure(Deed::Failed, 1, -1.0)]
    #[case::failures_are_capped_above_the_gossip_threshold(Deed::Failed, 1_000, -9.0)]
    #[case::a_lie(Deed::Lied, 1, -20.0)]
    #[case::lies_are_capped(Deed::Lied, 1_000, -20.0)]
    #[case::a_few_rejected_frames_are_free(Deed::SentInvalid, 16, 0.0)]
    #[case::one_more_is_not(Deed::SentInvalid, 17, -8.0)]
    #[case::it_is_heard_until_it_is_banned(Deed::SentInvalid, 20, -32.0)]
    #[case::a_flood_bans(Deed::SentInvalid, 21, -110.0)]
    fn counts(#[case] deed: Deed, #[case] times: usize, #[case] score: f64) {
        assert!((after(deed, times) - score).abs() < 1e-9);
    }

    #[test]
    fn deeds_are_reported_in_their_number() {
        let (mut scores, peer_id) = (ApplicationScores::default(), PeerId::random());
        let done = [Deed::Good, Deed::Good, Deed::Failed, Deed::Lied, Deed::SentInvalid];
        done.into_iter().for_each(|deed| _ = scores.note(peer_id, deed));
        let expected = PeerDeeds { good: 2.0, failures: 1.0, falsehoods: 1.0, rejects: 1.0 };
        assert_eq!(scores.deeds(&peer_id), expected);
        assert_eq!(scores.deeds(&PeerId::random()), PeerDeeds::default());
    }

    #[test]
    fn eight_rejected_blocks_a_second_never_cost_anything() {
        let (mut scores, peer_id) = (ApplicationScores::default(), PeerId::random());
        for _ in 0..10_000 {
            (0..8).for_each(|_| assert_eq!(scores.note(peer_id, Deed::SentInvalid), 0.0));
            scores.decay(SECOND);
        }
    }

    #[test]
    fn what_counts_is_the_time_that_passes_and_not_how_often_it_is_looked_at() {
        let after = |steps: u32| {
            let (mut scores, peer_id) = (ApplicationScores::default(), PeerId::random());
            [Deed::Good, Deed::Lied, Deed::Failed]
                .into_iter()
                .for_each(|deed| _ = scores.note(peer_id, deed));
            (0..40).for_each(|_| _ = scores.note(peer_id, Deed::SentInvalid));
            (0..steps).for_each(|_| _ = scores.decay(SECOND / steps));
            scores.score(&peer_id)
        };
        assert!((after(1) - after(20)).abs() < 1e-6);
    }

    #[test]
    fn all_is_forgotten_in_time() {
        let (mut scores, peer_id) = (ApplicationScores::default(), PeerId::random());
        (0..100).for_each(|_| _ = scores.note(peer_id, Deed::SentInvalid));
        (0..100).for_each(|_| _ = scores.note(peer_id, Deed::Lied));
        let mut seconds = 0;
        while !scores.peers.is_empty() {
            scores.decay(SECOND);
            seconds += 1;
        }
        assert!((120..=240).contains(&seconds), "{seconds} s");
        assert_eq!(scores.score(&peer_id), 0.0);
        assert_eq!(scores.decay(SECOND), vec![]);
    }

    #[test]
    fn the_last_decay_tells_that_a_score_is_back_at_nothing() {
        let (mut scores, peer_id) = (ApplicationScores::default(), PeerId::random());
        scores.note(peer_id, Deed::Failed);
        let last = std::iter::from_fn(|| scores.decay(SECOND).pop()).last();
        assert_eq!(last, Some((peer_id, 0.0)));
    }

    #[test]
    fn strangers_do_not_push_out_a_flooder() {
        let (mut scores, flooder) = (ApplicationScores::default(), PeerId::random());
        (0..30).for_each(|_| _ = scores.note(flooder, Deed::SentInvalid));
        (0..MAX_PEERS * 2).for_each(|_| _ = scores.note(PeerId::random(), Deed::Good));
        assert_eq!(scores.peers.len(), MAX_PEERS);
        assert!(scores.score(&flooder) < -100.0);
    }

    fn deed() -> impl Strategy<Value = Option<Deed>> {
        proptest::option::of(prop_oneof![
            Just(Deed::Good),
            Just(Deed::Failed),
            Just(Deed::Lied),
            Just(Deed::SentInvalid),
        ])
    }

    proptest! {
        /// Scores stay within their bounds, and decay brings a bad one no further down.
        #[test]
        fn scores_are_bounded(deeds in proptest::collection::vec(deed(), 0..300)) {
            let (mut scores, peer_id) = (ApplicationScores::default(), PeerId::random());
            for deed in deeds {
                let before = scores.score(&peer_id);
                match deed {
                    Some(deed) => { scores.note(peer_id, deed); }
                    None => {
                        scores.decay(SECOND);
                        prop_assert!(before >= 0.0 || scores.score(&peer_id) >= before - 4.0 * NOTHING);
                    }
                }
                let score = scores.score(&peer_id);
                prop_assert!((-29.0 - 8.0 * 34.0 - 70.0..=10.0).contains(&score), "{score}");
            }
        }
    }
}
