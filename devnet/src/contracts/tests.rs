//! Whether selectors, topics, calldata and bytecode are those of the specification.

use super::bindings::{ICrossL2Inbox, IEmitter, IL1Block, IL2ToL1MessagePasser};
use super::*;
use alloy::{
    primitives::{B256, FixedBytes, b256, fixed_bytes, keccak256},
    sol_types::{SolCall, SolError, SolEvent},
};
use rstest::rstest;

#[rstest]
#[case::validate_message(ICrossL2Inbox::validateMessageCall::SELECTOR, fixed_bytes!("ab4d6f75"))]
#[case::not_in_access_list(ICrossL2Inbox::NotInAccessList::SELECTOR, fixed_bytes!("e3c00816"))]
#[case::block_number_too_high(ICrossL2Inbox::BlockNumberTooHigh::SELECTOR, fixed_bytes!("d1f79e82"))]
#[case::timestamp_too_high(ICrossL2Inbox::TimestampTooHigh::SELECTOR, fixed_bytes!("596a19a9"))]
#[case::log_index_too_high(ICrossL2Inbox::LogIndexTooHigh::SELECTOR, fixed_bytes!("94338eba"))]
#[case::l1_attributes(IL1Block::setL1BlockValuesJovianCall::SELECTOR, fixed_bytes!("3db6be2b"))]
#[case::withdrawal(IL2ToL1MessagePasser::initiateWithdrawalCall::SELECTOR, fixed_bytes!("c2b3e5ac"))]
fn selector_is_the_specified_one(#[case] ours: [u8; 4], #[case] specified: FixedBytes<4>) {
    assert_eq!(FixedBytes(ours), specified);
}

#[test]
fn event_topic_is_the_specified_one() {
    assert_eq!(
        ICrossL2Inbox::ExecutingMessage::SIGNATURE_HASH,
        b256!("5c37832d2e8d10e346e55ad62071a6a2f9fa5130614ef2ec6617555c6f467ba7")
    );
}

#[test]
fn bytecode_holds_the_selectors_that_are_called() {
    for (predeploy, selector) in PREDEPLOYS.iter().zip([
        ICrossL2Inbox::validateMessageCall::SELECTOR,
        IEmitter::emitLogCall::SELECTOR,
        IL1Block::setL1BlockValuesJovianCall::SELECTOR,
        IL2ToL1MessagePasser::initiateWithdrawalCall::SELECTOR,
    ]) {
        let code = predeploy.bytecode().unwrap();
        assert!(code.windows(4).any(|window| window == selector), "{}", predeploy.name);
    }
}

#[test]
fn no_messages_declare_nothing() {
    assert!(inbox_access_list(&[]).0.is_empty());
    assert_ne!(keccak256(emit_call(&[], &[])), keccak256(emit_call(&[B256::ZERO], &[])));
}
