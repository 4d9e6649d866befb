//! [`ExecutionPayload`]: a block as gossip carries it, in any version.
//!
//! Has the fields, and derives the header from them. Never decodes a transaction: the transactions root is
//! the root over their raw bytes, as EIP-2718 defines it.

use crate::{PayloadVersion, UnixSeconds, ordered_root::ordered_root};
use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header, proofs::calculate_withdrawals_root};
use alloy_eips::{eip4895::Withdrawal, eip7685::EMPTY_REQUESTS_HASH};
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256};

/// An execution payload: the fields that every version has, in their order on the wire, and those of its own
/// version.
///
/// The fields are those of `ExecutionPayload` in the execution-layer Engine API. How they travel is in the
/// rollup-node p2p specification, "Block encoding". Nothing is checked: see [`Validator`](crate::Validator).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionPayload {
    /// The hash of the parent block's header.
    pub parent_hash: B256,
    /// Who receives the fees: the header's `beneficiary`.
    pub fee_recipient: Address,
    /// The root of the state trie after the block. Gossip has no data to check it with.
    pub state_root: B256,
    /// The root of the trie of the block's receipts. Gossip has no receipts to check it with.
    pub receipts_root: B256,
    /// The bloom filter over the block's logs, 256 bytes.
    pub logs_bloom: Bloom,
    /// The header's `mixHash`: on an OP Stack chain the `prevRandao` of the L1 origin.
    pub prev_randao: B256,
    /// The height of the block.
    pub number: u64,
    /// The most gas that the block may use, gas units.
    pub gas_limit: u64,
    /// The gas that the block used, gas units.
    pub gas_used: u64,
    /// When the block was built, seconds since the Unix epoch. It selects the fork, and so the version.
    pub timestamp: UnixSeconds,
    /// The header's extra data, at most 32 bytes: since Holocene the parameters of EIP-1559, since Jovian
    /// also the minimum base fee.
    pub extra_data: Bytes,
    /// The base fee per gas, wei. The wire has 256 bits for it, a header 64.
    pub base_fee_per_gas: U256,
    /// The hash that the block claims; compare it with [`ExecutionPayload::recompute_hash`].
    pub block_hash: B256,
    /// The transactions, each as its EIP-2718 bytes, deposits (type 0x7e) first.
    pub transactions: Vec<Bytes>,
    /// The fields that versions after the first added.
    pub version_fields: VersionFields,
}

/// The fields that versions after the first added. A payload has those of its version, and no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionFields {
    /// Bedrock and Regolith: no fields but those of every version.
    V1,
    /// Canyon and Delta.
    V2 {
        /// The withdrawals list: empty on every OP Stack chain.
        withdrawals: Vec<Withdrawal>,
    },
    /// Ecotone to Holocene.
    V3 {
        /// The withdrawals list: empty on every OP Stack chain.
        withdrawals: Vec<Withdrawal>,
        /// The header fields of EIP-4844 and EIP-4788.
        blobs: BlobFields,
    },
    /// Isthmus and later.
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
    /// The version, by which fields there are.
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

    /// The header's `withdrawalsRoot`: in versions 2 and 3 the root of the list, in version 4 a field of its
    /// own, the storage root of the L2ToL1MessagePasser. `None`: version 1 has none.
    pub fn withdrawals_root(&self) -> Option<B256> {
        match &self.version_fields {
            VersionFields::V1 => None,
            VersionFields::V2 { withdrawals } | VersionFields::V3 { withdrawals, .. } => {
                Some(calculate_withdrawals_root(withdrawals))
            }
            VersionFields::V4 { withdrawals_root, .. } => Some(*withdrawals_root),
        }
    }

    /// The header that these fields make up. From version 4 on its `requestsHash` is that of no requests.
    ///
    /// A base fee of more than 64 bits, which no header can have, becomes `u64::MAX`;
    /// [`Validator`](crate::Validator) refuses such a block first. Computes the transactions root, which
    /// takes time in proportion to the transactions' bytes.
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

    /// The root of the trie over the raw transactions, keyed by the RLP of their index: the header's
    /// `transactionsRoot`.
    pub fn transactions_root(&self) -> B256 {
        ordered_root(&self.transactions)
    }

    /// The Keccak-256 hash of the [header](ExecutionPayload::header) that these fields make up. A valid block
    /// has it as its [`block_hash`](ExecutionPayload::block_hash).
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
