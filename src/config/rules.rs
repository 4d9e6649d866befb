//! [`Config::check_rules`]: what no single value shows. The bounds of single values are in the table of keys.

use super::explain::fix_of;
use super::redaction::{shortened, shortened_reason, shown_text};
use super::{ChainConfig, Config, ConfigError, DepositSource, FollowConfig, FollowMode, P2pConfig};
use crate::sources::EndpointUrl;
use crosscheck_p2p::{ChainId, Multiaddr, SigningDomain};
use std::fmt::Display;
use std::net::SocketAddr;
use tracing_subscriber::EnvFilter;

impl Config {
    /// Checks what no single value shows.
    ///
    /// # Errors
    /// The first setting that cannot work.
    pub(super) fn check_rules(&self) -> Result<(), ConfigError> {
        if self.chains.is_empty() {
            return Err(ConfigError::Missing {
                key: "chains".to_owned(),
                reason: "no chain is configured".to_owned(),
                fix: "add a [chains.<id>] section for every chain to watch".to_owned(),
            });
        }
        self.check_data_dir()?;
        self.check_servers()?;
        self.check_consolidation()?;
        self.check_follow()?;
        self.check_opinions()?;
        self.chains.iter().try_for_each(|(chain_id, chain)| self.check_chain(*chain_id, chain))?;
        self.check_discovery()?;
        self.check_listeners()
    }

    fn check_data_dir(&self) -> Result<(), ConfigError> {
        if self.data_dir.as_os_str().is_empty() {
            return Err(bad("data_dir", &"\"\"", "it is empty"));
        }
        Ok(())
    }

    fn check_servers(&self) -> Result<(), ConfigError> {
        if let Err(error) = EnvFilter::try_new(&self.log.level) {
            return Err(bad("log.level", &self.log.level, &format!("this is not a filter: {error}")));
        }
        if let Some(word) = misspelt_level(&self.log.level) {
            let word = shortened(word);
            return Err(bad(
                "log.level",
                &self.log.level,
                &format!("{word:?} is not a level; a target needs =level"),
            ));
        }
        if self.http.addr == self.rpc.addr && self.http.addr.port() != 0 {
            return Err(bad("http.addr", &self.http.addr, "rpc.addr is the same address"));
        }
        Ok(())
    }

    fn check_consolidation(&self) -> Result<(), ConfigError> {
        if self.consolidation.deposits == Some(DepositSource::L1) && self.l1.execution.is_none() {
            let reason = "consolidation.deposits = \"l1\" needs an L1 endpoint";
            return Err(ConfigError::Missing {
                key: "l1.execution".to_owned(),
                reason: reason.to_owned(),
                fix: "write an http:// or https:// URL, or set consolidation.deposits to \"sibling\""
                    .to_owned(),
            });
        }
        Ok(())
    }

    /// The server for followers has an address of its own, and is not one of the program's own endpoints.
    fn check_follow(&self) -> Result<(), ConfigError> {
        let FollowConfig { mode, addr } = self.follow;
        if mode == FollowMode::Off {
            return Ok(());
        }
        for (other, taken) in [("rpc.addr", self.rpc.addr), ("http.addr", self.http.addr)] {
            if addr == taken && addr.port() != 0 {
                return Err(bad("follow.addr", &addr, &format!("{other} is the same address")));
            }
        }
        if mode == FollowMode::Verified && self.l1.execution.is_none() {
            return Err(ConfigError::Missing {
                key: "l1.execution".to_owned(),
                reason: "follow.mode = \"verified\" needs an L1 endpoint: a block is checked against L1, and not only against the node \
                         that derived it"
                    .to_owned(),
                fix: "write an http:// or https:// URL, or set follow.mode to \"clamp\" or \"attested\"".to_owned(),
            });
        }
        for (chain_id, chain) in &self.chains {
            let key = |name: &str| format!("chains.{chain_id}.{name}");
            if let (FollowMode::Attested | FollowMode::Verified, Some(upstream)) =
                (mode, &chain.follow_upstream)
            {
                let reason = "only follow.mode \"clamp\" has an upstream of its own";
                return Err(bad(&key("follow_upstream"), upstream, reason));
            }
            let upstream = chain.follow_upstream.iter().map(|url| ("follow_upstream", url));
            let nodes = chain.rollup_node.urls().iter().map(|url| ("rollup_node", url));
            let claimants = chain.claimants.iter().map(|url| ("claimants", url));
            for (name, url) in upstream.chain(nodes).chain(claimants) {
                if url.reaches(addr) {
                    return Err(bad(&key(name), url, "this is follow.addr: Crosscheck would follow itself"));
                }
            }
        }
        Ok(())
    }

