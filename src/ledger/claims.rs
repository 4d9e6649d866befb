//! Claims without a signature, in the ledger: who called which block cross-safe, and which of that was refuted.
//!
//! A claim of a block claims its ancestors, in whatever order the claim, the blocks between and the verdict come. A claim is evidence
//! against nobody: what it refutes is the word of an endpoint.

use super::ancestry::MAX_DISTANCE;
use super::attested::read_known;
use super::event_of::claim_refuted_event;
use super::events::write_event;
use super::record::read_u64;
use super::store::{as_integer, read_position};
use super::{KnownCase, Ledger, LedgerError};
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::case::KnownVerdict;
use crosscheck_core::events::{ClaimantAnswer, Event};
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::{ChainId, UnixSeconds};
use sqlx::{Row, SqliteConnection};
use std::fmt;

/// A block and what is on top of it, as far as there are cases.
macro_rules! above {
    ($query:literal) => {
        concat!(
            "WITH RECURSIVE above (number, hash) AS (
                 SELECT ?2, ?3
                 UNION
                 SELECT c.number, c.hash FROM above a
                 CROSS JOIN cases c ON c.chain_id = ?1 AND c.number = a.number + 1 AND c.parent_hash = a.hash
                 LIMIT ?4) ",
            $query
        )
    };
}

/// Who claims a block without signing it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claimant {
    /// The chain's own rollup node: it derived the block. It does not say that the block is cross-safe.
    Derived,
    /// An endpoint that calls the block cross-safe: its name, as in answers to callers.
    Endpoint(String),
}

/// As which [`Claimant::Derived`] is stored. No endpoint has such a name.
pub(super) const DERIVED: &str = "derived";

