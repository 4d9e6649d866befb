//! [`CaseRecord`]: a case as it is in the ledger, in the form that users see.

use super::claims::DERIVED;
use super::column::{
    corrupt, read_chain_id, read_domain, read_hash, read_json, read_optional_hash, read_optional_u64,
    read_u64,
};
use super::events::{MAX_SCANNED, Window};
use super::{Ledger, LedgerError, Read};
use alloy::primitives::{Address, B256, Bytes};
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::{ChainId, SigningDomain};
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// Cases with what belongs to their records.
macro_rules! records {
    ($condition:literal) => {
        concat!(
            "SELECT c.*, r.reason AS resolution, r.resolved_at,
                 (SELECT json_group_array(l.claimant) FROM claims l
                  WHERE l.chain_id = c.chain_id AND l.number = c.number AND l.hash = c.hash) AS claimants
             FROM cases c LEFT JOIN resolutions r USING (chain_id, number, hash) ",
            $condition
        )
    };
}

/// A case and all that was found out about it.
#[derive(Debug, Clone, Serialize)]
pub struct CaseRecord {
    /// Its place in the order in which cases were opened.
    pub id: i64,
    /// The block's chain.
    pub chain_id: ChainId,
    /// The block's height.
    pub number: u64,
    /// The block's hash.
    pub hash: B256,
    /// The hash of its parent.
    pub parent_hash: B256,
    /// The block's timestamp.
    pub timestamp: u64,
    /// Why it is audited: `attested`, `claimed` by an endpoint, `derived` by the rollup node, or the
    /// `ancestor` of such a block.
    pub origin: String,
    /// Who claims this very block without a signature: the names of endpoints, or `derived` for the rollup
    /// node.
    pub claimants: Vec<String>,
    /// Who signed the attestation.
    pub signer: Option<Address>,
    /// The domain that it was signed in.
    pub domain: Option<SigningDomain>,
    /// Whether the signature can only have been made for an attestation.
    pub attributable: Option<bool>,
    /// Of an invalid block, or of any as of its verdict: the nearest block on top of it whose attestation
    /// binds its signer, if its own does not.
    pub ancestor_of: Option<B256>,
    /// The payload hash that was signed.
    pub payload_hash: Option<B256>,
    /// When the case was opened, in Unix seconds.
    pub opened_at: u64,
    /// What the case waits for: nothing once it has its verdict.
    pub waits: Box<RawValue>,
    /// What it has waited for, as of its verdict.
    pub waited: Box<RawValue>,
    /// The executed messages of the block, or of the block that it replaces.
    pub messages: Box<RawValue>,
    /// The block that it replaces: then the messages are that block's.
    pub replaces: Option<B256>,
    /// The verdict's name, or `open`.
    pub verdict: String,
    /// The reason of a violation.
    pub reason: Option<String>,
    /// What was found, for people.
    pub detail: Option<String>,
    /// Its place in the order in which verdicts fell: the id of the event that reported it first.
    pub verdict_id: Option<u64>,
    /// When the verdict fell, in Unix seconds.
    pub decided_at: Option<u64>,
    /// Milliseconds from when this program took the case up to its verdict.
    pub decided_after_ms: Option<u64>,
    /// That an operator has resolved it.
    pub resolution: Option<ResolutionRecord>,
}

/// That an operator has resolved a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResolutionRecord {
    /// When, in Unix seconds.
    pub at: u64,
    /// Why, in the operator's words.
    pub reason: String,
}

/// Which cases to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct CaseFilter {
    /// Only cases of this chain.
    pub chain_id: Option<ChainId>,
    /// Only cases opened after this one; or decided after it, where decided ones are read.
    pub after: i64,
    /// At most this many.
    pub limit: u32,
}

impl Ledger {
    /// Reads cases in the order in which they were opened.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn records(&self, filter: CaseFilter) -> Result<Vec<CaseRecord>, LedgerError> {
        let chain = filter.chain_id.map(|chain_id| chain_id.to_string());
        let rows = sqlx::query(records!(
            "WHERE c.id > ?1 AND (?2 IS NULL OR c.chain_id = ?2) ORDER BY c.id LIMIT ?3"
        ))
        .bind(filter.after)
        .bind(chain)
        .bind(filter.limit)
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(CaseRecord::read).collect()
    }
}

