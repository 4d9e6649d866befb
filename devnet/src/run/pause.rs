//! [`Pauses`]: the blocks at which a run stops until it is asked to continue, and the file that says so.
//!
//! While a run is paused there is a file in its directory that holds the block's number. Anyone who removes
//! it lets the run continue. Nothing here waits, and no chain is moved.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

/// The name of the file in the devnet's directory.
const FILE_NAME: &str = "paused";

/// A pause that cannot be reported.
#[derive(Debug, thiserror::Error)]
#[error(
    "the file {path}, which says that the devnet is paused, cannot be used ({source}): give a writable --dir"
)]
pub struct PauseError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Where a run stops.
#[derive(Debug)]
pub(crate) struct Pauses {
    file: PathBuf,
    blocks: BTreeSet<u64>,
}

impl Pauses {
    /// Pauses at these blocks, announced by a file in a directory. A file of an earlier run is removed.
    ///
    /// # Errors
    /// When a file was left there and cannot be removed.
    pub(crate) fn new(dir: &Path, blocks: impl IntoIterator<Item = u64>) -> Result<Self, PauseError> {
        let file = dir.join(FILE_NAME);
        match std::fs::remove_file(&file) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(PauseError { path: file, source }),
            Ok(()) | Err(_) => Ok(Self { file, blocks: blocks.into_iter().collect() }),
        }
    }

    /// The pause that begins now that this block is built, if there is to be one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn begin(&self, block: u64) -> Result<Option<Pause>, PauseError> {
        if !self.blocks.contains(&block) {
            return Ok(None);
        }
        // Renamed into its place, so that nobody finds it half written.
        let unfinished = self.file.with_extension("new");
        let written = std::fs::write(&unfinished, format!("{block}\n"));
        let written = written.and_then(|()| std::fs::rename(&unfinished, &self.file));
        written.map_err(|source| PauseError { path: self.file.clone(), source })?;
        Ok(Some(Pause { file: self.file.clone() }))
    }
}

/// A pause that continues until its file is removed. Dropped, it removes the file itself.
#[derive(Debug)]
pub(crate) struct Pause {
    file: PathBuf,
}

impl Pause {
    /// The file that is there meanwhile.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Whether the file was removed. What cannot be checked is taken to be there.
    pub(crate) fn is_over(&self) -> bool {
        self.file.try_exists().is_ok_and(|exists| !exists)
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        // Usually it is removed already.
        let _ = std::fs::remove_file(&self.file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_reported_with_its_block_and_over_when_the_file_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("paused");
        let pauses = Pauses::new(dir.path(), [7, 9, 7]).unwrap();
        for block in [1, 6, 8, 10] {
            assert!(pauses.begin(block).unwrap().is_none());
        }
        for block in [7, 9] {
            let pause = pauses.begin(block).unwrap().unwrap();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{block}\n"));
            assert!(!pause.is_over());
            std::fs::remove_file(pause.file()).unwrap();
            assert!(pause.is_over());
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_run_that_ends_while_it_is_paused_leaves_no_file_and_takes_none_over() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("paused");
        drop(Pauses::new(dir.path(), [1]).unwrap().begin(1).unwrap());
        assert!(!file.exists());
        std::fs::write(&file, "5\n").unwrap();
        let pauses = Pauses::new(dir.path(), []).unwrap();
        assert!(!file.exists() && pauses.begin(5).unwrap().is_none());
    }

    #[test]
    fn a_file_that_cannot_be_written_is_an_error_that_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let pauses = Pauses::new(&dir.path().join("gone"), [1]).unwrap();
        let error = pauses.begin(1).unwrap_err().to_string();
        assert!(error.contains("gone/paused") && error.contains("--dir"), "{error}");
        std::fs::create_dir(dir.path().join("paused")).unwrap();
        assert!(Pauses::new(dir.path(), [1]).is_err(), "a directory is in the way");
    }
}
