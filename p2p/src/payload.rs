//! [`ExecutionPayload`]: a block as gossip carries it, in any version.
//!
//! Holds fields and derives the header from them. Never decodes a transaction: the transactions root is the
//! root over their raw bytes, as EIP-2718 defines it.

use crate::{PayloadVersion, UnixSeconds, ordered_root::ordered_root};
use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header, proofs::calculate_withdrawals_root};
use alloy_eips::{eip4895::Withdrawal, eip7685::EMPTY_REQUESTS_HASH};
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256};

/// An execution payload: the fields that every version has, in their order on the wire, and what later ones added.
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
    /// What versions after the first added.
    pub version_fields: VersionFields,
}

/// The fields that versions after the first added. A payload has those of its version, and no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionFields {
    /// None.
    V1,
    /// Since Canyon.
    V2 {
        /// The withdrawals list: empty on every OP Stack chain.
        withdrawals: Vec<Withdrawal>,
    },
    /// Since Ecotone.
    V3 {
        /// The withdrawals list: empty on every OP Stack chain.
        withdrawals: Vec<Withdrawal>,
        /// The header fields of EIP-4844 and EIP-4788.
        blobs: BlobFields,
    },
    /// Since Isthmus.
    V4 {
        /// The withdrawals list: empty on every OP Stack chain.
        withdrawals: Vec<Withdrawal>,
        /// The header fields of EIP-4844 and EIP-4788.
        blobs: BlobFields,
        /// The storage root of the L2ToL1MessagePasser: the header's `withdrawalsRoot`.
        withdrawals_root: B256,
    },
}

/// The header fields of EIP-4844 and EIP-4788.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobFields {
    /// The root of the parent beacon block of the L1 origin. It travels in front of the payload, not in it.
    pub parent_beacon_block_root: B256,
    /// The header's `blobGasUsed`: 0 before Jovian, since then the block's data-availability footprint.
    pub blob_gas_used: u64,
    /// The header's `excessBlobGas`: 0 on every OP Stack chain.
    pub excess_blob_gas: u64,
}

impl ExecutionPayload {
    /// The version.
    pub const fn version(&self) -> PayloadVersion {
        match self.version_fields {
            VersionFields::V1 => PayloadVersion::V1,
            VersionFields::V2 { .. } => PayloadVersion::V2,
            VersionFields::V3 { .. } => PayloadVersion::V3,
            VersionFields::V4 { .. } => PayloadVersion::V4,
        }
    }

    /// The withdrawals list. `None`: version 1 has none.
    pub fn withdrawals(&self) -> Option<&[Withdrawal]> {
        match &self.version_fields {
            VersionFields::V1 => None,
            VersionFields::V2 { withdrawals }
            | VersionFields::V3 { withdrawals, .. }
            | VersionFields::V4 { withdrawals, .. } => Some(withdrawals),
        }
    }

    /// The fields of EIP-4844 and EIP-4788. `None`: versions 1 and 2 have none.
    pub const fn blobs(&self) -> Option<&BlobFields> {
        match &self.version_fields {
            VersionFields::V1 | VersionFields::V2 { .. } => None,
            VersionFields::V3 { blobs, .. } | VersionFields::V4 { blobs, .. } => Some(blobs),
        }
    }

    /// The root of the parent beacon block of the L1 origin. `None`: versions 1 and 2 have none.
    pub fn parent_beacon_block_root(&self) -> Option<B256> {
        self.blobs().map(|blobs| blobs.parent_beacon_block_root)
    }

    /// The header's `withdrawalsRoot`: in versions 2 and 3 the root of the list, in version 4 a field of its own,
    /// the storage root of the L2ToL1MessagePasser. `None`: version 1 has none.
    pub fn withdrawals_root(&self) -> Option<B256> {
        match &self.version_fields {
            VersionFields::V1 => None,
            VersionFields::V2 { withdrawals } | VersionFields::V3 { withdrawals, .. } => {
                Some(calculate_withdrawals_root(withdrawals))
            }
            VersionFields::V4 { withdrawals_root, .. } => Some(*withdrawals_root),
        }
    }

    /// The header that these fields make up. From version 4 on it says that there are no execution-layer requests.
    ///
    /// A base fee beyond 64 bits, which no header holds, comes out as the largest that one does.
    pub fn header(&self) -> Header {
        let blobs = self.blobs();
        let has_requests_hash = self.version() >= PayloadVersion::V4;
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
            withdrawals_root: self.withdrawals_root(),
            blob_gas_used: blobs.map(|blobs| blobs.blob_gas_used),
            excess_blob_gas: blobs.map(|blobs| blobs.excess_blob_gas),
            parent_beacon_block_root: self.parent_beacon_block_root(),
            requests_hash: has_requests_hash.then_some(EMPTY_REQUESTS_HASH),
            ..Header::default()
        }
    }

    /// The root of the ordered trie over the raw transactions.
    pub fn transactions_root(&self) -> B256 {
        ordered_root(&self.transactions)
    }

    /// The hash of the [header](ExecutionPayload::header) that these fields make up.
    pub fn recompute_hash(&self) -> B256 {
        self.header().hash_slow()
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
