//! What an operator sets: a TOML file, below environment variables, below flags.
//!
//! Every key is written once, as an entry of its `section!`: name, type, default, accepted values and text.
//! The typed settings, the checks, the flags and variables, the fixes in errors and `config/default.toml`
//! follow from it. What several keys must keep together is a rule, in `rules`. Every error names the key, the
//! value, the reason and the fix. Never reads anything but the file and the environment that it is given.

mod bundle;
mod chain;
mod clock;
mod default_file;
mod doubt;
mod endpoints;
mod error;
mod explain;
mod follow;
mod form;
mod header;
mod interop;
mod keys;
mod layers;
mod limits;
mod network;
mod network_defaults;
mod node_list;
mod opinions;
mod redaction;
mod rules;
mod section;
mod servers;
mod settings;
mod shape;
#[cfg(test)]
mod tests;
mod value_check;
mod values;
mod written;

pub use bundle::BundleFile;
pub use chain::ChainConfig;
pub use clock::ClockSource;
pub(crate) use default_file::default_file;
pub use doubt::Doubt;
pub use endpoints::{L1Config, SourcesConfig};
pub use error::ConfigError;
pub use follow::{FollowConfig, FollowMode};
pub use header::EndpointHeader;
pub use interop::{ConsolidationConfig, DepositSource, InteropConfig};
pub(crate) use keys::{Key, keys};
pub use layers::Layers;
pub use limits::{AuditConfig, LedgerConfig, MonitorConfig};
pub use network::P2pConfig;
pub use node_list::NodeList;
pub use opinions::OpinionsConfig;
pub(crate) use redaction::shown_text;
pub use servers::{HttpConfig, LogConfig, LogFormat, RpcConfig};
pub use settings::Config;
pub use values::{DurationSetting, Text};
