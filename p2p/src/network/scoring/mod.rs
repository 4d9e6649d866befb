//! Peer scores: gossipsub's score with op-node's parameters, and the part of it that comes from our own
//! verdicts.
//!
//! Pure. Bans are the connection gater's.

mod application_scores;
mod score_parameters;

pub use application_scores::ScoreInputs;
pub(super) use application_scores::{ApplicationScores, PeerAction};
pub(super) use score_parameters::{
    decay_factor, peer_score_params, peer_score_thresholds, topic_score_params,
};
