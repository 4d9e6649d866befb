//! The command line: one arguments struct a subcommand, and what each subcommand does.

pub mod devnet;
