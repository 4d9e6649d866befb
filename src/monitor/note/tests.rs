//! What is noted of a message is told as subscribers read it.

use super::*;
use crate::interop::BlockKey;
use serde_json::{Value, json};

const REASON: InvalidReason = InvalidReason::ExecutedByDeposit;

fn note(level: SafetyLevel, news: News) -> Note {
    let block = BlockKey { chain_id: ChainId::from(901), number: 20, hash: B256::repeat_byte(1) };
    let (key, initiating) = (MessageKey { block, log_index: 3 }, Some(ChainId::from(902)));
    Note { key, initiating, timestamp: UnixSeconds(1000), level, news, ordinal: 0 }
}

fn written(note: &Note) -> Value {
    serde_json::to_value(note.told()).unwrap()
}

#[test]
fn a_flip_names_the_reorg_that_caused_it() {
    let (chain_id, old) = (ChainId::from(902), B256::repeat_byte(2));
    let cause = Cause::RemoteReorg { chain_id, number: 7, old, new: None };
    let note = note(SafetyLevel::LocalSafe, News::Flip { to: MessageStatus::Invalid(REASON), cause });
    let expected = json!({
        "kind": "flip",
        "executing": { "chain_id": 901, "number": 20, "hash": B256::repeat_byte(1), "timestamp": 1000 },
        "log_index": 3,
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
    let written = written(&note(SafetyLevel::LocalSafe, News::Ended { ending, status: "invalid" }));
    assert_eq!((&written["state"], &written["status"]), (&json!("resolved"), &json!("invalid")));
    assert_eq!((&written["ended_by"], &written["executing"]["number"]), (&json!(by), &json!(20)));
}
