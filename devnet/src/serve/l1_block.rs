//! L1 blocks, transactions and receipts in the JSON shapes of an Ethereum execution client.

use crate::l1::L1Block;
use alloy::{
    consensus::{
        BlockBody, Sealed, Transaction as _, TxEnvelope, TxReceipt,
        transaction::{Recovered, TransactionInfo},
    },
    eips::eip4895::Withdrawals,
    primitives::U256,
    rlp::Encodable,
    rpc::types::{Block, BlockTransactions, Header, Log, Transaction, TransactionReceipt},
};

/// An L1 block as `eth_getBlockBy*` answers it, with whole transactions or their hashes.
pub(super) fn l1_block(block: &L1Block, full: bool) -> Block<Transaction> {
    let body = BlockBody::<TxEnvelope> {
        transactions: block.transactions.iter().map(|(envelope, _)| envelope.clone()).collect(),
        ommers: Vec::new(),
        withdrawals: Some(Withdrawals::default()),
    };
    let size = alloy::consensus::Block { header: block.header.clone(), body }.length();
    let sealed = Sealed::new_unchecked(block.header.clone(), block.hash);
    let transactions = if full {
        let places = 0..block.transactions.len();
        BlockTransactions::Full(places.filter_map(|place| l1_transaction(block, place)).collect())
    } else {
        let hash = |(envelope, _): &(TxEnvelope, _)| *envelope.tx_hash();
        BlockTransactions::Hashes(block.transactions.iter().map(hash).collect())
    };
    Block {
        header: Header::from_consensus(sealed, Some(U256::ZERO), Some(U256::from(size))),
        uncles: Vec::new(),
        transactions,
        withdrawals: Some(Withdrawals::default()),
    }
}

/// The transaction at a place of a block; `None`: there is none.
fn l1_transaction(block: &L1Block, place: usize) -> Option<Transaction> {
    let (envelope, from) = block.transactions.get(place)?;
    let info = TransactionInfo {
        hash: Some(*envelope.tx_hash()),
        index: u64::try_from(place).ok(),
        block_hash: Some(block.hash),
        block_number: Some(block.number()),
        base_fee: block.header.base_fee_per_gas,
        block_timestamp: Some(block.header.timestamp),
    };
    Some(Transaction::from_transaction(Recovered::new_unchecked(envelope.clone(), *from), info))
}

/// All receipts of a block.
pub(super) fn l1_receipts(block: &L1Block) -> Vec<TransactionReceipt> {
    (0..block.receipts.len()).filter_map(|place| l1_receipt(block, place)).collect()
}

/// The receipt of the transaction at a place; `None`: there is none.
pub(super) fn l1_receipt(block: &L1Block, place: usize) -> Option<TransactionReceipt> {
    let ((envelope, from), receipt) = (block.transactions.get(place)?, block.receipts.get(place)?);
    let mut logs = l1_logs(block).filter(|log| log.transaction_index == u64::try_from(place).ok());
    let before = place.checked_sub(1).and_then(|before| block.receipts.get(before));
    let gas_before = before.map_or(0, TxReceipt::cumulative_gas_used);
    Some(TransactionReceipt {
        // One RPC log for each log of this receipt, in the same order.
        inner: receipt.clone().map_logs(|log| logs.next().unwrap_or(Log { inner: log, ..Log::default() })),
        transaction_hash: *envelope.tx_hash(),
        transaction_index: u64::try_from(place).ok(),
        block_hash: Some(block.hash),
        block_number: Some(block.number()),
        gas_used: receipt.cumulative_gas_used().saturating_sub(gas_before),
        effective_gas_price: envelope.effective_gas_price(block.header.base_fee_per_gas),
        blob_gas_used: None,
        blob_gas_price: None,
        from: *from,
        to: envelope.to(),
        contract_address: None,
    })
}

/// All logs of a block.
pub(super) fn l1_logs(block: &L1Block) -> impl Iterator<Item = Log> {
    block.logs().map(|(index, place, log)| Log {
        inner: log.clone(),
        block_hash: Some(block.hash),
        block_number: Some(block.number()),
        block_timestamp: Some(block.header.timestamp),
        transaction_hash: block.transactions.get(place).map(|(envelope, _)| *envelope.tx_hash()),
        transaction_index: u64::try_from(place).ok(),
        log_index: Some(index),
        removed: false,
    })
}
