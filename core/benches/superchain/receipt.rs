//! A receipt for benchmarks: of a transaction that succeeded and emitted these logs. Nothing but the logs
//! matters.

use alloy::consensus::{Eip658Value, Receipt, ReceiptWithBloom};
use alloy::primitives::{Address, B256, Log, logs_bloom};
use alloy::rpc::types::{Log as RpcLog, TransactionReceipt};
use op_alloy::consensus::OpReceipt;
use op_alloy::rpc_types::{L1BlockInfo, OpTransactionReceipt};

/// The receipt of a transaction with these logs.
pub(crate) fn receipt(logs: &[Log]) -> OpTransactionReceipt {
    let logs_bloom = logs_bloom(logs);
    let logs = logs.iter().map(|log| RpcLog { inner: log.clone(), ..RpcLog::default() }).collect();
    let receipt =
        OpReceipt::Eip1559(Receipt { status: Eip658Value::Eip658(true), cumulative_gas_used: 90_000, logs });
    OpTransactionReceipt {
        inner: TransactionReceipt {
            inner: ReceiptWithBloom { receipt, logs_bloom },
            transaction_hash: B256::ZERO,
            transaction_index: Some(0),
            block_hash: None,
            block_number: None,
            gas_used: 90_000,
            effective_gas_price: 1,
            blob_gas_used: None,
            blob_gas_price: None,
            from: Address::ZERO,
            to: None,
            contract_address: None,
        },
        l1_block_info: L1BlockInfo::default(),
        op_gas_refund: None,
    }
}