    /// An opinion counts once, and nobody's own is a second one.
    fn check_opinions(&self) -> Result<(), ConfigError> {
        let lists = [("supernodes", &self.opinions.supernodes), ("filters", &self.opinions.filters)];
        for (name, urls) in lists {
            let key = format!("opinions.{name}");
            if let Some(twice) = first_duplicate(urls) {
                return Err(bad(&key, twice, "it is listed twice"));
            }
            if let Some(own) = urls.iter().find(|url| url.reaches(self.rpc.addr)) {
                return Err(bad(&key, own, "this is rpc.addr: Crosscheck would be compared with itself"));
            }
        }
        Ok(())
    }

    /// Interop rules that no node could report, and chains of a dependency set that were forgotten.
    fn check_interop(&self, chain_id: ChainId, chain: &ChainConfig) -> Result<(), ConfigError> {
        // Built-in values are reported at start instead: the operator did not write them.
        if self.known_network(chain_id).is_some() {
            return Ok(());
        }
        let key = |name: &str| format!("chains.{chain_id}.{name}");
        let unset = [
            ("interop_time", chain.interop_time.is_none()),
            ("dependency_set", chain.dependency_set.is_none()),
        ];
        let unknown = unset.into_iter().find(|(_, is_unset)| *is_unset && chain.is_monitored_only());
        if let Some((name, _)) = unknown {
            return Err(missing(key(name), "the chain has no rollup node to read it from"));
        }
        let cited = chain.dependency_set.iter().flatten();
        match cited.copied().find(|id| !self.chains.contains_key(id)) {
            Some(other) => Err(ConfigError::Missing {
                key: format!("chains.{other}"),
                reason: format!(
                    "{} lists chain {other}, whose messages cannot be checked",
                    key("dependency_set")
                ),
                fix: format!("add a [chains.{other}] section with its endpoints"),
            }),
            None => Ok(()),
        }
    }

    fn check_chain(&self, chain_id: ChainId, chain: &ChainConfig) -> Result<(), ConfigError> {
        let key = |name: &str| format!("chains.{chain_id}.{name}");
        if chain.execution.is_empty() {
            return Err(missing(key("execution"), "without an execution client nothing can be checked"));
        }
        if let Some(quorum) = chain.quorum {
            let clients = chain.execution.len();
            if quorum > clients {
                let reason = format!("above {clients}, the number of execution clients");
                return Err(bad(&key("quorum"), &quorum, &reason));
            }
        }
        self.check_interop(chain_id, chain)?;
        check_addresses(chain_id, chain)?;
        if let Some(twice) = first_duplicate(chain.rollup_node.urls()) {
            return Err(bad(&key("rollup_node"), twice, "it is listed twice"));
        }
        let followed = chain.rollup_node.urls().iter().chain(&chain.follow_upstream);
        if let Some(twice) = followed.into_iter().find(|url| chain.claimants.contains(url)) {
            let reason = "it is rollup_node or follow_upstream, too: what these call safe is audited anyway";
            return Err(bad(&key("claimants"), twice, reason));
        }
        if let Some(twice) = first_duplicate(&chain.claimants) {
            return Err(bad(&key("claimants"), twice, "it is listed twice"));
        }
        if let Some(twice) = first_duplicate(&chain.execution) {
            return Err(bad(&key("execution"), twice, "it is listed twice, and each client has one vote"));
        }
        if chain.is_monitored_only() {
            return check_monitored_only(chain_id, chain);
        }
        if chain.unsafe_block_signer.is_none() {
            let reason = "the signer of the chain's blocks must be read from L1 (l1.execution and system_config), or set";
            if chain.system_config.is_none() {
                return Err(missing(key("system_config"), reason));
            }
            if self.l1.execution.is_none() {
                return Err(missing("l1.execution".to_owned(), &format!("chain {chain_id}: {reason}")));
            }
        }
        check_peering(chain_id, &chain.p2p)?;
        let own = SigningDomain::CrossSafeBlocksV1;
        if !chain.p2p.cross_safe_domains.iter().any(|domain| domain.0 == own) {
            let domains: Vec<_> = chain.p2p.cross_safe_domains.iter().map(|domain| domain.0.name()).collect();
            let reason =
                "the topic's own domain is missing: only a signature in it is certainly an attestation";
            return Err(bad(&key("p2p.cross_safe_domains"), &format!("[{}]", domains.join(", ")), reason));
        }
        for peer in &chain.p2p.static_peers {
            if peer.protocol_stack().last() != Some("p2p") {
                return Err(bad(&key("p2p.static_peers"), peer, "the peer's id is missing"));
            }
            if peer.protocol_stack().any(|protocol| protocol == "udp") {
                return Err(bad(&key("p2p.static_peers"), peer, "only TCP is dialled"));
            }
        }
        Ok(())
    }

