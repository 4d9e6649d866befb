//! Turns what a parser says into errors that name the key, the value, the reason and the fix.
//!
//! Never repeats a secret that a parser's message quotes.

use super::keys::keys;
use super::redaction::{shown, shown_text};
use super::value_check::kind_of;
use super::{ConfigError, Key};
use serde_path_to_error::{Path, Segment};
use toml::{Table, Value};

/// Explains why a table is not a configuration, although its keys and kinds are right: a text that its parser does not accept.
pub(super) fn explain(table: &Table, path: &Path, error: &toml::de::Error) -> ConfigError {
    let key = path.to_string();
    let value = lookup(table, path);
    ConfigError::Value {
        reason: reason(error.message(), value),
        value: value.map_or_else(String::new, shown),
        fix: fix_of(&key),
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
        fix: Key::find(path).map_or_else(|| fix_of(path), |key| key.fix_of_text(text)),
    }
}

/// Where a TOML error is: the line's number, counted from 1, and what precedes the value there.
pub(super) fn position(text: &str, error: &toml::de::Error) -> (usize, String) {
    let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or(text);
    let line = before.matches('\n').count();
    let content = text.lines().nth(line).unwrap_or_default();
    let key = content.split('=').next().unwrap_or_default().trim();
    (line.saturating_add(1), shown_text(key))
}

/// Why the parser of TOML refuses a line.
pub(super) fn reason_of_syntax(error: &toml::de::Error) -> String {
    let message = error.message();
    let is_number =
        message.starts_with("invalid type: integer") || message.starts_with("invalid value: integer");
    if is_number { "the number is too large or too small".to_owned() } else { message.to_owned() }
}

/// What to write for a key, or for a section in place of a plain value.
pub(super) fn fix_of(path: &str) -> String {
    let plain = path.split('[').next().unwrap_or(path);
    if let Some(key) = Key::find(plain) {
        return key.fix();
    }
    let is_chain = plain.strip_prefix("chains.").is_some_and(|chain| !chain.contains('.'));
    if plain == "chains" || is_chain || sections().any(|section| plain.ends_with(section)) {
        return format!("write a section: a line [{plain}] and its keys below it");
    }
    "crosscheck doc config prints every key".to_owned()
}

/// The parser's reason, without what may be a secret in the value that it quotes.
fn reason(message: &str, value: Option<&Value>) -> String {
    let is_quoting = message.starts_with("invalid type: ") || message.starts_with("invalid value: ");
    match (message.split_once(", expected ").filter(|_| is_quoting), value) {
        (Some((_, expected)), value) => {
            format!("expected {expected}, found {}", value.map_or("something else", kind_of))
        }
        (None, Some(Value::String(text))) if !text.is_empty() => message.replace(text, &shown_text(text)),
        (None, _) => message.to_owned(),
    }
}

/// Every section that is not a chain's, and `p2p`.
fn sections() -> impl Iterator<Item = &'static str> {
    keys().filter_map(|key| key.path.split_once('.')).map(|(section, _)| section)
}

fn suggestion(path: &str) -> String {
    let name = path.rsplit('.').next().unwrap_or(path);
    let (parent, chain) = (path.strip_suffix(name).unwrap_or_default(), path.starts_with("chains."));
    let of_keys = keys().map(|key| {
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
        // Within the section a name that is less like it may be meant.
        .filter(|(likeness, is_near, _)| *likeness > if *is_near { 0.7 } else { 0.8 })
        .max_by(|(a, a_near, _), (b, b_near, _)| a.total_cmp(b).then(a_near.cmp(b_near)));
    near.map_or_else(
        || "remove it; crosscheck doc config prints every key".to_owned(),
        |(.., full)| format!("remove it, or did you mean {full}?"),
    )
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
