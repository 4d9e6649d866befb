//! One scene at a time, with the events that it leads to.

use super::scene::{LIMITS, Scene, claim};
use super::world::{Claim, Payload, START, Shape, World, chain};
use crate::events::MessageRecord;
use crate::heads::{SafeMeans, SafetyHeads};
use crate::message::BlockKey;
use crate::proof::LogIndex;
use crate::tracker::tracked_message::TrackedId;
use crate::tracker::{
    Change, Ending, Input, MessageKey, ObservedBlock, RefusedInput, Request, StatusCause, Step, Tracker,
    TrackerLimits, TrackerOutcome,
};
use crate::validity::Validity;
use alloy::primitives::B256;
use crosscheck_p2p::UnixSeconds;
use rstest::rstest;
use std::sync::Arc;

/// The changes of status, in order: which block, from, to, why.
fn statuses(outcome: &TrackerOutcome) -> Vec<(BlockKey, &'static str, &'static str, StatusCause, bool)> {
    let status = |event: &crate::tracker::MessageEvent| match event.change {
        Change::Status { from, to, cause, flip } => {
            Some((event.key.block, from.name(), to.name(), cause, flip))
        }
        _ => None,
    };
    outcome.events.iter().filter_map(status).collect()
}

fn endings(outcome: &TrackerOutcome) -> Vec<(BlockKey, Ending)> {
    let ending = |event: &crate::tracker::MessageEvent| match event.change {
        Change::Ended(ending) => Some((event.key.block, ending)),
        _ => None,
    };
    outcome.events.iter().filter_map(ending).collect()
}

#[test]
fn a_remote_reorg_flips_a_message_and_names_both_blocks() {
    let mut scene = Scene::new(2);
    let (cited, _) = scene.grow(1, &[]);
    scene.grow(0, &[]);
    let (executing, outcome) = scene.grow(0, &[claim(1, 1, 1)]);
    assert_eq!(statuses(&outcome), [(executing, "unknown", "valid", StatusCause::Checked, false)]);
    let reorg = |new| StatusCause::RemoteReorg { chain_id: chain(1), number: 1, old: cited.hash, new };
    let outcome = scene.rewind(1, 0);
    assert_eq!(statuses(&outcome), [(executing, "valid", "unknown", reorg(None), false)]);
    let (fork, outcome) = scene.grow_as(1, &Shape { is_forked: true, ..Shape::default() });
    assert_eq!(statuses(&outcome), [(executing, "unknown", "invalid", reorg(Some(fork.hash)), true)]);
    assert_eq!(scene.status(executing, 0), "payload-mismatch");
}

#[test]
fn a_remote_reorg_cascades() {
    let mut scene = Scene::new(3);
    scene.grow(2, &[]);
    scene.grow(0, &[]);
    let (near, _) = scene.grow(0, &[claim(2, 1, 1)]);
    (0..2).for_each(|_| drop(scene.grow(1, &[])));
    let (far, outcome) = scene.grow(1, &[claim(0, 2, 1)]);
    assert_eq!(statuses(&outcome), [(far, "unknown", "valid", StatusCause::Checked, false)]);
    let cascade = StatusCause::CitedBlock { block: near };
    let outcome = scene.rewind(2, 0);
    assert_eq!(statuses(&outcome).last(), Some(&(far, "valid", "unknown", cascade, false)));
    let (_, outcome) = scene.grow_as(2, &Shape { is_forked: true, ..Shape::default() });
    assert_eq!(statuses(&outcome).last(), Some(&(far, "unknown", "invalid", cascade, true)));
    assert_eq!(
        (scene.status(near, 0), scene.status(far, 0)),
        ("payload-mismatch", "initiating-block-invalid")
    );
}

