//! [`Config`]: the settings, typed, with their defaults.

use super::{
    BundleFile, ChainConfig, Doubt, EndpointHeader, FollowConfig, LedgerConfig, MonitorConfig, Seconds, Text,
};
use crate::networks::{KnownNetwork, NetworkName};
use crate::sources::{EndpointLimits, EndpointUrl};
use crosscheck_core::validity::{CycleRule, DEFAULT_EXPIRY_WINDOW, DependencySet};
use crosscheck_p2p::ChainId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Everything that an operator sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the time comes from.
    pub clock: ClockSource,
    /// The public networks whose chains are watched: what is known of them need not be set in their sections.
    pub network: Vec<NetworkName>,
    /// Where the ledger and the keys are. Relative: to the directory that the program is started in.
    pub data_dir: PathBuf,
    /// How long a shutdown may take.
    pub shutdown_timeout: Seconds,
    /// What is logged, and how.
    pub log: LogConfig,
    /// The JSON-RPC server.
    pub rpc: RpcConfig,
    /// The server of health and metrics.
    pub http: HttpConfig,
    /// L1.
    pub l1: L1Config,
    /// How endpoints are asked.
    pub sources: SourcesConfig,
    /// What holds for the messages of all chains.
    pub interop: InteropConfig,
    /// What blocks are checked against.
    pub consolidation: ConsolidationConfig,
    /// The audit's bounds.
    pub audit: AuditConfig,
    /// How long what is in the ledger is kept.
    pub ledger: LedgerConfig,
    /// The monitor's bounds.
    pub monitor: MonitorConfig,
    /// What followers are served.
    pub follow: FollowConfig,
    /// The chains, by id.
    pub chains: BTreeMap<ChainId, ChainConfig>,
    /// What was odd in how the settings were written.
    #[serde(skip)]
    pub written_doubts: Vec<Doubt>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            clock: ClockSource::System,
            network: Vec::new(),
            data_dir: PathBuf::from("crosscheck-data"),
            shutdown_timeout: Seconds(Duration::from_secs(10)),
            log: LogConfig::default(),
            rpc: RpcConfig::default(),
            http: HttpConfig::default(),
            l1: L1Config::default(),
            sources: SourcesConfig::default(),
            interop: InteropConfig::default(),
            consolidation: ConsolidationConfig::default(),
            audit: AuditConfig::default(),
            ledger: LedgerConfig::default(),
            monitor: MonitorConfig::default(),
            follow: FollowConfig::default(),
            chains: BTreeMap::new(),
            written_doubts: Vec::new(),
        }
    }
}

/// Where the time comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ClockSource {
    /// The machine's clock.
    System,
    /// A file that holds the seconds since 1970, kept current by a simulated superchain.
    File(PathBuf),
}

impl FromStr for ClockSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "system" => Ok(Self::System),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            _ => Err(format!("{text:?} is not a source of time")),
        }
    }
}

impl TryFrom<String> for ClockSource {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ClockSource> for String {
    fn from(source: ClockSource) -> Self {
        match source {
            ClockSource::System => "system".to_owned(),
            ClockSource::File(path) => format!("file:{}", path.display()),
        }
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// The layout.
    pub format: LogFormat,
    /// A level, or a filter of `tracing-subscriber`.
    pub level: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Auto, level: "info".to_owned() }
    }
}

/// The layout of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people, in colour on a terminal.
    Auto,
    /// For people, without colour.
    Human,
    /// One JSON object a line.
    Json,
}

/// The JSON-RPC server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RpcConfig {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Whether methods that change something are served.
    pub admin: bool,
}

impl Default for RpcConfig {
    fn default() -> Self {
        Self { addr: (Ipv4Addr::LOCALHOST, 9645).into(), admin: false }
    }
}

/// The server of health and metrics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Where it listens.
    pub addr: SocketAddr,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self { addr: (Ipv4Addr::LOCALHOST, 7300).into() }
    }
}

/// L1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct L1Config {
    /// Its execution client.
    pub execution: Option<EndpointUrl>,
}

