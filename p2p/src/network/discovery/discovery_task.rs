//! [`Discovery`]: the task that keeps the node in the tables of others, and searches for peers.
//!
//! It searches often while the node looks for peers, and seldom while it has enough. If the node is a
//! subscriber of the cross-safe topic, every second search is for such subscribers alone: there are few of
//! them. While no node answers, every search begins again with the bootnodes and the peers known at the
//! start: they, or the network, may have been down.

use super::{
    Bootnode, ChainEntry, DialScope, DiscoveredNode, NodeRecord, bootnode::Contact, local_record,
    node_record::AdvertisedAddress,
};
use crate::network::gating::ip_of;
use discv5::{ConfigBuilder, Discv5, ListenConfig};
use enr::{CombinedKey, NodeId};
use libp2p::{Multiaddr, multiaddr::Protocol};
use std::{
    fmt::Display,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::UdpSocket,
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// How many nodes one search asks for: a bucket of the table.
const NODES_PER_SEARCH: usize = 16;
/// By which factor the pause is longer while there are enough peers: op-node's 20 s to 5 s.
const PAUSE_FACTOR_WITH_ENOUGH_PEERS: u32 = 4;
/// How long the lookup of a bootnode's name may take.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait for the TCP listener before the record goes without its port.
const LISTENER_TIMEOUT: Duration = Duration::from_secs(10);

/// The settings of discovery (discv5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoveryConfig {
    /// The address of the UDP socket. Port 0: a free port.
    pub listen: SocketAddr,
    /// The IP address in the node's record. `None`: the one that enough other nodes see the node at.
    pub advertise_ip: Option<IpAddr>,
    /// The TCP port in the node's record. `None`: the one that is listened on.
    pub advertise_tcp: Option<u16>,
    /// The UDP port in the node's record. `None`: the one that is listened on.
    pub advertise_udp: Option<u16>,
    /// The nodes to begin with, of any chain.
    pub bootnodes: Vec<Bootnode>,
    /// The pause between two searches while the node looks for peers, four times as long otherwise.
    pub interval: Duration,
}

impl DiscoveryConfig {
    /// On loopback, on a free port, without bootnodes, a search every 5 s.
    pub const fn new() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(core::net::Ipv4Addr::LOCALHOST), 0),
            advertise_ip: None,
            advertise_tcp: None,
            advertise_udp: None,
            bootnodes: Vec::new(),
            interval: Duration::from_secs(5),
        }
    }
}

impl Default for DiscoveryConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// The state of discovery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoveryView {
    /// The node's own record as text (`enr:…`). `None`: discovery has not started yet.
    pub record: Option<String>,
    /// The records in the table as text, of nodes of every chain.
    pub table: Vec<String>,
}

/// What the task is given.
pub(in crate::network) struct DiscoveryParts {
    pub(in crate::network) config: DiscoveryConfig,
    pub(in crate::network) socket: Arc<UdpSocket>,
    pub(in crate::network) key: CombinedKey,
    pub(in crate::network) entry: ChainEntry,
    pub(in crate::network) is_cross_safe: bool,
    /// The sequence number of our record: of the first at the start, and of the newest from then on.
    pub(in crate::network) record_seq: Arc<AtomicU64>,
    /// Node records of known peers, to begin with besides the bootnodes.
    pub(in crate::network) known: Vec<NodeRecord>,
    pub(in crate::network) listening: watch::Receiver<Option<Vec<Multiaddr>>>,
    pub(in crate::network) wants_peers: watch::Receiver<bool>,
    pub(in crate::network) discovered: mpsc::Sender<Vec<DiscoveredNode>>,
    pub(in crate::network) view: watch::Sender<DiscoveryView>,
}

/// The task.
pub(in crate::network) struct Discovery {
    parts: DiscoveryParts,
}

impl Discovery {
    pub(in crate::network) const fn new(parts: DiscoveryParts) -> Self {
        Self { parts }
    }

    /// Runs until cancelled. Errors are logged: without discovery the node still has static peers.
    pub(in crate::network) async fn run(self, cancel: CancellationToken) {
        tokio::select! {
            () = cancel.cancelled() => {}
            () = self.discover() => {}
        }
    }

