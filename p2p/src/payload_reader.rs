//! [`PayloadReader`]: a payload from the signed bytes, without a copy.
//!
//! The variable parts are slices of the buffer that was handed in. Strict where op-node is, and where it is
//! lenient about non-canonical offset tables stricter: the bytes must be the ones that encoding gives back.

use crate::{
    BlobFields, ExecutionPayload, MalformedPayload, PayloadVersion, UnixSeconds, VersionFields,
    payload_layout::{
        MAX_EXTRA_DATA_BYTES, MAX_TRANSACTIONS, MAX_WITHDRAWALS, OFFSET_BYTES, WITHDRAWAL_BYTES,
    },
};
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, B256, Bloom, Bytes, U256};

/// The size of a parent beacon block root.
const ROOT_BYTES: usize = 32;

/// Reads one payload.
pub(crate) struct PayloadReader {
    version: PayloadVersion,
    /// What travels in front of the payload; zero before version 3, where nothing does.
    parent_beacon_block_root: B256,
    bytes: Bytes,
}

impl PayloadReader {
    /// A reader of the payload in `signed`: from version 3 on after its parent beacon block root.
    ///
    /// # Errors
    /// The bytes are too few for the root.
    pub(crate) fn new(version: PayloadVersion, signed: &Bytes) -> Result<Self, MalformedPayload> {
        if !version.has_blob_fields() {
            return Ok(Self { version, parent_beacon_block_root: B256::ZERO, bytes: signed.clone() });
        }
        let truncated = MalformedPayload::Truncated { size: signed.len(), needed: ROOT_BYTES };
        let (root, payload) = signed.split_first_chunk().ok_or(truncated)?;
        let root: [u8; 32] = *root;
        Ok(Self { version, parent_beacon_block_root: root.into(), bytes: signed.slice_ref(payload) })
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// The first rule of the layout that the bytes break.
    pub(crate) fn read(&self) -> Result<ExecutionPayload, MalformedPayload> {
        let end = self.bytes.len();
        let needed = self.version.fixed_bytes();
        if end < needed {
            return Err(MalformedPayload::Truncated { size: end, needed });
        }
        let mut fixed = Fields { rest: &self.bytes, total: end };
        let parent_hash = fixed.word()?;
        let fee_recipient = Address::from(fixed.array()?);
        let state_root = fixed.word()?;
        let receipts_root = fixed.word()?;
        let logs_bloom = Bloom::from(fixed.array()?);
        let prev_randao = fixed.word()?;
        let number = fixed.number()?;
        let gas_limit = fixed.number()?;
        let gas_used = fixed.number()?;
        let timestamp = UnixSeconds(fixed.number()?);
        let extra_data_at = fixed.offset()?;
        let base_fee_per_gas = U256::from_le_bytes(fixed.array::<32>()?);
        let block_hash = fixed.word()?;
        let transactions_at = fixed.offset()?;
        let withdrawals_at = if self.version.has_withdrawals() { fixed.offset()? } else { end };
        self.check_order(extra_data_at, transactions_at, withdrawals_at)?;
        let extra_data = self.extra_data(extra_data_at, transactions_at)?;
        let transactions = transactions(&self.part(transactions_at, withdrawals_at)?)?;
        let withdrawals = withdrawals(&self.part(withdrawals_at, end)?)?;
        Ok(ExecutionPayload {
            parent_hash,
            fee_recipient,
            state_root,
            receipts_root,
            logs_bloom,
            prev_randao,
            number,
            gas_limit,
            gas_used,
            timestamp,
            extra_data,
            base_fee_per_gas,
            block_hash,
            transactions,
            version_fields: self.version_fields(withdrawals, &mut fixed)?,
        })
    }

    /// What the version added, its fixed fields from where the offsets end.
    fn version_fields(
        &self,
        withdrawals: Vec<Withdrawal>,
        fixed: &mut Fields<'_>,
    ) -> Result<VersionFields, MalformedPayload> {
        Ok(match self.version {
            PayloadVersion::V1 => VersionFields::V1,
            PayloadVersion::V2 => VersionFields::V2 { withdrawals },
            PayloadVersion::V3 => VersionFields::V3 { withdrawals, blobs: self.blobs(fixed)? },
            PayloadVersion::V4 => {
                VersionFields::V4 { withdrawals, blobs: self.blobs(fixed)?, withdrawals_root: fixed.word()? }
            }
        })
    }

    fn blobs(&self, fixed: &mut Fields<'_>) -> Result<BlobFields, MalformedPayload> {
        Ok(BlobFields {
            parent_beacon_block_root: self.parent_beacon_block_root,
            blob_gas_used: fixed.number()?,
            excess_blob_gas: fixed.number()?,
        })
    }

    fn check_order(
        &self,
        extra: usize,
        transactions: usize,
        withdrawals: usize,
    ) -> Result<(), MalformedPayload> {
        let expected = self.version.fixed_bytes();
        if extra != expected {
            return Err(MalformedPayload::ExtraDataOffset { offset: extra, expected });
        }
        let end = self.bytes.len();
        if transactions < extra || withdrawals < transactions || end < withdrawals {
            return Err(MalformedPayload::OffsetsOutOfOrder { extra, transactions, withdrawals, end });
        }
        Ok(())
    }

    fn extra_data(&self, from: usize, to: usize) -> Result<Bytes, MalformedPayload> {
        let extra_data = self.part(from, to)?;
        if extra_data.len() > MAX_EXTRA_DATA_BYTES {
            let (size, limit) = (extra_data.len(), MAX_EXTRA_DATA_BYTES);
            return Err(MalformedPayload::ExtraDataTooLong { size, limit });
        }
        Ok(extra_data)
    }

    fn part(&self, from: usize, to: usize) -> Result<Bytes, MalformedPayload> {
        part(&self.bytes, from, to).ok_or(MalformedPayload::Truncated { size: self.bytes.len(), needed: to })
    }
}

/// A slice that shares its buffer, where `from..to` lies within `bytes`.
fn part(bytes: &Bytes, from: usize, to: usize) -> Option<Bytes> {
    bytes.get(from..to).map(|part| bytes.slice_ref(part))
}

/// Reads a list of variable-size items: a table of offsets, then the items.
fn transactions(list: &Bytes) -> Result<Vec<Bytes>, MalformedPayload> {
    if list.is_empty() {
        return Ok(Vec::new());
    }
    let size = list.len();
    let mut table = Fields { rest: list, total: size };
    let first = table.offset()?;
    if first == 0 || first % OFFSET_BYTES != 0 || first > size {
        return Err(MalformedPayload::TransactionOffset { index: 0, offset: first, size });
    }
    let count = first / OFFSET_BYTES;
    if count > MAX_TRANSACTIONS {
        return Err(MalformedPayload::TooManyTransactions { count, limit: MAX_TRANSACTIONS });
    }
    let mut start = first;
    let mut transactions = Vec::with_capacity(count);
    for next in 1..=count {
        let end = if next == count { size } else { table.offset()? };
        let transaction = part(list, start, end).ok_or(MalformedPayload::TransactionOffset {
            index: next,
            offset: end,
            size,
        })?;
        transactions.push(transaction);
        start = end;
    }
    Ok(transactions)
}

fn withdrawals(list: &Bytes) -> Result<Vec<Withdrawal>, MalformedPayload> {
    let (items, rest) = list.as_chunks::<WITHDRAWAL_BYTES>();
    if !rest.is_empty() {
        return Err(MalformedPayload::WithdrawalsSize { size: list.len(), each: WITHDRAWAL_BYTES });
    }
    if items.len() > MAX_WITHDRAWALS {
        return Err(MalformedPayload::TooManyWithdrawals { count: items.len(), limit: MAX_WITHDRAWALS });
    }
    items.iter().map(|item| withdrawal(item)).collect()
}

fn withdrawal(item: &[u8]) -> Result<Withdrawal, MalformedPayload> {
    let mut fields = Fields { rest: item, total: item.len() };
    Ok(Withdrawal {
        index: fields.number()?,
        validator_index: fields.number()?,
        address: Address::from(fields.array()?),
        amount: fields.number()?,
    })
}

/// Takes fixed-size fields off the front.
struct Fields<'a> {
    rest: &'a [u8],
    total: usize,
}

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], MalformedPayload> {
        let (field, rest) = self.rest.split_first_chunk().ok_or_else(|| self.truncated())?;
        self.rest = rest;
        Ok(*field)
    }

    fn word(&mut self) -> Result<B256, MalformedPayload> {
        self.array().map(B256::from)
    }

    fn number(&mut self) -> Result<u64, MalformedPayload> {
        self.array().map(u64::from_le_bytes)
    }

    /// An offset: 32 bits, which every platform that this runs on can index with.
    fn offset(&mut self) -> Result<usize, MalformedPayload> {
        self.array().map(|bytes| usize::try_from(u32::from_le_bytes(bytes)).unwrap_or(usize::MAX))
    }

    fn truncated(&self) -> MalformedPayload {
        MalformedPayload::Truncated { size: self.total, needed: self.total.saturating_add(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{payload_writer::PayloadWriter, sample};
    use rstest::rstest;

    const EXTRA_DATA_OFFSET: usize = 436;
    const TRANSACTIONS_OFFSET: usize = 504;
    const WITHDRAWALS_OFFSET: usize = 508;
    const FIXED_BYTES: usize = PayloadVersion::V4.fixed_bytes();
    /// The sample's extra data is 17 bytes long; then comes the offset table.
    const TABLE: usize = FIXED_BYTES + 17;

    fn encoded() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut payload = sample::payload(5);
        sample::withdrawals(&mut payload).push(Withdrawal {
            index: 1,
            validator_index: 2,
            address: Address::repeat_byte(3),
            amount: 4,
        });
        PayloadWriter::new(&payload).unwrap().write(&mut bytes);
        bytes
    }

    /// Reads a version 4 payload, the root in front of it being of no interest.
    fn read(bytes: Vec<u8>) -> Result<ExecutionPayload, MalformedPayload> {
        read_version(PayloadVersion::V4, &[vec![8; ROOT_BYTES], bytes].concat())
    }

    fn read_version(version: PayloadVersion, signed: &[u8]) -> Result<ExecutionPayload, MalformedPayload> {
        PayloadReader::new(version, &Bytes::copy_from_slice(signed))?.read()
    }

    fn put(bytes: &mut [u8], at: usize, offset: u32) {
        bytes[at..at + 4].copy_from_slice(&offset.to_le_bytes());
    }

    #[test]
    fn fields_lie_where_the_table_says() {
        let bytes = encoded();
        let payload = sample::payload(5);
        assert_eq!(bytes[0..32], payload.parent_hash[..]);
        assert_eq!(bytes[404..412], 5u64.to_le_bytes());
        assert_eq!(bytes[428..436], payload.timestamp.0.to_le_bytes());
        assert_eq!(bytes[436..440], 560u32.to_le_bytes());
        assert_eq!(bytes[440..444], 1_000_000u32.to_le_bytes());
        assert_eq!(bytes[512..520], 12_345u64.to_le_bytes());
        assert_eq!(bytes[528..560], payload.withdrawals_root().unwrap()[..]);
        assert_eq!(bytes[560..577], payload.extra_data[..]);
    }

    #[rstest]
    #[case::extra_data_elsewhere(EXTRA_DATA_OFFSET, 561, "extra-data-offset")]
    #[case::extra_data_in_the_fixed_part(EXTRA_DATA_OFFSET, 0, "extra-data-offset")]
    #[case::transactions_before_extra_data(TRANSACTIONS_OFFSET, 559, "offsets-out-of-order")]
    #[case::transactions_after_withdrawals(TRANSACTIONS_OFFSET, 600, "offsets-out-of-order")]
    #[case::withdrawals_beyond_the_end(WITHDRAWALS_OFFSET, u32::MAX, "offsets-out-of-order")]
    #[case::withdrawals_cut_into(WITHDRAWALS_OFFSET, 589, "withdrawals-size")]
    #[case::first_transaction_at_zero(TABLE, 0, "transaction-offset")]
    #[case::first_transaction_unaligned(TABLE, 7, "transaction-offset")]
    #[case::first_transaction_outside(TABLE, 0x1000, "transaction-offset")]
    #[case::transaction_backwards(TABLE + 4, 7, "transaction-offset")]
    #[case::transaction_beyond_the_list(TABLE + 4, 14, "transaction-offset")]
    fn offsets(#[case] at: usize, #[case] offset: u32, #[case] code: &str) {
        let mut bytes = encoded();
        put(&mut bytes, at, offset);
        assert_eq!(read(bytes).unwrap_err().code(), code);
    }

    #[test]
    fn extra_data_beyond_a_header_is_refused() {
        let mut bytes = encoded();
        bytes.splice(FIXED_BYTES..FIXED_BYTES, [0; 16]);
        put(&mut bytes, TRANSACTIONS_OFFSET, 560 + 33);
        put(&mut bytes, WITHDRAWALS_OFFSET, 560 + 33 + 13);
        assert_eq!(read(bytes).unwrap_err().code(), "extra-data-too-long");
    }

    #[test]
    fn a_table_of_two_to_the_twenty_and_one_is_refused() {
        let count = MAX_TRANSACTIONS as u32 + 1;
        let mut bytes = encoded()[..FIXED_BYTES].to_vec();
        let table = vec![count * 4; count as usize];
        bytes.extend(table.into_iter().flat_map(u32::to_le_bytes));
        put(&mut bytes, TRANSACTIONS_OFFSET, 560);
        put(&mut bytes, WITHDRAWALS_OFFSET, 560 + count * 4);
        assert_eq!(read(bytes).unwrap_err().code(), "too-many-transactions");
    }

    #[test]
    fn seventeen_withdrawals_are_refused() {
        let mut bytes = encoded();
        bytes.extend(vec![0; WITHDRAWAL_BYTES * 16]);
        assert_eq!(read(bytes).unwrap_err().code(), "too-many-withdrawals");
    }

    #[test]
    fn a_cut_payload_is_refused_at_every_length() {
        let bytes = encoded();
        let without_withdrawals = bytes.len() - WITHDRAWAL_BYTES;
        for end in (0..bytes.len()).filter(|end| *end != without_withdrawals) {
            assert!(read(bytes[..end].to_vec()).is_err(), "cut at {end}");
        }
        assert_eq!(read(bytes[..559].to_vec()).unwrap_err().code(), "payload-truncated");
    }

    #[test]
    fn transactions_share_the_buffer() {
        let bytes = Bytes::from([vec![8; ROOT_BYTES], encoded()].concat());
        let payload = PayloadReader::new(PayloadVersion::V4, &bytes).unwrap().read().unwrap();
        let within = bytes.as_ptr_range();
        for part in payload.transactions.iter().chain([&payload.extra_data]) {
            assert!(within.contains(&part.as_ptr()));
        }
    }
}
