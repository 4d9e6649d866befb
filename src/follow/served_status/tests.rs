//! One test for each obligation, named after it.

use super::*;
use crate::follow::sample::{l1, l2, on_branch, upstream};
use crate::follow::{CanonicalHashes, L1Ref, Lagoon};
use alloy::eips::BlockNumHash;
use rstest::rstest;
use serde_json::json;

const ATTESTED: FollowMode = FollowMode::Attested;
const CLAMP: FollowMode = FollowMode::Clamp;

/// The facts of a round, owned.
#[derive(Clone)]
struct Round {
    mode: FollowMode,
    upstream: UpstreamStatus,
    vouched: Vouched,
    canonical: CanonicalHashes,
    invalid: Vec<BlockNumHash>,
    lagoon: Lagoon,
    hold: Option<Hold>,
    last: Option<ServedStatus>,
}

/// An upstream at these heights (unsafe, local-safe, safe, finalized), all on the canonical branch, and a
/// vouched head.
fn round(mode: FollowMode, heights: [u64; 4], vouched: u64) -> Round {
    let mut canonical = CanonicalHashes::default();
    for number in 0..=heights[0] {
        canonical.insert(number, l2(number).hash);
    }
    Round {
        mode,
        upstream: upstream(heights),
        vouched: Vouched { block: l2(vouched), replaces: None, final_limit: FinalLimit::None },
        canonical,
        invalid: Vec::new(),
        lagoon: Lagoon::at(0),
        hold: None,
        last: None,
    }
}

impl Round {
    fn reading(&self) -> Reading<'_> {
        let Self { upstream, canonical, invalid, lagoon, .. } = self;
        Reading { upstream, canonical, invalid, lagoon: *lagoon }
    }

    fn draft(&self) -> Result<Draft, Keep> {
        Draft::next(&Facts {
            mode: self.mode,
            reading: self.reading(),
            vouched: &self.vouched,
            hold: self.hold.as_ref(),
            last: self.last.as_ref(),
        })
    }

    fn next(&self) -> Result<ServedStatus, Keep> {
        self.draft().map(|draft| draft.below(&self.invalid))
    }

    /// What is served of a round whose safe head must stay.
    fn kept(&self) -> ServedStatus {
        assert!(self.next().is_err(), "the safe head does not have to stay");
        let last = self.last.as_ref().unwrap();
        let (vouched, hold) = (Some(self.vouched.block), self.hold.as_ref());
        Draft::kept(&KeepFacts { last, reading: self.reading(), vouched, replaced: None, hold })
            .below(&self.invalid)
    }

    fn heads(&self) -> [u64; 4] {
        heads(&self.next().unwrap())
    }

    /// The same round after this one was served.
    fn after(mut self, earlier: &Round) -> Self {
        self.last = Some(earlier.next().unwrap());
        self
    }
}

fn heads(status: &ServedStatus) -> [u64; 4] {
    [status.unsafe_l2, status.local_safe_l2, status.safe_l2, status.finalized_l2].map(|head| head.number)
}

fn hold(number: u64) -> Hold {
    Hold {
        number,
        hash: l2(number).hash,
        verdict: "violated".to_owned(),
        reason: Some("invalid-message".to_owned()),
        detail: None,
        attributable: Some(true),
        ancestor_of: None,
        claimants: Vec::new(),
    }
}

/// A round in which N' = 12' is vouched for, and the upstream is still on the branch of 12.
fn replaced(mode: FollowMode, heights: [u64; 4]) -> Round {
    let mut replacement = on_branch("replaced", 12);
    replacement.parent_hash = l2(11).hash;
    Round {
        vouched: Vouched { block: replacement, replaces: Some(l2(12).hash), final_limit: FinalLimit::None },
        ..round(mode, heights, 12)
    }
}

#[rstest]
#[case::attested_lowers_finalized(ATTESTED, [30, 20, 20, 15], 12, [30, 20, 12, 12])]
#[case::attested_passes_finalized_on(ATTESTED, [30, 20, 20, 5], 12, [30, 20, 12, 5])]
#[case::attested_at_local_safe(ATTESTED, [30, 20, 20, 5], 20, [30, 20, 20, 5])]
#[case::attested_reads_no_safe(ATTESTED, [30, 20, 8, 5], 12, [30, 20, 12, 5])]
#[case::clamp_lowers_safe(CLAMP, [30, 20, 18, 15], 12, [30, 20, 12, 12])]
#[case::clamp_never_raises_safe(CLAMP, [30, 20, 10, 5], 12, [30, 20, 10, 5])]
#[case::clamp_of_a_lagging_upstream(CLAMP, [30, 11, 10, 5], 12, [30, 11, 10, 5])]
fn heads_are_those_of_the_mode(
    #[case] mode: FollowMode,
    #[case] heights: [u64; 4],
    #[case] vouched: u64,
    #[case] expected: [u64; 4],
) {
    assert_eq!(round(mode, heights, vouched).heads(), expected);
}

