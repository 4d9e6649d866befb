//! Crosscheck: verifies that OP Stack sequencers only attest to valid cross-safe blocks.
//!
//! ```text
//! gossip bytes -> crosscheck-p2p (authenticate, decode, validate)
//!              -> gossip -> audit (consolidate, extract, resolve, judge)
//!              -> ledger -> follow, rpc, web, metrics
//! ```
//!
//! Nothing downstream calls back upstream. `docs/ARCHITECTURE.md` shows the rooms.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]
#![allow(
    unreachable_pub,
    reason = "pub is what other rooms may use; what the crate exports is at the end of this file"
)]

mod audit;
mod cli;
mod config;
mod data_dir;
mod event_sender;
mod follow;
mod gossip;
mod health;
mod incidents;
mod invalid_blocks;
mod l1_watch;
mod ledger;
mod metrics;
mod monitor;
mod networks;
mod opinions;
mod pieces;
mod probes;
mod process_use;
mod reminder;
mod retention;
mod rpc;
mod service;
mod shared_tracker;
mod slow_endpoints;
mod sources;
mod stale_branches;
mod stalled_heads;
mod tasks;
mod telemetry;
mod unresolved;
mod unsafe_pause;
mod web;

pub use cli::run;

/// What the whole-program tests and the benchmarks use.
pub mod for_tests {
    pub use crate::audit::{Heads, NodeDisagreements};
    pub use crate::config::{ClockSource, Config, FollowMode};
    pub use crate::follow::{
        CanonicalHashes, Draft, Facts, FinalLimit, KeepFacts, L2Ref, Lagoon, Reading, ServedStatus,
        UpstreamStatus, Vouched,
    };
    pub use crate::gossip::{GossipHeads, NetworkHandles, Refusals};
    pub use crate::health::{Health, HealthPart};
    pub use crate::ledger::{Decision, Hold, Ledger, NewCase, Opened};
    pub use crate::metrics::Metrics;
    pub use crate::monitor::Suspects;
    pub use crate::networks::{KnownNetwork, NetworkName};
    pub use crate::rpc::{
        ChainSources, CrosscheckRpc, Failsafe, RpcMetrics, RpcParts, SuperchainReader, serve,
    };
    pub use crate::shared_tracker::TrackerWriter;
    pub use crate::sources::{
        EndpointLimits, EndpointNames, ExecutionClient, L1Client, StatusDocument, UNSAFE_BLOCK_SIGNER_SLOT,
    };
}
