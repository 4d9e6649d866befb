//! Flags win over the environment, the environment over the file.

use super::{SOUND, file};
use crate::config::form::Kind;
use crate::config::{Config, ConfigError, Layers, keys};
use crosscheck_p2p::ChainId;
use rstest::rstest;
use std::path::Path;

fn environment(layers: Layers, variables: &[(&str, &str)]) -> Result<Layers, ConfigError> {
    layers.environment(variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())))
}

fn block_time(config: &Config) -> u64 {
    config.chains.get(&ChainId::from(901)).unwrap().block_time
}

#[rstest]
#[case::nothing(None, None, None, "info")]
#[case::file(Some("debug"), None, None, "debug")]
#[case::environment_over_file(Some("debug"), Some("warn"), None, "warn")]
#[case::flag_over_environment(Some("debug"), Some("warn"), Some("error"), "error")]
#[case::flag_over_file(Some("debug"), None, Some("error"), "error")]
#[case::empty_variable_is_unset(Some("debug"), Some(""), None, "debug")]
fn flags_override_the_environment_and_the_environment_the_file(
    #[case] in_file: Option<&str>,
    #[case] variable: Option<&str>,
    #[case] flag: Option<&str>,
    #[case] expected: &str,
) {
    let line = in_file.map_or_else(String::new, |level| format!("[log]\nlevel = \"{level}\"\n"));
    let mut layers = file(&format!("{line}{SOUND}")).unwrap();
    if let Some(level) = variable {
        layers = environment(layers, &[("CROSSCHECK_LOG_LEVEL", level)]).unwrap();
    }
    if let Some(level) = flag {
        layers = layers.flag("log.level", level).unwrap();
    }
    assert_eq!(layers.parse().unwrap().log.level, expected);
}

#[test]
fn a_chain_can_be_set_by_the_environment_alone() {
    let variables = [
        ("CROSSCHECK_CHAINS_901_EXECUTION", "http://127.0.0.1:1, http://127.0.0.1:2"),
        ("CROSSCHECK_CHAINS_901_ROLLUP_NODE", "http://127.0.0.1:3, http://127.0.0.1:4"),
        ("CROSSCHECK_CHAINS_901_BLOCK_TIME", "2"),
        ("CROSSCHECK_CHAINS_901_INTEROP_TIME", "0"),
        ("CROSSCHECK_CHAINS_901_UNSAFE_BLOCK_SIGNER", "0x2222222222222222222222222222222222222222"),
        ("CROSSCHECK_CHAINS_901_P2P_KEY_FILE", "here.key"),
    ];
    let config = environment(Layers::default(), &variables).unwrap().parse().unwrap();
    let chain = config.chains.get(&ChainId::from(901)).unwrap();
    assert_eq!(chain.execution.len(), 2);
    assert_eq!(chain.rollup_node.urls().len(), 2);
    assert_eq!(chain.p2p.key_file.as_deref(), Some(Path::new("here.key")));
}

#[rstest]
#[case::decimal("901", "CROSSCHECK_CHAINS_901_BLOCK_TIME", "chains.901.block_time")]
#[case::other_spelling("901", "CROSSCHECK_CHAINS_0x385_BLOCK_TIME", "chains.0x385.block_time")]
#[case::hex_in_the_file("0x385", "CROSSCHECK_CHAINS_901_BLOCK_TIME", "chains.901.block_time")]
fn every_layer_configures_the_same_chain_in_either_spelling(
    #[case] written: &str,
    #[case] variable: &str,
    #[case] flag: &str,
) {
    let text = SOUND.replace("chains.901", &format!("chains.{written}"));
    let below = environment(file(&text).unwrap(), &[(variable, "3")]).unwrap();
    assert_eq!(block_time(&below.parse().unwrap()), 3);
    let below = environment(file(&text).unwrap(), &[(variable, "3")]).unwrap();
    assert_eq!(block_time(&below.flag(flag, "4").unwrap().parse().unwrap()), 4);
}

#[test]
fn a_variable_that_is_not_a_key_is_a_warning() {
    let variables = [
        ("CROSSCHECK_PORT_9645_TCP", "tcp://10.0.0.1:9645"),
        ("CROSSCHECK_CHAINS_901_COLOUR", "red"),
        ("CROSSCHECK_LOG_LEVEL", "debug"),
        ("HOME", "/root"),
    ];
    let layers = environment(file(SOUND).unwrap(), &variables).unwrap();
    let warned: Vec<&str> = layers.warnings().iter().map(|warning| warning.variable.as_str()).collect();
    assert_eq!(warned, ["CROSSCHECK_PORT_9645_TCP", "CROSSCHECK_CHAINS_901_COLOUR"]);
    assert_eq!(layers.parse().unwrap().log.level, "debug");
}

