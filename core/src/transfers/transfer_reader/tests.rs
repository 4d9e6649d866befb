//! Whole blocks: logs of several transactions, and what is read out of them.

use super::*;
use crate::message::{Identifier, Message};
use crate::transfers::bindings::IMessenger::RelayedMessage;
use crate::transfers::{Asset, L2_TO_L2_MESSENGER, SUPERCHAIN_ETH_BRIDGE, at_stake, relay_logs, send_logs};
use alloy::primitives::{Address, LogData, keccak256};
use alloy::sol_types::SolEvent;
use crosscheck_p2p::UnixSeconds;
use proptest::prelude::*;

const HERE: u64 = 130;
const THERE: u64 = 10;

fn incoming(nonce: u64, amount: u64) -> Transfer {
    Transfer {
        source: THERE.into(),
        destination: HERE.into(),
        nonce: U256::from(nonce),
        asset: Asset::Eth,
        from: Address::repeat_byte(1),
        to: Address::repeat_byte(2),
        amount: U256::from(amount),
    }
}

fn outgoing(nonce: u64, amount: u64) -> Transfer {
    Transfer { source: HERE.into(), destination: THERE.into(), ..incoming(nonce, amount) }
}

fn cited(block_number: u64) -> Identifier {
    Identifier {
        origin: L2_TO_L2_MESSENGER,
        block_number,
        log_index: 3,
        timestamp: UnixSeconds(100),
        chain_id: THERE.into(),
    }
}

/// Any log of another contract.
fn noise() -> Log {
    Log::new_unchecked(
        Address::repeat_byte(9),
        vec![keccak256("Transfer(address,address,uint256)")],
        [7; 32].into(),
    )
}

/// Reads a block of these transactions; the messages that it executes.
fn read(transactions: &[Vec<Log>]) -> (BlockTransfers, Vec<ExecutingMessage>) {
    let mut reader = TransferReader::new(HERE.into());
    let all = (0_u32..).zip(transactions).flat_map(|(index, logs)| logs.iter().map(move |log| (index, log)));
    let mut executed = Vec::new();
    for (log_index, (transaction_index, log)) in (0_u32..).zip(all) {
        reader.read(log_index, transaction_index, log);
        executed.extend(ExecutingMessage::decode(log_index, log).ok().flatten());
    }
    (reader.finish(executed.iter().copied()), executed)
}

fn kinds(found: &BlockTransfers) -> Vec<(u32, OddKind)> {
    found.odd().iter().map(|odd| (odd.log_index, odd.kind)).collect()
}

#[test]
fn an_initiated_transfer_is_read_from_its_message() {
    let token = Transfer { asset: Asset::Token(Address::repeat_byte(7)), ..outgoing(2, 5) };
    let first = [vec![noise()], send_logs(&outgoing(1, 4)).to_vec(), send_logs(&token).to_vec()].concat();
    let (found, _) = read(&[vec![noise()], first]);
    let [one, other] = found.initiated() else { panic!("two: {found:?}") };
    assert_eq!((one.log_index, one.transaction_index, one.is_resent), (2, 1, false));
    assert_eq!((one.transfer, one.message_hash), (outgoing(1, 4), outgoing(1, 4).message_hash()));
    assert_eq!((other.log_index, other.transfer, other.is_resent), (4, token, false));
    assert!(found.relayed().is_empty() && found.odd().is_empty() && !found.may_hide_initiation());
}

/// The bridge's event of another transfer is not taken for that of the message before it.
#[test]
fn a_message_that_is_emitted_again_is_resent() {
    let [sent, burned] = send_logs(&outgoing(1, 4));
    let [other, other_burned] = send_logs(&outgoing(2, 4));
    let (found, _) = read(&[vec![sent.clone(), other, other_burned], vec![sent], vec![burned]]);
    let resent: Vec<_> = found.initiated().iter().map(|sent| (sent.log_index, sent.is_resent)).collect();
    assert_eq!(resent, [(0, true), (1, false), (3, true)]);
    assert_eq!(kinds(&found), [(4, OddKind::Unpaired { event: "SendETH" })]);
    assert!(found.may_hide_initiation());
}

#[test]
fn an_executed_transfer_is_bound_to_its_message() {
    let transfers = [incoming(1, 4), incoming(2, 5)];
    let two = transfers.iter().zip([50, 51]).flat_map(|(of, block)| relay_logs(of, &cited(block)));
    let (found, executed) = read(&[vec![noise()], two.collect()]);
    let [one, other] = found.relayed() else { panic!("two: {found:?}") };
    assert_eq!((one.log_index, one.transaction_index, one.since), (3, 1, 1));
    assert_eq!((other.log_index, other.since), (6, 4));
    for (relayed, (transfer, block)) in found.relayed().iter().zip(transfers.into_iter().zip([50, 51])) {
        assert_eq!((relayed.transfer, relayed.message_hash), (transfer, transfer.message_hash()));
        assert_eq!((relayed.is_bound, relayed.cited), (true, Some(cited(block))));
    }
    assert!(found.odd().is_empty() && found.initiated().is_empty());
    assert!(one.is_by(&executed[0]) && !one.is_by(&executed[1]) && other.is_by(&executed[1]));
}