/// A block is final when it is so by every chain that its own depends on.
#[rstest]
#[case::no_limit(FinalLimit::None, Ok([30, 20, 12, 10]))]
#[case::below(FinalLimit::At(l2(7)), Ok([30, 20, 12, 7]))]
#[case::above(FinalLimit::At(l2(11)), Ok([30, 20, 12, 10]))]
#[case::above_safe(FinalLimit::At(l2(13)), Ok([30, 20, 12, 10]))]
#[case::unknown(FinalLimit::Unknown, Err(Keep::FinalityUnknown))]
fn finalized_is_lowered_to_what_is_final_by_all_chains(
    #[case] limit: FinalLimit,
    #[case] expected: Result<[u64; 4], Keep>,
) {
    let verified = || round(FollowMode::Verified, [30, 20, 20, 10], 12);
    let mut limited = verified();
    limited.vouched.final_limit = limit;
    assert_eq!(limited.next().map(|status| heads(&status)), expected);
    assert_eq!(limited.after(&verified()).heads()[3], 10, "it does not go back");
}

#[test]
fn safe_never_goes_back() {
    let first = round(ATTESTED, [30, 20, 20, 5], 15);
    let second = round(ATTESTED, [30, 20, 20, 5], 14).after(&first);
    assert_eq!(second.next(), Err(Keep::Retraction { last: 15, next: 14 }));
    let first = round(CLAMP, [30, 20, 15, 5], 15);
    let restarted = round(CLAMP, [30, 13, 13, 5], 15).after(&first);
    assert_eq!(restarted.next(), Err(Keep::Retraction { last: 15, next: 13 }));
}

#[test]
fn a_height_never_changes_its_block() {
    let first = round(ATTESTED, [30, 20, 20, 5], 12);
    let second = replaced(ATTESTED, [30, 20, 20, 5]).after(&first);
    assert!(matches!(second.next(), Err(Keep::Conflict { number: 12, .. })));
}

#[test]
fn finalized_never_goes_back() {
    let first = round(ATTESTED, [30, 20, 20, 10], 15);
    let second = round(ATTESTED, [30, 20, 20, 4], 16).after(&first);
    assert_eq!(second.heads(), [30, 20, 16, 10]);
}

#[test]
fn finalized_is_on_the_chain_of_safe() {
    let mut forked = round(ATTESTED, [30, 20, 20, 10], 15);
    forked.upstream.finalized_l2 = Some(on_branch("other", 10));
    assert!(matches!(forked.next(), Err(Keep::Elsewhere { number: 10, .. })));
    let first = round(ATTESTED, [30, 20, 20, 8], 14);
    assert_eq!(forked.after(&first).heads(), [30, 20, 15, 8]);
}

#[test]
fn a_finalized_block_that_the_execution_client_lacks_is_not_served() {
    let mut lacking = round(ATTESTED, [30, 20, 20, 10], 15);
    lacking.canonical = CanonicalHashes::default();
    for number in [15, 20] {
        lacking.canonical.insert(number, l2(number).hash);
    }
    assert_eq!(lacking.next(), Err(Keep::Unconfirmed { number: 10, level: "finalized" }));
}

#[test]
fn a_local_safe_block_that_the_execution_client_lacks_is_not_served() {
    let mut lagging = round(CLAMP, [30, 20, 20, 10], 15);
    lagging.canonical = CanonicalHashes::default();
    for number in 0..=17 {
        lagging.canonical.insert(number, l2(number).hash);
    }
    assert_eq!(lagging.heads(), [30, 15, 15, 10]);
}

#[rstest]
#[case::final_below([30, 20, 20, 5], [12, 12, 12, 5])]
#[case::final_above([30, 20, 20, 15], [12, 12, 12, 12])]
fn after_a_replacement_local_safe_is_the_replacement(#[case] heights: [u64; 4], #[case] expected: [u64; 4]) {
    let round = replaced(ATTESTED, heights);
    let status = round.next().unwrap();
    assert_eq!(heads(&status), expected);
    let replacement = round.vouched.block;
    assert_eq!(
        [
            status.unsafe_l2,
            status.cross_unsafe_l2,
            status.local_safe_l2,
            status.pending_safe_l2,
            status.safe_l2
        ],
        [replacement; 5]
    );
}

