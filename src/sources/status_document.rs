//! [`StatusDocument`]: the whole answer of `optimism_syncStatus`, unknown fields included, bounded in size.

use super::SyncStatus;
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

/// Why an answer is no status.
#[derive(Debug, thiserror::Error)]
pub enum StatusDocumentError {
    /// It is longer than any node's.
    #[error("the status has {length} bytes, more than {MAX_STATUS_BYTES}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// It is no object with the heads that every node sends.
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
        let malformed =
            |error: serde_json::Error| StatusDocumentError::Malformed { reason: error.to_string() };
        let heads = serde_json::from_str(text).map_err(malformed)?;
        let fields = serde_json::from_str(text).map_err(malformed)?;
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(answer: &Value) -> Result<StatusDocument, StatusDocumentError> {
        StatusDocument::read(&serde_json::value::to_raw_value(answer).unwrap())
    }

    fn status() -> Value {
        let head = json!({ "hash": alloy::primitives::B256::ZERO, "number": 7, "timestamp": 14 });
        json!({ "unsafe_l2": head, "safe_l2": head, "finalized_l2": head, "of_tomorrow": [1] })
    }

    #[test]
    fn unknown_fields_are_kept() {
        let document = read(&status()).unwrap();
        assert_eq!(document.heads().safe_l2.number, 7);
        assert_eq!(document.fields().get("of_tomorrow"), Some(&json!([1])));
    }

    #[test]
    fn what_is_no_status_is_refused() {
        assert!(matches!(read(&json!([])), Err(StatusDocumentError::Malformed { .. })));
        assert!(matches!(read(&json!({})), Err(StatusDocumentError::Malformed { .. })));
        let mut long = status();
        long["of_tomorrow"] = "x".repeat(MAX_STATUS_BYTES).into();
        assert!(matches!(read(&long), Err(StatusDocumentError::TooLong { .. })));
    }
}
