//! Executes the transactions of a block with op-revm at Jovian.
//!
//! Pure: a state and transactions in, receipts and the next state out. It seals nothing and keeps nothing.

use super::state::WorldState;
use alloy::{
    consensus::{Header, transaction::Recovered},
    primitives::{Address, B256, U256},
};
use alloy_evm::{
    EvmFactory,
    block::{BlockExecutionError, BlockExecutor},
};
use alloy_op_evm::{
    OpBlockExecutionCtx, OpBlockExecutor, OpEvmFactory, OpTx, block::OpAlloyReceiptBuilder,
    evm_env_for_op_block,
};
use alloy_op_hardforks::{ForkCondition, OpChainHardforks, OpHardfork};
use core::convert::Infallible;
use op_alloy::consensus::{OpReceiptEnvelope, OpTxEnvelope};
use revm::{
    DatabaseRef,
    database::{State, states::bundle_state::BundleRetention},
    state::{AccountInfo, Bytecode},
};
use std::collections::BTreeMap;

/// What a block's execution left.
#[derive(Clone, Debug)]
pub struct Execution {
    /// One receipt a transaction.
    pub receipts: Vec<OpReceiptEnvelope>,
    /// Gas used by all of them.
    pub gas_used: u64,
    /// The DA footprint of all of them, in gas.
    pub da_footprint: u64,
    /// The state after the block.
    pub state: WorldState,
}

/// Why a block could not be executed.
#[derive(Debug, thiserror::Error)]
pub enum ExecutorError {
    /// The system calls before the first transaction failed.
    #[error("the system calls at the start of block {number} failed: {source}")]
    SystemCall {
        /// The block's height.
        number: u64,
        /// What the executor says.
        source: BlockExecutionError,
    },
    /// A transaction cannot stand in this block. One that merely reverts can.
    #[error("transaction {index} ({hash}) is not valid in block {number}: {source}")]
    InvalidTransaction {
        /// The block's height.
        number: u64,
        /// The transaction's place in the block.
        index: usize,
        /// Its hash.
        hash: B256,
        /// What the executor says.
        source: BlockExecutionError,
    },
    /// The executor failed at the end of the block.
    #[error("block {number} could not be finished: {source}")]
    Finish {
        /// The block's height.
        number: u64,
        /// What the executor says.
        source: BlockExecutionError,
    },
}

/// The parent's state as the EVM reads it.
#[derive(Debug)]
struct ParentState<'a> {
    state: &'a WorldState,
    ancestors: &'a BTreeMap<u64, B256>,
}

impl DatabaseRef for ParentState<'_> {
    type Error = Infallible;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.state.info(address))
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Infallible> {
        Ok(self.state.code(hash))
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Infallible> {
        Ok(self.state.storage(address, slot))
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Infallible> {
        Ok(self.ancestors.get(&number).copied().unwrap_or_default())
    }
}

/// Executes `transactions` in order on `parent`, in the block that `draft` begins; `ancestors` are the hashes that
/// BLOCKHASH answers, by height.
///
/// # Errors
/// When a transaction is not valid there. A transaction that reverts is no error.
pub fn execute(
    chain_id: u64,
    draft: &Header,
    parent: &WorldState,
    ancestors: &BTreeMap<u64, B256>,
    transactions: &[Recovered<OpTxEnvelope>],
) -> Result<Execution, ExecutorError> {
    let number = draft.number;
    let hardforks = hardforks();
    let mut state = State::builder()
        .with_database_ref(ParentState { state: parent, ancestors })
        .with_bundle_update()
        .build();
    let env = evm_env_for_op_block(draft, &hardforks, chain_id);
    let context = OpBlockExecutionCtx {
        parent_hash: draft.parent_hash,
        parent_beacon_block_root: draft.parent_beacon_block_root,
        extra_data: draft.extra_data.clone(),
    };
    let evm = OpEvmFactory::<OpTx>::default().create_evm(&mut state, env);
    let mut executor = OpBlockExecutor::new(evm, context, hardforks, OpAlloyReceiptBuilder::default());
    executor.apply_pre_execution_changes().map_err(|source| ExecutorError::SystemCall { number, source })?;
    for (index, transaction) in transactions.iter().enumerate() {
        executor.execute_transaction(transaction).map_err(|source| {
            let hash = transaction.inner().tx_hash();
            ExecutorError::InvalidTransaction { number, index, hash, source }
        })?;
    }
    let (_, result) = executor.finish().map_err(|source| ExecutorError::Finish { number, source })?;
    state.merge_transitions(BundleRetention::PlainState);
    Ok(Execution {
        receipts: result.receipts,
        gas_used: result.gas_used,
        da_footprint: result.blob_gas_used,
        state: parent.after(&state.take_bundle()),
    })
}

/// Every fork up to Jovian, from genesis on.
///
/// Interop is not among them: it changes no opcode and no precompile, and this EVM's interop rules would bring those
/// of a fork that comes after Jovian along. On these chains interop is its predeploys and its message rules.
fn hardforks() -> OpChainHardforks {
    let forks = OpHardfork::VARIANTS.iter().filter(|fork| **fork <= OpHardfork::Jovian);
    OpChainHardforks::new(forks.map(|fork| {
        let condition = match fork {
            OpHardfork::Bedrock => ForkCondition::Block(0),
            _ => ForkCondition::Timestamp(0),
        };
        (*fork, condition)
    }))
}
