//! Turns what a parser says into errors that name the key, the value, the reason and the fix.
//!
//! Never repeats a secret that a parser's message quotes.

use super::keys::keys;
use super::redaction::{NOT_SHOWN, shortened, shortened_reason, shown, shown_text};
use super::value_check::kind_of;
use super::{ConfigError, Key};
use crosscheck_p2p::ChainId;
use serde_path_to_error::{Path, Segment};
use toml::{Table, Value};

/// Explains why a table is not a configuration, although its keys and kinds are right: a text that its parser
/// does not accept.
pub(super) fn explain(table: &Table, path: &Path, error: &toml::de::Error) -> ConfigError {
    let key = path.to_string();
    let value = lookup(table, path);
    ConfigError::Value {
        reason: reason(error.message(), value),
        value: value.map_or_else(|| NOT_SHOWN.to_owned(), |value| shown_at(&key, value)),
        fix: fix_of(&key),
        key: shortened(&key),
    }
}

/// The value of a key, or of an entry of its list, as a message may show it.
fn shown_at(path: &str, value: &Value) -> String {
    match key_of(path) {
        Some(key) => key.shown(value),
        None => shown(value),
    }
}

/// The key at a path, which may lead to an entry of its list.
fn key_of(path: &str) -> Option<&'static Key> {
    Key::find(path.split('[').next().unwrap_or(path))
}

/// There is no key of this name.
pub(super) fn unknown_key(path: &str) -> ConfigError {
    ConfigError::UnknownKey { key: shown_text(path), fix: suggestion(path) }
}

/// A text, from a flag or the environment, that cannot be the key's value.
pub(super) fn unreadable_text(path: &str, text: &str, reason: &str) -> ConfigError {
    let key = Key::find(path);
    let is_secret = key.is_some_and(|key| key.form.is_secret);
    ConfigError::Value {
        key: shortened(path),
        value: if is_secret { NOT_SHOWN.to_owned() } else { shown_text(text) },
        reason: shortened_reason(reason),
        fix: key.map_or_else(|| fix_of(path), |key| key.fix_of_text(text)),
    }
}

/// Where a TOML error is: the line's number, counted from 1, and the key or the section that the line begins
/// with.
pub(super) fn position(text: &str, error: &toml::de::Error) -> (usize, Option<String>) {
    let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or(text);
    let line = before.matches('\n').count();
    let content = text.lines().nth(line).unwrap_or_default().trim();
    (line.saturating_add(1), known_start(content).map(shown_text))
}

/// The key of a line `key = value`, or the section of a line `[section]`, if there is such a one. Anything
/// else may be a part of a value, and so of a secret.
fn known_start(line: &str) -> Option<&str> {
    if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name)
    {
        let is_known = sections().any(|known| known == section) || is_chain_section(section);
        return is_known.then(|| line.get(..section.len().saturating_add(2))).flatten();
    }
    let name = line.split_once('=')?.0.trim();
    let is_key = |key: &Key| key.path == name || key.path.rsplit('.').next() == Some(name);
    (Key::find(name).is_some() || keys().any(is_key)).then_some(name)
}

/// Whether a name is `chains.<id>` or `chains.<id>.p2p`.
fn is_chain_section(name: &str) -> bool {
    let Some(chain) = name.strip_prefix("chains.") else { return false };
    chain.strip_suffix(".p2p").unwrap_or(chain).parse::<ChainId>().is_ok()
}

/// Why the parser of TOML refuses a line.
pub(super) fn reason_of_syntax(text: &str, error: &toml::de::Error) -> String {
    let message = error.message();
    let is_number = ["invalid type: integer", "invalid value: integer", "integer number overflowed"];
    if !is_number.iter().any(|start| message.starts_with(start)) {
        return shortened_reason(message);
    }
    match error.span().and_then(|span| text.get(span)).is_some_and(|number| number.starts_with('-')) {
        true => format!("the number is below {}, the smallest of TOML", i64::MIN),
        false => format!("the number is above {}, the largest of TOML", i64::MAX),
    }
}

/// What to write for a key, or for a section in place of a plain value.
pub(super) fn fix_of(path: &str) -> String {
    let plain = path.split('[').next().unwrap_or(path);
    if let Some(key) = Key::find(plain) {
        return key.fix();
    }
    let is_chain = plain.strip_prefix("chains.").is_some_and(|chain| !chain.contains('.'));
    if plain == "chains" || is_chain || sections().any(|section| plain.ends_with(section)) {
        return format!("write a section: a line [{}] and its keys below it", shortened(plain));
    }
    "crosscheck doc config prints every key".to_owned()
}

/// The parser's reason, without what may be a secret in the value that it quotes.
fn reason(message: &str, value: Option<&Value>) -> String {
    shortened_reason(&whole_reason(message, value))
}

fn whole_reason(message: &str, value: Option<&Value>) -> String {
    let is_quoting = message.starts_with("invalid type: ") || message.starts_with("invalid value: ");
    match (message.split_once(", expected ").filter(|_| is_quoting), value) {
        (Some((_, expected)), value) => {
            format!("expected {expected}, found {}", value.map_or("something else", kind_of))
        }
        // A message may quote the text as it is, or with escapes.
        (None, Some(Value::String(text))) if !text.is_empty() => message
            .replace(&format!("{text:?}"), &format!("{:?}", shown_text(text)))
            .replace(text, &shown_text(text)),
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
