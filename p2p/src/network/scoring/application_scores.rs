//! [`ApplicationScores`]: the part of each peer's score that comes from our own verdicts.
//!
//! Valid blocks and answers raise it, unanswered requests lower it a little and wrong answers a lot, each up
//! to a cap, as in op-node. Invalid frames count beyond a few, then quickly up to a ban: an honest relay
//! whose view of L1 or whose fork times differ for a moment is not banned, a flooder is banned within one
//! batch. All counts decay with time, not with the number of blocks. Pure. A peer is forgotten once all of
//! its counts are negligible.

use super::decay_factor;
use libp2p::PeerId;
use std::{collections::BTreeMap, time::Duration};

/// What one useful action adds.
const USEFUL_WEIGHT: f64 = 0.5;
const MOST_USEFUL: f64 = 20.0;
/// What one failed request subtracts.
const FAILED_REQUEST_WEIGHT: f64 = 1.0;
const MOST_FAILED_REQUESTS: f64 = 9.0;
/// What one wrong response subtracts.
const WRONG_RESPONSE_WEIGHT: f64 = 20.0;
const MOST_WRONG_RESPONSES: f64 = 1.0;
/// This many invalid frames are free. Eight a second for any time add up to 16: an honest relay of blocks
/// whose new signer this node has not read from L1 yet does not exceed it, however many blocks share a
/// timestamp.
const FREE_INVALID_FRAMES: f64 = 16.0;
/// What each further one subtracts: it takes the peer out of the mesh, and keeps it above the graylist
/// threshold.
const INVALID_FRAME_WEIGHT: f64 = 8.0;
/// This many of those ban the peer, in one step: below gossipsub's graylist threshold its messages are
/// dropped, so that its score could not fall from there to the ban threshold.
const MAX_PENALISED_FRAMES: f64 = 5.0;
/// What a ban subtracts.
const BAN_PENALTY: f64 = 70.0;
const MOST_INVALID_FRAMES: f64 = 50.0;
/// The seconds in which a count shrinks to a hundredth: op-node's 60 slots on a chain of 2 s.
const DECAY_SECONDS: u32 = 120;
/// The factor by which the count of invalid frames shrinks each second.
const INVALID_FRAMES_DECAY: f64 = 0.5;
/// A count whose weight is below this is taken as 0.
const NEGLIGIBLE: f64 = 0.01;
/// How many peers are remembered. With one more, the peer with the lowest counts is forgotten.
const MAX_PEERS: usize = 4_096;

/// Something that a peer did, which changes its application score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::network) enum PeerAction {
    /// It was the first to send a valid block, or it answered a request with the requested block.
    Useful,
    /// It did not answer a request, or answered with an error.
    RequestFailed,
    /// It answered a request with something that is not a block of the requested height.
    WrongResponse,
    /// It sent a frame that breaks a rule that it could check itself.
    InvalidFrame,
}

/// What a peer's application score is computed from. Each count decays: invalid frames by half each second,
/// the others to a hundredth within two minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ScoreInputs {
    /// Blocks that it was the first to send, and requests that it answered with the requested block. 20 at
    /// most.
    pub useful: f64,
    /// Requests that it did not answer. 9 at most.
    pub failed_requests: f64,
    /// Answers that were not the requested block. 1 at most.
    pub wrong_responses: f64,
    /// Frames that were rejected, and that it could have rejected. 50 at most.
    pub invalid_frames: f64,
}

/// The counts of every peer.
#[derive(Debug, Default)]
pub(in crate::network) struct ApplicationScores {
    peers: BTreeMap<PeerId, ScoreInputs>,
}

impl ScoreInputs {
    fn score(&self) -> f64 {
        let excess = (self.invalid_frames - FREE_INVALID_FRAMES).max(0.0);
        let ban = if excess >= MAX_PENALISED_FRAMES { BAN_PENALTY } else { 0.0 };
        USEFUL_WEIGHT * self.useful
            - FAILED_REQUEST_WEIGHT * self.failed_requests
            - WRONG_RESPONSE_WEIGHT * self.wrong_responses
            - INVALID_FRAME_WEIGHT * excess
            - ban
    }

    /// Each count, and the weight by which it is compared.
    const fn weighted(&mut self) -> [(&mut f64, f64); 4] {
        [
            (&mut self.useful, USEFUL_WEIGHT),
            (&mut self.failed_requests, FAILED_REQUEST_WEIGHT),
            (&mut self.wrong_responses, WRONG_RESPONSE_WEIGHT),
            (&mut self.invalid_frames, 1.0),
        ]
    }

