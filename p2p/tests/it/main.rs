//! The crate from outside: real sockets, and an independent implementation to agree with.

// Helpers are test code too: what is impossible here should fail the test at once.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod allocations;
mod authored;
mod backpressure;
mod conversions;
mod discovery;
mod exchange;
mod flood;
mod gating;
mod hostile;
mod hostile_gossip;
mod hostile_sync;
mod mesh;
mod names;
mod oracle;
mod raw_peer;
mod reconnect;
mod refusals;
mod rewrapped;
mod stalled;
mod streams;
mod support;
mod sync;
mod unsafe_only;
