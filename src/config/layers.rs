//! [`Layers`]: file, environment and flags, laid over each other and parsed once.

use super::{Config, ConfigError, Key, Kind};
use serde::Deserialize;
use std::path::Path;
use toml::{Table, Value};

/// The settings as written, before they are parsed: file, then environment, then flags.
#[derive(Debug, Default)]
pub struct Layers {
    table: Table,
    warnings: Vec<Warning>,
}

/// Something in the environment that looks like a setting and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The variable.
    pub variable: String,
}

const PREFIX: &str = "CROSSCHECK_";

impl Layers {
    /// Reads the file.
    ///
    /// # Errors
    /// If it cannot be read or is no TOML.
    pub fn file(mut self, path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { path: path.into(), reason: error.to_string() })?;
        self.table = text.parse().map_err(|error: toml::de::Error| ConfigError::Syntax {
            path: path.into(),
            reason: error.to_string(),
        })?;
        Ok(self)
    }

    /// Lays environment variables over what is there: `CROSSCHECK_RPC_ADDR`, `CROSSCHECK_CHAINS_901_EXECUTION`.
    /// Variables with the prefix that name no key are kept as warnings: orchestrators set such by themselves.
    ///
    /// # Errors
    /// If a value cannot be read as the key's kind.
    pub fn environment(
        mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        for (variable, text) in variables {
            if !variable.starts_with(PREFIX) || text.is_empty() {
                continue;
            }
            match key_of_variable(&variable) {
                Some(path) => self.set(&path, &text)?,
                None => self.warnings.push(Warning { variable }),
            }
        }
        Ok(self)
    }

    /// Lays one setting over what is there, as a flag gives it.
    ///
    /// # Errors
    /// If there is no such key, or the value cannot be read as its kind.
    pub fn flag(mut self, path: &str, text: &str) -> Result<Self, ConfigError> {
        self.set(path, text)?;
        Ok(self)
    }

    /// What in the environment looked like a setting and is none.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Parses the settings.
    ///
    /// # Errors
    /// The first key that is unknown, missing or has a value that it cannot have.
    pub fn parse(self) -> Result<Config, ConfigError> {
        refuse_doubled_chains(&self.table)?;
        let deserializer = Value::Table(self.table.clone());
        let config: Config = serde_path_to_error::deserialize(deserializer)
            .map_err(|error| describe(&self.table, &error.path().to_string(), error.inner()))?;
        config.check()?;
        Ok(config)
    }

    fn set(&mut self, path: &str, text: &str) -> Result<(), ConfigError> {
        let Some(key) = Key::find(path) else {
            return Err(unknown_key(path, text));
        };
        let value = match key.kind {
            Kind::Text => Value::String(text.to_owned()),
            Kind::Integer => Value::Integer(text.parse().map_err(|_| ConfigError::Value {
                key: path.to_owned(),
                value: text.to_owned(),
                reason: "not a whole number".to_owned(),
                fix: key.fix.to_owned(),
            })?),
            Kind::List => {
                Value::Array(text.split(',').map(|item| Value::String(item.trim().to_owned())).collect())
            }
        };
        let mut table = &mut self.table;
        let mut parts = path.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                table.insert(part.to_owned(), value);
                break;
            }
            let section = table.entry(part).or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(section) = section else {
                return Err(unknown_key(path, text));
            };
            table = section;
        }
        Ok(())
    }
}

/// `CROSSCHECK_CHAINS_901_P2P_LISTEN` is `chains.901.p2p.listen`.
fn key_of_variable(variable: &str) -> Option<String> {
    if let Some((chain_id, name)) =
        variable.strip_prefix("CROSSCHECK_CHAINS_").and_then(|rest| rest.split_once('_'))
    {
        let key = super::KEYS.iter().find(|key| key.per_chain && key.variable() == name)?;
        return Some(format!("chains.{chain_id}.{}", key.path));
    }
    let key = super::KEYS.iter().find(|key| !key.per_chain && key.variable() == variable)?;
    Some(key.path.to_owned())
}

/// Chain 901 may be written `901` and `0x385`: still one chain.
fn refuse_doubled_chains(table: &Table) -> Result<(), ConfigError> {
    let Some(Value::Table(chains)) = table.get("chains") else {
        return Ok(());
    };
    let mut seen = std::collections::BTreeMap::new();
    for name in chains.keys() {
        let Ok(chain_id) = name.parse::<crosscheck_p2p::ChainId>() else {
            continue;
        };
        if let Some(first) = seen.insert(chain_id, name) {
            return Err(ConfigError::Value {
                key: format!("chains.{name}"),
                value: name.clone(),
                reason: format!("this is chain {chain_id}, which [chains.{first}] configures too"),
                fix: "keep one section for each chain".to_owned(),
            });
        }
    }
    Ok(())
}

fn unknown_key(path: &str, value: &str) -> ConfigError {
    ConfigError::Value {
        key: path.to_owned(),
        value: value.to_owned(),
        reason: "there is no such key".to_owned(),
        fix: suggestion(path),
    }
}

fn suggestion(path: &str) -> String {
    let name = path.rsplit('.').next().unwrap_or(path);
    let near = super::KEYS
        .iter()
        .map(|key| (strsim::jaro_winkler(key.path.rsplit('.').next().unwrap_or(key.path), name), key))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    near.map_or_else(
        || "remove it; config/default.toml lists every key".to_owned(),
        |(_, key)| {
            let section = if key.per_chain { "chains.<id>." } else { "" };
            format!("remove it, or did you mean {section}{}?", key.path)
        },
    )
}

/// Turns a parse error into one that names key, value, reason and fix.
fn describe(table: &Table, path: &str, error: &toml::de::Error) -> ConfigError {
    let reason = error.message().to_owned();
    let path = path.trim_start_matches('.').trim_start_matches("? ").to_owned();
    if let Some(field) = quoted_after(&reason, "missing field ") {
        let key = format!("{path}.{field}");
        let fix = Key::find(&key).map_or_else(|| "add it".to_owned(), |key| key.fix.to_owned());
        return ConfigError::Missing {
            key,
            reason: "the chain cannot be watched without it".to_owned(),
            fix,
        };
    }
    let plain = path.split('[').next().unwrap_or(&path);
    let value = lookup(table, plain).map_or_else(String::new, ToString::to_string);
    if reason.contains("unknown field") {
        let field = quoted_after(&reason, "unknown field ").unwrap_or_default();
        let key = if path.ends_with(&field) { path } else { format!("{path}.{field}") };
        let value = lookup(table, &key).map_or(value, ToString::to_string);
        return unknown_key(&key, &value);
    }
    let fix = Key::find(plain.trim_end_matches('.'))
        .map_or_else(|| "see config/default.toml".to_owned(), |key| key.fix.to_owned());
    ConfigError::Value { key: path, value, reason, fix }
}

fn quoted_after(text: &str, before: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    rest.split('`').nth(1).map(ToOwned::to_owned)
}

fn lookup<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let first = table.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.as_table()?.get(part))
}

impl Config {
    /// Reads a configuration file alone, without environment and flags.
    ///
    /// # Errors
    /// If it cannot be read, is no TOML, or holds a setting that cannot work.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Layers::default().file(path)?.parse()
    }

    /// Parses a text without checking that it can be run: for templates.
    ///
    /// # Errors
    /// What the parser says.
    pub fn parse_unchecked(text: &str) -> Result<Self, toml::de::Error> {
        Self::deserialize(toml::Deserializer::parse(text)?)
    }
}
