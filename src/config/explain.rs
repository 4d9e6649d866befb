//! Turns what a parser says into errors that name the key, the value, the reason and the fix.
//!
//! Never repeats a secret that a parser's message quotes.

use super::redaction::{shown, shown_text};
use super::{ConfigError, KEYS, Key, Kind};
use serde_path_to_error::{Path, Segment};
use toml::{Table, Value};

/// Explains why a table is not a configuration.
pub(super) fn explain(table: &Table, path: &Path, error: &toml::de::Error) -> ConfigError {
    let key = key_of(path);
    let message = error.message();
    if let Some(field) = quoted_after(message, "missing field ") {
        return missing(&format!("{key}.{field}"));
    }
    if let Some(field) = quoted_after(message, "unknown field ") {
        let parent = key.strip_suffix(&field).unwrap_or(&key).trim_end_matches('.');
        let full = if parent.is_empty() { field.clone() } else { format!("{parent}.{field}") };
        let value = lookup(table, path)
            .map(|value| value.as_table().and_then(|section| section.get(&field)).unwrap_or(value));
        return unknown_key(&full, &value.map_or_else(String::new, shown));
    }
    let value = lookup(table, path);
    if let Some(chain) = key.strip_prefix("chains.").filter(|_| path.iter().count() == 2) {
        return bad_chain(&key, chain, value, message);
    }
    ConfigError::Value {
        reason: reason(message, value),
        value: value.map_or_else(String::new, shown),
        fix: fix_of_value(&key, value.and_then(Value::as_str).unwrap_or_default()),
        key,
    }
}

/// There is no key of this name. The value is shown as it is given here.
pub(super) fn unknown_key(path: &str, value: &str) -> ConfigError {
    ConfigError::Value {
        key: path.to_owned(),
        value: value.to_owned(),
        reason: "this key does not exist".to_owned(),
        fix: suggestion(path),
    }
}

/// A text, from a flag or the environment, that cannot be the key's value.
pub(super) fn unreadable_text(path: &str, text: &str, reason: &str) -> ConfigError {
    ConfigError::Value {
        key: path.to_owned(),
        value: shown_text(text),
        reason: reason.to_owned(),
        fix: fix_of_value(path, text),
    }
}

/// Where a TOML error is: the line's number, counted from 1, and what stands there before a value.
pub(super) fn place(text: &str, error: &toml::de::Error) -> (usize, String) {
    let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or(text);
    let line = before.matches('\n').count();
    let content = text.lines().nth(line).unwrap_or_default();
    let key = content.split('=').next().unwrap_or_default().trim();
    (line.saturating_add(1), shown_text(key))
}

/// What to write for a key in place of this value: for a key that is true or false, what the value probably means.
fn fix_of_value(path: &str, value: &str) -> String {
    let is_boolean = Key::find(path).is_some_and(|key| key.kind == Kind::Boolean);
    match value.to_ascii_lowercase().as_str() {
        "on" | "yes" | "true" | "1" if is_boolean => "write true, without quotes".to_owned(),
        "off" | "no" | "false" | "0" if is_boolean => "write false, without quotes".to_owned(),
        _ => fix_of(path),
    }
}

/// What to write for a key, or for a section in place of a plain value.
pub(super) fn fix_of(path: &str) -> String {
    let plain = path.split('[').next().unwrap_or(path);
    if let Some(key) = Key::find(plain) {
        return key.fix.to_owned();
    }
    if plain == "chains" || sections().any(|section| plain.ends_with(section)) {
        return format!("write a section: a line [{plain}] and its keys below it");
    }
    "config/default.toml shows every key".to_owned()
}

fn key_of(path: &Path) -> String {
    let text = path.to_string();
    if text == "." { String::new() } else { text }
}

fn missing(key: &str) -> ConfigError {
    let fix = Key::find(key).map_or_else(|| "add it".to_owned(), |key| key.fix.to_owned());
    let reason = "the chain cannot be watched without it".to_owned();
    ConfigError::Missing { key: key.to_owned(), reason, fix }
}

