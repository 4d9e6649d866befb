//! [`P2pConfig`]: how a chain's gossip is joined.

use super::form::{any_duration, boolean, list, socket, text, whole, whole_seconds};
use super::section::section;
use super::values::{days, hours, mins, secs};
use super::{DurationSetting, Text};
use crosscheck_p2p::{Bootnode, Multiaddr, PeerId, SIGNER_GRACE_SECS, SigningDomain, Subnet, loopback_addr};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// The longest window of time on a topic: as old as a message may become.
const MAX_WINDOW: Duration = days(7);

section! {
    /// The chain's gossip; docs/PEERS.md describes how peers are found, scored and banned. Without this
    /// section every key of it has its default.
    pub struct P2pConfig at "p2p.", per_chain: true {
        /// The addresses to listen on. Empty: dial out only. Other nodes can dial this node only at addresses
        /// that are not loopback, such as /ip4/0.0.0.0/tcp/9222.
        listen: Vec<Multiaddr> = vec![loopback_addr(9222)], list("TCP multiaddresses, each chain's with a port of its own")
            .if_named("the next free port of loopback, from 9647 on")
            .example("[\"/ip4/127.0.0.1/tcp/9222\"]");

        /// Peers to stay connected to. A name (/dns4/<name>/tcp/<port>, or /dnsaddr/<name>) is resolved at
        /// each dial.
        static_peers: Vec<Multiaddr> = Vec::new(), list("multiaddresses that end in /p2p/<peer id>")
            .example("[\"/ip4/127.0.0.1/tcp/9223/p2p/16Uiu2HAmL5okaKLzxdzpvMDVvjr6HYy1CWkBCFXGdoStmoYEXPT3\"]");

        /// Peers that are never pruned or banned, at any address. Static peers are trusted too.
        trusted_peers: Vec<Text<PeerId>> = Vec::new(), list("peer ids")
            .example("[\"16Uiu2HAmL5okaKLzxdzpvMDVvjr6HYy1CWkBCFXGdoStmoYEXPT3\"]");

        /// Subnets that are neither dialled nor accepted. A single address is a /32 or a /128.
        blocked_subnets: Vec<Text<Subnet>> = Vec::new(), list("subnets in CIDR notation")
            .example("[\"203.0.113.0/24\"]");

        /// The number of peers below which the node looks for more, and to which it prunes.
        peers_lo: usize = 20, whole(1..=1024).limited("and at most p2p.peers_hi");

        /// The most peers that may stay. Above it, peers without a subscription and then peers with the
        /// lowest scores are disconnected, down to peers_lo, except new peers (30 s; they are not counted),
        /// static and trusted ones. The number of connections is limited to twice this at any time, and the
        /// number of inbound connections to peers_lo less.
        peers_hi: usize = 30, whole(1..=1024);

        /// How long a peer is banned when its score falls below -100. Static and trusted peers are never
        /// banned.
        ban_duration: DurationSetting = DurationSetting(hours(1)), whole_seconds(Duration::ZERO..=MAX_WINDOW)
            .if_above("a ban must be finite");

        /// Whether rejected frames, blocks that a peer was the first to send, and its answers change its
        /// score. With false no peer is disconnected or banned for rejected frames, as in op-node.
        verdict_scoring: bool = true, boolean();

        /// Whether deliveries on topics change a peer's score. On this network that has pruned honest peers;
        /// rejected frames are scored by verdict_scoring.
        topic_scoring: bool = false, boolean();

        /// The UDP socket of discovery.
        discovery: Option<SocketAddr> = None, socket().limited("different for each chain")
            .unset("no discovery, only static and known peers are dialled")
            .if_named("the next free port at 0.0.0.0, from 9647 on, unless static_peers is set, even to an empty list")
            .example("\"0.0.0.0:9222\"");

        /// The starting points of discovery, of any OP Stack chain.
        bootnodes: Vec<Bootnode> = Vec::new(), list("node records (enr:...) or URLs (enode://<key>@<ip>:<port>)")
            .if_named("the published bootnodes of the OP Stack, which this build knows")
            .example("[\"enode://2d4e7e9d48f4dd4efe9342706dd1b0024681bd4c3300d021f86fc75eab7865d4e0cbec6fbc883f011cfd6a57423e7e2f6e104baad2b744c3cafaec6bc7dc92c1@34.65.43.171:30305\"]");

        /// Behind NAT: the public IP address of this node. Needs discovery.
        advertise_ip: Option<IpAddr> = None, text("an IP address of the same family as the socket of discovery")
            .unset("the address that enough other nodes report, and the ports that it listens on")
            .example("\"203.0.113.7\"");

        /// The public TCP port. Needs discovery.
        advertise_tcp: Option<u16> = None, whole(1..=65535)
            .if_below("port 0 cannot be dialled")
            .unset("the port that it listens on")
            .example("9222");

        /// The public UDP port. Needs discovery.
        advertise_udp: Option<u16> = None, whole(1..=65535)
            .if_below("port 0 cannot be dialled")
            .unset("the port of discovery")
            .example("9222");

        /// The file with this node's network key. It is created if it is missing.
        key_file: Option<PathBuf> = None, text("a path, which starts at data_dir if it is relative")
            .unset("p2p-<chain id>.key")
            .example("\"p2p-901.key\"");

        /// The maximum age of a block on the topic of unsafe blocks.
        blocks_past: DurationSetting = DurationSetting(mins(1)), whole_seconds(Duration::ZERO..=MAX_WINDOW)
            .if_above("every block in the window is kept in memory");

        /// The maximum age of a block on the cross-safe topic. The default is the sequencing window: blocks
        /// become cross-safe late.
        cross_safe_past: DurationSetting = DurationSetting(hours(12)), whole_seconds(Duration::ZERO..=MAX_WINDOW)
            .if_above("every block in the window is kept in memory");

        /// The domains in which a signature on the cross-safe topic is accepted. A signature in "zero" may be
        /// that of an unsafe block, replayed by anyone: such an attestation is audited, but binds no signer.
        /// Without "zero" it is ignored; remove it once the chain's sequencer signs in the topic's own
        /// domain.
        cross_safe_domains: Vec<Text<SigningDomain>> = [SigningDomain::CrossSafeBlocksV1, SigningDomain::Zero].map(Text).into(),
            list("domains: \"cross-safe-blocksv1\", or that and \"zero\"")
            .example("[\"cross-safe-blocksv1\", \"zero\"]");

        /// How far ahead of the clock a block's timestamp may be, on either topic.
        future: DurationSetting = DurationSetting(secs(5)), whole_seconds(Duration::ZERO..=MAX_WINDOW)
            .if_above("every block in the window is kept in memory");

        /// How long the chain may be without a peer that subscribes to its topics before that is reported. It
        /// is reported on /readyz as not ready, in the log and in crosscheck_without_peer_seconds.
        peer_patience: DurationSetting = DurationSetting(mins(5)), any_duration();

        /// How long all unsafe blocks, or all attestations of the sequencer or of static and trusted peers,
        /// may be refused for their signer or their form (at least eight in a row) before that is reported.
        /// It is reported on /readyz as not ready, in the log and in crosscheck_gossip_refused_in_a_row.
        refusal_patience: DurationSetting = DurationSetting(mins(1)), any_duration();

        /// How long blocks of the previous unsafe block signer are accepted after L1 names a new one, unless
        /// a block of the new signer arrives before. With "0s" they are not accepted.
        signer_grace: DurationSetting = DurationSetting(secs(SIGNER_GRACE_SECS)), whole_seconds(Duration::ZERO..=MAX_WINDOW)
            .if_above("the previous key could sign for that long");
    }
}