#[rstest]
#[case::unknown("colour", "red", &["colour: this key does not exist"])]
#[case::unknown_of_a_chain("chains.901.colour", "red", &["chains.901.colour: this key does not exist"])]
#[case::another_key_of_l1("l1.url", "http://h/hush", &["l1.url: this key does not exist"])]
#[case::secret("l1.execution.key", "hush", &["l1.execution.key: this key does not exist"])]
#[case::too_large("audit.max_open", "99999999999999999999", &["audit.max_open = 99999999999999999999", "above 1000000", "1 to 1000000"])]
#[case::too_large_for_toml("chains.901.block_time", "9223372036854775808", &["block_time = 9223372036854775808", "above 9223372036854775807"])]
#[case::too_small("audit.max_open", "-99999999999999999999", &["below 1"])]
#[case::on("rpc.admin", "on", &["rpc.admin = on", "not true or false", "write true"])]
#[case::off("chains.901.p2p.topic_scoring", "off", &["topic_scoring = off", "not true or false", "write false"])]
#[case::no_number("audit.max_open", "many", &["audit.max_open = many", "not a whole number", "whole number, 1 to 1000000"])]
fn flags_that_cannot_work_are_refused(#[case] key: &str, #[case] value: &str, #[case] parts: &[&str]) {
    let message = Layers::default().flag(key, value).unwrap_err().to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing from:\n{message}");
    }
    assert!(!message.contains("hush"), "{message}");
}

#[rstest]
#[case::in_the_environment("CROSSCHECK_SOURCES_HEADERS")]
#[case::by_flag("sources.headers")]
fn the_value_of_a_header_is_not_shown(#[case] name: &str) {
    let header = "node.example authorization=hunter2";
    let layers = match name.starts_with("CROSSCHECK") {
        true => environment(file(SOUND).unwrap(), &[(name, header)]).unwrap(),
        false => file(SOUND).unwrap().flag(name, header).unwrap(),
    };
    let message = layers.parse().unwrap_err().to_string();
    assert!(
        message.contains("sources.headers[0] = (not shown)") && !message.contains("hunter2"),
        "{message}"
    );
}

#[test]
fn a_flag_cannot_reach_into_a_plain_value() {
    let layers = file("log = \"debug\"").unwrap();
    let message = layers.flag("log.level", "info").unwrap_err().to_string();
    assert!(message.contains("log is already set to something that is not a section"), "{message}");
}

#[test]
fn every_key_has_a_variable_of_its_own() {
    let mut names: Vec<String> = keys().map(|key| key.variable()).collect();
    names.sort();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn every_key_can_be_set_by_flag() {
    for key in keys() {
        let path = if key.per_chain { format!("chains.901.{}", key.path) } else { key.path.to_owned() };
        let text = match key.form.kind {
            Kind::Boolean => "true",
            Kind::Whole(_) => "1",
            _ => "text",
        };
        assert!(Layers::default().flag(&path, text).is_ok(), "{path}");
    }
}

/// Set by hand, be it to the protocol's number, the window is compared with the nodes'; else it is learnt
/// from them.
#[rstest]
#[case::nowhere("", None, None)]
#[case::in_the_file("[interop]\nmessage_expiry_window = 604800\n", None, Some(604_800))]
#[case::another_in_the_file("[interop]\nmessage_expiry_window = 60\n", None, Some(60))]
#[case::in_the_environment("", Some("604800"), Some(604_800))]
#[case::another_key_of_the_section("[interop]\nlog_index_mib = 7\n", None, None)]
fn the_expiry_window_is_known_only_if_it_is_set(
    #[case] section: &str,
    #[case] variable: Option<&str>,
    #[case] expected: Option<u64>,
) {
    let layers = file(&format!("{section}{SOUND}")).unwrap();
    let variables: Vec<_> =
        variable.map(|text| ("CROSSCHECK_INTEROP_MESSAGE_EXPIRY_WINDOW", text)).into_iter().collect();
    let config = environment(layers, &variables).unwrap().parse().unwrap();
    let set = config.dependency_set();
    assert_eq!(set.known_expiry_window(ChainId::from(901)), expected);
    assert_eq!(set.expiry_window(ChainId::from(901)), expected.unwrap_or(604_800));
}
