//! What an operator sets: a TOML file, below environment variables, below flags.
//!
//! Every key is known here, every value is parsed here, and every error names the key, the value, the
//! reason and the fix. Never reads anything but the file and the environment that it is given.

mod bundle;
mod chain;
mod check;
mod doubt;
mod error;
mod explain;
mod follow;
mod header;
mod keys;
mod known;
mod layers;
mod ledger;
mod monitor;
mod network;
mod node_list;
mod redaction;
mod settings;
#[cfg(test)]
mod tests;
mod values;
mod written;

pub use bundle::BundleFile;
pub use chain::ChainConfig;
pub use doubt::Doubt;
pub use error::ConfigError;
pub use follow::{FollowConfig, FollowMode};
pub use header::EndpointHeader;
pub use keys::{KEYS, Key, Kind};
pub use layers::Layers;
pub use ledger::LedgerConfig;
pub use monitor::MonitorConfig;
pub use network::P2pConfig;
pub use node_list::NodeList;
pub(crate) use redaction::shown_text;
pub use settings::{
    ClockSource, Config, DepositSource, HttpConfig, LogConfig, LogFormat, RpcConfig, SourcesConfig,
};
pub use values::{Seconds, Text};
