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

pub mod audit;
pub mod cli;
pub mod config;
pub mod data_dir;
pub mod follow;
pub mod gossip;
pub mod health;
pub mod incidents;
pub mod invalid_blocks;
mod l1_watch;
pub mod ledger;
pub mod metrics;
pub mod monitor;
pub mod networks;
mod pieces;
mod probes;
pub mod process_use;
mod reminder;
mod retention;
pub mod rpc;
pub mod service;
mod slow_endpoints;
pub mod sources;
pub mod stale_branches;
mod stalled_heads;
pub mod tasks;
pub mod telemetry;
mod teller;
mod unresolved;
mod unsafe_pause;
pub mod web;
