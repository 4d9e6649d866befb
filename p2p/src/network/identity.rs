//! [`NodeIdentity`]: the secp256k1 key that a node is known by, kept in a file.
//!
//! The file has the secret as 64 hex digits, as op-node's does, and is readable by its owner only. Never
//! overwrites a file and never shows the key.

use libp2p::{
    PeerId,
    identity::{Keypair, secp256k1},
};
use std::{
    fmt, fs, io,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

/// More than any way of writing 32 bytes as hex needs.
const MAX_FILE_BYTES: u64 = 256;

/// A node's libp2p key, secp256k1.
#[derive(Clone)]
pub struct NodeIdentity {
    keypair: Keypair,
}

/// Why a node's key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The file could not be read or written.
    #[error("cannot {action} the node key {}: {detail}; check its directory and permissions", path.display())]
    File {
        /// `read` or `create`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        detail: String,
    },
    /// The file does not have a key.
    #[error(
        "the node key {} is not 64 hex digits of a secp256k1 key: restore it, or move it away to create a new one",
        path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

impl NodeIdentity {
    /// A new random key, which is not stored.
    pub fn generate() -> Self {
        Self { keypair: secp256k1::Keypair::generate().into() }
    }

    /// The key in a file. If there is no such file, a new key is written there.
    ///
    /// # Errors
    /// [`IdentityError`]: the file cannot be read or created, or does not have a key.
    pub fn load_or_create(path: &Path) -> Result<Self, IdentityError> {
        match fs::File::open(path) {
            Ok(file) => Self::load(&file, path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(error) => Err(file_error("read", path, &error)),
        }
    }

    /// The node's libp2p peer id.
    pub fn peer_id(&self) -> PeerId {
        self.keypair.public().to_peer_id()
    }

    pub(super) const fn keypair(&self) -> &Keypair {
        &self.keypair
    }

    pub(super) fn into_keypair(self) -> Keypair {
        self.keypair
    }

    fn load(file: &fs::File, path: &Path) -> Result<Self, IdentityError> {
        let mut text = String::new();
        file.take(MAX_FILE_BYTES)
            .read_to_string(&mut text)
            .map_err(|error| file_error("read", path, &error))?;
        let text = text.trim();
        let malformed = || IdentityError::Malformed { path: path.to_owned() };
        let secret = hex::decode(text.strip_prefix("0x").unwrap_or(text)).map_err(|_| malformed())?;
        let secret = secp256k1::SecretKey::try_from_bytes(secret).map_err(|_| malformed())?;
        Ok(Self { keypair: secp256k1::Keypair::from(secret).into() })
    }

    fn create(path: &Path) -> Result<Self, IdentityError> {
        let key = secp256k1::Keypair::generate();
        write_new(path, hex::encode(key.secret().to_bytes()).as_bytes())
            .map_err(|error| file_error("create", path, &error))?;
        Ok(Self { keypair: key.into() })
    }
}

fn file_error(action: &'static str, path: &Path, error: &io::Error) -> IdentityError {
    IdentityError::File { action, path: path.to_owned(), detail: error.to_string() }
}

/// Writes a file that did not exist, whole or not at all, readable by its owner only. A key that another
/// process wrote meanwhile is not replaced.
fn write_new(path: &Path, contents: &[u8]) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(())
}

impl fmt::Debug for NodeIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeIdentity").field("peer_id", &self.peer_id()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_key_is_created_once_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.key");
        let created = NodeIdentity::load_or_create(&path).unwrap();
        assert_eq!(NodeIdentity::load_or_create(&path).unwrap().peer_id(), created.peer_id());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    /// In a container every run has the same process id.
    #[test]
    fn a_file_left_by_a_killed_run_does_not_prevent_a_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.key");
        fs::write(dir.path().join(format!("node.key.{}.new", std::process::id())), "11").unwrap();
        NodeIdentity::load_or_create(&path).unwrap();
    }

    #[test]
    fn a_directory_that_is_missing_is_named_once() {
        let error = NodeIdentity::load_or_create(Path::new("/nowhere/node.key")).unwrap_err();
        assert!(std::error::Error::source(&error).is_none());
        assert!(error.to_string().contains("create the node key /nowhere/node.key: No such file"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.key");
        NodeIdentity::load_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[rstest]
    #[case::empty("")]
    #[case::short("11")]
    #[case::no_hex(&"zz".repeat(32))]
    #[case::zero(&"00".repeat(32))]
    #[case::too_long(&"11".repeat(200))]
    fn a_file_without_a_key_is_refused_and_left_alone(#[case] text: &str) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.key");
        fs::write(&path, text).unwrap();
        assert!(matches!(NodeIdentity::load_or_create(&path), Err(IdentityError::Malformed { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn a_known_key_gives_its_peer_id() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.key");
        fs::write(&path, format!("0x{}\n", "11".repeat(32))).unwrap();
        let expected = secp256k1::Keypair::from(secp256k1::SecretKey::try_from_bytes([0x11; 32]).unwrap());
        assert_eq!(
            NodeIdentity::load_or_create(&path).unwrap().peer_id(),
            Keypair::from(expected).public().to_peer_id()
        );
    }
}
