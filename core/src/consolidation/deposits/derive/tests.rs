//! Published L1-attributes transactions, to their hashes; what each fork derives; and what cannot be derived.

use super::*;
use crate::consolidation::deposits::{SetSize, user_deposit};
use crate::consolidation::sample::op_mainnet_json;
use crate::consolidation::{
    BlockAttributes, Eip1559, FeeParameters, ForkSchedule, ForkTimes, MatchingRules, Mismatch, RollupGenesis,
};
use alloy::consensus::proofs::calculate_receipt_root;
use alloy::consensus::{Header, Receipt, ReceiptEnvelope};
use alloy::eips::BlockNumHash;
use alloy::primitives::{B256, Log, LogData, b256, hex};
use rstest::rstest;

/// Published transactions: their calldata, source hash, and hash.
///
/// Ecotone: OP Mainnet block 124665056, from reth's `OpLocalPayloadAttributesBuilder`. Isthmus: Unichain
/// Sepolia block 0x21e3b52, as its node served it. Jovian: OP Mainnet block 0x9084e08, from GetBlock's
/// documentation of `eth_getTransactionByBlockHashAndIndex`.
#[rstest]
#[case::ecotone(
    &hex!(
        "440a5e200000146b000f79c500000000000000040000000066d052e700000000013ad8a3"
        "000000000000000000000000000000000000000000000000000000003ef12787"
        "0000000000000000000000000000000000000000000000000000000000000001"
        "2fdf87b89884a61e74b322bbcf60386f543bfae7827725efaaf0ab1de2294a59"
        "0000000000000000000000006887246668a3b87f54deb3b94ba47a6f63f32985"
    ),
    b256!("683079df94aa5b9cf86687d739a60a9b4f0835e520ec4d664e2e415dca17a6df"),
    b256!("312e290cf36df704a2217b015d6455396830b0ce678b860ebfcc30f41403d7b1")
)]
#[case::isthmus(
    &hex!(
        "098999be000007d0000dbba0000000000000000800000000690be848000000000092042e"
        "0000000000000000000000000000000000000000000000000000000000000009"
        "0000000000000000000000000000000000000000000000000000000000000001"
        "0ffd7e2fb2c36e5f27c015872ce733a7b4f3fc0f4ee668d7469c557c48f8250f"
        "0000000000000000000000004ab3387810ef500bfe05a49dc53a44c222cbab3e"
        "000000000000000000000000"
    ),
    b256!("35dd2ec802504a143048c7830f8f570e0d6cf5147217af869939c6b4ba710a36"),
    b256!("613834aaeeb676fb45e312531c0cac40485a2c1b7b8ad8d648e5034dddfb5f03")
)]
#[case::jovian(
    &hex!(
        "3db6be2b0000146b000f79c50000000000000003000000006a04756f00000000017ec99d"
        "0000000000000000000000000000000000000000000000000000000020017d62"
        "0000000000000000000000000000000000000000000000000000000001d918f3"
        "af6d6abe101cdf792f420a962b62de02ba52726b1d21f5b9d43aff3c572b27cf"
        "0000000000000000000000006887246668a3b87f54deb3b94ba47a6f63f32985"
        "0000000000000000000000000190"
    ),
    b256!("c912db3c7247e182b351c44e56b691ebcafbc8ada96c394ee5f5aa65d90b930e"),
    b256!("8298e19f39ad1e9a2d670739614fafbbed1d5b3824319384f479168d2d8c8f95")
)]
fn published_l1_attributes_to_the_hash(#[case] calldata: &[u8], #[case] source: B256, #[case] hash: B256) {
    let info = L1Info::decode(calldata).unwrap();
    let transaction = l1_attributes(&info, true);
    assert_eq!(transaction.input.as_ref(), calldata);
    assert_eq!(transaction.source_hash, source);
    assert_eq!(transaction.tx_hash(), hash);
    let again = crate::consolidation::deposits::decode_l1_info(&transaction.encoded_2718().into());
    assert_eq!(again, Ok(info));
}

