//! Claims without a signature, in the ledger: who called which block cross-safe, and which claims were
//! refuted.
//!
//! A claim of a block claims its ancestors. The claim, the blocks between and the verdict may come in any
//! order. A claim is evidence against no signer: what is refuted is the statement of an endpoint.

use super::ancestry::MAX_DISTANCE;
use super::attested::read_known;
use super::column::{as_integer, read_position, read_u64};
use super::event_of::claim_refuted_event;
use super::events::write_event;
use super::{KnownCase, Ledger, LedgerError};
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::case::KnownVerdict;
use crosscheck_core::events::{ClaimantAnswer, Event};
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::{ChainId, UnixSeconds};
use sqlx::{Row, SqliteConnection};
use std::fmt;

/// Who claims a block without signing it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claimant {
    /// The chain's own rollup node: it derived the block. It does not say that the block is cross-safe.
    Derived,
    /// The node whose status followers are served, by its name. It calls the block cross-safe.
    Upstream(String),
    /// Another endpoint that calls the block cross-safe, by its name.
    Endpoint(String),
}

/// As which [`Claimant::Derived`] is stored. No endpoint has such a name.
pub(super) const DERIVED: &str = "derived";

impl Claimant {
    /// The name of an endpoint that calls the block cross-safe.
    pub fn endpoint(&self) -> Option<&str> {
        match self {
            Self::Derived => None,
            Self::Upstream(name) | Self::Endpoint(name) => Some(name),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Derived => DERIVED,
            Self::Upstream(_) => "upstream",
            Self::Endpoint(_) => "endpoint",
        }
    }
}

impl fmt::Display for Claimant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.endpoint().unwrap_or(DERIVED))
    }
}

/// Who claims a block or one on top of it, and the lowest block that it named.
#[derive(Debug, Clone)]
pub(super) struct ClaimAbove {
    pub(super) claimant: Claimant,
    pub(super) claimed: BlockNumHash,
}

impl ClaimAbove {
    /// Whether followers are served what this claimant says.
    pub(super) const fn leads_followers(&self) -> bool {
        matches!(self.claimant, Claimant::Derived | Claimant::Upstream(_))
    }
}

/// An invalid block at or below a claimed one.
struct Wrong {
    key: BlockKey,
    verdict: KnownVerdict,
}

/// A claim that was refuted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefutedClaim {
    /// The block that was found invalid.
    pub key: BlockKey,
    /// The endpoint's name.
    pub claimant: String,
    /// The lowest block that it called cross-safe: the invalid one, or one on top of it.
    pub claimed: BlockNumHash,
    /// What was found.
    pub verdict: KnownVerdict,
}

/// What came of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Whether the block has a case, or needs none.
    pub has_case: bool,
    /// The claims that are refuted since, each once.
    pub refuted: Vec<RefutedClaim>,
}

impl Ledger {
    /// Records that somebody claims a block. Durable when this returns.
    ///
    /// # Errors
    /// If the ledger cannot be written, or the block's height does not fit it.
    pub async fn note_claim(
        &self,
        key: &BlockKey,
        claimant: &Claimant,
        at: UnixSeconds,
    ) -> Result<Claimed, LedgerError> {
        self.retry_until_done(|| self.note_claim_once(key, claimant, at)).await
    }

    async fn note_claim_once(
        &self,
        key: &BlockKey,
        claimant: &Claimant,
        at: UnixSeconds,
    ) -> Result<Claimed, LedgerError> {
        let mut transaction = self.write().await?;
        sqlx::query(
            "INSERT INTO claims (chain_id, number, hash, claimant, kind, claimed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO NOTHING",
        )
        .bind(key.chain_id.to_string())
        .bind(as_integer("block number", key.number)?)
        .bind(key.hash.to_vec())
        .bind(claimant.to_string())
        .bind(claimant.kind())
        .bind(as_integer("time", at.0)?)
        .execute(&mut *transaction)
        .await?;
        // What is not above the block that the audit began after is not audited.
        let query = "SELECT EXISTS (SELECT 1 FROM cases WHERE chain_id = ?1 AND number = ?2 AND hash = ?3)
                         OR EXISTS (SELECT 1 FROM heads WHERE chain_id = ?1 AND anchor_number >= ?2) AS count";
        let row = sqlx::query(query)
            .bind(key.chain_id.to_string())
            .bind(as_integer("block number", key.number)?)
            .bind(key.hash.to_vec())
            .fetch_one(&mut *transaction)
            .await?;
        let has_case = read_u64(&row, "count")? > 0;
        let claimed = BlockNumHash { number: key.number, hash: key.hash };
        let claims = [ClaimAbove { claimant: claimant.clone(), claimed }];
        let wrong = wrong_from(&mut transaction, key).await?;
        let (refuted, reported) = refute(&mut transaction, &wrong, &claims, at).await?;
        transaction.commit().await?;
        self.event_written(reported);
        Ok(Claimed { has_case, refuted })
    }

