//! What is noted, once, and what a restart makes of it.

use super::*;
use crate::validity::{InvalidReason, StatusKind};
use rstest::rstest;

const REASON: InvalidReason = InvalidReason::ExecutedByDeposit;
const INVALID: MessageStatus = MessageStatus::Invalid(REASON);
const VALID: MessageStatus = MessageStatus::Valid;
const UNKNOWN: MessageStatus = MessageStatus::Unknown;

fn chain() -> ChainId {
    ChainId::from(901)
}

fn key(number: u64, hash: u8) -> MessageKey {
    MessageKey { block: BlockKey { chain_id: chain(), number, hash: B256::repeat_byte(hash) }, log_index: 3 }
}

fn at(level: SafetyLevel, change: Change) -> MessageEvent {
    let initiating = Some(ChainId::from(902));
    MessageEvent {
        transaction_hash: None,
        key: key(20, 1),
        initiating,
        timestamp: UnixSeconds(1000),
        level,
        change,
    }
}

fn event(change: Change) -> MessageEvent {
    at(SafetyLevel::Unsafe, change)
}

fn status(from: MessageStatus, to: MessageStatus, flip: bool) -> Change {
    Change::Status { from, to, cause: StatusCause::Checked, flip }
}

fn orphaned() -> Change {
    Change::Ended(Ending::Orphaned { by: B256::repeat_byte(9) })
}

/// The kinds and ordinals of what is noted of these events, in order.
fn noted(events: &[MessageEvent]) -> Vec<(&'static str, u32)> {
    let mut filter = NoticeFilter::default();
    let notes = events.iter().filter_map(|event| filter.on_event(event, None));
    notes.map(|note| (note.content.kind().as_str(), note.ordinal)).collect()
}

#[rstest]
#[case::valid_and_final(
    &[event(Change::Discovered), event(status(UNKNOWN, VALID, false)), event(Change::Ended(Ending::Finalized))],
    &[]
)]
#[case::invalid_once(
    &[event(status(UNKNOWN, INVALID, false)), event(status(INVALID, UNKNOWN, false)), event(status(UNKNOWN, INVALID, false))],
    &[("invalid", 0)]
)]
#[case::no_longer_valid(
    &[event(status(UNKNOWN, VALID, false)), event(status(VALID, INVALID, true))],
    &[("flip", 1)]
)]
#[case::there_and_back(
    &[
        event(status(UNKNOWN, INVALID, false)),
        event(status(INVALID, VALID, true)),
        event(status(VALID, UNKNOWN, false)),
        event(status(UNKNOWN, INVALID, true)),
    ],
    &[("invalid", 0), ("flip", 1), ("flip", 2)]
)]
#[case::undeclared_once(&[event(Change::Undeclared), event(Change::Undeclared)], &[("undeclared", 0)])]
#[case::final_though_invalid(
    &[event(status(UNKNOWN, INVALID, false)), at(SafetyLevel::Finalized, Change::Ended(Ending::Finalized))],
    &[("invalid", 0), ("ended", 0)]
)]
#[case::dropped_twice(&[event(orphaned()), event(Change::Discovered), event(orphaned())], &[("ended", 0)])]
#[case::final_again_and_again(
    &[
        event(status(UNKNOWN, INVALID, false)),
        at(SafetyLevel::Finalized, Change::Ended(Ending::Finalized)),
        at(SafetyLevel::Finalized, Change::Discovered),
        at(SafetyLevel::Finalized, status(UNKNOWN, INVALID, false)),
        at(SafetyLevel::Finalized, Change::Ended(Ending::Finalized)),
        event(orphaned()),
    ],
    &[("invalid", 0), ("ended", 0), ("ended", 1)]
)]
#[case::expired(&[event(Change::Ended(Ending::Expired))], &[("ended", 0)])]
fn a_change_is_reported_once(#[case] events: &[MessageEvent], #[case] expected: &[(&'static str, u32)]) {
    assert_eq!(noted(events), expected);
}

#[test]
fn an_invalid_message_is_noted_again_at_each_higher_level() {
    let level = |level, from| at(level, Change::Level { from });
    let events = [
        event(status(UNKNOWN, INVALID, false)),
        level(SafetyLevel::CrossUnsafe, SafetyLevel::Unsafe),
        level(SafetyLevel::LocalSafe, SafetyLevel::CrossUnsafe),
        level(SafetyLevel::Unsafe, SafetyLevel::LocalSafe),
        level(SafetyLevel::LocalSafe, SafetyLevel::Unsafe),
        level(SafetyLevel::Safe, SafetyLevel::LocalSafe),
    ];
    assert_eq!(noted(&events), [("invalid", 0), ("invalid", 2), ("invalid", 3)]);
    let mut filter = NoticeFilter::default();
    let notes: Vec<bool> = events
        .iter()
        .filter_map(|event| filter.on_event(event, None))
        .map(|note| note.is_consensus_failure())
        .collect();
    assert_eq!(notes, [false, false, true]);
}