    /// Each chain has a socket of discovery of its own: packets of two chains cannot be distinguished.
    fn check_discovery(&self) -> Result<(), ConfigError> {
        let mut taken: Vec<(ChainId, SocketAddr)> = Vec::new();
        for (chain_id, chain) in self.chains.iter().filter(|(_, chain)| !chain.is_monitored_only()) {
            let Some(socket) = chain.p2p.discovery else { continue };
            let is_same = |other: &SocketAddr| {
                let is_any = other.ip().is_unspecified() || socket.ip().is_unspecified();
                other.port() == socket.port() && socket.port() != 0 && (other.ip() == socket.ip() || is_any)
            };
            if let Some((first, _)) = taken.iter().find(|(_, other)| is_same(other)) {
                let reason = format!("chain {first} already uses that socket");
                return Err(bad(&format!("chains.{chain_id}.p2p.discovery"), &socket, &reason));
            }
            taken.push((*chain_id, socket));
        }
        Ok(())
    }

    /// Sockets share ports silently: two chains on one port would each get some of the other's peers.
    fn check_listeners(&self) -> Result<(), ConfigError> {
        let listeners: Vec<(ChainId, &Multiaddr)> = self
            .chains
            .iter()
            .filter(|(_, chain)| !chain.is_monitored_only())
            .flat_map(|(chain_id, chain)| chain.p2p.listen.iter().map(|address| (*chain_id, address)))
            .collect();
        for (index, (chain_id, address)) in listeners.iter().enumerate() {
            let protocols: Vec<&str> = address.protocol_stack().collect();
            if !matches!(protocols[..], ["ip4" | "ip6", "tcp"]) {
                let reason = "only TCP at an IP address is supported";
                return Err(bad(&format!("chains.{chain_id}.p2p.listen"), address, reason));
            }
            let earlier = listeners.iter().take(index).find(|(_, earlier)| clash(earlier, address));
            if let Some((first, _)) = earlier {
                let reason = format!("chain {first} already listens there");
                return Err(bad(&format!("chains.{chain_id}.p2p.listen"), address, &reason));
            }
        }
        Ok(())
    }
}

/// The first URL that is in a list twice.
fn first_duplicate(urls: &[EndpointUrl]) -> Option<&EndpointUrl> {
    let is_twice = |(place, url): &(usize, &EndpointUrl)| urls.iter().take(*place).any(|one| one == *url);
    urls.iter().enumerate().find(is_twice).map(|(_, url)| url)
}

/// A chain without a rollup node has no settings that need one: it was probably forgotten.
fn check_monitored_only(chain_id: ChainId, chain: &ChainConfig) -> Result<(), ConfigError> {
    let unusable = [
        ("system_config", chain.system_config.is_some()),
        ("unsafe_block_signer", chain.unsafe_block_signer.is_some()),
        ("attester", chain.attester.is_some()),
        ("follow_upstream", chain.follow_upstream.is_some()),
        ("claimants", !chain.claimants.is_empty()),
        ("p2p.static_peers", !chain.p2p.static_peers.is_empty()),
        ("p2p.discovery", chain.p2p.discovery.is_some()),
    ];
    let Some((name, _)) = unusable.into_iter().find(|(_, is_set)| *is_set) else { return Ok(()) };
    let key = format!("chains.{chain_id}.rollup_node");
    let reason = format!("without it the chain is only monitored, and {name} has no effect");
    Err(missing(key, &reason))
}

