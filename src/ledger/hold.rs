//! [`Hold`]: the block that keeps a chain's vouched head from moving on.

use super::record::{read_hash, read_u64};
use super::{Ledger, LedgerError};
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use serde::{Deserialize, Serialize};
use sqlx::Row;

/// A block on top of the vouched head that was found wrong. The head stays until an operator resolves it, or
/// another block on the same parent is upheld. A block that is known only by what may be a replay of an unsafe block holds
/// nothing: anybody can send one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Its height: the vouched head's and one.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// `violated` or `discarded`.
    pub verdict: String,
    /// The reason of a violation.
    pub reason: Option<String>,
    /// What was found, for people.
    pub detail: Option<String>,
}

impl Ledger {
    /// What holds a chain's vouched head: the violated block first, if several do.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn hold(&self, chain_id: ChainId) -> Result<Option<Hold>, LedgerError> {
        let row = sqlx::query(
            "SELECT c.number, c.hash, c.verdict, c.reason, c.detail
             FROM heads h JOIN cases c ON c.chain_id = h.chain_id AND c.number = h.vouched_number + 1
                                      AND c.parent_hash = h.vouched_hash
             WHERE h.chain_id = ?1 AND c.verdict IN ('violated', 'discarded') AND c.domain IS NOT 'zero'
             ORDER BY c.verdict = 'violated' DESC, c.id LIMIT 1",
        )
        .bind(chain_id.to_string())
        .fetch_optional(self.readers())
        .await?;
        row.map(|row| {
            Ok(Hold {
                number: read_u64(&row, "number")?,
                hash: read_hash(&row, "hash")?,
                verdict: row.try_get("verdict")?,
                reason: row.try_get("reason")?,
                detail: row.try_get("detail")?,
            })
        })
        .transpose()
    }
}
