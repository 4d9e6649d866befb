//! The header of a block: drafted from its parent and its L1 origin, sealed with what its execution left.
//!
//! Specs: Holocene and Jovian exec-engine.md (extra data, minimum base fee, DA footprint), Isthmus
//! exec-engine.md (withdrawals root, requests hash). Pure: everything comes in as an argument.

use super::chain_params::ChainParams;
use super::executor::BlockExecution;
use super::state::WorldState;
use crate::contracts::{MESSAGE_PASSER, SEQUENCER_FEE_VAULT};
use crate::l1::L1Block;
use alloy::{
    consensus::{
        EMPTY_OMMER_ROOT_HASH, Header,
        constants::{EMPTY_RECEIPTS, EMPTY_TRANSACTIONS},
        proofs,
    },
    eips::{
        eip1559::{BaseFeeParams, calc_next_block_base_fee},
        eip7685::EMPTY_REQUESTS_HASH,
    },
    primitives::{B64, B256, Bloom, Bytes},
};
use op_alloy::consensus::{
    EIP1559ParamError, OpTxEnvelope, decode_jovian_extra_data, encode_jovian_extra_data,
};

/// The chain's EIP-1559 parameters, as on OP Mainnet since Canyon.
pub(crate) const BASE_FEE_PARAMS: BaseFeeParams = BaseFeeParams::new(250, 6);

/// The chain's minimum base fee, wei.
pub(crate) const MIN_BASE_FEE: u64 = 1_000_000;

/// The base fee of block 0, wei.
pub(crate) const GENESIS_BASE_FEE: u64 = 1_000_000_000;

/// Why no header can follow a parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The parent's extra data is not Jovian's.
    #[error("block {number} carries no Jovian extra data: {reason}")]
    ExtraData {
        /// The parent's height.
        number: u64,
        /// What the decoder says.
        reason: EIP1559ParamError,
    },
    /// Height or time would overflow.
    #[error("no block can follow {number}: height or timestamp would overflow")]
    Overflow {
        /// The parent's height.
        number: u64,
    },
}

/// The header of the first block.
pub(crate) fn genesis(params: &ChainParams, state: &WorldState) -> Header {
    Header {
        number: params.first_number,
        timestamp: params.genesis_time.0,
        gas_limit: params.gas_limit,
        base_fee_per_gas: Some(GENESIS_BASE_FEE),
        extra_data: extra_data(MIN_BASE_FEE),
        parent_beacon_block_root: Some(B256::ZERO),
        state_root: state.root(),
        transactions_root: EMPTY_TRANSACTIONS,
        receipts_root: EMPTY_RECEIPTS,
        withdrawals_root: Some(state.storage_root(MESSAGE_PASSER)),
        ..shape()
    }
}

/// The header of the next block, as far as it is decided before the block is executed.
///
/// # Errors
/// When the parent is malformed or the last possible block.
pub(crate) fn draft(
    params: &ChainParams,
    parent: &Header,
    parent_hash: B256,
    origin: &L1Block,
) -> Result<Header, HeaderError> {
    let overflow = HeaderError::Overflow { number: parent.number };
    let timestamp = parent.timestamp.checked_add(params.block_time).ok_or(overflow)?;
    let upgrade = params.upgrade_at(timestamp).map_or(0, |upgrade| upgrade.gas);
    Ok(Header {
        parent_hash,
        number: parent.number.checked_add(1).ok_or(overflow)?,
        timestamp,
        gas_limit: params.gas_limit.saturating_add(upgrade),
        base_fee_per_gas: Some(next_base_fee(parent)?),
        extra_data: extra_data(MIN_BASE_FEE),
        mix_hash: origin.header.mix_hash,
        parent_beacon_block_root: Some(origin.header.parent_beacon_block_root.unwrap_or_default()),
        ..shape()
    })
}

/// The draft, completed with the roots and sums of its execution.
pub(crate) fn seal(draft: Header, transactions: &[OpTxEnvelope], execution: &BlockExecution) -> Header {
    let mut logs_bloom = Bloom::ZERO;
    for log in execution.receipts.iter().flat_map(|receipt| receipt.logs()) {
        logs_bloom.accrue_log(log);
    }
    Header {
        state_root: execution.state.root(),
        transactions_root: proofs::calculate_transaction_root(transactions),
        receipts_root: proofs::calculate_receipt_root(&execution.receipts),
        withdrawals_root: Some(execution.state.storage_root(MESSAGE_PASSER)),
        logs_bloom,
        gas_used: execution.gas_used,
        blob_gas_used: Some(execution.da_footprint),
        ..draft
    }
}

