//! [`L2Block::envelope`]: a devnet block as it is gossiped.

use super::block::L2Block;
use crosscheck_p2p::{Envelope, ExecutionPayload, UnixSeconds};

impl L2Block {
    /// The block as a sequencer signs and gossips it (payload version 4).
    pub fn envelope(&self) -> Envelope {
        let header = &self.header;
        let payload = ExecutionPayload {
            parent_hash: header.parent_hash,
            fee_recipient: header.beneficiary,
            state_root: header.state_root,
            receipts_root: header.receipts_root,
            logs_bloom: header.logs_bloom,
            prev_randao: header.mix_hash,
            number: header.number,
            gas_limit: header.gas_limit,
            gas_used: header.gas_used,
            timestamp: UnixSeconds(header.timestamp),
            extra_data: header.extra_data.clone(),
            base_fee_per_gas: alloy::primitives::U256::from(header.base_fee_per_gas.unwrap_or_default()),
            block_hash: self.hash,
            transactions: self.raw_transactions.clone(),
            withdrawals: Vec::new(),
            blob_gas_used: header.blob_gas_used.unwrap_or_default(),
            excess_blob_gas: header.excess_blob_gas.unwrap_or_default(),
            withdrawals_root: header.withdrawals_root.unwrap_or_default(),
        };
        Envelope { parent_beacon_block_root: header.parent_beacon_block_root.unwrap_or_default(), payload }
    }
}
