//! [`StatusDocument`]: the whole answer of `optimism_syncStatus`, unknown fields included, bounded in size.

use super::SyncStatus;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::proof::fields;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The longest status that is taken in, in bytes: what nodes send has about 3 KiB.
pub const MAX_STATUS_BYTES: usize = 64 * 1024;

/// The whole answer of `optimism_syncStatus`. Clones share it.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusDocument {
    fields: Arc<Map<String, Value>>,
    heads: SyncStatus,
}

/// Why an answer is not a status.
#[derive(Debug, thiserror::Error)]
pub enum StatusDocumentError {
    /// It is longer than any node's.
    #[error("the status has {length} bytes, more than {MAX_STATUS_BYTES}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// It is not an object with the heads that every node sends.
    #[error("the status cannot be read: {reason}")]
    Malformed {
        /// What the parser said.
        reason: String,
    },
}

impl StatusDocument {
    /// Reads an answer.
    ///
    /// # Errors
    /// If it is too long, or lacks a head that every node sends.
    pub fn read(answer: &RawValue) -> Result<Self, StatusDocumentError> {
        let text = answer.get();
        if text.len() > MAX_STATUS_BYTES {
            return Err(StatusDocumentError::TooLong { length: text.len() });
        }
        let malformed = |reason| StatusDocumentError::Malformed { reason };
        let heads = fields::read(text).map_err(malformed)?;
        let fields = fields::read(text).map_err(malformed)?;
        Ok(Self { fields: Arc::new(fields), heads })
    }

    /// Every field, as sent.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// The heads in it.
    pub const fn heads(&self) -> SyncStatus {
        self.heads
    }

    /// What of L1 the node does not know: it has lost its L1, or has not begun to read it. `None`: it sees
    /// L1, as far as it says.
    pub fn unseen_l1(&self) -> Option<UnseenL1> {
        let heads = ["head_l1", "safe_l1", "finalized_l1"].map(|field| self.hash_in(field));
        if heads.contains(&Some(B256::ZERO)) && !heads.iter().flatten().any(|hash| !hash.is_zero()) {
            return Some(UnseenL1::Heads);
        }
        (self.hash_in("current_l1") == Some(B256::ZERO)).then_some(UnseenL1::Current)
    }

    /// The L1 block that the node has reached. `None`: it does not say, or there is none yet.
    pub(crate) fn current_l1(&self) -> Option<BlockNumHash> {
        let number = self.fields.get("current_l1")?.get("number")?.as_u64()?;
        let hash = self.hash_in("current_l1").filter(|hash| !hash.is_zero())?;
        Some(BlockNumHash { number, hash })
    }

    /// The hash in a reference. `None`: the node does not send it.
    fn hash_in(&self, field: &str) -> Option<B256> {
        self.fields.get(field)?.get("hash")?.as_str()?.parse().ok()
    }
}

/// What of L1 a node does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum UnseenL1 {
    /// Any of L1's heads.
    #[error("the rollup node does not see L1 (its L1 heads are unknown)")]
    Heads,
    /// How far it has read.
    #[error("the rollup node does not see L1 (it reports no current L1 block)")]
    Current,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn read(answer: &Value) -> Result<StatusDocument, StatusDocumentError> {
        StatusDocument::read(&serde_json::value::to_raw_value(answer).unwrap())
    }

    fn status() -> Value {
        let head = json!({ "hash": B256::repeat_byte(7), "number": 7, "timestamp": 14 });
        json!({ "unsafe_l2": head, "safe_l2": head, "finalized_l2": head, "of_tomorrow": [1] })
    }

    #[test]
    fn unknown_fields_are_kept() {
        let document = read(&status()).unwrap();
        assert_eq!(document.heads().safe_l2.unwrap().number, 7);
        assert_eq!(document.fields().get("of_tomorrow"), Some(&json!([1])));
    }

    /// L1's head, safe and final block, and the one that was come to. `z`: all zero, `-`: not sent.
    #[rstest]
    #[case::all("1111", None)]
    #[case::nothing_reported("----", None)]
    #[case::nothing_is_final_yet("1zz1", None)]
    #[case::lost("zzz1", Some(UnseenL1::Heads))]
    #[case::lost_before_it_began("zzzz", Some(UnseenL1::Heads))]
    #[case::only_the_head_is_named("z--1", Some(UnseenL1::Heads))]
    #[case::not_begun("111z", Some(UnseenL1::Current))]
    fn a_status_names_the_l1_blocks_that_the_node_has_not_seen(
        #[case] l1: &str,
        #[case] expected: Option<UnseenL1>,
    ) {
        let mut status = status();
        for (name, block) in ["head_l1", "safe_l1", "finalized_l1", "current_l1"].into_iter().zip(l1.chars())
        {
            let hash = if block == 'z' { B256::ZERO } else { B256::repeat_byte(1) };
            if block != '-' {
                status[name] = json!({ "hash": hash, "number": 0, "parentHash": B256::ZERO, "timestamp": 0 });
            }
        }
        assert_eq!(read(&status).unwrap().unseen_l1(), expected);
    }

    #[test]
    fn a_document_that_is_not_a_status_is_refused() {
        assert!(matches!(read(&json!([])), Err(StatusDocumentError::Malformed { .. })));
        assert!(matches!(read(&json!({})), Err(StatusDocumentError::Malformed { .. })));
        let mut long = status();
        long["of_tomorrow"] = "x".repeat(MAX_STATUS_BYTES).into();
        assert!(matches!(read(&long), Err(StatusDocumentError::TooLong { .. })));
    }
}
