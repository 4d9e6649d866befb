//! `crosscheck healthcheck`: against nothing, and against servers that answer.

use super::{FAILED, OK, USAGE, assert_code, run, stderr, stdout};
use crate::program::crosscheck;
use crosscheck_devnet::free_addrs::free_addrs;
use rstest::rstest;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread::JoinHandle;

/// Answers one request with this status and body; yields the line that was asked with.
fn answer_once(status: &'static str, body: &'static str) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let lines: Vec<String> =
            reader.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
        let length =
            lines.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        reader.read_exact(&mut vec![0; length.unwrap_or(0)]).unwrap();
        let request = lines[0].clone();
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
fn the_answer_sets_the_exit_code(
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

/// Where a running program listens is found by what it runs with: the environment, else the file.
#[rstest]
#[case::by_the_file(None, false)]
#[case::by_the_environment(Some("CROSSCHECK_HTTP_ADDR"), false)]
#[case::every_address_is_this_machine_s(None, true)]
fn a_running_program_is_found_by_its_settings(#[case] variable: Option<&str>, #[case] is_any: bool) {
    let (address, server) = answer_once("200 OK", "ok\n");
    let address = if is_any { format!("0.0.0.0:{}", address.port()) } else { address.to_string() };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("crosscheck.toml");
    let written = if variable.is_some() { "127.0.0.1:1" } else { &address };
    // What else is in the file may be anything.
    std::fs::write(&file, format!("http.addr = \"{written}\"\nlog.level = 5\n")).unwrap();
    let mut program = crosscheck(&["healthcheck"]);
    program.env("CROSSCHECK_CONFIG", &file).envs(variable.map(|variable| (variable, &address)));
    let output = program.output().unwrap();
    assert_code(&output, OK);
    assert_eq!(server.join().unwrap(), "GET /healthz HTTP/1.1");
}

#[rstest]
#[case::no_address("http.addr = \"here\"", "http.addr = here: not an address with a port")]
#[case::any_port("http.addr = \"127.0.0.1:0\"", "http.addr = 127.0.0.1:0 is another port at each start")]
fn an_unusable_address_is_misuse(#[case] line: &str, #[case] problem: &str) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("crosscheck.toml");
    std::fs::write(&file, line).unwrap();
    let output = run([Path::new("healthcheck"), Path::new("--config"), &file]);
    assert_code(&output, USAGE);
    assert!(stderr(&output).contains(problem), "{}", stderr(&output));
}

/// The commands that ask a running program find it in the same way.
#[rstest]
#[case::by_the_file(true)]
#[case::by_an_address(false)]
fn json_rpc_commands_find_a_running_program_the_same_way(#[case] by_file: bool) {
    let (address, server) = answer_once("200 OK", r#"{"jsonrpc":"2.0","id":0,"result":[]}"#);
    let address = address.to_string();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("crosscheck.toml");
    std::fs::write(&file, format!("rpc.addr = \"{address}\"\n")).unwrap();
    let mut program = crosscheck(&["peers"]);
    if by_file {
        program.arg("--config").arg(&file)
    } else {
        program.args(["--rpc", &address])
    };
    let output = program.output().unwrap();
    assert_code(&output, OK);
    assert!(stdout(&output).contains("0 peers"), "{}", stdout(&output));
    assert_eq!(server.join().unwrap(), "POST / HTTP/1.1");
}

#[test]
fn an_unreachable_program_is_a_failure() {
    let [address] = free_addrs::<1>().unwrap().map(|address| address.to_string());
    let output = run(["healthcheck", "--addr", &address]);
    assert_code(&output, FAILED);
    assert!(stderr(&output).contains("crosscheck does not answer"), "{}", stderr(&output));
}

#[test]
fn a_missing_address_is_misuse() {
    let output = run(["healthcheck", "--addr", "not an address"]);
    assert_code(&output, USAGE);
    assert!(stderr(&output).contains("not an address"), "{}", stderr(&output));
}
