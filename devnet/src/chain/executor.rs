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
pub(crate) struct BlockExecution {
    /// One receipt a transaction.
    pub(crate) receipts: Vec<OpReceiptEnvelope>,
    /// Gas used by all of them.
    pub(crate) gas_used: u64,
    /// The DA footprint of all of them, in gas.
    pub(crate) da_footprint: u64,
    /// The state after the block.
    pub(crate) state: WorldState,
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
    /// A transaction cannot be in this block. One that merely reverts can.
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
pub(crate) struct ParentState<'a> {
    pub(crate) state: &'a WorldState,
    pub(crate) ancestors: &'a BTreeMap<u64, B256>,
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

/// Executes `transactions` in order on `parent`, in the block that `draft` begins; `ancestors` are the hashes
/// that BLOCKHASH answers, by height.
///
/// # Errors
/// When a transaction is not valid there. A transaction that reverts is not an error.
pub(crate) fn execute(
    chain_id: u64,
    draft: &Header,
    parent: &WorldState,
    ancestors: &BTreeMap<u64, B256>,
    transactions: &[Recovered<OpTxEnvelope>],
) -> Result<BlockExecution, ExecutorError> {
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
    Ok(BlockExecution {
        receipts: result.receipts,
        gas_used: result.gas_used,
        da_footprint: result.blob_gas_used,
        state: parent.after(&state.take_bundle()),
    })
}

/// Every fork up to Jovian, from genesis on.
///
/// Interop is not among them: it changes no opcode and no precompile, and this EVM's interop rules would
/// bring those of a fork that comes after Jovian along. On these chains interop is its predeploys and its
/// message rules.
pub(crate) fn hardforks() -> OpChainHardforks {
    let forks = OpHardfork::VARIANTS.iter().filter(|fork| **fork <= OpHardfork::Jovian);
    OpChainHardforks::new(forks.map(|fork| match *fork == OpHardfork::Bedrock {
        true => (*fork, ForkCondition::Block(0)),
        false => (*fork, ForkCondition::Timestamp(0)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{header, user_transaction};
    use crate::contracts::{EMITTER, L1_BLOCK, emit_call};
    use crate::fixture::Fixture;
    use crate::l1::{BASE_FEE_SCALAR, BLOB_BASE_FEE_SCALAR, DA_FOOTPRINT_GAS_SCALAR, DEPOSITOR};
    use alloy::{
        eips::{eip2930::AccessList, eip2935::HISTORY_STORAGE_ADDRESS, eip4788::BEACON_ROOTS_ADDRESS},
        primitives::hex,
    };
    use op_revm::{L1BlockInfo, OpSpecId};
    use revm::database::WrapDatabaseRef;

    /// The oracle is the reader that op-revm itself uses to charge fees.
    #[test]
    fn fee_parameters_are_where_the_evm_reads_them() {
        let mut fixture = Fixture::new(7);
        let block = fixture.extend(&[]);
        let state = fixture.chain.state(block.hash).unwrap();
        let mut reader = WrapDatabaseRef(ParentState { state, ancestors: &BTreeMap::new() });
        let info = L1BlockInfo::try_fetch(&mut reader, U256::ONE, OpSpecId::JOVIAN).unwrap();
        let origin = &fixture.l1.head().header;
        assert_eq!(info.l1_base_fee, U256::from(origin.base_fee_per_gas.unwrap()));
        assert_eq!(info.l1_base_fee_scalar, U256::from(BASE_FEE_SCALAR));
        assert_eq!(info.l1_blob_base_fee, Some(U256::ONE));
        assert_eq!(info.l1_blob_base_fee_scalar, Some(U256::from(BLOB_BASE_FEE_SCALAR)));
        assert_eq!(info.operator_fee_scalar, Some(U256::ZERO));
        assert_eq!(info.operator_fee_constant, Some(U256::ZERO));
        assert_eq!(info.da_footprint_gas_scalar, Some(DA_FOOTPRINT_GAS_SCALAR));
        let slot = |slot: u64| state.storage(L1_BLOCK, U256::from(slot));
        assert_eq!(slot(0), (U256::from(origin.timestamp) << 64) | U256::from(origin.number));
        assert_eq!(slot(2), U256::from_be_bytes(fixture.l1.head().hash.0));
        assert_eq!(slot(4), U256::from_be_bytes(fixture.chain.params().batcher.into_word().0));
    }

    #[test]
    fn system_contracts_remember_parent_and_beacon_root() {
        let mut fixture = Fixture::new(7);
        let parent = fixture.extend(&[]);
        let block = fixture.extend(&[]);
        let state = fixture.chain.state(block.hash).unwrap();
        let remembered = state.storage(HISTORY_STORAGE_ADDRESS, U256::from(parent.number()));
        assert_eq!(remembered, U256::from_be_bytes(parent.hash.0));
        let ring = block.header.timestamp % 8_191 + 8_191;
        let remembered = state.storage(BEACON_ROOTS_ADDRESS, U256::from(ring));
        assert_eq!(remembered, U256::from_be_bytes(block.header.parent_beacon_block_root.unwrap().0));
    }

    #[test]
    fn deposit_receipts_carry_nonce_and_version() {
        let mut fixture = Fixture::new(7);
        for nonce in 0..3 {
            let block = fixture.extend(&[]);
            let OpReceiptEnvelope::Deposit(receipt) = &block.receipts[0] else {
                panic!("no deposit receipt")
            };
            assert_eq!(receipt.receipt.deposit_nonce, Some(nonce));
            assert_eq!(receipt.receipt.deposit_receipt_version, Some(1));
            assert_eq!(fixture.chain.nonce(block.hash, DEPOSITOR).unwrap(), nonce + 1);
        }
    }

    #[test]
    fn da_footprint_is_the_compressed_size_of_user_transactions_times_the_scalar() {
        let mut fixture = Fixture::new(7);
        assert_eq!(fixture.extend(&[]).header.blob_gas_used, Some(0));
        let data: Vec<u8> =
            (0..400_u32).flat_map(|word| alloy::primitives::keccak256(word.to_be_bytes()).0).collect();
        let raw = fixture.call(0, EMITTER, emit_call(&[], &data), AccessList::default());
        let block = fixture.extend(std::slice::from_ref(&raw));
        let size = op_revm::estimate_tx_compressed_size(&raw) / 1_000_000;
        assert!(size > 10_000, "the data does not compress");
        assert_eq!(block.header.blob_gas_used, Some(size * u64::from(DA_FOOTPRINT_GAS_SCALAR)));
    }

    #[test]
    fn blockhash_answers_the_ancestors() {
        let fixture = Fixture::new(7);
        let (genesis, params) = (fixture.chain.genesis(), fixture.chain.params());
        let asker = Address::repeat_byte(0x0a);
        let mut state = fixture.chain.state(genesis.hash).unwrap().clone();
        // PUSH0 CALLDATALOAD BLOCKHASH PUSH0 SSTORE: stores the hash of the block that it is asked for.
        state.deploy(asker, hex!("5f35405f55").into());
        let draft = header::draft(params, &genesis.header, genesis.hash, fixture.l1.head()).unwrap();
        let raw = fixture.call(0, asker, U256::ZERO.to_be_bytes::<32>().into(), AccessList::default());
        let transactions = [user_transaction::recover(0, &raw).unwrap()];
        let ancestors = BTreeMap::from([(0, genesis.hash)]);
        let execution = execute(params.chain_id, &draft, &state, &ancestors, &transactions).unwrap();
        assert_eq!(execution.state.storage(asker, U256::ZERO), U256::from_be_bytes(genesis.hash.0));
    }

    #[test]
    fn fees_go_to_the_vaults() {
        let mut fixture = Fixture::new(7);
        let raw = fixture.call(0, EMITTER, emit_call(&[], &[]), AccessList::default());
        let block = fixture.extend(&[raw]);
        let state = fixture.chain.state(block.hash).unwrap();
        let gas_used = block.header.gas_used - block.receipts[0].cumulative_gas_used();
        let balance = |address| state.info(address).unwrap().balance;
        let base_fee = U256::from(block.header.base_fee_per_gas.unwrap());
        assert_eq!(balance(op_revm::constants::BASE_FEE_RECIPIENT), base_fee * U256::from(gas_used));
        assert!(!balance(block.header.beneficiary).is_zero());
        assert!(!balance(op_revm::constants::L1_FEE_RECIPIENT).is_zero());
    }
}
