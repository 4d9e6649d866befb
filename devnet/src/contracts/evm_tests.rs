//! What the contracts do when the EVM runs them: the inbox against its specification, clause by clause.

use super::bindings::{ICrossL2Inbox, IL1Block};
use super::*;
use crate::chain::{ParentState, WorldState, genesis, hardforks};
use crate::fixture::{CHAIN_ID, Fixture};
use crate::l1::DEPOSITOR;
use alloy::{
    consensus::Header,
    eips::eip2930::{AccessList, AccessListItem},
    primitives::{Address, B256, Bytes, LogData, TxKind, U256},
    sol_types::{SolCall, SolError, SolEvent},
};
use alloy_evm::{Evm, EvmFactory};
use alloy_op_evm::{OpEvmFactory, OpTx, evm_env_for_op_block};
use crosscheck_core::message::{
    CROSS_L2_INBOX, Checksum, Identifier, Message, encode_access_list, payload_hash,
};
use crosscheck_p2p::{ChainId, UnixSeconds};
use op_revm::{OpHaltReason, OpTransaction};
use proptest::prelude::*;
use revm::{
    context::{TxEnv, result::ExecutionResult},
    database::WrapDatabaseRef,
};
use rstest::rstest;
use std::collections::BTreeMap;

const CALLER: Address = Address::repeat_byte(0xca);

/// Calls a contract on the genesis state, in a block with no base fee.
fn call(from: Address, to: Address, input: Bytes, access_list: AccessList) -> ExecutionResult<OpHaltReason> {
    call_on(&genesis::state(&[from]).unwrap(), from, to, input, access_list)
}

/// Calls a contract on a state, in a block with no base fee.
fn call_on(
    state: &WorldState,
    from: Address,
    to: Address,
    input: Bytes,
    access_list: AccessList,
) -> ExecutionResult<OpHaltReason> {
    let ancestors = BTreeMap::new();
    let database = WrapDatabaseRef(ParentState { state, ancestors: &ancestors });
    let header = Header { number: 1, timestamp: 1, gas_limit: 60_000_000, ..Header::default() };
    let env = evm_env_for_op_block(&header, hardforks(), CHAIN_ID);
    let base = TxEnv {
        tx_type: 1,
        caller: from,
        kind: TxKind::Call(to),
        data: input,
        access_list,
        gas_limit: 1_000_000,
        chain_id: Some(CHAIN_ID),
        ..TxEnv::default()
    };
    let transaction = OpTransaction { base, enveloped_tx: Some(Bytes::new()), ..OpTransaction::default() };
    OpEvmFactory::<OpTx>::default().create_evm(database, env).transact_raw(OpTx(transaction)).unwrap().result
}

fn revert(result: ExecutionResult<OpHaltReason>) -> Bytes {
    let ExecutionResult::Revert { output, .. } = result else { panic!("no revert: {result:?}") };
    output
}

fn message() -> Message {
    Message {
        identifier: Identifier {
            origin: EMITTER,
            block_number: 12,
            log_index: 3,
            timestamp: UnixSeconds(1_700_000_024),
            chain_id: ChainId::from(902),
        },
        payload_hash: B256::repeat_byte(7),
    }
}

fn validate(message: &Message, declared: &[Message]) -> ExecutionResult<OpHaltReason> {
    call(CALLER, CROSS_L2_INBOX, validate_message_call(message), inbox_access_list(declared))
}

#[test]
fn a_declared_message_is_executed_and_logged() {
    let message = message();
    let result = validate(&message, &[message]);
    assert!(result.is_success(), "{result:?}");
    let [log] = result.logs() else { panic!("one log: {result:?}") };
    assert_eq!(log.address, CROSS_L2_INBOX);
    assert_eq!(log.topics(), [ICrossL2Inbox::ExecutingMessage::SIGNATURE_HASH, message.payload_hash]);
    assert_eq!(log.data.data.len(), 160);
    let event = ICrossL2Inbox::ExecutingMessage::decode_log_data(&log.data).unwrap();
    assert_eq!(event.id.origin, EMITTER);
    assert_eq!(event.id.blockNumber, U256::from(12));
    assert_eq!(event.id.logIndex, U256::from(3));
    assert_eq!(event.id.timestamp, U256::from(1_700_000_024));
    assert_eq!(event.id.chainId, U256::from(902));
}