#[test]
fn a_replacement_cascades_and_each_message_resolves_separately() {
    let mut scene = Scene::new(3);
    // Chain 0 cites a log that is not there; chain 2 cites a log of that block.
    let (first, _) = scene.grow(0, &[claim(2, 0, 9)]);
    scene.grow(2, &[]);
    let (second, outcome) = scene.grow(2, &[claim(0, 1, 1)]);
    let cascade = StatusCause::CitedBlock { block: first };
    assert_eq!(statuses(&outcome), [(second, "unknown", "invalid", cascade, false)]);
    assert_eq!(scene.status(second, 0), "initiating-block-invalid");
    scene.rewind(0, 0);
    let (replacement, outcome) = scene.grow_as(0, &Shape { is_deposits_only: true, ..Shape::default() });
    assert_eq!(endings(&outcome), [(first, Ending::Resolved { by: replacement.hash })]);
    let replaced = StatusCause::RemoteReplacement { old: first, new: replacement.hash };
    assert_eq!(statuses(&outcome), [(second, "unknown", "valid", replaced, true)]);
    // The new block has the cited log, too; chain 2 drops its block all the same, for another.
    scene.rewind(2, 1);
    let (other, outcome) = scene.grow(2, &[]);
    assert_eq!(endings(&outcome), [(second, Ending::Orphaned { by: other.hash })]);
}

/// The sequencer builds the height again, with the same message, before derivation replaces it.
#[rstest]
#[case::then_replaced(true)]
#[case::then_final_as_it_is(false)]
fn an_invalid_execution_at_a_rebuilt_height_ends_when_its_block_is_final(#[case] is_replaced: bool) {
    let mut scene = Scene::new(3);
    let (first, _) = scene.grow(0, &[claim(2, 0, 9), claim(2, 0, 1)]);
    scene.grow(2, &[]);
    scene.rewind(0, 0);
    let (second, outcome) = scene.grow_as(0, &Shape { is_forked: true, ..Shape::default() });
    assert_eq!(endings(&outcome), []);
    assert_eq!((scene.status(first, 0), scene.tracker.open()), ("log-not-found", 2));
    if is_replaced {
        scene.rewind(0, 0);
        let (by, outcome) = scene.grow_as(0, &Shape { is_deposits_only: true, ..Shape::default() });
        let (resolved, orphaned) = (Ending::Resolved { by: by.hash }, Ending::Orphaned { by: by.hash });
        assert_eq!(endings(&outcome), [(first, resolved), (first, orphaned)], "the other message was valid");
    } else {
        let heads = SafetyHeads {
            local_safe: 1,
            safe: 1,
            finalized: 1,
            safe_means: SafeMeans::CrossSafe,
            verified_since: UnixSeconds(0),
        };
        let outcome = scene.tracker.apply(Input::Heads { chain_id: chain(0), heads });
        let orphaned = Ending::Orphaned { by: second.hash };
        assert_eq!(endings(&outcome), [(first, orphaned), (first, orphaned)]);
    }
    assert_eq!((scene.tracker.open(), scene.tracker.faults()), (0, 0));
}

#[test]
fn an_invalid_execution_returns_although_its_height_was_rebuilt() {
    let mut scene = Scene::new(2);
    let block = scene.make(0, &Shape { claims: vec![claim(1, 0, 9)], ..Shape::default() });
    scene.tracker.apply(Input::Block(Arc::clone(&block)));
    scene.grow(1, &[]);
    scene.rewind(0, 0);
    scene.grow_as(0, &Shape { is_forked: true, ..Shape::default() });
    scene.rewind(0, 0);
    let outcome = scene.tracker.apply(Input::Block(Arc::clone(&block)));
    assert_eq!(outcome.events.first().unwrap().change, Change::Readopted);
    assert_eq!((scene.status(block.key, 0), scene.tracker.open()), ("log-not-found", 1));
}