/// OP Goerli under Bedrock: ethers-rs, `ethers-core/src/types/transaction/optimism_deposited.rs`.
#[test]
fn a_published_bedrock_source_hash() {
    let origin = b256!("b7e19cc10812911dfa8a438e0a81a9933f843aa5b528899b8d9e221b649ae0df");
    let published = b256!("a8157ccf61bcdfbcb74a84ec1262e62644dd1e7e3614abcbd8db0c99a60049fc");
    assert_eq!(L1InfoDepositSource::new(origin, 6).source_hash(), published);
}

pub(in crate::consolidation::deposits) const GENESIS: u64 = 1_000;
const BATCHER: Address = Address::repeat_byte(0xba);
const USER: Address = Address::repeat_byte(0x05);

/// A chain that has had every fork up to `last` from genesis on; its genesis is block 0 with origin 100.
pub(in crate::consolidation::deposits) fn rules(forks: ForkSchedule) -> DepositRules {
    let config: RollupConfig = serde_json::from_value(op_mainnet_json()).unwrap();
    let system_config = SystemConfig {
        batcher: BATCHER,
        overhead: B256::repeat_byte(1),
        scalar: b256!("010000000000000000000000000000000000000000000000000c5fc500000558"),
        gas_limit: 30_000_000,
        eip1559: Eip1559::default(),
        operator_fee: crate::consolidation::deposits::OperatorFee { scalar: 3, constant: 4 },
        min_base_fee: 5,
        da_footprint_gas_scalar: 0,
    };
    let genesis = RollupGenesis {
        l1: origin(100, &[]).0.id(),
        l2: BlockNumHash { number: 0, hash: B256::repeat_byte(9) },
        time: UnixSeconds(GENESIS),
        system_config,
    };
    let set = SetSize { is_of_several: true, is_certain: true };
    DepositRules::new(RollupConfig { l1_chain_id: 900, forks, genesis, ..config }, set)
}

/// L1 block 100 or 101 (its child), with these logs.
pub(in crate::consolidation::deposits) fn origin(
    number: u64,
    logs: &[(Address, LogData)],
) -> (VerifiedL1Header, ProvenL1Logs) {
    let logs: Vec<Log> =
        logs.iter().map(|(address, data)| Log { address: *address, data: data.clone() }).collect();
    let contracts: Vec<Address> = logs.iter().map(|log| log.address).collect();
    let receipt = ReceiptEnvelope::Eip1559(Receipt { logs, ..Receipt::default() }.into());
    let receipts = vec![receipt];
    let parent_hash = if number == 100 { B256::ZERO } else { origin(number - 1, &[]).0.hash() };
    let header = VerifiedL1Header::seal(Header {
        parent_hash,
        number,
        timestamp: number + 900,
        base_fee_per_gas: Some(7),
        mix_hash: B256::repeat_byte(0x31),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::repeat_byte(0xbe)),
        receipts_root: calculate_receipt_root(&receipts),
        ..Header::default()
    });
    let proven = ProvenL1Logs::prove(&header, receipts, &contracts).unwrap();
    (header, proven)
}

pub(in crate::consolidation::deposits) fn genesis(rules: &DepositRules) -> ParentFacts {
    ParentFacts::of_attributes(rules, rules.config.genesis.l2, &crate::consolidation::sample::block(&[]))
        .unwrap()
}

fn derive(rules: &DepositRules, parent: &ParentFacts, number: u64) -> Result<DerivedFromL1, DepositsError> {
    let (header, logs) = origin(number, &[]);
    derive_from_l1(rules, parent, L1Epoch { header: &header, logs: Some(&logs) }, None)
}

/// The encoded transaction that says what was derived of the L1 origin.
fn first_deposit(rules: &DepositRules, derived: &DerivedFromL1) -> Bytes {
    let is_regolith = rules.config.forks.is_active(Fork::Regolith, derived.attributes.timestamp);
    l1_attributes(&derived.info, is_regolith).encoded_2718().into()
}

