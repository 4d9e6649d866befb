//! [`NetworkError`]: why a network's file cannot be used.

use super::NetworkName;

/// Why a network's file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The file compiled in is wrong.
    #[error("src/networks/registry/{name}.toml is wrong: {reason}; correct it and rebuild")]
    Malformed {
        /// The network.
        name: NetworkName,
        /// What is wrong with it.
        reason: String,
    },
    /// The bootnodes compiled in are wrong.
    #[error("src/networks/registry/bootnodes.toml is wrong: {reason}; correct it and rebuild")]
    Bootnodes {
        /// What is wrong with them.
        reason: String,
    },
}
