use super::*;
use crate::metrics::Metrics;
use crate::monitor::MonitorMetrics;
use crate::shared_tracker::TrackerWriter;
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::message::BlockKey;
use crosscheck_core::proof::LogIndex;
use crosscheck_core::tracker::{StatusCause, Tracker, TrackerLimits};
use crosscheck_core::validity::{DependencySet, InvalidReason};
use crosscheck_p2p::UnixSeconds;
use rstest::rstest;

const LATER: Option<Duration> = Some(ASKED_FOR);
const SOON: Option<Duration> = Some(Duration::from_secs(1));

#[rstest]
#[case::borne_out(CheckResult::Confirmed, None, true)]
#[case::other_blocks(CheckResult::Contradicted, None, false)]
#[case::no_answer_yet(CheckResult::Unanswered, SOON, false)]
#[case::no_answer_for_long(CheckResult::Unanswered, LATER, true)]
fn an_invalid_message_is_reported(
    #[case] result: CheckResult,
    #[case] unanswered: Option<Duration>,
    #[case] reported: bool,
) {
    assert_eq!(is_to_be_reported(result, unanswered), reported);
}

fn event(change: Change) -> MessageEvent {
    let block = BlockKey { chain_id: ChainId::from(901), number: 9, hash: B256::repeat_byte(1) };
    let key = MessageKey { block, log_index: 0 };
    MessageEvent {
        transaction_hash: None,
        key,
        initiating: None,
        timestamp: UnixSeconds(1),
        level: SafetyLevel::Unsafe,
        change,
    }
}

fn status(to: MessageStatus) -> Change {
    Change::Status { from: MessageStatus::Unknown, to, cause: StatusCause::Checked, flip: false }
}

const INVALID: MessageStatus = MessageStatus::Invalid(InvalidReason::ExecutedByDeposit);

fn level() -> Change {
    Change::Level { from: SafetyLevel::Unsafe }
}

fn orphaned() -> Change {
    Change::Ended(Ending::Orphaned { by: B256::repeat_byte(2) })
}

fn resolved() -> Change {
    Change::Ended(Ending::Resolved { by: B256::repeat_byte(2) })
}

fn recheck() -> Recheck {
    let set = DependencySet::new([].into(), 100);
    let limits = TrackerLimits { max_messages: 1, retention: 1, ended_kept: 1 };
    let tracker = TrackerWriter::new(Tracker::new(set.clone(), LogIndex::new(1), limits)).tracker();
    Recheck::new(BTreeMap::new(), tracker, MonitorMetrics::register(&Metrics::new(set).unwrap()).unwrap())
}

/// What is heard at once of the last event, after the others.
#[rstest]
#[case::valid(&[], status(MessageStatus::Valid), 1)]
#[case::invalid(&[], status(INVALID), 0)]
#[case::a_level_after_it(&[status(INVALID)], level(), 0)]
#[case::valid_after_all(&[status(INVALID), level()], status(MessageStatus::Valid), 1)]
#[case::a_level_after_that(&[status(INVALID), status(MessageStatus::Valid)], level(), 1)]
#[case::unknown_again(&[status(INVALID)], status(MessageStatus::Unknown), 1)]
#[case::reorged_out_of_the_view(&[status(INVALID), Change::Displaced], orphaned(), 1)]
#[case::replaced(&[status(INVALID), Change::Displaced], resolved(), 3)]
#[case::final_all_the_same(&[status(INVALID)], Change::Ended(Ending::Finalized), 2)]
#[tokio::test]
async fn events_after_an_invalid_status_wait_with_it(
    #[case] before: &[Change],
    #[case] last: Change,
    #[case] heard: usize,
) {
    let mut recheck = recheck();
    for change in before {
        recheck.pass(&event(*change), false);
    }
    let heard_now = recheck.pass(&event(last), false);
    assert_eq!(heard_now.len(), heard);
    assert!(heard_now.is_empty() || heard_now.last() == Some(&event(last)));
}

#[tokio::test]
async fn a_reported_status_passes_at_once_and_waiting_events_are_released_once() {
    let mut recheck = recheck();
    assert_eq!(recheck.pass(&event(status(INVALID)), true).len(), 1);
    recheck.pass(&event(status(INVALID)), false);
    recheck.pass(&event(level()), false);
    let key = event(level()).key;
    assert_eq!(recheck.release(&key), [event(status(INVALID)), event(level())]);
    assert!(recheck.release(&key).is_empty());
}

/// A bug in the check withholds no alarm: the message is checked again, and reported at last.
#[tokio::test(start_paused = true)]
async fn a_check_that_panics_is_retried_and_withholds_nothing() {
    let mut recheck = recheck();
    let invalid = event(status(INVALID));
    assert!(recheck.pass(&invalid, false).is_empty());
    recheck.queue.clear();
    let broken = |panics| PendingCheck { key: invalid.key, panics };
    recheck.running.begin(broken(0), async { panic!("as a test of panics wants it") });
    {
        let next = tokio::time::timeout(LONGEST_PAUSE / 2, recheck.next());
        assert!(next.await.is_err());
    }
    assert_eq!(recheck.running.len(), 1, "it is looked at again");
    recheck.running.begin(broken(MAX_PANICS - 1), async { panic!("as a test of panics wants it") });
    assert_eq!(recheck.next().await, invalid.key);
    assert_eq!(recheck.release(&invalid.key), [invalid]);
}
