//! Whole-program tests, in one binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod audit;
mod cli;
mod contracts;
mod devnet;
mod follow_contract;
mod following;
mod kills;
mod npm;
mod program;
mod sidecar;
mod viem;
