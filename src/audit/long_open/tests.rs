//! What is reported of open cases as time passes. No clock: every moment is made here.

use super::*;
use crate::audit::AuditMetrics;
use crate::audit::open_cases::Work;
use crate::metrics::Metrics;
use crosscheck_core::case::Awaited;
use crosscheck_core::validity::{DependencySet, Member};
use crosscheck_p2p::UnixSeconds;

const PATIENCE: Duration = Duration::from_secs(900);

struct World {
    open: OpenCases,
    reasons: Reasons,
    health: Health,
    metrics: AuditMetrics,
    cases: LongOpenCases,
    watch: OpenCaseWatch,
    start: Instant,
}

fn key(number: u64) -> BlockKey {
    BlockKey { chain_id: ChainId::from(901), number, hash: B256::repeat_byte(1) }
}

impl World {
    fn new() -> Self {
        let member = Member { interop_time: UnixSeconds(0), block_time: 2 };
        let set = DependencySet::new([(ChainId::from(901), member)].into(), 100);
        let metrics = AuditMetrics::register(&Metrics::new(set).unwrap()).unwrap();
        let (health, cases) = (Health::default(), LongOpenCases::default());
        let watch = OpenCaseWatch::new(PATIENCE, cases.clone(), health.clone(), metrics.clone());
        let (open, reasons) = (OpenCases::default(), Reasons::default());
        Self { open, reasons, health, metrics, cases, watch, start: Instant::now() }
    }

    /// Opens a case this many seconds after the start, and finds that it waits.
    fn open(&mut self, number: u64, after: u64, cause: Cause) {
        let at = self.at(after);
        self.open.insert(key(number), Work::Ancestor, at);
        let wait = Wait { awaited: Awaited::L1, chain_id: ChainId::from(901), cause };
        self.open.postpone(key(number), Work::Ancestor, [wait].into(), BTreeMap::new());
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    fn check(&mut self, seconds: u64) {
        let now = self.at(seconds);
        self.watch.check(ChainId::from(901), &self.open, &self.reasons, now);
    }

    fn gauge(&self, cause: &str) -> String {
        let text = self.metrics.shared().render().unwrap();
        let name = format!("crosscheck_oldest_open_case_seconds{{cause=\"{cause}\",chain_id=\"901\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&name)).unwrap().to_owned()
    }
}

#[tokio::test(start_paused = true)]
async fn a_case_that_stays_open_is_reported_with_the_reason_until_it_is_closed() {
    let mut world = World::new();
    world.open(7, 0, Cause::Unsupported);
    world.open(8, 60, Cause::EndpointError);
    let wait = Wait { awaited: Awaited::L1, chain_id: ChainId::from(901), cause: Cause::Unsupported };
    world.reasons.note(wait, "the fork zephyr is not known");

    world.check(900);
    assert!(world.health.reasons().is_empty() && world.cases.of(ChainId::from(901)).is_none());
    assert_eq!((world.gauge("unsupported"), world.gauge("endpoint-error")), ("900".into(), "840".into()));
    assert_eq!(world.gauge("not-yet"), "0");

    world.check(901);
    let reported = world.health.reasons();
    assert!(
        reported.len() == 1 && reported[0].contains("block 7 ") && reported[0].contains("15m"),
        "{reported:?}"
    );
    let long = world.cases.of(ChainId::from(901)).unwrap();
    assert_eq!((long.number, long.open_seconds), (7, 901));
    assert!(long.reason.ends_with("the fork zephyr is not known"), "{}", long.reason);
    assert!(reported[0].contains(&long.reason));

    world.open.close(&key(7));
    world.check(902);
    assert!(world.health.reasons().is_empty() && world.cases.of(ChainId::from(901)).is_none());
    assert_eq!(world.gauge("unsupported"), "0");
    world.check(961);
    assert_eq!(world.cases.of(ChainId::from(901)).unwrap().number, 8);
}

#[tokio::test(start_paused = true)]
async fn a_restart_does_not_reset_the_age_of_a_case() {
    let mut world = World::new();
    world.start = Instant::now() + Duration::from_secs(3600);
    world.open(7, 0, Cause::NotYet);
    world.open.backdate(&key(7), world.start.checked_sub(Duration::from_secs(1000)).unwrap());
    world.check(1);
    assert_eq!(world.cases.of(ChainId::from(901)).unwrap().open_seconds, 1001);
}

#[tokio::test(start_paused = true)]
async fn a_case_that_is_being_checked_waits_for_nothing() {
    let mut world = World::new();
    world.open.insert(key(7), Work::Ancestor, world.start);
    world.check(901);
    assert_eq!(world.cases.of(ChainId::from(901)).unwrap().reason, "nothing: it is being checked");
    assert_eq!(world.gauge("not-yet"), "0");
}