#[rstest]
#[case::of_an_earlier_block(1)]
#[case::of_a_block_of_the_same_timestamp(0)]
fn a_deposit_log_survives_the_replacement_of_its_invalid_block(#[case] wait: u64) {
    let mut scene = Scene::new(2);
    let broken = vec![claim(1, 0, 9)];
    let shape = Shape { claims: broken, has_deposit_logs: true, ..Shape::default() };
    let (cited, _) = scene.grow_as(0, &shape);
    (0..wait).for_each(|_| drop(scene.grow(1, &[])));
    let (citing, outcome) = scene.grow(1, &[claim(0, 1, 1), claim(0, 1, 3)]);
    assert_eq!(scene.status(cited, 0), "log-not-found");
    assert_eq!(scene.status(citing, 0), "valid");
    assert_eq!(scene.status(citing, 2), "initiating-block-invalid");
    assert_eq!(statuses(&outcome).len(), 2);
    // The replacement has the log, too: nothing flips.
    scene.rewind(0, 0);
    let (_, outcome) = scene.grow_as(0, &Shape { is_deposits_only: true, ..Shape::default() });
    assert_eq!(scene.status(citing, 0), "valid");
    assert!(statuses(&outcome).iter().all(|(.., flip)| !flip));
}

/// Chain 0's message is at log index 0, chain 1's at 2. What decides is where chain 0's cites chain 1's
/// block: before or after the message there that cites it.
#[rstest]
#[case::before_it(1, ["unknown", "unknown"], ["valid", "valid"])]
#[case::after_it(3, ["cycle", "cycle"], ["cycle", "cycle"])]
fn blocks_that_cite_each_other(#[case] cited: u32, #[case] early: [&str; 2], #[case] late: [&str; 2]) {
    let mut scene = Scene::new(3);
    let (a, _) = scene.grow(0, &[claim(1, 1, cited)]);
    let (b, _) = scene.grow(1, &[claim(2, 0, 1), claim(0, 1, 1)]);
    assert_eq!([scene.status(a, 0), scene.status(b, 2)], early, "the third chain is not there yet");
    scene.grow(2, &[]);
    assert_eq!([scene.status(a, 0), scene.status(b, 2)], late);
    assert_eq!(scene.status(b, 0), "valid");
    // Without chain 1's block chain 0's message hangs in the air; with another one in its place there is no
    // cycle.
    scene.rewind(1, 0);
    assert_eq!(scene.status(a, 0), "unknown");
    scene.grow(1, &[]);
    assert_eq!(scene.status(a, 0), "valid");
}

#[test]
fn a_cycle_invalidates_messages_outside_it_until_it_is_resolved() {
    let mut scene = Scene::new(3);
    let (plain, _) = scene.grow(2, &[]);
    scene.grow(1, &[]);
    let (executing, outcome) = scene.grow(0, &[claim(2, 1, 1), claim(1, 1, 1)]);
    let checked = (executing, "unknown", "valid", StatusCause::Checked, false);
    assert_eq!(statuses(&outcome), [checked, checked]);
    scene.rewind(2, 0);
    let (closing, outcome) = scene.grow(2, &[claim(0, 1, 1)]);
    let cycle = StatusCause::SameTimestamp { timestamp: closing_time() };
    let reorg =
        StatusCause::RemoteReorg { chain_id: chain(2), number: 1, old: plain.hash, new: Some(closing.hash) };
    let mut reported = statuses(&outcome);
    reported.sort_by_key(|(block, ..)| block.chain_id);
    assert_eq!(
        reported,
        [
            (executing, "unknown", "invalid", reorg, true),
            (executing, "unknown", "invalid", cycle, true),
            (closing, "unknown", "invalid", cycle, false),
        ]
    );
    scene.rewind(2, 0);
    let (by, outcome) = scene.grow_as(2, &Shape { is_deposits_only: true, ..Shape::default() });
    assert_eq!(endings(&outcome), [(closing, Ending::Resolved { by: by.hash })]);
    let replaced = StatusCause::RemoteReplacement { old: closing, new: by.hash };
    assert!(statuses(&outcome).contains(&(executing, "unknown", "valid", replaced, true)));
    assert_eq!((scene.status(executing, 0), scene.status(executing, 2)), ("valid", "valid"));
}

