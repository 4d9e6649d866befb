//! Attestations in the ledger: each block once, by the signature that says most.
//!
//! A signature that may be a replay of an unsafe block's gives way to one that binds its signer, also after
//! the verdict; never the other way round.

use super::ancestry::bind_ancestors;
use super::claims::refute_below;
use super::column::{as_integer, corrupt, read_attributable, read_hash, read_optional_hash};
use super::event_of::attributed_event;
use super::events::write_event;
use super::retention::keep_signature;
use super::{Ledger, LedgerError, Opened, Opening};
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::case::{KnownVerdict, UnknownVerdict};
use crosscheck_core::consolidation::deposits::decode_l1_info;
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::{ChainId, SigningDomain, UnixSeconds, ValidBlock};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

/// The most cases of one height that are read at once: more blocks than gossip accepts.
const MAX_AT_HEIGHT: u32 = 32;

/// A block that is not known.
const INSERT: &str = "INSERT INTO cases
    (chain_id, number, hash, parent_hash, timestamp, origin, topic, domain, signer, payload_hash, frame, opened_at,
     l1_number, l1_hash)
    VALUES (?1, ?2, ?3, ?4, ?5, 'attested', ?6, ?7, ?8, ?9, ?10, ?11, ?14, ?15) ON CONFLICT DO NOTHING";

/// A block that was known as an ancestor only. The frame of what is upheld is not kept.
const OF_ANCESTOR: &str =
    "UPDATE cases SET origin = 'attested', parent_hash = ?4, timestamp = ?5, topic = ?6,
    domain = ?7, signer = ?8, payload_hash = ?9,
    frame = CASE WHEN verdict IS NULL OR verdict NOT LIKE 'upheld%' THEN ?10 END
    WHERE chain_id = ?1 AND number = ?2 AND hash = ?3 AND origin = 'ancestor' AND ?11 IS NOT NULL";

/// A block that was known by a signature that may be a replay: `?12` says whether this one can only have been
/// meant.
const OF_REPLAY: &str =
    "UPDATE cases SET parent_hash = ?4, timestamp = ?5, topic = ?6, domain = ?7, signer = ?8,
    payload_hash = ?9, frame = CASE WHEN verdict IS NULL OR verdict NOT LIKE 'upheld%' THEN ?10 END
    WHERE chain_id = ?1 AND number = ?2 AND hash = ?3 AND origin = 'attested' AND domain = ?13 AND ?12
          AND ?11 IS NOT NULL";

/// What is known of a block by its case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCase {
    /// The block.
    pub hash: B256,
    /// Whether its attestation is evidence against its signer. `None`: the block itself was not attested.
    pub attributable: Option<bool>,
    /// Its verdict, if it has one.
    pub verdict: Option<KnownVerdict>,
    /// The block that it replaces.
    pub replaces: Option<B256>,
}

