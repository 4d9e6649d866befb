//! [`UpstreamStatus`]: what an upstream's `optimism_syncStatus` says, with all that Crosscheck does not know of it.

use super::L2Ref;
use super::block_ref::L1Ref;
use crate::sources::StatusDocument;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The field in which Crosscheck says what holds its head. An upstream's own is not passed on.
pub(super) const HOLD_FIELD: &str = "crosscheck_hold";

/// The field that tells of a block without a verdict.
pub(super) const OPEN_FIELD: &str = "crosscheck_open";

/// How far a node has read L1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct L1Heads {
    /// The block that derivation has come to.
    pub current_l1: L1Ref,
    /// A former field, of the same meaning as `finalized_l1`.
    pub current_l1_finalized: L1Ref,
    /// L1's tip.
    pub head_l1: L1Ref,
    /// What L1 calls safe.
    pub safe_l1: L1Ref,
    /// What L1 calls final.
    pub finalized_l1: L1Ref,
}

/// What an upstream says of its heads.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct UpstreamStatus {
    /// How far it has read L1.
    #[serde(flatten)]
    pub l1: L1Heads,
    /// The tip.
    pub unsafe_l2: L2Ref,
    /// The tip whose messages were seen: gone from nodes since August 2026, required by older clients.
    pub cross_unsafe_l2: Option<L2Ref>,
    /// The head of what L1 says.
    pub local_safe_l2: L2Ref,
    /// The head of a span batch under way: not sent by kona-node.
    pub pending_safe_l2: Option<L2Ref>,
    /// The cross-safe head.
    pub safe_l2: L2Ref,
    /// The finalized head.
    pub finalized_l2: L2Ref,
    /// Every other field, as sent.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// A status with too little in it to serve another from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the upstream's status cannot be served: {reason}; follow an op-node, kona-node or op-supernode")]
pub struct UpstreamStatusError {
    reason: String,
}

impl UpstreamStatus {
    /// Reads a status.
    ///
    /// # Errors
    /// If a field is missing that clients require, or is not of its shape.
    pub fn read(document: &StatusDocument) -> Result<Self, UpstreamStatusError> {
        let mut fields = document.fields().clone();
        fields.remove(HOLD_FIELD);
        fields.remove(OPEN_FIELD);
        // Nodes from before interop have one safe head.
        if !fields.contains_key("local_safe_l2")
            && let Some(safe) = fields.get("safe_l2").cloned()
        {
            fields.insert("local_safe_l2".to_owned(), safe);
        }
        serde_json::from_value(Value::Object(fields))
            .map_err(|error| UpstreamStatusError { reason: error.to_string() })
    }
}
