//! Upheld cases are not kept forever: old ones far below the vouched head are removed, in small batches, with
//! their events. The signers are kept.
//!
//! Cases that are not upheld are kept, with everything that may still be asked because of them: the cases
//! beside and below them, and those that show which blocks are on top of them.

use super::column::{as_integer, read_optional_u64, read_u64};
use super::{Ledger, LedgerError};
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::{Frame, UnixSeconds};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

/// How many pages are given back to the file system with one batch: more than one batch frees.
const VACUUM: &str = "PRAGMA incremental_vacuum(2048)";

/// What may be removed of a window of cases, in the order in which their verdicts fell.
///
/// A case is kept at a height, and below a height, where another case is not plainly upheld: it may hold the
/// head, be a replacement, or be a parent. So it does where a message was noted, an operator resolved
/// something, or the vouched head left a branch; and where its attestation is what a wrong block below is
/// held against. Above an open block it stays for as far as is looked for an attestation on top of it, and
/// above one that the vouched head passed, wherever that is.
const REMOVABLE: &str = "SELECT c.id, c.verdict_id FROM cases c JOIN heads h ON h.chain_id = c.chain_id
    WHERE c.verdict_id > ?1 AND c.verdict_id <= ?2 AND c.verdict = 'upheld' AND c.decided_at < ?3
      AND c.number + ?4 < h.vouched_number
      AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.chain_id = c.chain_id AND k.number IN (c.number, c.number + 1)
                        AND k.verdict IS NOT 'upheld')
      AND NOT EXISTS (SELECT 1 FROM cases w WHERE w.chain_id = c.chain_id AND w.ancestor_of = c.hash
                        AND w.verdict IN ('violated', 'discarded'))
      AND NOT EXISTS (SELECT 1 FROM message_events e WHERE e.chain_id = c.chain_id AND e.number = c.number)
      AND NOT EXISTS (SELECT 1 FROM resolutions r WHERE r.chain_id = c.chain_id AND r.number = c.number)
      AND NOT EXISTS (SELECT 1 FROM abandoned_blocks a WHERE a.chain_id = c.chain_id AND a.number = c.number)
      AND NOT EXISTS (SELECT 1 FROM cases o WHERE o.chain_id = c.chain_id AND o.verdict IS NULL
                        AND o.number BETWEEN c.number - ?5 AND c.number)
      AND NOT EXISTS (SELECT 1 FROM resolutions r JOIN cases o
                        ON o.chain_id = r.chain_id AND o.number = r.number AND o.hash = r.hash
                      WHERE r.verdict = 'open' AND o.verdict IS NULL AND r.chain_id = c.chain_id
                        AND r.number <= c.number AND r.number > h.anchor_number)";

/// Which cases may be removed, and how many are checked.
#[derive(Debug, Clone, Copy)]
pub struct Pruning {
    /// Only those whose verdict fell before this.
    pub before: UnixSeconds,
    /// Only those that are further below the vouched head.
    pub below_head: u64,
    /// Only those whose verdict has a place after this one.
    pub after: u64,
    /// This many are checked.
    pub limit: u32,
}

/// What came of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// How many cases were removed.
    pub removed: u64,
    /// Where to continue. `None`: there are no more that are old enough.
    pub next: Option<u64>,
}

impl Ledger {
    /// Removes old upheld cases of one batch.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn prune(&self, pruning: &Pruning) -> Result<Pruned, LedgerError> {
        let before = as_integer("time", pruning.before.0)?;
        let after = as_integer("event id", pruning.after)?;
        let mut transaction = self.write().await?;
        let window = sqlx::query(
            "SELECT max(verdict_id) AS last, count(*) AS count FROM (
                 SELECT verdict_id, decided_at FROM cases WHERE verdict_id > ?1 ORDER BY verdict_id LIMIT ?2)
             WHERE decided_at < ?3",
        )
        .bind(after)
        .bind(pruning.limit)
        .bind(before)
        .fetch_one(&mut *transaction)
        .await?;
        let is_full = read_u64(&window, "count")? >= u64::from(pruning.limit);
        let Some(end) = read_optional_u64(&window, "last")? else {
            return Ok(Pruned { removed: 0, next: None });
        };
        let rows = sqlx::query(REMOVABLE)
            .bind(after)
            .bind(as_integer("event id", end)?)
            .bind(before)
            .bind(i64::try_from(pruning.below_head).unwrap_or(i64::MAX / 2))
            .bind(super::ancestry::MAX_DISTANCE)
            .fetch_all(&mut *transaction)
            .await?;
        let removed = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        if !rows.is_empty() {
            remove(&mut transaction, &rows).await?;
        }
        transaction.commit().await?;
        Ok(Pruned { removed, next: is_full.then_some(end) })
    }

    /// Whether the file gives back to the file system what is removed from it. One that an older version made
    /// does not.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn can_shrink(&self) -> Result<bool, LedgerError> {
        self.retry_read(|| async {
            let mode: i64 = sqlx::query_scalar("PRAGMA auto_vacuum").fetch_one(self.readers()).await?;
            Ok(mode == 2)
        })
        .await
    }
}

