//! Conversions to and from op-alloy's payload types (feature `op-alloy`).
//!
//! op-alloy keeps the parent beacon block root beside the payload, this crate keeps it in the payload. A
//! conversion keeps every field or is refused ([`ConversionError`]). It never judges the block, and never
//! computes its hash.

use crate::{BlobFields, Envelope, ExecutionPayload, PayloadVersion, UnixSeconds, VersionFields};
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::B256;
use alloy_rpc_types_engine::{ExecutionPayloadV1, ExecutionPayloadV2, ExecutionPayloadV3};
use op_alloy::rpc_types_engine::{OpExecutionPayload, OpExecutionPayloadEnvelope, OpExecutionPayloadV4};

/// Why a payload was not converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConversionError {
    /// Versions 3 and 4 are hashed with a root that is not there.
    #[error(
        "block {number} is version {version} and has no parent beacon block root: convert an OpExecutionPayloadEnvelope \
         that has one"
    )]
    RootMissing {
        /// The block's number.
        number: u64,
        /// Its version.
        version: PayloadVersion,
    },
    /// Versions 1 and 2 have no place for the root.
    #[error(
        "block {number} is version {version}, which has no parent beacon block root, but comes with {root}"
    )]
    RootUnexpected {
        /// The block's number.
        number: u64,
        /// Its version.
        version: PayloadVersion,
        /// The root.
        root: B256,
    },
    /// An `OpExecutionPayload` alone has no place for the root.
    #[error(
        "block {number} is version {version}: an OpExecutionPayload would lose its parent beacon block root; convert the \
         envelope to an OpExecutionPayloadEnvelope"
    )]
    RootLost {
        /// The block's number.
        number: u64,
        /// Its version.
        version: PayloadVersion,
    },
}

/// Keeps every field, in every version.
impl From<Envelope> for OpExecutionPayloadEnvelope {
    fn from(envelope: Envelope) -> Self {
        let parent_beacon_block_root = envelope.payload.parent_beacon_block_root();
        Self { parent_beacon_block_root, execution_payload: without_root(envelope.payload) }
    }
}

/// Refused if the root is missing in version 3 or 4, or there is one in version 1 or 2.
impl TryFrom<OpExecutionPayloadEnvelope> for Envelope {
    type Error = ConversionError;

    fn try_from(envelope: OpExecutionPayloadEnvelope) -> Result<Self, ConversionError> {
        let payload = with_root(envelope.execution_payload, envelope.parent_beacon_block_root)?;
        Ok(Self { payload })
    }
}

/// Refused from version 3 on: the parent beacon block root would be lost.
impl TryFrom<ExecutionPayload> for OpExecutionPayload {
    type Error = ConversionError;

    fn try_from(payload: ExecutionPayload) -> Result<Self, ConversionError> {
        let (number, version) = (payload.number, payload.version());
        if version.has_blob_fields() {
            return Err(ConversionError::RootLost { number, version });
        }
        Ok(without_root(payload))
    }
}

/// Refused from version 3 on: the parent beacon block root is not in the payload.
impl TryFrom<OpExecutionPayload> for ExecutionPayload {
    type Error = ConversionError;

    fn try_from(payload: OpExecutionPayload) -> Result<Self, ConversionError> {
        with_root(payload, None)
    }
}

/// op-alloy's payload: everything but the parent beacon block root.
fn without_root(payload: ExecutionPayload) -> OpExecutionPayload {
    let v1 = ExecutionPayloadV1 {
        parent_hash: payload.parent_hash,
        fee_recipient: payload.fee_recipient,
        state_root: payload.state_root,
        receipts_root: payload.receipts_root,
        logs_bloom: payload.logs_bloom,
        prev_randao: payload.prev_randao,
        block_number: payload.number,
        gas_limit: payload.gas_limit,
        gas_used: payload.gas_used,
        timestamp: payload.timestamp.0,
        extra_data: payload.extra_data,
        base_fee_per_gas: payload.base_fee_per_gas,
        block_hash: payload.block_hash,
        transactions: payload.transactions,
    };
    match payload.version_fields {
        VersionFields::V1 => OpExecutionPayload::V1(v1),
        VersionFields::V2 { withdrawals } => OpExecutionPayload::V2(v2(v1, withdrawals)),
        VersionFields::V3 { withdrawals, blobs } => OpExecutionPayload::V3(v3(v2(v1, withdrawals), &blobs)),
        VersionFields::V4 { withdrawals, blobs, withdrawals_root } => {
            let payload_inner = v3(v2(v1, withdrawals), &blobs);
            OpExecutionPayload::V4(OpExecutionPayloadV4 { payload_inner, withdrawals_root })
        }
    }
}

