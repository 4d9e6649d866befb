//! An in-process superchain on loopback: a real EVM, real gossip, scripted faults.
//!
//! It talks to the sidecar over sockets only, and the sidecar never depends on it. Three things are checked
//! against what was scripted and what was built: the verdicts on attestations, what became of each scripted
//! message, and whether every other message of every final block was seen to be valid. Anything else that the
//! sidecar accuses is a false alarm.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod chain;
pub mod contracts;
pub mod faults;
mod findings;
pub mod follower;
pub mod free_addrs;
pub mod gossip;
pub mod keys;
pub mod l1;
pub mod messages;
mod observation;
pub mod report;
pub mod run;
pub mod serve;
pub mod sidecar;
pub mod simulation;
pub mod timing;

#[cfg(any(test, feature = "fixtures"))]
pub mod fixture;
