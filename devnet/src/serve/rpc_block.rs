//! Blocks and transactions in the JSON shapes of an OP Stack execution client.

use crate::chain::L2Block;
use alloy::{
    consensus::{
        Block as ConsensusBlock, BlockBody, Sealed,
        transaction::{Recovered, TransactionInfo},
    },
    eips::eip4895::Withdrawals,
    primitives::U256,
    rpc::types::{Block, BlockTransactions, Header},
};
use op_alloy::{
    consensus::{
        OpReceiptEnvelope, OpTxEnvelope,
        transaction::{OpDepositInfo, OpTransactionInfo},
    },
    rpc_types::Transaction,
};

/// A block as `eth_getBlockBy*` answers it, with whole transactions or their hashes.
pub fn rpc_block(block: &L2Block, full: bool) -> Block<Transaction> {
    let body = BlockBody {
        transactions: block.transactions.clone(),
        ommers: Vec::new(),
        withdrawals: Some(Withdrawals::default()),
    };
    let size = alloy::rlp::Encodable::length(&ConsensusBlock { header: block.header.clone(), body });
    let sealed = Sealed::new_unchecked(block.header.clone(), block.hash);
    let header = Header::from_consensus(sealed, Some(U256::ZERO), Some(U256::from(size)));
    let transactions = if full {
        BlockTransactions::Full(
            (0..block.transactions.len()).filter_map(|index| rpc_transaction(block, index)).collect(),
        )
    } else {
        BlockTransactions::Hashes(block.transactions.iter().map(OpTxEnvelope::tx_hash).collect())
    };
    Block { header, uncles: Vec::new(), transactions, withdrawals: Some(Withdrawals::default()) }
}

/// A transaction of a block; `None`: the block has none at this place.
pub(super) fn rpc_transaction(block: &L2Block, index: usize) -> Option<Transaction> {
    let envelope = block.transactions.get(index)?;
    let sender = *block.senders.get(index)?;
    let inner = TransactionInfo {
        hash: Some(envelope.tx_hash()),
        index: u64::try_from(index).ok(),
        block_hash: Some(block.hash),
        block_number: Some(block.number()),
        base_fee: block.header.base_fee_per_gas,
        block_timestamp: Some(block.header.timestamp),
    };
    let deposit_meta = deposit_info(block.receipts.get(index)?);
    let recovered = Recovered::new_unchecked(envelope.clone(), sender);
    Some(Transaction::from_transaction(recovered, OpTransactionInfo { inner, deposit_meta }))
}

fn deposit_info(receipt: &OpReceiptEnvelope) -> OpDepositInfo {
    OpDepositInfo {
        deposit_nonce: receipt.deposit_nonce(),
        deposit_receipt_version: receipt.deposit_receipt_version(),
    }
}
