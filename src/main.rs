//! The `crosscheck` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    crosscheck::run(std::env::args_os())
}
