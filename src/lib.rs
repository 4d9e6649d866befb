//! Crosscheck: checks the cross-safe word of an OP Stack superchain's sequencers.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod cli;
pub mod clock;
pub mod devnet;
pub mod interop;
