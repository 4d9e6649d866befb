//! Twelve nodes of one chain's gossip, two of them `crosscheck net` programs of their own: a block a second
//! and its attestation, both published by one node, over real sockets.
//!
//! ```sh
//! SOAK_SECONDS=600 cargo test --release --test soak -- --nocapture
//! ```
//!
//! It fails if a node misses a block or an attestation, refuses one or has no room for it, or if memory keeps
//! growing. Without `SOAK_SECONDS` it does the same for ten seconds, and without optimisation with smaller
//! blocks. It is a test program of its own, so that the memory that it measures is that of its nodes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails loudly, and this one prints its figures"
)]

mod arrivals;
mod block_maker;
mod mesh;
mod net_program;
mod report;
mod resources;

use arrivals::{Arrivals, Heard};
use block_maker::{BlockMaker, MadeBlock};
use crosscheck_p2p::Topic;
use mesh::{Mesh, PUBLISHER};
use resources::Resources;
use std::num::NonZeroU64;
use std::str::FromStr;
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

/// How long a run is if nothing else is asked for.
const SECONDS: NonZeroU64 = NonZeroU64::new(10).unwrap();

/// The settings of a run.
pub(crate) struct Settings {
    /// For how many seconds a block is published each.
    pub(crate) seconds: u64,
    /// How many bytes a block has.
    pub(crate) bytes: usize,
    /// How many MiB a node may grow by after the first half, beside the blocks that it keeps for others.
    pub(crate) max_growth_mib: u64,
}

impl Settings {
    /// From the environment.
    fn read() -> Self {
        Self {
            seconds: setting("SOAK_SECONDS", SECONDS).get(),
            // Without optimisation a node does not keep up with more.
            bytes: setting("SOAK_BYTES", if cfg!(debug_assertions) { 50_000 } else { 500_000 }),
            max_growth_mib: setting("SOAK_MAX_GROWTH_MIB", 32),
        }
    }
}

fn setting<T: FromStr>(name: &str, default: T) -> T {
    let Ok(text) = std::env::var(name) else { return default };
    text.parse()
        .unwrap_or_else(|_| panic!("{name}={text} is not a whole number, or not one that makes sense"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_receives_every_block_and_memory_stays_within_its_bounds() {
    let settings = Settings::read();
    let (sender, heard) = mpsc::channel(HEARD_QUEUE);
    let mesh = Mesh::start(sender).await;
    let (blocks, made) = mpsc::channel(MADE_AHEAD);
    let (seconds, bytes) = (settings.seconds, settings.bytes);
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
    let failures = report::print(&settings, &arrivals, &used, &counters, &programs);
    assert_eq!(failures, Vec::<String>::new());
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
