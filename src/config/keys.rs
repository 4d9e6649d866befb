//! [`Key`]: one key of the configuration. Flags, environment variables and all texts about a key follow from
//! its row, which is where its section is defined.

use super::form::{Example, Form, Kind, WhenUnset};
use super::redaction::{NOT_SHOWN, shown};
use super::section::Section;
use super::{
    AuditConfig, ChainConfig, Config, ConsolidationConfig, FollowConfig, HttpConfig, InteropConfig, L1Config,
    LedgerConfig, LogConfig, MonitorConfig, OpinionsConfig, P2pConfig, RpcConfig, SourcesConfig,
};
use toml::Value;

/// Every section, in the order of `config/default.toml`.
pub(super) const SECTIONS: &[Section] = &[
    Config::SECTION,
    LogConfig::SECTION,
    RpcConfig::SECTION,
    HttpConfig::SECTION,
    L1Config::SECTION,
    SourcesConfig::SECTION,
    InteropConfig::SECTION,
    ConsolidationConfig::SECTION,
    AuditConfig::SECTION,
    LedgerConfig::SECTION,
    MonitorConfig::SECTION,
    FollowConfig::SECTION,
    OpinionsConfig::SECTION,
    ChainConfig::SECTION,
    P2pConfig::SECTION,
];

/// One key.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// Its path: sections and name, with dots. For a key of a chain's section without the `chains.<id>.`
    /// before it.
    pub(crate) path: &'static str,
    /// Whether each chain's section has it.
    pub(crate) per_chain: bool,
    /// What it does, as lines.
    pub(super) text: &'static str,
    /// Which values it accepts.
    pub(super) form: Form,
    /// Its default as the file would give it. `None`: it has none.
    pub(super) written_default: fn() -> Option<Value>,
}

/// Every key.
pub(crate) fn keys() -> impl Iterator<Item = &'static Key> + Clone {
    SECTIONS.iter().flat_map(|section| section.keys)
}

impl Key {
    /// The key with this full path, `chains.<id>.` included.
    pub(crate) fn find(path: &str) -> Option<&'static Self> {
        let mut parts = path.splitn(3, '.');
        let in_chain = match (parts.next(), parts.next(), parts.next()) {
            (Some("chains"), Some(_), Some(rest)) => Some(rest),
            _ => None,
        };
        keys().find(|key| match in_chain {
            Some(rest) => key.per_chain && key.path == rest,
            None => !key.per_chain && key.path == path,
        })
    }

    /// Its environment variable; of a key of a chain, what follows `CROSSCHECK_CHAINS_<id>_`.
    pub(crate) fn variable(&self) -> String {
        let name = self.path.replace('.', "_").to_uppercase();
        if self.per_chain { name } else { format!("CROSSCHECK_{name}") }
    }

    /// The placeholder of its value in the help of its flag.
    pub(crate) const fn value_name(&self) -> &'static str {
        self.form.value_name()
    }

    /// Its help: what it does, what may be written, its default or what happens without it, and its variable.
    pub(crate) fn help(&self) -> String {
        let text = one_line(self.text);
        let first = text.split_once(". ").map_or(text.as_str(), |(first, _)| first).trim_end_matches('.');
        let unset = match (self.form.when_unset, self.default()) {
            (WhenUnset::Means(meaning), _) => format!("not set: {meaning}"),
            (WhenUnset::Required, _) | (WhenUnset::Default, None) => "required".to_owned(),
            (WhenUnset::Default, Some(value)) if is_empty_list(&value) => "default: none".to_owned(),
            (WhenUnset::Default, Some(value)) => format!("default: {value}"),
        };
        format!("{first}: {} [{unset}] [env: {}]", self.form.phrase(), self.variable())
    }

    /// A value of it as a message may show it.
    pub(super) fn shown(&self, value: &Value) -> String {
        if self.form.is_secret { NOT_SHOWN.to_owned() } else { shown(value) }
    }

    /// Its default as the file would give it. `None`: it is not set by default.
    pub(super) fn default(&self) -> Option<Value> {
        (self.form.when_unset == WhenUnset::Default).then(self.written_default).flatten()
    }

    /// A value that shows how it is written, as TOML.
    pub(super) fn example(&self) -> Option<String> {
        match self.form.example {
            Example::None => None,
            Example::Default => self.default().map(|value| value.to_string()),
            Example::Toml(toml) => Some(toml.to_owned()),
        }
    }

    /// What to write.
    pub(super) fn fix(&self) -> String {
        let is_said = matches!(self.form.kind, Kind::Boolean | Kind::Whole(_) | Kind::Choice(_));
        let example = self.example().filter(|_| !is_said);
        let example = example.map_or_else(String::new, |example| format!(", such as {example}"));
        format!("write {}{example}", self.form.phrase())
    }

    /// What to write in place of a text: for a key that is true or false, what the text probably means.
    pub(super) fn fix_of_text(&self, text: &str) -> String {
        let is_boolean = self.form.kind == Kind::Boolean;
        match text.to_ascii_lowercase().as_str() {
            "on" | "yes" | "true" | "1" if is_boolean => "write true, without quotes".to_owned(),
            "off" | "no" | "false" | "0" if is_boolean => "write false, without quotes".to_owned(),
            _ => self.fix(),
        }
    }
}

/// Whether a value is a list without entries.
pub(super) fn is_empty_list(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

/// Lines as one.
pub(super) fn one_line(lines: &str) -> String {
    lines.split_whitespace().collect::<Vec<_>>().join(" ")
}
