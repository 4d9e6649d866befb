//! The answers of the `supervisor_*` methods, named and written as interop/supervisor.md has them; super
//! roots as Go and kona write and read them, which is otherwise.

use super::params::{DecimalChainId, HexChainId};
use alloy::eips::BlockNumHash;
use alloy::primitives::{B256, Bytes};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// Which block: hash and height. All zero: there is none yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BlockId {
    /// Its hash.
    pub hash: B256,
    /// Its height.
    pub number: u64,
}

impl From<BlockNumHash> for BlockId {
    fn from(block: BlockNumHash) -> Self {
        Self { hash: block.hash, number: block.number }
    }
}

/// A block, with its parent and time. All zero: there is none yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockRef {
    /// Its hash.
    pub hash: B256,
    /// Its height.
    pub number: u64,
    /// The hash of its parent.
    pub parent_hash: B256,
    /// Its timestamp, Unix seconds.
    pub timestamp: u64,
}

impl BlockRef {
    /// Which block it is.
    pub const fn id(&self) -> BlockId {
        BlockId { hash: self.hash, number: self.number }
    }
}

/// An L2 block and the L1 block that it became safe with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DerivedIdPair {
    /// The L1 block.
    pub source: BlockId,
    /// The L2 block.
    pub derived: BlockId,
}

/// A number as 0x-hex text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HexNumber(pub u64);

impl Serialize for HexNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:#x}", self.0))
    }
}

/// One chain's part of a super root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChainRootInfo {
    /// The chain.
    #[serde(rename = "chainID")]
    pub chain_id: DecimalChainId,
    /// The output root of its block.
    pub canonical: B256,
    /// What the output root is the hash of; of a replacement, that of the block that it replaced.
    pub pending: Bytes,
}

/// A super root and what it is made of: op-service `eth.SuperRootResponse`, not the specification's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SuperRootResponse {
    /// The L1 block with which every chain is cross-safe at the timestamp.
    pub cross_safe_derived_from: BlockId,
    /// The timestamp, Unix seconds.
    pub timestamp: HexNumber,
    /// The super root.
    pub super_root: B256,
    /// Its version.
    pub version: Bytes,
    /// The chains, by id.
    pub chains: Vec<ChainRootInfo>,
}

/// The heads of all chains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SupervisorSyncStatus {
    /// The lowest L1 block that any chain's node has reached.
    pub min_synced_l1: BlockRef,
    /// The lowest timestamp of any chain's cross-safe head.
    pub safe_timestamp: u64,
    /// The lowest timestamp of any chain's finalized head.
    pub finalized_timestamp: u64,
    /// The chains.
    pub chains: BTreeMap<HexChainId, SupervisorChainSyncStatus>,
}

/// The state of a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SupervisorChainSyncStatus {
    /// Its tip.
    pub local_unsafe: BlockRef,
    /// The head of what L1 says.
    pub local_safe: BlockId,
    /// The highest block up to which every message is verified.
    pub cross_unsafe: BlockId,
    /// The highest block that is both.
    pub safe: BlockId,
    /// The highest of these that L1 finality covers.
    pub finalized: BlockId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosscheck_p2p::ChainId;
    use serde_json::json;

    #[test]
    fn written_as_the_specification_names_them() {
        let block = BlockRef { hash: B256::repeat_byte(1), number: 7, parent_hash: B256::ZERO, timestamp: 9 };
        let status = SupervisorChainSyncStatus { local_unsafe: block, ..Default::default() };
        let written = serde_json::to_value(SupervisorSyncStatus {
            min_synced_l1: block,
            safe_timestamp: 1,
            finalized_timestamp: 2,
            chains: [(HexChainId(ChainId::from(901)), status)].into(),
        });
        let none = json!({ "hash": B256::ZERO, "number": 0 });
        let reference = json!({ "hash": block.hash, "number": 7, "parentHash": B256::ZERO, "timestamp": 9 });
        let expected = json!({
            "minSyncedL1": reference,
            "safeTimestamp": 1,
            "finalizedTimestamp": 2,
            "chains": { "0x385": {
                "localUnsafe": reference, "localSafe": none, "crossUnsafe": none, "safe": none, "finalized": none,
            } },
        });
        assert_eq!(written.unwrap(), expected);
    }

    #[test]
    fn a_super_root_is_written_as_go_and_kona_read_it() {
        let root = SuperRootResponse {
            cross_safe_derived_from: BlockId::default(),
            timestamp: HexNumber(10),
            super_root: B256::ZERO,
            version: [1].into(),
            chains: vec![ChainRootInfo {
                chain_id: DecimalChainId(ChainId::from(1)),
                canonical: B256::ZERO,
                pending: Bytes::from_static(&[1, 2]),
            }],
        };
        let expected = json!({
            "crossSafeDerivedFrom": { "hash": B256::ZERO, "number": 0 },
            "timestamp": "0xa",
            "superRoot": B256::ZERO,
            "version": "0x01",
            "chains": [{ "chainID": "1", "canonical": B256::ZERO, "pending": "0x0102" }],
        });
        assert_eq!(serde_json::to_value(root).unwrap(), expected);
    }
}
