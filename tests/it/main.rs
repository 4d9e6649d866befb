//! Whole-program tests, in one binary.

mod contracts;
mod devnet;
mod program;
mod sidecar;
