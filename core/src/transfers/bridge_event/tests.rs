//! Rows for each event, written word by word, and hostile bytes.

use super::*;
use crate::transfers::L2_TO_L2_MESSENGER;
use alloy::primitives::{Bytes, keccak256};
use proptest::prelude::*;
use rstest::rstest;

const FROM: Address = Address::repeat_byte(0x11);
const TO: Address = Address::repeat_byte(0x22);
const TOKEN: Address = Address::repeat_byte(0x33);
const AMOUNT: u64 = 1_000;
const PEER: u64 = 130;

const SENT_MESSAGE: &str = "SentMessage(uint256,address,uint256,address,bytes)";
const RELAYED_MESSAGE: &str = "RelayedMessage(uint256,uint256,bytes32,bytes32)";
const SEND_ETH: &str = "SendETH(address,address,uint256,uint256)";
const RELAY_ETH: &str = "RelayETH(address,address,uint256,uint256)";
const SEND_ERC20: &str = "SendERC20(address,address,address,uint256,uint256)";
const RELAY_ERC20: &str = "RelayERC20(address,address,address,uint256,uint256)";

fn word(value: u64) -> B256 {
    B256::from(U256::from(value))
}

fn log(signature: &str, indexed: &[B256], data: &[B256]) -> LogData {
    let topics = std::iter::once(keccak256(signature)).chain(indexed.iter().copied()).collect();
    LogData::new_unchecked(topics, data.iter().flat_map(|word| word.0).collect::<Vec<_>>().into())
}

fn movement(asset: Asset) -> Movement {
    Movement { asset, from: FROM, to: TO, amount: U256::from(AMOUNT), peer: PEER.into() }
}

/// The data of a `SentMessage`: the sender, the place of the message, its length, the message in words.
fn message(sender: Address, signature: &str, arguments: &[B256]) -> Vec<u8> {
    let mut call = keccak256(signature)[..4].to_vec();
    arguments.iter().for_each(|word| call.extend_from_slice(word.as_slice()));
    let mut data = [sender.into_word().0, word(64).0, word(call.len() as u64).0].concat();
    data.extend_from_slice(&call);
    data.resize(data.len().next_multiple_of(32), 0);
    data
}

fn sent(target: Address, data: Vec<u8>) -> LogData {
    let topics = vec![keccak256(SENT_MESSAGE), word(PEER), target.into_word(), word(5)];
    LogData::new_unchecked(topics, data.into())
}

fn eth_message(sender: Address) -> Vec<u8> {
    let arguments = [FROM.into_word(), TO.into_word(), word(AMOUNT)];
    message(sender, "relayETH(address,address,uint256)", &arguments)
}

fn token_message(sender: Address) -> Vec<u8> {
    let arguments = [TOKEN.into_word(), FROM.into_word(), TO.into_word(), word(AMOUNT)];
    message(sender, "relayERC20(address,address,address,uint256)", &arguments)
}

#[rstest]
#[case::send_eth(
    Contract::EthBridge,
    log(SEND_ETH, &[FROM.into_word(), TO.into_word()], &[word(AMOUNT), word(PEER)]),
    BridgeEvent::Send(movement(Asset::Eth))
)]
#[case::relay_eth(
    Contract::EthBridge,
    log(RELAY_ETH, &[FROM.into_word(), TO.into_word()], &[word(AMOUNT), word(PEER)]),
    BridgeEvent::Relay(movement(Asset::Eth))
)]
#[case::send_erc20(
    Contract::TokenBridge,
    log(SEND_ERC20, &[TOKEN.into_word(), FROM.into_word(), TO.into_word()], &[word(AMOUNT), word(PEER)]),
    BridgeEvent::Send(movement(Asset::Token(TOKEN)))
)]
#[case::relay_erc20(
    Contract::TokenBridge,
    log(RELAY_ERC20, &[TOKEN.into_word(), FROM.into_word(), TO.into_word()], &[word(AMOUNT), word(PEER)]),
    BridgeEvent::Relay(movement(Asset::Token(TOKEN)))
)]
#[case::relayed_message(
    Contract::Messenger,
    log(RELAYED_MESSAGE, &[word(PEER), word(5), word(77)], &[word(0)]),
    BridgeEvent::RelayedMessage { source: PEER.into(), nonce: U256::from(5), message_hash: word(77) }
)]
#[case::sent_eth(
    Contract::Messenger,
    sent(SUPERCHAIN_ETH_BRIDGE, eth_message(SUPERCHAIN_ETH_BRIDGE)),
    BridgeEvent::SentMessage { nonce: U256::from(5), movement: movement(Asset::Eth) }
)]
#[case::sent_token(
    Contract::Messenger,
    sent(SUPERCHAIN_TOKEN_BRIDGE, token_message(SUPERCHAIN_TOKEN_BRIDGE)),
    BridgeEvent::SentMessage { nonce: U256::from(5), movement: movement(Asset::Token(TOKEN)) }
)]
fn an_event_is_read(#[case] contract: Contract, #[case] log: LogData, #[case] event: BridgeEvent) {
    assert_eq!(contract.read(&log), Ok(Some(event)));
}

