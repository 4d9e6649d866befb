//! [`Ledger`]: the SQLite database, and its records.

use super::LedgerError;
use super::ancestry::{BoundVerdict, NewAncestor, binding_descendant, insert_ancestor};
use super::claims::{ClaimAbove, RefutedClaim, claims_from, refute_by_verdict};
use super::column::{
    as_integer, corrupt, read_attributable, read_chain_id, read_position, read_u64, to_json,
};
use super::database::{Database, WriteTransaction};
use super::event_of::{retraction_event, verdict_event};
use super::events::write_event;
use super::heads::advance;
use super::ledger_retry::LedgerRetry;
use super::retention::{keep_signature, signature_of};
use super::retraction::{Retraction, retract_below};
use alloy::eips::BlockNumHash;
use alloy::primitives::{Address, B256, Bytes};
use crosscheck_core::case::{CheckedMessage, KnownVerdict, Verdict, Wait};
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::{ChainId, Topic, UnixSeconds, ValidBlock};
use serde::Serialize;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What must never be lost.
///
/// There is one connection that writes, and anyone who writes waits for it. Others read beside it, and wait
/// for no writer.
#[derive(Debug, Clone)]
pub struct Ledger {
    database: Database,
    changes: Arc<watch::Sender<u64>>,
    pub(super) last_event: Arc<watch::Sender<u64>>,
    pub(super) ledger_retry: Option<Arc<LedgerRetry>>,
    /// Whether what cannot be read is not waited for.
    pub(super) is_prompt: bool,
}

/// A case to be opened.
#[derive(Debug, Clone)]
pub enum NewCase<'a> {
    /// A block that an attester signed.
    Attested(&'a ValidBlock),
    /// A block that an attested one builds on.
    Ancestor {
        /// Which block.
        key: BlockKey,
        /// Its parent.
        parent_hash: B256,
        /// Its timestamp.
        timestamp: UnixSeconds,
        /// The L1 block that it is built on, if it names one.
        l1_origin: Option<BlockNumHash>,
    },
}

/// What opening a case found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// The block was not known.
    New,
    /// The block was under audit or decided as an ancestor; it is attested now.
    NowAttested,
    /// The block was attested by a signature that may be a replay; one that binds its signer is kept in its
    /// place now.
    NowAttributable,
    /// There was nothing to add.
    Known,
}

/// What came of opening a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// What was found.
    pub opened: Opened,
    /// The blocks below that were found invalid before, and that are bound to a signer since.
    pub bound: Vec<BoundVerdict>,
    /// The claims that such blocks refute since.
    pub refuted: Vec<RefutedClaim>,
}

/// A case without a verdict, as read back after a restart.
#[derive(Debug, Clone)]
pub struct StoredCase {
    /// Which block.
    pub key: BlockKey,
    /// When it was opened.
    pub opened_at: UnixSeconds,
    /// Of an attested block: topic, signer and gossip frame.
    pub attestation: Option<(Topic, Address, Bytes)>,
}

/// What was written with a verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decided {
    /// Whether the attestation is evidence against its signer. `None`: the block itself was not attested.
    pub attributable: Option<bool>,
    /// The nearest block on top of it whose attestation binds its signer, if its own does not.
    pub ancestor_of: Option<B256>,
    /// The vouched head's way back from a block that an operator passed while it was open, and that is wrong.
    pub retraction: Option<Retraction>,
    /// Who claims the block, or one on top of it, without a signature: the names. Of an invalid block only.
    pub claimants: Vec<String>,
    /// The claims that the verdict refutes.
    pub refuted: Vec<RefutedClaim>,
}

impl Decided {
    /// Whether a signature vouches for the block. What is known only by what may be replays of unsafe blocks
    /// is not a statement of the signer.
    pub const fn is_binding(&self) -> bool {
        matches!(self.attributable, Some(true)) || self.ancestor_of.is_some()
    }
}

/// A verdict to be written.
#[derive(Debug)]
pub struct Decision<'a> {
    /// Which block.
    pub key: BlockKey,
    /// The verdict.
    pub verdict: &'a Verdict,
    /// What was found, for people.
    pub detail: String,
    /// The messages checked.
    pub messages: &'a [CheckedMessage],
    /// The block whose messages those are, if another.
    pub replaces: Option<B256>,
    /// Of a verdict against the block: up to here L1 had been read. `None`: L1 is not asked.
    pub l1: Option<BlockNumHash>,
    /// What the case waited for on the way.
    pub waits: &'a BTreeSet<Wait>,
    /// The time now.
    pub at: UnixSeconds,
    /// How long the case took.
    pub after: Duration,
}

