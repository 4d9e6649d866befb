//! Whether each message breaks the rule that its fault names, and no other.

use super::*;
use crate::faults::companion::FaultBlocks;
use crate::faults::context::NothingToCite;
use crate::faults::identifiers;
use crate::messages::{dependency_set, pool, proven, site};
use crosscheck_core::validity::{Execution, Objection, check_claim, check_log, check_tip};
use rand::SeedableRng;
use rstest::rstest;

/// What Crosscheck's own rules say of a message executed at block 30 of chain 901 (or another), where every
/// chain is at that block, too.
fn broken_rule(message: &Message, number: u64) -> Option<&'static str> {
    let site = site(901, number);
    let execution = Execution { chain_id: ChainId::from(901), timestamp: site.timestamp };
    let id = &message.identifier;
    let broken = || {
        check_claim(&dependency_set(&[901, 902]), execution, message)?;
        if let Some(reason) = check_tip(message, (number, site.timestamp)) {
            return Err(Objection::from(reason));
        }
        Ok(check_log(message, &proven(id.chain_id, id.block_number))?)
    };
    broken().err().map(|reason| reason.code())
}

#[rstest]
#[case::invalid_message(&INVALID_MESSAGE, 30)]
#[case::wrong_payload_hash(&WRONG_PAYLOAD_HASH, 30)]
#[case::wrong_log_index(&WRONG_LOG_INDEX, 30)]
#[case::expired_message(&EXPIRED_MESSAGE, 30)]
#[case::earliest_expired_message(&EXPIRED_MESSAGE, 20)]
#[case::unknown_chain(&UNKNOWN_CHAIN_ID, 30)]
#[case::wrong_origin(&identifiers::WRONG_ORIGIN, 30)]
#[case::wrong_block_number(&identifiers::WRONG_BLOCK_NUMBER, 30)]
#[case::wrong_timestamp(&identifiers::WRONG_TIMESTAMP, 30)]
#[case::wrong_chain_id(&identifiers::WRONG_CHAIN_ID, 30)]
#[case::future_message(&identifiers::FUTURE_MESSAGE, 30)]
#[case::activation_block(&identifiers::ACTIVATION_BLOCK_MESSAGE, 12)]
#[case::activation_block_at_the_latest(&identifiers::ACTIVATION_BLOCK_MESSAGE, 18)]
fn breaks_exactly_the_rule_that_must_be_found(#[case] fault: &ScriptedFault, #[case] number: u64) {
    assert!((fault.earliest_block..=fault.latest_block).contains(&number));
    let pool = pool(&[901, 902], 1..=number - 1);
    let blocks = FaultBlocks::default();
    let context = MessageContext { site: site(901, number), pool: &pool, blocks: &blocks };
    for seed in 0..50 {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let message = fault.message(&context, &mut rng).unwrap().unwrap();
        let rule = broken_rule(&message, number).unwrap();
        assert_eq!(SidecarFinding::invalid_message(rule), fault.expected(901));
        assert_eq!(fault.expected_message, Some(ExpectedMessage::invalid(rule)));
    }
}

#[test]
fn an_undeclared_message_is_valid() {
    let pool = pool(&[901, 902], 1..=29);
    let blocks = FaultBlocks::default();
    let context = MessageContext { site: site(901, 30), pool: &pool, blocks: &blocks };
    let message = UNDECLARED_ACCESS.message(&context, &mut ChaCha12Rng::seed_from_u64(0)).unwrap().unwrap();
    assert_eq!(broken_rule(&message, 30), None);
}

#[rstest]
#[case::expired(&EXPIRED_MESSAGE)]
#[case::undeclared(&UNDECLARED_ACCESS)]
#[case::wrong_chain_id(&identifiers::WRONG_CHAIN_ID)]
fn without_a_message_to_cite_the_error_names_the_fault(#[case] fault: &ScriptedFault) {
    let pool = pool(&[], 1..=1);
    let blocks = FaultBlocks::default();
    let context = MessageContext { site: site(901, 30), pool: &pool, blocks: &blocks };
    let mut rng = ChaCha12Rng::seed_from_u64(0);
    let missing = NothingToCite { fault: fault.name, chain_id: 901, number: 30 };
    assert_eq!(fault.message(&context, &mut rng), Err(missing));
}