#[test]
fn nothing_at_or_above_a_replaced_block_is_served_while_the_upstream_has_it() {
    let round = replaced(CLAMP, [30, 20, 20, 5]).after(&round(CLAMP, [30, 20, 11, 5], 11));
    let (last, reading) = (round.last.as_ref().unwrap(), round.reading());
    // The execution client lacks the replacement.
    let replaced = Some(BlockNumHash { number: 12, hash: l2(12).hash });
    let kept = KeepFacts { last, reading, vouched: None, replaced, hold: None };
    assert_eq!(heads(&Draft::kept(&kept).below(&[])), [11, 11, 11, 5]);
    assert_eq!(heads(&Draft::kept(&KeepFacts { replaced: None, ..kept }).below(&[])), [30, 20, 11, 5]);
}

/// An execution client may answer by number of two branches: the replaced block 12, and above it a block of
/// the other one.
#[test]
fn a_replaced_block_below_the_vouched_head_is_not_served() {
    let upstream_at = [30, 12, 12, 5];
    let mut mixed = round(CLAMP, upstream_at, 14).after(&round(CLAMP, [30, 20, 11, 5], 11));
    assert_eq!(mixed.heads(), [30, 12, 12, 5]);
    mixed.invalid = vec![on_chain(12)];
    let replaced = Keep::Replaced { number: 12, hash: l2(12).hash, vouched: 14 };
    assert_eq!(mixed.next(), Err(replaced));
    let kept = mixed.kept();
    assert!([kept.unsafe_l2, kept.local_safe_l2, kept.safe_l2].iter().all(|head| *head != l2(12)));
    // The client lacks the vouched block, too.
    let last = mixed.last.as_ref().unwrap();
    let kept = KeepFacts { last, reading: mixed.reading(), vouched: None, replaced: None, hold: None };
    assert_eq!(heads(&Draft::kept(&kept).below(&mixed.invalid)), [11, 11, 11, 5]);
}

#[test]
fn a_replaced_height_is_passed_once_upstream_and_client_are_on_the_vouched_branch() {
    let passed = |round: &Round| round.draft().unwrap().passed();
    assert_eq!(passed(&round(CLAMP, [30, 20, 15, 5], 18)), Some(15));
    assert_eq!(passed(&round(ATTESTED, [30, 20, 15, 5], 18)), Some(18));
    assert_eq!(passed(&replaced(ATTESTED, [30, 20, 20, 5])), None);
    let mut lacking = round(CLAMP, [30, 20, 15, 5], 18);
    lacking.canonical = CanonicalHashes::default();
    for number in 0..20 {
        lacking.canonical.insert(number, l2(number).hash);
    }
    assert_eq!(passed(&lacking), None);
    let first = round(CLAMP, [30, 20, 15, 5], 15);
    let kept = round(CLAMP, [30, 20, 14, 5], 15).after(&first);
    let (last, vouched) = (kept.last.as_ref().unwrap(), Some(kept.vouched.block));
    let facts = KeepFacts { last, reading: kept.reading(), vouched, replaced: None, hold: None };
    assert_eq!(Draft::kept(&facts).passed(), None);
}

#[test]
fn local_safe_is_passed_on_once_the_upstream_has_the_replacement() {
    let mut round = round(CLAMP, [30, 20, 20, 5], 12);
    round.vouched.replaces = Some(on_branch("invalid", 12).hash);
    assert_eq!(round.heads(), [30, 20, 12, 5]);
}

#[test]
fn heads_do_not_advance_while_the_upstream_has_another_block_at_the_vouched_height() {
    let first = round(ATTESTED, [30, 20, 20, 5], 11);
    let mut forked = round(ATTESTED, [30, 20, 20, 5], 12).after(&first);
    forked.canonical.insert(12, on_branch("other", 12).hash);
    let expected =
        Keep::Elsewhere { number: 12, canonical: on_branch("other", 12).hash, expected: l2(12).hash };
    assert_eq!(forked.next(), Err(expected));
}

