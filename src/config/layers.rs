//! [`Layers`]: file, environment and flags, laid over each other and parsed once.

use super::explain::{explain, position, reason_of_syntax, unknown_key, unreadable_text};
use super::keys::keys;
use super::redaction::shortened;
use super::shape::{check_required, check_shape, written};
use super::{Config, ConfigError, Key};
use crosscheck_p2p::ChainId;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use toml::{Table, Value};

/// The settings as written, before they are parsed: file, then environment, then flags.
#[derive(Debug, Default)]
pub struct Layers {
    table: Table,
    warnings: Vec<Warning>,
}

/// A variable of the environment that looks like a setting and is not one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The variable.
    pub variable: String,
}

const PREFIX: &str = "CROSSCHECK_";

/// The largest file read, in bytes: room for thousands of chains.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

impl Layers {
    /// Reads the file.
    ///
    /// # Errors
    /// If it cannot be read or is not TOML.
    pub fn file(mut self, path: &Path) -> Result<Self, ConfigError> {
        let text = read(path)?;
        self.table = text.parse().map_err(|error: toml::de::Error| {
            let (line, key) = position(&text, &error);
            ConfigError::Syntax { path: path.into(), line, key, reason: reason_of_syntax(&text, &error) }
        })?;
        Ok(self)
    }

    /// Lays environment variables over what is there: `CROSSCHECK_RPC_ADDR`,
    /// `CROSSCHECK_CHAINS_901_EXECUTION`. Variables with the prefix that name no key are kept as warnings:
    /// orchestrators set such by themselves.
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
    /// If this key does not exist, or the value cannot be read as its kind.
    pub fn flag(mut self, path: &str, text: &str) -> Result<Self, ConfigError> {
        self.set(path, text)?;
        Ok(self)
    }

    /// Where the server of a section listens. `None`: that is not set. Nothing else of the settings is
    /// checked.
    ///
    /// # Errors
    /// If what is written there is not an address.
    pub fn addr(&self, section: &str) -> Result<Option<SocketAddr>, ConfigError> {
        let path = format!("{section}.addr");
        let Some(value) = self.table.get(section).and_then(|section| section.get("addr")) else {
            return Ok(None);
        };
        let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        let addr = text.parse().map_err(|_| unreadable_text(&path, &text, "not an address with a port"))?;
        Ok(Some(addr))
    }

    /// The variables of the environment that look like settings and are not.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Parses the settings.
    ///
    /// # Errors
    /// The first key that is unknown, missing or has a value that it cannot have.
    pub fn parse(self) -> Result<Config, ConfigError> {
        let config = self.parse_unchecked()?;
        config.check_rules()?;
        Ok(config)
    }

    /// Parses the settings without checking whether they can work together.
    pub(super) fn parse_unchecked(mut self) -> Result<Config, ConfigError> {
        refuse_duplicate_chains(&self.table)?;
        let written_doubts = super::written::written_doubts(&self.table);
        super::network_defaults::apply_network_defaults(&mut self.table)?;
        check_shape(&self.table)?;
        let deserializer = Value::Table(self.table.clone());
        let config: Result<Config, _> = serde_path_to_error::deserialize(deserializer);
        let mut config = config.map_err(|error| explain(&self.table, error.path(), error.inner()))?;
        check_required(&self.table)?;
        config.written_doubts = written_doubts;
        Ok(config)
    }

    fn set(&mut self, path: &str, text: &str) -> Result<(), ConfigError> {
        let Some(key) = Key::find(path) else {
            return Err(unknown_key(path));
        };
        let value = key.form.read(text).map_err(|reason| unreadable_text(path, text, &reason))?;
        let path = self.as_written(path);
        let mut table = &mut self.table;
        let mut parts = path.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                table.insert(part.to_owned(), value);
                break;
            }
            let section = table.entry(part).or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(section) = section else {
                let part = shortened(part);
                let reason = format!("{part} is already set to something that is not a section");
                return Err(unreadable_text(&path, text, &reason));
            };
            table = section;
        }
        Ok(())
    }

    /// The path with the chain's id as the layers below write it: `chains.901` may be `chains.0x385` there.
    fn as_written(&self, path: &str) -> String {
        let mut parts = path.splitn(3, '.');
        let (Some("chains"), Some(id), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return path.to_owned();
        };
        let chain_id = id.parse::<ChainId>().ok();
        let sections = self.table.get("chains").and_then(Value::as_table);
        let same = sections
            .into_iter()
            .flat_map(Table::keys)
            .find(|name| chain_id.is_some() && name.parse::<ChainId>().ok() == chain_id);
        format!("chains.{}.{rest}", same.map_or(id, String::as_str))
    }
}

/// Reads the file, which may be any file, within a bound.
fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable =
        |error: std::io::Error| ConfigError::Unreadable { path: path.into(), reason: error.to_string() };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES.saturating_add(1)).read_to_string(&mut text).map_err(unreadable)?;
    match u64::try_from(text.len()) {
        Ok(size) if size <= MAX_FILE_BYTES => Ok(text),
        _ => Err(ConfigError::TooLarge { path: path.into(), limit: MAX_FILE_BYTES }),
    }
}

/// `CROSSCHECK_CHAINS_901_P2P_LISTEN` is `chains.901.p2p.listen`.
fn key_of_variable(variable: &str) -> Option<String> {
    if let Some((chain_id, name)) =
        variable.strip_prefix("CROSSCHECK_CHAINS_").and_then(|rest| rest.split_once('_'))
    {
        let key = keys().find(|key| key.per_chain && key.variable() == name)?;
        return Some(format!("chains.{chain_id}.{}", key.path));
    }
    let key = keys().find(|key| !key.per_chain && key.variable() == variable)?;
    Some(key.path.to_owned())
}

/// Chain 901 may be written `901` and `0x385`: still one chain.
fn refuse_duplicate_chains(table: &Table) -> Result<(), ConfigError> {
    let Some(Value::Table(chains)) = table.get("chains") else {
        return Ok(());
    };
    let mut seen = std::collections::BTreeMap::new();
    for name in chains.keys() {
        let Ok(chain_id) = name.parse::<ChainId>() else {
            continue;
        };
        if let Some(first) = seen.insert(chain_id, name) {
            return Err(ConfigError::Value {
                key: format!("chains.{}", written(name)),
                value: shortened(name),
                reason: format!("this is chain {chain_id}, which [chains.{}] configures too", written(first)),
                fix: "keep one section for each chain".to_owned(),
            });
        }
    }
    Ok(())
}

impl Config {
    /// Reads a configuration file alone, without environment and flags.
    ///
    /// # Errors
    /// If it cannot be read, is not TOML, or holds a setting that cannot work.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Layers::default().file(path)?.parse()
    }
}
