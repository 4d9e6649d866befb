//! What a sidecar says over `crosscheck_events` of claims without a signature, as the devnet reads it. Only
//! the fields that it needs.

use super::message_record::BlockRecord;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use serde::{Deserialize, Deserializer};

/// The kinds of events that are about claims.
pub(crate) const CLAIM_EVENTS: [&str; 2] = ["claim-refuted", "claimants-differ"];

/// What the sidecar calls one of a chain's claimants.
pub(crate) fn claimant_name(place: usize, chain_id: u64) -> String {
    format!("claimant #{place} of chain {chain_id}")
}

/// What the sidecar calls a chain's rollup node.
pub(crate) fn rollup_node_name(chain_id: u64) -> String {
    format!("rollup-node #0 of chain {chain_id}")
}

/// The name of an endpoint, without the part of its address's hash that follows in brackets.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let claimant = String::deserialize(deserializer)?;
    Ok(claimant.split_once(" (").map_or(claimant.clone(), |(name, _)| name.to_owned()))
}

/// The answer of `crosscheck_events`, filtered for what is about claims.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ClaimPage {
    /// The events after the cursor, in order of their ids.
    pub(crate) events: Vec<ClaimRecord>,
    /// Where reading continues.
    pub(crate) cursor: u64,
}

/// One event about claims.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ClaimRecord {
    /// Its id; ids grow.
    pub(crate) id: u64,
    /// What it says.
    #[serde(flatten)]
    pub(crate) event: ClaimEvent,
}

/// What an event says about claims.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum ClaimEvent {
    /// An endpoint called a block safe that is invalid, or one on top of it.
    ClaimRefuted {
        /// The invalid block.
        block: BlockRecord,
        /// The endpoint.
        #[serde(deserialize_with = "name")]
        claimant: String,
    },
    /// Two endpoints call different blocks safe.
    ClaimantsDiffer {
        /// The chain.
        chain_id: ChainId,
        /// The height.
        number: u64,
        /// What each of them says.
        answers: [AnswerRecord; 2],
    },
}

/// What an endpoint calls safe at a height.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct AnswerRecord {
    /// The endpoint.
    #[serde(deserialize_with = "name")]
    pub(crate) claimant: String,
    /// The block.
    pub(crate) hash: B256,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_are_read_as_the_sidecar_writes_them() {
        let hash = B256::repeat_byte(1);
        let page = json!({ "cursor": 9, "next": null, "events": [
            { "id": 4, "at": 1, "kind": "claim-refuted", "block": { "chain_id": "901", "number": 20, "hash": hash },
              "claimant": "claimant #1 of chain 901 (0a1b2c3d)", "claimed": { "number": 20, "hash": hash }, "verdict": "violated",
              "reason": "invalid-message", "detail": "" },
            { "id": 9, "at": 2, "kind": "claimants-differ", "chain_id": "901", "number": 20,
              "answers": [{ "claimant": "a", "hash": hash }, { "claimant": "b", "hash": hash }] },
        ]});
        let page: ClaimPage = serde_json::from_value(page).unwrap();
        assert_eq!((page.cursor, page.events.len()), (9, 2));
        let ClaimEvent::ClaimRefuted { block, claimant } = &page.events[0].event else { panic!() };
        assert_eq!((block.number, claimant), (20, &claimant_name(1, 901)));
        assert!(matches!(page.events[1].event, ClaimEvent::ClaimantsDiffer { number: 20, .. }));
    }
}