#[rstest]
#[case::above(20)]
#[case::at_the_vouched_height(12)]
fn heads_do_not_advance_while_upstream_and_execution_client_disagree(#[case] local_safe: u64) {
    let mut forked = round(CLAMP, [30, local_safe, 12, 5], 12);
    forked.upstream.local_safe_l2 = Some(on_branch("other", local_safe));
    assert!(matches!(forked.next(), Err(Keep::Elsewhere { number, .. }) if number == local_safe));
}

#[test]
fn an_upstream_that_lags_changes_nothing() {
    assert_eq!(round(ATTESTED, [30, 10, 10, 5], 12).next(), Err(Keep::Behind { upstream: 10, vouched: 12 }));
    let mut empty = round(ATTESTED, [30, 10, 10, 5], 12);
    empty.canonical = CanonicalHashes::default();
    assert_eq!(empty.next(), Err(Keep::Behind { upstream: 10, vouched: 12 }));
}

#[test]
fn a_hold_has_a_reason_and_its_block_limits_local_safe() {
    let mut held = round(ATTESTED, [30, 20, 20, 5], 12);
    held.hold = Some(hold(13));
    held.invalid = vec![on_chain(13)];
    let status = held.next().unwrap();
    assert_eq!(heads(&status), [12, 12, 12, 5]);
    assert_eq!(status.crosscheck_hold, Some(hold(13)));
    let json = serde_json::to_value(&status).unwrap();
    assert_eq!(json["crosscheck_hold"]["reason"], "invalid-message");
}

#[test]
fn current_l1_is_never_zero() {
    let mut round = round(ATTESTED, [30, 20, 20, 5], 12);
    round.upstream.l1.current_l1.hash = B256::ZERO;
    assert_eq!(round.next(), Err(Keep::NoCurrentL1));
}

#[test]
fn local_safe_and_safe_are_never_guessed() {
    for level in ["local-safe", "safe"] {
        let mut round = round(ATTESTED, [30, 20, 20, 5], 12);
        let upstream = &mut round.upstream;
        *(if level == "safe" { &mut upstream.safe_l2 } else { &mut upstream.local_safe_l2 }) = None;
        assert_eq!(round.next(), Err(Keep::NoHead { level }));
    }
}

#[test]
fn finalized_is_never_guessed() {
    let first = round(ATTESTED, [30, 20, 20, 5], 12);
    let mut unknown = first.clone();
    unknown.upstream.finalized_l2 = None;
    assert_eq!(unknown.next(), Err(Keep::NoHead { level: "finalized" }));
    assert_eq!(unknown.after(&first).heads(), [30, 20, 12, 5]);
}

#[test]
fn an_unknown_tip_is_not_below_local_safe() {
    let mut unknown = round(ATTESTED, [30, 20, 20, 5], 12);
    unknown.upstream.unsafe_l2 = None;
    assert_eq!(unknown.heads(), [20, 20, 12, 5]);
}

#[test]
fn an_upstream_that_contradicts_itself_is_not_followed() {
    let round = round(CLAMP, [30, 10, 11, 5], 9);
    assert_eq!(round.next(), Err(Keep::Disordered { safe: 11, local_safe: 10 }));
}

#[test]
fn unsafe_is_never_below_local_safe() {
    assert_eq!(round(ATTESTED, [20, 20, 20, 5], 12).heads(), [20, 20, 12, 5]);
    let mut behind = round(ATTESTED, [20, 20, 20, 5], 12);
    behind.upstream.unsafe_l2 = Some(l2(15));
    assert_eq!(behind.heads(), [20, 20, 12, 5]);
}

#[rstest]
#[case::none(None, 30)]
#[case::between(Some(25), 25)]
#[case::below_local_safe(Some(3), 20)]
#[case::above_the_tip(Some(31), 30)]
fn cross_unsafe_is_between_local_safe_and_the_tip(#[case] sent: Option<u64>, #[case] expected: u64) {
    let mut round = round(ATTESTED, [30, 20, 20, 5], 12);
    round.upstream.cross_unsafe_l2 = sent.map(l2);
    assert_eq!(round.next().unwrap().cross_unsafe_l2.number, expected);
}

#[rstest]
#[case::none(None, 20)]
#[case::above(Some(22), 22)]
#[case::below(Some(3), 20)]
fn pending_safe_is_local_safe_or_above(#[case] sent: Option<u64>, #[case] expected: u64) {
    let mut round = round(ATTESTED, [30, 20, 20, 5], 12);
    round.upstream.pending_safe_l2 = sent.map(l2);
    assert_eq!(round.next().unwrap().pending_safe_l2.number, expected);
}

