//! The rules of Crosscheck: what is proven of a block, which messages are valid, which block is derived.
//!
//! ```text
//! { message, heads } -> transfers -> proof -> { validity, consolidation } -> { case, tracker } -> events
//!     -> alerts
//! ```
//!
//! Everything here is pure. Facts and times are arguments; nothing asks an endpoint, reads a clock or a file,
//! or starts a task.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

#[cfg(test)]
mod agreement;
pub mod alerts;
pub mod case;
pub mod consolidation;
pub mod events;
pub mod heads;
pub mod message;
pub mod proof;
pub mod tracker;
pub mod transfers;
pub mod validity;
