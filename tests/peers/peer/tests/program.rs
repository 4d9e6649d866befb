//! The program as the tests of other programs use it: through its standard input and output.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

#[test]
fn it_says_where_it_listens_and_ends_with_its_input() {
    let signer = "0x2222222222222222222222222222222222222222";
    let mut program = Command::new(env!("CARGO_BIN_EXE_crosscheck-peer"));
    let mut running =
        program.args(["901", signer]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(running.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("listening /ip4/127.0.0.1/tcp/"), "{first:?}");
    drop(running.stdin.take());
    assert!(running.wait().unwrap().success());
}