const fn closing_time() -> UnixSeconds {
    UnixSeconds(START + 1)
}

#[test]
fn the_same_block_comes_back() {
    let mut scene = Scene::new(2);
    scene.grow(1, &[]);
    let block = scene.make(0, &Shape { claims: vec![claim(1, 0, 1)], ..Shape::default() });
    scene.tracker.apply(Input::Block(Arc::clone(&block)));
    let outcome = scene.tracker.apply(Input::Rewound { chain_id: chain(0), kept: 0 });
    assert_eq!(outcome.events.last().unwrap().change, Change::Displaced);
    assert_eq!(scene.tracker.counts().iter().count(), 0);
    let outcome = scene.tracker.apply(Input::Block(block));
    assert_eq!(outcome.events.first().unwrap().change, Change::Readopted);
    assert!(endings(&outcome).is_empty());
    assert_eq!(scene.tracker.open(), 1);
}

#[test]
fn a_block_that_returns_after_another_is_tracked_again() {
    let mut scene = Scene::new(2);
    let block = scene.make(0, &Shape { claims: vec![claim(1, 0, 1)], ..Shape::default() });
    scene.tracker.apply(Input::Block(Arc::clone(&block)));
    scene.rewind(0, 0);
    let (other, outcome) = scene.grow(0, &[]);
    assert_eq!(endings(&outcome), [(block.key, Ending::Orphaned { by: other.hash })]);
    scene.rewind(0, 0);
    let outcome = scene.tracker.apply(Input::Block(Arc::clone(&block)));
    assert_eq!(outcome.events.first().unwrap().change, Change::Discovered);
    assert_eq!(
        scene.tracker.message(&MessageKey { block: block.key, log_index: 0 }).unwrap().state().name(),
        "tracked"
    );
}

#[test]
fn a_message_that_ended_in_an_earlier_run_belongs_to_the_ledger_until_its_block_is_reorged_out() {
    let mut scene = Scene::new(2);
    let block = scene.make(0, &Shape { claims: vec![claim(1, 0, 1), claim(1, 0, 1)], ..Shape::default() });
    let key = |log_index| MessageKey { block: block.key, log_index };
    scene.tracker.recall(key(0));
    scene.tracker.apply(Input::Block(Arc::clone(&block)));
    let reported = |scene: &Scene, log_index| {
        let message = scene.tracker.message(&key(log_index)).unwrap();
        (message.state().name(), message.belongs_in_ledger())
    };
    assert_eq!((reported(&scene, 0), reported(&scene, 2)), (("tracked", true), ("tracked", false)));
    scene.rewind(0, 0);
    assert_eq!((reported(&scene, 0), reported(&scene, 2)), (("displaced", false), ("displaced", false)));
    scene.tracker.apply(Input::Block(Arc::clone(&block)));
    assert_eq!(reported(&scene, 0), ("tracked", false), "that it has come back is news");
}

