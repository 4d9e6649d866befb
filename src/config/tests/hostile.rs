//! Any value at any key: nothing panics, a value of a wrong kind is refused, and the error names the key.

use super::{SOUND, file};
use crate::config::form::Kind;
use crate::config::{Config, ConfigError, Key, Layers, keys};
use crosscheck_p2p::ChainId;
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

/// The key that an error names.
fn named(error: &ConfigError) -> &str {
    match error {
        ConfigError::Value { key, .. }
        | ConfigError::Missing { key, .. }
        | ConfigError::UnknownKey { key, .. } => key,
        ConfigError::Unreadable { .. } | ConfigError::TooLarge { .. } | ConfigError::Syntax { .. } => {
            panic!("{error}")
        }
    }
}

/// Whether a value at a path may lead to an error that names another key: the one that it is the same as, or
/// that it needs.
fn is_named_with(path: &str, key: &str) -> bool {
    let is_chain = |key: &str| key.strip_prefix("chains.").is_some_and(|id| id.parse::<ChainId>().is_ok());
    match path {
        "rpc.addr" => key == "http.addr",
        "consolidation.deposits" => key == "l1.execution",
        "chains.901.dependency_set" => is_chain(key),
        "chains" | "chains.901" => key == "chains" || key == "chains.901.execution",
        _ => false,
    }
}

/// Whether a value has the kind of a key. What is no key is a section.
fn is_of_its_kind(path: &str, value: &Value) -> bool {
    let Some(key) = Key::find(path) else { return value.is_table() };
    let are_all =
        |accepts: fn(&Value) -> bool| value.as_array().is_some_and(|items| items.iter().all(accepts));
    match key.form.kind {
        Kind::Boolean => value.is_bool(),
        Kind::Whole(_) => value.is_integer(),
        Kind::Duration(_) | Kind::WholeSeconds(_) | Kind::Choice(_) | Kind::Text(_) => value.is_str(),
        Kind::List(_) => are_all(Value::is_str),
        Kind::TextOrList(_) => value.is_str() || are_all(Value::is_str),
        Kind::ListOrNumbers(_) => are_all(|item| item.is_str() || item.is_integer()),
    }
}

/// A value of another kind is refused, any other one may be, and the error names the key.
#[track_caller]
fn assert_named(path: &str, value: &Value) {
    let parsed = parse(path, value.clone());
    let Err(error) = parsed else {
        return assert!(is_of_its_kind(path, value), "{path} = {value} is accepted");
    };
    let (key, message) = (named(&error), error.to_string());
    let within = key.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    assert!(within || is_named_with(path, key), "{path} = {value}: {message}");
    assert!(message.contains("\n  fix: ") && message.len() < 2000, "{message}");
    if is_of_its_kind(path, value) {
        return;
    }
    let says_so = ["expected ", "does not exist", "not a chain id"].iter().any(|part| message.contains(part));
    assert!(says_so, "{path} = {value} is not refused for its kind: {message}");
}

#[test]
fn values_of_a_wrong_kind_are_refused_with_the_name_of_the_key() {
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
    .chain([Value::String("9".repeat(100_000)), Value::String("inof".repeat(10_000))])
    .chain([
        Value::String("1".to_owned() + &"x".repeat(10_000)),
        Value::String("\u{0}\n\r\u{202e}".to_owned()),
    ])
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

/// Whether a text of a flag can be read as the kind of a key. What is no key has no flag.
fn is_readable(path: &str, text: &str) -> bool {
    match Key::find(path).map(|key| &key.form.kind) {
        None => false,
        Some(Kind::Boolean) => ["true", "false"].contains(&text),
        Some(Kind::Whole(_)) => text.parse::<i64>().is_ok(),
        Some(_) => true,
    }
}

#[test]
fn a_text_of_a_flag_that_cannot_be_read_is_refused_with_the_name_of_its_key() {
    let texts = ["", " ", "true", "True", "1", "-1", "+1", "0x1", "1.0", "99999999999999999999", "[]", "🦀"];
    for path in paths() {
        for text in texts {
            let result = Layers::default().flag(&path, text);
            assert_eq!(result.is_ok(), is_readable(&path, text), "{path} = {text}");
            if let Err(error) = result {
                assert_eq!(named(&error), path);
            }
        }
    }
}

proptest! {
    #[test]
    fn any_value_at_any_key_is_parsed_or_refused_with_the_name_of_the_key(
        index in any::<prop::sample::Index>(),
        value in any_value(),
    ) {
        let paths = paths();
        let path: &String = index.get(&paths);
        assert_named(path, &value);
    }

    #[test]
    fn a_key_that_does_not_exist_is_refused_with_its_name(value in any_value(), name in "x[a-z0-9_]{0,200}") {
        let table: Table = [(name.clone(), value)].into_iter().collect();
        let error = file(&table.to_string()).unwrap().parse().unwrap_err();
        let is_unknown = matches!(error, ConfigError::UnknownKey { .. });
        prop_assert!(is_unknown, "{}", error);
        prop_assert!(name.starts_with(named(&error).trim_end_matches('…')), "{}", error);
        prop_assert!(error.to_string().len() < 1000, "{}", error);
    }

    #[test]
    fn any_text_of_a_flag_is_read_as_the_kind_of_its_key_or_refused(
        index in any::<prop::sample::Index>(),
        text in ".{0,60}",
    ) {
        let paths = paths();
        let path: &String = index.get(&paths);
        prop_assert_eq!(Layers::default().flag(path, &text).is_ok(), is_readable(path, &text));
    }
}