    /// Whether any count is left.
    fn decay(&mut self, factor: f64, invalid_frames_factor: f64) -> bool {
        self.useful *= factor;
        self.failed_requests *= factor;
        self.wrong_responses *= factor;
        self.invalid_frames *= invalid_frames_factor;
        let mut is_remembered = false;
        for (count, weight) in self.weighted() {
            if *count * weight < NEGLIGIBLE {
                *count = 0.0;
            }
            is_remembered |= *count > 0.0;
        }
        is_remembered
    }

    fn weight(mut self) -> f64 {
        self.weighted().into_iter().map(|(count, weight)| *count * weight).sum()
    }
}

impl ApplicationScores {
    /// Records an action, and returns the peer's new score.
    pub(in crate::network) fn record(&mut self, peer_id: PeerId, action: PeerAction) -> f64 {
        if self.peers.len() >= MAX_PEERS && !self.peers.contains_key(&peer_id) {
            let least = self.peers.iter().min_by(|(_, a), (_, b)| a.weight().total_cmp(&b.weight()));
            least.map(|(peer_id, _)| *peer_id).map(|peer_id| self.peers.remove(&peer_id));
        }
        let counts = self.peers.entry(peer_id).or_default();
        let (count, most) = match action {
            PeerAction::Useful => (&mut counts.useful, MOST_USEFUL),
            PeerAction::RequestFailed => (&mut counts.failed_requests, MOST_FAILED_REQUESTS),
            PeerAction::WrongResponse => (&mut counts.wrong_responses, MOST_WRONG_RESPONSES),
            PeerAction::InvalidFrame => (&mut counts.invalid_frames, MOST_INVALID_FRAMES),
        };
        *count = (*count + 1.0).min(most);
        counts.score()
    }

    /// Decays all counts by the time that has passed. Returns the new score of every peer that had one.
    pub(in crate::network) fn decay(&mut self, passed: Duration) -> Vec<(PeerId, f64)> {
        let seconds = passed.as_secs_f64();
        let (factor, invalid_frames_factor) =
            (decay_factor(DECAY_SECONDS).powf(seconds), INVALID_FRAMES_DECAY.powf(seconds));
        let mut scores = Vec::with_capacity(self.peers.len());
        self.peers.retain(|peer_id, counts| {
            let is_remembered = counts.decay(factor, invalid_frames_factor);
            scores.push((*peer_id, counts.score()));
            is_remembered
        });
        scores
    }

    /// What a peer's score is computed from.
    pub(in crate::network) fn score_inputs(&self, peer_id: &PeerId) -> ScoreInputs {
        self.peers.get(peer_id).copied().unwrap_or_default()
    }

