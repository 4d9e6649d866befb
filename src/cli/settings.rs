//! [`SettingsArgs`]: the configuration file, and a flag for every key.

use super::print_to_stderr;
use crate::config::{Config, ConfigError, Key, Layers, keys, shown_text};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use std::path::{Path, PathBuf};

/// Where settings come from: file, then environment, then flags.
#[derive(Debug, Clone, Default)]
pub(crate) struct SettingsArgs {
    file: Option<PathBuf>,
    flags: Vec<(String, String)>,
}

impl Args for SettingsArgs {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .env("CROSSCHECK_CONFIG")
            .value_parser(clap::value_parser!(PathBuf))
            .help("The configuration file (crosscheck doc config prints every key)");
        let set = Arg::new("set")
            .long("set")
            .value_name("KEY=VALUE")
            .action(ArgAction::Append)
            .help("Set any key, including a chain's: --set chains.901.block_time=2");
        let flags = keys().filter(|key| !key.per_chain).map(|key| {
            Arg::new(key.path)
                .long(flag_name(key))
                .value_name(key.value_name())
                .help(key.help())
                .help_heading("Settings")
        });
        command.arg(file).arg(set).args(flags)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// The environment's settings. What others keep in the environment may be any bytes, and is none of ours.
pub(super) fn variables() -> Result<Vec<(String, String)>, ConfigError> {
    let all = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    all.filter(|(name, _)| name.starts_with("CROSSCHECK_") && name != "CROSSCHECK_CONFIG")
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(value) => Err(ConfigError::Value {
                key: name,
                value: format!("{} bytes", value.len()),
                reason: "the variable's value is not UTF-8".to_owned(),
                fix: "write it in UTF-8, or set the key in the file".to_owned(),
            }),
        })
        .collect()
}

/// `sources.poll_interval` is `--sources.poll-interval`.
fn flag_name(key: &Key) -> String {
    key.path.replace('_', "-")
}

impl FromArgMatches for SettingsArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut settings = Self::default();
        settings.update_from_arg_matches(matches)?;
        Ok(settings)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.file = matches.get_one::<PathBuf>("config").cloned();
        for key in keys().filter(|key| !key.per_chain) {
            if let Some(value) = matches.get_one::<String>(key.path) {
                self.flags.push((key.path.to_owned(), value.clone()));
            }
        }
        for setting in matches.get_many::<String>("set").into_iter().flatten() {
            let (key, value) = setting.split_once('=').ok_or_else(|| {
                let problem = format!("--set {}: write --set KEY=VALUE\n", shown_text(setting));
                clap::Error::raw(clap::error::ErrorKind::ValueValidation, problem)
            })?;
            self.flags.push((key.trim().to_owned(), value.trim().to_owned()));
        }
        Ok(())
    }
}

impl SettingsArgs {
    /// Whether neither a file nor a flag is given.
    pub(super) const fn is_empty(&self) -> bool {
        self.file.is_none() && self.flags.is_empty()
    }

    /// Reads the settings, and prints which variables look like settings and are none.
    pub(crate) fn load(&self) -> Result<Config, ConfigError> {
        let (config, unused) = self.read()?;
        for variable in unused {
            print_to_stderr(&format!("warning: {variable} is not a setting; ignored"));
        }
        Ok(config)
    }

    /// Reads the settings. Beside them: the variables that look like settings and are none.
    pub(super) fn read(&self) -> Result<(Config, Vec<String>), ConfigError> {
        let mut layers = Layers::default();
        if let Some(file) = &self.file {
            layers = layers.file(file)?;
        }
        layers = layers.environment(variables()?)?;
        for (key, value) in &self.flags {
            layers = layers.flag(key, value)?;
        }
        let unused = layers.warnings().iter().map(|warning| warning.variable.clone()).collect();
        Ok((layers.parse()?.with_headers()?, unused))
    }

    /// The configuration file, if one was named.
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}
