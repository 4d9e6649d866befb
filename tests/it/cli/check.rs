//! `crosscheck check`, and the settings that `run` takes in the same way.

use super::{FAILED, OK, USAGE, assert_code, run, stderr, stdout};
use crate::program::crosscheck;
use rstest::rstest;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

const SOUND: &str = r#"
[chains.901]
execution = ["http://127.0.0.1:1"]
rollup_node = "http://127.0.0.1:2"
block_time = 2
interop_time = 0
unsafe_block_signer = "0x2222222222222222222222222222222222222222"
[chains.901.p2p]
static_peers = ["/ip4/127.0.0.1/tcp/9223/p2p/16Uiu2HAmL5okaKLzxdzpvMDVvjr6HYy1CWkBCFXGdoStmoYEXPT3"]
"#;

fn write(directory: &Path, text: &str) -> PathBuf {
    let path = directory.join("crosscheck.toml");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_valid_configuration_is_reported_as_valid() {
    let directory = tempfile::tempdir().unwrap();
    let file = write(directory.path(), SOUND);
    let output = run([Path::new("check"), Path::new("--config"), &file]);
    assert_code(&output, OK);
    assert!(stdout(&output).contains("valid: chains 901"), "{}", stdout(&output));
    assert!(stderr(&output).is_empty(), "{}", stderr(&output));
}

/// Nobody says so later: the program would run, and hear nothing.
#[test]
fn a_chain_without_any_way_to_find_peers_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let (without, _) = SOUND.split_once("[chains.901.p2p]").unwrap();
    let file = write(directory.path(), without);
    let output = run([Path::new("check"), Path::new("--config"), &file]);
    assert_code(&output, OK);
    assert!(stdout(&output).contains("valid: chains 901"), "{}", stdout(&output));
    let told = "warning: chain 901 has neither static peers nor discovery";
    assert!(stderr(&output).starts_with(told), "{}", stderr(&output));
}

#[rstest]
#[case::checked("check")]
#[case::run("run")]
fn a_bad_configuration_is_refused_with_key_value_reason_and_fix(#[case] command: &str) {
    let directory = tempfile::tempdir().unwrap();
    let file = write(directory.path(), &SOUND.replace("block_time = 2", "block_time = \"two\""));
    let output = run([Path::new(command), Path::new("--config"), &file]);
    assert_code(&output, USAGE);
    let message = stderr(&output);
    for part in ["chains.901.block_time = \"two\"", "found a string", "fix: write a whole number of seconds"]
    {
        assert!(message.contains(part), "{part:?} is missing from:\n{message}");
    }
    assert!(stdout(&output).is_empty());
}

#[test]
fn the_default_file_watches_no_chain() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/default.toml");
    let output = run([Path::new("check"), Path::new("--config"), &file]);
    assert_code(&output, USAGE);
    assert!(stderr(&output).contains("chains is not set: no chain is configured"), "{}", stderr(&output));
}

#[test]
fn the_default_file_is_what_the_program_prints() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/default.toml");
    let output = run(["doc", "config"]);
    assert_code(&output, OK);
    assert_eq!(stdout(&output), std::fs::read_to_string(file).unwrap());
}

/// What `--help` says of a key is what the file says.
#[test]
fn help_shows_the_values_the_default_and_the_variable_of_a_key() {
    let output = run(["check", "--help"]);
    let words: Vec<String> = stdout(&output).split_whitespace().map(str::to_owned).collect();
    let text = words.join(" ");
    for part in [
        "--rpc.admin <BOOLEAN>",
        "true or false [default: false] [env: CROSSCHECK_RPC_ADMIN]",
        "a whole number of MiB, 1 to 1024 [default: 64] [env: CROSSCHECK_SOURCES_MAX_RESPONSE_MIB]",
        "a duration with a unit, \"10ms\" to \"10m\" [default: \"10s\"] [env: CROSSCHECK_SOURCES_TIMEOUT]",
        "otherwise \"sibling\"] [env: CROSSCHECK_CONSOLIDATION_DEPOSITS]",
        "[default: none] [env: CROSSCHECK_NETWORK]",
    ] {
        assert!(text.contains(part), "{part:?} is missing from:\n{text}");
    }
}

#[test]
fn nothing_to_check_is_misuse() {
    let output = run(["check"]);
    assert_code(&output, USAGE);
    assert!(stderr(&output).contains("--config FILE"), "{}", stderr(&output));
}

#[test]
fn a_missing_file_is_refused() {
    let output = run(["check", "--config", "/nowhere/crosscheck.toml"]);
    assert_code(&output, USAGE);
    assert!(stderr(&output).contains("/nowhere/crosscheck.toml"), "{}", stderr(&output));
}

