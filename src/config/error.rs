//! [`ConfigError`]: what is wrong with the configuration, and how to fix it.

use std::path::PathBuf;

/// What is wrong with the configuration. The program ends with code 64.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(
        "the configuration file {path} cannot be read: {reason}\n  fix: check the path given with --config or CROSSCHECK_CONFIG"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is larger than any configuration.
    #[error(
        "the configuration file {path} has more than {limit} bytes\n  fix: check the path given with --config or CROSSCHECK_CONFIG"
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        limit: u64,
    },
    /// The file is not TOML. The line is not quoted beyond its key: values may be secrets.
    #[error(
        "the configuration file {path} is not valid TOML: line {line}{}: {reason}\n  fix: correct that line",
        in_brackets(key.as_deref())
    )]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What the line begins with: its key or its section. `None`: it begins with neither, as a line of a
        /// list does.
        key: Option<String>,
        /// What the parser said.
        reason: String,
    },
    /// There is no such key. Its value is not shown: nobody knows what it is.
    #[error("{key}: this key does not exist\n  fix: {fix}")]
    UnknownKey {
        /// The key, with its sections.
        key: String,
        /// What to write instead.
        fix: String,
    },
    /// A key has a value that it cannot have.
    #[error("{key} = {value}: {reason}\n  fix: {fix}")]
    Value {
        /// The key, with its sections.
        key: String,
        /// What it was set to, without what may be a secret.
        value: String,
        /// Why that cannot be.
        reason: String,
        /// What to write instead.
        fix: String,
    },
    /// A key that must be set is not.
    #[error("{key} is not set: {reason}\n  fix: {fix}")]
    Missing {
        /// The key.
        key: String,
        /// What needs it.
        reason: String,
        /// What to write.
        fix: String,
    },
}

fn in_brackets(key: Option<&str>) -> String {
    key.map_or_else(String::new, |key| format!(" ({key})"))
}