#[rstest]
#[case::no_list(|_: &mut Message| (), false)]
#[case::other_origin(|it: &mut Message| it.identifier.origin = CALLER, true)]
#[case::other_block(|it: &mut Message| it.identifier.block_number += 1, true)]
#[case::other_log_index(|it: &mut Message| it.identifier.log_index += 1, true)]
#[case::other_timestamp(|it: &mut Message| it.identifier.timestamp.0 += 1, true)]
#[case::other_chain(|it: &mut Message| it.identifier.chain_id = ChainId::from(903), true)]
#[case::chain_alike_in_64_bits(
    |it: &mut Message| it.identifier.chain_id = ChainId::from((U256::from(1) << 64) + U256::from(902)), true
)]
#[case::other_payload(|it: &mut Message| it.payload_hash = B256::ZERO, true)]
fn a_message_that_was_not_declared_is_refused(#[case] change: fn(&mut Message), #[case] declares: bool) {
    let mut declared = message();
    change(&mut declared);
    let list = if declares { vec![declared] } else { vec![] };
    assert_eq!(revert(validate(&message(), &list)), ICrossL2Inbox::NotInAccessList {}.abi_encode());
}

#[test]
fn only_the_checksum_binds_and_only_as_a_key_of_the_inbox() {
    let message = message();
    let with = |address, storage_keys| {
        let list = AccessList(vec![AccessListItem { address, storage_keys }]);
        call(CALLER, CROSS_L2_INBOX, validate_message_call(&message), list)
    };
    let checksum = Checksum::of(&message).as_word();
    let lookup = encode_access_list(&message)[0];
    assert!(with(CROSS_L2_INBOX, vec![checksum]).is_success());
    assert!(!with(CROSS_L2_INBOX, vec![lookup]).is_success());
    assert!(!with(EMITTER, vec![checksum]).is_success());
}

#[test]
fn several_messages_share_a_list_and_one_may_execute_twice() {
    let first = message();
    let mut second = message();
    second.identifier.chain_id = ChainId::from(U256::MAX);
    let mut fixture = Fixture::new(7);
    let list = || inbox_access_list(&[first, second]);
    let raw: Vec<Bytes> = (0..)
        .zip([second, first, first])
        .map(|(ahead, message)| fixture.call(ahead, CROSS_L2_INBOX, validate_message_call(&message), list()))
        .collect();
    let block = fixture.extend(&raw);
    let executed: Vec<B256> = block.logs().map(|(_, _, log)| log.topics()[1]).collect();
    assert_eq!(executed, [second.payload_hash, first.payload_hash, first.payload_hash]);
    let chain = |index: usize| block.logs().nth(index).unwrap().2.data.data[128..].to_vec();
    assert_eq!(chain(0), [0xff; 32]);
}

type Id = ICrossL2Inbox::Identifier;
type Widen = fn(&mut Id, U256);