/// The block that an honest sequencer makes of what was derived, with one transaction of a user.
pub(in crate::consolidation::deposits) fn built(
    rules: &DepositRules,
    derived: &DerivedFromL1,
) -> BlockAttributes {
    let attributes = derived.attributes.clone();
    let is_active = |fork| rules.config.forks.is_active(fork, attributes.timestamp);
    let fees = attributes.fees.map(|fees| {
        let Eip1559 { denominator, elasticity } =
            if fees.eip1559.is_unset() { rules.config.canyon_fees.unwrap() } else { fees.eip1559 };
        FeeParameters { denominator, elasticity, min_base_fee: fees.min_base_fee }
    });
    let storage = if is_active(Fork::Isthmus) {
        B256::repeat_byte(6)
    } else {
        alloy::consensus::constants::EMPTY_WITHDRAWALS
    };
    let mut transactions = attributes.transactions;
    transactions.push(TransactionDigest::of(&Bytes::from_static(b"\x02 user")));
    BlockAttributes {
        parent_hash: attributes.parent_hash,
        timestamp: attributes.timestamp,
        prev_randao: attributes.prev_randao,
        fee_recipient: attributes.fee_recipient,
        gas_limit: attributes.gas_limit,
        parent_beacon_block_root: attributes.parent_beacon_block_root,
        withdrawals: attributes.withdrawals,
        withdrawals_root: is_active(Fork::Canyon).then_some(storage),
        fees: FeeParameters::decode(&fees.map(|fees| fees.encode()).unwrap_or_default()),
        transactions,
        metering: crate::consolidation::Metering::None,
        first_deposit: Some(first_deposit(rules, derived)),
    }
}

#[rstest]
#[case::bedrock(Fork::Bedrock, Fork::Bedrock)]
#[case::regolith(Fork::Regolith, Fork::Bedrock)]
#[case::canyon(Fork::Canyon, Fork::Bedrock)]
#[case::delta(Fork::Delta, Fork::Bedrock)]
#[case::ecotone(Fork::Ecotone, Fork::Ecotone)]
#[case::fjord(Fork::Fjord, Fork::Ecotone)]
#[case::granite(Fork::Granite, Fork::Ecotone)]
#[case::holocene(Fork::Holocene, Fork::Ecotone)]
#[case::isthmus(Fork::Isthmus, Fork::Isthmus)]
#[case::jovian(Fork::Jovian, Fork::Jovian)]
#[case::karst(Fork::Karst, Fork::Jovian)]
#[case::lagoon(Fork::Lagoon, Fork::Jovian)]
fn a_chain_of_each_fork_keeps_its_system_config_from_block_to_block(
    #[case] last: Fork,
    #[case] encoding: Fork,
) {
    let rules = rules(ForkSchedule::all_until(last));
    let matching = MatchingRules::from(&rules.config);
    let mut parent = genesis(&rules);
    for (place, number) in [(1, 100), (0, 101), (1, 101)] {
        let derived = derive(&rules, &parent, number).unwrap();
        let block = built(&rules, &derived);
        assert_eq!(matching.first_mismatch_with_l1(&derived, &block), None);
        let info = block.l1_info().unwrap();
        assert_eq!((info.number, info.sequence_number, info.batcher), (number, place, BATCHER));
        assert_eq!(info.fees.encoding(), encoding);
        let id = BlockNumHash { number: parent.number() + 1, hash: B256::repeat_byte(0x10) };
        parent = ParentFacts::of_attributes(&rules, id, &block).unwrap();
        assert_eq!(parent.l1_origin().number, number);
        let (genesis, now) = (rules.config.genesis.system_config, parent.system_config());
        assert_eq!((now.gas_limit, now.batcher), (genesis.gas_limit, BATCHER));
        let is = |fork| last >= fork;
        let expected_fee = if is(Fork::Isthmus) { genesis.operator_fee } else { Default::default() };
        assert_eq!(now.operator_fee, expected_fee);
        assert_eq!(now.min_base_fee, if is(Fork::Jovian) { 5 } else { 0 });
        assert_eq!(now.da_footprint_gas_scalar, if is(Fork::Jovian) { 400 } else { 0 });
        assert_eq!(now.scalar, genesis.scalar);
    }
}