/// What an open case waits for, as users see it.
#[derive(Serialize)]
struct StoredWait<'a> {
    #[serde(flatten)]
    wait: &'a Wait,
    /// Why it is unavailable.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl Ledger {
    /// Opens the ledger at `path`, making it if there is none.
    ///
    /// # Errors
    /// If it cannot be opened, is another program's, or a newer version's. Then nothing was written.
    pub async fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self {
            database: Database::open(path).await?,
            changes: Arc::default(),
            last_event: Arc::default(),
            ledger_retry: None,
            is_prompt: false,
        })
    }

    /// Lets the file grow to this many pages and no further, as a full disk does.
    #[cfg(test)]
    pub(super) async fn limit_pages(&self, pages: u32) {
        self.database.limit_pages(pages).await;
    }

    /// Makes every read fail, as a failing disk does; or succeed again.
    #[cfg(test)]
    pub(crate) async fn set_readable(&self, is_readable: bool) {
        self.database.set_readable(is_readable).await;
    }

    /// The connections that read. They cannot write.
    pub(super) const fn readers(&self) -> &SqlitePool {
        self.database.readers()
    }

    /// Begins to write, once no other writer does. Every write is in such a transaction.
    pub(super) async fn write(&self) -> Result<WriteTransaction, LedgerError> {
        self.database.write().await
    }

    /// Notifies of each verdict and each move of a vouched head that this program writes. What another
    /// program writes is not notified.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(super) fn note_change(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// How large the ledger is on the disk, in bytes.
    pub(crate) async fn bytes(&self) -> u64 {
        self.database.bytes().await
    }

    /// Closes the ledger, after what is under way.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// Opens a case, once per block. Durable when this returns.
    ///
    /// # Errors
    /// If the ledger cannot be written, or the block's height or time does not fit it.
    pub async fn open_case(&self, case: &NewCase<'_>, at: UnixSeconds) -> Result<Opening, LedgerError> {
        self.retry_until_done(|| self.open_case_once(case, at)).await
    }

    async fn open_case_once(&self, case: &NewCase<'_>, at: UnixSeconds) -> Result<Opening, LedgerError> {
        match case {
            NewCase::Attested(block) => self.open_attested(block, at).await,
            &NewCase::Ancestor { key, parent_hash, timestamp, l1_origin } => {
                let ancestor = NewAncestor { key, parent_hash, timestamp, l1_origin };
                let mut transaction = self.write().await?;
                let (opening, reported) = insert_ancestor(&mut transaction, &ancestor, at).await?;
                transaction.commit().await?;
                self.event_written(reported);
                Ok(opening)
            }
        }
    }

    /// Writes what an open case waits for, why that is unavailable, as far as there are words for it, and
    /// what it knows so far.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn note_progress(
        &self,
        key: &BlockKey,
        waits: &BTreeSet<Wait>,
        reason_text: &BTreeMap<Wait, String>,
        messages: &[CheckedMessage],
    ) -> Result<(), LedgerError> {
        self.retry_until_done(|| self.note_progress_once(key, waits, reason_text, messages)).await
    }

    async fn note_progress_once(
        &self,
        key: &BlockKey,
        waits: &BTreeSet<Wait>,
        reason_text: &BTreeMap<Wait, String>,
        messages: &[CheckedMessage],
    ) -> Result<(), LedgerError> {
        let with_reason = |wait| StoredWait { wait, reason: reason_text.get(wait).map(String::as_str) };
        let waits: Vec<StoredWait<'_>> = waits.iter().map(with_reason).collect();
        let mut transaction = self.write().await?;
        sqlx::query(
            "UPDATE cases SET waits = ?4, messages = ?5
             WHERE chain_id = ?1 AND number = ?2 AND hash = ?3 AND verdict IS NULL",
        )
        .bind(key.chain_id.to_string())
        .bind(as_integer("block number", key.number)?)
        .bind(key.hash.as_slice())
        .bind(to_json("waits", &waits)?)
        .bind(to_json("messages", &messages)?)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Writes a verdict, and carries the vouched head as far as it goes. `None`: the case had one already.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn decide(&self, decision: &Decision<'_>) -> Result<Option<Decided>, LedgerError> {
        self.retry_until_done(|| self.decide_once(decision)).await
    }

    async fn decide_once(&self, decision: &Decision<'_>) -> Result<Option<Decided>, LedgerError> {
        let Decision { key, verdict, .. } = decision;
        let after = u64::try_from(decision.after.as_millis()).unwrap_or(u64::MAX);
        let mut transaction = self.write().await?;
        let signature = match verdict.is_upheld() {
            true => signature_of(&mut transaction, key).await?,
            false => None,
        };
        let decided = sqlx::query(
            "UPDATE cases SET verdict = ?4, reason = ?5, detail = ?6, messages = ?7, replaces = ?8, waits = ?9,
                              decided_at = ?10, decided_after_ms = ?11, frame = CASE WHEN ?12 THEN frame END,
                              judged_l1_number = ?13, judged_l1_hash = ?14
             WHERE chain_id = ?1 AND number = ?2 AND hash = ?3 AND verdict IS NULL RETURNING domain",
        )
        .bind(key.chain_id.to_string())
        .bind(as_integer("block number", key.number)?)
        .bind(key.hash.as_slice())
        .bind(verdict.name())
        .bind(verdict.reason())
        .bind(decision.detail.as_str())
        .bind(to_json("messages", &decision.messages)?)
        .bind(decision.replaces.map(|hash| hash.to_vec()))
        .bind(to_json("waits", decision.waits)?)
        .bind(as_integer("time", decision.at.0)?)
        .bind(as_integer("duration", after)?)
        .bind(!verdict.is_upheld())
        .bind(decision.l1.and_then(|l1| i64::try_from(l1.number).ok()))
        .bind(decision.l1.map(|l1| l1.hash.to_vec()))
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(signature) = signature.filter(|_| decided.is_some()) {
            keep_signature(&mut transaction, key, &signature).await?;
        }
        let attributable = decided.as_ref().map(read_attributable).transpose()?;
        let ancestor_of = match attributable {
            Some(None | Some(false)) => binding_descendant(&mut transaction, key).await?,
            Some(Some(true)) | None => None,
        };
        let retraction = match attributable {
            Some(_) if verdict.is_wrong() => retract_below(&mut transaction, key, decision.at).await?,
            Some(_) | None => None,
        };
        let claims = match attributable {
            Some(_) if verdict.is_wrong() => claims_from(&mut transaction, key).await?,
            Some(_) | None => Vec::new(),
        };
        let claimants = claims.iter().map(|claim| claim.claimant.to_string()).collect();
        let refuted = Vec::new();
        let mut decided = attributable.map(|attributable| Decided {
            attributable,
            ancestor_of,
            retraction,
            claimants,
            refuted,
        });
        let reported = match &mut decided {
            Some(decided) => write_events(&mut transaction, decision, decided, &claims).await?,
            None => 0,
        };
        advance(&mut transaction, key.chain_id).await?;
        transaction.commit().await?;
        self.note_change();
        self.event_written(reported);
        Ok(decided)
    }

    /// A chain's cases without a verdict, in the order in which they were opened, after the `after`-th.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn open_cases(
        &self,
        chain_id: ChainId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, StoredCase)>, LedgerError> {
        self.retry_read(|| async {
            let query =
                "SELECT * FROM cases WHERE chain_id = ?1 AND verdict IS NULL AND id > ?2 ORDER BY id LIMIT ?3";
            let rows = sqlx::query(query)
                .bind(chain_id.to_string())
                .bind(after)
                .bind(limit)
                .fetch_all(self.readers())
                .await?;
            rows.iter().map(|row| Ok((row.try_get("id")?, read_open_case(row)?))).collect()
        })
        .await
    }
}