/// A transaction may validate a message itself before it has the messenger execute another one.
#[test]
fn a_message_that_is_only_validated_mints_nothing() {
    let [decoy, ..] = relay_logs(&incoming(9, 900), &cited(40));
    let logs = [vec![decoy], relay_logs(&incoming(1, 4), &cited(50)).to_vec()].concat();
    let (found, executed) = read(&[logs]);
    assert_eq!(found.relayed()[0].cited, Some(cited(50)));
    assert_eq!(at_stake(HERE.into(), &found, &executed[..1]), None);
    let line = at_stake(HERE.into(), &found, &executed[1..]).unwrap().to_string();
    assert_eq!(line, "would mint 0.000000000000000004 ETH on chain 130");
}

/// Whoever forges a message may write the call in another encoding, which no bridge sends.
#[test]
fn another_encoding_is_bound_by_its_place() {
    let [mut executing, minted, mut relayed] = relay_logs(&incoming(1, 4), &cited(50));
    let topics = vec![executing.data.topics()[0], B256::repeat_byte(5)];
    executing.data = LogData::new_unchecked(topics, executing.data.data.clone());
    let mut event = RelayedMessage::decode_log_data(&relayed.data).unwrap();
    event.messageHash = B256::repeat_byte(6);
    relayed.data = event.encode_log_data();
    let [mut elsewhere, ..] = relay_logs(&incoming(1, 4), &Identifier { chain_id: 77.into(), ..cited(60) });
    elsewhere.data =
        LogData::new_unchecked(vec![elsewhere.data.topics()[0], B256::ZERO], elsewhere.data.data);
    let (found, executed) = read(&[vec![noise(), executing, elsewhere, noise(), minted, relayed]]);
    let [only] = found.relayed() else { panic!("one: {found:?}") };
    assert_eq!((only.is_bound, only.cited), (false, Some(cited(50))));
    assert_eq!(only.message_hash, incoming(1, 4).message_hash());
    assert_eq!(kinds(&found), [(5, OddKind::OtherHash { emitted: B256::repeat_byte(6) })]);
    assert!(!found.may_hide_initiation());
    assert!(at_stake(HERE.into(), &found, &executed[..1]).is_some());
    assert_eq!(at_stake(HERE.into(), &found, &executed[1..]), None);
}

#[test]
fn a_mint_without_a_message_is_odd() {
    let [executing, minted, relayed] = relay_logs(&incoming(1, 4), &cited(50));
    let (found, _) = read(&[vec![executing.clone()], vec![minted.clone(), relayed.clone()]]);
    assert_eq!(found.relayed()[0].cited, None);
    assert_eq!(kinds(&found), [(2, OddKind::NotExecuted)]);
    let (found, _) = read(&[vec![executing.clone(), minted.clone()], vec![relayed.clone()]]);
    assert!(found.relayed().is_empty());
    assert_eq!(kinds(&found), [(1, OddKind::Unpaired { event: "RelayETH" })]);
    let (found, _) = read(&[vec![executing, minted, noise(), relayed]]);
    assert!(found.relayed().is_empty());
    assert_eq!(kinds(&found), [(1, OddKind::Unpaired { event: "RelayETH" })]);
}

#[test]
fn odd_logs_are_counted_beyond_those_kept() {
    let odd = Log::new_unchecked(SUPERCHAIN_ETH_BRIDGE, vec![], [].into());
    let (found, _) = read(&[vec![odd; 100]]);
    assert_eq!((found.odd().len(), found.odd_count()), (64, 100));
    assert!(found.may_hide_initiation() && found.weight() >= 64 * size_of::<OddLog>());
}

/// What a block's logs may be: those of the real contracts in any order, and some that are cut.
fn any_log() -> impl Strategy<Value = Log> {
    let logs = |nonce: u64, amount: u64, block: u64| {
        let [sent, burned] = send_logs(&outgoing(nonce, amount));
        let [executing, minted, relayed] = relay_logs(&incoming(nonce, amount), &cited(block));
        [sent, burned, executing, minted, relayed, noise()]
    };
    let cut = prop_oneof![6 => Just(usize::MAX), 1 => 0_usize..200];
    (0_u64..2, 1_u64..3, 0_u64..2, 0_usize..6, cut).prop_map(move |(nonce, amount, block, at, cut)| {
        let mut log = logs(nonce, amount, block)[at].clone();
        let kept = log.data.data.len().min(cut);
        log.data.data = log.data.data.slice(..kept);
        log
    })
}

proptest! {
    /// Whatever the logs are, each bridge's event is in exactly one transfer or is odd.
    #[test]
    fn no_mint_is_lost(transactions in prop::collection::vec(prop::collection::vec(any_log(), 0..12), 0..4)) {
        let (found, executed) = read(&transactions);
        let is_at_bridge = |log: &&Log| log.address == SUPERCHAIN_ETH_BRIDGE;
        let of_bridge = transactions.iter().flatten().filter(is_at_bridge).count();
        let originals = found.initiated().iter().filter(|initiated| !initiated.is_resent).count();
        let unpaired = found.odd().iter().filter(|odd| match odd.kind {
            OddKind::Unpaired { .. } => true,
            OddKind::Malformed { event } => event.ends_with("ETH"),
            _ => false,
        });
        prop_assert_eq!(of_bridge, originals + found.relayed().len() + unpaired.count());
        for relayed in found.relayed() {
            let by: Vec<_> = executed.iter().filter(|message| relayed.is_by(message)).collect();
            prop_assert_eq!(relayed.cited, by.last().map(|message| message.message.identifier));
            let is_bound = |message: &Message| message.payload_hash == relayed.transfer.payload_hash();
            prop_assert_eq!(relayed.is_bound, by.iter().any(|message| is_bound(&message.message)));
        }
    }
}
