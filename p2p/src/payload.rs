//! [`ExecutionPayload`]: a block as gossip carries it from Isthmus on (version 4).
//!
//! Holds fields and derives the header from them. Never decodes a transaction: the transactions root is the
//! root over their raw bytes, as EIP-2718 defines it.

use crate::{UnixSeconds, ordered_root::ordered_root};
use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header};
use alloy_eips::{eip4895::Withdrawal, eip7685::EMPTY_REQUESTS_HASH};
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256};

/// A version 4 execution payload: the fields in their order on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionPayload {
    /// The parent block's hash.
    pub parent_hash: B256,
    /// The header's `beneficiary`.
    pub fee_recipient: Address,
    /// The state root.
    pub state_root: B256,
    /// The receipts root.
    pub receipts_root: B256,
    /// The bloom over the block's logs.
    pub logs_bloom: Bloom,
    /// The header's `mixHash`.
    pub prev_randao: B256,
    /// The block number.
    pub number: u64,
    /// The gas limit.
    pub gas_limit: u64,
    /// The gas used.
    pub gas_used: u64,
    /// The block's timestamp.
    pub timestamp: UnixSeconds,
    /// The header's extra data, at most 32 bytes.
    pub extra_data: Bytes,
    /// The base fee, wei. The wire has 256 bits for it, a header 64.
    pub base_fee_per_gas: U256,
    /// The hash that the block claims; compare it with [`ExecutionPayload::recompute_hash`].
    pub block_hash: B256,
    /// The transactions, EIP-2718 bytes.
    pub transactions: Vec<Bytes>,
    /// The withdrawals list: empty on every OP Stack chain.
    pub withdrawals: Vec<Withdrawal>,
    /// The header's `blobGasUsed`: from Jovian on the block's data-availability footprint.
    pub blob_gas_used: u64,
    /// The header's `excessBlobGas`: 0 on every OP Stack chain.
    pub excess_blob_gas: u64,
    /// The storage root of the L2ToL1MessagePasser: the header's `withdrawalsRoot`.
    pub withdrawals_root: B256,
}

impl ExecutionPayload {
    /// The header that these fields make up, for a block with no execution-layer requests (Isthmus and later).
    ///
    /// A base fee beyond 64 bits, which no header holds, comes out as the largest that one does.
    pub fn header(&self, parent_beacon_block_root: B256) -> Header {
        Header {
            parent_hash: self.parent_hash,
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            beneficiary: self.fee_recipient,
            state_root: self.state_root,
            transactions_root: self.transactions_root(),
            receipts_root: self.receipts_root,
            logs_bloom: self.logs_bloom,
            difficulty: U256::ZERO,
            number: self.number,
            gas_limit: self.gas_limit,
            gas_used: self.gas_used,
            timestamp: self.timestamp.0,
            extra_data: self.extra_data.clone(),
            mix_hash: self.prev_randao,
            nonce: B64::ZERO,
            base_fee_per_gas: Some(self.base_fee_per_gas.saturating_to()),
            withdrawals_root: Some(self.withdrawals_root),
            blob_gas_used: Some(self.blob_gas_used),
            excess_blob_gas: Some(self.excess_blob_gas),
            parent_beacon_block_root: Some(parent_beacon_block_root),
            requests_hash: Some(EMPTY_REQUESTS_HASH),
            ..Header::default()
        }
    }

    /// The root of the ordered trie over the raw transactions.
    pub fn transactions_root(&self) -> B256 {
        ordered_root(&self.transactions)
    }

    /// The hash of the [header](ExecutionPayload::header) that these fields make up.
    pub fn recompute_hash(&self, parent_beacon_block_root: B256) -> B256 {
        self.header(parent_beacon_block_root).hash_slow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn no_requests_hash_to_the_empty_digest() {
        let digest: [u8; 32] = Sha256::digest(b"").into();
        assert_eq!(EMPTY_REQUESTS_HASH, B256::from(digest));
    }
}
