//! [`Fingerprint`]: one word for a block's attributes, to be kept where the attributes themselves are too
//! much.

use super::BlockAttributes;
use alloy::primitives::{B256, Keccak256};

/// `keccak256` over all attributes of a block: equal for blocks that match, and only for those. The
/// withdrawals root is a result of execution, and no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub B256);

impl Fingerprint {
    /// The fingerprint of these attributes.
    pub fn of(attributes: &BlockAttributes) -> Self {
        let mut hasher = Keccak256::new();
        // Every part is of fixed width or preceded by its length: different attributes are different bytes.
        hasher.update(attributes.parent_hash);
        hasher.update(attributes.timestamp.0.to_be_bytes());
        hasher.update(attributes.prev_randao);
        hasher.update(attributes.fee_recipient);
        hasher.update(attributes.gas_limit.to_be_bytes());
        hasher.update([u8::from(attributes.parent_beacon_block_root.is_some())]);
        hasher.update(attributes.parent_beacon_block_root.unwrap_or_default());
        hasher.update([u8::from(attributes.withdrawals.is_some())]);
        hasher.update((attributes.withdrawals.unwrap_or_default() as u128).to_be_bytes());
        hasher.update(fee_bytes(attributes));
        for transaction in &attributes.transactions {
            hasher.update(transaction.hash);
        }
        Self(hasher.finalize())
    }
}

fn fee_bytes(attributes: &BlockAttributes) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(32);
    match &attributes.fees {
        Ok(fees) => {
            bytes.extend([1, u8::from(fees.min_base_fee.is_some())]);
            bytes.extend(fees.denominator.to_be_bytes());
            bytes.extend(fees.elasticity.to_be_bytes());
            bytes.extend(fees.min_base_fee.unwrap_or_default().to_be_bytes());
        }
        Err(error) => {
            bytes.push(0);
            bytes.extend((error.extra_data.len() as u128).to_be_bytes());
            bytes.extend_from_slice(&error.extra_data);
        }
    }
    bytes
}
