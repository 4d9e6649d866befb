//! The table against the published sums, and the reader of bundle files.

use super::*;
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, Bytes, TxKind, U256, address, b256, keccak256};
use op_alloy::consensus::{TxDeposit, UpgradeDepositSource};
use rstest::rstest;

const SEVERAL: SetSize = SetSize { is_of_several: true, is_certain: true };

/// Published sums: `keccak256` of all hashes in order, as the real stack executed them.
#[rstest]
#[case::karst(karst(), 31, b256!("8103b19f142acec8f509c3f37cb3c2b093ff726cf471fb8a77fa163d54f3ca89"))]
#[case::lagoon_alone(
    lagoon(SEVERAL.flipped()),
    28,
    b256!("96760c1ac3d57ef7a4fb742aa339c5517f2724c7b73916b603659e311423f17d")
)]
#[case::lagoon(lagoon(SEVERAL), 30, b256!("7ab0fb40f9cb996d5b36c2fe10814982a7b832d2502a02a759deedf4bb325ea0"))]
fn sums(#[case] bundle: UpgradeBundle, #[case] count: usize, #[case] sum: B256) {
    assert_eq!(bundle.transactions.len(), count);
    let hashes: Vec<u8> = bundle.transactions.iter().flat_map(|transaction| transaction.hash).collect();
    assert_eq!(keccak256(hashes), sum);
}

/// The two transactions of a set of several chains, made by hand.
#[rstest]
#[case::set_feature(
    "Interop pre: setFeature(INTEROP)",
    address!("4200000000000000000000000000000000000015"),
    0,
    100_000,
    [&keccak256("setFeature(bytes32)")[..4], b"INTEROP", &[0; 25]].concat(),
    table::SET_FEATURE
)]
#[case::funding(
    "Interop post: ETHLiquidity Funding",
    address!("4200000000000000000000000000000000000025"),
    u128::MAX,
    50_000,
    keccak256("fund()")[..4].to_vec(),
    table::FUNDING
)]
fn the_two_transactions_of_a_set_of_several_chains(
    #[case] intent: &str,
    #[case] to: Address,
    #[case] amount: u128,
    #[case] gas_limit: u64,
    #[case] input: Vec<u8>,
    #[case] listed: [B256; 1],
) {
    let deposit = TxDeposit {
        source_hash: UpgradeDepositSource::new(intent.to_owned()).source_hash(),
        from: address!("deaddeaddeaddeaddeaddeaddeaddeaddead0001"),
        to: TxKind::Call(to),
        mint: amount,
        value: U256::from(amount),
        gas_limit,
        is_system_transaction: false,
        input: input.into(),
    };
    assert_eq!([deposit.tx_hash()], listed);
}

const FILE: &str = r#"{
  "metadata": { "version": "1.0.0", "note": "ignored" },
  "transactions": [
    { "intent": "Deploy", "from": "0x1111111111111111111111111111111111111111", "to": null, "data": "0x6001", "gasLimit": 70000 },
    { "intent": "Call", "from": "0x2222222222222222222222222222222222222222",
      "to": "0x3333333333333333333333333333333333333333", "data": "0x", "gasLimit": 30000 }
  ]
}"#;

#[test]
fn a_file_is_read_to_the_hash() {
    let named = NamedBundle::read("zephyr", "Zephyr", FILE).unwrap();
    let deposit = |intent: &str, from, to, gas_limit, input: &'static [u8]| {
        let deposit = TxDeposit {
            source_hash: UpgradeDepositSource::new(intent.to_owned()).source_hash(),
            from: Address::repeat_byte(from),
            to,
            mint: 0,
            value: U256::ZERO,
            gas_limit,
            is_system_transaction: false,
            input: Bytes::from_static(input),
        };
        TransactionDigest::of(&deposit.encoded_2718().into())
    };
    let call = TxKind::Call(Address::repeat_byte(0x33));
    let transactions = vec![
        deposit("Zephyr 0: Deploy", 0x11, TxKind::Create, 70_000, &[0x60, 1]),
        deposit("Zephyr 1: Call", 0x22, call, 30_000, &[]),
    ];
    assert_eq!(named.bundle, UpgradeBundle { transactions, gas: 100_000 });
    assert_eq!(named.fork, "zephyr");
    let other = NamedBundle::read("zephyr", "Wind", FILE).unwrap();
    assert_ne!(other.bundle.transactions, named.bundle.transactions);
}

#[rstest]
#[case::no_json("{", "not a bundle of upgrade transactions")]
#[case::other_version(&FILE.replace("1.0.0", "2.0.0"), "version is \"2.0.0\"")]
#[case::empty(r#"{"metadata":{"version":"1.0.0"},"transactions":[]}"#, "no transactions")]
#[case::no_intent(&FILE.replace("Call", ""), "transaction 1 has no intent")]
#[case::no_gas(&FILE.replace("gasLimit", "gas"), "gasLimit")]
#[case::much_gas(&FILE.replace("70000", "18446744073709551615"), "does not fit 64 bits")]
fn a_file_that_is_not_a_bundle_is_refused(#[case] text: &str, #[case] reason: &str) {
    let error = NamedBundle::read("zephyr", "Zephyr", text).unwrap_err().to_string();
    assert!(error.contains(reason), "{error}");
}
