//! Whole-program tests, in one binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

// What runs supersim is for the one platform whose programs are in its npm package.

mod alert_rules;
mod alone;
mod audit;
mod blind;
mod cases;
mod claimants;
mod cli;
mod contracts;
mod devnet;
mod devnet_messages;
mod devnet_unattested;
mod ended_messages;
mod follow_contract;
mod following;
#[cfg(target_os = "linux")]
mod full_disk;
mod gossip_mesh;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod inbox_parity;
mod kills;
#[cfg(feature = "op-stack")]
mod lagoon;
mod log_messages;
mod message_check;
mod metrics;
mod npm;
mod opinions;
mod paused_chains;
mod probes;
mod program;
mod replays;
mod rollup_nodes;
mod rooms;
mod rpc;
mod sidecar;
mod sources;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod supersim;
mod twisted_endpoint;
mod unheard;
mod viem;
