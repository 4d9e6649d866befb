//! [`PayloadWriter`]: the SSZ bytes of a payload.
//!
//! Writes only what [`PayloadReader`](crate::payload_reader::PayloadReader) reads back; refuses the rest.

use crate::{
    ExecutionPayload, MalformedPayload, VersionFields,
    payload_layout::{
        MAX_EXTRA_DATA_BYTES, MAX_TRANSACTIONS, MAX_WITHDRAWALS, OFFSET_BYTES, WITHDRAWAL_BYTES,
    },
};
use alloy_eips::eip4895::Withdrawal;

/// Writes one payload.
pub(crate) struct PayloadWriter<'a> {
    payload: &'a ExecutionPayload,
    withdrawals: &'a [Withdrawal],
    transactions_at: usize,
    withdrawals_at: usize,
    end: usize,
}

impl<'a> PayloadWriter<'a> {
    /// A writer of a payload that has a wire form.
    ///
    /// # Errors
    /// A list is longer than the type allows, or the whole is too long for 32-bit offsets.
    pub(crate) fn new(payload: &'a ExecutionPayload) -> Result<Self, MalformedPayload> {
        check_limits(payload)?;
        let withdrawals = payload.withdrawals().unwrap_or_default();
        let transactions_at = payload.version().fixed_bytes().saturating_add(payload.extra_data.len());
        let withdrawals_at = payload
            .transactions
            .iter()
            .fold(transactions_at, |at, tx| at.saturating_add(OFFSET_BYTES).saturating_add(tx.len()));
        let end = withdrawals_at.saturating_add(withdrawals.len().saturating_mul(WITHDRAWAL_BYTES));
        u32::try_from(end).map_err(|_| MalformedPayload::TooLarge { size: end })?;
        Ok(Self { payload, withdrawals, transactions_at, withdrawals_at, end })
    }

    /// How many bytes [`PayloadWriter::write`] appends.
    pub(crate) const fn size(&self) -> usize {
        self.end
    }

    /// Appends the payload.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        self.write_fixed(out);
        out.extend_from_slice(&self.payload.extra_data);
        self.write_transactions(out);
        self.withdrawals.iter().for_each(|withdrawal| write_withdrawal(withdrawal, out));
    }

    fn write_fixed(&self, out: &mut Vec<u8>) {
        let p = self.payload;
        out.extend_from_slice(p.parent_hash.as_slice());
        out.extend_from_slice(p.fee_recipient.as_slice());
        out.extend_from_slice(p.state_root.as_slice());
        out.extend_from_slice(p.receipts_root.as_slice());
        out.extend_from_slice(p.logs_bloom.as_slice());
        out.extend_from_slice(p.prev_randao.as_slice());
        for number in [p.number, p.gas_limit, p.gas_used, p.timestamp.0] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        write_offset(p.version().fixed_bytes(), out);
        out.extend_from_slice(&p.base_fee_per_gas.to_le_bytes::<32>());
        out.extend_from_slice(p.block_hash.as_slice());
        write_offset(self.transactions_at, out);
        if p.version().has_withdrawals() {
            write_offset(self.withdrawals_at, out);
        }
        if let Some(blobs) = p.blobs() {
            out.extend_from_slice(&blobs.blob_gas_used.to_le_bytes());
            out.extend_from_slice(&blobs.excess_blob_gas.to_le_bytes());
        }
        if let VersionFields::V4 { withdrawals_root, .. } = &p.version_fields {
            out.extend_from_slice(withdrawals_root.as_slice());
        }
    }

    fn write_transactions(&self, out: &mut Vec<u8>) {
        let transactions = &self.payload.transactions;
        let mut at = transactions.len().saturating_mul(OFFSET_BYTES);
        for transaction in transactions {
            write_offset(at, out);
            at = at.saturating_add(transaction.len());
        }
        transactions.iter().for_each(|transaction| out.extend_from_slice(transaction));
    }
}

fn check_limits(payload: &ExecutionPayload) -> Result<(), MalformedPayload> {
    let (size, limit) = (payload.extra_data.len(), MAX_EXTRA_DATA_BYTES);
    if size > limit {
        return Err(MalformedPayload::ExtraDataTooLong { size, limit });
    }
    let (count, limit) = (payload.transactions.len(), MAX_TRANSACTIONS);
    if count > limit {
        return Err(MalformedPayload::TooManyTransactions { count, limit });
    }
    let (count, limit) = (payload.withdrawals().unwrap_or_default().len(), MAX_WITHDRAWALS);
    if count > limit {
        return Err(MalformedPayload::TooManyWithdrawals { count, limit });
    }
    Ok(())
}

/// Writes an offset, which [`PayloadWriter::new`] has found to fit 32 bits.
fn write_offset(offset: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(offset).unwrap_or(u32::MAX).to_le_bytes());
}

fn write_withdrawal(withdrawal: &Withdrawal, out: &mut Vec<u8>) {
    out.extend_from_slice(&withdrawal.index.to_le_bytes());
    out.extend_from_slice(&withdrawal.validator_index.to_le_bytes());
    out.extend_from_slice(withdrawal.address.as_slice());
    out.extend_from_slice(&withdrawal.amount.to_le_bytes());
}
