//! [`Config`]: the settings, typed, with their defaults.

use super::form::{any_duration, list, text};
use super::section::section;
use super::values::secs;
use super::{
    AuditConfig, ChainConfig, ClockSource, ConsolidationConfig, DepositSource, Doubt, DurationSetting,
    FollowConfig, HttpConfig, InteropConfig, L1Config, LedgerConfig, LogConfig, MonitorConfig,
    OpinionsConfig, RpcConfig, SourcesConfig,
};
use crate::networks::{KnownNetwork, NetworkName};
use crate::sources::EndpointUrl;
use crosscheck_core::validity::DependencySet;
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;
use std::path::PathBuf;

section! {
    /// Everything that an operator sets.
    pub struct Config at "", per_chain: false {
        /// The source of time. A simulated superchain keeps such a file current; real chains need "system".
        clock: ClockSource = ClockSource::System,
            text("\"system\", or \"file:<path>\" of a file with the seconds since 1970");

        /// The public networks whose chains are watched. Known names are op-mainnet, unichain, ink, soneium,
        /// mode, zora, worldchain, metal, bob, ethernity, binary; op-sepolia, unichain-sepolia, ink-sepolia,
        /// soneium-minato, mode-sepolia, zora-sepolia, worldchain-sepolia, metal-sepolia, ethernity-sepolia,
        /// creator-chain-testnet. The [chains.<id>] section of a named network needs only endpoints. What it
        /// does not set has a default of the network: block_time, interop_time (where it was announced) and
        /// dependency_set; with a rollup node also system_config, p2p.listen, p2p.discovery and
        /// p2p.bootnodes. OP and Unichain execute each other's messages: watch both. The section of another
        /// chain needs block_time, and with a rollup node system_config or unsafe_block_signer; without a
        /// rollup node it needs interop_time and dependency_set. Shape, Shape Sepolia and HashKey Chain have
        /// no name here because the published registry lists no fork of theirs after Granite, and gossip
        /// depends on the later forks; Boba and sepolia-devnet-2 are not in the registry.
        network: Vec<NetworkName> = Vec::new(), list("names of public networks")
            .example("[\"op-mainnet\", \"unichain\"]");

        /// The directory of the ledger and of the network keys. It is created if it is missing. Only one
        /// program can use it at a time. The ledger belongs to the chains that it was started with: chains
        /// with another genesis need another directory. A relative path starts at the working directory of
        /// crosscheck, not at the directory of this file.
        data_dir: PathBuf = PathBuf::from("crosscheck-data"), text("a directory that this user may write to");

        /// The time limit of a shutdown. After it tasks are aborted.
        shutdown_timeout: DurationSetting = DurationSetting(secs(10)), any_duration();
    }
    and {
        /// What is logged, and how.
        log: LogConfig = LogConfig::default();
        /// The JSON-RPC server.
        rpc: RpcConfig = RpcConfig::default();
        /// The server of health and metrics.
        http: HttpConfig = HttpConfig::default();
        /// L1.
        l1: L1Config = L1Config::default();
        /// How endpoints are asked.
        sources: SourcesConfig = SourcesConfig::default();
        /// What applies to the messages of all chains.
        interop: InteropConfig = InteropConfig::default();
        /// What blocks are checked against.
        consolidation: ConsolidationConfig = ConsolidationConfig::default();
        /// The audit's bounds.
        audit: AuditConfig = AuditConfig::default();
        /// How long what is in the ledger is kept.
        ledger: LedgerConfig = LedgerConfig::default();
        /// The monitor's bounds.
        monitor: MonitorConfig = MonitorConfig::default();
        /// What followers are served.
        follow: FollowConfig = FollowConfig::default();
        /// Whose answers are compared with the own ones.
        opinions: OpinionsConfig = OpinionsConfig::default();
        /// The chains, by id.
        chains: BTreeMap<ChainId, ChainConfig> = BTreeMap::new();
        /// What was odd in how the settings were written.
        #[serde(skip)]
        written_doubts: Vec<Doubt> = Vec::new();
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
        let interop = &self.interop;
        let set = DependencySet::of_chains(rules.collect(), interop.expiry_window());
        let set = set.with_cycle_rule(interop.cycle_rule);
        if interop.message_expiry_window.is_some() { set } else { set.without_expiry_window() }
    }

    /// The L1 endpoint to check blocks against, if that is wanted.
    pub fn deposits_from_l1(&self) -> Option<&EndpointUrl> {
        self.l1.execution.as_ref().filter(|_| self.consolidation.deposits != Some(DepositSource::Sibling))
    }
}
