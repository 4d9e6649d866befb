//! `config/default.toml` is what it says: every key, at its default.

use super::file;
use crate::config::{Config, KEYS, P2pConfig};
use crosscheck_p2p::ChainId;
use std::path::PathBuf;
use toml::{Table, Value};

const DEFAULT_FILE: &str = include_str!("../../../config/default.toml");

/// Whether a line is an example: a comment that reads like a setting.
fn example(line: &str) -> Option<&str> {
    let text = line.strip_prefix("# ")?;
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let is_setting = text.split_once(" = ").is_some_and(|(name, _)| is_name(name));
    (is_setting || text.starts_with('[')).then_some(text)
}

/// The file with its examples put to use.
fn with_examples() -> String {
    DEFAULT_FILE.lines().map(|line| format!("{}\n", example(line).unwrap_or(line))).collect()
}

fn find<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let first = table.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.as_table()?.get(part))
}

#[test]
fn it_parses_to_the_defaults() {
    assert_eq!(file(DEFAULT_FILE).unwrap().parse_unchecked().unwrap(), Config::default());
}

#[test]
fn it_sets_every_key_that_has_a_default() {
    let written: Table = DEFAULT_FILE.parse().unwrap();
    let mut defaults = Table::try_from(Config::default()).unwrap();
    defaults.remove("chains");
    for key in KEYS.iter().filter(|key| !key.per_chain) {
        let (written, default) = (find(&written, key.path), find(&defaults, key.path));
        assert_eq!(written.is_some(), default.is_some(), "{}", key.path);
    }
}

#[test]
fn its_examples_are_sound_and_show_every_other_key() {
    let text = with_examples();
    let config = file(&text).unwrap().parse().unwrap();
    assert_eq!(config.chains.len(), 1);
    let table: Table = text.parse().unwrap();
    for key in KEYS {
        let path = if key.per_chain { format!("chains.901.{}", key.path) } else { key.path.to_owned() };
        assert!(find(&table, &path).is_some(), "{path} is not shown");
    }
}

#[test]
fn its_example_of_gossip_shows_the_defaults() {
    let config = file(&with_examples()).unwrap().parse().unwrap();
    let shown = &config.chains.get(&ChainId::from(901)).unwrap().p2p;
    assert_eq!(shown.key_file, Some(PathBuf::from("p2p-901.key")));
    let default = P2pConfig {
        static_peers: shown.static_peers.clone(),
        trusted_peers: shown.trusted_peers.clone(),
        blocked_subnets: shown.blocked_subnets.clone(),
        discovery: shown.discovery,
        bootnodes: shown.bootnodes.clone(),
        advertise_ip: shown.advertise_ip,
        advertise_tcp: shown.advertise_tcp,
        advertise_udp: shown.advertise_udp,
        key_file: shown.key_file.clone(),
        ..P2pConfig::default()
    };
    assert_eq!(shown, &default);
}

#[test]
fn every_setting_in_it_is_explained_above_it() {
    let mut above = "";
    for line in DEFAULT_FILE.lines() {
        let setting = example(line).unwrap_or(line);
        if setting.contains(" = ") && !setting.starts_with('#') {
            assert!(above.starts_with("# ") && example(above).is_none(), "{line} has no comment");
        }
        above = line;
    }
}