#[test]
fn a_message_that_does_not_end_valid_and_final_belongs_to_the_ledger() {
    let mut scene = Scene::new(2);
    scene.grow(1, &[]);
    let wrong = Claim { payload: Payload::Wrong, ..claim(1, 1, 1) };
    let (block, _) = scene.grow(0, &[claim(1, 1, 1), wrong]);
    scene.grow(1, &[]);
    let key = |log_index| MessageKey { block, log_index };
    scene.finalize(1, 2);
    let before = scene.tracker.last_number();
    assert_eq!(endings(&scene.finalize(0, 1)).len(), 2);
    let is_reported = |scene: &Scene, log_index| {
        let message = scene.tracker.message(&key(log_index)).unwrap();
        message.belongs_in_ledger()
    };
    assert!(!is_reported(&scene, 0) && is_reported(&scene, 2));
    let reported = |scene: &Scene, log_index| {
        let message = scene.tracker.message(&key(log_index)).unwrap();
        (MessageRecord::as_reported(message).state, message.is_filed())
    };
    assert_eq!(reported(&scene, 0), ("finalized", false));
    assert_eq!(reported(&scene, 2), ("tracked", false), "its end is told once the ledger has it");
    let number = scene.tracker.last_number();
    assert!(number > before);
    // What the ledger lists of a valid one is listed once, and under a number that no change gets.
    scene.tracker.file(&[key(0)], 3);
    assert!(is_reported(&scene, 0));
    assert_eq!(scene.tracker.last_number(), number + 3);
    scene.grow(0, &[claim(1, 1, 1)]);
    let later: Vec<u64> = scene.tracker.changed_after(number).map(|message| message.sequence()).collect();
    assert!(!later.is_empty() && later.iter().all(|sequence| *sequence > number + 3), "{later:?}");
}

#[test]
fn undeclared_messages_are_reported_once() {
    let mut scene = Scene::new(2);
    let shape = Shape { claims: vec![claim(1, 0, 1)], undeclared: true, ..Shape::default() };
    let (_, outcome) = scene.grow_as(0, &shape);
    let reported = outcome.events.iter().filter(|event| event.change == Change::Undeclared).count();
    assert_eq!(reported, 1);
}

#[test]
fn logs_that_are_not_in_memory_are_requested_once_and_leave_messages_unknown() {
    let mut scene = Scene::new(2);
    let cited = scene.world.make(chain(1), &Shape::default());
    scene.tracker.apply(Input::Block(Arc::clone(&cited)));
    scene.grow(0, &[]);
    let (first, outcome) = scene.grow(0, &[claim(1, 1, 1), claim(1, 1, 3)]);
    assert_eq!(outcome.requests, [Request::Logs(cited.key)]);
    assert_eq!((scene.status(first, 0), scene.status(first, 2)), ("unknown", "unknown"));
    let logs = Arc::clone(&scene.world.logs[&cited.key.hash]);
    let outcome = scene.tracker.apply(Input::Answer { request: Request::Logs(cited.key), logs });
    assert_eq!(statuses(&outcome).len(), 2);
    assert_eq!((scene.status(first, 0), scene.status(first, 2)), ("valid", "valid"));
}

/// The block that was asked for has given way to another, which is final and below the view by now.
#[test]
fn a_late_answer_about_another_branch_does_not_apply_to_its_height() {
    let mut scene = Scene::new(2);
    scene.tracker.kept_below_finalized = 0;
    let fork = scene.world.make(chain(1), &Shape::default());
    scene.tracker.apply(Input::Block(Arc::clone(&fork)));
    scene.grow(0, &[]);
    let (_, outcome) = scene.grow(0, &[claim(1, 1, 1)]);
    let late = outcome.requests[0];
    scene.rewind(1, 0);
    scene.grow_as(1, &Shape { is_forked: true, ..Shape::default() });
    (0..2).for_each(|_| drop(scene.grow(1, &[])));
    scene.finalize(1, 3);
    let logs = Arc::clone(&scene.world.logs[&fork.key.hash]);
    scene.tracker.apply(Input::Answer { request: late, logs: logs.clone() });
    let (citing, outcome) = scene.grow(0, &[claim(1, 1, 1)]);
    assert_eq!(outcome.requests, [Request::Canonical { chain_id: chain(1), number: 1 }]);
    scene.tracker.apply(Input::Answer { request: late, logs });
    assert_eq!(scene.status(citing, 0), "unknown");
}

