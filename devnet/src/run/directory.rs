//! [`Directory`]: where a devnet keeps its files.
//!
//! A directory that the user named is made and kept; otherwise a temporary one is made, and removed at the
//! end.

use std::{
    io,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A directory that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the devnet's directory {path} cannot be created ({source}): give a writable --dir")]
pub struct DirectoryError {
    /// The directory.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// The devnet's directory. A temporary one is removed when this is dropped.
#[derive(Debug)]
pub(crate) enum Directory {
    /// One that the user named.
    Kept(PathBuf),
    /// One of our own.
    Temporary(TempDir),
}

impl Directory {
    /// Makes the directory, if it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn open(named: Option<&Path>) -> Result<Self, DirectoryError> {
        match named {
            Some(path) => {
                let made = std::fs::create_dir_all(path).and_then(|()| path.canonicalize());
                made.map(Self::Kept).map_err(|source| DirectoryError { path: path.to_owned(), source })
            }
            None => tempfile::Builder::new()
                .prefix("crosscheck-devnet-")
                .tempdir()
                .map(Self::Temporary)
                .map_err(|source| DirectoryError { path: std::env::temp_dir(), source }),
        }
    }

    /// Its absolute path.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(dir) => dir.path(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_directory_stays_and_a_temporary_one_goes() {
        let root = tempfile::tempdir().unwrap();
        let named = root.path().join("a/b");
        drop(Directory::open(Some(&named)).unwrap());
        assert!(named.is_dir());
        let temporary = Directory::open(None).unwrap();
        let path = temporary.path().to_owned();
        assert!(path.is_dir());
        drop(temporary);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_in_the_way_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Directory::open(Some(&file.path().join("x"))).unwrap_err();
        assert!(error.to_string().contains("--dir"));
    }
}