pub(super) fn read_open_case(row: &SqliteRow) -> Result<StoredCase, LedgerError> {
    let BlockNumHash { number, hash } = read_position(row)?;
    let key = BlockKey { chain_id: read_chain_id(row)?, number, hash };
    let topic = row.try_get::<Option<String>, _>("topic")?;
    let signer = row.try_get::<Option<Vec<u8>>, _>("signer")?;
    let frame = row.try_get::<Option<Vec<u8>>, _>("frame")?;
    let attestation = match (topic, signer, frame) {
        (Some(topic), Some(signer), Some(frame)) => {
            let topic = topic.parse().map_err(corrupt("topic"))?;
            let signer = Address::try_from(signer.as_slice()).map_err(corrupt("signer"))?;
            Some((topic, signer, Bytes::from(frame)))
        }
        _ => None,
    };
    let opened_at = UnixSeconds(read_u64(row, "opened_at")?);
    Ok(StoredCase { key, opened_at, attestation })
}

/// Writes what there is to report of a verdict, and where it was reported; which block on top of the decided
/// one binds its signer; and the claims that the verdict refutes. Returns the id of the last event.
async fn write_events(
    connection: &mut SqliteConnection,
    decision: &Decision<'_>,
    decided: &mut Decided,
    claims: &[ClaimAbove],
) -> Result<u64, LedgerError> {
    let Decision { key, verdict, at, .. } = *decision;
    let id = write_event(connection, &verdict_event(key, verdict, decided), at).await?;
    let query = "UPDATE cases SET ancestor_of = ?4, verdict_id = ?5 WHERE chain_id = ?1 AND number = ?2 AND hash = ?3";
    sqlx::query(query)
        .bind(key.chain_id.to_string())
        .bind(as_integer("block number", key.number)?)
        .bind(key.hash.to_vec())
        .bind(decided.ancestor_of.map(|above| above.to_vec()))
        .bind(as_integer("event id", id)?)
        .execute(&mut *connection)
        .await?;
    let mut last = id;
    if !claims.is_empty() {
        let verdict = KnownVerdict {
            kind: verdict.kind(),
            reason: verdict.reason().map(str::to_owned),
            detail: decision.detail.clone(),
        };
        let refuted_last;
        (decided.refuted, refuted_last) = refute_by_verdict(connection, &key, verdict, claims, at).await?;
        last = last.max(refuted_last);
    }
    match &decided.retraction {
        Some(retraction) => write_event(connection, &retraction_event(retraction), at).await,
        None => Ok(last),
    }
}
