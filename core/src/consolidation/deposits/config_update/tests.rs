//! Every kind of update, applied; every damage, without effect.

use super::*;
use alloy::primitives::{Bytes, keccak256};
use rstest::rstest;

const SCALARS: B256 = b256!("010000000000000000000000000000000000000000000000000c5fc500000558");

fn word(value: u64) -> B256 {
    U256::from(value).into()
}

/// A log of the event, version 0, as the contract emits it: the words ABI-encoded, then as `bytes`.
fn log(kind: u64, words: &[B256]) -> LogData {
    let length = word(u64::try_from(words.len()).unwrap() * 32);
    let data: Vec<u8> = [word(32), length].iter().chain(words).flat_map(|word| word.0).collect();
    LogData::new(vec![CONFIG_UPDATE, B256::ZERO, word(kind)], data.into()).unwrap()
}

fn initial() -> SystemConfig {
    SystemConfig {
        batcher: Address::repeat_byte(1),
        overhead: word(188),
        scalar: word(684_000),
        gas_limit: 30_000_000,
        eip1559: Eip1559::default(),
        operator_fee: OperatorFee::default(),
        min_base_fee: 0,
        da_footprint_gas_scalar: 0,
    }
}

fn applied(log: &LogData, last: Fork) -> SystemConfig {
    let mut config = initial();
    if let Ok(update) = ConfigUpdate::decode(log) {
        update.apply(&mut config, &ForkSchedule::all_until(last), UnixSeconds(7));
    }
    config
}

#[test]
fn the_topic_is_the_hash_of_the_event() {
    assert_eq!(CONFIG_UPDATE, keccak256("ConfigUpdate(uint256,uint8,bytes)"));
}

/// The operator fee: scalar 0x8000_0001 above constant 0xfedcba9876543210.
const OPERATOR: B256 = b256!("000000000000000000000000000000000000000080000001fedcba9876543210");
/// A denominator of 250 above an elasticity of 6.
const EIP_1559: B256 = b256!("000000000000000000000000000000000000000000000000000000fa00000006");

#[rstest]
#[case::batcher(0, &[Address::repeat_byte(9).into_word()], SystemConfig { batcher: Address::repeat_byte(9), ..initial() })]
#[case::fee_scalars(1, &[word(5), SCALARS], SystemConfig { overhead: B256::ZERO, scalar: SCALARS, ..initial() })]
#[case::fee_scalars_version_0(
    1,
    &[word(5), word(6)],
    SystemConfig { overhead: B256::ZERO, scalar: word(6), ..initial() }
)]
#[case::malformed_fee_scalars(1, &[word(5), B256::repeat_byte(2)], initial())]
#[case::wide_fee_scalars(1, &[word(5), word(1 << 32)], initial())]
#[case::gas_limit(2, &[word(60_000_000)], SystemConfig { gas_limit: 60_000_000, ..initial() })]
#[case::unsafe_block_signer(3, &[Address::repeat_byte(9).into_word()], initial())]
#[case::eip1559(
    4,
    &[EIP_1559],
    SystemConfig { eip1559: Eip1559 { denominator: 250, elasticity: 6 }, ..initial() }
)]
#[case::operator_fee(
    5,
    &[OPERATOR],
    SystemConfig {
        operator_fee: OperatorFee { scalar: 0x8000_0001, constant: 0xfedc_ba98_7654_3210 },
        ..initial()
    }
)]
#[case::min_base_fee(6, &[word(77)], SystemConfig { min_base_fee: 77, ..initial() })]
#[case::da_footprint(7, &[word(400)], SystemConfig { da_footprint_gas_scalar: 400, ..initial() })]
#[case::batcher_with_dirty_padding(0, &[B256::repeat_byte(9)], initial())]
#[case::gas_limit_beyond_64_bits(2, &[B256::repeat_byte(1)], initial())]
#[case::eip1559_without_denominator(4, &[word(6)], initial())]
#[case::da_footprint_beyond_16_bits(7, &[word(1 << 16)], initial())]
#[case::a_word_too_few(1, &[SCALARS], initial())]
#[case::a_word_too_many(2, &[word(1), word(2)], initial())]
#[case::unknown_type(8, &[word(1)], initial())]
fn since_ecotone(#[case] kind: u64, #[case] words: &[B256], #[case] expected: SystemConfig) {
    assert_eq!(applied(&log(kind, words), Fork::Jovian), expected);
}

#[test]
fn before_ecotone_overhead_and_scalar_are_used_unchanged() {
    let expected = SystemConfig { overhead: word(5), scalar: B256::repeat_byte(2), ..initial() };
    assert_eq!(applied(&log(1, &[word(5), B256::repeat_byte(2)]), Fork::Delta), expected);
}

#[test]
fn a_log_that_is_not_an_update_is_refused() {
    let good = log(2, &[word(60_000_000)]);
    let with_topics = |topics| LogData::new(topics, good.data.clone()).unwrap();
    let with_data = |data: Bytes| LogData::new(good.topics().to_vec(), data).unwrap();
    let [event, version, kind] = *good.topics() else { panic!() };
    assert_eq!(
        ConfigUpdate::decode(&with_topics(vec![event, version])),
        Err(ConfigUpdateError::Topics { found: 2 })
    );
    assert_eq!(
        ConfigUpdate::decode(&with_topics(vec![B256::ZERO, version, kind])),
        Err(ConfigUpdateError::Event { found: B256::ZERO })
    );
    assert_eq!(
        ConfigUpdate::decode(&with_topics(vec![event, word(1), kind])),
        Err(ConfigUpdateError::Version { found: word(1) })
    );
    for length in 0..good.data.len() {
        let expected = Err(ConfigUpdateError::Data { kind: 2, length });
        assert_eq!(ConfigUpdate::decode(&with_data(good.data.slice(..length))), expected);
    }
    let mut wrong_offset = good.data.to_vec();
    wrong_offset[31] = 64;
    assert!(ConfigUpdate::decode(&with_data(wrong_offset.into())).is_err());
}
