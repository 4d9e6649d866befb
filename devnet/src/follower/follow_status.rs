//! [`FollowStatus`]: what a follower reads of an `optimism_syncStatus`, and no more.

use crate::chain::L2Block;
use crate::l1::attributes;
use alloy::{
    eips::{BlockNumHash, Decodable2718},
    primitives::{B256, Bytes},
};
use crosscheck_p2p::ExecutionPayload;
use op_alloy::consensus::OpTxEnvelope;
use serde::Deserialize;

/// A reference to an L2 block, with everything that op-node compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct ServedL2Ref {
    /// Its hash.
    pub hash: B256,
    /// Its height.
    pub number: u64,
    /// Its parent's hash.
    #[serde(rename = "parentHash")]
    pub parent_hash: B256,
    /// Its timestamp, Unix seconds.
    pub timestamp: u64,
    /// Its L1 origin.
    #[serde(rename = "l1origin")]
    pub l1_origin: BlockNumHash,
    /// Its place in the epoch.
    #[serde(rename = "sequenceNumber")]
    pub sequence_number: u64,
}

/// The heads that a source serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct FollowStatus {
    /// How far L1 has been checked.
    pub(crate) current_l1: BlockNumHash,
    /// The newest cross-safe block.
    pub(crate) safe_l2: ServedL2Ref,
    /// The newest derived block.
    pub(crate) local_safe_l2: ServedL2Ref,
    /// The newest final block.
    pub(crate) finalized_l2: ServedL2Ref,
}

impl ServedL2Ref {
    /// The reference to a block of the devnet.
    pub fn of_block(block: &L2Block) -> Self {
        Self {
            hash: block.hash,
            number: block.number(),
            parent_hash: block.header.parent_hash,
            timestamp: block.header.timestamp,
            l1_origin: block.l1_origin,
            sequence_number: block.sequence_number,
        }
    }

    /// The reference to a gossiped block. `None`: its first transaction names no L1 origin.
    pub(crate) fn of_payload(payload: &ExecutionPayload) -> Option<Self> {
        let (l1_origin, sequence_number) = origin(payload.transactions.first()?)?;
        Some(Self {
            hash: payload.block_hash,
            number: payload.number,
            parent_hash: payload.parent_hash,
            timestamp: payload.timestamp.0,
            l1_origin,
            sequence_number,
        })
    }
}

/// The L1 origin that a block's first transaction names, and the block's place in its epoch.
pub(super) fn origin(first_transaction: &Bytes) -> Option<(BlockNumHash, u64)> {
    match OpTxEnvelope::decode_2718_exact(first_transaction).ok()? {
        OpTxEnvelope::Deposit(deposit) => attributes::origin(&deposit.input),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn a_block_reads_the_same_from_gossip_and_from_its_chain() {
        let mut fixture = Fixture::new(7);
        for _ in 0..3 {
            let block = fixture.extend(&[]);
            assert_eq!(
                ServedL2Ref::of_payload(&block.envelope().unwrap().payload),
                Some(ServedL2Ref::of_block(&block))
            );
        }
        let mut payload = fixture.extend(&[]).envelope().unwrap().payload;
        payload.transactions[0] = Bytes::from_static(&[0x7e]);
        assert_eq!(ServedL2Ref::of_payload(&payload), None);
        payload.transactions.clear();
        assert_eq!(ServedL2Ref::of_payload(&payload), None);
    }
}
