//! The program as the tests of other programs use it: through its standard input and output. What it
//! publishes and receives is checked beside kona's node.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// How long the program may take to listen: far longer than it does, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(120);

#[test]
fn it_says_where_it_listens_and_ends_with_its_input() {
    let signer = "0x2222222222222222222222222222222222222222";
    let mut program = Command::new(env!("CARGO_BIN_EXE_crosscheck-peer"));
    let mut running =
        program.args(["901", signer]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (sender, lines) = channel();
    let mut output = BufReader::new(running.stdout.take().unwrap());
    std::thread::spawn(move || {
        let mut first = String::new();
        output.read_line(&mut first).unwrap();
        sender.send(first).unwrap();
    });
    let first = lines.recv_timeout(DEADLINE);
    drop(running.stdin.take());
    if first.is_err() {
        running.kill().unwrap();
    }
    let first = first.expect("the program listens within the deadline");
    assert!(first.starts_with("listening /ip4/127.0.0.1/tcp/"), "{first:?}");
    assert!(running.wait().unwrap().success());
}
