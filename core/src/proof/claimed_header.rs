//! [`ClaimedHeader`]: the hashed fields of the header in an `eth_getBlockBy…` answer, with the hash that it
//! claims.
//!
//! It reads only what the hash covers. Its users check whether the header hashes to the claimed hash.

use super::fields::{FieldError, Fields};
use alloy::consensus::Header;
use alloy::primitives::{B256, U64};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A header that is not checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedHeader {
    /// The hash that it claims.
    pub hash: B256,
    /// The header.
    pub inner: Header,
}

impl ClaimedHeader {
    /// Reads the header in the fields of a block.
    ///
    /// # Errors
    /// If a field that every header has is missing, or a field cannot be read.
    pub fn of(fields: &Fields<'_>) -> Result<Self, FieldError> {
        let quantity = |name| fields.required::<U64>(name).map(|value| value.to());
        let later_quantity = |name| Ok(fields.optional::<U64>(name)?.map(|value| value.to()));
        let inner = Header {
            parent_hash: fields.required("parentHash")?,
            ommers_hash: fields.required("sha3Uncles")?,
            beneficiary: fields.required("miner")?,
            state_root: fields.required("stateRoot")?,
            transactions_root: fields.required("transactionsRoot")?,
            receipts_root: fields.required("receiptsRoot")?,
            logs_bloom: fields.required("logsBloom")?,
            difficulty: fields.required("difficulty")?,
            number: quantity("number")?,
            gas_limit: quantity("gasLimit")?,
            gas_used: quantity("gasUsed")?,
            timestamp: quantity("timestamp")?,
            extra_data: fields.required("extraData")?,
            mix_hash: fields.required("mixHash")?,
            nonce: fields.required("nonce")?,
            base_fee_per_gas: later_quantity("baseFeePerGas")?,
            withdrawals_root: fields.optional("withdrawalsRoot")?,
            blob_gas_used: later_quantity("blobGasUsed")?,
            excess_blob_gas: later_quantity("excessBlobGas")?,
            parent_beacon_block_root: fields.optional("parentBeaconBlockRoot")?,
            requests_hash: fields.optional("requestsHash")?,
            block_access_list_hash: fields.optional("blockAccessListHash")?,
            slot_number: later_quantity("slotNumber")?,
        };
        Ok(Self { hash: fields.required("hash")?, inner })
    }
}

impl<'de> Deserialize<'de> for ClaimedHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        Fields::of(json.get()).and_then(|fields| Self::of(&fields)).map_err(D::Error::custom)
    }
}
