//! Whatever a file has at the place of a key: nothing panics, and the error names the key.

use super::{SOUND, file};
use crate::config::{Config, ConfigError, Key, Layers, keys};
use proptest::prelude::*;
use toml::{Table, Value};

fn paths() -> Vec<String> {
    let path = |key: &Key| match key.per_chain {
        true => format!("chains.901.{}", key.path),
        false => key.path.to_owned(),
    };
    keys()
        .map(path)
        .chain(["chains", "chains.901", "chains.901.p2p", "log", "rpc"].map(str::to_owned))
        .collect()
}

/// Parses the sound configuration with this value at a path.
fn parse(path: &str, value: Value) -> Result<Config, ConfigError> {
    let mut table: Table = SOUND.parse().unwrap();
    super::insert(&mut table, path, value);
    let layers = file(&table.to_string()).unwrap();
    layers.parse()
}

/// The key that an error names, and its text.
fn named(error: &ConfigError) -> &str {
    match error {
        ConfigError::Value { key, .. } | ConfigError::Missing { key, .. } => key,
        ConfigError::Unreadable { .. } | ConfigError::TooLarge { .. } | ConfigError::Syntax { .. } => {
            panic!("{error}")
        }
    }
}

/// Keys without which another one is refused, or that are refused for what another one says.
fn is_named_with(path: &str, key: &str) -> bool {
    let pairs = [
        ("rpc.addr", "http.addr"),
        ("consolidation.deposits", "l1.execution"),
        ("chains.901.dependency_set", "chains."),
        ("chains.901.rollup_node", "chains.901."),
        ("chains.901.unsafe_block_signer", "chains.901.system_config"),
    ];
    pairs.iter().any(|(of, named)| path == *of && key.starts_with(named))
}

#[track_caller]
fn assert_named(path: &str, value: &Value) {
    if let Err(error) = parse(path, value.clone()) {
        let (key, message) = (named(&error), error.to_string());
        assert!(key.starts_with(path) || is_named_with(path, key), "{path} = {value}: {message}");
        assert!(message.contains("\n  fix: ") && message.len() < 2000, "{message}");
    }
}

#[test]
fn values_of_a_wrong_kind_are_refused_by_the_name_of_the_key() {
    let long = "9".repeat(100_000);
    let values: Vec<Value> = [
        "true",
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "nan",
        "-inf",
        "1e308",
        "0.5",
        "''",
        "' '",
        "','",
        "'true'",
        "'99999999999999999999days'",
        "'-1s'",
        "'0s'",
        "'1e3s'",
        "'://'",
        "'http://'",
        "'http://[::1'",
        "'http://h:99999999'",
        "'0x'",
        "'0xzz'",
        "'/ip4'",
        "'/ip4/1.1.1.1/tcp/1'",
        "'999.1.1.1:1'",
        "'1.1.1.1:65536'",
        "'1.1.1.1/33'",
        "'a=b'",
        "'a:=b'",
        "'file:'",
        "'🦀'",
        "1979-05-27",
        "07:32:00",
        "[]",
        "[[]]",
        "['']",
        "[1, 'a', true]",
        "[-1]",
        "[nan]",
        "['x', ['y']]",
        "{}",
        "{ a = 1 }",
        "{ '' = 1 }",
        "{ 'a.b' = [] }",
    ]
    .iter()
    .map(|toml| toml.replace('\'', "\""))
    .map(|toml| {
        format!("it = {toml}").parse::<Table>().unwrap_or_else(|error| panic!("{toml}: {error}"))["it"]
            .clone()
    })
    .chain([Value::String(long), Value::String("\u{0}\n\r\u{202e}".to_owned())])
    .collect();
    for path in paths() {
        for value in &values {
            assert_named(&path, value);
        }
    }
}

#[test]
fn sections_have_no_values_and_values_no_sections() {
    for path in paths() {
        let value = if Key::find(&path).is_some() { Value::Table(Table::new()) } else { Value::from(5) };
        assert_eq!(named(&parse(&path, value).unwrap_err()), path);
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Boolean),
        any::<i64>().prop_map(Value::Integer),
        any::<f64>().prop_map(Value::Float),
        ".{0,40}".prop_map(Value::String),
        "[0-9a-z:/.@=,-]{0,40}".prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map("[a-z_.0-9]{0,8}", inner, 0..4)
                .prop_map(|entries| Value::Table(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_at_any_key_is_parsed_or_refused_by_its_name(index in any::<prop::sample::Index>(), value in any_value()) {
        let paths = paths();
        let path: &String = index.get(&paths);
        assert_named(path, &value);
    }

    #[test]
    fn any_table_is_parsed_or_refused(value in any_value(), name in "[a-z0-9_.]{0,10}") {
        let table: Table = [(name, value)].into_iter().collect();
        let error = file(&table.to_string()).unwrap().parse().unwrap_err();
        prop_assert!(!named(&error).is_empty());
    }

    #[test]
    fn any_text_of_a_flag_is_read_or_refused_by_the_name_of_its_key(index in any::<prop::sample::Index>(), text in ".{0,60}") {
        let paths = paths();
        let path: &String = index.get(&paths);
        if let Err(error) = Layers::default().flag(path, &text) {
            prop_assert_eq!(named(&error), path);
        }
    }
}
