//! The line of an alert, word for word.

use super::*;
use crate::message::{Identifier, Message};
use crate::transfers::{L2_TO_L2_MESSENGER, Relayed, Transfer};
use alloy::primitives::{Address, B256};
use crosscheck_p2p::UnixSeconds;
use rstest::rstest;

const ETHER: u64 = 1_000_000_000_000_000_000;

fn relayed(log_index: u32, asset: Asset, amount: U256) -> Relayed {
    let transfer = Transfer {
        source: 10.into(),
        destination: 130.into(),
        nonce: U256::from(log_index),
        asset,
        from: Address::ZERO,
        to: Address::ZERO,
        amount,
    };
    let (message_hash, payload_hash) = (transfer.message_hash(), transfer.payload_hash());
    let since = log_index.saturating_sub(2);
    Relayed {
        log_index,
        transaction_index: 0,
        transfer,
        message_hash,
        payload_hash,
        since,
        is_bound: true,
        cited: None,
    }
}

fn by(relayed: &Relayed) -> ExecutingMessage {
    let identifier = Identifier {
        origin: L2_TO_L2_MESSENGER,
        block_number: 1,
        log_index: 0,
        timestamp: UnixSeconds(1),
        chain_id: 10.into(),
    };
    let message = Message { identifier, payload_hash: relayed.payload_hash };
    ExecutingMessage { log_index: relayed.since, message }
}

fn stake(relayed: Vec<Relayed>) -> Option<AtStake> {
    let messages: Vec<_> = relayed.iter().map(by).collect();
    at_stake(130.into(), &BlockTransfers::for_tests(vec![], relayed, false), &messages)
}

fn token(byte: u8) -> Asset {
    Asset::Token(Address::repeat_byte(byte))
}

#[rstest]
#[case::whole(U256::from(1_234) * U256::from(ETHER), "would mint 1,234 ETH on chain 130")]
#[case::fraction(U256::from(ETHER + ETHER / 2), "would mint 1.5 ETH on chain 130")]
#[case::wei(U256::from(1), "would mint 0.000000000000000001 ETH on chain 130")]
#[case::hundreds(U256::from(999) * U256::from(ETHER), "would mint 999 ETH on chain 130")]
#[case::millions(U256::from(1_000_000) * U256::from(ETHER), "would mint 1,000,000 ETH on chain 130")]
fn an_amount_of_eth_is_written_in_eth(#[case] amount: U256, #[case] line: &str) {
    assert_eq!(stake(vec![relayed(3, Asset::Eth, amount)]).unwrap().to_string(), line);
}

#[test]
fn amounts_are_summed_by_asset() {
    let amounts = [(Asset::Eth, ETHER), (token(7), 5), (Asset::Eth, ETHER / 4), (token(7), 12_000)];
    let relayed = (3_u32..).step_by(3).zip(amounts);
    let stake = stake(relayed.map(|(at, (asset, amount))| relayed_of(at, asset, amount)).collect()).unwrap();
    assert_eq!(stake.chain_id(), 130.into());
    assert_eq!(
        stake.to_string(),
        "would mint 1.25 ETH and 12,005 base units of 0x0707070707070707070707070707070707070707 on chain 130"
    );
}

fn relayed_of(at: u32, asset: Asset, amount: u64) -> Relayed {
    relayed(at, asset, U256::from(amount))
}

#[test]
fn a_line_names_at_most_four_assets() {
    let of = |count: u8| {
        let relayed = (1..=count).map(|byte| relayed_of(u32::from(byte) * 3, token(byte), 1));
        stake(relayed.collect()).unwrap().to_string()
    };
    assert!(of(4).contains(", 1 base units of 0x0303") && of(4).contains(" and 1 base units of 0x0404"));
    assert!(of(5).ends_with(" and 1 other token on chain 130") && !of(5).contains("0x0505"));
    assert!(of(9).ends_with(" and 5 other tokens on chain 130"));
}

#[test]
fn a_hostile_tokens_sum_is_capped() {
    let two = [3, 6].map(|at| relayed(at, token(7), U256::MAX));
    assert_eq!(stake(two.to_vec()).unwrap().amounts()[&token(7)], U256::MAX);
}

#[test]
fn nothing_is_at_stake_without_an_amount_or_with_another_message() {
    assert_eq!(stake(vec![relayed(3, Asset::Eth, U256::ZERO)]), None);
    let one = relayed(3, Asset::Eth, U256::from(1));
    let transfers = BlockTransfers::for_tests(vec![], vec![one], false);
    let none_of = |change: fn(&mut ExecutingMessage)| {
        let mut message = by(&one);
        change(&mut message);
        at_stake(130.into(), &transfers, &[message])
    };
    assert!(none_of(|_| {}).is_some());
    assert_eq!(none_of(|message| message.log_index = 0), None, "before its transaction's last message");
    assert_eq!(none_of(|message| message.log_index = 3), None, "after the transfer");
    assert_eq!(none_of(|message| message.message.payload_hash = B256::ZERO), None);
    assert_eq!(none_of(|message| message.message.identifier.chain_id = 11.into()), None);
    assert_eq!(none_of(|message| message.message.identifier.origin = Address::ZERO), None);
}

#[test]
fn a_transfer_is_counted_once_however_many_messages_are_given() {
    let one = relayed(3, Asset::Eth, U256::from(ETHER));
    let transfers = BlockTransfers::for_tests(vec![], vec![one], false);
    let stake = at_stake(130.into(), &transfers, &[by(&one), by(&one)]).unwrap();
    assert_eq!(stake.to_string(), "would mint 1 ETH on chain 130");
}