/// How endpoints are asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourcesConfig {
    /// How long one request may take.
    pub timeout: Seconds,
    /// How often a rollup node is asked for its heads.
    pub poll_interval: Seconds,
    /// The largest answer read, in MiB.
    pub max_response_mib: u32,
    /// How many requests to one endpoint may be under way at once.
    pub max_concurrent_requests: usize,
    /// What endpoints want to be sent with every request.
    pub headers: Vec<Text<EndpointHeader>>,
}

impl Default for SourcesConfig {
    fn default() -> Self {
        Self {
            timeout: Seconds(Duration::from_secs(10)),
            poll_interval: Seconds(Duration::from_millis(500)),
            max_response_mib: 64,
            max_concurrent_requests: 64,
            headers: Vec::new(),
        }
    }
}

impl SourcesConfig {
    /// The bounds of one endpoint.
    pub const fn limits(&self) -> EndpointLimits {
        EndpointLimits {
            timeout: self.timeout.0,
            max_response_bytes: self.max_response_mib.saturating_mul(1024 * 1024),
            max_concurrent_requests: self.max_concurrent_requests,
        }
    }
}

/// What holds for the messages of all chains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InteropConfig {
    /// How many seconds after its initiation a message may be executed: the protocol's number where it is not set.
    #[serde(skip_serializing_if = "is_the_protocols")]
    pub message_expiry_window: u64,
    /// Whether that is set by hand, be it to the protocol's number.
    #[serde(skip)]
    pub is_window_set: bool,
    /// How much memory the proven logs of all chains may take, in MiB.
    pub log_index_mib: usize,
    /// By which rule the chains' nodes name cycles.
    pub cycle_rule: CycleRule,
}

impl Default for InteropConfig {
    fn default() -> Self {
        Self {
            message_expiry_window: DEFAULT_EXPIRY_WINDOW,
            is_window_set: false,
            log_index_mib: 512,
            cycle_rule: CycleRule::default(),
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_the_protocols(window: &u64) -> bool {
    *window == DEFAULT_EXPIRY_WINDOW
}

impl InteropConfig {
    /// How many bytes the proven logs of all chains may take.
    pub const fn log_index_bytes(&self) -> usize {
        self.log_index_mib.saturating_mul(1024 * 1024)
    }
}

/// What blocks are checked against.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsolidationConfig {
    /// Who says which deposits a block must hold. Unset: L1, where an L1 endpoint is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deposits: Option<DepositSource>,
    /// The upgrade bundles of forks that this build does not know.
    pub upgrade_bundles: Vec<Text<BundleFile>>,
}

/// Who says which deposits a block must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DepositSource {
    /// L1 alone: no L2 node is trusted for it.
    L1,
    /// The chain's own rollup node.
    Sibling,
}

/// The audit's bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// How many cases may be open at once.
    pub max_open: usize,
    /// How many cases are worked on at once.
    pub concurrency: usize,
    /// How long a case may be open before that stands in the way of being ready.
    pub patience: Seconds,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self { max_open: 4096, concurrency: 32, patience: Seconds(Duration::from_secs(15 * 60)) }
    }
}

impl Config {
    /// What is known of a chain, if its network is named.
    pub fn known_network(&self, chain_id: ChainId) -> Option<KnownNetwork> {
        let mut named = self.network.iter().filter_map(|name| name.network().ok());
        named.find(|network| network.chain_id == chain_id)
    }

    /// What is set of the chains' interop rules.
    pub fn dependency_set(&self) -> DependencySet {
        let rules = self.chains.iter().map(|(chain_id, chain)| (*chain_id, chain.rules(*chain_id)));
        let window = self.interop.message_expiry_window;
        let set = DependencySet::of_chains(rules.collect(), window).with_cycle_rule(self.interop.cycle_rule);
        let is_set = self.interop.is_window_set || window != DEFAULT_EXPIRY_WINDOW;
        if is_set { set } else { set.without_expiry_window() }
    }

    /// The L1 endpoint to hold blocks against, if that is wanted.
    pub fn deposits_from_l1(&self) -> Option<&EndpointUrl> {
        self.l1.execution.as_ref().filter(|_| self.consolidation.deposits != Some(DepositSource::Sibling))
    }
}
