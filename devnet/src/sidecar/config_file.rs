//! [`SidecarConfig`]: the configuration file with which a sidecar watches the devnet.

use crate::chain::upgrade;
use alloy::primitives::Address;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The file's name in the devnet's directory.
pub(crate) const FILE_NAME: &str = "crosscheck.toml";

/// Everything that a sidecar must know of the devnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SidecarConfig {
    /// `system`, or `file:` and the path of a clock file.
    pub(crate) clock: String,
    /// Where the sidecar keeps what it must not lose.
    pub(crate) data_dir: PathBuf,
    /// How long its shutdown may take.
    pub(crate) shutdown_timeout: &'static str,
    /// Its JSON-RPC server.
    pub(crate) rpc: ListenSection,
    /// Its HTTP server for health and metrics.
    pub(crate) http: ListenSection,
    /// The L1.
    pub(crate) l1: L1Section,
    /// The dependency set's parameters.
    pub(crate) interop: InteropSection,
    /// What blocks are checked against, where more must be known than the program knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) consolidation: Option<ConsolidationSection>,
    /// What it serves to followers, if it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) follow: Option<FollowSection>,
    /// The chains, by id.
    pub(crate) chains: BTreeMap<String, ChainSection>,
}

/// Where a server listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ListenSection {
    /// The address.
    pub(crate) addr: SocketAddr,
}

/// The L1's endpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct L1Section {
    /// URL of the execution client.
    pub(crate) execution: String,
}

/// The dependency set's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct InteropSection {
    /// In seconds.
    pub(crate) message_expiry_window: u64,
    /// How much memory proven logs may take, MiB.
    pub(crate) log_index_mib: u64,
}

/// What blocks are checked against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ConsolidationSection {
    /// The upgrade bundles of forks that the program does not know.
    pub(crate) upgrade_bundles: Vec<String>,
}

/// What is served to followers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FollowSection {
    /// Which heads.
    pub(crate) mode: &'static str,
    /// Where.
    pub(crate) addr: SocketAddr,
}

/// One chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ChainSection {
    /// URLs of its execution clients.
    pub(crate) execution: Vec<String>,
    /// URL of its rollup node.
    pub(crate) rollup_node: String,
    /// URLs of endpoints whose safe head is taken as a claim, if it has any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) claimants: Vec<String>,
    /// Seconds between two blocks.
    pub(crate) block_time: u64,
    /// When interop was activated, Unix seconds.
    pub(crate) interop_time: u64,
    /// The chains whose messages it may execute.
    pub(crate) dependency_set: Vec<String>,
    /// Its `SystemConfig` on L1, which names the attester.
    pub(crate) system_config: Address,
    /// Its gossip network.
    pub(crate) p2p: P2pSection,
}

/// A chain's gossip network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct P2pSection {
    /// Where the sidecar listens.
    pub(crate) listen: Vec<String>,
    /// Whom it dials.
    pub(crate) static_peers: Vec<String>,
}

/// A configuration file that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFileError {
    /// The values have no TOML form.
    #[error("the sidecar's configuration has no TOML form: {source}")]
    Encode {
        /// Why.
        source: toml::ser::Error,
    },
    /// The file cannot be written.
    #[error("{path} cannot be written ({source}): give a writable --dir")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl SidecarConfig {
    /// Writes the file into a directory, over an older one, and all at once: anyone who finds it finds all of
    /// it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write(&self, dir: &Path) -> Result<PathBuf, ConfigFileError> {
        let text = toml::to_string(self).map_err(|source| ConfigFileError::Encode { source })?;
        let path = dir.join(FILE_NAME);
        let header = "# Written by `crosscheck devnet`; it is rewritten at every start.\n";
        let unfinished = path.with_extension("toml.new");
        std::fs::write(&unfinished, format!("{header}{text}"))
            .and_then(|()| std::fs::rename(&unfinished, &path))
            .map_err(|source| ConfigFileError::Write { path: path.clone(), source })?;
        Ok(path)
    }
}

/// The bundle's file in the devnet's directory.
const BUNDLE_FILE_NAME: &str = "tempest_nut_bundle.json";

/// Writes the upgrade bundle of the devnet's own fork, and gives what names it in a sidecar's configuration.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn write_bundle(dir: &Path) -> Result<String, ConfigFileError> {
    let path = dir.join(BUNDLE_FILE_NAME);
    std::fs::write(&path, upgrade::bundle_file())
        .map_err(|source| ConfigFileError::Write { path: path.clone(), source })?;
    Ok(format!("{}={}", upgrade::FORK, path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_the_shape_that_the_sidecar_reads() {
        let addr = SocketAddr::from(([127, 0, 0, 1], 7_000));
        let chain = ChainSection {
            execution: vec!["http://127.0.0.1:1".into()],
            rollup_node: "http://127.0.0.1:2".into(),
            claimants: vec!["http://127.0.0.1:4".into()],
            block_time: 2,
            interop_time: 0,
            dependency_set: vec!["901".into()],
            system_config: Address::repeat_byte(0xaa),
            p2p: P2pSection {
                listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
                static_peers: vec!["/ip4/x".into()],
            },
        };
        let config = SidecarConfig {
            clock: "file:/x/clock".into(),
            data_dir: "/x/sidecar".into(),
            shutdown_timeout: "120s",
            rpc: ListenSection { addr },
            http: ListenSection { addr },
            l1: L1Section { execution: "http://127.0.0.1:3".into() },
            interop: InteropSection { message_expiry_window: 32, log_index_mib: 64 },
            consolidation: Some(ConsolidationSection {
                upgrade_bundles: vec!["tempest=/x/bundle.json".into()],
            }),
            follow: Some(FollowSection { mode: "attested", addr }),
            chains: BTreeMap::from([("901".to_owned(), chain)]),
        };
        let dir = tempfile::tempdir().unwrap();
        let text = std::fs::read_to_string(config.write(dir.path()).unwrap()).unwrap();
        let expected = toml::toml! {
            clock = "file:/x/clock"
            data_dir = "/x/sidecar"
            shutdown_timeout = "120s"
            [rpc]
            addr = "127.0.0.1:7000"
            [http]
            addr = "127.0.0.1:7000"
            [l1]
            execution = "http://127.0.0.1:3"
            [interop]
            message_expiry_window = 32
            log_index_mib = 64
            [consolidation]
            upgrade_bundles = ["tempest=/x/bundle.json"]
            [follow]
            mode = "attested"
            addr = "127.0.0.1:7000"
            [chains.901]
            execution = ["http://127.0.0.1:1"]
            rollup_node = "http://127.0.0.1:2"
            claimants = ["http://127.0.0.1:4"]
            block_time = 2
            interop_time = 0
            dependency_set = ["901"]
            system_config = "0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            [chains.901.p2p]
            listen = ["/ip4/127.0.0.1/tcp/0"]
            static_peers = ["/ip4/x"]
        };
        assert_eq!(text.parse::<toml::Table>().unwrap(), expected);
    }
}
