//! Checks the settings as they are written, against the table of keys: every name is a key or a section,
//! every value has the form of its key, and nothing that is required is missing. What a text means is left
//! for its parser.

use super::explain::{fix_of, unknown_key};
use super::keys::keys;
use super::redaction::{shortened, shown, shown_text};
use super::value_check::kind_of;
use super::{ConfigError, Key};
use crate::config::form::WhenUnset;
use crosscheck_p2p::ChainId;
use toml::{Table, Value};

/// Checks names, kinds and bounds.
///
/// # Errors
/// The first one that is not accepted.
pub(super) fn check_shape(table: &Table) -> Result<(), ConfigError> {
    for (name, value) in table {
        match name.as_str() {
            "chains" => check_chains(value)?,
            _ => Place { before: "", per_chain: false }.check_entry("", name, value)?,
        }
    }
    Ok(())
}

/// Checks that each chain's section has what is required.
///
/// # Errors
/// The first key that is missing.
pub(super) fn check_required(table: &Table) -> Result<(), ConfigError> {
    let chains = table.get("chains").and_then(Value::as_table).into_iter().flatten();
    for (name, chain) in chains {
        let is_missing = |key: &&Key| at_path(chain, key.path).is_none();
        let mut required = keys().filter(|key| key.form.when_unset == WhenUnset::Required);
        if let Some(key) = required.find(is_missing) {
            return Err(ConfigError::Missing {
                key: format!("chains.{}.{}", written(name), key.path),
                reason: "the chain cannot be watched without it".to_owned(),
                fix: key.fix(),
            });
        }
    }
    Ok(())
}

/// The value at the path of a key, which may lead through sections.
fn at_path<'a>(section: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(section, |section, name| section.get(name))
}

fn check_chains(value: &Value) -> Result<(), ConfigError> {
    for (name, chain) in section("chains", value)? {
        let key = format!("chains.{}", written(name));
        let keys = section(&key, chain)?;
        if name.parse::<ChainId>().is_err() {
            return Err(ConfigError::Value {
                key,
                value: shown_text(name),
                reason: "this is not a chain id".to_owned(),
                fix: "name the section after the chain's id, decimal or 0x-hex, such as [chains.901]"
                    .to_owned(),
            });
        }
        Place { before: &format!("{key}."), per_chain: true }.check_entries("", keys)?;
    }
    Ok(())
}

/// Where the keys of a table are: those of the program, or those of a chain.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// What precedes the path of a key in an error.
    before: &'a str,
    per_chain: bool,
}

impl Place<'_> {
    fn check_entries(self, path: &str, table: &Table) -> Result<(), ConfigError> {
        table.iter().try_for_each(|(name, value)| self.check_entry(path, name, value))
    }

    fn check_entry(self, path: &str, name: &str, value: &Value) -> Result<(), ConfigError> {
        let name = written(name);
        let path = format!("{path}{name}");
        let full = format!("{}{path}", self.before);
        let mut keys = keys().filter(|key| key.per_chain == self.per_chain);
        let within = format!("{path}.");
        match keys.clone().find(|key| key.path == path) {
            Some(key) => check_value(key, &full, value),
            None if keys.any(|key| key.path.starts_with(&within)) => {
                self.check_entries(&within, section(&full, value)?)
            }
            None => Err(unknown_key(&full)),
        }
    }
}

fn check_value(key: &Key, full: &str, value: &Value) -> Result<(), ConfigError> {
    let Err(refusal) = key.form.check(value) else { return Ok(()) };
    let entry = refusal.index.and_then(|index| Some((index, value.as_array()?.get(index)?)));
    let (path, value) = match entry {
        Some((index, item)) => (format!("{full}[{index}]"), item),
        None => (full.to_owned(), value),
    };
    Err(ConfigError::Value {
        key: path,
        value: key.shown(value),
        reason: refusal.reason,
        fix: value.as_str().map_or_else(|| key.fix(), |text| key.fix_of_text(text)),
    })
}

fn section<'a>(path: &str, value: &'a Value) -> Result<&'a Table, ConfigError> {
    value.as_table().ok_or_else(|| ConfigError::Value {
        key: path.to_owned(),
        value: shown(value),
        reason: format!("expected a section, found {}", kind_of(value)),
        fix: fix_of(path),
    })
}

/// A name as the file has it, cut if it is very long: in quotes, if it is more than letters, digits, `_` and
/// `-`.
pub(super) fn written(name: &str) -> String {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if is_bare { shortened(name) } else { format!("\"{}\"", shown_text(name).escape_debug()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_within_a_section_of_a_section_is_found() {
        let chain: Table = "block_time = 2\n[p2p]\nlisten = []\n".parse().unwrap();
        let chain = Value::Table(chain);
        assert_eq!(at_path(&chain, "block_time"), Some(&Value::from(2)));
        assert_eq!(at_path(&chain, "p2p.listen"), Some(&Value::Array(vec![])));
        assert_eq!(at_path(&chain, "p2p.discovery"), None);
        assert_eq!(at_path(&chain, "block_time.listen"), None);
    }
}
