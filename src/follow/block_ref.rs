//! [`L1Ref`] and [`L2Ref`]: blocks as `optimism_syncStatus` names them, every field filled in.
//!
//! Fields and names follow op-service `eth.L1BlockRef` and `eth.L2BlockRef`. op-node compares these as
//! wholes: a right hash with a wrong parent or sequence number looks like a reorg to it.

use super::Genesis;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::consolidation::deposits::{L1InfoError, decode_l1_info};
use crosscheck_core::proof::VerifiedBlock;
use serde::{Deserialize, Serialize};

/// An L1 block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct L1Ref {
    /// Its hash.
    pub hash: B256,
    /// Its height.
    pub number: u64,
    /// The hash of its parent.
    pub parent_hash: B256,
    /// Its timestamp, Unix seconds.
    pub timestamp: u64,
}

/// An L2 block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct L2Ref {
    /// Its hash.
    pub hash: B256,
    /// Its height.
    pub number: u64,
    /// The hash of its parent.
    pub parent_hash: B256,
    /// Its timestamp, Unix seconds.
    pub timestamp: u64,
    /// Its L1 origin.
    #[serde(rename = "l1origin")]
    pub l1_origin: BlockNumHash,
    /// How many blocks of the same L1 origin came before it.
    pub sequence_number: u64,
}

/// Why a block cannot be named in full.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockRefError {
    /// It has no transactions, and is not the genesis block.
    #[error("block {number} ({hash}) has no transactions, so its L1 origin is unknown")]
    Empty {
        /// Its height.
        number: u64,
        /// Its hash.
        hash: B256,
    },
    /// It is at the genesis height and is another block.
    #[error("block {number} is {hash}, and the rollup configuration begins the chain with {genesis}")]
    NotGenesis {
        /// The genesis height.
        number: u64,
        /// The block's hash.
        hash: B256,
        /// The genesis block's hash.
        genesis: B256,
    },
    /// Its first transaction does not contain an L1 origin.
    #[error("block {number} ({hash}) does not contain its L1 origin: {source}")]
    Origin {
        /// Its height.
        number: u64,
        /// Its hash.
        hash: B256,
        /// What is wrong with its first transaction.
        source: L1InfoError,
    },
}

impl L2Ref {
    /// Names a block whose header and transactions are verified. The genesis block's origin is in the rollup
    /// configuration, every other block's in its first transaction (op-node `derive.L2BlockToBlockRef`).
    ///
    /// # Errors
    /// If the block does not contain its L1 origin.
    pub fn of_block(block: &VerifiedBlock, genesis: &Genesis) -> Result<Self, BlockRefError> {
        let (number, hash) = (block.number(), block.hash());
        let (l1_origin, sequence_number) = if number == genesis.l2.number {
            if hash != genesis.l2.hash {
                return Err(BlockRefError::NotGenesis { number, hash, genesis: genesis.l2.hash });
            }
            (genesis.l1, 0)
        } else {
            let first = block.transactions().first().ok_or(BlockRefError::Empty { number, hash })?;
            let info =
                decode_l1_info(first).map_err(|source| BlockRefError::Origin { number, hash, source })?;
            (BlockNumHash { hash: info.hash, number: info.number }, info.sequence_number)
        };
        let parent_hash = block.header().parent_hash;
        Ok(Self { hash, number, parent_hash, timestamp: block.timestamp().0, l1_origin, sequence_number })
    }
}

#[cfg(test)]
mod tests {
    use crate::follow::sample::l2;
    use serde_json::json;

    #[test]
    fn a_block_reference_is_written_as_op_node_writes_it() {
        let block = l2(7);
        let expected = json!({
            "hash": block.hash,
            "number": 7,
            "parentHash": block.parent_hash,
            "timestamp": block.timestamp,
            "l1origin": { "hash": block.l1_origin.hash, "number": block.l1_origin.number },
            "sequenceNumber": block.sequence_number,
        });
        assert_eq!(serde_json::to_value(block).unwrap(), expected);
    }
}
