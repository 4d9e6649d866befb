//! [`BlobSchedule`]: how an L1 turned excess blob gas into a blob base fee, over time.
//!
//! EIP-4844, EIP-7691 (Prague), EIP-7892 (blob-parameter-only forks). Only the update fraction matters here.

use alloy::eips::eip4844::{BLOB_GASPRICE_UPDATE_FRACTION, BLOB_TX_MIN_BLOB_GASPRICE, fake_exponential};
use alloy::eips::eip7691::BLOB_GASPRICE_UPDATE_FRACTION_PECTRA;
use alloy::eips::eip7892::{BPO1_BASE_UPDATE_FRACTION, BPO2_BASE_UPDATE_FRACTION};
use crosscheck_p2p::UnixSeconds;
use std::collections::BTreeMap;

/// The blob base fee update fractions of one L1, by the time from which each applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlobSchedule {
    entries: BTreeMap<UnixSeconds, Entry>,
    /// The fee of every block, regardless of the rest.
    assumed: Option<u128>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    update_fraction: u64,
    /// From when on this is not known to apply, unless another entry comes before.
    until: Option<UnixSeconds>,
}

/// Blob base fee update fractions, by the time from which each applies.
pub type BlobFractions = BTreeMap<UnixSeconds, u64>;

/// What an L1's node says of its forks, as far as blob base fees go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportedBlobs {
    /// When the fork began that is in force. What is after it is a plan.
    pub in_force: Option<UnixSeconds>,
    /// The last, the current and the next fork's.
    pub fractions: BlobFractions,
}

/// Amsterdam on Sepolia: what is known here of any L1 was stored before, and says nothing of later blocks.
const KNOWN_UNTIL: UnixSeconds = UnixSeconds(1_791_294_816);

/// The largest excess blob gas whose fee is computed: a fee of e^64 wei and more is out of this world.
const MAX_EXPONENT: u64 = 64;

impl BlobSchedule {
    /// What is known of an L1 by its chain id: Ethereum, Sepolia, Holesky, Hoodi, until October 2026. Of any
    /// other, nothing. An L1 client reports the rest (`eth_config`).
    pub fn of_l1(chain_id: u64) -> Self {
        // Cancun, Prague, BPO1, BPO2: the networks' genesis files (`eth-clients` on GitHub).
        let times = match chain_id {
            1 => [1_710_338_135, 1_746_612_311, 1_765_290_071, 1_767_747_671],
            11_155_111 => [1_706_655_072, 1_741_159_776, 1_761_017_184, 1_761_607_008],
            17_000 => [1_707_305_664, 1_740_434_112, 1_759_800_000, 1_760_389_824],
            560_048 => [0, 1_742_999_832, 1_762_365_720, 1_762_955_544],
            _ => return Self::default(),
        };
        let fractions = [
            narrow(BLOB_GASPRICE_UPDATE_FRACTION),
            narrow(BLOB_GASPRICE_UPDATE_FRACTION_PECTRA),
            BPO1_BASE_UPDATE_FRACTION,
            BPO2_BASE_UPDATE_FRACTION,
        ];
        let entry = |update_fraction| Entry { update_fraction, until: Some(KNOWN_UNTIL) };
        Self {
            entries: times.map(UnixSeconds).into_iter().zip(fractions.map(entry)).collect(),
            assumed: None,
        }
    }

    /// A schedule by which every block has this fee.
    pub(super) fn assuming(fee: u128) -> Self {
        Self { assumed: Some(fee), ..Self::default() }
    }

    /// The fee that is assumed of every block, if one is.
    pub(super) const fn assumed(&self) -> Option<u128> {
        self.assumed
    }

    /// The same with one more: from this time on, this update fraction applies.
    #[must_use]
    pub fn with(mut self, from: UnixSeconds, update_fraction: u64) -> Self {
        self.entries.insert(from, Entry { update_fraction, until: None });
        self
    }

    /// The same with all of these.
    #[must_use]
    pub fn with_all(self, fractions: &BlobFractions) -> Self {
        fractions.iter().fold(self, |schedule, (from, fraction)| schedule.with(*from, *fraction))
    }