/// Removes these cases and their events; their signatures remain.
async fn remove(connection: &mut SqliteConnection, rows: &[SqliteRow]) -> Result<(), LedgerError> {
    let list = |column| {
        let ids = rows.iter().map(|row| row.try_get::<i64, _>(column)).collect::<Result<Vec<_>, _>>();
        super::column::to_json("ids", &ids?)
    };
    let (cases, events) = (list("id")?, list("verdict_id")?);
    let signed = "INSERT INTO signatures (chain_id, number, hash, signer, domain, payload_hash)
        SELECT chain_id, number, hash, signer, domain, payload_hash FROM cases
        WHERE id IN (SELECT value FROM json_each(?1)) AND origin = 'attested' ON CONFLICT DO NOTHING";
    sqlx::query(signed).bind(&cases).execute(&mut *connection).await?;
    // Nothing else is known of their heights.
    let query = "DELETE FROM claims WHERE (chain_id, number) IN (
        SELECT chain_id, number FROM cases WHERE id IN (SELECT value FROM json_each(?1)))";
    sqlx::query(query).bind(&cases).execute(&mut *connection).await?;
    let query = "DELETE FROM events WHERE id IN (SELECT value FROM json_each(?1))";
    sqlx::query(query).bind(&events).execute(&mut *connection).await?;
    let query = "DELETE FROM cases WHERE id IN (SELECT value FROM json_each(?1))";
    sqlx::query(query).bind(&cases).execute(&mut *connection).await?;
    sqlx::query(VACUUM).fetch_all(&mut *connection).await?;
    Ok(())
}

/// The signature of an open case's attestation. `None`: it was not attested.
pub(super) async fn signature_of(
    connection: &mut SqliteConnection,
    key: &BlockKey,
) -> Result<Option<Vec<u8>>, LedgerError> {
    let query =
        "SELECT frame FROM cases WHERE chain_id = ?1 AND number = ?2 AND hash = ?3 AND verdict IS NULL";
    let row = sqlx::query(query)
        .bind(key.chain_id.to_string())
        .bind(as_integer("block number", key.number)?)
        .bind(key.hash.to_vec())
        .fetch_optional(connection)
        .await?;
    let frame = row.map(|row| row.try_get::<Option<Vec<u8>>, _>("frame")).transpose()?.flatten();
    Ok(frame.and_then(|frame| Frame::open(&frame.into()).ok()).map(|frame| frame.signature().to_vec()))
}

/// Keeps who signed a block, if it is upheld: its frame is not kept then.
pub(super) async fn keep_signature(
    connection: &mut SqliteConnection,
    key: &BlockKey,
    signature: &[u8],
) -> Result<(), LedgerError> {
    sqlx::query(
        "INSERT INTO signatures SELECT chain_id, number, hash, signer, domain, payload_hash, ?4 FROM cases
         WHERE chain_id = ?1 AND number = ?2 AND hash = ?3 AND origin = 'attested' AND verdict LIKE 'upheld%'
         ON CONFLICT DO UPDATE SET signer = excluded.signer, domain = excluded.domain,
             payload_hash = excluded.payload_hash, signature = excluded.signature",
    )
    .bind(key.chain_id.to_string())
    .bind(as_integer("block number", key.number)?)
    .bind(key.hash.to_vec())
    .bind(signature)
    .execute(connection)
    .await?;
    Ok(())
}
