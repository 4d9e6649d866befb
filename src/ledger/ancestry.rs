//! Ancestors of attested blocks in the ledger, and whose statement a block is that was found invalid: its own
//! attestation's, or that of a block on top of it. Attesting a block attests its ancestors, in any order the
//! attestation, the blocks between and the verdict come.

use super::attested::read_known;
use super::claims::refute_below;
use super::column::{as_integer, read_hash, read_u64};
use super::event_of::bound_event;
use super::events::write_event;
use super::{KnownCase, Ledger, LedgerError, Opened, Opening};
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::case::KnownVerdict;
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::{SigningDomain, UnixSeconds};
use sqlx::SqliteConnection;

/// How many blocks on top of one, or below it, are checked.
pub(super) const MAX_DISTANCE: u32 = 4096;

/// A block that was found invalid, and is bound to a signer since by a block on top of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundVerdict {
    /// Which.
    pub key: BlockKey,
    /// What was found.
    pub verdict: KnownVerdict,
    /// `false`: its own attestation may be a replay. `None`: the block itself was not attested.
    pub attributable: Option<bool>,
    /// The block on top of it.
    pub ancestor_of: B256,
}

/// A block that an attested one builds on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewAncestor {
    /// Which block.
    pub key: BlockKey,
    /// Its parent.
    pub parent_hash: B256,
    /// Its timestamp.
    pub timestamp: UnixSeconds,
    /// The L1 block that it is built on, if it names one.
    pub l1_origin: Option<BlockNumHash>,
}

impl Ledger {
    /// Opens the cases of a run of ancestors, highest first, each the parent of the one before; all at once.
    /// Answers for each of them, up to the first but the highest that is known: what is below that was opened
    /// before. Durable when this returns.
    ///
    /// # Errors
    /// If the ledger cannot be written, or a block's height or time does not fit it.
    pub async fn open_ancestors(
        &self,
        run: &[NewAncestor],
        at: UnixSeconds,
    ) -> Result<Vec<Opening>, LedgerError> {
        self.retry_until_done(|| self.open_ancestors_once(run, at)).await
    }

    async fn open_ancestors_once(
        &self,
        run: &[NewAncestor],
        at: UnixSeconds,
    ) -> Result<Vec<Opening>, LedgerError> {
        let mut transaction = self.write().await?;
        let (mut openings, mut reported) = (Vec::with_capacity(run.len()), 0);
        for ancestor in run {
            let (opening, last) = insert_ancestor(&mut transaction, ancestor, at).await?;
            let is_known = opening.opened == Opened::Known;
            if is_known && !openings.is_empty() {
                break;
            }
            reported = reported.max(last);
            openings.push(opening);
        }
        transaction.commit().await?;
        self.event_written(reported);
        Ok(openings)
    }
}

/// Opens the case of an ancestor, unless there is one. Returns the id of the last event besides; 0: there is
/// none.
pub(super) async fn insert_ancestor(
    connection: &mut SqliteConnection,
    ancestor: &NewAncestor,
    at: UnixSeconds,
) -> Result<(Opening, u64), LedgerError> {
    let NewAncestor { key, parent_hash, timestamp, l1_origin } = ancestor;
    let done = sqlx::query(
        "INSERT INTO cases (chain_id, number, hash, parent_hash, timestamp, origin, opened_at, l1_number, l1_hash)
         VALUES (?1, ?2, ?3, ?4, ?5, 'ancestor', ?6, ?7, ?8) ON CONFLICT DO NOTHING",
    )
    .bind(key.chain_id.to_string())
    .bind(as_integer("block number", key.number)?)
    .bind(key.hash.to_vec())
    .bind(parent_hash.to_vec())
    .bind(as_integer("timestamp", timestamp.0)?)
    .bind(as_integer("time", at.0)?)
    .bind(l1_origin.and_then(|origin| i64::try_from(origin.number).ok()))
    .bind(l1_origin.map(|origin| origin.hash.to_vec()))
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok((Opening { opened: Opened::Known, bound: Vec::new(), refuted: Vec::new() }, 0));
    }
    let (bound, reported) = bind_ancestors(connection, key, *parent_hash, false, at).await?;
    let (refuted, last) = refute_below(connection, key, at).await?;
    Ok((Opening { opened: Opened::New, bound, refuted }, reported.max(last)))
}

