//! A superchain of many chains, a block a second each, followed for minutes: what it costs.
//!
//! A thread of its own makes the blocks; the thread that is measured proves their receipts, puts their logs
//! in the index and tells the tracker, as the monitor does.
//! `cargo bench -p crosscheck-core --features fixtures --bench simulation -- --chains 64 --seconds 600 --realtime`;
//! without `--realtime` the blocks follow each other as fast as they are taken in. Fails if an invalid
//! message is missed or a valid one accused.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly, like a test, and prints"
)]

mod superchain;

use clap::Parser;
use crosscheck_core::heads::{SafeMeans, SafetyHeads};
use crosscheck_core::proof::LogIndex;
use crosscheck_core::tracker::{
    Change, Ending, Input, MessageKey, ObservedBlock, Tracker, TrackerLimits, TrackerOutcome,
};
use crosscheck_core::validity::MessageStatus;
use crosscheck_p2p::UnixSeconds;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};
use superchain::{START, Sample, Superchain};

/// A simulated superchain and what following it costs.
#[derive(Parser)]
struct Args {
    /// How many chains there are.
    #[arg(long, default_value_t = 64)]
    chains: usize,
    /// How many seconds of blocks they make.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// How many messages a block executes, but for its chain's first, which has nobody to cite.
    #[arg(long, default_value_t = 20)]
    messages: u32,
    /// After how many seconds a block is final.
    #[arg(long, default_value_t = 64)]
    finality: u64,
    /// One message in so many is invalid; 0: none.
    #[arg(long, default_value_t = 1000)]
    invalid_every: u64,
    /// How much the log index keeps, in MiB.
    #[arg(long, default_value_t = 512)]
    log_index_mib: usize,
    /// Wait for each block until its second has come.
    #[arg(long)]
    realtime: bool,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What was measured.
#[derive(Default)]
struct Measured {
    prove: Duration,
    index: Duration,
    track: Duration,
    worst_lag: Duration,
    messages: u64,
    decided: u64,
    ended: BTreeMap<&'static str, u64>,
    requests: usize,
    most_open: usize,
    expected: BTreeSet<MessageKey>,
    found: BTreeSet<MessageKey>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let superchain = Superchain::new(args.chains, args.messages, args.invalid_every);
    let index = LogIndex::new(args.log_index_mib << 20);
    let limits = TrackerLimits { max_messages: 10_000_000, retention: 604_800, ended_kept: 10_000 };
    let mut tracker = Tracker::new(superchain.set(), index.clone(), limits);
    let total = args.seconds * u64::try_from(args.chains).unwrap();
    let (sender, samples) = sync_channel(256);
    let maker = std::thread::spawn(move || {
        let mut superchain = superchain;
        for _ in 0..total {
            if sender.send(superchain.next()).is_err() {
                break;
            }
        }
        cpu_time()
    });
    let measured = follow(&args, &samples, &index, &mut tracker);
    let making = maker.join().unwrap();
    report(&args, &measured, making, &tracker, &index)
}

fn follow(args: &Args, samples: &Receiver<Sample>, index: &LogIndex, tracker: &mut Tracker) -> Measured {
    let mut measured = Measured::default();
    let started = Instant::now();
    let pause = Duration::from_secs(1) / u32::try_from(args.chains).unwrap();
    let mut due = Duration::ZERO;
    let mut opened: BTreeMap<MessageKey, Duration> = BTreeMap::new();
    while let Ok(sample) = samples.recv() {
        if args.realtime {
            std::thread::sleep(due.saturating_sub(started.elapsed()));
        } else {
            due = started.elapsed();
        }
        let invalid = sample.invalid.clone();
        let at_first = cpu_time();
        let (logs, block) = sample.prove();
        let proven = cpu_time();
        index.insert(logs);
        let indexed = cpu_time();
        let outcomes = tell(args, tracker, &block);
        let told = cpu_time();
        measured.prove += proven - at_first;
        measured.index += indexed - proven;
        measured.track += told - indexed;
        let key = |log_index| MessageKey { block: block.key, log_index };
        measured.expected.extend(invalid.into_iter().map(key));
        for outcome in outcomes {
            measured.hear(&outcome, due, started.elapsed(), &mut opened);
        }
        measured.most_open = measured.most_open.max(tracker.open());
        due += pause;
    }
    assert!(opened.is_empty(), "{} messages were never decided", opened.len());
    measured
}

/// A block, and the heads that come with it.
fn tell(args: &Args, tracker: &mut Tracker, block: &Arc<ObservedBlock>) -> [TrackerOutcome; 3] {
    let (chain_id, number) = (block.key.chain_id, block.key.number);
    let heads = SafetyHeads {
        local_safe: number.saturating_sub(args.finality / 4),
        safe: number.saturating_sub(args.finality / 3),
        finalized: number.saturating_sub(args.finality),
        safe_means: SafeMeans::CrossSafe,
        verified_since: UnixSeconds(0),
    };
    [
        tracker.apply(Input::Block(Arc::clone(block))),
        tracker.apply(Input::Heads { chain_id, heads }),
        tracker.apply(Input::Time(UnixSeconds(START + number))),
    ]
}

impl Measured {
    fn hear(
        &mut self,
        outcome: &TrackerOutcome,
        due: Duration,
        now: Duration,
        opened: &mut BTreeMap<MessageKey, Duration>,
    ) {
        assert_eq!(outcome.refused, None);
        self.requests += outcome.requests.len();
        for event in &outcome.events {
            match event.change {
                Change::Discovered => {
                    self.messages += 1;
                    opened.insert(event.key, due);
                }
                Change::Status { to, .. } if to != MessageStatus::Unknown => {
                    if let Some(due) = opened.remove(&event.key) {
                        self.decided += 1;
                        self.worst_lag = self.worst_lag.max(now.saturating_sub(due));
                    }
                    if matches!(to, MessageStatus::Invalid(_)) {
                        self.found.insert(event.key);
                    }
                }
                Change::Ended(ending) => *self.ended.entry(Ending::name(&ending)).or_default() += 1,
                _ => {}
            }
        }
    }
}

fn report(
    args: &Args,
    measured: &Measured,
    making: Duration,
    tracker: &Tracker,
    index: &LogIndex,
) -> ExitCode {
    let each = |cost: Duration| cost.as_secs_f64() * 1e6 / f64_of(measured.messages.max(1));
    let all = measured.prove + measured.index + measured.track;
    println!("{} chains, {} s, {} messages a block", args.chains, args.seconds, args.messages);
    println!("messages             {} ({} decided)", measured.messages, measured.decided);
    println!("ended                {:?}; open at most {}", measured.ended, measured.most_open);
    println!("invalid              {} made, {} found", measured.expected.len(), measured.found.len());
    println!("CPU a message        {:.2} us", each(all));
    println!("  proving receipts   {:.2} us", each(measured.prove));
    println!("  log index          {:.2} us", each(measured.index));
    println!("  tracker            {:.2} us", each(measured.track));
    println!("CPU of making blocks {:.2} s, not counted above", making.as_secs_f64());
    println!("worst lag            {:.1} ms", measured.worst_lag.as_secs_f64() * 1e3);
    println!("memory, peak         {} (the maker's included)", peak_memory());
    println!("log index            {} MiB; logs asked for again: {}", index.bytes() >> 20, measured.requests);
    let holds = measured.found == measured.expected && tracker.faults() == 0 && measured.requests == 0;
    println!("{}", if holds { "every invalid message was found, and no other" } else { "FAILED" });
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn f64_of(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// How long this thread has been on a CPU.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

/// The most memory that was ever resident.
fn peak_memory() -> String {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}