#[test]
fn every_field_that_a_client_requires_is_present_and_unknown_ones_are_forwarded() {
    let mut round = round(ATTESTED, [30, 20, 20, 5], 12);
    round.upstream.others.insert("of_tomorrow".to_owned(), json!({ "number": 1 }));
    let json = serde_json::to_value(round.next().unwrap()).unwrap();
    let fields: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "current_l1",
        "current_l1_finalized",
        "head_l1",
        "safe_l1",
        "finalized_l1",
        "unsafe_l2",
        "cross_unsafe_l2",
        "local_safe_l2",
        "pending_safe_l2",
        "safe_l2",
        "finalized_l2",
        "of_tomorrow",
    ];
    let mut fields = fields;
    fields.sort_unstable();
    expected.sort_unstable();
    assert_eq!(fields, expected);
    assert_eq!(json["current_l1"], serde_json::to_value(round.upstream.l1.current_l1).unwrap());
}

fn on_chain(number: u64) -> BlockNumHash {
    BlockNumHash { number, hash: l2(number).hash }
}

fn on_other_branch(number: u64) -> BlockNumHash {
    BlockNumHash { number, hash: on_branch("other", number).hash }
}

/// Above the vouched head 12; local-safe is 20, the tip 30.
#[rstest]
#[case::above_the_tip(&[31], [30, 20, 12, 5])]
#[case::the_tip(&[30], [22, 20, 12, 5])]
#[case::unsafe_block(&[25], [22, 20, 12, 5])]
#[case::pending_safe_block(&[21], [20, 20, 12, 5])]
#[case::local_safe_head(&[20], [12, 12, 12, 5])]
#[case::below_local_safe(&[16], [12, 12, 12, 5])]
#[case::the_first_counts(&[25, 16], [12, 12, 12, 5])]
#[case::the_vouched_head_is_decided(&[12], [30, 20, 12, 5])]
fn no_head_is_at_or_above_an_invalid_block(#[case] invalid: &[u64], #[case] expected: [u64; 4]) {
    for mode in [ATTESTED, CLAMP] {
        let mut round = round(mode, [30, 20, 20, 5], 12);
        round.upstream.cross_unsafe_l2 = Some(l2(30));
        round.upstream.pending_safe_l2 = Some(l2(22));
        round.invalid = invalid.iter().map(|number| on_chain(*number)).collect();
        let status = round.next().unwrap();
        assert_eq!(heads(&status), expected);
        let tip = status.unsafe_l2.number;
        assert_eq!(status.cross_unsafe_l2.number, tip);
        assert!((expected[1]..=tip).contains(&status.pending_safe_l2.number));
    }
}

#[test]
fn a_block_found_invalid_later_also_limits_earlier_statuses() {
    let draft = round(CLAMP, [30, 20, 20, 5], 12).draft().unwrap();
    assert_eq!(heads(&draft.below(&[])), [30, 20, 12, 5]);
    assert_eq!(heads(&draft.below(&[on_chain(16)])), [12, 12, 12, 5]);
    // Nobody has looked yet whether it is on the chain.
    assert_eq!(heads(&draft.below(&[on_other_branch(16)])), [12, 12, 12, 5]);
}

#[test]
fn an_invalid_block_of_another_branch_stops_no_head() {
    let mut round = round(CLAMP, [30, 20, 20, 5], 12);
    round.invalid = vec![on_other_branch(16)];
    assert_eq!(round.heads(), [30, 20, 12, 5]);
    round.invalid.push(on_chain(18));
    assert_eq!(round.heads(), [12, 12, 12, 5]);
}

#[test]
fn with_an_invalid_block_an_unknown_tip_is_not_served() {
    let mut round = round(CLAMP, [30, 20, 20, 5], 12);
    round.invalid = vec![on_other_branch(25)];
    round.upstream.unsafe_l2 = Some(on_branch("other", 30));
    assert_eq!(round.heads(), [20, 20, 12, 5]);
}

#[rstest]
#[case::never(Lagoon::NEVER, [30, 12, 12, 5])]
#[case::after_the_head(Lagoon::at(1_041), [30, 12, 12, 5])]
#[case::at_the_head(Lagoon::at(1_040), [30, 20, 12, 5])]
#[case::before_the_head(Lagoon::at(0), [30, 20, 12, 5])]
fn before_lagoon_local_safe_is_not_above_the_vouched_head(
    #[case] lagoon: Lagoon,
    #[case] expected: [u64; 4],
) {
    for mode in [ATTESTED, CLAMP] {
        let mut round = round(mode, [30, 20, 20, 5], 12);
        assert_eq!(round.upstream.local_safe_l2.unwrap().timestamp, 1_040);
        round.lagoon = lagoon;
        assert_eq!(round.heads(), expected);
    }
}