/// The base fee of the block after `parent`: EIP-1559 with the parameters and the floor in the parent's extra
/// data, metered by gas or by DA footprint, whichever is more.
///
/// # Errors
/// When the parent's extra data is malformed.
pub(crate) fn next_base_fee(parent: &Header) -> Result<u64, HeaderError> {
    let (elasticity, denominator, minimum) = decode_jovian_extra_data(&parent.extra_data)
        .map_err(|reason| HeaderError::ExtraData { number: parent.number, reason })?;
    let metered = parent.gas_used.max(parent.blob_gas_used.unwrap_or_default());
    let params = BaseFeeParams::new(u128::from(denominator), u128::from(elasticity));
    let base_fee = parent.base_fee_per_gas.unwrap_or_default();
    Ok(calc_next_block_base_fee(metered, parent.gas_limit, base_fee, params).max(minimum))
}

/// What every header of these chains has alike.
fn shape() -> Header {
    Header {
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: SEQUENCER_FEE_VAULT,
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    }
}

/// Version 1, denominator, elasticity, minimum base fee: 17 bytes.
pub(super) fn extra_data(min_base_fee: u64) -> Bytes {
    // Zero parameters make the encoder write the defaults; it fails on parameters beyond 32 bits only.
    encode_jovian_extra_data(B64::ZERO, BASE_FEE_PARAMS, min_base_fee).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn parent(gas_used: u64, da_footprint: u64, base_fee: u64) -> Header {
        Header {
            gas_limit: 60_000_000,
            gas_used,
            blob_gas_used: Some(da_footprint),
            base_fee_per_gas: Some(base_fee),
            extra_data: extra_data(MIN_BASE_FEE),
            ..Header::default()
        }
    }

    // The target is a sixth of the limit: 10,000,000 gas. A change is at most base fee / 250 per target's
    // worth.
    #[rstest]
    #[case::on_target(10_000_000, 0, 1_000_000_000, 1_000_000_000)]
    #[case::empty_block(0, 0, 1_000_000_000, 996_000_000)]
    #[case::full_block(60_000_000, 0, 1_000_000_000, 1_020_000_000)]
    #[case::footprint_above_gas(0, 60_000_000, 1_000_000_000, 1_020_000_000)]
    #[case::gas_above_footprint(60_000_000, 10_000_000, 1_000_000_000, 1_020_000_000)]
    #[case::footprint_on_target(0, 10_000_000, 1_000_000_000, 1_000_000_000)]
    #[case::floor(0, 0, MIN_BASE_FEE, MIN_BASE_FEE)]
    #[case::lifted_to_the_floor(0, 0, 7, MIN_BASE_FEE)]
    fn base_fee_follows(#[case] gas: u64, #[case] footprint: u64, #[case] base_fee: u64, #[case] next: u64) {
        assert_eq!(next_base_fee(&parent(gas, footprint, base_fee)), Ok(next));
    }

    #[test]
    fn the_parents_own_parameters_apply() {
        let params =
            [&[1_u8][..], &50_u32.to_be_bytes(), &2_u32.to_be_bytes(), &5_u64.to_be_bytes()].concat();
        let parent = Header { extra_data: params.into(), ..parent(60_000_000, 0, 1_000) };
        assert_eq!(next_base_fee(&parent), Ok(1_020));
    }

    #[test]
    fn a_parent_without_parameters_is_refused() {
        let parent = Header { number: 9, extra_data: Bytes::new(), ..parent(0, 0, 1) };
        let reason = EIP1559ParamError::InvalidExtraDataLength;
        assert_eq!(next_base_fee(&parent), Err(HeaderError::ExtraData { number: 9, reason }));
    }

    #[test]
    fn extra_data_is_version_denominator_elasticity_minimum() {
        let expected =
            [&[1_u8][..], &250_u32.to_be_bytes(), &6_u32.to_be_bytes(), &1_000_000_u64.to_be_bytes()];
        assert_eq!(extra_data(MIN_BASE_FEE), expected.concat());
    }
}
