//! How values are written to columns, and read from them. It knows no table, and reads no row by itself.

use super::LedgerError;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, SigningDomain};
use serde_json::value::RawValue;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

pub(super) fn as_integer(field: &'static str, value: u64) -> Result<i64, LedgerError> {
    i64::try_from(value).map_err(|_| LedgerError::OutOfRange { field, value })
}

pub(super) fn to_json(field: &'static str, value: &impl serde::Serialize) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(corrupt(field))
}

pub(super) fn corrupt<E: ToString>(field: &'static str) -> impl FnOnce(E) -> LedgerError {
    move |error| LedgerError::Corrupt { field, reason: error.to_string() }
}

pub(super) fn read_chain_id(row: &SqliteRow) -> Result<ChainId, LedgerError> {
    row.try_get::<String, _>("chain_id")?.parse().map_err(corrupt("chain id"))
}

pub(super) fn read_u64(row: &SqliteRow, field: &'static str) -> Result<u64, LedgerError> {
    u64::try_from(row.try_get::<i64, _>(field)?).map_err(corrupt(field))
}

pub(super) fn read_optional_u64(row: &SqliteRow, field: &'static str) -> Result<Option<u64>, LedgerError> {
    row.try_get::<Option<i64>, _>(field)?
        .map(|value| u64::try_from(value).map_err(corrupt(field)))
        .transpose()
}

pub(super) fn read_hash(row: &SqliteRow, field: &'static str) -> Result<B256, LedgerError> {
    B256::try_from(row.try_get::<&[u8], _>(field)?).map_err(corrupt(field))
}

pub(super) fn read_optional_hash(row: &SqliteRow, field: &'static str) -> Result<Option<B256>, LedgerError> {
    row.try_get::<Option<Vec<u8>>, _>(field)?
        .map(|bytes| B256::try_from(bytes.as_slice()).map_err(corrupt(field)))
        .transpose()
}

pub(super) fn read_position(row: &SqliteRow) -> Result<BlockNumHash, LedgerError> {
    Ok(BlockNumHash { number: read_u64(row, "number")?, hash: read_hash(row, "hash")? })
}

pub(super) fn read_domain(row: &SqliteRow) -> Result<Option<SigningDomain>, LedgerError> {
    row.try_get::<Option<String>, _>("domain")?
        .map(|name| name.parse::<SigningDomain>().map_err(corrupt("domain")))
        .transpose()
}

/// Whether the attestation is evidence against its signer. `None`: the block itself was not attested.
pub(super) fn read_attributable(row: &SqliteRow) -> Result<Option<bool>, LedgerError> {
    Ok(read_domain(row)?.map(SigningDomain::is_attributable))
}

pub(super) fn read_json(row: &SqliteRow, field: &'static str) -> Result<Box<RawValue>, LedgerError> {
    RawValue::from_string(row.try_get(field)?).map_err(corrupt(field))
}
