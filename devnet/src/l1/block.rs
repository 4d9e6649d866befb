//! [`L1Block`]: a sealed block of the devnet's L1, with its transactions, their receipts and the state it
//! left.
//!
//! Every root in its header is the root of its content. It executes nothing: what a transaction logs and uses
//! comes with it.

use super::state::L1State;
use super::system_config::SystemConfigContract;
use super::user_deposit;
use alloy::{
    consensus::{Eip658Value, Header, Receipt, ReceiptEnvelope, TxEnvelope, proofs},
    eips::BlockNumHash,
    primitives::{Address, B256, Bloom, Log},
};
use op_alloy::consensus::TxDeposit;
use std::sync::Arc;

/// A transaction on L1 with all that its execution would have left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct L1Transaction {
    /// As it was signed.
    pub(crate) envelope: TxEnvelope,
    /// Who signed it.
    pub(crate) from: Address,
    /// What it logs, in order.
    pub(crate) logs: Vec<Log>,
    /// What it uses.
    pub(crate) gas_used: u64,
    /// The `SystemConfig` contract that it changes, and what that holds then.
    pub(crate) sets: Option<(Address, SystemConfigContract)>,
}

/// A sealed L1 block: `hash` is the header's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct L1Block {
    /// The header (Prague shape).
    pub header: Header,
    /// `keccak256` of the header's RLP.
    pub hash: B256,
    /// The transactions in order, each with its sender.
    pub transactions: Vec<(TxEnvelope, Address)>,
    /// One receipt a transaction, in order.
    pub receipts: Vec<ReceiptEnvelope>,
    state: Arc<L1State>,
}

impl L1Block {
    /// Completes a header with the roots and sums of a body and of the state that it leaves.
    pub(crate) fn seal(draft: Header, body: Vec<L1Transaction>, state: Arc<L1State>) -> Arc<Self> {
        let mut gas_used = 0_u64;
        let mut logs_bloom = Bloom::ZERO;
        let (mut transactions, mut receipts) = (Vec::new(), Vec::new());
        for transaction in body {
            gas_used = gas_used.saturating_add(transaction.gas_used);
            let receipt = receipt(transaction.logs, gas_used);
            logs_bloom |= *receipt.logs_bloom();
            receipts.push(receipt);
            transactions.push((transaction.envelope, transaction.from));
        }
        let envelopes: Vec<_> = transactions.iter().map(|(envelope, _)| envelope).collect();
        let header = Header {
            transactions_root: proofs::calculate_transaction_root(&envelopes),
            receipts_root: proofs::calculate_receipt_root(&receipts),
            state_root: state.root(),
            logs_bloom,
            gas_used,
            ..draft
        };
        let hash = header.hash_slow();
        Arc::new(Self { header, hash, transactions, receipts, state })
    }

    /// The height.
    pub const fn number(&self) -> u64 {
        self.header.number
    }

    /// The timestamp.
    #[cfg(test)]
    pub const fn timestamp(&self) -> crosscheck_p2p::UnixSeconds {
        crosscheck_p2p::UnixSeconds(self.header.timestamp)
    }

    /// Height and hash.
    pub const fn id(&self) -> BlockNumHash {
        BlockNumHash { number: self.header.number, hash: self.hash }
    }

    /// The state that the block left.
    pub(crate) fn state(&self) -> &L1State {
        &self.state
    }

    /// Every log in order: its index in the whole block, the place of its transaction, and the log.
    pub fn logs(&self) -> impl Iterator<Item = (u64, usize, &Log)> {
        let receipts = self.receipts.iter().enumerate();
        let logs = receipts.flat_map(|(place, receipt)| receipt.logs().iter().map(move |log| (place, log)));
        (0_u64..).zip(logs).map(|(index, (place, log))| (index, place, log))
    }

    /// The deposits that users made in this block through a chain's portal, as that chain must include them.
    pub fn deposits(&self, portal: Address) -> Vec<TxDeposit> {
        let of_portal = self.logs().filter(|(_, _, log)| log.address == portal);
        of_portal.filter_map(|(index, _, log)| user_deposit::read(log, self.hash, index)).collect()
    }
}

fn receipt(logs: Vec<Log>, cumulative_gas_used: u64) -> ReceiptEnvelope {
    let receipt = Receipt { status: Eip658Value::Eip658(true), cumulative_gas_used, logs };
    ReceiptEnvelope::Eip1559(receipt.with_bloom())
}
