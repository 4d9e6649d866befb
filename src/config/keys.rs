//! [`KEYS`]: every key there is, with its kind and its fix. Flags and environment variables follow from it.

/// How a key's value is written on the command line and in the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text, taken as it is.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// Texts, separated by commas.
    List,
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its path: sections and name, with dots. In a chain's section without the `chains.<id>.` before it.
    pub path: &'static str,
    /// How its value is written.
    pub kind: Kind,
    /// Whether it stands in each chain's section.
    pub per_chain: bool,
    /// What to write.
    pub fix: &'static str,
}

const fn key(path: &'static str, kind: Kind, fix: &'static str) -> Key {
    Key { path, kind, per_chain: false, fix }
}

const fn chain_key(path: &'static str, kind: Kind, fix: &'static str) -> Key {
    Key { path, kind, per_chain: true, fix }
}

/// Every key there is.
pub const KEYS: &[Key] = &[
    key("clock", Kind::Text, "write \"system\", or \"file:<path>\" of a file with the seconds since 1970"),
    key("network", Kind::List, "write names of public networks, such as [\"op-mainnet\", \"unichain\"]"),
    key("data_dir", Kind::Text, "write a directory that this user may write to"),
    key("shutdown_timeout", Kind::Text, "write a duration with its unit, such as \"10s\""),
    key("log.format", Kind::Text, "write \"auto\", \"human\" or \"json\""),
    key(
        "log.level",
        Kind::Text,
        "write a level (error, warn, info, debug, trace) or a filter such as \"info,crosscheck=debug\"",
    ),
    key("rpc.addr", Kind::Text, "write an address and a port, such as \"127.0.0.1:9645\""),
    key("rpc.admin", Kind::Boolean, "write true or false"),
    key("http.addr", Kind::Text, "write an address and a port, such as \"127.0.0.1:7300\""),
    key("l1.execution", Kind::Text, "write an http:// or https:// URL"),
    key("sources.timeout", Kind::Text, "write a duration with its unit, such as \"5s\""),
    key("sources.poll_interval", Kind::Text, "write a duration with its unit, such as \"500ms\""),
    key("sources.max_response_mib", Kind::Integer, "write a whole number of mebibytes, 1 to 1024"),
    key("sources.max_concurrent_requests", Kind::Integer, "write a whole number, 1 to 1024"),
    key(
        "sources.headers",
        Kind::List,
        "write where the value is, never the value, such as [\"https://node.example authorization=file:/run/secrets/node\"]",
    ),
    key("interop.message_expiry_window", Kind::Integer, "write seconds, 1 to 604800"),
    key("interop.log_index_mib", Kind::Integer, "write a whole number of mebibytes, 1 to 1048576"),
    key("interop.cycle_rule", Kind::Text, "write \"both\", \"stripping\" or \"components\""),
    key("consolidation.deposits", Kind::Text, "write \"l1\" or \"sibling\""),
    key(
        "consolidation.upgrade_bundles",
        Kind::List,
        "write fork=path for each fork that this build does not know, such as [\"zephyr=zephyr_nut_bundle.json\"]",
    ),
    key("audit.max_open", Kind::Integer, "write a whole number, 1 to 1000000"),
    key("audit.concurrency", Kind::Integer, "write a whole number, 1 to 1024"),
    key("audit.patience", Kind::Text, "write a duration with its unit, such as \"15m\""),
    key(
        "ledger.keep_upheld",
        Kind::Text,
        "write a duration with its unit, \"7days\" or longer, such as \"30days\"",
    ),
    key("monitor.max_messages", Kind::Integer, "write a whole number, 1 to 100000000"),
    key(
        "monitor.retention",
        Kind::Text,
        "write a duration with its unit, \"1m\" or longer, such as \"7days\"",
    ),
    key("follow.mode", Kind::Text, "write \"off\", \"clamp\" or \"attested\""),
    key("follow.addr", Kind::Text, "write an address and a port, such as \"127.0.0.1:9646\""),
    chain_key("execution", Kind::List, "write http:// or https:// URLs, such as [\"http://127.0.0.1:8545\"]"),
    chain_key("quorum", Kind::Integer, "write a whole number, 1 to the number of the chain's execution URLs"),
    chain_key("rollup_node", Kind::List, "write an http:// or https:// URL, or a list of them, each once"),
    chain_key("safe_means", Kind::Text, "write \"cross-safe\" or \"local-safe\""),
    chain_key("block_time", Kind::Integer, "write the seconds between two blocks, 1 or more"),
    chain_key("interop_time", Kind::Integer, "write the activation time in seconds since 1970"),
    chain_key(
        "dependency_set",
        Kind::List,
        "write the chain ids, such as [\"901\", \"902\"], each with a [chains.<id>] section",
    ),
    chain_key("system_config", Kind::Text, "write the address of the chain's SystemConfig on L1"),
    chain_key("unsafe_block_signer", Kind::Text, "write the signer's address"),
    chain_key("follow_upstream", Kind::Text, "write an http:// or https:// URL that is not Crosscheck's own"),
    chain_key("attester", Kind::Text, "write the attester's address"),
    chain_key(
        "replacement",
        Kind::Text,
        "write \"deposits-only\" or, for devnets from before April 2026, \"with-optimistic-block-deposit\"",
    ),
    chain_key("unsafe_stall", Kind::Text, "write a duration with its unit, such as \"1m\""),
    chain_key("safe_stall", Kind::Text, "write a duration with its unit, such as \"1h\""),
    chain_key("l1_stall", Kind::Text, "write a duration with its unit, such as \"3m\""),
    chain_key("vouched_stall", Kind::Text, "write a duration with its unit, such as \"10m\""),
    chain_key(
        "p2p.listen",
        Kind::List,
        "write multiaddresses, such as [\"/ip4/127.0.0.1/tcp/9222\"], each chain's with a port of its own",
    ),
    chain_key("p2p.static_peers", Kind::List, "write multiaddresses that end in /p2p/<peer id>"),
    chain_key("p2p.trusted_peers", Kind::List, "write peer ids, such as [\"16Uiu2HA…\"]"),
    chain_key("p2p.blocked_subnets", Kind::List, "write subnets, such as [\"203.0.113.0/24\"]"),
    chain_key("p2p.peers_lo", Kind::Integer, "write a whole number, 1 to p2p.peers_hi"),
    chain_key("p2p.peers_hi", Kind::Integer, "write a whole number, 1 to 1024"),
    chain_key("p2p.ban_duration", Kind::Text, "write whole seconds with their unit, such as \"1h\""),
    chain_key("p2p.verdict_scoring", Kind::Boolean, "write true or false"),
    chain_key("p2p.topic_scoring", Kind::Boolean, "write true or false"),
    chain_key(
        "p2p.discovery",
        Kind::Text,
        "write an address and a UDP port, such as \"0.0.0.0:9222\", each chain's with a port of its own",
    ),
    chain_key("p2p.bootnodes", Kind::List, "write enr:… or enode://<key>@<ip>:<port>"),
    chain_key("p2p.advertise_ip", Kind::Text, "write the public IP address of this node"),
    chain_key("p2p.advertise_tcp", Kind::Integer, "write a port, 1 to 65535"),
    chain_key("p2p.advertise_udp", Kind::Integer, "write a port, 1 to 65535"),
    chain_key("p2p.key_file", Kind::Text, "write a file name"),
    chain_key(
        "p2p.blocks_past",
        Kind::Text,
        "write whole seconds with their unit, up to \"7days\", such as \"1m\"",
    ),
    chain_key(
        "p2p.cross_safe_past",
        Kind::Text,
        "write whole seconds with their unit, up to \"7days\", such as \"12h\"",
    ),
    chain_key(
        "p2p.cross_safe_domains",
        Kind::List,
        "write [\"cross-safe-blocksv1\"], or [\"cross-safe-blocksv1\", \"zero\"]",
    ),
    chain_key(
        "p2p.future",
        Kind::Text,
        "write whole seconds with their unit, up to \"7days\", such as \"5s\"",
    ),
    chain_key("p2p.peer_patience", Kind::Text, "write a duration with its unit, such as \"5m\""),
    chain_key("p2p.refusal_patience", Kind::Text, "write a duration with its unit, such as \"1m\""),
    chain_key(
        "p2p.signer_grace",
        Kind::Text,
        "write whole seconds with their unit, up to \"7days\", such as \"3h\"; \"0s\" for none",
    ),
];

impl Key {
    /// The key with this full path, `chains.<id>.` included.
    pub fn find(path: &str) -> Option<&'static Self> {
        let mut parts = path.splitn(3, '.');
        let in_chain = match (parts.next(), parts.next(), parts.next()) {
            (Some("chains"), Some(_), Some(rest)) => Some(rest),
            _ => None,
        };
        KEYS.iter().find(|key| match in_chain {
            Some(rest) => key.per_chain && key.path == rest,
            None => !key.per_chain && key.path == path,
        })
    }

    /// Its environment variable; in a chain's section, what follows `CROSSCHECK_CHAINS_<id>_`.
    pub fn variable(&self) -> String {
        let name = self.path.replace('.', "_").to_uppercase();
        if self.per_chain { name } else { format!("CROSSCHECK_{name}") }
    }
}
