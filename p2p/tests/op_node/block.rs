//! [`Block`]: a block's fields, and the bytes that are signed. Unlike the library's, it writes down whatever
//! it is told to, sound or not.

use crate::NOW;
use crosscheck_p2p::PayloadVersion;

/// The size of a signature.
pub(crate) const SIGNATURE: usize = 65;
/// Where fields lie, counted from the payload's beginning.
pub(crate) const NUMBER: usize = 404;
pub(crate) const EXTRA_DATA_OFFSET: usize = 436;
pub(crate) const BASE_FEE: usize = 440;
pub(crate) const HASH: usize = 472;
pub(crate) const TRANSACTIONS_OFFSET: usize = 504;
pub(crate) const WITHDRAWALS_OFFSET: usize = 508;
/// The size of a withdrawal.
pub(crate) const WITHDRAWAL: usize = 44;

/// A block to be written down.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) version: PayloadVersion,
    pub(crate) root: [u8; 32],
    pub(crate) number: u64,
    pub(crate) gas_limit: u64,
    pub(crate) gas_used: u64,
    pub(crate) timestamp: u64,
    /// Little-endian.
    pub(crate) base_fee: [u8; 32],
    pub(crate) extra_data: Vec<u8>,
    pub(crate) transactions: Vec<Vec<u8>>,
    /// What stands where the withdrawals do.
    pub(crate) withdrawals: Vec<u8>,
    pub(crate) blob_gas_used: u64,
    pub(crate) excess_blob_gas: u64,
    pub(crate) withdrawals_root: [u8; 32],
}

impl Block {
    /// A sound block.
    pub(crate) fn new(version: PayloadVersion, number: u64) -> Self {
        Self {
            version,
            root: [8; 32],
            number,
            gas_limit: 60_000_000,
            gas_used: 21_000,
            timestamp: NOW.0,
            base_fee: base_fee(1_000_000),
            extra_data: vec![1; 17],
            transactions: vec![vec![0x7e, 1, 2], vec![2, 3], vec![9; 40]],
            withdrawals: Vec::new(),
            blob_gas_used: if version == PayloadVersion::V4 { 12_345 } else { 0 },
            excess_blob_gas: 0,
            withdrawals_root: [9; 32],
        }
    }

    /// The bytes that are signed. The block hash is left open.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.version >= PayloadVersion::V3 {
            bytes.extend(self.root);
        }
        let fixed = fixed_bytes(self.version);
        let transactions_at = fixed + self.extra_data.len();
        let table = self.transactions.len() * 4;
        let size: usize = self.transactions.iter().map(Vec::len).sum();
        let withdrawals_at = transactions_at + table + size;
        bytes.extend([1; 32]);
        bytes.extend([2; 20]);
        bytes.extend([3; 32]);
        bytes.extend([4; 32]);
        bytes.extend([5; 256]);
        bytes.extend([6; 32]);
        for number in [self.number, self.gas_limit, self.gas_used, self.timestamp] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(offset(fixed));
        bytes.extend(self.base_fee);
        bytes.extend([0; 32]);
        bytes.extend(offset(transactions_at));
        if self.version >= PayloadVersion::V2 {
            bytes.extend(offset(withdrawals_at));
        }
        if self.version >= PayloadVersion::V3 {
            bytes.extend(self.blob_gas_used.to_le_bytes());
            bytes.extend(self.excess_blob_gas.to_le_bytes());
        }
        if self.version >= PayloadVersion::V4 {
            bytes.extend(self.withdrawals_root);
        }
        bytes.extend(&self.extra_data);
        let mut start = table;
        for transaction in &self.transactions {
            bytes.extend(offset(start));
            start += transaction.len();
        }
        self.transactions.iter().for_each(|transaction| bytes.extend(transaction));
        if self.version >= PayloadVersion::V2 {
            bytes.extend(&self.withdrawals);
        }
        bytes
    }
}

/// Where the payload begins in the signed bytes.
pub(crate) fn payload_at(version: PayloadVersion) -> usize {
    if version >= PayloadVersion::V3 { 32 } else { 0 }
}

/// The size of the fixed part.
pub(crate) fn fixed_bytes(version: PayloadVersion) -> usize {
    match version {
        PayloadVersion::V1 => 508,
        PayloadVersion::V2 => 512,
        PayloadVersion::V3 => 528,
        PayloadVersion::V4 => 560,
    }
}

/// A base fee of 64 bits.
pub(crate) fn base_fee(wei: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&wei.to_le_bytes());
    bytes
}

fn offset(at: usize) -> [u8; 4] {
    u32::try_from(at).unwrap().to_le_bytes()
}
