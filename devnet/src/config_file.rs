//! [`SidecarConfig`]: the configuration file with which a sidecar watches the devnet.

use alloy::primitives::Address;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The file's name in the devnet's directory.
pub const FILE_NAME: &str = "crosscheck.toml";

/// Everything that a sidecar must know of the devnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SidecarConfig {
    /// `system`, or `file:` and the path of a clock file.
    pub clock: String,
    /// Where the sidecar keeps what it must not lose.
    pub data_dir: PathBuf,
    /// How long its shutdown may take.
    pub shutdown_timeout: &'static str,
    /// Its JSON-RPC server.
    pub rpc: ListenConfig,
    /// Its HTTP server for health and metrics.
    pub http: ListenConfig,
    /// The L1.
    pub l1: L1Config,
    /// The dependency set's parameters.
    pub interop: InteropConfig,
    /// What blocks are checked against, where more must be known than the program knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consolidation: Option<ConsolidationSection>,
    /// What it serves to followers, if it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow: Option<FollowSection>,
    /// The chains, by id.
    pub chains: BTreeMap<String, ChainConfig>,
}

/// Where a server listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ListenConfig {
    /// The address.
    pub addr: SocketAddr,
}

/// The L1's endpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct L1Config {
    /// URL of the execution client.
    pub execution: String,
}

/// The dependency set's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct InteropConfig {
    /// In seconds.
    pub message_expiry_window: u64,
    /// How much memory proven logs may take, MiB.
    pub log_index_mib: u64,
}

/// What blocks are checked against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConsolidationSection {
    /// The upgrade bundles of forks that the program does not know.
    pub upgrade_bundles: Vec<String>,
}

/// What is served to followers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FollowSection {
    /// Which heads.
    pub mode: &'static str,
    /// Where.
    pub addr: SocketAddr,
}

/// One chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChainConfig {
    /// URLs of its execution clients.
    pub execution: Vec<String>,
    /// URL of its rollup node.
    pub rollup_node: String,
    /// Seconds between two blocks.
    pub block_time: u64,
    /// When interop was activated, Unix seconds.
    pub interop_time: u64,
    /// The chains whose messages it may execute.
    pub dependency_set: Vec<String>,
    /// Its `SystemConfig` on L1, which names the attester.
    pub system_config: Address,
    /// Its gossip network.
    pub p2p: P2pConfig,
}

/// A chain's gossip network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct P2pConfig {
    /// Where the sidecar listens.
    pub listen: Vec<String>,
    /// Whom it dials.
    pub static_peers: Vec<String>,
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
    /// Writes the file into a directory, over an older one, and all at once: anyone who finds it finds all of it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, dir: &Path) -> Result<PathBuf, ConfigFileError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_the_shape_that_the_sidecar_reads() {
        let addr = SocketAddr::from(([127, 0, 0, 1], 7_000));
        let chain = ChainConfig {
            execution: vec!["http://127.0.0.1:1".into()],
            rollup_node: "http://127.0.0.1:2".into(),
            block_time: 2,
            interop_time: 0,
            dependency_set: vec!["901".into()],
            system_config: Address::repeat_byte(0xaa),
            p2p: P2pConfig {
                listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
                static_peers: vec!["/ip4/x".into()],
            },
        };
        let config = SidecarConfig {
            clock: "file:/x/clock".into(),
            data_dir: "/x/sidecar".into(),
            shutdown_timeout: "120s",
            rpc: ListenConfig { addr },
            http: ListenConfig { addr },
            l1: L1Config { execution: "http://127.0.0.1:3".into() },
            interop: InteropConfig { message_expiry_window: 32, log_index_mib: 64 },
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
