//! Version, help, completions, and uses that cannot work.

use super::{FAILED, OK, USAGE, assert_code, run, stderr, stdout};
use crate::program::crosscheck;
use rstest::rstest;

#[test]
fn the_version_is_that_of_the_package() {
    let output = run(["--version"]);
    assert_code(&output, OK);
    assert_eq!(stdout(&output).trim_end(), format!("crosscheck {}", env!("CARGO_PKG_VERSION")));
}

#[rstest]
#[case::of_the_program(&["--help"])]
#[case::of_a_command(&["run", "--help"])]
fn help_is_a_success(#[case] arguments: &[&str]) {
    let output = run(arguments);
    assert_code(&output, OK);
    assert!(stdout(&output).contains("Usage: crosscheck"));
}

#[rstest]
#[case::nothing(&[], "Usage")]
#[case::unknown_command(&["watch"], "unrecognized subcommand 'watch'")]
#[case::unknown_flag(&["run", "--colour"], "unexpected argument '--colour'")]
#[case::unknown_key(&["check", "--set", "colour=red"], "colour: this key does not exist")]
#[case::set_without_value(&["check", "--set", "colour"], "write --set KEY=VALUE")]
#[case::unknown_shell(&["completions", "cmd.exe"], "invalid value 'cmd.exe'")]
fn misuse_ends_with_its_own_code(#[case] arguments: &[&str], #[case] problem: &str) {
    let output = run(arguments);
    assert_code(&output, USAGE);
    assert!(stdout(&output).is_empty(), "mistakes belong on standard error");
    assert!(stderr(&output).contains(problem), "{}", stderr(&output));
}

/// A forgotten scheme is the commonest slip, and the path is the key.
#[rstest]
#[case::l1_of_a_network(&["net", "--network", "op-sepolia", "--l1", "sepolia.example/v2/hunter2"])]
#[case::rpc(&["peers", "--rpc", "user:hunter2@localhost:9645/hunter2"])]
#[case::execution_client(&["message", "check", "--execution", "901=rpc.example/hunter2"])]
#[case::key_of_a_section(&["check", "--set", "l1.execution=rpc.example/v2/hunter2"])]
#[case::key_without_value(&["check", "--set", "https://rpc.example/hunter2"])]
#[case::flag(&["run", "--l1.execution", "rpc.example?key=hunter2"])]
#[case::header(&["check", "--sources.headers", "node.example authorization=hunter2"])]
#[case::header_without_its_key(&["check", "--set", "node.example authorization=hunter2"])]
fn a_url_that_cannot_be_read_is_not_printed_whole(#[case] arguments: &[&str]) {
    let output = run(arguments);
    assert_code(&output, USAGE);
    let said = stderr(&output);
    assert!(!said.contains("hunter2") && said.len() > 40, "{said}");
}

#[rstest]
#[case::bash("bash", "complete -F _crosscheck")]
#[case::zsh("zsh", "#compdef crosscheck")]
#[case::fish("fish", "complete -c crosscheck")]
fn completions_match_the_shell(#[case] shell: &str, #[case] mark: &str) {
    let output = run(["completions", shell]);
    assert_code(&output, OK);
    let script = stdout(&output);
    assert!(script.contains(mark), "no {mark:?} in the script");
    for command in ["healthcheck", "envelope", "message", "devnet"] {
        assert!(script.contains(command), "{command} is not completed");
    }
}

#[test]
fn a_closed_output_is_not_a_crash() {
    let mut program = crosscheck(&["completions", "bash"]);
    program.stdout(std::process::Stdio::piped());
    let mut child = program.spawn().unwrap();
    drop(child.stdout.take());
    let status = child.wait().unwrap();
    assert!(matches!(status.code(), Some(OK | FAILED)), "{status}");
}
