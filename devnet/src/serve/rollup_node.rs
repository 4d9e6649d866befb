//! The rollup node of one chain, which behaves as an op-supernode unless it is configured to be an op-node:
//! the part of `optimism_*` that readers of its view of L1 and L2 need.

use super::chain_store::ChainStore;
use super::{Arguments, ServeError, server_error};
use crate::chain::{BASE_FEE_PARAMS, L2Block, MIN_BASE_FEE, upgrade};
use crate::keys::deposit_contract_address;
use crate::l1::{DA_FOOTPRINT_GAS_SCALAR, FeeScalars, L1, L1Block};
use crate::simulation::L1_CHAIN_ID;
use alloy::{
    eips::{BlockNumHash, BlockNumberOrTag},
    primitives::{Address, B256, U64, keccak256},
};
use crosscheck_p2p::UnixSeconds;
use jsonrpsee::{RpcModule, types::ErrorObjectOwned};
use parking_lot::RwLock;
use serde_json::{Map, Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// What the `version` method answers.
const VERSION: &str = concat!("crosscheck-devnet/", env!("CARGO_PKG_VERSION"));

/// How long a request is held while the chain's node is stopped.
const LONGEST_HELD: Duration = Duration::from_secs(60);
/// How often it is checked meanwhile.
const HELD_POLL: Duration = Duration::from_millis(10);

/// Everything that the rollup node answers from.
#[derive(Clone, Debug)]
pub struct SimulatedRollupNode {
    /// Its chain.
    pub chain: Arc<RwLock<ChainStore>>,
    /// Its L1.
    pub l1: Arc<RwLock<L1>>,
    /// All chains of the dependency set.
    pub dependencies: Vec<u64>,
    /// The message expiry window, in seconds.
    pub expiry_window: u64,
    /// From when on the chains accept each other's messages, Unix seconds. It is served under Lagoon's former
    /// name: Lagoon itself is active from genesis on, because the devnet cannot carry its upgrade
    /// transactions.
    pub interop_time: u64,
    /// Seconds between two blocks.
    pub block_time: u64,
    /// The chain's `SystemConfig` on L1.
    pub system_config: Address,
    /// Who posts the chain's batches.
    pub batcher: Address,
    /// When a fork begins that brings a bundle of upgrade deposits, if one does.
    pub upgrade: Option<UnixSeconds>,
    /// Whether it checks no messages, as an op-node: what it derives is safe to it at once.
    pub is_plain: bool,
}

/// The methods of the rollup node.
///
/// # Errors
/// Never in practice: method names are unique.
pub fn rollup_node_module(node: SimulatedRollupNode) -> Result<RpcModule<SimulatedRollupNode>, ServeError> {
    let is_plain = node.is_plain;
    let mut module = RpcModule::new(node);
    module.register_async_method("optimism_syncStatus", |_, node, _| async move {
        node.await_answers().await;
        node.sync_status()
    })?;
    module.register_method("optimism_rollupConfig", |_, node, _| {
        Ok::<_, ErrorObjectOwned>(node.rollup_config())
    })?;
    module.register_method("optimism_dependencySet", |_, node, _| {
        Ok::<_, ErrorObjectOwned>(node.dependency_set())
    })?;
    module.register_method("optimism_outputAtBlock", |params, node, _| {
        let tag: BlockNumberOrTag = Arguments::of(&params).next("block")?;
        node.output_at(tag)
    })?;
    module.register_method("optimism_safeHeadAtL1Block", |params, node, _| {
        let l1_block: U64 = Arguments::of(&params).next("L1 block number")?;
        node.safe_head_at(l1_block.to())
    })?;
    if !is_plain {
        module.register_method("supernode_syncStatus", |_, node, _| node.supernode_status())?;
    }
    module.register_method("optimism_version", |_, _, _| Ok::<_, ErrorObjectOwned>(VERSION))?;
    Ok(module)
}

impl SimulatedRollupNode {
    /// Holds a request for as long as the chain's node is stopped, as op-supernode does, up to a bound.
    async fn await_answers(&self) {
        let began = Instant::now();
        while self.chain.read().is_stopped() && began.elapsed() < LONGEST_HELD {
            tokio::time::sleep(HELD_POLL).await;
        }
    }

    fn sync_status(&self) -> Result<Value, ErrorObjectOwned> {
        let (chain, l1) = (self.chain.read(), self.l1.read());
        let mut heads = chain.named_heads();
        if self.is_plain {
            heads.safe = heads.local_safe;
        }
        let l2 = |number| {
            if chain.is_headless() {
                return Ok(no_l2_ref());
            }
            chain
                .canonical(number)
                .map(|block| l2_ref(block))
                .ok_or_else(|| server_error(format!("no block {number}")))
        };
        Ok(json!({
            "current_l1": l1_ref(l1.head()),
            "current_l1_finalized": l1_ref(l1.finalized()),
            "head_l1": l1_ref(l1.head()),
            "safe_l1": l1_ref(l1.safe()),
            "finalized_l1": l1_ref(l1.finalized()),
            "unsafe_l2": l2(heads.unsafe_head)?,
            "cross_unsafe_l2": l2(heads.unsafe_head)?,
            "pending_safe_l2": l2(heads.local_safe)?,
            "local_safe_l2": l2(heads.local_safe)?,
            "safe_l2": l2(heads.safe)?,
            "finalized_l2": l2(heads.finalized)?,
        }))
    }

    /// What distinguishes an op-supernode from a node that checks no messages. Of the chains' statuses only
    /// its own.
    fn supernode_status(&self) -> Result<Value, ErrorObjectOwned> {
        let status = self.sync_status()?;
        let chain_id = self.chain.read().chain_id().to_string();
        let chain_ids: Vec<String> = self.dependencies.iter().map(ToString::to_string).collect();
        Ok(json!({
            "chain_ids": chain_ids,
            "current_l1": status.get("current_l1"),
            "safe_timestamp": status.pointer("/safe_l2/timestamp"),
            "local_safe_timestamp": status.pointer("/local_safe_l2/timestamp"),
            "finalized_timestamp": status.pointer("/finalized_l2/timestamp"),
            "chains": { chain_id: status },
        }))
    }

    /// The rollup configuration: every fork is active from genesis on, but for one that begins in mid-run.
    fn rollup_config(&self) -> Value {
        let chain = self.chain.read();
        let genesis = chain.genesis();
        let mut config = json!({
            "genesis": {
                "l1": block_id(genesis.l1_origin),
                "l2": block_id(BlockNumHash { number: 0, hash: genesis.hash }),
                "l2_time": genesis.header.timestamp,
                "system_config": {
                    "batcherAddr": self.batcher,
                    "overhead": B256::ZERO,
                    "scalar": FeeScalars::GENESIS.word(),
                    "gasLimit": genesis.header.gas_limit,
                    "eip1559Params": "0x0000000000000000",
                    "operatorFeeParams": B256::ZERO,
                    "minBaseFee": MIN_BASE_FEE,
                    "daFootprintGasScalar": DA_FOOTPRINT_GAS_SCALAR,
                },
            },
            "block_time": self.block_time,
            "max_sequencer_drift": 600,
            "seq_window_size": 3_600,
            "channel_timeout": 300,
            "l1_chain_id": L1_CHAIN_ID,
            "l2_chain_id": chain.chain_id(),
            "batch_inbox_address": l1_address("crosscheck devnet batch inbox", chain.chain_id()),
            "deposit_contract_address": deposit_contract_address(chain.chain_id()),
            "l1_system_config_address": self.system_config,
            "protocol_versions_address": Address::ZERO,
            "chain_op_config": {
                "eip1559Elasticity": u64::try_from(BASE_FEE_PARAMS.elasticity_multiplier).unwrap_or(u64::MAX),
                "eip1559Denominator": u64::try_from(BASE_FEE_PARAMS.max_change_denominator).unwrap_or(u64::MAX),
                "eip1559DenominatorCanyon":
                    u64::try_from(BASE_FEE_PARAMS.max_change_denominator).unwrap_or(u64::MAX),
            },
        });
        if let Some(fields) = config.as_object_mut() {
            fields.extend(forks());
            let late = if chain.is_under_other_rules() { self.block_time } else { 0 };
            let interop_time = self.interop_time.saturating_add(late);
            fields.insert("interop_time".to_owned(), json!(interop_time));
            fields.extend(self.upgrade.map(|time| (format!("{}_time", upgrade::FORK), json!(time))));
        }
        config
    }

    fn dependency_set(&self) -> Value {
        let dependencies: Map<String, Value> =
            self.dependencies.iter().map(|chain_id| (chain_id.to_string(), json!({}))).collect();
        json!({ "dependencies": dependencies, "overrideMessageExpiryWindow": self.expiry_window })
    }

    /// The cross-safe head that L1 led to by one of its blocks, and the newest L1 block that changed it.
    fn safe_head_at(&self, l1_block: u64) -> Result<Value, ErrorObjectOwned> {
        let (chain, l1) = (self.chain.read(), self.l1.read());
        let found = chain.safe_head_at(l1_block).and_then(|(origin, height)| {
            let origin = l1.block_by_number(origin)?.id();
            let head = chain.canonical(height)?;
            Some(json!({
                "l1Block": block_id(origin),
                "safeHead": block_id(BlockNumHash { number: height, hash: head.hash }),
            }))
        });
        found
            .ok_or_else(|| server_error(format!("failed to get safe head at l1 block {l1_block}: not found")))
    }

    fn output_at(&self, tag: BlockNumberOrTag) -> Result<Value, ErrorObjectOwned> {
        let chain = self.chain.read();
        let number = chain.height_of(tag);
        let missing =
            || server_error(format!("failed to get L2 block ref with sync status: no block {number}"));
        let block = chain.canonical(number).cloned().ok_or_else(missing)?;
        let storage_root = block.header.withdrawals_root.ok_or_else(missing)?;
        // `sync_status` reads the chain too, and a reader must not wait for a writer that waits for it.
        drop(chain);
        let version = B256::ZERO;
        let preimage = [version, block.header.state_root, storage_root, block.hash].concat();
        Ok(json!({
            "version": version,
            "outputRoot": keccak256(preimage),
            "blockRef": l2_ref(&block),
            "withdrawalStorageRoot": storage_root,
            "stateRoot": block.header.state_root,
            "syncStatus": self.sync_status()?,
        }))
    }
}

/// Every fork.
fn forks() -> Map<String, Value> {
    const TIMED: [&str; 11] = [
        "regolith_time",
        "canyon_time",
        "delta_time",
        "ecotone_time",
        "fjord_time",
        "granite_time",
        "holocene_time",
        "isthmus_time",
        "jovian_time",
        "karst_time",
        "lagoon_time",
    ];
    TIMED.iter().map(|fork| ((*fork).to_owned(), json!(0))).collect()
}

/// An address on L1 at which the devnet's L1, which executes nothing, has no code.
fn l1_address(purpose: &str, chain_id: u64) -> Address {
    Address::from_word(keccak256([purpose.as_bytes(), &chain_id.to_be_bytes()].concat()))
}

fn l1_ref(block: &L1Block) -> Value {
    json!({
        "hash": block.hash,
        "number": block.number(),
        "parentHash": block.header.parent_hash,
        "timestamp": block.header.timestamp,
    })
}

fn l2_ref(block: &L2Block) -> Value {
    json!({
        "hash": block.hash,
        "number": block.number(),
        "parentHash": block.header.parent_hash,
        "timestamp": block.header.timestamp,
        "l1origin": block_id(block.l1_origin),
        "sequenceNumber": block.sequence_number,
    })
}

/// A reference to no block, as nodes write it that know none yet.
fn no_l2_ref() -> Value {
    json!({
        "hash": B256::ZERO,
        "number": 0,
        "parentHash": B256::ZERO,
        "timestamp": 0,
        "l1origin": block_id(BlockNumHash::default()),
        "sequenceNumber": 0,
    })
}

fn block_id(id: BlockNumHash) -> Value {
    json!({ "hash": id.hash, "number": id.number })
}
