//! What peers are worth to us: gossipsub's score with op-node's parameters, and the part of it that comes from
//! our own verdicts.
//!
//! Pure. Banning for a score is the gater's business.

mod application_scores;
mod score_parameters;

pub use application_scores::PeerDeeds;
pub(super) use application_scores::{ApplicationScores, Deed};
pub(super) use score_parameters::{
    decay_factor, peer_score_params, peer_score_thresholds, topic_score_params,
};
