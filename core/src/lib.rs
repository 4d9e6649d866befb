//! The rules of Crosscheck: what is proven of a block, which messages are valid, which block is derived.
//!
//! ```text
//! message -> proof -> { validity, consolidation }
//! ```
//!
//! Everything here is pure. Facts and times are arguments; nothing asks an endpoint, reads a clock or a file, or starts a
//! task.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod consolidation;
pub mod message;
pub mod proof;
pub mod validity;
