//! What it costs op-node's own validator to judge a frame, and what it costs ours: processor time of every
//! thread, the Go program's garbage collector included. In turns, op-node's built with and without cgo. Both
//! answer with the message id.
//!
//! ```text
//! OP_NODE_VERDICTS=$(tests/peers/opstack/build verdicts) RAYON_NUM_THREADS=1 cargo bench -p crosscheck-p2p --features op-node --bench op_node
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a benchmark may fail loudly, like a test"
)]

mod program;
#[allow(dead_code, reason = "the other benchmark reads more of a sample")]
#[path = "../validate/sample.rs"]
mod sample;

use cpu_time::ProcessTime;
use crosscheck_p2p::{Judgement, Signers, Topic, ValidationRules, Validator};
use program::Program;
use sample::{CHAIN, Sample};
use std::{hint::black_box, path::PathBuf, time::Duration};

/// How often each is measured, in turns.
const ROUNDS: usize = 5;

/// About how many bytes are judged in one measurement.
const BYTES: u64 = 64 << 20;

fn main() {
    let folder: PathBuf = std::env::var_os("OP_NODE_VERDICTS")
        .expect("OP_NODE_VERDICTS: what tests/peers/opstack/build prints")
        .into();
    let mut programs = ["verdicts-cgo", "verdicts-pure"].map(|name| Program::start(&folder.join(name)));
    println!(
        "| transactions | ours | op-node, with cgo | op-node, as released | with cgo / ours | as released / ours |"
    );
    println!("|---|---|---|---|---|---|");
    for sample in Sample::all() {
        let times = u32::try_from((BYTES / sample.size).clamp(8, 2_000)).unwrap();
        let mut measured = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            measured[0].push(ours(&sample, times));
            for (program, measured) in programs.iter_mut().zip(&mut measured[1..]) {
                measured.push(program.measure(&sample, times));
            }
        }
        let [ours, cgo, pure] = measured.map(|mut each: Vec<Duration>| {
            each.sort();
            each[ROUNDS / 2].as_nanos() as f64 / f64::from(times) / 1_000.0
        });
        let (name, by_cgo, by_pure) = (&sample.name, cgo / ours, pure / ours);
        println!("| {name} | {ours:.0} µs | {cgo:.0} µs | {pure:.0} µs | {by_cgo:.2} | {by_pure:.2} |");
    }
}

fn ours(sample: &Sample, times: u32) -> Duration {
    let signers = Signers::of(sample.signer);
    let mut validators: Vec<_> =
        (0..times).map(|_| Validator::new(ValidationRules::new(CHAIN.into()))).collect();
    let began = ProcessTime::now();
    for validator in &mut validators {
        match validator.judge(Topic::BlocksV4, black_box(&sample.frame), &signers, sample.timestamp) {
            Judgement::Accept(block) => drop(black_box(block)),
            refused => panic!("{refused:?}"),
        }
    }
    began.elapsed()
}
