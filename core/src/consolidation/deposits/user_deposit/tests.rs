//! A published deposit, to the hash of its L2 transaction; and every way to damage one.

use super::*;
use alloy::primitives::{address, bytes, keccak256};
use proptest::prelude::*;
use rstest::rstest;

/// A deposit from Ethereum and the hash of its transaction on L2: viem,
/// `src/op-stack/utils/getL2TransactionHash.test.ts`.
const USER: Address = address!("1a1e021a302c237453d3d45c7b82b19ceeb7e2e6");
const L1_BLOCK_HASH: B256 = b256!("634c52556471c589f42db9131467e0c9484f5c73049e32d1a74e2a4ce0f91d57");
const LOG_INDEX: u64 = 109;
const L2_TRANSACTION: B256 = b256!("0a60b983815ed475c5919609025204a479654d93afc610feca7d99ae0befc329");
const OPAQUE_DATA: Bytes = bytes!(
    "0000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000045"
    "0000000000005208"
    "00"
);

/// A log as the contract emits it: the opaque data ABI-encoded.
pub(crate) fn log(from: Address, to: Address, opaque: &[u8]) -> LogData {
    let topics = vec![TRANSACTION_DEPOSITED, from.into_word(), to.into_word(), B256::ZERO];
    LogData::new_unchecked(topics, framed(opaque))
}

fn framed(opaque: &[u8]) -> Bytes {
    let mut data = [U256::from(32).to_be_bytes::<32>(), U256::from(opaque.len()).to_be_bytes()].concat();
    data.extend_from_slice(opaque);
    data.resize(data.len().next_multiple_of(32), 0);
    data.into()
}

/// Version 0's opaque data.
pub(crate) fn opaque(mint: U256, value: U256, gas: u64, creation: u8, input: &[u8]) -> Vec<u8> {
    let words = [mint.to_be_bytes::<32>(), value.to_be_bytes()].concat();
    [&words, &gas.to_be_bytes()[..], &[creation], input].concat()
}

fn decode(log: &LogData) -> Result<TxDeposit, UserDepositError> {
    decode_user_deposit(log, L1_BLOCK_HASH, LOG_INDEX)
}

#[test]
fn the_topic_is_the_hash_of_the_event() {
    assert_eq!(TRANSACTION_DEPOSITED, keccak256("TransactionDeposited(address,address,uint256,bytes)"));
}

#[test]
fn a_published_deposit_has_its_published_l2_hash() {
    let deposit = decode(&log(USER, USER, &OPAQUE_DATA)).unwrap();
    assert_eq!(deposit.tx_hash(), L2_TRANSACTION);
    assert_eq!((deposit.value, deposit.gas_limit, deposit.mint), (U256::from(0x45), 21_000, 0));
}

#[rstest]
#[case::call(0, TxKind::Call(USER))]
#[case::creation(1, TxKind::Create)]
#[case::any_other_byte_creates(7, TxKind::Create)]
fn creation(#[case] flag: u8, #[case] to: TxKind) {
    let data = opaque(U256::ZERO, U256::ZERO, 1, flag, b"");
    assert_eq!(decode(&log(USER, USER, &data)).unwrap().to, to);
}

#[test]
fn another_place_on_l1_is_another_transaction() {
    let log = log(USER, USER, &OPAQUE_DATA);
    let at = |hash, index| decode_user_deposit(&log, hash, index).unwrap().tx_hash();
    assert_ne!(at(L1_BLOCK_HASH, LOG_INDEX), at(L1_BLOCK_HASH, LOG_INDEX + 1));
    assert_ne!(at(L1_BLOCK_HASH, LOG_INDEX), at(B256::ZERO, LOG_INDEX));
}

#[test]
fn more_than_all_wei_is_refused() {
    let mint = U256::from(u128::MAX) + U256::ONE;
    let data = opaque(mint, U256::ZERO, 1, 0, b"");
    assert_eq!(decode(&log(USER, USER, &data)), Err(UserDepositError::Mint { mint }));
    let data = opaque(U256::from(u128::MAX), U256::ZERO, 1, 0, b"");
    assert_eq!(decode(&log(USER, USER, &data)).unwrap().mint, u128::MAX);
}

#[test]
fn a_log_that_is_not_a_deposit_is_refused() {
    let good = log(USER, USER, &OPAQUE_DATA);
    let [event, from, to, version] = *good.topics() else { panic!() };
    let with_topics = |topics| LogData::new_unchecked(topics, good.data.clone());
    assert_eq!(decode(&with_topics(vec![event, from, to])), Err(UserDepositError::Topics { found: 3 }));
    assert_eq!(
        decode(&with_topics(vec![B256::ZERO, from, to, version])),
        Err(UserDepositError::Event { found: B256::ZERO })
    );
    let one = B256::from(U256::ONE);
    assert_eq!(
        decode(&with_topics(vec![event, from, to, one])),
        Err(UserDepositError::Version { found: one })
    );
}

#[rstest]
#[case::empty(Bytes::new())]
#[case::header_only(framed(b""))]
#[case::a_byte_short_of_version_0(framed(&OPAQUE_DATA[..72]))]
#[case::no_multiple_of_32(Bytes::from([framed(&OPAQUE_DATA).as_ref(), &[0]].concat()))]
#[case::a_word_of_padding_too_many(Bytes::from([framed(&OPAQUE_DATA).as_ref(), &[0; 32]].concat()))]
#[case::padding_missing(framed(&OPAQUE_DATA).slice(..128))]
#[case::other_offset(changed(31, 64))]
#[case::huge_offset(changed(0, 1))]
#[case::length_beyond_the_data(changed(63, 255))]
#[case::huge_length(changed(32, 255))]
fn malformed_data_is_refused(#[case] data: Bytes) {
    let length = data.len();
    let bad = LogData::new_unchecked(log(USER, USER, &OPAQUE_DATA).topics().to_vec(), data);
    assert_eq!(decode(&bad), Err(UserDepositError::Data { length }));
}

fn changed(at: usize, byte: u8) -> Bytes {
    let mut data = framed(&OPAQUE_DATA).to_vec();
    data[at] = byte;
    data.into()
}

proptest! {
    #[test]
    fn any_encoded_deposit_is_decoded_unchanged(
        (mint, value, gas) in (any::<u128>(), any::<[u8; 32]>(), any::<u64>()),
        creation in any::<bool>(),
        input in proptest::collection::vec(any::<u8>(), 0..100),
        (from, to) in (any::<[u8; 20]>(), any::<[u8; 20]>()),
    ) {
        let (from, to, value) = (Address::from(from), Address::from(to), U256::from_be_bytes(value));
        let data = opaque(U256::from(mint), value, gas, u8::from(creation), &input);
        let expected = TxDeposit {
            source_hash: UserDepositSource::new(L1_BLOCK_HASH, LOG_INDEX).source_hash(),
            from,
            to: if creation { TxKind::Create } else { TxKind::Call(to) },
            mint,
            value,
            gas_limit: gas,
            is_system_transaction: false,
            input: input.into(),
        };
        prop_assert_eq!(decode(&log(from, to, &data)), Ok(expected));
    }

    #[test]
    fn any_data_is_read_or_refused(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        let topics = log(USER, USER, &OPAQUE_DATA).topics().to_vec();
        let _ = decode(&LogData::new_unchecked(topics, data.into()));
    }
}