    /// Whether a block has a case.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn has_case(&self, key: &BlockKey) -> Result<bool, LedgerError> {
        self.retry_read(|| async {
            let query =
                "SELECT count(*) AS count FROM cases WHERE chain_id = ?1 AND number = ?2 AND hash = ?3";
            let row = sqlx::query(query)
                .bind(key.chain_id.to_string())
                .bind(as_integer("block number", key.number)?)
                .bind(key.hash.to_vec())
                .fetch_one(self.readers())
                .await?;
            Ok(read_u64(&row, "count")? > 0)
        })
        .await
    }

    /// Reports that two endpoints call different blocks of one height cross-safe.
    ///
    /// # Errors
    /// If the ledger cannot be written, or the height does not fit it.
    pub async fn note_difference(
        &self,
        chain_id: ChainId,
        number: u64,
        claims: [(&str, B256); 2],
        at: UnixSeconds,
    ) -> Result<(), LedgerError> {
        let answers = claims.map(|(claimant, hash)| ClaimantAnswer { claimant: claimant.to_owned(), hash });
        self.report(&Event::ClaimantsDiffer { chain_id, number, answers }, at).await
    }

    /// The ancestors of a block, itself included, highest first, down to the vouched head or to a height
    /// below it, or where the cases end.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn claimed_branch(
        &self,
        chain_id: ChainId,
        top: BlockNumHash,
        down_to: u64,
    ) -> Result<Vec<BlockNumHash>, LedgerError> {
        self.retry_read(|| async {
            let rows = sqlx::query(
                "WITH RECURSIVE branch (number, hash) AS (
                     SELECT ?2, ?3
                     UNION ALL
                     SELECT c.number - 1, c.parent_hash FROM branch b
                     CROSS JOIN cases c ON c.chain_id = ?1 AND c.number = b.number AND c.hash = b.hash
                     CROSS JOIN heads h ON h.chain_id = ?1 AND b.number > min(h.vouched_number, ?5)
                     LIMIT ?4)
                 SELECT number, hash FROM branch ORDER BY number DESC",
            )
            .bind(chain_id.to_string())
            .bind(as_integer("block number", top.number)?)
            .bind(top.hash.to_vec())
            .bind(MAX_DISTANCE)
            .bind(as_integer("block number", down_to)?)
            .fetch_all(self.readers())
            .await?;
            rows.iter().map(read_position).collect()
        })
        .await
    }

    /// Forgets that somebody claims a block that has no case. Nobody has such a block, as far as is known.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn forget_claim(&self, key: &BlockKey, claimant: &Claimant) -> Result<(), LedgerError> {
        self.retry_until_done(|| async {
            let mut transaction = self.write().await?;
            sqlx::query(
                "DELETE FROM claims WHERE chain_id = ?1 AND number = ?2 AND hash = ?3 AND claimant = ?4",
            )
            .bind(key.chain_id.to_string())
            .bind(as_integer("block number", key.number)?)
            .bind(key.hash.to_vec())
            .bind(claimant.to_string())
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    /// The highest block of a branch, going down from this one, that has no case and needs one. `None`: the
    /// branch is known down to the vouched head, to the block that the audit began after, or as far as is
    /// looked.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn branch_gap(
        &self,
        chain_id: ChainId,
        top: BlockNumHash,
    ) -> Result<Option<BlockNumHash>, LedgerError> {
        self.retry_read(|| async {
            let row = sqlx::query(
                "WITH RECURSIVE branch (number, hash) AS (
                     SELECT ?2, ?3
                     UNION ALL
                     SELECT c.number - 1, c.parent_hash FROM branch b
                     CROSS JOIN heads h ON h.chain_id = ?1 AND b.number > h.anchor_number AND b.hash <> h.vouched_hash
                     CROSS JOIN cases c ON c.chain_id = ?1 AND c.number = b.number AND c.hash = b.hash
                     LIMIT ?4)
                 SELECT b.number, b.hash FROM branch b CROSS JOIN heads h ON h.chain_id = ?1
                 WHERE b.number > h.anchor_number AND b.hash <> h.vouched_hash AND NOT EXISTS (
                     SELECT 1 FROM cases c WHERE c.chain_id = ?1 AND c.number = b.number AND c.hash = b.hash)",
            )
            .bind(chain_id.to_string())
            .bind(as_integer("block number", top.number)?)
            .bind(top.hash.to_vec())
            .bind(MAX_DISTANCE)
            .fetch_optional(self.readers())
            .await?;
            row.as_ref().map(read_position).transpose()
        })
        .await
    }
}

