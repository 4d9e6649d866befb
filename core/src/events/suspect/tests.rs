//! One row a fault, checked against a tracker that was given one initiating block.

use super::*;
use crate::message::{ExecutingMessage, Identifier, Message, encode_access_list};
use crate::proof::{Executed, ProvenLog, ProvenLogs};
use crate::tracker::{Input, TrackerLimits};
use crate::validity::{DependencySet, Member};
use alloy::primitives::Address;
use crosscheck_p2p::ChainId;
use rstest::rstest;
use std::sync::Arc;

const A: u64 = 901;
const B: u64 = 902;
const ORIGIN: Address = Address::repeat_byte(0xee);

fn observed(chain: u64, number: u64, timestamp: u64, executed: Vec<Executed>) -> ObservedBlock {
    ObservedBlock {
        transactions: Vec::new(),
        key: BlockKey {
            chain_id: chain.into(),
            number,
            hash: B256::repeat_byte(u8::try_from(number).unwrap()),
        },
        parent_hash: B256::repeat_byte(u8::try_from(number - 1).unwrap()),
        timestamp: UnixSeconds(timestamp),
        executed,
        undecodable: Vec::new(),
        undeclared: Vec::new(),
        is_deposits_only: false,
    }
}

/// Chain B has block 10 at 1000, with two logs, and block 11 at 1002, whose logs are not in the index.
fn tracker() -> (Tracker, LogIndex) {
    let index = LogIndex::new(1 << 20);
    let member = Member { interop_time: UnixSeconds(100), block_time: 2 };
    let set = DependencySet::new([A, B].map(|id| (ChainId::from(id), member)).into(), 50);
    let limits = TrackerLimits { max_messages: 10, retention: 1000, ended_kept: 10 };
    let mut tracker = Tracker::new(set, index.clone(), limits);
    for (number, timestamp) in [(10, 1000), (11, 1002)] {
        let block = observed(B, number, timestamp, Vec::new());
        if number == 10 {
            let logs =
                [1, 7].map(|payload| ProvenLog { origin: ORIGIN, payload_hash: B256::repeat_byte(payload) });
            let logs = ProvenLogs::for_tests(B.into(), number, block.timestamp, logs.to_vec());
            index.insert(Arc::new(logs.with_hash(block.key.hash)));
        }
        assert_eq!(tracker.apply(Input::Block(Arc::new(block))).refused, None);
    }
    (tracker, index)
}

fn message(change: impl FnOnce(&mut Message)) -> Message {
    let identifier = Identifier {
        origin: ORIGIN,
        block_number: 10,
        log_index: 1,
        timestamp: UnixSeconds(1000),
        chain_id: B.into(),
    };
    let mut message = Message { identifier, payload_hash: B256::repeat_byte(7) };
    change(&mut message);
    message
}

fn declared(keys: Vec<B256>) -> InboxKeys {
    InboxKeys { transaction_index: 4, transaction_hash: B256::repeat_byte(0xaa), keys }
}

fn found(keys: Vec<B256>, executed_at: u64) -> Vec<Suspect> {
    let (tracker, index) = tracker();
    let block = BlockKey { chain_id: A.into(), number: 20, hash: B256::repeat_byte(0xbb) };
    suspects(&tracker, &index, block, UnixSeconds(executed_at), &[declared(keys)])
}

