//! An endpoint that becomes slow and recovers, reported once each, by injected times.

use super::*;
use crate::metrics::EndpointKind;
use crate::metrics::Metrics;
use crate::slow_endpoints::EndpointMetrics;
use crate::telemetry::captured::Lines;
use crosscheck_core::validity::DependencySet;
use std::collections::BTreeMap;

const TIMEOUT: Duration = Duration::from_secs(10);

struct World {
    watch: SlowEndpoints,
    shared: Metrics,
    pace: EndpointPace,
    now: Instant,
}

impl World {
    fn new(kind: EndpointKind, chain_id: Option<u64>) -> Self {
        let url = "https://user:hunter2@node.example/key".parse().unwrap();
        let pace = EndpointPace::new(url, TIMEOUT);
        let endpoint =
            WatchedEndpoint { kind, chain_id: chain_id.map(ChainId::from), place: 1, pace: pace.clone() };
        let shared = Metrics::new(DependencySet::new(BTreeMap::new(), 10)).unwrap();
        let metrics = EndpointMetrics::register(&shared).unwrap();
        let watch = SlowEndpoints::new(vec![endpoint], Health::default(), metrics);
        Self { watch, shared, pace, now: Instant::now() }
    }

    /// This many answers, a second apart, each of which takes so long; the endpoint is checked after each.
    fn answers(&mut self, count: usize, seconds: u64) {
        for _ in 0..count {
            self.now += Duration::from_secs(1);
            self.pace.took(Duration::from_secs(seconds), true, self.now);
            self.watch.check(self.now);
        }
    }

    fn gauge(&self, chain: &str, kind: &str) -> Option<u64> {
        let text = self.shared.render().unwrap();
        let name = format!(
            "crosscheck_endpoint_timeout_percent{{chain_id=\"{chain}\",endpoint=\"1\",kind=\"{kind}\"}} "
        );
        text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok())
    }
}

/// As a client does that answers in 8 s where it may take 10.
#[tokio::test]
async fn a_slow_endpoint_is_reported_once_and_so_is_its_recovery() {
    let lines = Lines::capture();
    let mut world = World::new(EndpointKind::Execution, Some(901));
    world.answers(20, 1);
    assert!(world.watch.health.reasons().is_empty());
    assert_eq!(world.gauge("901", "execution"), Some(10));
    world.answers(30, 8);
    let reasons = world.watch.health.reasons();
    let says = "chain 901 slow execution endpoint #1: half of the answers of https://node.example take 8.0 s";
    assert!(reasons.len() == 1 && reasons[0].starts_with(says), "{reasons:?}");
    assert!(!reasons[0].contains("hunter2") && !reasons[0].contains("/key"), "{reasons:?}");
    assert_eq!(world.gauge("901", "execution"), Some(80));
    assert_eq!((lines.count("WARN"), lines.count("endpoint is slow")), (1, 1), "{}", lines.text());
    world.answers(30, 4);
    assert_eq!(world.watch.health.reasons().len(), 1, "it is between the bounds");
    world.answers(30, 2);
    assert!(world.watch.health.reasons().is_empty());
    assert_eq!((lines.count("WARN"), lines.count("no longer slow")), (1, 1), "{}", lines.text());
    world.answers(30, 8);
    assert_eq!(lines.count("endpoint is slow"), 2, "it is slow again");
}

#[tokio::test]
async fn an_immediate_refusal_is_not_a_quick_answer() {
    let mut world = World::new(EndpointKind::L1, None);
    world.answers(15, 9);
    for _ in 0..30 {
        world.now += Duration::from_secs(1);
        world.pace.took(Duration::from_millis(1), false, world.now);
        world.watch.check(world.now);
    }
    assert_eq!(world.gauge("l1", "l1"), Some(90));
    assert!(world.watch.health.reasons()[0].starts_with("L1 slow endpoint: "));
    // Requests that were given up count.
    let world = World::new(EndpointKind::L1, None);
    for _ in 0..15 {
        world.pace.took(TIMEOUT, false, world.now);
    }
    world.watch.check(world.now);
    assert_eq!(world.watch.health.reasons().len(), 1);
}
