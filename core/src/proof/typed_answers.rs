//! Blocks and receipts as alloy types them, proven: what tests and benchmarks make facts of.

use super::{BlockError, HashedReceipt, ProofError, ProvenLogs, VerifiedBlock};
use alloy::consensus::ReceiptWithBloom;
use alloy::eips::eip2718::{Encodable2718, Typed2718};
use alloy::rpc::types::{Block, BlockTransactions, Header as RpcHeader};
use crosscheck_p2p::ChainId;
use op_alloy::consensus::OpReceipt;
use op_alloy::rpc_types::{OpTransactionReceipt, Transaction};

impl VerifiedBlock {
    /// Checks an `eth_getBlockBy…` answer with full transactions.
    ///
    /// # Errors
    /// If header or transactions do not hash to what the block claims.
    pub fn verify(block: Block<Transaction, RpcHeader>) -> Result<Self, BlockError> {
        let RpcHeader { hash, inner: header, .. } = block.header;
        let transactions = match block.transactions {
            BlockTransactions::Full(list) => {
                list.iter().map(|transaction| transaction.inner.inner.encoded_2718().into()).collect()
            }
            BlockTransactions::Hashes(list) if list.is_empty() => Vec::new(),
            BlockTransactions::Hashes(_) | BlockTransactions::Uncle => {
                return Err(BlockError::NoTransactions { hash });
            }
        };
        Self::verify_parts(hash, header, transactions)
    }
}

impl ProvenLogs {
    /// Proves the receipts of a block, in transaction order, and reads its logs.
    ///
    /// # Errors
    /// If the receipts do not hash to the header's receipts root.
    pub fn prove(
        chain_id: ChainId,
        block: &VerifiedBlock,
        receipts: &[OpTransactionReceipt],
    ) -> Result<Self, ProofError> {
        let hashed: Vec<_> = receipts.iter().map(HashedReceipt::from).collect();
        Self::prove_hashed(chain_id, block, &hashed)
    }
}

impl From<&OpTransactionReceipt> for HashedReceipt {
    fn from(receipt: &OpTransactionReceipt) -> Self {
        let ReceiptWithBloom { receipt, logs_bloom } = &receipt.inner.inner;
        let fields = receipt.as_receipt();
        let deposit = match receipt {
            OpReceipt::Deposit(deposit) => deposit.deposit_nonce.zip(deposit.deposit_receipt_version),
            _ => None,
        };
        Self {
            tx_type: receipt.ty(),
            status: fields.status,
            cumulative_gas_used: fields.cumulative_gas_used,
            bloom: *logs_bloom,
            logs: fields.logs.iter().map(|log| log.inner.clone()).collect(),
            deposit,
            encoding: None,
        }
    }
}
