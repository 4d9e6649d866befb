//! The `crosscheck` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    crosscheck::cli::run(std::env::args_os())
}
