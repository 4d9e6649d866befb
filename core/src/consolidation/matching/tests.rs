//! One case per field and fork; and any block matches what it was built from, and nothing else.

use super::*;
use crate::consolidation::{TransactionDigest, sample};
use alloy::primitives::{Address, B256};
use crosscheck_p2p::UnixSeconds;
use proptest::prelude::*;
use rstest::rstest;

const CANYON: Eip1559 = Eip1559 { denominator: 250, elasticity: 6 };

fn rules(last: Fork) -> MatchingRules {
    MatchingRules { forks: ForkSchedule::all_until(last), canyon_fees: Some(CANYON) }
}

/// A block as a chain whose last fork this is has it.
fn block(last: Fork) -> BlockAttributes {
    let fees =
        FeeParameters { denominator: 250, elasticity: 6, min_base_fee: (last >= Fork::Jovian).then_some(7) };
    let extra_data = if last >= Fork::Holocene { fees.encode() } else { Bytes::new() };
    let storage_root = if last >= Fork::Isthmus { B256::repeat_byte(5) } else { EMPTY_WITHDRAWALS };
    BlockAttributes {
        parent_beacon_block_root: (last >= Fork::Ecotone).then_some(B256::repeat_byte(4)),
        withdrawals: (last >= Fork::Canyon).then_some(0),
        withdrawals_root: (last >= Fork::Canyon).then_some(storage_root),
        fees: FeeParameters::decode(&extra_data),
        ..sample::block(&["\x7e one", "\x02 two", "\x02 three"])
    }
}

fn attributes(last: Fork) -> PayloadAttributes {
    PayloadAttributes::of_block(&rules(last).forks, &block(last)).unwrap()
}

type Change = fn(&mut BlockAttributes);

/// The field in which a changed block differs.
fn field(last: Fork, change: fn(&mut BlockAttributes)) -> Option<&'static str> {
    let mut changed = block(last);
    change(&mut changed);
    rules(last).first_mismatch(&attributes(last), &changed).map(|mismatch| mismatch.field())
}

#[test]
fn a_block_matches_the_attributes_it_was_built_from_in_every_fork() {
    for last in Fork::ALL {
        assert_eq!(rules(last).first_mismatch(&attributes(last), &block(last)), None, "{last}");
    }
}

#[rstest]
#[case::parent_hash("parent-hash", |block: &mut BlockAttributes| block.parent_hash = B256::ZERO)]
#[case::timestamp("timestamp", |block: &mut BlockAttributes| block.timestamp = UnixSeconds(102))]
#[case::prev_randao("prev-randao", |block: &mut BlockAttributes| block.prev_randao = B256::ZERO)]
#[case::a_transaction_fewer("transaction-count", |block: &mut BlockAttributes| {
    block.transactions.pop();
})]
#[case::transactions_swapped("transaction", |block: &mut BlockAttributes| block.transactions.swap(1, 2))]
#[case::gas_limit("gas-limit", |block: &mut BlockAttributes| block.gas_limit += 1)]
#[case::withdrawals("withdrawals", |block: &mut BlockAttributes| block.withdrawals = Some(1))]
#[case::fee_recipient("fee-recipient", |block: &mut BlockAttributes| block.fee_recipient = Address::ZERO)]
#[case::extra_data("fee-parameters", |block: &mut BlockAttributes| {
    block.fees = FeeParameters::decode(&Bytes::from_static(&[9]));
})]
fn each_field_in_each_fork(#[case] name: &str, #[case] change: fn(&mut BlockAttributes)) {
    for last in Fork::ALL {
        assert_eq!(field(last, change), Some(name), "{last}");
    }
}

