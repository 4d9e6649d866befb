//! [`UpstreamStatus`]: what an upstream's `optimism_syncStatus` says, with all that Crosscheck does not know
//! of it.
//!
//! A reference with an all-zero hash names no block: it is absent here.

use super::L2Ref;
use super::block_ref::L1Ref;
use crate::sources::StatusDocument;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The field in which Crosscheck names the block that holds its head. It is not passed on from an upstream.
pub(super) const HOLD_FIELD: &str = "crosscheck_hold";

/// The field that reports a block without a verdict.
pub(super) const OPEN_FIELD: &str = "crosscheck_open";

/// How far a node has read L1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct L1Heads {
    /// The block that derivation has reached.
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

impl L1Heads {
    /// These heads; for those that the node does not know now, what `last` has.
    pub(super) fn or(self, last: Self) -> Self {
        let or = |now: L1Ref, last: L1Ref| if now.hash.is_zero() { last } else { now };
        Self {
            current_l1: or(self.current_l1, last.current_l1),
            current_l1_finalized: or(self.current_l1_finalized, last.current_l1_finalized),
            head_l1: or(self.head_l1, last.head_l1),
            safe_l1: or(self.safe_l1, last.safe_l1),
            finalized_l1: or(self.finalized_l1, last.finalized_l1),
        }
    }
}

/// What an upstream says of its heads.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct UpstreamStatus {
    /// How far it has read L1.
    #[serde(flatten)]
    pub l1: L1Heads,
    /// The tip.
    #[serde(deserialize_with = "named")]
    pub unsafe_l2: Option<L2Ref>,
    /// The tip whose messages were seen: removed from nodes in August 2026, required by older clients.
    #[serde(default, deserialize_with = "named")]
    pub cross_unsafe_l2: Option<L2Ref>,
    /// The head of what L1 says.
    #[serde(deserialize_with = "named")]
    pub local_safe_l2: Option<L2Ref>,
    /// The head of a span batch under way: not sent by kona-node.
    #[serde(default, deserialize_with = "named")]
    pub pending_safe_l2: Option<L2Ref>,
    /// The cross-safe head.
    #[serde(deserialize_with = "named")]
    pub safe_l2: Option<L2Ref>,
    /// The finalized head.
    #[serde(deserialize_with = "named")]
    pub finalized_l2: Option<L2Ref>,
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

/// A reference, unless it names no block.
fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<L2Ref>, D::Error> {
    Ok(Option::<L2Ref>::deserialize(deserializer)?.filter(|head| !head.hash.is_zero()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::sample::{l1, l2};
    use serde_json::json;

    /// A status in which these fields are all zero.
    fn status(zero: &[&str]) -> Result<UpstreamStatus, UpstreamStatusError> {
        let mut status = json!({
            "current_l1": l1(6), "current_l1_finalized": l1(1), "head_l1": l1(6), "safe_l1": l1(2),
            "finalized_l1": l1(1), "unsafe_l2": l2(30), "local_safe_l2": l2(20), "safe_l2": l2(15),
            "finalized_l2": l2(5),
        });
        for field in zero {
            status[*field]["hash"] = json!(alloy::primitives::B256::ZERO);
            status[*field]["number"] = json!(0);
        }
        let raw = serde_json::value::to_raw_value(&status).unwrap();
        UpstreamStatus::read(&StatusDocument::read(&raw).unwrap())
    }

    #[test]
    fn a_head_that_names_no_block_is_absent() {
        let zero = ["unsafe_l2", "local_safe_l2", "safe_l2", "finalized_l2"];
        let status = status(&zero).unwrap();
        assert_eq!([status.unsafe_l2, status.local_safe_l2, status.safe_l2, status.finalized_l2], [None; 4]);
        assert_eq!((status.cross_unsafe_l2, status.pending_safe_l2), (None, None));
    }
}
