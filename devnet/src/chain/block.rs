//! [`L2Block`]: a sealed block of a devnet chain, with its receipts.
//!
//! It contains what an execution client and a rollup node report about the block. It computes nothing but
//! views.

use alloy::{
    consensus::Header,
    eips::BlockNumHash,
    primitives::{Address, B256, Bytes, Log},
};
use crosscheck_p2p::UnixSeconds;
use op_alloy::consensus::{OpReceiptEnvelope, OpTxEnvelope};

/// A block as it was executed and sealed: `hash` is the header's hash, and every root in the header
/// is the root of its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct L2Block {
    /// The header (Jovian shape).
    pub header: Header,
    /// `keccak256` of the header's RLP.
    pub hash: B256,
    /// The transactions in order: the L1-attributes deposit first, except in genesis, which has none.
    pub transactions: Vec<OpTxEnvelope>,
    /// Who sent each of them, in the same order.
    pub senders: Vec<Address>,
    /// The same transactions in EIP-2718 encoding.
    pub raw_transactions: Vec<Bytes>,
    /// One receipt a transaction, in order.
    pub receipts: Vec<OpReceiptEnvelope>,
    /// The L1 block that this block's epoch starts from.
    pub l1_origin: BlockNumHash,
    /// How many blocks of the same epoch came before.
    pub sequence_number: u64,
}

impl L2Block {
    /// The height.
    pub const fn number(&self) -> u64 {
        self.header.number
    }

    /// The timestamp.
    pub const fn timestamp(&self) -> UnixSeconds {
        UnixSeconds(self.header.timestamp)
    }

    /// Whether the block holds no transaction that a user signed.
    #[cfg(test)]
    pub fn is_deposits_only(&self) -> bool {
        self.transactions.iter().all(|transaction| matches!(transaction, OpTxEnvelope::Deposit(_)))
    }

    /// Every log in order: its index in the whole block, the index of its transaction, and the log.
    pub fn logs(&self) -> impl Iterator<Item = (u32, usize, &Log)> {
        let logs = self
            .receipts
            .iter()
            .enumerate()
            .flat_map(|(transaction, receipt)| receipt.logs().iter().map(move |log| (transaction, log)));
        (0_u32..).zip(logs).map(|(index, (transaction, log))| (index, transaction, log))
    }
}
