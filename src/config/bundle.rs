//! [`BundleFile`]: the file with the upgrade bundle of a fork that this build does not know.

use super::redaction::{shortened, shortened_reason};
use super::{Config, ConfigError};
use core::fmt;
use crosscheck_core::consolidation::Fork;
use crosscheck_core::consolidation::deposits::NamedBundle;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// The largest file that is read as a bundle, in bytes: Lagoon's has 0.6 MB.
const MAX_BUNDLE_BYTES: u64 = 16 * 1024 * 1024;

/// A fork and its bundle's file, written `fork=path`, or `fork:Label=path` where the intents begin otherwise
/// than with the fork's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleFile {
    fork: String,
    label: Option<String>,
    path: PathBuf,
}

/// Why a text is not such a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleSettingError {
    /// A part of it is missing.
    #[error("{0:?} is not of the form fork=path")]
    Form(String),
    /// The fork's bundle is compiled in.
    #[error("the upgrade transactions of {0} are built in: no bundle can be set for it")]
    Known(Fork),
}

impl FromStr for BundleFile {
    type Err = BundleSettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || BundleSettingError::Form(text.to_owned());
        let (fork, path) = text.split_once('=').ok_or_else(form)?;
        let (fork, label) = match fork.split_once(':') {
            Some((fork, label)) => (fork, Some(label)),
            None => (fork, None),
        };
        if fork.is_empty() || path.is_empty() || label.is_some_and(str::is_empty) {
            return Err(form());
        }
        if let Some(known) = Fork::ALL.into_iter().find(|known| known.name() == fork) {
            return Err(BundleSettingError::Known(known));
        }
        Ok(Self { fork: fork.to_owned(), label: label.map(str::to_owned), path: path.into() })
    }
}

impl fmt::Display for BundleFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fork)?;
        if let Some(label) = &self.label {
            write!(f, ":{label}")?;
        }
        write!(f, "={}", self.path.display())
    }
}

impl BundleFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the intents of its transactions begin with.
    fn label(&self) -> String {
        self.label.clone().unwrap_or_else(|| {
            let mut letters = self.fork.chars();
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
        })
    }

    fn read(&self) -> Result<NamedBundle, String> {
        let length = std::fs::metadata(&self.path).map_err(|error| error.to_string())?.len();
        if length > MAX_BUNDLE_BYTES {
            return Err(format!("it has {length} bytes, more than {MAX_BUNDLE_BYTES}"));
        }
        let text = std::fs::read_to_string(&self.path).map_err(|error| error.to_string())?;
        NamedBundle::read(&self.fork, &self.label(), &text).map_err(|error| error.to_string())
    }
}

impl Config {
    /// Reads the bundles that the settings name.
    ///
    /// # Errors
    /// If one cannot be read, or is not a bundle.
    pub fn read_bundles(&self) -> Result<Arc<[NamedBundle]>, ConfigError> {
        let read = |file: &super::Text<BundleFile>| {
            file.0.read().map_err(|reason| ConfigError::Value {
                key: "consolidation.upgrade_bundles".to_owned(),
                value: shortened(&file.0.to_string()),
                reason: shortened_reason(&reason),
                fix: "name a bundle as upstream publishes it (op-core/nuts/bundles/<fork>_nut_bundle.json)"
                    .to_owned(),
            })
        };
        self.consolidation.upgrade_bundles.iter().map(read).collect()
    }
}