impl Ledger {
    pub(super) async fn open_attested(
        &self,
        block: &ValidBlock,
        at: UnixSeconds,
    ) -> Result<Opening, LedgerError> {
        let ways =
            [(INSERT, Opened::New), (OF_ANCESTOR, Opened::NowAttested), (OF_REPLAY, Opened::NowAttributable)];
        let mut transaction = self.write().await?;
        let mut outcome = Opened::Known;
        let l1_origin = l1_origin(block);
        for (statement, opened) in ways {
            let done = sqlx::query(statement)
                .bind(block.chain_id().to_string())
                .bind(as_integer("block number", block.number())?)
                .bind(block.hash().to_vec())
                .bind(block.parent_hash().to_vec())
                .bind(as_integer("timestamp", block.timestamp().0)?)
                .bind(block.topic().name())
                .bind(block.domain().to_string())
                .bind(block.signer().to_vec())
                .bind(block.payload_hash().as_b256().to_vec())
                .bind(block.frame().to_vec())
                .bind(as_integer("time", at.0)?)
                .bind(block.domain().is_attributable())
                .bind(SigningDomain::Zero.name())
                .bind(l1_origin.and_then(|origin| i64::try_from(origin.number).ok()))
                .bind(l1_origin.map(|origin| origin.hash.to_vec()))
                .execute(&mut *transaction)
                .await?;
            if done.rows_affected() == 1 {
                outcome = opened;
                break;
            }
        }
        let is_bound_anew = match outcome {
            Opened::NowAttributable => true,
            Opened::NowAttested => block.domain().is_attributable(),
            Opened::New | Opened::Known => false,
        };
        let mut reported = if is_bound_anew { write_events(&mut transaction, block, at).await? } else { 0 };
        let key = BlockKey { chain_id: block.chain_id(), number: block.number(), hash: block.hash() };
        let (mut bound, mut refuted) = (Vec::new(), Vec::new());
        if outcome != Opened::Known {
            let (parent, is_binding) = (block.parent_hash(), block.domain().is_attributable());
            let last;
            (bound, last) = bind_ancestors(&mut transaction, &key, parent, is_binding, at).await?;
            reported = reported.max(last);
        }
        if outcome == Opened::New {
            let last;
            (refuted, last) = refute_below(&mut transaction, &key, at).await?;
            reported = reported.max(last);
        }
        if matches!(outcome, Opened::NowAttested | Opened::NowAttributable) {
            keep_signature(&mut transaction, &key, &block.signature()).await?;
        }
        transaction.commit().await?;
        self.event_written(reported);
        Ok(Opening { opened: outcome, bound, refuted })
    }

    /// What is known of the blocks of one height that have cases, the newest first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn cases_at(&self, chain_id: ChainId, number: u64) -> Result<Vec<KnownCase>, LedgerError> {
        self.retry_read(|| async {
            let rows = sqlx::query(
                "SELECT hash, domain, verdict, reason, detail, replaces FROM cases WHERE chain_id = ?1 AND number = ?2
                 ORDER BY id DESC LIMIT ?3",
            )
            .bind(chain_id.to_string())
            .bind(as_integer("block number", number)?)
            .bind(MAX_AT_HEIGHT)
            .fetch_all(self.readers())
            .await?;
            rows.iter().map(read_known).collect()
        })
        .await
    }
}

/// Reports a verdict again that a block had before it was bound to its signer, if it is invalid. Returns the
/// event's id; 0: there is none.
async fn write_events(
    connection: &mut SqliteConnection,
    block: &ValidBlock,
    at: UnixSeconds,
) -> Result<u64, LedgerError> {
    let row = sqlx::query(
        "SELECT hash, domain, verdict, reason, detail, replaces FROM cases
         WHERE chain_id = ?1 AND number = ?2 AND hash = ?3",
    )
    .bind(block.chain_id().to_string())
    .bind(as_integer("block number", block.number())?)
    .bind(block.hash().to_vec())
    .fetch_optional(&mut *connection)
    .await?;
    let verdict = row.as_ref().map(read_known).transpose()?.and_then(|known| known.verdict);
    let Some(verdict) = verdict.filter(|verdict| verdict.kind.is_wrong()) else {
        return Ok(0);
    };
    let key = BlockKey { chain_id: block.chain_id(), number: block.number(), hash: block.hash() };
    write_event(connection, &attributed_event(key, verdict), at).await
}

/// The L1 block that an attested block is built on, if it names one.
fn l1_origin(block: &ValidBlock) -> Option<BlockNumHash> {
    let info = decode_l1_info(block.payload().transactions.first()?).ok()?;
    Some(BlockNumHash { number: info.number, hash: info.hash })
}

pub(super) fn read_known(row: &SqliteRow) -> Result<KnownCase, LedgerError> {
    let verdict = match row.try_get::<Option<String>, _>("verdict")? {
        Some(name) => {
            let detail = row.try_get::<Option<String>, _>("detail")?.unwrap_or_default();
            let kind = name.parse().map_err(corrupt::<UnknownVerdict>("verdict"))?;
            Some(KnownVerdict { kind, reason: row.try_get("reason")?, detail })
        }
        None => None,
    };
    Ok(KnownCase {
        hash: read_hash(row, "hash")?,
        attributable: read_attributable(row)?,
        verdict,
        replaces: read_optional_hash(row, "replaces")?,
    })
}