#[test]
fn the_end_says_what_was_known() {
    let mut filter = NoticeFilter::default();
    let note = filter.on_event(&event(orphaned()), Some(VALID)).unwrap();
    assert_eq!(
        (note.content.status(), note.content.ended_by()),
        (Some(StatusKind::Valid), Some(B256::repeat_byte(9)))
    );
}

fn restored(is_invalid: bool) -> NoticeFilter {
    let mut filter = NoticeFilter::default();
    let entry = NotedMessage {
        is_invalid: Some(is_invalid),
        invalid_at: Some(SafetyLevel::Unsafe),
        ..NotedMessage::new(Some(ChainId::from(902)), UnixSeconds(1000))
    };
    filter.restore(key(20, 1), entry);
    filter
}

fn block(number: u64, hash: u8, is_deposits_only: bool) -> ObservedBlock {
    ObservedBlock {
        transactions: Vec::new(),
        key: key(number, hash).block,
        parent_hash: B256::ZERO,
        timestamp: UnixSeconds(1000),
        executed: Vec::new(),
        undecodable: Vec::new(),
        undeclared: Vec::new(),
        is_deposits_only,
    }
}

#[test]
fn a_notice_of_an_earlier_run_is_not_repeated() {
    let mut filter = restored(true);
    assert_eq!(filter.observe(&block(20, 1, false)), []);
    assert_eq!(filter.on_event(&event(Change::Discovered), None), None);
    assert_eq!(filter.on_event(&event(status(UNKNOWN, INVALID, false)), None), None);
    let note = filter.on_event(&event(status(INVALID, VALID, true)), None).unwrap();
    assert_eq!((note.content.kind().as_str(), note.ordinal), ("flip", 1));
}

#[test]
fn a_status_that_changed_between_runs_is_reported_as_a_flip() {
    let mut filter = restored(true);
    filter.on_event(&event(Change::Discovered), None);
    let note = filter.on_event(&event(status(UNKNOWN, VALID, false)), None).unwrap();
    assert_eq!((note.content.kind().as_str(), note.content.status()), ("flip", Some(StatusKind::Valid)));
}

#[rstest]
#[case::replaced(true, true, "resolved")]
#[case::reorged(false, false, "orphaned")]
#[case::valid_by_then(false, true, "orphaned")]
fn a_message_that_was_reorged_out_during_a_restart_is_ended(
    #[case] is_invalid: bool,
    #[case] is_deposits_only: bool,
    #[case] ending: &str,
) {
    let mut filter = restored(is_invalid);
    assert_eq!(filter.observe(&block(19, 7, is_deposits_only)), [], "another height");
    let notes = filter.observe(&block(20, 7, is_deposits_only));
    let [note] = notes.as_slice() else { panic!("{notes:?}") };
    assert_eq!(note.content.ending().unwrap().name(), ending);
    assert_eq!(note.content.ended_by(), Some(B256::repeat_byte(7)));
    assert_eq!(filter.observe(&block(20, 8, true)), [], "it ends once");
}

#[test]
fn an_invalid_message_whose_height_has_another_block_waits_for_the_final_block() {
    let mut filter = restored(true);
    assert_eq!(filter.observe(&block(20, 7, false)), []);
    assert_eq!(filter.orphan(chain(), 19), []);
    let mut replaced = filter.clone();
    let ending =
        |notes: Vec<Notice>| notes.iter().map(|note| *note.content.ending().unwrap()).collect::<Vec<_>>();
    let by = |hash| B256::repeat_byte(hash);
    assert_eq!(ending(replaced.observe(&block(20, 8, true))), [Ending::Resolved { by: by(8) }]);
    assert_eq!(replaced.orphan(chain(), 20), [], "it ends once");
    assert_eq!(ending(filter.orphan(chain(), 20)), [Ending::Orphaned { by: by(7) }]);
    assert_eq!(filter.orphan(chain(), 20), [], "it ends once");
}

#[test]
fn a_restored_message_that_no_block_contains_expires() {
    let mut filter = restored(true);
    assert_eq!(filter.expire(UnixSeconds(1010), 10), []);
    let notes = filter.expire(UnixSeconds(1011), 10);
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].content.ending(), Some(&Ending::Expired));
    assert_eq!(filter.expire(UnixSeconds(2000), 10), []);
}

#[test]
fn only_ended_messages_are_forgotten() {
    let mut filter = restored(true);
    filter.settle(chain(), 20);
    assert_eq!(filter.len(), 1);
    filter.observe(&block(20, 7, true));
    filter.settle(chain(), 19);
    assert_eq!(filter.len(), 1);
    filter.settle(chain(), 20);
    assert!(filter.is_empty());
}
