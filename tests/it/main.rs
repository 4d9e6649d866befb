//! Whole-program tests, in one binary.

mod contracts;
