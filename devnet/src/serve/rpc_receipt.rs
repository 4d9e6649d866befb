//! Receipts and logs in the JSON shapes of an OP Stack execution client, with its L1 fee fields.

use crate::chain::L2Block;
use crate::l1::DA_FOOTPRINT_GAS_SCALAR;
use alloy::{
    consensus::{ReceiptWithBloom, Transaction as _, TxReceipt},
    primitives::{Address, U256},
    rpc::types::{Log, TransactionReceipt},
};
use op_alloy::{
    consensus::{OpReceipt, OpReceiptEnvelope, OpTxEnvelope},
    rpc_types::{L1BlockInfo, OpTransactionReceipt},
};
use op_revm::{L1BlockInfo as FeeOracle, OpSpecId};

/// Where the fee scalars, the L1 base fee and the blob base fee are in the calldata of the L1 attributes
/// (Ecotone and later).
const BASE_FEE_SCALAR_AT: core::ops::Range<usize> = 4..8;
const BLOB_BASE_FEE_SCALAR_AT: core::ops::Range<usize> = 8..12;
const BASE_FEE_AT: core::ops::Range<usize> = 36..68;
const BLOB_BASE_FEE_AT: core::ops::Range<usize> = 68..100;

/// All receipts of a block.
pub fn rpc_receipts(block: &L2Block) -> Vec<OpTransactionReceipt> {
    (0..block.receipts.len()).filter_map(|index| rpc_receipt(block, index)).collect()
}

/// The receipt of the transaction at a place; `None`: there is none.
pub(super) fn rpc_receipt(block: &L2Block, index: usize) -> Option<OpTransactionReceipt> {
    let (transaction, envelope) = (block.transactions.get(index)?, block.receipts.get(index)?);
    let mut logs = rpc_logs(block).filter(|log| log.transaction_index == u64::try_from(index).ok());
    let receipt = OpReceipt::from(envelope.clone());
    let bloom = *envelope.logs_bloom();
    // One RPC log for each log of this receipt, in the same order.
    let receipt = receipt.map_logs(|log| logs.next().unwrap_or(Log { inner: log, ..Log::default() }));
    let before = index.checked_sub(1).and_then(|before| block.receipts.get(before));
    let gas_before = before.map_or(0, TxReceipt::cumulative_gas_used);
    Some(OpTransactionReceipt {
        inner: TransactionReceipt {
            inner: ReceiptWithBloom::new(receipt, bloom),
            transaction_hash: transaction.tx_hash(),
            transaction_index: u64::try_from(index).ok(),
            block_hash: Some(block.hash),
            block_number: Some(block.number()),
            gas_used: envelope.cumulative_gas_used().saturating_sub(gas_before),
            effective_gas_price: transaction.effective_gas_price(block.header.base_fee_per_gas),
            blob_gas_used: da_footprint(block, index),
            blob_gas_price: None,
            from: *block.senders.get(index)?,
            to: transaction.to(),
            contract_address: created(transaction, envelope),
        },
        l1_block_info: l1_block_info(block, index)?,
        op_gas_refund: None,
    })
}

/// All logs of a block.
pub(super) fn rpc_logs(block: &L2Block) -> impl Iterator<Item = Log> {
    block.logs().map(|(log_index, transaction, log)| Log {
        inner: log.clone(),
        block_hash: Some(block.hash),
        block_number: Some(block.number()),
        block_timestamp: Some(block.header.timestamp),
        transaction_hash: block.transactions.get(transaction).map(OpTxEnvelope::tx_hash),
        transaction_index: u64::try_from(transaction).ok(),
        log_index: Some(u64::from(log_index)),
        removed: false,
    })
}

/// The contract that a deposit created, if it is one that creates.
fn created(transaction: &OpTxEnvelope, receipt: &OpReceiptEnvelope) -> Option<Address> {
    let OpTxEnvelope::Deposit(deposit) = transaction else { return None };
    (deposit.to.is_create() && receipt.status()).then_some(deposit.from.create(receipt.deposit_nonce()?))
}

/// The fee fields: the L1 attributes that the block itself carries, and what they make this transaction pay.
fn l1_block_info(block: &L2Block, index: usize) -> Option<L1BlockInfo> {
    let attributes = block.transactions.first()?.input();
    let word = |range| attributes.get(range).and_then(U256::try_from_be_slice);
    let (base_fee, blob_base_fee) = (word(BASE_FEE_AT)?, word(BLOB_BASE_FEE_AT)?);
    let (scalar, blob_scalar) = (word(BASE_FEE_SCALAR_AT)?, word(BLOB_BASE_FEE_SCALAR_AT)?);
    let mut oracle = FeeOracle {
        l1_base_fee: base_fee,
        l1_base_fee_scalar: scalar,
        l1_blob_base_fee: Some(blob_base_fee),
        l1_blob_base_fee_scalar: Some(blob_scalar),
        ..FeeOracle::default()
    };
    let raw = block.raw_transactions.get(index)?;
    let is_deposit = matches!(block.transactions.get(index)?, OpTxEnvelope::Deposit(_));
    let gas = if is_deposit { U256::ZERO } else { oracle.data_gas(raw, OpSpecId::JOVIAN) };
    Some(L1BlockInfo {
        l1_gas_price: u128::try_from(base_fee).ok(),
        l1_gas_used: u128::try_from(gas).ok(),
        l1_fee: u128::try_from(oracle.calculate_tx_l1_cost(raw, OpSpecId::JOVIAN)).ok(),
        l1_fee_scalar: None,
        l1_base_fee_scalar: u128::try_from(scalar).ok(),
        l1_blob_base_fee: u128::try_from(blob_base_fee).ok(),
        l1_blob_base_fee_scalar: u128::try_from(blob_scalar).ok(),
        operator_fee_scalar: Some(0),
        operator_fee_constant: Some(0),
        da_footprint_gas_scalar: Some(DA_FOOTPRINT_GAS_SCALAR),
    })
}

/// A transaction's share of the block's DA footprint (Jovian); deposits and metering have none.
fn da_footprint(block: &L2Block, index: usize) -> Option<u64> {
    const MICRO: u64 = 1_000_000;
    if matches!(block.transactions.get(index)?, OpTxEnvelope::Deposit(_) | OpTxEnvelope::PostExec(_)) {
        return None;
    }
    // The estimate is in millionths of a byte; whole bytes count.
    let estimate = op_revm::estimate_tx_compressed_size(block.raw_transactions.get(index)?);
    Some(estimate.checked_div(MICRO)?.saturating_mul(u64::from(DA_FOOTPRINT_GAS_SCALAR)))
}