/// Anybody may send these: the bridge at the other end refuses them.
#[rstest]
#[case::to_a_user(sent(TO, eth_message(FROM)))]
#[case::to_the_bridge_by_a_user(sent(SUPERCHAIN_ETH_BRIDGE, eth_message(FROM)))]
#[case::to_the_token_bridge_by_a_user(sent(SUPERCHAIN_TOKEN_BRIDGE, token_message(FROM)))]
#[case::empty(sent(TO, [FROM.into_word().0, word(64).0, word(0).0].concat()))]
#[case::the_proxys(log("Upgraded(address)", &[FROM.into_word()], &[]))]
fn other_messages_are_not_transfers(#[case] log: LogData) {
    assert_eq!(Contract::Messenger.read(&log), Ok(None));
}

#[rstest]
#[case::to_another(sent(TO, eth_message(SUPERCHAIN_ETH_BRIDGE)))]
#[case::to_the_other_bridge(sent(SUPERCHAIN_TOKEN_BRIDGE, eth_message(SUPERCHAIN_ETH_BRIDGE)))]
#[case::the_other_call(sent(SUPERCHAIN_ETH_BRIDGE, token_message(SUPERCHAIN_ETH_BRIDGE)))]
#[case::no_call(sent(SUPERCHAIN_ETH_BRIDGE, message(SUPERCHAIN_ETH_BRIDGE, "mint()", &[])))]
#[case::a_word_short(sent(SUPERCHAIN_ETH_BRIDGE, message(
    SUPERCHAIN_ETH_BRIDGE, "relayETH(address,address,uint256)", &[FROM.into_word(), TO.into_word()]
)))]
#[case::a_word_long(sent(SUPERCHAIN_ETH_BRIDGE, message(
    SUPERCHAIN_ETH_BRIDGE, "relayETH(address,address,uint256)", &[word(1), word(2), word(3), word(4)]
)))]
#[case::a_wide_address(sent(SUPERCHAIN_ETH_BRIDGE, message(
    SUPERCHAIN_ETH_BRIDGE, "relayETH(address,address,uint256)", &[B256::repeat_byte(1), word(2), word(3)]
)))]
fn what_no_bridge_sends_is_odd(#[case] log: LogData) {
    assert_eq!(Contract::Messenger.read(&log), Err(OddKind::UnknownCall));
}

fn with_word(mut data: Vec<u8>, at: usize, word: B256) -> Vec<u8> {
    data[at * 32..at * 32 + 32].copy_from_slice(word.as_slice());
    data
}

#[rstest]
#[case::empty(vec![])]
#[case::a_word(eth_message(SUPERCHAIN_ETH_BRIDGE)[..32].to_vec())]
#[case::a_byte_short({ let data = eth_message(SUPERCHAIN_ETH_BRIDGE); data[..data.len() - 1].to_vec() })]
#[case::a_byte_long([eth_message(SUPERCHAIN_ETH_BRIDGE), vec![0]].concat())]
#[case::a_wide_sender(with_word(eth_message(SUPERCHAIN_ETH_BRIDGE), 0, B256::repeat_byte(0x42)))]
#[case::an_offset_to_the_sender(with_word(eth_message(SUPERCHAIN_ETH_BRIDGE), 1, word(0)))]
#[case::an_offset_to_itself(with_word(eth_message(SUPERCHAIN_ETH_BRIDGE), 1, word(32)))]
#[case::an_offset_past_the_end(with_word(eth_message(SUPERCHAIN_ETH_BRIDGE), 1, word(1 << 40)))]
#[case::an_offset_of_256_bits(with_word(eth_message(SUPERCHAIN_ETH_BRIDGE), 1, B256::repeat_byte(0xff)))]
#[case::a_length_past_the_end(with_word(eth_message(SUPERCHAIN_ETH_BRIDGE), 2, word(1 << 40)))]
#[case::a_length_of_64_bits(with_word(eth_message(SUPERCHAIN_ETH_BRIDGE), 2, word(u64::MAX)))]
#[case::a_length_of_256_bits(with_word(eth_message(SUPERCHAIN_ETH_BRIDGE), 2, B256::repeat_byte(0xff)))]
#[case::dirty_padding({ let mut data = eth_message(FROM); *data.last_mut().unwrap() = 1; data })]
fn hostile_data_is_malformed(#[case] data: Vec<u8>) {
    let log = sent(SUPERCHAIN_ETH_BRIDGE, data);
    assert_eq!(Contract::Messenger.read(&log), Err(OddKind::Malformed { event: "SentMessage" }));
}