#[rstest]
#[case::block_number(64, |id: &mut Id, wide| id.blockNumber = wide, ICrossL2Inbox::BlockNumberTooHigh::SELECTOR)]
#[case::log_index(32, |id: &mut Id, wide| id.logIndex = wide, ICrossL2Inbox::LogIndexTooHigh::SELECTOR)]
#[case::timestamp(64, |id: &mut Id, wide| id.timestamp = wide, ICrossL2Inbox::TimestampTooHigh::SELECTOR)]
fn a_field_beyond_its_width_is_refused(#[case] bits: usize, #[case] widen: Widen, #[case] error: [u8; 4]) {
    let outcome = |value| {
        let mut id = ICrossL2Inbox::Identifier {
            origin: EMITTER,
            blockNumber: U256::ZERO,
            logIndex: U256::ZERO,
            timestamp: U256::ZERO,
            chainId: U256::ZERO,
        };
        widen(&mut id, value);
        let validate =
            ICrossL2Inbox::validateMessageCall { id: id.clone(), msgHash: B256::ZERO }.abi_encode();
        let checksum = ICrossL2Inbox::calculateChecksumCall { id, msgHash: B256::ZERO }.abi_encode();
        let run = |input: Vec<u8>| call(CALLER, CROSS_L2_INBOX, input.into(), AccessList::default());
        (run(validate), run(checksum))
    };
    let widest = (U256::ONE << bits) - U256::ONE;
    for beyond in [widest + U256::ONE, U256::MAX] {
        let (validate, checksum) = outcome(beyond);
        assert_eq!(revert(validate)[..], error);
        assert_eq!(revert(checksum)[..], error);
    }
    let (validate, checksum) = outcome(widest);
    assert_eq!(revert(validate)[..], ICrossL2Inbox::NotInAccessList::SELECTOR);
    assert!(checksum.is_success());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_inbox_computes_the_same_checksum(
        origin: [u8; 20], block_number: u64, log_index: u32, timestamp: u64, chain: [u8; 32], payload_hash: [u8; 32]
    ) {
        let message = Message {
            identifier: Identifier {
                origin: origin.into(),
                block_number,
                log_index,
                timestamp: UnixSeconds(timestamp),
                chain_id: ChainId::from(B256::from(chain)),
            },
            payload_hash: payload_hash.into(),
        };
        let id = ICrossL2Inbox::validateMessageCall::abi_decode(&validate_message_call(&message)).unwrap().id;
        let input = ICrossL2Inbox::calculateChecksumCall { id, msgHash: message.payload_hash }.abi_encode();
        let result = call(CALLER, CROSS_L2_INBOX, input.into(), AccessList::default());
        let checksum = Checksum::of(&message).as_word();
        prop_assert_eq!(result.output().unwrap(), &Bytes::from(checksum));
        prop_assert!(validate(&message, &[message]).is_success());
    }
}

#[test]
fn an_emitted_log_is_the_message_that_interop_hashes() {
    let topics = [B256::repeat_byte(1), B256::repeat_byte(2)];
    let result = call(CALLER, EMITTER, emit_call(&topics, b"data"), AccessList::default());
    let [log] = result.logs() else { panic!("one log: {result:?}") };
    let expected = LogData::new_unchecked(topics.to_vec(), Bytes::from_static(b"data"));
    assert_eq!(payload_hash(&log.data), payload_hash(&expected));
}

#[rstest]
#[case::depositor(DEPOSITOR, 178, true)]
#[case::anyone_else(CALLER, 178, false)]
#[case::too_short(DEPOSITOR, 177, false)]
#[case::too_long(DEPOSITOR, 179, false)]
fn attributes_are_set_by_the_depositor_only(
    #[case] from: Address,
    #[case] size: usize,
    #[case] accepted: bool,
) {
    let mut input = IL1Block::setL1BlockValuesJovianCall {}.abi_encode();
    input.resize(size, 1);
    assert_eq!(call(from, L1_BLOCK, input.into(), AccessList::default()).is_success(), accepted);
}

/// The patched inbox of a devnet logs what the real one would, and for what nobody declared.
#[test]
fn an_unguarded_inbox_logs_undeclared_messages() {
    let message = Message {
        identifier: Identifier {
            origin: EMITTER,
            block_number: 7,
            log_index: 3,
            timestamp: UnixSeconds(1_700_000_000),
            chain_id: ChainId::from(902),
        },
        payload_hash: B256::repeat_byte(0x77),
    };
    let input = validate_message_call(&message);
    let logs_of = |inbox: super::Inbox, access_list: AccessList| {
        let mut state = genesis::state(&[CALLER]).unwrap();
        if let Some(code) = inbox.replacement() {
            state.deploy(CROSS_L2_INBOX, code);
        }
        let result = call_on(&state, CALLER, CROSS_L2_INBOX, input.clone(), access_list);
        result.is_success().then(|| result.into_logs())
    };
    let declared = logs_of(super::Inbox::Guarded, inbox_access_list(&[message])).unwrap();
    assert_eq!(logs_of(super::Inbox::Guarded, AccessList::default()), None);
    assert_eq!(logs_of(super::Inbox::Unguarded, AccessList::default()), Some(declared));
}