    /// The blob base fee of a block with this much excess blob gas, wei. `None`: the schedule does not cover
    /// the time.
    ///
    /// Without excess the fee is 1 wei under any schedule.
    pub fn blob_base_fee(&self, timestamp: UnixSeconds, excess_blob_gas: u64) -> Option<u128> {
        if excess_blob_gas == 0 {
            return Some(BLOB_TX_MIN_BLOB_GASPRICE);
        }
        let (_, entry) = self.entries.range(..=timestamp).next_back()?;
        let is_known = entry.until.is_none_or(|until| timestamp < until);
        is_known.then(|| blob_base_fee(excess_blob_gas, entry.update_fraction))?
    }
}

/// The blob base fee by Cancun's parameters.
pub(super) fn cancun_blob_base_fee(excess_blob_gas: u64) -> Option<u128> {
    blob_base_fee(excess_blob_gas, narrow(BLOB_GASPRICE_UPDATE_FRACTION))
}

/// `None`: the exponent is beyond what 128 bits could carry, or the fraction is 0.
fn blob_base_fee(excess_blob_gas: u64, update_fraction: u64) -> Option<u128> {
    let exponent = excess_blob_gas.checked_div(update_fraction)?;
    let fee = || {
        fake_exponential(BLOB_TX_MIN_BLOB_GASPRICE, u128::from(excess_blob_gas), u128::from(update_fraction))
    };
    (exponent < MAX_EXPONENT).then(fee)
}

fn narrow(fraction: u128) -> u64 {
    u64::try_from(fraction).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const EXCESS: u64 = 100_000_000;

    #[test]
    fn a_block_without_excess_blob_gas_needs_no_schedule() {
        for chain_id in [1, 900] {
            assert_eq!(BlobSchedule::of_l1(chain_id).blob_base_fee(UnixSeconds(0), 0), Some(1));
        }
    }

    /// `floor(e^(excess / fraction))`, with the fractions of EIP-4844, EIP-7691 and EIP-7892.
    #[rstest]
    #[case::before_cancun(1_710_338_134, None)]
    #[case::cancun(1_710_338_135, Some(3_338_477.0))]
    #[case::prague(1_746_612_311, Some(5_007_716.0))]
    #[case::bpo1(1_765_290_071, Some(8_346_193.0))]
    #[case::bpo2(1_767_747_671, Some(11_684_671.0))]
    fn the_fraction_in_force_determines_the_fee(#[case] time: u64, #[case] fraction: Option<f64>) {
        let fee = BlobSchedule::of_l1(1).blob_base_fee(UnixSeconds(time), EXCESS);
        assert_eq!(fee.is_some(), fraction.is_some());
        if let Some((fee, fraction)) = fee.zip(fraction) {
            let exact = (100_000_000.0 / fraction).exp();
            assert!((fee as f64 / exact - 1.0).abs() < 1e-3, "{fee} {exact}");
        }
    }

    #[test]
    fn an_unknown_l1_gives_no_fee_until_its_schedule_is_known() {
        let unknown = BlobSchedule::of_l1(900);
        assert_eq!(unknown.blob_base_fee(UnixSeconds(10), EXCESS), None);
        let reported = unknown.with(UnixSeconds(5), 5_007_716);
        assert_eq!(reported.blob_base_fee(UnixSeconds(4), EXCESS), None);
        let prague = BlobSchedule::of_l1(1).blob_base_fee(UnixSeconds(1_746_612_311), EXCESS);
        assert_eq!(reported.blob_base_fee(UnixSeconds(5), EXCESS), prague);
    }

    #[test]
    fn the_built_in_schedule_gives_no_fee_after_its_last_known_time() {
        let mainnet = BlobSchedule::of_l1(1);
        let last = UnixSeconds(KNOWN_UNTIL.0 - 1);
        let fee = mainnet.blob_base_fee(last, EXCESS);
        assert!(fee.is_some());
        assert_eq!(mainnet.blob_base_fee(KNOWN_UNTIL, EXCESS), None);
        assert_eq!(mainnet.blob_base_fee(KNOWN_UNTIL, 0), Some(1));
        // Until the L1 client says that the second blob-parameter-only fork is still the current one.
        let reported = mainnet.with(UnixSeconds(1_767_747_671), BPO2_BASE_UPDATE_FRACTION);
        assert_eq!(reported.blob_base_fee(KNOWN_UNTIL, EXCESS), fee);
    }

    #[test]
    fn an_absurd_excess_is_not_computed() {
        let schedule = BlobSchedule::of_l1(1);
        assert_eq!(schedule.blob_base_fee(UnixSeconds(1_767_747_671), u64::MAX), None);
        assert_eq!(schedule.with(UnixSeconds(0), 0).blob_base_fee(UnixSeconds(1), 1), None);
    }
}