/// A view that starts at a later block: what lies below it is final, and asked for.
#[test]
fn a_block_below_the_view_is_unknown_until_its_logs_come() {
    let world = World::new(&[1, 1]);
    let index = LogIndex::new(usize::MAX);
    let tracker = Tracker::new(world.set(), index.clone(), LIMITS);
    let mut scene = Scene { world, index, tracker };
    let below: Vec<_> = (0..4).map(|_| scene.make(1, &Shape::default())).collect();
    (0..3).for_each(|_| drop(scene.make(0, &Shape::default())));
    // The executing chain comes first: nothing is known of the other one yet, and nothing is asked.
    let (executing, outcome) = scene.grow(0, &[claim(1, 2, 1)]);
    assert_eq!((scene.status(executing, 0), outcome.requests.len()), ("unknown", 0));
    let (_, outcome) = scene.grow(1, &[]);
    let request = Request::Canonical { chain_id: chain(1), number: 2 };
    assert_eq!(outcome.requests, [request]);
    assert_eq!(scene.status(executing, 0), "unknown");
    let logs = Arc::clone(&scene.world.logs[&below[2].key.hash]);
    scene.tracker.apply(Input::Answer { request, logs });
    assert_eq!(scene.status(executing, 0), "valid");
}

/// The answer comes while the view is empty, and cannot be placed: it is asked for again.
#[test]
fn an_answer_that_arrives_between_two_views_is_requested_again() {
    let world = World::new(&[1, 1]);
    let index = LogIndex::new(usize::MAX);
    let tracker = Tracker::new(world.set(), index.clone(), LIMITS);
    let mut scene = Scene { world, index, tracker };
    let below: Vec<_> = (0..3).map(|_| scene.world.make(chain(1), &Shape::default())).collect();
    (0..4).for_each(|_| drop(scene.grow(0, &[])));
    scene.grow(1, &[]);
    let (executing, outcome) = scene.grow(0, &[claim(1, 1, 1)]);
    let request = Request::Canonical { chain_id: chain(1), number: 1 };
    assert_eq!(outcome.requests, [request]);
    scene.rewind(1, 2);
    let logs = Arc::clone(&scene.world.logs[&below[1].key.hash]);
    scene.tracker.apply(Input::Answer { request, logs: logs.clone() });
    assert_eq!(scene.status(executing, 0), "unknown");
    let (_, outcome) = scene.grow(1, &[]);
    assert_eq!(outcome.requests, [request]);
    scene.tracker.apply(Input::Answer { request, logs });
    assert_eq!(scene.status(executing, 0), "valid");
}

/// The fork is deeper than the view: what is cited above it is unknown, until the new view says what it is.
#[test]
fn a_view_that_is_rewound_completely_starts_again() {
    let world = World::new(&[1, 1]);
    let index = LogIndex::new(usize::MAX);
    let tracker = Tracker::new(world.set(), index.clone(), LIMITS);
    let mut scene = Scene { world, index, tracker };
    (0..3).for_each(|_| drop(scene.make(1, &Shape::default())));
    let (cited, _) = scene.grow(1, &[claim(1, 2, 1)]);
    (0..4).for_each(|_| drop(scene.make(0, &Shape::default())));
    let (executing, _) = scene.grow(0, &[claim(1, 3, 1)]);
    scene.tracker.apply(Input::Answer {
        request: Request::Canonical { chain_id: chain(1), number: 2 },
        logs: Arc::clone(&scene.world.logs[&scene.world.chains[&chain(1)][2].key.hash]),
    });
    assert_eq!(scene.status(executing, 0), "valid");
    scene.rewind(1, 1);
    assert!(scene.tracker.chain(chain(1)).unwrap().is_empty());
    assert_eq!(
        scene.tracker.message(&MessageKey { block: cited, log_index: 0 }).unwrap().state().name(),
        "displaced"
    );
    assert_eq!(scene.status(executing, 0), "unknown");
    scene.grow_as(1, &Shape { is_forked: true, ..Shape::default() });
    let (by, outcome) = scene.grow_as(1, &Shape { is_forked: true, ..Shape::default() });
    assert_eq!(endings(&outcome), [(cited, Ending::Orphaned { by: by.hash })]);
    assert_eq!(scene.status(executing, 0), "payload-mismatch");
}