#[rstest]
#[case::bedrock(Fork::Bedrock, 150_000_000, true)]
#[case::regolith(Fork::Regolith, 1_000_000, false)]
#[case::jovian(Fork::Jovian, 1_000_000, false)]
fn regolith_removes_the_system_flag_and_charges_gas(
    #[case] last: Fork,
    #[case] gas: u64,
    #[case] system: bool,
) {
    let rules = rules(ForkSchedule::all_until(last));
    let derived = derive(&rules, &genesis(&rules), 100).unwrap();
    let encoded = first_deposit(&rules, &derived);
    assert_eq!(derived.attributes.transactions, [TransactionDigest::of(&encoded)]);
    let first: TxDeposit = alloy::eips::eip2718::Decodable2718::decode_2718(&mut encoded.as_ref()).unwrap();
    assert_eq!((first.gas_limit, first.is_system_transaction), (gas, system));
}

/// Ecotone to Isthmus together in the first block after genesis: the old encoding, then users, then upgrades.
#[test]
fn the_first_block_of_a_fork_has_the_encoding_before_and_the_upgrades_last() {
    let first = Some(GENESIS + 2);
    let forks = ForkSchedule::try_from(ForkTimes {
        regolith_time: Some(0),
        canyon_time: Some(0),
        delta_time: Some(0),
        ecotone_time: first,
        fjord_time: first,
        granite_time: first,
        holocene_time: first,
        isthmus_time: first,
        ..ForkTimes::default()
    });
    let rules = rules(forks.unwrap());
    let deposit = user_deposit::tests::log(
        USER,
        USER,
        &user_deposit::tests::opaque(U256::ONE, U256::ONE, 21_000, 0, b""),
    );
    let (header, logs) = origin(101, &[(rules.config.deposit_contract, deposit)]);
    let epoch = L1Epoch { header: &header, logs: Some(&logs) };
    let derived = derive_from_l1(&rules, &genesis(&rules), epoch, None).unwrap();
    let block = built(&rules, &derived);
    assert_eq!(block.l1_info().unwrap().fees.encoding(), Fork::Bedrock);
    assert_eq!(derived.attributes.transactions.len(), 1 + 1 + 17);
    let upgrades = upgrades(&rules, UnixSeconds(GENESIS + 2));
    assert_eq!(derived.attributes.transactions[2..], upgrades.transactions);
    let id = BlockNumHash { number: 1, hash: B256::repeat_byte(0x11) };
    let parent = ParentFacts::of_attributes(&rules, id, &block).unwrap();
    let next = derive(&rules, &parent, 101);
    assert!(matches!(next, Err(DepositsError::Origin { .. })), "101 without the log is another block");
    let next = derive_from_l1(&rules, &parent, L1Epoch { header: &header, logs: None }, None).unwrap();
    assert_eq!(next.attributes.transactions.len(), 1);
    assert_eq!(built(&rules, &next).l1_info().unwrap().fees.encoding(), Fork::Isthmus);
}

