//! The figures of a run, and what failed.

use crate::Settings;
use crate::arrivals::Arrivals;
use crate::mesh::NODES;
use crate::net_program::NetProgramEnd;
use crate::resources::{Memory, Used};
use crosscheck_p2p::{NetworkCounters, Topic};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a node keeps of the latest unsafe blocks, to serve them to peers that missed one.
const KEPT_BYTES: u64 = 64 << 20;

/// Prints the figures. Returns what failed: nothing may be missed, refused or left unjudged, and memory stays
/// flat.
pub(crate) fn print(
    settings: &Settings,
    arrivals: &Arrivals,
    used: &[Used],
    counters: &BTreeMap<usize, NetworkCounters>,
    ends: &[NetProgramEnd],
) -> Vec<String> {
    let (own, programs) = used.split_first().unwrap();
    println!(
        "{NODES} nodes, {} of them programs; blocks of {} bytes and their attestations, one a second for {} s",
        programs.len(),
        settings.bytes,
        settings.seconds
    );
    let mut failures = traffic(arrivals);
    latency(arrivals);
    failures.extend(memory(
        "in-process nodes together",
        settings,
        &own.memory,
        (NODES - programs.len()) as u64,
    ));
    for (index, program) in programs.iter().enumerate() {
        failures.extend(memory(&format!("program {}", index + 1), settings, &program.memory, 1));
    }
    processor(settings, own, programs);
    failures.extend(counted(arrivals, counters, ends));
    failures
}

fn traffic(arrivals: &Arrivals) -> Vec<String> {
    let sent = [Topic::BlocksV4, Topic::CrossSafeBlocksV1].map(|topic| arrivals.published_on(topic));
    println!(
        "sent         {} blocks, {} attestations, {} MB compressed",
        sent[0],
        sent[1],
        arrivals.bytes() / 1_000_000
    );
    let received: Vec<String> = arrivals
        .received()
        .map(|(node, blocks, attestations)| format!("{node}: {blocks}+{attestations}"))
        .collect();
    println!(
        "received     by node (blocks+attestations; node {} publishes): {}",
        arrivals.publisher(),
        received.join(", ")
    );
    let missed = arrivals.missed();
    println!("missed       {}; told twice {}", missed.len(), arrivals.repeated());
    let failure = |what: String, holds: bool| (!holds).then_some(what);
    let some: Vec<_> = missed.iter().take(10).collect();
    let missing = failure(
        format!("{} missed, such as (node, topic, number) {some:?}", missed.len()),
        missed.is_empty(),
    );
    let twice = failure(format!("{} blocks were told twice", arrivals.repeated()), arrivals.repeated() == 0);
    let unpublished =
        arrivals.not_published().first().map(|error| format!("not all were published: {error}"));
    missing.into_iter().chain(twice).chain(unpublished).collect()
}

fn latency(arrivals: &Arrivals) {
    for (who, latencies) in ["in-process", "programs, as printed"].into_iter().zip(arrivals.latencies()) {
        let at = |thousandth: usize| {
            let place = (latencies.len() * thousandth / 1_000).min(latencies.len().saturating_sub(1));
            latencies.get(place).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
        };
        println!("latency      {who}: p50 {:.0} ms, p99 {:.0} ms, max {:.0} ms", at(500), at(990), at(1_000));
    }
}

/// What the nodes may still put by after the warm-up: their stores of blocks fill up first.
fn still_to_keep(settings: &Settings, warm_up: usize) -> u64 {
    let kept = |blocks: u64| (blocks * settings.bytes as u64).min(KEPT_BYTES);
    (kept(settings.seconds) - kept(warm_up as u64)) >> 10
}

fn memory(who: &str, settings: &Settings, memory: &Memory, nodes: u64) -> Option<String> {
    let mib = |kib: u64| kib >> 10;
    let allowed = nodes * (still_to_keep(settings, memory.warm_up()) + (settings.max_growth_mib << 10));
    println!(
        "memory       {who}: {} MiB at the start, {} after a minute, {} at the end, {} at most; since {} s {:+.2} MiB a minute",
        mib(memory.first()),
        mib(memory.after_a_minute()),
        mib(memory.last()),
        mib(memory.most()),
        memory.warm_up(),
        memory.slope() / 1024.0,
    );
    let growth = memory.growth();
    let grew = u64::try_from(growth).unwrap_or_default();
    (grew > allowed)
        .then(|| format!("{who} grew by {} MiB after the warm-up: {} are allowed", mib(grew), mib(allowed)))
}

fn processor(settings: &Settings, own: &Used, programs: &[Used]) {
    let each = |cpu: Duration, nodes: usize| cpu.as_secs_f64() * 1e3 / settings.seconds as f64 / nodes as f64;
    let programs: Vec<String> =
        programs.iter().map(|program| format!("{:.1} ms", each(program.cpu, 1))).collect();
    println!(
        "CPU          a node, for one block and its attestation: programs {}, in-process {:.1} ms on average",
        programs.join(" and "),
        each(own.cpu, NODES - programs.len())
    );
}

fn counted(
    arrivals: &Arrivals,
    counters: &BTreeMap<usize, NetworkCounters>,
    ends: &[NetProgramEnd],
) -> Vec<String> {
    let sum = |count: fn(&NetworkCounters) -> u64| counters.values().map(count).sum::<u64>();
    let (rejected, ignored) =
        (sum(|counters| counters.frames().rejected), sum(|counters| counters.frames().ignored));
    let (queue_full, dropped) =
        (sum(|counters| counters.queue_full), sum(|counters| counters.events_dropped));
    let filled = sum(|counters| counters.filled);
    println!(
        "in-process   rejected {rejected}, ignored {ignored}, queue_full {queue_full}, events_dropped {dropped}, filled {filled}"
    );
    println!("refused      by node and rule: {:?}", arrivals.refused());
    let mut failures = Vec::new();
    if rejected + queue_full > 0 || !arrivals.refused().is_empty() {
        failures.push("frames were refused, or found no room".to_owned());
    }
    for end in ends {
        println!("program      {}", end.complaints.join("; "));
        if !end.is_success {
            failures.push("a program did not end well".to_owned());
        }
    }
    failures
}
