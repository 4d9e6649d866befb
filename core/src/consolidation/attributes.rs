//! [`BlockAttributes`]: what a block fixes before it is executed; what derivation can know of it.

use super::deposits::{L1Info, L1InfoError, MAX_L1_ATTRIBUTES_BYTES, decode_l1_info};
use super::{FeeParameters, FeeParametersError, Fork, ForkSchedule, Metering};
use crate::proof::VerifiedBlock;
use alloy::eips::BlockNumHash;
use alloy::primitives::{Address, B256, Bytes, keccak256};
use crosscheck_p2p::{Envelope, UnixSeconds};

/// The first byte of a deposit transaction's encoding.
const DEPOSIT_TYPE: u8 = 0x7e;

/// The payload attributes that a block was built from, read back from the block.
///
/// State, receipts, gas used, base fee and block hash are results of execution and no part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockAttributes {
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
    /// The L1 origin's parent beacon block root.
    pub parent_beacon_block_root: Option<B256>,
    /// How many withdrawals it holds: on the OP Stack, none. `None`: it has no list of them, as before
    /// Canyon.
    pub withdrawals: Option<usize>,
    /// Its withdrawals root: since Canyon; since Isthmus a result of execution, of which only the presence
    /// counts.
    pub withdrawals_root: Option<B256>,
    /// Its EIP-1559 parameters, as its extra data states them.
    pub fees: Result<FeeParameters, FeeParametersError>,
    /// Its transactions, in order.
    pub transactions: Vec<TransactionDigest>,
    /// Its sequencer-defined metering.
    pub metering: Metering,
    /// Its first deposit, encoded, unless that is longer than any that contains an L1 origin.
    pub first_deposit: Option<Bytes>,
}

impl BlockAttributes {
    /// The attributes of a gossiped block.
    pub fn of_envelope(envelope: &Envelope) -> Self {
        let payload = &envelope.payload;
        Self {
            parent_hash: payload.parent_hash,
            timestamp: payload.timestamp,
            prev_randao: payload.prev_randao,
            fee_recipient: payload.fee_recipient,
            gas_limit: payload.gas_limit,
            parent_beacon_block_root: payload.parent_beacon_block_root(),
            withdrawals: payload.withdrawals().map(<[_]>::len),
            withdrawals_root: payload.withdrawals_root(),
            fees: FeeParameters::decode(&payload.extra_data),
            transactions: payload.transactions.iter().map(TransactionDigest::of).collect(),
            metering: Metering::of(&payload.transactions),
            first_deposit: first_deposit(&payload.transactions),
        }
    }

    /// The attributes of an execution client's block.
    pub fn of_block(block: &VerifiedBlock) -> Self {
        let header = block.header();
        Self {
            parent_hash: header.parent_hash,
            timestamp: block.timestamp(),
            prev_randao: header.mix_hash,
            fee_recipient: header.beneficiary,
            gas_limit: header.gas_limit,
            parent_beacon_block_root: header.parent_beacon_block_root,
            withdrawals: header.withdrawals_root.map(|_| 0),
            withdrawals_root: header.withdrawals_root,
            fees: FeeParameters::decode(&header.extra_data),
            transactions: block.transactions().iter().map(TransactionDigest::of).collect(),
            metering: Metering::of(block.transactions()),
            first_deposit: first_deposit(block.transactions()),
        }
    }

    /// The same attributes with deposits only, their order kept: the replacement of an invalid block.
    #[must_use]
    pub fn with_deposits_only(&self) -> Self {
        let transactions = self.transactions.iter().filter(|tx| tx.is_deposit).copied().collect();
        Self { transactions, metering: Metering::None, ..self.clone() }
    }

    /// Whether every transaction is a deposit.
    pub fn is_deposits_only(&self) -> bool {
        self.transactions.iter().all(|tx| tx.is_deposit)
    }

    /// What its first transaction says of its L1 origin.
    ///
    /// # Errors
    /// If that is no L1-attributes deposit, or there is none.
    pub fn l1_info(&self) -> Result<L1Info, L1InfoError> {
        let is_first = self.transactions.first().is_some_and(|tx| tx.is_deposit);
        let not_a_deposit = |reason: &str| L1InfoError::NotADeposit { reason: reason.to_owned() };
        if !is_first {
            return Err(not_a_deposit("it is missing or of another type"));
        }
        let first = self.first_deposit.as_ref();
        decode_l1_info(first.ok_or_else(|| not_a_deposit("it is too long to contain an L1 origin"))?)
    }