#[test]
fn users_deposits_and_config_updates_count_from_the_first_block_of_their_epoch() {
    let rules = rules(ForkSchedule::all_until(Fork::Jovian));
    let (portal, config) = (rules.config.deposit_contract, rules.config.system_config);
    let deposit = |value: u64| {
        let data = user_deposit::tests::opaque(U256::ZERO, U256::from(value), 21_000, 0, b"data");
        user_deposit::tests::log(USER, USER, &data)
    };
    let word = |value: u64| U256::from(value).to_be_bytes::<32>();
    let update = |kind: u64, value: [u8; 32]| {
        let data = [word(32), word(32), value].concat();
        LogData::new_unchecked(vec![CONFIG_UPDATE, B256::ZERO, word(kind).into()], data.into())
    };
    let (header, logs) = origin(
        101,
        &[
            (portal, deposit(1)),
            (config, update(2, word(60_000_000))),
            (Address::repeat_byte(0xff), deposit(7)),
            (config, update(99, word(1))),
            (config, update(0, Address::repeat_byte(0xbb).into_word().0)),
            (config, update(6, word(77))),
            (portal, LogData::new_unchecked(vec![B256::ZERO], Bytes::new())),
            (portal, deposit(2)),
        ],
    );
    let epoch = L1Epoch { header: &header, logs: Some(&logs) };
    let derived = derive_from_l1(&rules, &genesis(&rules), epoch, None).unwrap();
    let users: Vec<_> = [(1, 0), (2, 7)]
        .map(|(value, index)| decode_user_deposit(&deposit(value), header.hash(), index).unwrap())
        .iter()
        .map(|deposit| TransactionDigest::of(&deposit.encoded_2718().into()))
        .collect();
    assert_eq!(derived.attributes.transactions[1..], users);
    assert_eq!(derived.attributes.gas_limit, 60_000_000);
    assert_eq!(derived.attributes.fees.unwrap().min_base_fee, Some(77));
    let block = built(&rules, &derived);
    assert_eq!(block.l1_info().unwrap().batcher, Address::repeat_byte(0xbb));

    // The next block has the same config, and no deposits of users.
    let id = BlockNumHash { number: 1, hash: B256::repeat_byte(0x11) };
    let parent = ParentFacts::of_attributes(&rules, id, &block).unwrap();
    let next = derive_from_l1(&rules, &parent, L1Epoch { header: &header, logs: None }, None).unwrap();
    assert_eq!((next.attributes.transactions.len(), next.attributes.gas_limit), (1, 60_000_000));
    assert_eq!(next.attributes.fees.unwrap().min_base_fee, Some(77));
}

#[rstest]
#[case::forged(|block: &mut BlockAttributes| block.transactions[1].hash = B256::ZERO, 1)]
#[case::left_out(|block: &mut BlockAttributes| { block.transactions.remove(1); }, 1)]
#[case::all_left_out(|block: &mut BlockAttributes| block.transactions.clear(), 0)]
#[case::swapped(|block: &mut BlockAttributes| block.transactions.swap(1, 2), 1)]
#[case::one_more(|block: &mut BlockAttributes| {
    block.transactions.push(TransactionDigest { is_deposit: true, hash: B256::ZERO });
}, 4)]
fn a_block_with_other_deposits_is_named_with_the_position(
    #[case] change: fn(&mut BlockAttributes),
    #[case] at: usize,
) {
    let rules = rules(ForkSchedule::all_until(Fork::Jovian));
    let deposit = |value: u64| {
        let data = user_deposit::tests::opaque(U256::ZERO, U256::from(value), 21_000, 0, b"");
        (rules.config.deposit_contract, user_deposit::tests::log(USER, USER, &data))
    };
    let (header, logs) = origin(101, &[deposit(1), deposit(2)]);
    let epoch = L1Epoch { header: &header, logs: Some(&logs) };
    let derived = derive_from_l1(&rules, &genesis(&rules), epoch, None).unwrap();
    let mut block = built(&rules, &derived);
    change(&mut block);
    let mismatch = MatchingRules::from(&rules.config).first_mismatch_with_l1(&derived, &block);
    let expected = derived.attributes.transactions.get(at).map(|expected| expected.hash);
    let found = block.transactions.get(at).map(|found| found.hash);
    assert_eq!(mismatch, Some(Mismatch::Deposit { index: at, expected, found }));
}

#[test]
fn a_contradiction_is_distinguished_from_an_unknown_value() {
    let jovian = rules(ForkSchedule::all_until(Fork::Jovian));
    let parent = genesis(&jovian);
    let at = |number| derive(&jovian, &parent, number).unwrap_err();
    assert!(matches!(at(102), DepositsError::Origin { number: 102, .. }) && at(102).is_contradiction());

    let young =
        VerifiedL1Header::seal(Header { timestamp: GENESIS + 3, ..origin(101, &[]).0.header().clone() });
    let logs = ProvenL1Logs::prove(&young, vec![ReceiptEnvelope::Eip1559(Receipt::default().into())], &[]);
    let epoch = L1Epoch { header: &young, logs: Some(&logs.unwrap()) };
    let error = derive_from_l1(&jovian, &parent, epoch, None).unwrap_err();
    assert!(matches!(error, DepositsError::Young { .. }) && error.is_contradiction());

    let (header, _) = origin(101, &[]);
    let error = derive_from_l1(&jovian, &parent, L1Epoch { header: &header, logs: None }, None).unwrap_err();
    assert!(error == DepositsError::LogsMissing { number: 101 } && !error.is_contradiction());
    let (_, other) = origin(100, &[]);
    let error =
        derive_from_l1(&jovian, &parent, L1Epoch { header: &header, logs: Some(&other) }, None).unwrap_err();
    assert!(matches!(error, DepositsError::OtherLogs { .. }) && !error.is_contradiction());

    let mut no_defaults = jovian.clone();
    no_defaults.config.canyon_fees = None;
    assert_eq!(derive(&no_defaults, &parent, 100), Err(DepositsError::FeeDefaults));
}