const fn v2(payload_inner: ExecutionPayloadV1, withdrawals: Vec<Withdrawal>) -> ExecutionPayloadV2 {
    ExecutionPayloadV2 { payload_inner, withdrawals }
}

const fn v3(payload_inner: ExecutionPayloadV2, blobs: &BlobFields) -> ExecutionPayloadV3 {
    let BlobFields { parent_beacon_block_root: _, blob_gas_used, excess_blob_gas } = *blobs;
    ExecutionPayloadV3 { payload_inner, blob_gas_used, excess_blob_gas }
}

/// Our payload, from op-alloy's and the root that comes beside it.
fn with_root(payload: OpExecutionPayload, root: Option<B256>) -> Result<ExecutionPayload, ConversionError> {
    match payload {
        OpExecutionPayload::V1(v1) => without_blob_fields(v1, VersionFields::V1, root),
        OpExecutionPayload::V2(ExecutionPayloadV2 { payload_inner, withdrawals }) => {
            without_blob_fields(payload_inner, VersionFields::V2 { withdrawals }, root)
        }
        OpExecutionPayload::V3(v3) => {
            let (v1, withdrawals, blobs) = split_v3(v3, PayloadVersion::V3, root)?;
            Ok(assemble(v1, VersionFields::V3 { withdrawals, blobs }))
        }
        OpExecutionPayload::V4(OpExecutionPayloadV4 { payload_inner, withdrawals_root }) => {
            let (v1, withdrawals, blobs) = split_v3(payload_inner, PayloadVersion::V4, root)?;
            Ok(assemble(v1, VersionFields::V4 { withdrawals, blobs, withdrawals_root }))
        }
    }
}

fn without_blob_fields(
    v1: ExecutionPayloadV1,
    version_fields: VersionFields,
    root: Option<B256>,
) -> Result<ExecutionPayload, ConversionError> {
    let payload = assemble(v1, version_fields);
    let (number, version) = (payload.number, payload.version());
    match root {
        None => Ok(payload),
        Some(root) => Err(ConversionError::RootUnexpected { number, version, root }),
    }
}

/// A version 3 payload in its parts, with the root among the blob fields.
fn split_v3(
    v3: ExecutionPayloadV3,
    version: PayloadVersion,
    root: Option<B256>,
) -> Result<(ExecutionPayloadV1, Vec<Withdrawal>, BlobFields), ConversionError> {
    let ExecutionPayloadV3 { payload_inner, blob_gas_used, excess_blob_gas } = v3;
    let ExecutionPayloadV2 { payload_inner: v1, withdrawals } = payload_inner;
    let missing = ConversionError::RootMissing { number: v1.block_number, version };
    let parent_beacon_block_root = root.ok_or(missing)?;
    Ok((v1, withdrawals, BlobFields { parent_beacon_block_root, blob_gas_used, excess_blob_gas }))
}

fn assemble(v1: ExecutionPayloadV1, version_fields: VersionFields) -> ExecutionPayload {
    ExecutionPayload {
        parent_hash: v1.parent_hash,
        fee_recipient: v1.fee_recipient,
        state_root: v1.state_root,
        receipts_root: v1.receipts_root,
        logs_bloom: v1.logs_bloom,
        prev_randao: v1.prev_randao,
        number: v1.block_number,
        gas_limit: v1.gas_limit,
        gas_used: v1.gas_used,
        timestamp: UnixSeconds(v1.timestamp),
        extra_data: v1.extra_data,
        base_fee_per_gas: v1.base_fee_per_gas,
        block_hash: v1.block_hash,
        transactions: v1.transactions,
        version_fields,
    }
}