/// The zero address has no key: it is what a forgotten value looks like.
fn check_addresses(chain_id: ChainId, chain: &ChainConfig) -> Result<(), ConfigError> {
    let addresses = [
        ("system_config", chain.system_config),
        ("unsafe_block_signer", chain.unsafe_block_signer),
        ("attester", chain.attester),
    ];
    match addresses.into_iter().find(|(_, address)| address.is_some_and(|address| address.is_zero())) {
        Some((name, _)) => {
            let key = format!("chains.{chain_id}.{name}");
            Err(bad(&key, &"0x0000…", "it is the zero address, which has no key"))
        }
        None => Ok(()),
    }
}

/// The bounds of peers, and discovery.
fn check_peering(chain_id: ChainId, p2p: &P2pConfig) -> Result<(), ConfigError> {
    let key = |name: &str| format!("chains.{chain_id}.p2p.{name}");
    if p2p.peers_lo > p2p.peers_hi {
        let reason = format!("above {}, which is p2p.peers_hi", p2p.peers_hi);
        return Err(bad(&key("peers_lo"), &p2p.peers_lo, &reason));
    }
    check_advertised(&key, p2p)?;
    // A chain id that no node record has room for.
    if p2p.discovery.is_some() && chain_id.as_u64().is_none() {
        return Err(bad(&key("discovery"), &"set", "the chain's id has more than 64 bits"));
    }
    Ok(())
}

/// The address that discovery, and nothing else, gives to other nodes. It must be of the family of its
/// socket.
fn check_advertised(key: &dyn Fn(&str) -> String, p2p: &P2pConfig) -> Result<(), ConfigError> {
    let advertised = [
        ("advertise_ip", p2p.advertise_ip.map(|ip| ip.to_string())),
        ("advertise_tcp", p2p.advertise_tcp.map(|port| port.to_string())),
        ("advertise_udp", p2p.advertise_udp.map(|port| port.to_string())),
    ];
    let Some(socket) = p2p.discovery else {
        let set = advertised.into_iter().find_map(|(name, value)| value.map(|value| (name, value)));
        return set.map_or(Ok(()), |(name, value)| {
            Err(bad(&key(name), &value, "only discovery uses it, and discovery is not set"))
        });
    };
    match p2p.advertise_ip {
        Some(ip) if ip.is_ipv4() != socket.is_ipv4() => {
            let reason = format!("discovery listens at {socket}, which is of the other IP family");
            Err(bad(&key("advertise_ip"), &ip, &reason))
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether two addresses want one port of one interface. Port 0 is a different one each time.
fn clash(first: &Multiaddr, second: &Multiaddr) -> bool {
    let (Some((first_host, first_port)), Some((second_host, second_port))) =
        (socket(&first.to_string()), socket(&second.to_string()))
    else {
        return false;
    };
    let is_any = |host: &str| matches!(host, "0.0.0.0" | "::");
    let is_same_host = first_host == second_host || is_any(&first_host) || is_any(&second_host);
    first_port != "0" && first_port == second_port && is_same_host
}

/// Host and TCP port of `/ip4/<host>/tcp/<port>`.
fn socket(address: &str) -> Option<(String, String)> {
    let mut parts = address.split('/').skip(2);
    let host = parts.next()?;
    let port = parts.skip_while(|part| *part != "tcp").nth(1)?;
    Some((host.to_owned(), port.to_owned()))
}

fn bad(key: &str, value: &dyn Display, reason: &str) -> ConfigError {
    ConfigError::Value {
        key: key.to_owned(),
        value: shown_text(&value.to_string()),
        reason: shortened_reason(reason),
        fix: fix_of(key),
    }
}

fn missing(key: String, reason: &str) -> ConfigError {
    let fix = fix_of(&key);
    ConfigError::Missing { key, reason: reason.to_owned(), fix }
}

/// A word of a filter that is not a level. The filter would take it for a target, and log nothing else.
fn misspelt_level(filter: &str) -> Option<&str> {
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let words = filter.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.into_iter().find(|word| {
        word.chars().all(|letter| letter.is_ascii_alphabetic())
            && !levels.iter().any(|level| level.eq_ignore_ascii_case(word))
    })
}