/// Reports what a new case connects: the invalid blocks below it, and who claims it or a block on top of it.
/// Returns what is refuted, and the id of the last event; 0: there is none.
pub(super) async fn refute_below(
    connection: &mut SqliteConnection,
    key: &BlockKey,
    at: UnixSeconds,
) -> Result<(Vec<RefutedClaim>, u64), LedgerError> {
    let wrong = wrong_from(connection, key).await?;
    if wrong.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let claims = claims_from(connection, key).await?;
    refute(connection, &wrong, &claims, at).await
}

/// Reports which claims of a block, or of one on top of it, are refuted by the verdict against it.
pub(super) async fn refute_by_verdict(
    connection: &mut SqliteConnection,
    key: &BlockKey,
    verdict: KnownVerdict,
    claims: &[ClaimAbove],
    at: UnixSeconds,
) -> Result<(Vec<RefutedClaim>, u64), LedgerError> {
    refute(connection, &[Wrong { key: *key, verdict }], claims, at).await
}

async fn refute(
    connection: &mut SqliteConnection,
    wrong: &[Wrong],
    claims: &[ClaimAbove],
    at: UnixSeconds,
) -> Result<(Vec<RefutedClaim>, u64), LedgerError> {
    let (mut refuted, mut last) = (Vec::new(), 0);
    for Wrong { key, verdict } in wrong {
        mark_claimed(connection, key, claims).await?;
        for ClaimAbove { claimant, claimed } in claims {
            let Some(name) = claimant.endpoint() else { continue };
            if !mark_refuted(connection, key, name).await? {
                continue;
            }
            let (claimant, claimed, verdict) = (name.to_owned(), *claimed, verdict.clone());
            let claim = RefutedClaim { key: *key, claimant, claimed, verdict };
            last = write_event(connection, &claim_refuted_event(&claim), at).await?;
            refuted.push(claim);
        }
    }
    Ok((refuted, last))
}