    async fn discover(mut self) {
        let tcp = self.tcp_port().await;
        let mut discv5 = match self.start(tcp).await {
            Ok(discv5) => discv5,
            Err(detail) => {
                tracing::error!(detail, "discovery failed to start; only static and known peers are dialled");
                return;
            }
        };
        let mut searches = 0_u64;
        loop {
            if discv5.connected_peers() == 0 {
                self.seed(&discv5).await;
            }
            self.search(&discv5, self.parts.is_cross_safe && searches % 2 == 1).await;
            searches = searches.wrapping_add(1);
            let pause_factor =
                if *self.parts.wants_peers.borrow() { 1 } else { PAUSE_FACTOR_WITH_ENOUGH_PEERS };
            tokio::select! {
                () = tokio::time::sleep(self.parts.config.interval.saturating_mul(pause_factor)) => {}
                changed = self.parts.wants_peers.changed() => if changed.is_err() { break },
            }
        }
        discv5.shutdown();
    }

    /// The TCP port that other nodes get. `None`: other nodes cannot dial this node.
    async fn tcp_port(&mut self) -> Option<u16> {
        if let Some(port) = self.parts.config.advertise_tcp {
            return Some(port);
        }
        let up = tokio::time::timeout(LISTENER_TIMEOUT, self.parts.listening.wait_for(Option::is_some));
        let addrs = up.await.ok().and_then(Result::ok).and_then(|addrs| addrs.clone()).unwrap_or_default();
        let is_local = self.parts.config.listen.ip().is_loopback();
        let port = addrs.iter().find_map(|addr| dialable_port(addr, is_local));
        if port.is_none() {
            tracing::warn!(
                "other nodes cannot dial this node; set a p2p.listen address that is not loopback"
            );
        }
        port
    }

    async fn start(&self, tcp: Option<u16>) -> Result<Discv5, String> {
        let DiscoveryParts { config, socket, key, entry, is_cross_safe, record_seq, .. } = &self.parts;
        let local = socket.local_addr().map_err(|error| error.to_string())?;
        let udp = config.advertise_udp.unwrap_or_else(|| local.port());
        let loopback = Some(local.ip()).filter(IpAddr::is_loopback);
        let ip = config.advertise_ip.or(loopback);
        let advertised = AdvertisedAddress {
            ip,
            is_ipv6: ip.unwrap_or(local.ip()).is_ipv6(),
            tcp,
            udp,
            seq: record_seq.load(Ordering::Relaxed),
        };
        let record =
            local_record(key, *entry, *is_cross_safe, advertised).map_err(|error| error.to_string())?;
        tracing::info!(record = record.to_base64(), udp = %local, "discovery started");
        let mut settings = ConfigBuilder::new(listen_config(socket, local));
        if config.advertise_ip.is_some() {
            settings.disable_enr_update();
        }
        // On one machine, as in a devnet, every node has one address.
        if loopback.is_none() {
            settings.ip_limit().enable_packet_filter();
        }
        let mut discv5 = Discv5::new(record, copy_of(key)?, settings.build())?;
        discv5.start().await.map_err(|error| error.to_string())?;
        Ok(discv5)
    }

    /// Adds every bootnode to the table, those of other chains too, and the peers known at the start.
    async fn seed(&self, discv5: &Discv5) {
        for record in &self.parts.known {
            add(discv5, record, &record.node_id());
        }
        let mut resolving = JoinSet::new();
        for bootnode in &self.parts.config.bootnodes {
            match &bootnode.contact {
                Contact::NodeRecord(record) => add(discv5, record, bootnode),
                Contact::Address(addr) => {
                    let (addr, bootnode) = (addr.clone(), bootnode.clone());
                    resolving.spawn(async move { (bootnode, resolved(addr).await) });
                }
            }
        }
        let mut asking = JoinSet::new();
        while let Some(looked_up) = resolving.join_next().await {
            match looked_up {
                Ok((bootnode, Ok(addr))) => {
                    let request = discv5.request_enr(addr.to_string());
                    asking.spawn(async move { (bootnode, request.await) });
                }
                Ok((bootnode, Err(error))) => {
                    tracing::debug!(%bootnode, %error, "bootnode name cannot be resolved");
                }
                Err(error) => tracing::error!(%error, "bootnode name lookup was aborted"),
            }
        }
        while let Some(answered) = asking.join_next().await {
            match answered {
                Ok((bootnode, Ok(record))) => add(discv5, &record, &bootnode),
                Ok((bootnode, Err(error))) => tracing::debug!(%bootnode, %error, "bootnode without a record"),
                Err(error) => tracing::error!(%error, "bootnode query was aborted"),
            }
        }
    }