/// Since which fork a change is caught, and until which (not included).
#[rstest]
#[case::withdrawals_missing("withdrawals", Fork::Canyon, None, |block: &mut BlockAttributes| block.withdrawals = None)]
#[case::withdrawals_root_not_empty("withdrawals-root", Fork::Canyon, Some(Fork::Isthmus), |block: &mut BlockAttributes| {
    block.withdrawals_root = block.withdrawals_root.map(|_| B256::repeat_byte(6));
})]
#[case::withdrawals_root_missing("withdrawals-root", Fork::Isthmus, None, |block: &mut BlockAttributes| {
    block.withdrawals_root = None;
})]
#[case::beacon_root_missing("parent-beacon-block-root", Fork::Ecotone, None, |block: &mut BlockAttributes| {
    block.parent_beacon_block_root = None;
})]
#[case::beacon_root_other("parent-beacon-block-root", Fork::Ecotone, None, |block: &mut BlockAttributes| {
    block.parent_beacon_block_root = block.parent_beacon_block_root.map(|_| B256::ZERO);
})]
#[case::beacon_root_too_early("parent-beacon-block-root", Fork::Bedrock, Some(Fork::Ecotone), |block: &mut BlockAttributes| {
    block.parent_beacon_block_root = Some(B256::repeat_byte(4));
})]
#[case::parameters_too_early("fee-parameters", Fork::Bedrock, Some(Fork::Holocene), |block: &mut BlockAttributes| {
    if block.fees.is_err() { block.fees = Ok(FeeParameters { denominator: 250, elasticity: 6, min_base_fee: None }) }
})]
#[case::no_parameters("fee-parameters", Fork::Holocene, None, |block: &mut BlockAttributes| {
    block.fees = FeeParameters::decode(&Bytes::new());
})]
#[case::denominator("fee-parameters", Fork::Holocene, None, |block: &mut BlockAttributes| {
    if let Ok(fees) = &mut block.fees { fees.denominator += 1 }
})]
#[case::elasticity("fee-parameters", Fork::Holocene, None, |block: &mut BlockAttributes| {
    if let Ok(fees) = &mut block.fees { fees.elasticity += 1 }
})]
#[case::floor_too_early("fee-parameters", Fork::Bedrock, Some(Fork::Jovian), |block: &mut BlockAttributes| {
    block.fees = Ok(FeeParameters { denominator: 250, elasticity: 6, min_base_fee: Some(7) });
})]
#[case::no_floor("fee-parameters", Fork::Jovian, None, |block: &mut BlockAttributes| {
    if let Ok(fees) = &mut block.fees { fees.min_base_fee = None }
})]
#[case::floor("fee-parameters", Fork::Jovian, None, |block: &mut BlockAttributes| {
    if let Ok(fees) = &mut block.fees { fees.min_base_fee = fees.min_base_fee.map(|floor| floor + 1) }
})]
fn fields_of_some_forks(
    #[case] name: &str,
    #[case] since: Fork,
    #[case] until: Option<Fork>,
    #[case] change: fn(&mut BlockAttributes),
) {
    for last in Fork::ALL {
        let is_caught = last >= since && until.is_none_or(|until| last < until);
        assert_eq!(field(last, change), is_caught.then_some(name), "{last}");
    }
}

#[test]
fn the_first_differing_transaction_is_named_with_both_hashes() {
    let mut changed = block(Fork::Lagoon);
    let other = TransactionDigest { is_deposit: false, hash: B256::repeat_byte(9) };
    let expected = changed.transactions[1].hash;
    changed.transactions[1] = other;
    changed.transactions[2] = other;
    assert_eq!(
        rules(Fork::Lagoon).first_mismatch(&attributes(Fork::Lagoon), &changed),
        Some(Mismatch::Transaction { index: 1, expected, found: other.hash })
    );
}

#[rstest]
#[case::configured(Some(CANYON), 250, 6, true)]
#[case::other_denominator(Some(CANYON), 50, 6, false)]
#[case::other_elasticity(Some(CANYON), 250, 10, false)]
#[case::not_configured(None, 50, 10, true)]
fn zero_zero_means_the_configured_canyon_values(
    #[case] canyon_fees: Option<Eip1559>,
    #[case] denominator: u32,
    #[case] elasticity: u32,
    #[case] matches: bool,
) {
    for last in [Fork::Holocene, Fork::Isthmus, Fork::Jovian, Fork::Lagoon] {
        let mut attributes = attributes(last);
        let fees = attributes.fees.as_mut().unwrap();
        fees.eip1559 = Eip1559::default();
        let min_base_fee = fees.min_base_fee;
        let block = BlockAttributes {
            fees: Ok(FeeParameters { denominator, elasticity, min_base_fee }),
            ..block(last)
        };
        let rules = MatchingRules { canyon_fees, ..rules(last) };
        assert_eq!(rules.first_mismatch(&attributes, &block).is_none(), matches, "{last}");
    }
}

#[test]
fn mismatches_are_found_in_the_order_of_op_node() {
    // From the last field to the first: each change is named before those made earlier.
    let changes: [(&str, Change); 9] = [
        ("fee-parameters", |block| block.fees = FeeParameters::decode(&Bytes::new())),
        ("fee-recipient", |block| block.fee_recipient = Address::ZERO),
        ("parent-beacon-block-root", |block| block.parent_beacon_block_root = None),
        ("withdrawals", |block| block.withdrawals = None),
        ("gas-limit", |block| block.gas_limit = 0),
        ("transaction", |block| block.transactions.swap(1, 2)),
        ("prev-randao", |block| block.prev_randao = B256::ZERO),
        ("timestamp", |block| block.timestamp = UnixSeconds(102)),
        ("parent-hash", |block| block.parent_hash = B256::ZERO),
    ];
    let mut changed = block(Fork::Lagoon);
    for (name, change) in changes {
        change(&mut changed);
        let mismatch = rules(Fork::Lagoon).first_mismatch(&attributes(Fork::Lagoon), &changed).unwrap();
        assert_eq!(mismatch.field(), name);
    }
}