const EVENTS: [(Contract, &str, usize, usize); 6] = [
    (Contract::Messenger, SENT_MESSAGE, 3, 3),
    (Contract::Messenger, RELAYED_MESSAGE, 3, 1),
    (Contract::EthBridge, SEND_ETH, 2, 2),
    (Contract::EthBridge, RELAY_ETH, 2, 2),
    (Contract::TokenBridge, SEND_ERC20, 3, 2),
    (Contract::TokenBridge, RELAY_ERC20, 3, 2),
];

#[test]
fn another_number_of_topics_or_words_is_malformed() {
    for (contract, signature, topics, words) in EVENTS {
        let event = signature.split('(').next().unwrap();
        for (found_topics, found_words) in [(topics - 1, words), (topics + 1, words), (topics, words - 1)] {
            let log = log(signature, &vec![word(1); found_topics], &vec![word(1); found_words]);
            let outcome = contract.read(&log);
            assert!(
                matches!(outcome, Err(OddKind::Malformed { event: found }) if found == event),
                "{signature}"
            );
        }
        let mut long = log(signature, &vec![word(1); topics], &vec![word(1); words + 1]);
        assert!(contract.read(&long).is_err(), "{signature}");
        long.data = Bytes::copy_from_slice(&long.data[..long.data.len() - 31]);
        assert!(contract.read(&long).is_err(), "{signature}");
    }
}

#[test]
fn an_address_topic_with_more_than_160_bits_is_malformed() {
    let topics = [B256::repeat_byte(1), TO.into_word()];
    let outcome = Contract::EthBridge.read(&log(RELAY_ETH, &topics, &[word(AMOUNT), word(PEER)]));
    assert_eq!(outcome, Err(OddKind::Malformed { event: "RelayETH" }));
}

#[rstest]
#[case::of_a_newer_contract(vec![keccak256("SentMessage(uint256,address,uint256,address,bytes,address)")])]
#[case::without_a_topic(vec![])]
fn another_event_is_unknown(#[case] topics: Vec<B256>) {
    let topic = topics.first().copied();
    let log = LogData::new_unchecked(topics, Bytes::new());
    for contract in [Contract::Messenger, Contract::EthBridge, Contract::TokenBridge] {
        assert_eq!(contract.read(&log), Err(OddKind::UnknownEvent { topic }));
    }
}

#[test]
fn an_event_of_another_of_the_contracts_is_unknown() {
    let topics = [FROM.into_word(), TO.into_word()];
    let log = log(RELAY_ETH, &topics, &[word(AMOUNT), word(PEER)]);
    for contract in [Contract::Messenger, Contract::TokenBridge] {
        assert!(matches!(contract.read(&log), Err(OddKind::UnknownEvent { .. })));
    }
}

#[test]
fn only_the_three_predeploys_are_read() {
    assert_eq!(Contract::at(&L2_TO_L2_MESSENGER), Some(Contract::Messenger));
    assert_eq!(Contract::at(&SUPERCHAIN_ETH_BRIDGE), Some(Contract::EthBridge));
    assert_eq!(Contract::at(&SUPERCHAIN_TOKEN_BRIDGE), Some(Contract::TokenBridge));
    let found = (0..=u8::MAX).filter(|last| {
        let mut address = L2_TO_L2_MESSENGER;
        address.0[19] = *last;
        Contract::at(&address).is_some()
    });
    assert_eq!(found.collect::<Vec<_>>(), [0x23, 0x24, 0x28]);
    let mut elsewhere = L2_TO_L2_MESSENGER;
    elsewhere.0[18] = 1;
    assert_eq!((Contract::at(&elsewhere), Contract::at(&Address::ZERO)), (None, None));
}

proptest! {
    #[test]
    fn random_bytes_are_never_a_panic(
        event in 0_usize..6, topics in 0_usize..5, data in prop::collection::vec(any::<u8>(), 0..300),
        small in prop::collection::vec((0_usize..8, any::<u16>()), 0..4)
    ) {
        let (contract, signature, ..) = EVENTS[event];
        let mut data = data;
        // Words as an encoder could write them, to get further than the first check.
        for (at, value) in small {
            if let Some(word) = data.get_mut(at * 32..at * 32 + 32) {
                word.copy_from_slice(&U256::from(value).to_be_bytes::<32>());
            }
        }
        let mut log = log(signature, &vec![word(1); topics], &[]);
        log.data = data.into();
        let _ = contract.read(&log);
    }
}