    /// A peer's score.
    pub(in crate::network) fn score(&self, peer_id: &PeerId) -> f64 {
        self.peers.get(peer_id).map_or(0.0, ScoreInputs::score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const SECOND: Duration = Duration::from_secs(1);

    fn after(action: PeerAction, times: usize) -> f64 {
        let (mut scores, peer_id) = (ApplicationScores::default(), PeerId::random());
        (0..times).for_each(|_| _ = scores.record(peer_id, action));
        scores.score(&peer_id)
    }

    #[rstest]
    #[case::a_useful_action(PeerAction::Useful, 1, 0.5)]
    #[case::useful_actions_are_capped(PeerAction::Useful, 1_000, 10.0)]
    #[case::a_failed_request(PeerAction::RequestFailed, 1, -1.0)]
    #[case::failed_requests_are_capped_above_the_gossip_threshold(PeerAction::RequestFailed, 1_000, -9.0)]
    #[case::a_wrong_response(PeerAction::WrongResponse, 1, -20.0)]
    #[case::wrong_responses_are_capped(PeerAction::WrongResponse, 1_000, -20.0)]
    #[case::a_few_invalid_frames_are_free(PeerAction::InvalidFrame, 16, 0.0)]
    #[case::one_more_lowers_the_score(PeerAction::InvalidFrame, 17, -8.0)]
    #[case::the_peer_stays_above_the_graylist_threshold_until_the_ban(PeerAction::InvalidFrame, 20, -32.0)]
    #[case::a_flood_bans(PeerAction::InvalidFrame, 21, -110.0)]
    fn an_action_changes_the_score(#[case] action: PeerAction, #[case] times: usize, #[case] score: f64) {
        assert!((after(action, times) - score).abs() < 1e-9);
    }

    #[test]
    fn score_inputs_are_counts_of_actions() {
        let (mut scores, peer_id) = (ApplicationScores::default(), PeerId::random());
        let done = [
            PeerAction::Useful,
            PeerAction::Useful,
            PeerAction::RequestFailed,
            PeerAction::WrongResponse,
            PeerAction::InvalidFrame,
        ];
        done.into_iter().for_each(|action| _ = scores.record(peer_id, action));
        let expected =
            ScoreInputs { useful: 2.0, failed_requests: 1.0, wrong_responses: 1.0, invalid_frames: 1.0 };
        assert_eq!(scores.score_inputs(&peer_id), expected);
        assert_eq!(scores.score_inputs(&PeerId::random()), ScoreInputs::default());
    }

    #[test]
    fn eight_invalid_frames_a_second_cost_nothing() {
        let (mut scores, peer_id) = (ApplicationScores::default(), PeerId::random());
        for _ in 0..10_000 {
            (0..8).for_each(|_| assert_eq!(scores.record(peer_id, PeerAction::InvalidFrame), 0.0));
            scores.decay(SECOND);
        }
    }

    #[test]
    fn decay_depends_on_the_time_and_not_on_the_number_of_calls() {
        let after = |steps: u32| {
            let (mut scores, peer_id) = (ApplicationScores::default(), PeerId::random());
            [PeerAction::Useful, PeerAction::WrongResponse, PeerAction::RequestFailed]
                .into_iter()
                .for_each(|action| _ = scores.record(peer_id, action));
            (0..40).for_each(|_| _ = scores.record(peer_id, PeerAction::InvalidFrame));
            (0..steps).for_each(|_| _ = scores.decay(SECOND / steps));
            scores.score(&peer_id)
        };
        assert!((after(1) - after(20)).abs() < 1e-6);
    }

    #[test]
    fn a_peer_is_forgotten_once_its_counts_have_decayed() {
        let (mut scores, peer_id) = (ApplicationScores::default(), PeerId::random());
        (0..100).for_each(|_| _ = scores.record(peer_id, PeerAction::InvalidFrame));
        (0..100).for_each(|_| _ = scores.record(peer_id, PeerAction::WrongResponse));
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
    fn the_last_decay_returns_a_score_of_zero() {
        let (mut scores, peer_id) = (ApplicationScores::default(), PeerId::random());
        scores.record(peer_id, PeerAction::RequestFailed);
        let last = std::iter::from_fn(|| scores.decay(SECOND).pop()).last();
        assert_eq!(last, Some((peer_id, 0.0)));
    }

    #[test]
    fn useful_peers_do_not_displace_a_flooder() {
        let (mut scores, flooder) = (ApplicationScores::default(), PeerId::random());
        (0..30).for_each(|_| _ = scores.record(flooder, PeerAction::InvalidFrame));
        (0..MAX_PEERS * 2).for_each(|_| _ = scores.record(PeerId::random(), PeerAction::Useful));
        assert_eq!(scores.peers.len(), MAX_PEERS);
        assert!(scores.score(&flooder) < -100.0);
    }

    fn an_action() -> impl Strategy<Value = Option<PeerAction>> {
        proptest::option::of(prop_oneof![
            Just(PeerAction::Useful),
            Just(PeerAction::RequestFailed),
            Just(PeerAction::WrongResponse),
            Just(PeerAction::InvalidFrame),
        ])
    }

    proptest! {
        /// Scores stay within their bounds, and decay brings a bad one no further down.
        #[test]
        fn scores_are_bounded(actions in proptest::collection::vec(an_action(), 0..300)) {
            let (mut scores, peer_id) = (ApplicationScores::default(), PeerId::random());
            for action in actions {
                let before = scores.score(&peer_id);
                match action {
                    Some(action) => { scores.record(peer_id, action); }
                    None => {
                        scores.decay(SECOND);
                        prop_assert!(before >= 0.0 || scores.score(&peer_id) >= before - 4.0 * NEGLIGIBLE);
                    }
                }
                let score = scores.score(&peer_id);
                prop_assert!((-29.0 - 8.0 * 34.0 - 70.0..=10.0).contains(&score), "{score}");
            }
        }
    }
}