/// The section's name is not a chain id, or the value is not a section.
fn bad_chain(key: &str, chain: &str, value: Option<&Value>, message: &str) -> ConfigError {
    if value.is_some_and(Value::is_table) && chain.parse::<crosscheck_p2p::ChainId>().is_err() {
        return ConfigError::Value {
            key: key.to_owned(),
            value: shown_text(chain),
            reason: "this is not a chain id".to_owned(),
            fix: "name the section after the chain's id, decimal or 0x-hex, such as [chains.901]".to_owned(),
        };
    }
    ConfigError::Value {
        key: key.to_owned(),
        value: value.map_or_else(String::new, shown),
        reason: reason(message, value),
        fix: format!("write a section: a line [{key}] and its keys below it"),
    }
}

/// The parser's reason, in an operator's words and without what may be a secret in the value that it quotes.
fn reason(message: &str, value: Option<&Value>) -> String {
    let is_quoting = message.starts_with("invalid type: ") || message.starts_with("invalid value: ");
    let Some((_, expected)) = message.split_once(", expected ").filter(|_| is_quoting) else {
        return match value.and_then(Value::as_str) {
            Some(text) if !text.is_empty() => message.replace(text, &shown_text(text)),
            _ => message.to_owned(),
        };
    };
    let expected = match expected {
        "a sequence" => "a list",
        "a boolean" => "true or false",
        "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "a map" => "a section",
        other if other.starts_with("struct ") => "a section",
        other => other,
    };
    let found = match value {
        Some(Value::String(_)) => "a string",
        Some(Value::Integer(number)) if *number < 0 => "a negative number",
        Some(Value::Integer(_)) => "a number",
        Some(Value::Float(_)) => "a fractional number",
        Some(Value::Boolean(_)) => "a boolean",
        Some(Value::Datetime(_)) => "a date",
        Some(Value::Array(_)) => "a list",
        Some(Value::Table(_)) => "a section",
        None => "something else",
    };
    format!("expected {expected}, found {found}")
}

/// Every section that is not a chain's, and `p2p`.
fn sections() -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter_map(|key| key.path.split_once('.')).map(|(section, _)| section)
}

fn suggestion(path: &str) -> String {
    let name = path.rsplit('.').next().unwrap_or(path);
    let (parent, chain) = (path.strip_suffix(name).unwrap_or_default(), path.starts_with("chains."));
    let of_keys = KEYS.iter().map(|key| {
        let last = key.path.rsplit('.').next().unwrap_or(key.path);
        let full = format!("{}{}", if key.per_chain { "chains.<id>." } else { "" }, key.path);
        // Of two keys with one name, the one of this section is meant.
        let is_near = key.per_chain == chain && full.strip_suffix(last).is_some_and(|at| at == parent);
        (last, is_near, full)
    });
    let of_sections = sections().chain(["chains"]).map(|section| (section, false, format!("[{section}]")));
    let likeness = |candidate: &str| strsim::jaro_winkler(candidate, name);
    let near = of_keys
        .chain(of_sections)
        .map(|(last, is_near, full)| (likeness(last), is_near, full))
        .filter(|(likeness, ..)| *likeness > 0.8)
        .max_by(|(a, a_near, _), (b, b_near, _)| a.total_cmp(b).then(a_near.cmp(b_near)));
    near.map_or_else(
        || "remove it; config/default.toml shows every key".to_owned(),
        |(.., full)| format!("remove it, or did you mean {full}?"),
    )
}

fn quoted_after(text: &str, before: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    rest.split('`').nth(1).map(ToOwned::to_owned)
}

/// The deepest value that the path leads to.
fn lookup<'a>(table: &'a Table, path: &Path) -> Option<&'a Value> {
    let mut segments = path.iter();
    let Some(Segment::Map { key }) = segments.next() else { return None };
    let mut value = table.get(key)?;
    for segment in segments {
        let inner = match segment {
            Segment::Map { key } => value.as_table().and_then(|section| section.get(key)),
            Segment::Seq { index } => value.as_array().and_then(|items| items.get(*index)),
            Segment::Enum { .. } | Segment::Unknown => None,
        };
        match inner {
            Some(inner) => value = inner,
            None => break,
        }
    }
    Some(value)
}
