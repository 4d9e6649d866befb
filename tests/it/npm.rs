//! What `npm ci --prefix tests/npm` installs: compilers and peers, each at a pinned version.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The package that tests call into.
pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm")
}

/// A path of an installed package.
///
/// # Panics
/// If it is not installed.
pub(crate) fn installed(path: &str) -> PathBuf {
    let installed = directory().join("node_modules").join(path);
    assert!(
        installed.exists(),
        "{path} is not installed: run `npm ci --prefix tests/npm` in the repository first"
    );
    installed
}

/// Node.js, told to run one of the package's scripts.
pub(crate) fn node(script: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("node");
    command.arg(directory().join(script)).args(arguments);
    command
}