impl fmt::Display for Claimant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Derived => formatter.write_str(DERIVED),
            Self::Endpoint(name) => formatter.write_str(name),
        }
    }
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
            "INSERT INTO claims (chain_id, number, hash, claimant, claimed_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO NOTHING",
        )
        .bind(key.chain_id.to_string())
        .bind(as_integer("block number", key.number)?)
        .bind(key.hash.to_vec())
        .bind(claimant.to_string())
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
        let (refuted, reported) = refute_from(&mut transaction, key, at).await?;
        transaction.commit().await?;
        self.event_written(reported);
        Ok(Claimed { has_case, refuted })
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
        let event = Event::ClaimantsDiffer { chain_id, number, answers };
        self.retry_until_done(|| async {
            let mut transaction = self.write().await?;
            let reported = write_event(&mut transaction, &event, at).await?;
            transaction.commit().await?;
            self.event_written(reported);
            Ok(())
        })
        .await
    }

    /// The ancestors of a block, itself included, highest first, down to the vouched head or to a height below it, or where the cases end.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn claimed_branch(
        &self,
        chain_id: ChainId,
        top: BlockNumHash,
        down_to: u64,
    ) -> Result<Vec<BlockNumHash>, LedgerError> {
        self.reread(|| async {
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
}

/// Reports what is refuted by the invalid blocks at and below this one, of what claims it or a block on top of it. Returns that, and
/// the id of the last event; 0: there is none.
pub(super) async fn refute_from(
    connection: &mut SqliteConnection,
    key: &BlockKey,
    at: UnixSeconds,
) -> Result<(Vec<RefutedClaim>, u64), LedgerError> {
    let (mut refuted, mut last) = (Vec::new(), 0);
    for (number, case) in wrong_from(connection, key).await? {
        let KnownCase { hash, verdict: Some(verdict), .. } = case else { continue };
        let wrong = BlockKey { chain_id: key.chain_id, number, hash };
        let claimants = claimants_of(connection, &wrong).await?;
        mark_claimed(connection, &wrong, &claimants).await?;
        let (claims, id) = refute(connection, &wrong, &verdict, at).await?;
        refuted.extend(claims);
        last = last.max(id);
    }
    Ok((refuted, last))
}

/// Reports what is refuted by this invalid block.
pub(super) async fn refute(
    connection: &mut SqliteConnection,
    wrong: &BlockKey,
    verdict: &KnownVerdict,
    at: UnixSeconds,
) -> Result<(Vec<RefutedClaim>, u64), LedgerError> {
    let (mut refuted, mut last) = (Vec::new(), 0);
    for (claimant, claimed) in unrefuted(connection, wrong).await? {
        let claim = RefutedClaim { key: *wrong, claimant, claimed, verdict: verdict.clone() };
        last = write_event(connection, &claim_refuted_event(&claim), at).await?;
        sqlx::query(
            "INSERT INTO refuted_claims (chain_id, number, hash, claimant, event_id) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(wrong.chain_id.to_string())
        .bind(as_integer("block number", wrong.number)?)
        .bind(wrong.hash.to_vec())
        .bind(&claim.claimant)
        .bind(as_integer("event id", last)?)
        .execute(&mut *connection)
        .await?;
        refuted.push(claim);
    }
    Ok((refuted, last))
}

/// The invalid blocks among this one and its ancestors, highest first. There are none below the vouched head, unless an operator had it
/// pass one.
async fn wrong_from(
    connection: &mut SqliteConnection,
    key: &BlockKey,
) -> Result<Vec<(u64, KnownCase)>, LedgerError> {
    let rows = sqlx::query(
        "WITH RECURSIVE below (id, number, hash, parent_hash) AS (
             SELECT id, number, hash, parent_hash FROM cases WHERE chain_id = ?1 AND number = ?2 AND hash = ?3
             UNION ALL
             SELECT c.id, c.number, c.hash, c.parent_hash FROM below b
             CROSS JOIN cases c ON c.chain_id = ?1 AND c.number = b.number - 1 AND c.hash = b.parent_hash
             WHERE EXISTS (SELECT 1 FROM resolutions r WHERE r.chain_id = ?1)
                OR EXISTS (SELECT 1 FROM anchors a WHERE a.chain_id = ?1)
                OR NOT EXISTS (SELECT 1 FROM heads h WHERE h.chain_id = ?1 AND h.vouched_number = b.number
                                 AND h.vouched_hash = b.hash)
             LIMIT ?4)
         SELECT c.number, c.hash, c.domain, c.verdict, c.reason, c.detail, c.replaces
         FROM below b CROSS JOIN cases c ON c.id = b.id
         WHERE c.verdict IN ('violated', 'discarded') ORDER BY c.number DESC",
    )
    .bind(key.chain_id.to_string())
    .bind(as_integer("block number", key.number)?)
    .bind(key.hash.to_vec())
    .bind(MAX_DISTANCE)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((read_u64(row, "number")?, read_known(row)?))).collect()
}

/// Who claims this block or one on top of it, with the lowest block of each, and was not refuted by it yet.
async fn unrefuted(
    connection: &mut SqliteConnection,
    wrong: &BlockKey,
) -> Result<Vec<(String, BlockNumHash)>, LedgerError> {
    let rows = sqlx::query(above!(
        "SELECT l.claimant, min(l.number) AS number, l.hash
         FROM above a CROSS JOIN claims l ON l.chain_id = ?1 AND l.number = a.number AND l.hash = a.hash
         WHERE l.claimant <> ?5 AND NOT EXISTS (
             SELECT 1 FROM refuted_claims r
             WHERE r.chain_id = ?1 AND r.number = ?2 AND r.hash = ?3 AND r.claimant = l.claimant)
         GROUP BY l.claimant ORDER BY l.claimant"
    ))
    .bind(wrong.chain_id.to_string())
    .bind(as_integer("block number", wrong.number)?)
    .bind(wrong.hash.to_vec())
    .bind(MAX_DISTANCE)
    .bind(DERIVED)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.try_get("claimant")?, read_position(row)?))).collect()
}

/// Writes down who claims this invalid block, or one on top of it.
pub(super) async fn mark_claimed(
    connection: &mut SqliteConnection,
    wrong: &BlockKey,
    claimants: &[String],
) -> Result<(), LedgerError> {
    if claimants.is_empty() {
        return Ok(());
    }
    let is_derived_only = claimants.iter().all(|claimant| claimant == DERIVED);
    sqlx::query(
        "UPDATE cases SET claimed = ?4
         WHERE chain_id = ?1 AND number = ?2 AND hash = ?3 AND claimed IS NOT ?4 AND claimed IS NOT 'endpoint'",
    )
    .bind(wrong.chain_id.to_string())
    .bind(as_integer("block number", wrong.number)?)
    .bind(wrong.hash.to_vec())
    .bind(if is_derived_only { DERIVED } else { "endpoint" })
    .execute(connection)
    .await?;
    Ok(())
}

/// Who claims this block or one on top of it: the names, in order.
pub(super) async fn claimants_of(
    connection: &mut SqliteConnection,
    key: &BlockKey,
) -> Result<Vec<String>, LedgerError> {
    let rows = sqlx::query(above!(
        "SELECT DISTINCT l.claimant
         FROM above a CROSS JOIN claims l ON l.chain_id = ?1 AND l.number = a.number AND l.hash = a.hash
         ORDER BY l.claimant"
    ))
    .bind(key.chain_id.to_string())
    .bind(as_integer("block number", key.number)?)
    .bind(key.hash.to_vec())
    .bind(MAX_DISTANCE)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok(row.try_get("claimant")?)).collect()
}
