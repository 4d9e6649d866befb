//! `crosscheck healthcheck`: against nothing, and against servers that answer.

use super::{FAILED, OK, USAGE, assert_code, run, stderr, stdout};
use crosscheck::devnet::free_addrs::free_addrs;
use rstest::rstest;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

/// Answers one request with this status and body; yields the line that was asked with.
fn answer_once(status: &'static str, body: &'static str) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
        let request = lines.next().unwrap();
        lines.find(String::is_empty);
        let length = body.len();
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
            .unwrap();
        request
    });
    (address, server)
}

#[rstest]
#[case::alive(&[], "200 OK", "GET /healthz HTTP/1.1", OK)]
#[case::ready(&["--ready"], "200 OK", "GET /readyz HTTP/1.1", OK)]
#[case::not_ready(&["--ready"], "503 Service Unavailable", "GET /readyz HTTP/1.1", FAILED)]
fn the_answer_decides(
    #[case] flags: &[&str],
    #[case] status: &'static str,
    #[case] request: &str,
    #[case] code: i32,
) {
    let (address, server) = answer_once(status, "how it is\n");
    let address = address.to_string();
    let arguments = ["healthcheck", "--addr", &address].into_iter().chain(flags.iter().copied());
    let output = run(arguments);
    assert_code(&output, code);
    let said = if code == OK { stdout(&output) } else { stderr(&output) };
    assert_eq!(said.trim_end(), "how it is");
    assert_eq!(server.join().unwrap(), request);
}

#[test]
fn nobody_there_is_a_failure() {
    let [address] = free_addrs::<1>().unwrap().map(|address| address.to_string());
    let output = run(["healthcheck", "--addr", &address]);
    assert_code(&output, FAILED);
    assert!(stderr(&output).contains("crosscheck does not answer"), "{}", stderr(&output));
}

#[test]
fn no_address_is_misuse() {
    let output = run(["healthcheck", "--addr", "not an address"]);
    assert_code(&output, USAGE);
    assert!(stderr(&output).contains("not an address"), "{}", stderr(&output));
}