/// The value that a layer sets is bad, and each layer's is another: the message shows whose counted.
#[rstest]
#[case::file(None, None, "audit.concurrency = 2001")]
#[case::environment(Some("2002"), None, "audit.concurrency = 2002")]
#[case::flag(Some("2002"), Some("2003"), "audit.concurrency = 2003")]
fn flags_override_the_environment_which_overrides_the_file(
    #[case] variable: Option<&str>,
    #[case] flag: Option<&str>,
    #[case] counted: &str,
) {
    let directory = tempfile::tempdir().unwrap();
    let file = write(directory.path(), &format!("audit.concurrency = 2001\n{SOUND}"));
    let mut program = crosscheck(&["check"]);
    program.env("CROSSCHECK_CONFIG", file);
    program.envs(variable.map(|value| ("CROSSCHECK_AUDIT_CONCURRENCY", value)));
    program.args(flag.map(|value| format!("--audit.concurrency={value}")));
    let output = program.output().unwrap();
    assert_code(&output, USAGE);
    assert!(stderr(&output).contains(counted), "{}", stderr(&output));
}

#[test]
fn a_variable_that_is_not_a_setting_is_a_warning() {
    let directory = tempfile::tempdir().unwrap();
    let file = write(directory.path(), SOUND);
    let mut program = crosscheck(&["check"]);
    program.arg("--config").arg(file).env("CROSSCHECK_PORT_9645_TCP", "tcp://10.0.0.1:9645");
    let output = program.output().unwrap();
    assert_code(&output, OK);
    assert!(
        stderr(&output).contains("warning: CROSSCHECK_PORT_9645_TCP is not a setting"),
        "{}",
        stderr(&output)
    );
}

#[rstest]
#[case::of_others("OTHER", OK)]
#[case::of_a_setting("CROSSCHECK_DATA_DIR", USAGE)]
fn an_environment_that_is_not_unicode_is_not_a_crash(#[case] name: &str, #[case] code: i32) {
    let directory = tempfile::tempdir().unwrap();
    let file = write(directory.path(), SOUND);
    let mut program = crosscheck(&["check"]);
    program.arg("--config").arg(file).env(name, OsString::from_vec(vec![b'a', 0xff]));
    let output = program.output().unwrap();
    assert_code(&output, code);
    assert_eq!(stderr(&output).contains("CROSSCHECK_DATA_DIR"), code == USAGE, "{}", stderr(&output));
}

#[test]
fn an_address_in_use_ends_a_run_with_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let file = write(directory.path(), SOUND);
    let mut program = crosscheck(&["run"]);
    program.arg("--config").arg(file).current_dir(directory.path());
    program.arg(format!("--rpc.addr={}", taken.local_addr().unwrap()));
    program.args(["--http.addr=127.0.0.1:0", "--set", "chains.901.p2p.listen=/ip4/127.0.0.1/tcp/0"]);
    let output = program.output().unwrap();
    assert_code(&output, FAILED);
    assert!(stderr(&output).contains("rpc.addr 127.0.0.1:"), "{}", stderr(&output));
}

/// What no second try fixes ends with the code of bad configuration, so that a service manager does not try
/// again forever.
#[rstest]
#[case::data_dir_is_a_file(&["--data-dir=crosscheck.toml"], "data_dir crosscheck.toml cannot be created")]
#[case::no_clock_file(&["--clock=file:nowhere"], "the clock file nowhere cannot be read")]
fn a_setting_that_cannot_work_ends_a_run_as_bad_usage(#[case] arguments: &[&str], #[case] problem: &str) {
    let directory = tempfile::tempdir().unwrap();
    let file = write(directory.path(), SOUND);
    let mut program = crosscheck(&["run"]);
    program.arg("--config").arg(file).current_dir(directory.path()).args(arguments);
    let output = program.output().unwrap();
    assert_code(&output, USAGE);
    assert!(stderr(&output).contains(problem), "{}", stderr(&output));
}

/// A log that programs read has no line that they cannot, and begins with what starts.
#[test]
fn a_run_with_a_json_log_writes_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let file = write(directory.path(), SOUND);
    // As few open files as a service manager may give it.
    let mut program = std::process::Command::new("bash");
    let program =
        program.args(["-c", "ulimit -Sn 128; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_crosscheck")]);
    program.arg("run").arg("--config").arg(file).args(["--log-format", "json", "--http.addr=127.0.0.1:0"]);
    program.arg(format!("--rpc.addr={}", taken.local_addr().unwrap())).current_dir(directory.path());
    program.env("CROSSCHECK_PORT_9645_TCP", "tcp://10.0.0.1:9645");
    program.args(["--set", "chains.901.p2p.listen=/ip4/127.0.0.1/tcp/0"]);
    let output = program.output().unwrap();
    assert_code(&output, FAILED);
    let said = stderr(&output);
    let entries: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let entry = |message: &str| {
        let entry = entries.iter().find(|entry| entry["message"] == message);
        entry.unwrap_or_else(|| panic!("{message}: {said}")).clone()
    };
    assert_eq!(
        entry("environment variable is not a setting; ignored")["variable"],
        "CROSSCHECK_PORT_9645_TCP"
    );
    let starts = entry("crosscheck starting");
    assert_eq!(starts["version"], env!("CARGO_PKG_VERSION"));
    assert!(starts["config"].as_str().unwrap().ends_with("crosscheck.toml"), "{starts}");
    assert!(entry("open file limit")["limit"].as_u64().unwrap() > 128, "{said}");
    assert!(
        entry("crosscheck failed")["problem"].as_str().unwrap().contains("rpc.addr 127.0.0.1:"),
        "{said}"
    );
}
