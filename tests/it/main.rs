//! Whole-program tests, in one binary.

mod cli;
mod contracts;
