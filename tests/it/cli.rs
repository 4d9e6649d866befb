//! The command line, through the real binary: what it prints, and the code that it ends with.

mod check;
mod envelope;
mod envelope_build;
pub(crate) mod frames;
mod gossiped;
mod healthcheck;
mod message;
mod message_decode;
mod net;
mod usage;

use crate::program::crosscheck;
use serde_json::Value;
use std::ffi::OsStr;
use std::io::Write;
use std::process::{Output, Stdio};

/// The codes that the program ends with.
const OK: i32 = 0;
const FAILED: i32 = 1;
const USAGE: i32 = 64;

/// Runs the program with these arguments to its end.
fn run(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    crosscheck(&[]).args(arguments).output().unwrap()
}

/// Runs the program with these bytes on standard input.
fn run_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut program = crosscheck(arguments);
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What the program printed, as JSON.
#[track_caller]
fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", stdout(output), stderr(output)))
}

/// The program ended with this code.
#[track_caller]
fn assert_code(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}{}", stdout(output), stderr(output));
}