#[rstest]
#[case::holds(|_: &mut Message| {}, 1002, None)]
#[case::same_timestamp(|_: &mut Message| {}, 1000, None)]
#[case::later_than_its_execution(|_: &mut Message| {}, 999, Some("initiated-after-execution"))]
#[case::expired(|_: &mut Message| {}, 1051, Some("expired"))]
#[case::unknown_chain(|m: &mut Message| m.identifier.chain_id = 7.into(), 1002, Some("unknown-chain"))]
#[case::activation_block(|m: &mut Message| m.identifier.timestamp = UnixSeconds(101), 120, Some("not-active"))]
#[case::other_timestamp(|m: &mut Message| m.identifier.timestamp = UnixSeconds(998), 1002, Some("timestamp-mismatch"))]
#[case::no_such_log(|m: &mut Message| m.identifier.log_index = 2, 1002, Some("log-not-found"))]
#[case::other_payload(|m: &mut Message| m.payload_hash = B256::ZERO, 1002, Some("checksum-mismatch"))]
#[case::other_origin(|m: &mut Message| m.identifier.origin = Address::ZERO, 1002, Some("checksum-mismatch"))]
#[case::other_index(|m: &mut Message| m.identifier.log_index = 0, 1002, Some("checksum-mismatch"))]
#[case::block_beyond_the_tip(|m: &mut Message| m.identifier.block_number = 12, 1002, Some("block-not-found"))]
#[case::block_that_may_still_come(
    |m: &mut Message| (m.identifier.block_number, m.identifier.timestamp) = (12, UnixSeconds(1004)), 1004, None
)]
#[case::logs_not_at_hand(
    |m: &mut Message| (m.identifier.block_number, m.identifier.timestamp) = (11, UnixSeconds(1002)), 1004, None
)]
#[case::below_the_view(
    |m: &mut Message| (m.identifier.block_number, m.identifier.timestamp) = (9, UnixSeconds(998)), 1004, None
)]
fn declared_messages(
    #[case] change: fn(&mut Message),
    #[case] executed_at: u64,
    #[case] fault: Option<&str>,
) {
    let suspects = found(encode_access_list(&message(change)), executed_at);
    assert_eq!(suspects.first().map(|suspect| suspect.fault.code()), fault, "{suspects:?}");
    assert!(suspects.iter().all(|suspect| suspect.transaction_index == 4 && suspect.access.is_some()));
}

#[test]
fn each_wrong_message_of_a_transaction_is_a_suspect_of_its_own() {
    let messages =
        [message(|_| {}), message(|m| m.identifier.log_index = 8), message(|m| m.identifier.log_index = 9)];
    let suspects = found(messages.iter().flat_map(encode_access_list).collect(), 1002);
    assert_eq!(suspects.iter().map(|suspect| suspect.entry).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn all_unreadable_declarations_of_a_transaction_are_one_suspect() {
    let suspects = found(vec![B256::repeat_byte(9)], 1002);
    let [suspect] = suspects.as_slice() else { panic!("{suspects:?}") };
    assert_eq!((suspect.fault.code(), suspect.access), ("malformed-access-list", None));
    assert_eq!(suspect.record().reason, "malformed-access-list");
}

fn executed(transaction_index: u32, message: Message) -> Executed {
    let message = ExecutingMessage { log_index: 3, message };
    Executed { log_index: 3, transaction_index, by_deposit: false, message }
}

#[rstest]
#[case::executed(0xbb, vec![executed(4, message(|m| m.identifier.log_index = 9))], SuspectOutcome::Executed)]
#[case::reverted(0xbb, vec![], SuspectOutcome::NotExecuted)]
#[case::another_message(0xbb, vec![executed(4, message(|_| {}))], SuspectOutcome::NotExecuted)]
#[case::by_another_transaction(
    0xbb, vec![executed(5, message(|m| m.identifier.log_index = 9))], SuspectOutcome::NotExecuted
)]
#[case::another_block(0xcc, vec![], SuspectOutcome::Dropped)]
fn outcomes(#[case] hash: u8, #[case] executed: Vec<Executed>, #[case] outcome: SuspectOutcome) {
    let suspects = found(encode_access_list(&message(|m| m.identifier.log_index = 9)), 1002);
    let mut block = observed(A, 20, 1002, executed);
    block.key.hash = B256::repeat_byte(hash);
    assert_eq!(suspects.first().unwrap().outcome(&block), outcome);
}
