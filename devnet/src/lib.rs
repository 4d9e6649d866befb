//! An in-process superchain on loopback: a real EVM, real gossip, scripted faults.
//!
//! It talks to the sidecar over sockets only, and the sidecar never depends on it. Three things are checked against what was
//! scripted and what was built: the verdicts on attestations, what became of each scripted message, and whether every
//! other message of every final block was seen to be valid. Anything else that the sidecar accuses is a false alarm.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod at_genesis;
pub mod block;
pub mod block_tree;
pub mod chain;
pub mod clock_file;
pub mod config_file;
pub mod contracts;
#[cfg(test)]
mod deposit_tests;
pub mod derivation;
pub mod directory;
mod envelope;
pub mod epoch;
pub mod executor;
pub mod faults;
pub mod finding;
pub mod follower;
pub mod free_addrs;
pub mod genesis;
pub mod header;
pub mod headless;
pub mod heads;
pub mod keyring;
pub mod l1;
pub mod l1_attributes;
pub mod l1_block;
pub mod l1_state;
pub mod l1_traffic;
mod message_finding;
pub mod message_pool;
pub mod message_record;
pub mod message_report;
mod metrics_page;
pub mod networks;
pub mod nodes;
pub mod observations;
mod outbox;
pub mod outcome;
pub mod pace;
pub mod pause;
pub mod plan;
pub mod progress;
pub mod publisher;
pub mod report;
pub mod run_clock;
pub mod runner;
pub mod running_sidecar;
pub mod schedule;
pub mod seen_messages;
pub mod sequencer;
pub mod serve;
mod show;
mod sidecar_config;
pub mod sidecar_records;
pub mod state;
pub mod storage_trie;
pub mod summary;
pub mod superchain;
pub mod system_config;
mod taken_back;
mod tick_view;
pub mod traffic;
pub mod upgrade;
pub mod user_deposit;
pub mod user_transaction;
pub mod wallet;
pub mod watch;

#[cfg(any(test, feature = "fixtures"))]
pub mod fixture;

pub use block::L2Block;
pub use chain::{Chain, ChainError, ChainParams, OutputRoot};
pub use l1::{L1, L1Error, L1Params};
pub use l1_block::L1Block;
pub use system_config::SystemConfig;
pub use wallet::{Call, Wallet, WalletError};
