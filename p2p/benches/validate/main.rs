//! How long a block's frame takes from raw bytes to a judged block: as today's Rust nodes do it, as
//! Crosscheck does it, and what no node can avoid. Each answers with the message id too.
//!
//! Two groups: `cpu` counts the processor time of every thread, `latency` the time that passes. With
//! `RAYON_NUM_THREADS=1` the first says what a block costs on one core; otherwise the threads that wait for a
//! share of the work are counted too.

#![allow(missing_docs, reason = "criterion's macro makes a function without them")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::print_stderr,
    reason = "a benchmark may fail loudly, like a test"
)]

mod baseline;
mod cpu_time;
mod floor;
mod sample;

use cpu_time::CpuTime;
use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::Measurement,
};
use crosscheck_p2p::{
    GossipMessageId, Judgement, Signers, Topic, ValidBlock, ValidationRules, Validator, message_id,
};
use sample::{CHAIN, Sample};
use std::{hint::black_box, time::Duration};

/// Ours: from the raw frame to the valid block, which knows its message id.
fn judge(sample: &Sample) -> ValidBlock {
    let signers = Signers::of(sample.signer);
    let mut validator = Validator::new(ValidationRules::new(CHAIN.into()));
    match validator.judge(Topic::BlocksV4, &sample.frame, &signers, sample.timestamp) {
        Judgement::Accept(block) => block,
        refused => panic!("{refused:?}"),
    }
}

/// Ours, by a signer that nobody asked for.
fn judge_stranger(sample: &Sample) -> Judgement {
    let signers = Signers::of(sample::STRANGER);
    let mut validator = Validator::new(ValidationRules::new(CHAIN.into()));
    validator.judge(Topic::BlocksV4, &sample.frame, &signers, sample.timestamp)
}

/// All that a duplicate costs: gossip asks for the id and knows it.
fn duplicate(sample: &Sample) -> GossipMessageId {
    message_id(&sample.topic_path, &sample.frame)
}

fn compare<M: Measurement>(group: &mut BenchmarkGroup<'_, M>, samples: &[Sample]) {
    group.sample_size(20).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    for sample in samples {
        let name = &sample.name;
        group.throughput(Throughput::Bytes(sample.size));
        group.bench_function(format!("{name}/baseline"), |b| b.iter(|| baseline::judge(black_box(sample))));
        group.bench_function(format!("{name}/ours"), |b| b.iter(|| judge(black_box(sample))));
        group.bench_function(format!("{name}/floor"), |b| b.iter(|| floor::hash(black_box(sample))));
        group.bench_function(format!("{name}/duplicate"), |b| b.iter(|| duplicate(black_box(sample))));
        group.bench_function(format!("{name}/stranger"), |b| b.iter(|| judge_stranger(black_box(sample))));
    }
}

/// The three must agree before they are compared.
fn samples() -> Vec<Sample> {
    let samples = Sample::all();
    for sample in &samples {
        let (block, baseline, floor) = (judge(sample), baseline::judge(sample), floor::hash(sample));
        assert_eq!((block.hash(), block.signer()), (baseline.hash, baseline.signer));
        assert_eq!((block.message_id().as_bytes(), block.signer()), (&baseline.message_id, floor.signer));
        assert_eq!((floor.message_id, floor.root), (baseline.message_id, sample.root));
        assert_eq!(judge_stranger(sample).refusal().unwrap().reason.code(), "wrong-signer");
    }
    samples
}

fn cpu(criterion: &mut Criterion<CpuTime>) {
    compare(&mut criterion.benchmark_group("cpu"), &samples());
}

fn latency(criterion: &mut Criterion) {
    compare(&mut criterion.benchmark_group("latency"), &samples());
}

criterion_group!(name = by_cpu; config = Criterion::default().with_measurement(CpuTime); targets = cpu);
criterion_group!(by_latency, latency);
criterion_main!(by_cpu, by_latency);