#[test]
fn a_blob_base_fee_that_is_not_known_is_not_a_contradiction() {
    let mut rules = rules(ForkSchedule::all_until(Fork::Jovian));
    let (header, logs) = origin(101, &[]);
    let busy = Header { excess_blob_gas: Some(50_000_000), ..header.header().clone() };
    let busy = VerifiedL1Header::seal(busy);
    let receipts = vec![ReceiptEnvelope::Eip1559(Receipt::default().into())];
    let busy_logs = ProvenL1Logs::prove(&busy, receipts, &[]).unwrap();
    let epoch = L1Epoch { header: &busy, logs: Some(&busy_logs) };
    let error = derive_from_l1(&rules, &genesis(&rules), epoch, None).unwrap_err();
    assert_eq!(error, DepositsError::BlobSchedule { l1_chain_id: 900, number: 101 });
    assert!(!error.is_contradiction());
    assert_eq!(logs.block(), header.hash());

    // By Cancun's fraction e^(50000000/3338477), by Prague's e^(50000000/5007716), rounded down.
    let blob_base_fee = |rules: &DepositRules| {
        let derived = derive_from_l1(rules, &genesis(rules), epoch, None).unwrap();
        match built(rules, &derived).l1_info().unwrap().fees {
            L1Fees::Jovian { ecotone, .. } => u64::try_from(ecotone.blob_base_fee).unwrap(),
            other => panic!("{other:?}"),
        }
    };
    rules.blobs = rules.blobs.with(UnixSeconds(0), 5_007_716);
    assert_eq!(blob_base_fee(&rules), 21_689);
    rules.config.pectra_blob_schedule = Some(UnixSeconds(u64::MAX));
    assert_eq!(blob_base_fee(&rules), 3_194_333);
}

#[test]
fn a_parent_that_does_not_name_its_position_is_refused() {
    let rules = rules(ForkSchedule::all_until(Fork::Jovian));
    let derived = derive(&rules, &genesis(&rules), 100).unwrap();
    let block = built(&rules, &derived);
    let id = BlockNumHash { number: 1, hash: B256::repeat_byte(0x11) };
    let facts = |block: &BlockAttributes| ParentFacts::of_attributes(&rules, id, block);
    assert!(facts(&block).is_ok());
    let without = BlockAttributes { transactions: vec![], first_deposit: None, ..block.clone() };
    assert!(matches!(facts(&without), Err(DepositsError::ParentL1Info { .. })));
    let no_floor = FeeParameters { denominator: 250, elasticity: 6, min_base_fee: None };
    let holocene = BlockAttributes { fees: Ok(no_floor), ..block.clone() };
    assert!(matches!(facts(&holocene), Err(DepositsError::ParentExtraData { .. })));
    let mut isthmus = rules.clone();
    isthmus.config.forks = ForkSchedule::all_until(Fork::Isthmus);
    assert_eq!(
        ParentFacts::of_attributes(&isthmus, id, &block),
        Err(DepositsError::ParentEncoding { expected: Fork::Isthmus, found: Fork::Jovian })
    );
    let other_genesis = BlockNumHash { number: 0, hash: B256::ZERO };
    let error = ParentFacts::of_attributes(&rules, other_genesis, &block);
    assert!(matches!(error, Err(DepositsError::Genesis { .. })));
}
