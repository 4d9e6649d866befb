//! How many messages a second the tracker follows from their discovery to their end, by the number of chains
//! and by how much history is open: the cost of a message must not grow with either.
//!
//! One iteration is a second of the superchain: a block of every chain with 20 messages that cite other
//! chains, the logs already proven and in the index, and heads that follow, so that as many messages end as
//! are discovered. `cargo bench --bench tracker`; run by `cargo test` it only shows that it works.

#![allow(missing_docs, reason = "criterion's macro makes a function without them")]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a benchmark may fail loudly, like a test"
)]

mod superchain;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use crosscheck_core::heads::{SafeMeans, SafetyHeads};
use crosscheck_core::proof::LogIndex;
use crosscheck_core::tracker::{Input, Tracker, TrackerLimits};
use crosscheck_p2p::UnixSeconds;
use std::time::{Duration, Instant};
use superchain::Superchain;

const MESSAGES: u32 = 20;
const LIMITS: TrackerLimits =
    TrackerLimits { max_messages: 10_000_000, retention: 604_800, ended_kept: 10_000 };

/// A superchain and its tracker, with this many seconds of blocks open.
struct Run {
    superchain: Superchain,
    index: LogIndex,
    tracker: Tracker,
    chains: usize,
    history: u64,
}

impl Run {
    fn new(chains: usize, history: u64) -> Self {
        let superchain = Superchain::new(chains, MESSAGES, 0);
        let index = LogIndex::new(1 << 30);
        let tracker = Tracker::new(superchain.set(), index.clone(), LIMITS);
        let mut run = Self { superchain, index, tracker, chains, history };
        for _ in 0..history {
            run.second();
        }
        run
    }

    /// A second of the superchain. How long the tracker took.
    fn second(&mut self) -> Duration {
        let mut inputs = Vec::with_capacity(2 * self.chains);
        for _ in 0..self.chains {
            let (logs, block) = self.superchain.next().prove();
            self.index.insert(logs);
            let (chain_id, number) = (block.key.chain_id, block.key.number);
            let finalized = number.saturating_sub(self.history);
            let local_safe = number.saturating_sub(8);
            let heads = SafetyHeads {
                local_safe,
                safe: finalized,
                finalized,
                safe_means: SafeMeans::CrossSafe,
                verified_since: UnixSeconds(0),
            };
            inputs.extend([Input::Block(block), Input::Heads { chain_id, heads }]);
        }
        let started = Instant::now();
        for input in inputs {
            let outcome = self.tracker.apply(input);
            assert!(outcome.refused.is_none() && outcome.requests.is_empty());
        }
        started.elapsed()
    }
}

fn follow(criterion: &mut Criterion) {
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let histories = if is_measured { [16, 512] } else { [1, 2] };
    let mut group = criterion.benchmark_group("messages followed");
    group.sample_size(10);
    for chains in [2, 16, 64] {
        group.throughput(Throughput::Elements(u64::from(MESSAGES) * u64::try_from(chains).unwrap()));
        for history in histories {
            let id = BenchmarkId::new(format!("{chains} chains"), format!("{history} s open"));
            let mut run = None;
            group.bench_function(id, |bencher| {
                let run = run.get_or_insert_with(|| Run::new(chains, history));
                bencher.iter_custom(|seconds| (0..seconds).map(|_| run.second()).sum());
                assert_eq!(run.tracker.faults(), 0);
            });
        }
    }
    group.finish();
}

criterion_group!(benches, follow);
criterion_main!(benches);