/// Records that this invalid block refutes this claimant. `false`: that was recorded before.
async fn mark_refuted(
    connection: &mut SqliteConnection,
    key: &BlockKey,
    claimant: &str,
) -> Result<bool, LedgerError> {
    let done = sqlx::query(
        "INSERT INTO refuted_claims (chain_id, number, hash, claimant) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    )
    .bind(key.chain_id.to_string())
    .bind(as_integer("block number", key.number)?)
    .bind(key.hash.to_vec())
    .bind(claimant)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Writes down who claims this invalid block, or one on top of it.
async fn mark_claimed(
    connection: &mut SqliteConnection,
    key: &BlockKey,
    claims: &[ClaimAbove],
) -> Result<(), LedgerError> {
    if claims.is_empty() {
        return Ok(());
    }
    let is_derived_only = claims.iter().all(|claim| claim.claimant == Claimant::Derived);
    sqlx::query(
        "UPDATE cases SET claimed = ?4
         WHERE chain_id = ?1 AND number = ?2 AND hash = ?3 AND claimed IS NOT ?4 AND claimed IS NOT 'endpoint'",
    )
    .bind(key.chain_id.to_string())
    .bind(as_integer("block number", key.number)?)
    .bind(key.hash.to_vec())
    .bind(if is_derived_only { DERIVED } else { "endpoint" })
    .execute(connection)
    .await?;
    Ok(())
}

/// The invalid blocks among this one and its ancestors, highest first, but for those that an operator
/// resolved. There are none below the vouched head, unless an operator had it pass one.
async fn wrong_from(connection: &mut SqliteConnection, key: &BlockKey) -> Result<Vec<Wrong>, LedgerError> {
    let rows = sqlx::query(
        "WITH RECURSIVE below (id, number, hash, parent_hash) AS (
             SELECT id, number, hash, parent_hash FROM cases
             WHERE chain_id = ?1 AND number = ?2 AND hash = ?3 AND EXISTS (
                 SELECT 1 FROM cases w WHERE w.chain_id = ?1 AND w.number BETWEEN ?2 - ?4 AND ?2
                                         AND w.verdict IN ('violated', 'discarded'))
             UNION ALL
             SELECT c.id, c.number, c.hash, c.parent_hash FROM below b
             CROSS JOIN cases c ON c.chain_id = ?1 AND c.number = b.number - 1 AND c.hash = b.parent_hash
             WHERE EXISTS (SELECT 1 FROM resolutions r WHERE r.chain_id = ?1 AND r.number BETWEEN ?2 - ?4 AND ?2)
                OR EXISTS (SELECT 1 FROM anchors a WHERE a.chain_id = ?1 AND a.number BETWEEN ?2 - ?4 AND ?2)
                OR NOT EXISTS (SELECT 1 FROM heads h WHERE h.chain_id = ?1 AND h.vouched_number = b.number
                                 AND h.vouched_hash = b.hash)
             LIMIT ?4)
         SELECT c.number, c.hash, c.domain, c.verdict, c.reason, c.detail, c.replaces
         FROM below b CROSS JOIN cases c ON c.id = b.id
         WHERE c.verdict IN ('violated', 'discarded') AND NOT EXISTS (
             SELECT 1 FROM resolutions r WHERE r.chain_id = ?1 AND r.number = c.number AND r.hash = c.hash
                                           AND r.verdict = c.verdict)
         ORDER BY c.number DESC",
    )
    .bind(key.chain_id.to_string())
    .bind(as_integer("block number", key.number)?)
    .bind(key.hash.to_vec())
    .bind(MAX_DISTANCE)
    .fetch_all(connection)
    .await?;
    let mut wrong = Vec::with_capacity(rows.len());
    for row in &rows {
        let (number, KnownCase { hash, verdict, .. }) = (read_u64(row, "number")?, read_known(row)?);
        let key = BlockKey { chain_id: key.chain_id, number, hash };
        wrong.extend(verdict.map(|verdict| Wrong { key, verdict }));
    }
    Ok(wrong)
}

/// Who claims this block or one on top of it, with the lowest block of each, by name.
pub(super) async fn claims_from(
    connection: &mut SqliteConnection,
    key: &BlockKey,
) -> Result<Vec<ClaimAbove>, LedgerError> {
    let rows = sqlx::query(
        "WITH RECURSIVE above (number, hash) AS (
             SELECT ?2, ?3
             UNION
             SELECT c.number, c.hash FROM above a
             CROSS JOIN cases c ON c.chain_id = ?1 AND c.number = a.number + 1 AND c.parent_hash = a.hash
             LIMIT ?4)
         SELECT l.claimant, l.kind, min(l.number) AS number, l.hash
         FROM above a CROSS JOIN claims l ON l.chain_id = ?1 AND l.number = a.number AND l.hash = a.hash
         GROUP BY l.claimant, l.kind ORDER BY l.claimant",
    )
    .bind(key.chain_id.to_string())
    .bind(as_integer("block number", key.number)?)
    .bind(key.hash.to_vec())
    .bind(MAX_DISTANCE)
    .fetch_all(connection)
    .await?;
    let read = |row| {
        let (name, kind): (String, String) = (Row::try_get(row, "claimant")?, Row::try_get(row, "kind")?);
        let claimant = match kind.as_str() {
            DERIVED => Claimant::Derived,
            "upstream" => Claimant::Upstream(name),
            _ => Claimant::Endpoint(name),
        };
        Ok(ClaimAbove { claimant, claimed: read_position(row)? })
    };
    rows.iter().map(read).collect()
}