/// The nearest block on top of this one whose attestation binds its signer. A block on the way that is known
/// to be bound by one is not looked beyond: in a long gap each would be checked again for every block below
/// it.
///
/// A `CROSS JOIN` is taken in the order in which it is written: from block to block, and never through all
/// cases.
pub(super) async fn binding_descendant(
    connection: &mut SqliteConnection,
    key: &BlockKey,
) -> Result<Option<B256>, LedgerError> {
    let row = sqlx::query(
        "WITH RECURSIVE above (number, hash, domain, bound_by) AS (
             SELECT ?2, ?3, NULL, NULL
             UNION
             SELECT c.number, c.hash, c.domain, c.ancestor_of FROM above a
             CROSS JOIN cases c ON c.chain_id = ?1 AND c.number = a.number + 1 AND c.parent_hash = a.hash
             WHERE (a.domain IS NULL OR a.domain = ?5) AND a.bound_by IS NULL
             LIMIT ?4)
         SELECT iif(domain IS NULL OR domain = ?5, bound_by, hash) AS hash FROM above
         WHERE (domain IS NOT NULL AND domain <> ?5) OR bound_by IS NOT NULL ORDER BY number LIMIT 1",
    )
    .bind(key.chain_id.to_string())
    .bind(as_integer("block number", key.number)?)
    .bind(key.hash.to_vec())
    .bind(MAX_DISTANCE)
    .bind(SigningDomain::Zero.name())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(|row| read_hash(row, "hash")).transpose()
}

/// Binds the wrong blocks below this one that nothing bound so far, if it or a block on top of it binds a
/// signer; and reports each. Returns them, and the id of the last event; 0: there is none.
pub(super) async fn bind_ancestors(
    connection: &mut SqliteConnection,
    key: &BlockKey,
    parent: B256,
    is_binding: bool,
    at: UnixSeconds,
) -> Result<(Vec<BoundVerdict>, u64), LedgerError> {
    let wrong = unbound_below(connection, key, parent).await?;
    let above = match is_binding {
        _ if wrong.is_empty() => None,
        true => Some(key.hash),
        false => binding_descendant(connection, key).await?,
    };
    let Some(above) = above else { return Ok((Vec::new(), 0)) };
    let (mut bound, mut last) = (Vec::with_capacity(wrong.len()), 0);
    for (number, case) in wrong {
        let KnownCase { hash, attributable, verdict: Some(verdict), .. } = case else { continue };
        let key = BlockKey { chain_id: key.chain_id, number, hash };
        sqlx::query("UPDATE cases SET ancestor_of = ?4 WHERE chain_id = ?1 AND number = ?2 AND hash = ?3")
            .bind(key.chain_id.to_string())
            .bind(as_integer("block number", number)?)
            .bind(hash.to_vec())
            .bind(above.to_vec())
            .execute(&mut *connection)
            .await?;
        let one = BoundVerdict { key, verdict, attributable, ancestor_of: above };
        last = write_event(connection, &bound_event(&one), at).await?;
        bound.push(one);
    }
    Ok((bound, last))
}

/// The invalid blocks below this one that bind no signer, lowest first. What is below a block that binds its
/// signer itself was bound by that. There are none below the vouched head, unless an operator had it pass
/// one. Mostly there are none at all: the blocks are looked through one by one only if there are.
async fn unbound_below(
    connection: &mut SqliteConnection,
    key: &BlockKey,
    parent: B256,
) -> Result<Vec<(u64, KnownCase)>, LedgerError> {
    let rows = sqlx::query(
        "WITH RECURSIVE below (id, number, hash, parent_hash, domain) AS (
             SELECT id, number, hash, parent_hash, domain FROM cases
             WHERE chain_id = ?1 AND number = ?2 AND hash = ?3 AND EXISTS (
                 SELECT 1 FROM cases w WHERE w.chain_id = ?1 AND w.number BETWEEN ?2 - ?4 AND ?2
                                         AND w.verdict IN ('violated', 'discarded') AND w.ancestor_of IS NULL)
             UNION ALL
             SELECT c.id, c.number, c.hash, c.parent_hash, c.domain FROM below b
             CROSS JOIN cases c ON c.chain_id = ?1 AND c.number = b.number - 1 AND c.hash = b.parent_hash
             WHERE (b.domain IS NULL OR b.domain = ?5)
               AND (EXISTS (SELECT 1 FROM resolutions r WHERE r.chain_id = ?1 AND r.number BETWEEN ?2 - ?4 AND ?2)
                    OR EXISTS (SELECT 1 FROM anchors a WHERE a.chain_id = ?1 AND a.number BETWEEN ?2 - ?4 AND ?2)
                    OR NOT EXISTS (SELECT 1 FROM heads h WHERE h.chain_id = ?1 AND h.vouched_number = b.number
                                     AND h.vouched_hash = b.hash))
             LIMIT ?4)
         SELECT c.number, c.hash, c.domain, c.verdict, c.reason, c.detail, c.replaces
         FROM below b CROSS JOIN cases c ON c.id = b.id
         WHERE c.verdict IN ('violated', 'discarded') AND c.ancestor_of IS NULL AND (b.domain IS NULL OR b.domain = ?5)
         ORDER BY c.number",
    )
    .bind(key.chain_id.to_string())
    .bind(as_integer("block number", key.number.saturating_sub(1))?)
    .bind(parent.to_vec())
    .bind(MAX_DISTANCE)
    .bind(SigningDomain::Zero.name())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((read_u64(row, "number")?, read_known(row)?))).collect()
}
