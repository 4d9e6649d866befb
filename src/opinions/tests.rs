//! The tasks, beside scripted servers that agree, differ, lag, fail, hang, or are other programs.

use super::own::{OwnChecks, OwnRoots};
use super::*;
use crate::ledger::{EventFilter, Ledger};
use crate::metrics::{EndpointKind, Metrics};
use crate::rpc::{OwnOutput, OwnSuperRoot, SupervisorError, super_root};
use crate::shared_tracker::{SharedTracker, TrackerWriter};
use crate::sources::{EndpointLimits, EndpointNames, InteropFilter, Supernode};
use crate::telemetry::captured::Lines;
use alloy::primitives::{Address, B256, U64};
use crosscheck_core::message::{BlockKey, ExecutingMessage, Identifier, Message, parse_access_list};
use crosscheck_core::proof::{Executed, LogIndex, ProvenLog, ProvenLogs};
use crosscheck_core::tracker::{Input, ObservedBlock, Tracker, TrackerLimits};
use crosscheck_core::validity::{DependencySet, Member};
use crosscheck_devnet::serve::{RunningServer, start};
use crosscheck_p2p::{ChainId, Clock, UnixSeconds};
use jsonrpsee::RpcModule;
use jsonrpsee::types::ErrorObjectOwned;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

mod filters;
mod supernodes;

/// How long anything may take: far more than it ever takes, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(300);

const CHAIN: u64 = 901;

fn limits(timeout: Duration) -> EndpointLimits {
    EndpointLimits { timeout, max_response_bytes: 65_536, max_concurrent_requests: 4 }
}

fn refusal(code: i32, message: &str) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(code, message.to_owned(), None::<()>)
}

/// A clock on which this many seconds pass whenever it is read: enough for every difference to have lasted,
/// unless a test says otherwise.
#[derive(Debug)]
struct TestClock {
    now: AtomicU64,
    step: AtomicU64,
}

impl Clock for TestClock {
    fn now(&self) -> UnixSeconds {
        UnixSeconds(self.now.fetch_add(self.step.load(Ordering::Relaxed), Ordering::Relaxed))
    }
}

impl TestClock {
    /// From now on, time passes only when a test says so.
    fn stop(&self) {
        self.step.store(0, Ordering::Relaxed);
    }

    fn advance(&self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::Relaxed);
    }
}

/// Where a task under test reports.
struct Reports {
    clock: Arc<TestClock>,
    ledger: Ledger,
    metrics: Metrics,
    lines: Lines,
    endpoint: OpinionEndpoint,
    tasks: JoinSet<()>,
    _dir: TempDir,
}

impl Reports {
    async fn new(kind: EndpointKind, names: EndpointNames) -> Self {
        let dir = TempDir::new().unwrap();
        let ledger = Ledger::open(&dir.path().join("ledger.sqlite")).await.unwrap();
        let metrics = Metrics::new(DependencySet::new([].into(), 1)).unwrap();
        let clock = Arc::new(TestClock { now: AtomicU64::new(1_000), step: AtomicU64::new(600) });
        let endpoint = OpinionEndpoint {
            kind,
            place: 0,
            name: format!("{} #0", kind.name()),
            interval: Duration::from_millis(2),
            ledger: ledger.clone(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            names,
            metrics: OpinionMetrics::register(&metrics).unwrap(),
        };
        Self { clock, ledger, metrics, lines: Lines::capture(), endpoint, tasks: JoinSet::new(), _dir: dir }
    }

    /// How often a comparison came to this.
    fn outcomes(&self, outcome: &str) -> u64 {
        let labels = format!("{{kind=\"{}\",outcome=\"{outcome}\"}}", self.endpoint.kind.name());
        self.sample("crosscheck_opinions_total", &labels)
    }

    /// Whether the metric says that they differ.
    fn differ(&self) -> bool {
        self.sample("crosscheck_opinions_differ{", "") == 1
    }

    fn sample(&self, name: &str, label: &str) -> u64 {
        let text = self.metrics.render().unwrap();
        let line = text.lines().find(|line| line.starts_with(name) && line.contains(label)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    async fn events(&self) -> Vec<Value> {
        let read = self.ledger.events(EventFilter { limit: 100, ..EventFilter::default() }).await.unwrap();
        read.items.iter().map(|event| serde_json::to_value(event).unwrap()).collect()
    }

    /// Waits until this is so.
    async fn until(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let waited = async {
            while !is_so(self) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        if tokio::time::timeout(DEADLINE, waited).await.is_err() {
            panic!("{what}: {}\n{}", self.metrics.render().unwrap(), self.lines.text());
        }
    }

    /// Waits until this many more comparisons came to this.
    async fn until_more(&self, outcome: &str, more: u64) {
        let wanted = self.outcomes(outcome) + more;
        self.until(outcome, |reports| reports.outcomes(outcome) >= wanted).await;
    }

    async fn until_line(&self, said: &str) {
        self.until(said, |reports| reports.lines.count(said) > 0).await;
    }

    /// Nothing was reported.
    async fn assert_silent(&self) {
        assert_eq!((self.events().await, self.differ()), (Vec::new(), false));
        assert_eq!(self.lines.count("differs"), 0, "{}", self.lines.text());
    }
}
