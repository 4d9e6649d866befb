//! [`L1Info`]: what the first transaction of a block says about its L1 origin, in each fork's encoding.
//!
//! Layouts: specs, protocol/deposits.md ("L1 attributes deposited transaction calldata"), protocol/ecotone,
//! protocol/isthmus and protocol/jovian `l1-attributes.md`. It does not judge which fork's encoding a block
//! must use.

use super::words::Words;
use crate::consolidation::Fork;
use alloy::eips::eip2718::Decodable2718;
use alloy::primitives::{Address, B256, Bytes, FixedBytes, TxKind, U256, address, fixed_bytes};
use op_alloy::consensus::TxDeposit;

/// The account that sends the L1 attributes.
pub const DEPOSITOR: Address = address!("deaddeaddeaddeaddeaddeaddeaddeaddead0001");

/// The predeploy that takes them.
pub const L1_BLOCK: Address = address!("4200000000000000000000000000000000000015");

/// More bytes than any L1-attributes deposit has: the longest, Bedrock's, has 260 of calldata and 90 around
/// it.
pub const MAX_L1_ATTRIBUTES_BYTES: usize = 512;

/// `setL1BlockValues(uint64,uint64,uint256,bytes32,uint64,bytes32,uint256,uint256)`.
const BEDROCK: FixedBytes<4> = fixed_bytes!("015d8eb9");
/// `setL1BlockValuesEcotone()`.
const ECOTONE: FixedBytes<4> = fixed_bytes!("440a5e20");
/// `setL1BlockValuesIsthmus()`.
const ISTHMUS: FixedBytes<4> = fixed_bytes!("098999be");
/// `setL1BlockValuesJovian()`.
const JOVIAN: FixedBytes<4> = fixed_bytes!("3db6be2b");

/// What a block says of its L1 origin, and the chain's fee parameters at that origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L1Info {
    /// The origin's height.
    pub number: u64,
    /// The origin's timestamp, Unix seconds.
    pub timestamp: u64,
    /// The origin's base fee, wei.
    pub base_fee: U256,
    /// The origin's hash.
    pub hash: B256,
    /// How many blocks of the same epoch came before.
    pub sequence_number: u64,
    /// Who posts the chain's batches.
    pub batcher: Address,
    /// The fee parameters; which there are decides the encoding.
    pub fees: L1Fees,
}

/// The fee parameters in an L1-attributes transaction, by encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum L1Fees {
    /// Until the first Ecotone block, included.
    Bedrock {
        /// The L1 fee overhead.
        overhead: B256,
        /// The L1 fee scalar.
        scalar: B256,
    },
    /// From the second Ecotone block on.
    Ecotone(EcotoneFees),
    /// From the second Isthmus block on.
    Isthmus(EcotoneFees, OperatorFee),
    /// From the second Jovian block on.
    Jovian {
        /// The L1 fee parameters.
        ecotone: EcotoneFees,
        /// The operator fee.
        operator: OperatorFee,
        /// The gas that a byte of estimated compressed size counts as.
        da_footprint_gas_scalar: u16,
    },
}

/// The L1 fee parameters since Ecotone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EcotoneFees {
    /// The scalar of the L1 base fee.
    pub base_fee_scalar: u32,
    /// The scalar of the L1 blob base fee.
    pub blob_base_fee_scalar: u32,
    /// The origin's blob base fee, wei.
    pub blob_base_fee: U256,
}

/// The operator fee since Isthmus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OperatorFee {
    /// Scaled by 1e-6, times gas used (times 100 since Jovian).
    pub scalar: u32,
    /// Wei per transaction.
    pub constant: u64,
}

/// Why a transaction says nothing about an L1 origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum L1InfoError {
    /// It is not a deposit.
    #[error("the first transaction is not a deposit: {reason}")]
    NotADeposit {
        /// What is wrong with it.
        reason: String,
    },
    /// It is a deposit, but not the protocol's own.
    #[error("the first transaction is a deposit from {from} to {to:?}, not from {DEPOSITOR} to {L1_BLOCK}")]
    NotL1Attributes {
        /// Who sends it.
        from: Address,
        /// Who takes it.
        to: TxKind,
    },
    /// Its calldata is in no known encoding.
    #[error("{length} bytes of L1 attributes with selector {selector:?} are in no known encoding")]
    Calldata {
        /// The first four bytes, if there are as many.
        selector: Option<FixedBytes<4>>,
        /// How long the calldata is, bytes.
        length: usize,
    },
}

