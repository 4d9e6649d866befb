//! [`PayloadAttributes`]: what derivation asks an execution client to build. States what it wants, not what
//! came of it.
//!
//! Spec: protocol/exec-engine.md, "Extended PayloadAttributesV1" to V3.

use super::{BlockAttributes, Eip1559, FeeParameters, FeeParametersError, ForkSchedule, TransactionDigest};
use alloy::primitives::{Address, B256};
use crosscheck_p2p::UnixSeconds;

/// The EIP-1559 parameters in payload attributes since Holocene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttributeFees {
    /// Denominator and elasticity; 0,0 means the chain's configured Canyon values.
    pub eip1559: Eip1559,
    /// The minimum base fee in wei: since Jovian.
    pub min_base_fee: Option<u64>,
}

/// The attributes of a block to be built on a parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadAttributes {
    /// The block that it builds on.
    pub parent_hash: B256,
    /// Its timestamp.
    pub timestamp: UnixSeconds,
    /// The L1 origin's randomness.
    pub prev_randao: B256,
    /// Who receives the fees.
    pub fee_recipient: Address,
    /// Its gas limit.
    pub gas_limit: u64,
    /// The L1 origin's parent beacon block root: since Ecotone.
    pub parent_beacon_block_root: Option<B256>,
    /// How many withdrawals: none; no list of them before Canyon.
    pub withdrawals: Option<usize>,
    /// The EIP-1559 parameters: since Holocene.
    pub fees: Option<AttributeFees>,
    /// Its transactions, in order.
    pub transactions: Vec<TransactionDigest>,
}

impl PayloadAttributes {
    /// The attributes that a block was built from, read back from it. Where they said 0,0, the block says
    /// what that meant.
    ///
    /// # Errors
    /// If its extra data is not as its fork has it.
    pub fn of_block(forks: &ForkSchedule, block: &BlockAttributes) -> Result<Self, FeeParametersError> {
        let fees = block.fees_by_fork(forks)?;
        Ok(Self {
            parent_hash: block.parent_hash,
            timestamp: block.timestamp,
            prev_randao: block.prev_randao,
            fee_recipient: block.fee_recipient,
            gas_limit: block.gas_limit,
            parent_beacon_block_root: block.parent_beacon_block_root,
            withdrawals: block.withdrawals,
            fees: fees.map(|fees: FeeParameters| AttributeFees {
                eip1559: fees.eip1559(),
                min_base_fee: fees.min_base_fee,
            }),
            transactions: block.transactions.clone(),
        })
    }
}