    /// The L1 block that it is built on, if its first transaction contains one.
    pub fn l1_origin(&self) -> Option<BlockNumHash> {
        let info = self.l1_info().ok()?;
        Some(BlockNumHash { number: info.number, hash: info.hash })
    }

    /// Its EIP-1559 parameters, if its extra data is as the fork in force at its time has it; before Holocene
    /// none.
    ///
    /// # Errors
    /// If it is not.
    pub fn fees_by_fork(&self, forks: &ForkSchedule) -> Result<Option<FeeParameters>, FeeParametersError> {
        let is_holocene = forks.is_active(Fork::Holocene, self.timestamp);
        let is_jovian = forks.is_active(Fork::Jovian, self.timestamp);
        match &self.fees {
            Ok(fees) if is_holocene && fees.min_base_fee.is_some() == is_jovian => Ok(Some(*fees)),
            Ok(fees) => Err(FeeParametersError { extra_data: fees.encode() }),
            Err(error) if !is_holocene && error.extra_data.is_empty() => Ok(None),
            Err(error) => Err(error.clone()),
        }
    }
}

/// A copy of the first deposit: the buffer that it is in may have megabytes.
fn first_deposit(transactions: &[Bytes]) -> Option<Bytes> {
    let first = transactions.iter().find(|transaction| transaction.first() == Some(&DEPOSIT_TYPE))?;
    (first.len() <= MAX_L1_ATTRIBUTES_BYTES).then(|| Bytes::copy_from_slice(first))
}

/// A transaction as far as matching goes. Bodies are not kept: a waiting block may hold megabytes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionDigest {
    /// Whether it is a deposit.
    pub is_deposit: bool,
    /// `keccak256` of its EIP-2718 encoding: equal hashes are equal bytes.
    pub hash: B256,
}

impl TransactionDigest {
    /// The digest of an encoded transaction.
    pub fn of(encoded: &Bytes) -> Self {
        Self { is_deposit: encoded.first() == Some(&DEPOSIT_TYPE), hash: keccak256(encoded) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consolidation::sample;
    use rstest::rstest;

    #[rstest]
    #[case::canyon(Fork::Canyon, None, true)]
    #[case::granite_with_parameters(Fork::Granite, Some(None), false)]
    #[case::holocene(Fork::Holocene, Some(None), true)]
    #[case::holocene_without(Fork::Holocene, None, false)]
    #[case::holocene_with_a_floor(Fork::Holocene, Some(Some(7)), false)]
    #[case::isthmus(Fork::Isthmus, Some(None), true)]
    #[case::jovian(Fork::Jovian, Some(Some(7)), true)]
    #[case::jovian_without_a_floor(Fork::Jovian, Some(None), false)]
    #[case::lagoon(Fork::Lagoon, Some(Some(7)), true)]
    fn extra_data_by_fork(#[case] last: Fork, #[case] floor: Option<Option<u64>>, #[case] is_right: bool) {
        let fees = floor.map(|min_base_fee| FeeParameters { denominator: 250, elasticity: 6, min_base_fee });
        let extra_data = fees.map(|fees| fees.encode()).unwrap_or_default();
        let block =
            BlockAttributes { fees: FeeParameters::decode(&extra_data), ..sample::block(&["\x7e one"]) };
        let read = block.fees_by_fork(&ForkSchedule::all_until(last));
        assert_eq!(read, if is_right { Ok(fees) } else { Err(FeeParametersError { extra_data }) });
    }

    #[test]
    fn the_first_deposit_is_kept_if_it_can_name_an_origin() {
        let deposit = |length| Bytes::from([vec![DEPOSIT_TYPE], vec![0; length]].concat());
        let user = Bytes::from_static(b"\x02 user");
        let kept = |transactions: &[Bytes]| first_deposit(transactions).map(|kept| kept.len());
        assert_eq!(kept(&[]), None);
        assert_eq!(kept(core::slice::from_ref(&user)), None);
        assert_eq!(kept(&[user, deposit(9), deposit(3)]), Some(10));
        assert_eq!(kept(&[deposit(MAX_L1_ATTRIBUTES_BYTES - 1)]), Some(MAX_L1_ATTRIBUTES_BYTES));
        assert_eq!(kept(&[deposit(MAX_L1_ATTRIBUTES_BYTES), deposit(3)]), None);
    }

    #[rstest]
    #[case::none(&[])]
    #[case::user_first(&["\x02 user", "\x7e deposit"])]
    #[case::garbage(&["\x7e deposit"])]
    fn the_origin_is_unknown_without_a_first_deposit_that_names_it(#[case] transactions: &[&'static str]) {
        assert!(matches!(sample::block(transactions).l1_info(), Err(L1InfoError::NotADeposit { .. })));
    }
}
