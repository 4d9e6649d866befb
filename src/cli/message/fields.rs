//! A message given field by field, and numbers in both spellings.

use alloy::primitives::{B256, Bytes, keccak256};
use clap::Args;

/// The payload, or its hash.
#[derive(Debug, Args)]
pub(super) struct Payload {
    /// keccak256 of the log's topics and data
    #[arg(long, value_name = "HASH")]
    pub(super) payload_hash: Option<B256>,
    /// The log's topics and data, concatenated
    #[arg(long, value_name = "HEX", conflicts_with = "payload_hash")]
    pub(super) payload: Option<Bytes>,
}

impl Payload {
    /// The payload's hash, if either was given.
    pub(super) fn hash(&self) -> Option<B256> {
        self.payload_hash.or_else(|| self.payload.as_ref().map(keccak256))
    }
}

/// A number in decimal or 0x-hex.
pub(super) fn number<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) if !digits.starts_with('+') => u64::from_str_radix(digits, 16),
        _ => text.parse(),
    };
    let number = parsed.map_err(|error| format!("write a decimal or 0x-hex number ({error})"))?;
    T::try_from(number).map_err(|_| "the number is too large for this field".to_owned())
}
