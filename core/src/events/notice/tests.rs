//! What is noted of a message is reported as subscribers read it.

use super::*;
use crate::message::BlockKey;
use rstest::rstest;
use serde_json::{Value, json};

const REASON: InvalidReason = InvalidReason::ExecutedByDeposit;

fn note(level: SafetyLevel, content: NoticeContent) -> Notice {
    let block = BlockKey { chain_id: ChainId::from(901), number: 20, hash: B256::repeat_byte(1) };
    let (key, initiating) = (MessageKey { block, log_index: 3 }, Some(ChainId::from(902)));
    let timestamp = UnixSeconds(1000);
    Notice {
        transaction_hash: None,
        key,
        initiating,
        timestamp,
        level,
        content,
        ordinal: 0,
        invalid_before: None,
    }
}

fn written(note: &Notice) -> Value {
    serde_json::to_value(&note.events()[0]).unwrap()
}

#[test]
fn a_flip_names_the_reorg_that_caused_it() {
    let (chain_id, old) = (ChainId::from(902), B256::repeat_byte(2));
    let cause = StatusCause::RemoteReorg { chain_id, number: 7, old, new: None };
    let note =
        note(SafetyLevel::LocalSafe, NoticeContent::Flip { to: MessageStatus::Invalid(REASON), cause });
    let expected = json!({
        "kind": "flip",
        "executing": { "chain_id": 901, "number": 20, "hash": B256::repeat_byte(1), "timestamp": 1000 },
        "log_index": 3, "transaction_hash": null,
        "initiating_chain": 902,
        "level": "local-safe",
        "from": "valid",
        "to": "invalid",
        "reason": "executed-by-deposit",
        "detail": REASON.to_string(),
        "cause": { "name": "remote-reorg", "chain_id": 902, "number": 7, "old": B256::repeat_byte(2), "new": null },
    });
    assert_eq!(written(&note), expected);
}

#[test]
fn an_ending_names_the_block_in_its_place() {
    let by = B256::repeat_byte(9);
    let ending = Ending::Resolved { by };
    let written =
        written(&note(SafetyLevel::LocalSafe, NoticeContent::Ended { ending, status: StatusKind::Invalid }));
    assert_eq!((&written["state"], &written["status"]), (&json!("resolved"), &json!("invalid")));
    assert_eq!((&written["ended_by"], &written["executing"]["number"]), (&json!(by), &json!(20)));
}

const INVALID: NoticeContent = NoticeContent::Invalid { reason: REASON, cause: StatusCause::Checked };
const FINAL: NoticeContent = NoticeContent::Ended { ending: Ending::Finalized, status: StatusKind::Invalid };
const FLIPPED: NoticeContent =
    NoticeContent::Flip { to: MessageStatus::Invalid(REASON), cause: StatusCause::Checked };
const RIGHTED: NoticeContent = NoticeContent::Flip { to: MessageStatus::Valid, cause: StatusCause::Checked };

/// A message is reported as invalid once; that it is cross-safe and final all the same is reported once each,
/// in any way that comes to be known.
#[rstest]
#[case::found(SafetyLevel::Unsafe, None, INVALID, &["message-invalid"])]
#[case::found_late(SafetyLevel::LocalSafe, None, INVALID, &["message-invalid"])]
#[case::found_in_a_safe_block(SafetyLevel::Safe, None, INVALID, &["message-invalid", "message-invalid-safe"])]
#[case::found_in_a_final_block(
    SafetyLevel::Finalized,
    None,
    INVALID,
    &["message-invalid", "message-invalid-safe", "message-invalid-final"]
)]
#[case::derived(SafetyLevel::LocalSafe, Some(SafetyLevel::Unsafe), INVALID, &[])]
#[case::promoted(SafetyLevel::Safe, Some(SafetyLevel::LocalSafe), INVALID, &["message-invalid-safe"])]
#[case::promoted_to_final(SafetyLevel::Finalized, Some(SafetyLevel::Safe), INVALID, &["message-invalid-final"])]
#[case::promoted_at_once(
    SafetyLevel::Finalized,
    Some(SafetyLevel::Unsafe),
    INVALID,
    &["message-invalid-safe", "message-invalid-final"]
)]
#[case::flipped(SafetyLevel::Unsafe, None, FLIPPED, &["flip"])]
#[case::flipped_in_a_safe_block(SafetyLevel::Safe, None, FLIPPED, &["flip", "message-invalid-safe"])]
#[case::flipped_again(SafetyLevel::Safe, Some(SafetyLevel::Safe), FLIPPED, &["flip"])]
#[case::valid_after_all(SafetyLevel::Safe, Some(SafetyLevel::Unsafe), RIGHTED, &["flip"])]
#[case::ended_final(SafetyLevel::Finalized, Some(SafetyLevel::Finalized), FINAL, &["ended"])]
#[case::ended_first(SafetyLevel::Finalized, Some(SafetyLevel::Safe), FINAL, &["ended", "message-invalid-final"])]
#[case::ended_on_a_plain_node(SafetyLevel::LocalSafe, Some(SafetyLevel::LocalSafe), FINAL, &["ended"])]
#[case::undeclared(SafetyLevel::Safe, None, NoticeContent::Undeclared, &["undeclared"])]
fn notices_that_are_reported(
    #[case] level: SafetyLevel,
    #[case] invalid_before: Option<SafetyLevel>,
    #[case] content: NoticeContent,
    #[case] kinds: &[&str],
) {
    let reported = Notice { invalid_before, ..note(level, content) }.events();
    assert_eq!(reported.iter().map(Event::kind).collect::<Vec<_>>(), kinds);
    for reported in &reported {
        assert!(Event::KINDS.contains(&reported.kind()));
        let written = serde_json::to_value(reported).unwrap();
        assert_eq!(written["kind"], reported.kind());
        assert_eq!(written["level"], level.name());
    }
}