impl L1InfoError {
    /// The selector of L1 attributes in an encoding that none here is known by.
    pub fn unknown_selector(&self) -> Option<FixedBytes<4>> {
        match self {
            Self::Calldata { selector, .. } => {
                selector.filter(|selector| ![BEDROCK, ECOTONE, ISTHMUS, JOVIAN].contains(selector))
            }
            Self::NotADeposit { .. } | Self::NotL1Attributes { .. } => None,
        }
    }
}

/// Reads what a block's first transaction says of its L1 origin.
///
/// # Errors
/// If it is not an L1-attributes deposit, in whichever fork's encoding.
pub fn decode_l1_info(first_transaction: &Bytes) -> Result<L1Info, L1InfoError> {
    let mut bytes = first_transaction.as_ref();
    let deposit = TxDeposit::decode_2718(&mut bytes)
        .map_err(|error| L1InfoError::NotADeposit { reason: error.to_string() })?;
    if !bytes.is_empty() {
        let reason = format!("{} bytes follow it", bytes.len());
        return Err(L1InfoError::NotADeposit { reason });
    }
    if deposit.from != DEPOSITOR || deposit.to != TxKind::Call(L1_BLOCK) {
        return Err(L1InfoError::NotL1Attributes { from: deposit.from, to: deposit.to });
    }
    L1Info::decode(&deposit.input)
}

impl L1Info {
    /// Reads the calldata of an L1-attributes transaction, in whichever fork's encoding.
    ///
    /// # Errors
    /// If it is in none, to the byte.
    pub fn decode(calldata: &[u8]) -> Result<Self, L1InfoError> {
        let mut words = Words::new(calldata);
        let selector = words.array().map(FixedBytes::new);
        let info = match selector {
            Some(BEDROCK) => bedrock(words),
            Some(ECOTONE) => packed(words, |_, ecotone| Some(L1Fees::Ecotone(ecotone))),
            Some(ISTHMUS) => packed(words, isthmus),
            Some(JOVIAN) => packed(words, jovian),
            Some(_) | None => None,
        };
        info.ok_or(L1InfoError::Calldata { selector, length: calldata.len() })
    }

    /// The calldata that says this: the inverse of [`L1Info::decode`].
    pub fn encode(&self) -> Bytes {
        match self.fees {
            L1Fees::Bedrock { overhead, scalar } => self.encode_bedrock(overhead, scalar),
            L1Fees::Ecotone(ecotone) => self.encode_packed(ECOTONE, ecotone, &[]),
            L1Fees::Isthmus(ecotone, operator) => {
                self.encode_packed(ISTHMUS, ecotone, &operator.to_be_bytes())
            }
            L1Fees::Jovian { ecotone, operator, da_footprint_gas_scalar } => {
                let tail = [&operator.to_be_bytes()[..], &da_footprint_gas_scalar.to_be_bytes()].concat();
                self.encode_packed(JOVIAN, ecotone, &tail)
            }
        }
    }

    fn encode_bedrock(&self, overhead: B256, scalar: B256) -> Bytes {
        let words: [B256; 8] = [
            U256::from(self.number).into(),
            U256::from(self.timestamp).into(),
            self.base_fee.into(),
            self.hash,
            U256::from(self.sequence_number).into(),
            self.batcher.into_word(),
            overhead,
            scalar,
        ];
        BEDROCK.into_iter().chain(words.into_iter().flatten()).collect()
    }

