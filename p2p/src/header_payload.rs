//! [`ExecutionPayload::from_header`]: the payload of a block, from its header and transactions.
//!
//! The result hashes to the header's block hash, or there is none.

use crate::{BlobFields, ExecutionPayload, UnixSeconds, VersionFields};
use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes, U256};

/// A block that gossip cannot carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "block {number} ({hash}) cannot be sent as a gossip payload: its payload hashes to {computed}; it is not an OP \
     Stack block, it has withdrawals or execution requests, or these are not its transactions"
)]
pub struct NoPayloadError {
    /// The block's height.
    pub number: u64,
    /// The hash of its header.
    pub hash: B256,
    /// The hash of the header that the payload would have.
    pub computed: B256,
}

impl ExecutionPayload {
    /// The payload of a block, in the version whose fields its header has. `transactions` are the EIP-2718
    /// bytes of all its transactions.
    ///
    /// # Errors
    /// [`NoPayloadError`] if the payload would not hash to the header's block hash.
    pub fn from_header(header: &Header, transactions: Vec<Bytes>) -> Result<Self, NoPayloadError> {
        let payload = Self {
            parent_hash: header.parent_hash,
            fee_recipient: header.beneficiary,
            state_root: header.state_root,
            receipts_root: header.receipts_root,
            logs_bloom: header.logs_bloom,
            prev_randao: header.mix_hash,
            number: header.number,
            gas_limit: header.gas_limit,
            gas_used: header.gas_used,
            timestamp: UnixSeconds(header.timestamp),
            extra_data: header.extra_data.clone(),
            base_fee_per_gas: U256::from(header.base_fee_per_gas.unwrap_or_default()),
            block_hash: header.hash_slow(),
            transactions,
            version_fields: version_fields(header),
        };
        let (number, hash, computed) = (payload.number, payload.block_hash, payload.recompute_hash());
        if computed == hash { Ok(payload) } else { Err(NoPayloadError { number, hash, computed }) }
    }
}

/// The fields that the header has beyond version 1. Fields of a later version imply those of the versions
/// before.
fn version_fields(header: &Header) -> VersionFields {
    let withdrawals = Vec::new();
    let blobs = header.parent_beacon_block_root.map(|parent_beacon_block_root| BlobFields {
        parent_beacon_block_root,
        blob_gas_used: header.blob_gas_used.unwrap_or_default(),
        excess_blob_gas: header.excess_blob_gas.unwrap_or_default(),
    });
    match (header.withdrawals_root, blobs, header.requests_hash) {
        (None, ..) => VersionFields::V1,
        (Some(_), None, _) => VersionFields::V2 { withdrawals },
        (Some(_), Some(blobs), None) => VersionFields::V3 { withdrawals, blobs },
        (Some(withdrawals_root), Some(blobs), Some(_)) => {
            VersionFields::V4 { withdrawals, blobs, withdrawals_root }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PayloadVersion, sample};
    use alloy_primitives::Address;
    use rstest::rstest;

    #[test]
    fn every_version_comes_back() {
        for version in PayloadVersion::ALL {
            let payload = sample::envelope_of(version, 5).payload;
            let back = ExecutionPayload::from_header(&payload.header(), payload.transactions.clone());
            assert_eq!(back, Ok(payload));
        }
    }

    #[rstest]
    #[case::uncles(|header: &mut Header| header.ommers_hash = B256::ZERO)]
    #[case::difficulty(|header: &mut Header| header.difficulty = U256::from(1))]
    #[case::no_base_fee(|header: &mut Header| header.base_fee_per_gas = None)]
    #[case::execution_requests(|header: &mut Header| header.requests_hash = Some(B256::ZERO))]
    #[case::blob_gas_without_the_rest(|header: &mut Header| header.parent_beacon_block_root = None)]
    #[case::withdrawals(|header: &mut Header| {
        header.requests_hash = None;
        header.withdrawals_root = Some(B256::repeat_byte(7));
    })]
    fn a_header_that_no_payload_has_is_refused(#[case] change: fn(&mut Header)) {
        let payload = sample::envelope_of(PayloadVersion::V4, 5).payload;
        let mut header = payload.header();
        change(&mut header);
        let refused = ExecutionPayload::from_header(&header, payload.transactions).unwrap_err();
        assert_eq!((refused.number, refused.hash), (5, header.hash_slow()));
    }

    #[test]
    fn other_transactions_are_refused() {
        let payload = sample::envelope_of(PayloadVersion::V4, 5).payload;
        let other = vec![Bytes::copy_from_slice(Address::ZERO.as_slice())];
        assert!(ExecutionPayload::from_header(&payload.header(), other).is_err());
    }
}