#[test]
fn a_block_that_is_not_a_child_of_the_tip_is_refused() {
    let mut scene = Scene::new(2);
    let block = scene.make(0, &Shape::default());
    let mut late = ObservedBlock::clone(&block);
    late.parent_hash = B256::repeat_byte(1);
    let refused = scene.tracker.apply(Input::Block(Arc::new(late))).refused;
    assert!(matches!(refused, Some(RefusedInput::NoChild { number: 1, tip: 0, .. })));
    let mut early = ObservedBlock::clone(&block);
    early.timestamp = UnixSeconds(START);
    let refused = scene.tracker.apply(Input::Block(Arc::new(early))).refused;
    assert!(matches!(refused, Some(RefusedInput::NotLater { number: 1, .. })));
    let refused = scene.tracker.apply(Input::Rewound { chain_id: chain(7), kept: 0 }).refused;
    assert_eq!(refused, Some(RefusedInput::UnknownChain { chain_id: chain(7) }));
    assert_eq!(scene.tracker.apply(Input::Block(block)).refused, None);
}

/// Nor a message that tricked the inbox, be it valid.
#[test]
fn beyond_the_bound_undeclared_messages_are_found() {
    let mut scene = Scene::with_limits(2, TrackerLimits { max_messages: 1, ..LIMITS });
    scene.grow(0, &[claim(1, 1, 1)]);
    let shape = Shape { claims: vec![claim(1, 1, 1)], undeclared: true, ..Shape::default() };
    let (_, outcome) = scene.grow_as(0, &shape);
    assert!(outcome.events.iter().any(|event| event.change == Change::Undeclared));
    assert_eq!((scene.tracker.open(), scene.tracker.dropped()), (2, 0));
}

#[test]
fn messages_beyond_the_bound_are_counted_and_never_considered_valid() {
    let mut scene = Scene::with_limits(2, TrackerLimits { max_messages: 1, ..LIMITS });
    let (executing, _) = scene.grow(0, &[claim(1, 0, 1), claim(1, 0, 3)]);
    assert_eq!((scene.tracker.open(), scene.tracker.dropped()), (1, 1));
    assert_eq!(scene.status(executing, 0), "valid");
    assert_eq!(scene.tracker.message(&MessageKey { block: executing, log_index: 2 }).map(|m| m.key()), None);
    assert_eq!(scene.tracker.chain(chain(0)).unwrap().validity_of(1), Some(Validity::Unknown));
}

#[test]
fn beyond_the_bound_the_oldest_valid_messages_make_room() {
    let mut scene = Scene::with_limits(2, TrackerLimits { max_messages: 2, ..LIMITS });
    let (first, _) = scene.grow(0, &[claim(1, 0, 1)]);
    let (unknown, _) = scene.grow(0, &[claim(1, 1, 1)]);
    assert_eq!((scene.status(first, 0), scene.status(unknown, 0)), ("valid", "unknown"));
    let (third, outcome) = scene.grow(0, &[claim(1, 0, 1)]);
    assert_eq!(endings(&outcome), [(first, Ending::CrowdedOut)]);
    assert_eq!(scene.status(third, 0), "valid");
    assert_eq!((scene.tracker.open(), scene.tracker.dropped(), scene.tracker.faults()), (2, 1, 0));
    // Its block stays what it was.
    assert_eq!(scene.tracker.chain(chain(0)).unwrap().validity_of(1), Some(Validity::Valid));
}