    fn encode_packed(&self, selector: FixedBytes<4>, fees: EcotoneFees, tail: &[u8]) -> Bytes {
        [
            selector.as_slice(),
            &fees.base_fee_scalar.to_be_bytes(),
            &fees.blob_base_fee_scalar.to_be_bytes(),
            &self.sequence_number.to_be_bytes(),
            &self.timestamp.to_be_bytes(),
            &self.number.to_be_bytes(),
            &self.base_fee.to_be_bytes::<32>(),
            &fees.blob_base_fee.to_be_bytes::<32>(),
            self.hash.as_slice(),
            self.batcher.into_word().as_slice(),
            tail,
        ]
        .concat()
        .into()
    }
}

impl L1Fees {
    /// The operator fee, if the encoding has one.
    pub const fn operator_fee(&self) -> Option<OperatorFee> {
        match self {
            Self::Bedrock { .. } | Self::Ecotone(_) => None,
            Self::Isthmus(_, operator) | Self::Jovian { operator, .. } => Some(*operator),
        }
    }

    /// The DA footprint gas scalar, if the encoding has one.
    pub const fn da_footprint(&self) -> Option<u16> {
        match self {
            Self::Bedrock { .. } | Self::Ecotone(_) | Self::Isthmus(..) => None,
            Self::Jovian { da_footprint_gas_scalar, .. } => Some(*da_footprint_gas_scalar),
        }
    }

    /// The fork that brought the encoding.
    pub const fn encoding(&self) -> Fork {
        match self {
            Self::Bedrock { .. } => Fork::Bedrock,
            Self::Ecotone(_) => Fork::Ecotone,
            Self::Isthmus(..) => Fork::Isthmus,
            Self::Jovian { .. } => Fork::Jovian,
        }
    }
}

impl OperatorFee {
    /// Reads the word that has both on L1: the scalar above the constant, in its last 12 bytes.
    pub fn from_word(word: B256) -> Self {
        let mut words = Words::new(word.as_slice());
        let _ = words.array::<20>();
        operator_fee(&mut words).unwrap_or_default()
    }

    fn to_be_bytes(self) -> [u8; 12] {
        let [a, b, c, d] = self.scalar.to_be_bytes();
        let [e, f, g, h, i, j, k, l] = self.constant.to_be_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }
}

fn bedrock(mut words: Words<'_>) -> Option<L1Info> {
    let info = L1Info {
        number: words.word_u64()?,
        timestamp: words.word_u64()?,
        base_fee: words.u256()?,
        hash: words.word()?,
        sequence_number: words.word_u64()?,
        batcher: words.word_address()?,
        fees: L1Fees::Bedrock { overhead: words.word()?, scalar: words.word()? },
    };
    words.is_empty().then_some(info)
}

/// Ecotone's layout, then what `tail` reads behind it.
fn packed<'a>(
    mut words: Words<'a>,
    tail: impl Fn(&mut Words<'a>, EcotoneFees) -> Option<L1Fees>,
) -> Option<L1Info> {
    let base_fee_scalar = words.u32()?;
    let blob_base_fee_scalar = words.u32()?;
    let sequence_number = words.u64()?;
    let timestamp = words.u64()?;
    let number = words.u64()?;
    let base_fee = words.u256()?;
    let blob_base_fee = words.u256()?;
    let hash = words.word()?;
    let batcher = words.word_address()?;
    let fees = tail(&mut words, EcotoneFees { base_fee_scalar, blob_base_fee_scalar, blob_base_fee })?;
    let info = L1Info { number, timestamp, base_fee, hash, sequence_number, batcher, fees };
    words.is_empty().then_some(info)
}

fn isthmus(words: &mut Words<'_>, ecotone: EcotoneFees) -> Option<L1Fees> {
    Some(L1Fees::Isthmus(ecotone, operator_fee(words)?))
}

fn jovian(words: &mut Words<'_>, ecotone: EcotoneFees) -> Option<L1Fees> {
    Some(L1Fees::Jovian { ecotone, operator: operator_fee(words)?, da_footprint_gas_scalar: words.u16()? })
}

fn operator_fee(words: &mut Words<'_>) -> Option<OperatorFee> {
    Some(OperatorFee { scalar: words.u32()?, constant: words.u64()? })
}

#[cfg(test)]
mod tests;