#[rstest]
#[case::lagging_upstream([30, 11, 10, 5], [30, 11, 10, 5])]
#[case::upstream_at_the_vouched_head([30, 12, 10, 5], [30, 12, 10, 5])]
fn before_lagoon_a_vouched_block_may_be_local_safe(#[case] heights: [u64; 4], #[case] expected: [u64; 4]) {
    let mut round = round(CLAMP, heights, 12);
    round.lagoon = Lagoon::NEVER;
    assert_eq!(round.heads(), expected);
}

/// op-supernode names a local-safe head, then heads far below, then the replacement.
#[rstest]
#[case::far_below([30, 6, 5, 5])]
#[case::right_below([30, 19, 14, 5])]
fn a_withdrawn_local_safe_head_is_no_longer_served(#[case] heights: [u64; 4]) {
    let first = round(CLAMP, [30, 20, 15, 5], 15);
    assert_eq!(first.heads(), [30, 20, 15, 5]);
    let mut withdrawn = round(CLAMP, heights, 15).after(&first);
    withdrawn.upstream.unsafe_l2 = withdrawn.upstream.local_safe_l2;
    let named = heights[1].max(15);
    assert_eq!(heads(&withdrawn.kept()), [named, named, 15, 5]);
    withdrawn.lagoon = Lagoon::NEVER;
    assert_eq!(heads(&withdrawn.kept()), [named, 15, 15, 5]);
}

#[test]
fn a_node_that_names_no_heads_has_withdrawn_them_all() {
    let first = round(CLAMP, [30, 20, 15, 5], 15);
    let mut reset = round(CLAMP, [30, 20, 15, 5], 15).after(&first);
    for head in
        [&mut reset.upstream.unsafe_l2, &mut reset.upstream.local_safe_l2, &mut reset.upstream.safe_l2]
    {
        *head = None;
    }
    assert_eq!(heads(&reset.kept()), [15, 15, 15, 5]);
}

#[test]
fn while_safe_stays_nothing_above_it_is_on_another_chain() {
    let first = round(CLAMP, [30, 20, 15, 5], 13);
    assert_eq!(first.heads(), [30, 20, 13, 5]);
    // The vouched head and the upstream have moved on; the execution client is on a fork above 13.
    let mut forked = round(CLAMP, [30, 20, 15, 5], 15).after(&first);
    for number in 14..=30 {
        forked.canonical.insert(number, on_branch("other", number).hash);
    }
    assert_eq!(heads(&forked.kept()), [30, 13, 13, 5]);
    forked.canonical.insert(13, on_branch("other", 13).hash);
    assert_eq!(heads(&forked.kept()), [13, 13, 13, 5]);
    forked.canonical = CanonicalHashes::default();
    assert_eq!(heads(&forked.kept()), [13, 13, 13, 5]);
}

#[test]
fn while_safe_stays_no_head_is_at_or_above_an_invalid_block() {
    let first = round(CLAMP, [30, 20, 15, 5], 15);
    let mut kept = round(CLAMP, [30, 20, 14, 5], 15).after(&first);
    assert_eq!(heads(&kept.kept()), [30, 20, 15, 5]);
    kept.invalid = vec![on_chain(18)];
    assert_eq!(heads(&kept.kept()), [15, 15, 15, 5]);
    kept.invalid = vec![on_other_branch(18)];
    assert_eq!(heads(&kept.kept()), [30, 20, 15, 5]);
}

#[test]
fn while_safe_stays_l1_is_the_current_upstream_value() {
    let first = round(CLAMP, [30, 20, 15, 5], 15);
    let mut reorged = round(CLAMP, [30, 20, 14, 5], 15).after(&first);
    let other = L1Ref { hash: B256::repeat_byte(9), ..l1(5) };
    reorged.upstream.l1.current_l1 = other;
    reorged.upstream.l1.head_l1 = L1Ref { hash: B256::ZERO, ..l1(0) };
    let (last, status) = (reorged.last.clone().unwrap(), reorged.kept());
    assert_eq!((status.l1.current_l1, status.l1.head_l1), (other, last.l1.head_l1));
    reorged.upstream.l1.current_l1.hash = B256::ZERO;
    assert_eq!(reorged.kept().l1.current_l1, last.l1.current_l1);
}
