//! The source files of a crate, for tests that read them.

use std::path::{Path, PathBuf};

/// The source files below a directory, without tests.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match name.as_str() {
            "tests" | "tests.rs" => {}
            name if name.ends_with("_tests.rs") => {}
            _ if path.is_dir() => found.extend(files(&path)),
            name if name.ends_with(".rs") => found.push(path),
            _ => {}
        }
    }
    found
}