/// Nobody hides an invalid message behind many others.
#[test]
fn beyond_the_bound_messages_that_are_invalid_by_themselves_are_found() {
    let mut scene = Scene::with_limits(2, TrackerLimits { max_messages: 1, ..LIMITS });
    let (full, _) = scene.grow(0, &[claim(1, 1, 1)]);
    assert_eq!(scene.status(full, 0), "unknown");
    // Of a chain that is in no dependency set.
    let (wrong, _) = scene.grow(0, &[claim(9, 0, 1)]);
    assert_eq!(scene.status(wrong, 0), "unknown-chain");
    assert_eq!((scene.tracker.open(), scene.tracker.dropped()), (2, 0));
    // Twice the bound is never passed.
    let (beyond, _) = scene.grow(0, &[claim(9, 0, 1)]);
    assert!(scene.tracker.message(&MessageKey { block: beyond, log_index: 0 }).is_none());
    assert_eq!((scene.tracker.open(), scene.tracker.dropped()), (2, 1));
}

#[test]
fn the_last_ended_are_kept() {
    let mut scene = Scene::with_limits(2, TrackerLimits { ended_kept: 1, ..LIMITS });
    let (first, _) = scene.grow(0, &[claim(1, 0, 1)]);
    let (second, _) = scene.grow(0, &[claim(1, 0, 1)]);
    let outcome = scene.finalize(0, 2);
    assert_eq!(endings(&outcome), [(first, Ending::Finalized), (second, Ending::Finalized)]);
    let is_kept = |block| scene.tracker.message(&MessageKey { block, log_index: 0 }).is_some();
    assert_eq!((is_kept(first), is_kept(second)), (false, true));
    assert_eq!(scene.tracker.changed_after(0).count(), 1);
}

#[test]
fn a_valid_message_is_open_until_its_cited_block_is_final() {
    let mut scene = Scene::new(2);
    scene.grow(1, &[]);
    scene.grow(0, &[]);
    let (executing, _) = scene.grow(0, &[claim(1, 1, 1)]);
    assert!(endings(&scene.finalize(0, 2)).is_empty());
    assert_eq!(endings(&scene.finalize(1, 1)), [(executing, Ending::Finalized)]);
}

#[test]
fn a_message_that_is_open_for_too_long_expires() {
    let mut scene = Scene::new(2);
    let (executing, _) = scene.grow(0, &[claim(1, 1, 1)]);
    let edge = START + 1 + LIMITS.retention;
    assert!(endings(&scene.tracker.apply(Input::Time(UnixSeconds(edge)))).is_empty());
    let outcome = scene.tracker.apply(Input::Time(UnixSeconds(edge + 1)));
    assert_eq!(endings(&outcome), [(executing, Ending::Expired)]);
    assert_eq!(scene.tracker.open(), 0);
}

#[test]
fn a_cursor_of_an_earlier_run_misses_nothing_of_this_run() {
    let mut cursor = 0;
    for run in 1..=3 {
        let scene = Scene::new(2);
        let mut scene = Scene { tracker: scene.tracker.after_number(run << 32), ..scene };
        scene.grow(0, &[claim(1, 0, 1)]);
        let found: Vec<u64> = scene.tracker.changed_after(cursor).map(|message| message.sequence()).collect();
        assert_eq!(found.len(), 1, "after {cursor}");
        cursor = found[0];
    }
}

#[test]
fn a_step_that_the_life_of_a_message_does_not_allow_is_handed_out_once() {
    let mut scene = Scene::new(2);
    scene.grow(0, &[claim(1, 0, 9)]);
    let book = &scene.tracker.book;
    let id = (0..9).map(TrackedId).find(|id| book.get(*id).is_some()).unwrap();
    assert_eq!(scene.tracker.book.step(id, Step::Readopt, &mut Vec::new()), None);
    let refused: Vec<Step> = scene.finalize(1, 0).refused_steps.iter().map(|refused| refused.step).collect();
    assert_eq!((refused, scene.tracker.faults()), (vec![Step::Readopt], 1));
    assert_eq!(scene.finalize(1, 0).refused_steps, []);
}
