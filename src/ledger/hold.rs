//! [`Hold`]: the block that keeps a chain's vouched head from moving on.

use super::ancestry::binding_descendant;
use super::claims::{ClaimAbove, claims_from};
use super::column::{read_attributable, read_hash, read_optional_hash, read_u64};
use super::{Ledger, LedgerError};
use alloy::primitives::B256;
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::ChainId;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// A block on top of the vouched head that was found invalid. The head stays until an operator resolves it,
/// or another block on the same parent is upheld. A block that is known only by what may be a replay of an
/// unsafe block, its own or that of one on top of it, does not stop the head: anyone can send one. Nor does
/// one that only a claimant names whom nobody follows.
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
    /// `true`: its own attestation binds its signer. `false`: it may be a replay. `None`: the block itself
    /// was not attested.
    pub attributable: Option<bool>,
    /// The nearest block on top of it whose attestation binds its signer, if its own does not.
    pub ancestor_of: Option<B256>,
    /// Who claims it, or a block on top of it, without a signature: the names of endpoints, or `derived` for
    /// the rollup node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claimants: Vec<String>,
}

impl Ledger {
    /// What stops a chain's vouched head: the violated block first, if several do.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn hold(&self, chain_id: ChainId) -> Result<Option<Hold>, LedgerError> {
        self.retry_read(|| async {
            let mut reader = self.readers().acquire().await?;
            let rows = sqlx::query(
                "SELECT c.number, c.hash, c.domain, c.verdict, c.reason, c.detail, c.ancestor_of
             FROM heads h JOIN cases c ON c.chain_id = h.chain_id AND c.number = h.vouched_number + 1
                                      AND c.parent_hash = h.vouched_hash
             WHERE h.chain_id = ?1 AND c.verdict IN ('violated', 'discarded')
             ORDER BY c.verdict = 'violated' DESC, c.id",
            )
            .bind(chain_id.to_string())
            .fetch_all(&mut *reader)
            .await?;
            for row in &rows {
                let mut hold = Hold::read(row)?;
                let key = BlockKey { chain_id, number: hold.number, hash: hold.hash };
                if hold.attributable != Some(true) && hold.ancestor_of.is_none() {
                    // What binds may have come after the verdict.
                    hold.ancestor_of = binding_descendant(&mut reader, &key).await?;
                }
                let claims = claims_from(&mut reader, &key).await?;
                hold.claimants = claims.iter().map(|claim| claim.claimant.to_string()).collect();
                let leads_followers = claims.iter().any(ClaimAbove::leads_followers);
                if hold.attributable == Some(true) || hold.ancestor_of.is_some() || leads_followers {
                    return Ok(Some(hold));
                }
            }
            Ok(None)
        })
        .await
    }
}

impl Hold {
    fn read(row: &SqliteRow) -> Result<Self, LedgerError> {
        let attributable = read_attributable(row)?;
        let ancestor_of = read_optional_hash(row, "ancestor_of")?.filter(|_| attributable != Some(true));
        Ok(Self {
            number: read_u64(row, "number")?,
            hash: read_hash(row, "hash")?,
            verdict: row.try_get("verdict")?,
            reason: row.try_get("reason")?,
            detail: row.try_get("detail")?,
            attributable,
            ancestor_of,
            claimants: Vec::new(),
        })
    }
}