fn digest() -> impl Strategy<Value = TransactionDigest> {
    (any::<bool>(), any::<[u8; 32]>())
        .prop_map(|(is_deposit, hash)| TransactionDigest { is_deposit, hash: hash.into() })
}

fn any_block() -> impl Strategy<Value = (Fork, BlockAttributes)> {
    let hashes = (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<[u8; 32]>(), any::<[u8; 32]>());
    let numbers = (any::<u64>(), any::<u64>(), any::<[u8; 20]>());
    let fees = (1..=u32::MAX, 1..=u32::MAX, any::<u64>());
    let transactions = proptest::collection::vec(digest(), 0..8);
    (proptest::sample::select(Fork::ALL.to_vec()), hashes, numbers, fees, transactions).prop_map(
        |(
            last,
            (parent, randao, beacon, storage),
            (time, gas, recipient),
            (denominator, elasticity, floor),
            txs,
        )| {
            let shape = block(last);
            let fees = shape.fees.map(|fees| {
                let min_base_fee = fees.min_base_fee.map(|_| floor);
                FeeParameters { denominator, elasticity, min_base_fee }
            });
            let storage = if last >= Fork::Isthmus { storage.into() } else { EMPTY_WITHDRAWALS };
            let attributes = BlockAttributes {
                parent_hash: parent.into(),
                timestamp: UnixSeconds(time),
                prev_randao: randao.into(),
                fee_recipient: recipient.into(),
                gas_limit: gas,
                parent_beacon_block_root: shape.parent_beacon_block_root.map(|_| beacon.into()),
                withdrawals_root: shape.withdrawals_root.map(|_| storage),
                fees,
                transactions: txs,
                ..shape
            };
            (last, attributes)
        },
    )
}

/// Changes one field, whatever its value, and returns its name.
fn mutate(block: &mut BlockAttributes, which: usize) -> &'static str {
    let other = |hash: &mut B256| hash.0[31] ^= 1;
    match which {
        0 => (other(&mut block.parent_hash), "parent-hash").1,
        1 => (block.timestamp.0 ^= 1, "timestamp").1,
        2 => (other(&mut block.prev_randao), "prev-randao").1,
        3 => {
            block.transactions.push(TransactionDigest { is_deposit: false, hash: B256::ZERO });
            "transaction-count"
        }
        4 => match block.transactions.last_mut() {
            Some(last) => (other(&mut last.hash), "transaction").1,
            None => (block.gas_limit ^= 1, "gas-limit").1,
        },
        5 => (block.gas_limit ^= 1, "gas-limit").1,
        6 => (block.withdrawals = Some(1), "withdrawals").1,
        7 => {
            block.parent_beacon_block_root = match block.parent_beacon_block_root {
                Some(_) => None,
                None => Some(B256::ZERO),
            };
            "parent-beacon-block-root"
        }
        8 => (block.fee_recipient.0.0[0] ^= 1, "fee-recipient").1,
        _ => {
            block.fees = match &block.fees {
                Ok(fees) => Ok(FeeParameters { elasticity: fees.elasticity ^ 1, ..*fees }),
                Err(_) => Ok(FeeParameters { denominator: 1, elasticity: 1, min_base_fee: None }),
            };
            "fee-parameters"
        }
    }
}

proptest! {
    #[test]
    fn attributes_rebuilt_from_any_block_match_it((last, block) in any_block()) {
        let rebuilt = PayloadAttributes::of_block(&rules(last).forks, &block).unwrap();
        prop_assert_eq!(rules(last).first_mismatch(&rebuilt, &block), None);
        prop_assert_eq!(Mismatch::first(&block, &block), None);
    }

    #[test]
    fn any_change_of_one_field_is_caught_and_named((last, block) in any_block(), which in 0..10usize) {
        let rebuilt = PayloadAttributes::of_block(&rules(last).forks, &block).unwrap();
        let mut changed = block.clone();
        let name = mutate(&mut changed, which);
        let by_fork = rules(last).first_mismatch(&rebuilt, &changed).map(|mismatch| mismatch.field());
        prop_assert_eq!(by_fork, Some(name));
        prop_assert_eq!(Mismatch::first(&block, &changed).map(|mismatch| mismatch.field()), Some(name));
    }
}
