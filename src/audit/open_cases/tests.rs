use super::*;
use alloy::primitives::B256;
use crosscheck_core::case::{Awaited, CaseRules};
use crosscheck_core::consolidation::sample;

fn key(number: u64) -> BlockKey {
    BlockKey { chain_id: ChainId::from(901), number, hash: B256::repeat_byte(1) }
}

fn wait(chain_id: u64, cause: Cause) -> BTreeSet<Wait> {
    [Wait { awaited: Awaited::Initiating, chain_id: chain_id.into(), cause }].into()
}

#[tokio::test(start_paused = true)]
async fn pauses_double_and_are_bounded() {
    let mut open = OpenCases::default();
    open.insert(key(1), Work::Ancestor, Instant::now());
    let mut pauses = Vec::new();
    for _ in 0..10 {
        let (key, work) = open.take_due(Instant::now()).unwrap();
        open.postpone(key, work, wait(902, Cause::EndpointError), ReasonTexts::new());
        let due = open.next_due().unwrap();
        pauses.push((due - Instant::now()).as_millis());
        tokio::time::advance(due - Instant::now()).await;
    }
    assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
}

/// Nothing is asked in vain every few seconds for what only another node can change, for as long as it may
/// take.
#[tokio::test(start_paused = true)]
async fn a_case_that_waits_for_a_second_opinion_is_not_due_until_there_is_one() {
    let mut open = OpenCases::default();
    open.insert(key(1), Work::Ancestor, Instant::now());
    let mut looks = 0;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3_600) {
        let (key, work) = open.take_due(Instant::now()).unwrap();
        looks += 1;
        open.postpone(key, work, wait(901, Cause::SecondHand), ReasonTexts::new());
        tokio::time::advance(open.next_due().unwrap() - Instant::now()).await;
    }
    assert!(looks <= 26, "{looks} looks in an hour");
    let (taken, work) = open.take_due(Instant::now()).unwrap();
    open.postpone(taken, work, wait(901, Cause::SecondHand), ReasonTexts::new());
    assert_eq!((open.second_hand(901.into()), open.second_hand(902.into())), (vec![key(1)], vec![]));
    open.wake(901.into(), Instant::now());
    assert!(open.take_due(Instant::now()).is_none(), "a head that moves is no second opinion");
    open.expedite(&key(1), Instant::now());
    let (taken, work) = open.take_due(Instant::now()).unwrap();
    open.postpone(taken, work, wait(901, Cause::NotYet), ReasonTexts::new());
    assert!(open.second_hand(901.into()).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_moving_head_wakes_the_cases_that_wait_for_it() {
    let mut open = OpenCases::default();
    for (number, waits) in
        [(1, wait(902, Cause::NotYet)), (2, wait(903, Cause::NotYet)), (3, wait(902, Cause::EndpointError))]
    {
        open.insert(key(number), Work::Ancestor, Instant::now());
        let (key, work) = open.take_due(Instant::now()).unwrap();
        open.postpone(key, work, waits, ReasonTexts::new());
    }
    assert!(open.take_due(Instant::now()).is_none());
    open.wake(902.into(), Instant::now());
    assert_eq!(open.take_due(Instant::now()).unwrap().0, key(1));
    assert!(open.take_due(Instant::now()).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_head_that_moves_meanwhile_is_not_missed() {
    let mut open = OpenCases::default();
    open.insert(key(1), Work::Ancestor, Instant::now());
    let (key, work) = open.take_due(Instant::now()).unwrap();
    open.wake(902.into(), Instant::now());
    open.postpone(key, work, wait(902, Cause::NotYet), ReasonTexts::new());
    assert!(open.take_due(Instant::now()).is_some());
}

#[tokio::test(start_paused = true)]
async fn only_a_new_wait_is_reported() {
    let mut open = OpenCases::default();
    open.insert(key(1), Work::Ancestor, Instant::now());
    let (key, work) = open.take_due(Instant::now()).unwrap();
    assert!(open.postpone(key, work, wait(902, Cause::NotYet), ReasonTexts::new()).is_some());
    tokio::time::advance(Duration::from_secs(1)).await;
    let (key, work) = open.take_due(Instant::now()).unwrap();
    assert!(open.postpone(key, work, wait(902, Cause::NotYet), ReasonTexts::new()).is_none());
}

#[tokio::test(start_paused = true)]
async fn another_reason_for_the_same_wait_is_reported() {
    let mut open = OpenCases::default();
    open.insert(key(1), Work::Ancestor, Instant::now());
    let waits = wait(902, Cause::EndpointError);
    let mut reasons = Vec::new();
    for reason_text in ["block 7: refused", "block 8: refused", "timed out", "timed out", "block 9: refused"]
    {
        let (key, work) = open.take_due(Instant::now()).unwrap();
        let reason_text = waits.iter().map(|wait| (*wait, reason_text.to_owned())).collect();
        let news = open.postpone(key, work, waits.clone(), reason_text);
        reasons.push(news.map(|(_, reason_text)| reason_text.into_values().next().unwrap()));
        tokio::time::advance(LONGEST_PAUSE).await;
    }
    let reasons: Vec<Option<&str>> = reasons.iter().map(Option::as_deref).collect();
    assert_eq!(reasons, [Some("block 7: refused"), None, Some("timed out"), None, Some("block 9: refused")]);
}

#[tokio::test(start_paused = true)]
async fn a_closed_case_is_never_due() {
    let mut open = OpenCases::default();
    open.insert(key(1), Work::Ancestor, Instant::now());
    assert!(open.close(&key(1)).is_some());
    assert!(open.next_due().is_none());
}

#[tokio::test(start_paused = true)]
async fn each_chain_s_open_cases_are_counted_once() {
    let mut open = OpenCases::default();
    let other = BlockKey { chain_id: 902.into(), ..key(1) };
    for key in [key(1), key(2), key(2), other] {
        open.insert(key, Work::Ancestor, Instant::now());
    }
    let counts = |open: &OpenCases| [901, 902, 903].map(|chain: u64| open.count(chain.into()));
    assert_eq!(counts(&open), [2, 1, 0]);
    open.take_due(Instant::now()).unwrap();
    assert!(open.close(&key(1)).is_some() && open.close(&key(1)).is_none());
    assert_eq!(counts(&open), [1, 1, 0]);
}

fn plain_case(number: u64) -> Case {
    Case::new(key(number), CaseRules::default(), sample::block(&[]))
}

#[tokio::test(start_paused = true)]
async fn a_block_that_comes_in_is_not_fetched() {
    let mut open = OpenCases::default();
    let now = Instant::now();
    // Waiting to be fetched again.
    open.insert(key(1), Work::Ancestor, now);
    let (taken, work) = open.take_due(now).unwrap();
    open.postpone(taken, work, wait(901, Cause::NotYet), ReasonTexts::new());
    open.on_fetched(key(1), plain_case(1), now);
    assert!(matches!(open.take_due(now), Some((_, Work::Case(_)))));
    // Being fetched at the moment.
    open.insert(key(2), Work::Ancestor, now);
    let (taken, work) = open.take_due(now).unwrap();
    open.on_fetched(key(2), plain_case(2), now);
    open.postpone(taken, work, wait(901, Cause::NotYet), ReasonTexts::new());
    assert!(matches!(open.take_due(now), Some((_, Work::Case(_)))));
    // An existing case is continued.
    open.on_fetched(key(1), plain_case(1), now);
    open.on_fetched(key(9), plain_case(9), now);
    assert!(open.take_due(now).is_none());
}

fn case(number: u64) -> Work {
    Work::Case(Box::new(Case::new(key(number), CaseRules::default(), sample::block(&[]))))
}

/// Attestations come in faster than they are checked: the walk down a gap takes as many checks as it has
/// blocks all the same, not as many queues.
#[tokio::test(start_paused = true)]
async fn a_gap_is_walked_no_matter_how_many_attestations_wait() {
    let mut open = OpenCases::default();
    for number in 1_000..1_100 {
        open.insert(key(number), case(number), Instant::now());
    }
    open.insert(key(999), Work::Ancestor, Instant::now());
    let (mut looks, mut lowest) = (0, 1_000);
    while lowest > 980 {
        looks += 1;
        // A fetch, an attestation, the ancestor's own case, an attestation.
        assert!(looks <= 80, "at {lowest} after {looks} looks");
        tokio::time::advance(Duration::from_millis(1)).await;
        let (taken, work) = open.take_due(Instant::now()).unwrap();
        match work {
            Work::Ancestor | Work::Gap(_) => {
                open.resume(taken, case(taken.number));
                lowest = taken.number;
                open.insert(key(lowest - 1), Work::Ancestor, Instant::now());
            }
            Work::Case(_) => {
                open.close(&taken);
                open.insert(key(1_100 + looks), case(1_100 + looks), Instant::now());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn both_queues_take_turns_and_neither_waits_for_an_empty_one() {
    let mut open = OpenCases::default();
    for number in 1..=3 {
        open.insert(key(number), case(number), Instant::now());
        open.insert(key(10 + number), Work::Ancestor, Instant::now());
    }
    open.close(&key(13));
    let taken: Vec<_> =
        std::iter::from_fn(|| open.take_due(Instant::now())).map(|(key, _)| key.number).collect();
    assert_eq!(taken, [11, 1, 12, 2, 3]);
}
