//! [`SystemConfig`]: the chain's parameters on L1 at one epoch, as its blocks carry them on.
//!
//! Spec: protocol/system-config.md. Read back from a block as op-node does
//! (`op-node/rollup/derive/payload_util.go`).

use super::words::Words;
use super::{DepositsError, EcotoneFees, L1Fees, L1Info, OperatorFee};
use crate::consolidation::fee_parameters::Eip1559;
use crate::consolidation::{BlockAttributes, Fork, RollupConfig};
use alloy::primitives::{Address, B256, U256};

/// What a chain's SystemConfig contract had in force at an L1 block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemConfig {
    /// Who posts the chain's batches.
    pub batcher: Address,
    /// The L1 fee overhead; without force since Ecotone.
    pub overhead: B256,
    /// The L1 fee scalar; since Ecotone a version byte and two scalars.
    pub scalar: B256,
    /// The block gas limit.
    pub gas_limit: u64,
    /// The EIP-1559 parameters; 0,0: the chain's Canyon values.
    pub eip1559: Eip1559,
    /// The operator fee.
    pub operator_fee: OperatorFee,
    /// The minimum base fee, wei.
    pub min_base_fee: u64,
    /// The gas that a byte of estimated compressed size counts as; 0: the protocol's default.
    pub da_footprint_gas_scalar: u16,
}

/// The version byte of a scalar that holds one number.
const SCALAR_BEDROCK: u8 = 0;
/// The version byte of a scalar that holds two.
const SCALAR_ECOTONE: u8 = 1;

/// The two scalars in a scalar word since Ecotone: base fee, then blob base fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scalars {
    pub(super) base_fee: u32,
    pub(super) blob_base_fee: u32,
}

/// Why a scalar word has no Ecotone scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScalarError {
    /// Version 0 with a number beyond 32 bits.
    Wide,
    /// Version 1 with something in its padding, or an unknown version.
    Malformed,
}

/// Reads a scalar word by Ecotone's rules.
pub(super) fn ecotone_scalars(word: B256) -> Result<Scalars, ScalarError> {
    let mut words = Words::new(word.as_slice());
    let read = words.array::<1>().zip(words.array::<23>()).zip(words.u32().zip(words.u32()));
    let (([version], padding), (blob_base_fee, base_fee)) = read.ok_or(ScalarError::Malformed)?;
    match version {
        SCALAR_BEDROCK if padding == [0; 23] && blob_base_fee == 0 => Ok(Scalars { base_fee, blob_base_fee }),
        SCALAR_BEDROCK => Err(ScalarError::Wide),
        SCALAR_ECOTONE if padding == [0; 23] => Ok(Scalars { base_fee, blob_base_fee }),
        _ => Err(ScalarError::Malformed),
    }
}

impl SystemConfig {
    /// The scalars of an L1-attributes transaction since Ecotone. `None`: the word has none, which no chain
    /// has.
    pub(super) fn scalars(&self) -> Option<Scalars> {
        match ecotone_scalars(self.scalar) {
            Ok(scalars) => Some(scalars),
            Err(ScalarError::Wide) => Some(Scalars { base_fee: u32::MAX, blob_base_fee: 0 }),
            Err(ScalarError::Malformed) => None,
        }
    }

    /// The system config in force at a block that is not the chain's first, with this gas limit: the block's
    /// own, less what its upgrade added.
    ///
    /// # Errors
    /// If extra data or L1 attributes are not in the encoding of the block's fork.
    pub(super) fn of_block(
        config: &RollupConfig,
        block: &BlockAttributes,
        info: &L1Info,
        gas_limit: u64,
    ) -> Result<Self, DepositsError> {
        let time = block.timestamp;
        let fees =
            block.fees_by_fork(&config.forks).map_err(|reason| DepositsError::ParentExtraData { reason })?;
        let (overhead, scalar) = match info.fees {
            L1Fees::Bedrock { overhead, scalar } => (overhead, scalar),
            L1Fees::Ecotone(fees) | L1Fees::Isthmus(fees, _) | L1Fees::Jovian { ecotone: fees, .. } => {
                (B256::ZERO, scalar_word(fees))
            }
        };
        let is_isthmus = config.forks.is_active(Fork::Isthmus, time);
        let is_jovian = config.forks.is_active(Fork::Jovian, time);
        Ok(Self {
            batcher: info.batcher,
            overhead,
            scalar,
            gas_limit,
            eip1559: fees.map(|fees| fees.eip1559()).unwrap_or_default(),
            operator_fee: info.fees.operator_fee().filter(|_| is_isthmus).unwrap_or_default(),
            min_base_fee: fees.and_then(|fees| fees.min_base_fee).unwrap_or_default(),
            da_footprint_gas_scalar: info.fees.da_footprint().filter(|_| is_jovian).unwrap_or_default(),
        })
    }
}

/// The scalar word that says this, in version 1: a blob scalar of 0 has the same effect as version 0.
fn scalar_word(fees: EcotoneFees) -> B256 {
    let version = U256::from(SCALAR_ECOTONE).wrapping_shl(248);
    let blob = U256::from(fees.blob_base_fee_scalar).wrapping_shl(32);
    (version | blob | U256::from(fees.base_fee_scalar)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::b256;
    use rstest::rstest;

    #[rstest]
    #[case::version_0(
        b256!("00000000000000000000000000000000000000000000000000000000000a6fe0"),
        Ok(Scalars { base_fee: 684_000, blob_base_fee: 0 })
    )]
    #[case::version_0_wide(
        b256!("0000000000000000000000000000000000000000000000000000000100000000"),
        Err(ScalarError::Wide)
    )]
    #[case::version_0_very_wide(
        b256!("0001000000000000000000000000000000000000000000000000000000000000"),
        Err(ScalarError::Wide)
    )]
    #[case::version_1(
        b256!("010000000000000000000000000000000000000000000000000c5fc500000558"),
        Ok(Scalars { base_fee: 1368, blob_base_fee: 810_949 })
    )]
    #[case::version_1_dirty(
        b256!("010000000000000000000000000000000000000000000001000c5fc500000558"),
        Err(ScalarError::Malformed)
    )]
    #[case::version_2(
        b256!("020000000000000000000000000000000000000000000000000c5fc500000558"),
        Err(ScalarError::Malformed)
    )]
    fn scalars(#[case] word: B256, #[case] expected: Result<Scalars, ScalarError>) {
        assert_eq!(ecotone_scalars(word), expected);
    }

    #[test]
    fn a_scalar_word_is_read_as_written() {
        let fees =
            EcotoneFees { base_fee_scalar: 1368, blob_base_fee_scalar: 810_949, blob_base_fee: U256::ONE };
        let expected = b256!("010000000000000000000000000000000000000000000000000c5fc500000558");
        assert_eq!(scalar_word(fees), expected);
        assert_eq!(ecotone_scalars(expected), Ok(Scalars { base_fee: 1368, blob_base_fee: 810_949 }));
    }
}
