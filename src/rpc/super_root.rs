//! Output roots and super roots, pure: from verified headers alone.
//!
//! Spec: protocol/proposals.md, "L2 Output Commitment Construction"; op-service `eth.SuperV1`:
//! `keccak256(0x01 || u64 timestamp || (u256 chain id || output root)*)`, chains ascending.

use alloy::primitives::{B256, keccak256};
use crosscheck_core::proof::{OutputV0, VerifiedBlock};
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::BTreeMap;

/// The version that precedes every super root's preimage.
pub const SUPER_ROOT_VERSION: u8 = 1;

/// What the output root at a block is the hash of. `None`: its header is from before Isthmus, and holds no
/// storage root of the message passer.
pub(super) fn output_of(block: &VerifiedBlock) -> Option<OutputV0> {
    let header = block.header();
    header.requests_hash?;
    let withdrawals_root = header.withdrawals_root?;
    Some(OutputV0 { state_root: header.state_root, withdrawals_root, block_hash: block.hash() })
}

/// The super root of these output roots.
pub fn super_root(timestamp: UnixSeconds, outputs: &BTreeMap<ChainId, B256>) -> B256 {
    let mut preimage = Vec::with_capacity(outputs.len().saturating_mul(64).saturating_add(9));
    preimage.push(SUPER_ROOT_VERSION);
    preimage.extend(timestamp.0.to_be_bytes());
    for (chain_id, output) in outputs {
        preimage.extend(chain_id.to_be_bytes());
        preimage.extend(output.as_slice());
    }
    keccak256(preimage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::b256;

    /// Recomputed from kona's `SuperRoot` test.
    #[test]
    fn agrees_with_the_published_vector() {
        let outputs = [1, 2].map(|id| (ChainId::from(id), B256::ZERO)).into();
        let root = b256!("0980033cbf4337f614a2401ab7efbfdc66ab647812f1c98d891d92ddfb376541");
        assert_eq!(super_root(UnixSeconds(10), &outputs), root);
    }

    #[test]
    fn chains_are_in_the_order_of_their_256_bit_ids() {
        let (low, high) = (ChainId::from(256), ChainId::from(B256::repeat_byte(1)));
        let outputs: BTreeMap<_, _> = [(high, B256::repeat_byte(2)), (low, B256::repeat_byte(3))].into();
        let expected =
            [&[1][..], &5_u64.to_be_bytes(), &low.to_be_bytes(), &[3; 32], &high.to_be_bytes(), &[2; 32]];
        assert_eq!(super_root(UnixSeconds(5), &outputs), keccak256(expected.concat()));
    }
}