impl Ledger {
    /// Reads the cases of a height.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn records_at(&self, chain_id: ChainId, number: u64) -> Result<Vec<CaseRecord>, LedgerError> {
        let rows = sqlx::query(records!("WHERE c.chain_id = ?1 AND c.number = ?2 ORDER BY c.id"))
            .bind(chain_id.to_string())
            .bind(i64::try_from(number).unwrap_or(i64::MAX))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(CaseRecord::read).collect()
    }

    /// The signed gossip frame of a block, as it is kept of what is open or was found invalid. `None`: there
    /// is none.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn frame(&self, key: &BlockKey) -> Result<Option<Bytes>, LedgerError> {
        let query = "SELECT frame FROM cases WHERE chain_id = ?1 AND number = ?2 AND hash = ?3";
        let row = sqlx::query(query)
            .bind(key.chain_id.to_string())
            .bind(i64::try_from(key.number).unwrap_or(i64::MAX))
            .bind(key.hash.as_slice())
            .fetch_optional(self.readers())
            .await?;
        let frame = row.map(|row| row.try_get::<Option<Vec<u8>>, _>("frame")).transpose()?;
        Ok(frame.flatten().map(Bytes::from))
    }

    /// Reads decided cases in the order in which their verdicts fell.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn decided(&self, filter: CaseFilter) -> Result<Read<CaseRecord>, LedgerError> {
        self.decided_as(filter, None).await
    }

    /// The same, with verdicts of these names alone.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn decided_as(
        &self,
        filter: CaseFilter,
        names: Option<&[&'static str]>,
    ) -> Result<Read<CaseRecord>, LedgerError> {
        let is_whole = filter.chain_id.is_none() && names.is_none();
        let scanned = if is_whole { filter.limit } else { MAX_SCANNED };
        // The bounds first: what is decided meanwhile is beyond them.
        let window = sqlx::query(
            "SELECT max(verdict_id) AS last, count(*) AS count FROM (
                 SELECT verdict_id FROM cases WHERE verdict_id > ?1 ORDER BY verdict_id LIMIT ?2)",
        )
        .bind(filter.after)
        .bind(scanned)
        .fetch_one(self.readers())
        .await?;
        let window = Window::read(&window, u64::try_from(filter.after).unwrap_or_default(), scanned)?;
        let rows = sqlx::query(records!(
            "WHERE c.verdict_id > ?1 AND c.verdict_id <= ?2 AND (?3 IS NULL OR c.chain_id = ?3)
               AND (?5 IS NULL OR instr(?5, ',' || c.verdict || ',') > 0)
             ORDER BY c.verdict_id LIMIT ?4"
        ))
        .bind(filter.after)
        .bind(i64::try_from(window.end).unwrap_or(i64::MAX))
        .bind(filter.chain_id.map(|chain_id| chain_id.to_string()))
        .bind(filter.limit)
        .bind(names.map(|names| format!(",{},", names.join(","))))
        .fetch_all(self.readers())
        .await?;
        let records = rows.iter().map(CaseRecord::read).collect::<Result<Vec<_>, _>>()?;
        let last = records.last().and_then(|record| record.verdict_id);
        Ok(Read::of(window, records, last, filter.limit))
    }
}

impl CaseRecord {
    fn read(row: &SqliteRow) -> Result<Self, LedgerError> {
        let domain = read_domain(row)?;
        let attributable = domain.map(SigningDomain::is_attributable);
        let verdict = row.try_get::<Option<String>, _>("verdict")?;
        let (stored, none) =
            (read_json(row, "waits")?, RawValue::from_string("[]".to_owned()).map_err(corrupt("waits"))?);
        let claimants: Vec<String> =
            serde_json::from_str(row.try_get("claimants")?).map_err(corrupt("claimants"))?;
        let (waits, waited) = if verdict.is_none() { (stored, none) } else { (none, stored) };
        Ok(Self {
            id: row.try_get("id")?,
            chain_id: read_chain_id(row)?,
            number: read_u64(row, "number")?,
            hash: read_hash(row, "hash")?,
            parent_hash: read_hash(row, "parent_hash")?,
            timestamp: read_u64(row, "timestamp")?,
            origin: origin_of(row.try_get("origin")?, &claimants),
            claimants,
            signer: row
                .try_get::<Option<Vec<u8>>, _>("signer")?
                .map(|bytes| Address::try_from(bytes.as_slice()).map_err(corrupt("signer")))
                .transpose()?,
            domain,
            attributable,
            ancestor_of: read_optional_hash(row, "ancestor_of")?.filter(|_| attributable != Some(true)),
            payload_hash: read_optional_hash(row, "payload_hash")?,
            opened_at: read_u64(row, "opened_at")?,
            waits,
            waited,
            messages: read_json(row, "messages")?,
            replaces: read_optional_hash(row, "replaces")?,
            verdict: verdict.unwrap_or_else(|| "open".to_owned()),
            reason: row.try_get("reason")?,
            detail: row.try_get("detail")?,
            verdict_id: read_optional_u64(row, "verdict_id")?,
            decided_at: read_optional_u64(row, "decided_at")?,
            decided_after_ms: read_optional_u64(row, "decided_after_ms")?,
            resolution: ResolutionRecord::read(row)?,
        })
    }
}

/// Why a case is audited. `stored`: `attested` or `ancestor`.
fn origin_of(stored: String, claimants: &[String]) -> String {
    let claimed = match claimants {
        [] => return stored,
        claimants if claimants.iter().all(|claimant| claimant == DERIVED) => DERIVED,
        _ => "claimed",
    };
    if stored == "attested" { stored } else { claimed.to_owned() }
}

impl ResolutionRecord {
    fn read(row: &SqliteRow) -> Result<Option<Self>, LedgerError> {
        let (reason, at) =
            (row.try_get::<Option<String>, _>("resolution")?, read_optional_u64(row, "resolved_at")?);
        Ok(reason.zip(at).map(|(reason, at)| Self { at, reason }))
    }
}
