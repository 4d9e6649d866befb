//! One head, and what is reported of it as time passes.

use super::*;
use alloy::primitives::B256;
use crosscheck_core::validity::DependencySet;
use rstest::rstest;

const BOUNDS: StallBounds = StallBounds {
    unsafe_: Duration::from_secs(60),
    safe: Duration::from_secs(3_600),
    l1: Duration::from_secs(180),
    vouched: Duration::from_secs(600),
};

fn heads() -> (StalledHeads, Health) {
    let health = Health::default();
    let metrics = Metrics::new(DependencySet::new([].into(), 1)).unwrap();
    (StalledHeads::new(ChainId::from(901_u64), BOUNDS, health.clone(), metrics), health)
}

fn block(number: u64) -> Option<BlockNumHash> {
    Some(BlockNumHash { number, hash: B256::with_last_byte(u8::try_from(number).unwrap()) })
}

#[rstest]
#[case::unsafe_(WatchedHead::Unsafe, 60, "unsafe head has been block 7 ")]
#[case::execution(WatchedHead::Execution, 60, "execution client's latest block has been block 7 ")]
#[case::local_safe(WatchedHead::LocalSafe, 3_600, "local-safe head has been block 7 ")]
#[case::safe(WatchedHead::Safe, 3_600, "safe head has been block 7 ")]
#[case::current_l1(WatchedHead::CurrentL1, 180, "rollup node's current L1 block has been block 7 ")]
#[case::vouched(WatchedHead::Vouched, 600, "below the local-safe head, has been block 7 ")]
#[case::l1(WatchedHead::L1, 180, "L1's latest block has been block 7 ")]
fn each_head_is_reported_beyond_its_own_bound(
    #[case] head: WatchedHead,
    #[case] bound: u64,
    #[case] reported: &str,
) {
    let (mut heads, health) = heads();
    let start = Instant::now();
    let after = |seconds| start + Duration::from_secs(seconds);
    heads.check(head, block(7), start);
    heads.check(head, block(7), after(bound));
    assert_eq!(health.reasons(), [""; 0], "it may stand still for so long");
    heads.check(head, block(7), after(bound + 1));
    let reasons = health.reasons();
    assert!(matches!(&reasons[..], [reason] if reason.contains(reported)), "{reasons:?}");
    heads.check(head, block(8), after(bound + 2));
    assert_eq!(health.reasons(), [""; 0], "it moves again");
    heads.check(head, block(8), after(2 * bound + 2));
    assert_eq!(health.reasons(), [""; 0], "the time is counted from the last move");
}

#[test]
fn a_head_that_is_replaced_at_its_height_moves() {
    let (mut heads, health) = heads();
    let start = Instant::now();
    heads.check(WatchedHead::Unsafe, block(7), start);
    let rival = Some(BlockNumHash { number: 7, hash: B256::repeat_byte(9) });
    heads.check(WatchedHead::Unsafe, rival, start + Duration::from_secs(60));
    heads.check(WatchedHead::Unsafe, rival, start + Duration::from_secs(61));
    assert_eq!(health.reasons(), [""; 0]);
}

#[test]
fn an_unknown_head_is_not_a_stuck_head() {
    let (mut heads, health) = heads();
    let start = Instant::now();
    let after = |seconds| start + Duration::from_secs(seconds);
    heads.check(WatchedHead::Unsafe, block(7), start);
    heads.check(WatchedHead::Unsafe, block(7), after(61));
    assert_eq!(health.reasons().len(), 1);
    heads.check(WatchedHead::Unsafe, None, after(62));
    assert_eq!(health.reasons(), [""; 0]);
    heads.check(WatchedHead::Unsafe, block(7), after(63));
    assert_eq!(health.reasons(), [""; 0], "nobody knows where it was in between");
}

#[test]
fn the_heads_are_reported_separately() {
    let (mut heads, health) = heads();
    let start = Instant::now();
    for seconds in [0, 61] {
        let now = start + Duration::from_secs(seconds);
        heads.check(WatchedHead::Unsafe, block(7), now);
        heads.check(WatchedHead::Execution, block(7), now);
    }
    assert_eq!(health.reasons().len(), 2);
    heads.check(WatchedHead::Execution, block(8), start + Duration::from_secs(62));
    let reasons = health.reasons();
    assert!(matches!(&reasons[..], [reason] if reason.contains("unsafe head")), "{reasons:?}");
}

/// After a replacement the reason is reported, not the alarm; the alarm comes once the reason is gone and the
/// head still stands.
#[rstest]
#[case::of_the_node(WatchedHead::Unsafe, "check the sequencer")]
#[case::of_the_clients(WatchedHead::Execution, "check the execution client")]
fn a_head_that_does_not_move_after_a_replacement(#[case] head: WatchedHead, #[case] alarm: &str) {
    let (mut heads, health) = heads();
    let start = Instant::now();
    let after = |seconds| start + Duration::from_secs(seconds);
    let pause = Some(UnsafePause { replaced: 5, finalized: 3 });
    let says = |part: &str| {
        let reasons = health.reasons();
        matches!(&reasons[..], [reason] if reason.contains(part))
    };
    heads.check_during(pause, head, block(7), start);
    heads.check_during(pause, head, block(7), after(60));
    assert_eq!(health.reasons(), [""; 0], "it may stand still for so long");
    heads.check_during(pause, head, block(7), after(61));
    assert!(says("block 5 was found invalid and is replaced") && !says(alarm), "{:?}", health.reasons());
    heads.check_during(None, head, block(7), after(62));
    assert!(says(alarm) && !says("replaced"), "{:?}", health.reasons());
    heads.check_during(pause, head, block(7), after(63));
    assert!(says("is replaced"), "another replacement");
    heads.check_during(pause, head, block(8), after(64));
    assert_eq!(health.reasons(), [""; 0], "it moves again");
}

#[test]
fn how_late_a_head_is() {
    let (mut heads, _) = heads();
    let start = Instant::now();
    let after = |seconds| start + Duration::from_secs(seconds);
    let late = |heads: &StalledHeads, now| {
        (heads.is_half_late(WatchedHead::Unsafe, now), heads.is_late(WatchedHead::Unsafe, now))
    };
    assert_eq!(late(&heads, after(999)), (false, false), "it is not known");
    heads.check(WatchedHead::Unsafe, block(7), start);
    assert_eq!(late(&heads, after(30)), (false, false));
    assert_eq!(late(&heads, after(31)), (true, false));
    assert_eq!(late(&heads, after(61)), (true, true));
    heads.check(WatchedHead::Unsafe, block(8), after(62));
    assert_eq!(late(&heads, after(62)), (false, false));
}
