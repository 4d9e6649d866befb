//! Twelve nodes of one chain's gossip, two of them `crosscheck net` programs of their own: a block a second and its
//! attestation, both published by one node, for ten minutes, over real sockets.
//!
//! `cargo bench --bench soak -- --seconds 600`. Fails if a node misses a block or an attestation, refuses one or has no
//! room for it, or if memory goes on growing. Run by `cargo test` it does the same for ten seconds,
//! with smaller blocks.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly, like a test, and prints"
)]

mod arrivals;
mod block_maker;
#[path = "../../tests/it/gossip_node.rs"]
mod gossip_node;
mod mesh;
mod net_program;
mod report;
mod resources;

use arrivals::{Arrivals, Heard};
use block_maker::{BlockMaker, MadeBlock};
use clap::Parser;
use crosscheck_p2p::Topic;
use mesh::{Mesh, PUBLISHER};
use resources::Resources;
use std::process::ExitCode;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout_at};

/// How many blocks are made ahead of their time.
const MADE_AHEAD: usize = 2;
/// What the nodes have heard and nobody has counted yet.
const HEARD_QUEUE: usize = 1_024;
/// How long the last block may take to arrive: far longer than it does, however busy the machine is.
const LAST_ARRIVAL: Duration = Duration::from_secs(300);
/// Between two publications.
const BLOCK_TIME: Duration = Duration::from_secs(1);

/// A mesh of twelve under the load of a busy chain, and what it costs.
#[derive(Parser)]
pub(crate) struct Args {
    /// For how many seconds a block is published each [default: 600; 10 when tests run it]
    #[arg(long)]
    seconds: Option<u64>,
    /// How many bytes a block has [default: 500000; a tenth of it where nothing is optimised]
    #[arg(long, default_value_t = if cfg!(debug_assertions) { 50_000 } else { 500_000 })]
    bytes: usize,
    /// How many MiB a node may grow by after the first half, beside the blocks that it keeps for others
    #[arg(long, default_value_t = 32)]
    max_growth_mib: u64,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
    /// What `cargo test` passes on to every test program: names to run, and flags for a harness.
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    of_tests: Vec<String>,
}

impl Args {
    pub(crate) fn seconds(&self) -> u64 {
        self.seconds.unwrap_or(if self.bench { 600 } else { 10 })
    }

    /// Whether tests of other names are asked for, or none is to be run.
    fn is_for_others(&self) -> bool {
        let names: Vec<_> = self.of_tests.iter().filter(|argument| !argument.starts_with('-')).collect();
        let is_named = names.is_empty() || names.iter().any(|name| "soak".contains(name.as_str()));
        !is_named || self.of_tests.iter().any(|argument| argument == "--list")
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    assert!(!args.bench || args.of_tests.is_empty(), "no such arguments: {:?}", args.of_tests);
    if args.is_for_others() {
        return ExitCode::SUCCESS;
    }
    let (sender, heard) = mpsc::channel(HEARD_QUEUE);
    let mesh = Mesh::start(sender).await;
    let (blocks, made) = mpsc::channel(MADE_AHEAD);
    let (seconds, bytes) = (args.seconds(), args.bytes);
    let maker = std::thread::spawn(move || {
        let mut maker = BlockMaker::new(bytes);
        for _ in 0..seconds {
            if blocks.blocking_send(maker.next()).is_err() {
                break;
            }
        }
        resources::thread_cpu_time()
    });
    let mut resources = Resources::start(&mesh.program_ids());
    let arrivals = soak(seconds, &mesh, made, heard, &mut resources).await;
    let making = maker.join().unwrap();
    let used = resources.finish(making);
    let counters = mesh.counters();
    let programs = mesh.end();
    report::print(&args, &arrivals, &used, &counters, &programs)
}

/// Publishes each block at its second, and listens until every node has everything or it is too late.
async fn soak(
    seconds: u64,
    mesh: &Mesh,
    mut made: mpsc::Receiver<MadeBlock>,
    mut heard: mpsc::Receiver<Heard>,
    resources: &mut Resources,
) -> Arrivals {
    let mut arrivals = Arrivals::new(PUBLISHER);
    let mut ticks = interval_at(Instant::now() + BLOCK_TIME, BLOCK_TIME);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut left = seconds;
    while left > 0 {
        tokio::select! {
            _ = ticks.tick() => {
                let block = made.recv().await.unwrap();
                for (topic, frame) in [(Topic::BlocksV4, block.unsafe_block), (Topic::CrossSafeBlocksV1, block.attestation)] {
                    arrivals.publishing(topic, block.number, frame.len(), std::time::Instant::now());
                    if let Err(error) = mesh.publish(topic, frame).await {
                        arrivals.unpublished(error);
                    }
                }
                resources.sample();
                left -= 1;
            }
            Some(heard) = heard.recv() => arrivals.note(heard),
        }
    }
    let deadline = Instant::now() + LAST_ARRIVAL;
    while !arrivals.is_complete() {
        let Ok(Some(heard)) = timeout_at(deadline, heard.recv()).await else { break };
        arrivals.note(heard);
    }
    resources.sample();
    arrivals
}