    /// Searches once, and passes on the nodes of our chain.
    async fn search(&self, discv5: &Discv5, cross_safe_only: bool) {
        let (entry, scope) = (self.parts.entry, DialScope::of(&discv5.local_enr()));
        let is_wanted = move |record: &NodeRecord| {
            DiscoveredNode::read(record, entry, scope)
                .is_some_and(|found| found.is_cross_safe || !cross_safe_only)
        };
        let search = discv5.find_node_predicate(NodeId::random(), Box::new(is_wanted), NODES_PER_SEARCH);
        let mut records = search
            .await
            .inspect_err(|error| tracing::debug!(%error, "peer search failed"))
            .unwrap_or_default();
        let table = discv5.table_entries_enr();
        let own = discv5.local_enr();
        self.parts.record_seq.store(own.seq(), Ordering::Relaxed);
        let view = DiscoveryView {
            record: Some(own.to_base64()),
            table: table.iter().map(NodeRecord::to_base64).collect(),
        };
        self.parts.view.send_replace(view);
        records.extend(table);
        let found: Vec<_> =
            records.iter().filter_map(|record| DiscoveredNode::read(record, entry, scope)).collect();
        if !found.is_empty() && self.parts.discovered.send(found).await.is_err() {
            tracing::debug!("found nodes have no receiver");
        }
    }
}

/// The TCP port of an address that is listened on, if other nodes can dial it.
fn dialable_port(addr: &Multiaddr, is_local: bool) -> Option<u16> {
    if !is_local && ip_of(addr).is_some_and(|ip| ip.is_loopback()) {
        return None;
    }
    addr.iter().find_map(|protocol| if let Protocol::Tcp(port) = protocol { Some(port) } else { None })
}

/// A bootnode's address, with its name replaced by the first IP address that it resolves to.
async fn resolved(addr: Multiaddr) -> io::Result<Multiaddr> {
    let mut parts = addr.iter();
    let (Some(Protocol::Dns(name)), Some(Protocol::Udp(port))) = (parts.next(), parts.next()) else {
        return Ok(addr);
    };
    let looked_up = tokio::time::timeout(LOOKUP_TIMEOUT, tokio::net::lookup_host((name.as_ref(), port)));
    let found = looked_up.await.map_err(io::Error::from)??.next();
    let found = found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))?;
    let here = Multiaddr::from(found.ip()).with(Protocol::Udp(port));
    Ok(parts.fold(here, Multiaddr::with))
}

fn add(discv5: &Discv5, record: &NodeRecord, node: &impl Display) {
    if let Err(reason) = discv5.add_enr(record.clone()) {
        tracing::debug!(%node, reason, "node not in the table");
    }
}

/// A copy of the key, which discv5 takes over.
fn copy_of(key: &CombinedKey) -> Result<CombinedKey, String> {
    let mut secret = key.encode();
    CombinedKey::secp256k1_from_bytes(&mut secret).map_err(|error| error.to_string())
}

fn listen_config(socket: &Arc<UdpSocket>, local: SocketAddr) -> ListenConfig {
    let socket = Some(Arc::clone(socket));
    match local {
        SocketAddr::V4(_) => ListenConfig::FromSockets { ipv4: socket, ipv6: None },
        SocketAddr::V6(_) => ListenConfig::FromSockets { ipv4: None, ipv6: socket },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[tokio::test]
    async fn a_name_is_resolved_and_the_rest_of_the_address_kept() {
        let peer = "16Uiu2HAmCdvbqppTaEUqhSEh6kEnE6x9BEytRt9JAEpafPjBGwTp";
        let named: Multiaddr = format!("/dns/localhost/udp/9222/p2p/{peer}").parse().unwrap();
        let addr = resolved(named).await.unwrap().to_string();
        assert!(
            [format!("/ip4/127.0.0.1/udp/9222/p2p/{peer}"), format!("/ip6/::1/udp/9222/p2p/{peer}")]
                .contains(&addr),
            "{addr}"
        );
        let plain: Multiaddr = format!("/ip4/10.0.0.1/udp/9222/p2p/{peer}").parse().unwrap();
        assert_eq!(resolved(plain.clone()).await.unwrap(), plain);
    }

    #[rstest]
    #[case::public("/ip4/203.0.113.7/tcp/9222", false, Some(9222))]
    #[case::this_machine("/ip4/127.0.0.1/tcp/9222", false, None)]
    #[case::this_machine_among_itself("/ip4/127.0.0.1/tcp/9222", true, Some(9222))]
    #[case::no_port("/ip4/203.0.113.7/udp/9222", false, None)]
    fn a_port_is_advertised_if_others_can_dial_it(
        #[case] addr: Multiaddr,
        #[case] is_local: bool,
        #[case] port: Option<u16>,
    ) {
        assert_eq!(dialable_port(&addr, is_local), port);
    }
}
