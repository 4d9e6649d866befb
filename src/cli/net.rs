//! `crosscheck net`: joins a network's gossip, validates and prints. To see whether gossip works, nothing
//! else.

use super::net_tally::NetTally;
use super::{Outcome, UsageError, print, print_to_stderr, runtime, signals};
use crate::config::{LogConfig, LogFormat, SourcesConfig};
use crate::gossip::SignerReader;
use crate::networks::{KnownNetwork, NetworkName};
use crate::sources::{EndpointUrl, L1Client, L1Reader};
use crate::telemetry;
use alloy::primitives::Address;
use clap::{ArgGroup, Args, value_parser};
use crosscheck_p2p::{
    Bootnode, ChainId, Clock, DiscoveryConfig, Multiaddr, Network, NetworkConfig, NetworkEvent,
    NetworkTaskError, NodeIdentity, SIGNER_GRACE_SECS, Signers, SystemClock, ValidationRules,
};
use eyre::WrapErr;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How often L1 is asked who signs: a rotation shows within a minute.
const SIGNER_POLL: Duration = Duration::from_secs(60);

/// How soon L1 is asked again after it said nobody.
const SIGNER_RETRY: Duration = Duration::from_secs(10);

/// Join a network's gossip, validate what arrives and print it. Exits with 0 if a valid block arrived.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["network", "chain"]))]
pub(crate) struct NetArgs {
    /// The network, by name
    #[arg(long, value_name = "NAME")]
    network: Option<NetworkName>,
    /// The chain's id, if it is not a known network
    #[arg(long, value_name = "ID", conflicts_with = "network")]
    chain: Option<ChainId>,
    /// The L1 execution client from which the unsafe block signer is read
    #[arg(long, value_name = "URL")]
    l1: Option<EndpointUrl>,
    /// The SystemConfig on L1 that names the signer [default: the network's]
    #[arg(long, value_name = "ADDRESS", requires = "l1")]
    system_config: Option<Address>,
    /// The unsafe block signer, instead of the one on L1
    #[arg(long, value_name = "ADDRESS", conflicts_with = "l1")]
    signer: Option<Address>,
    /// The signer of cross-safe attestations [default: the unsafe block signer]
    #[arg(long, value_name = "ADDRESS")]
    attester: Option<Address>,
    /// A peer to stay connected to: a multiaddress that ends in `/p2p/PEER_ID`
    #[arg(long = "peer", value_name = "MULTIADDR", value_parser = peer_addr)]
    peers: Vec<Multiaddr>,
    /// Discover peers at this UDP address, such as 0.0.0.0:9222, starting from the network's bootnodes
    #[arg(long, value_name = "IP:PORT")]
    discovery: Option<SocketAddr>,
    /// An additional bootnode: enr:… or enode://…
    #[arg(long = "bootnode", value_name = "NODE", requires = "discovery")]
    bootnodes: Vec<Bootnode>,
    /// The address to listen on
    #[arg(long, value_name = "MULTIADDR", default_value = "/ip4/127.0.0.1/tcp/0")]
    listen: Vec<Multiaddr>,
    /// The file with the network key, created if it is missing [default: a new key each time]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Exit after this many valid blocks
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u64).range(1..))]
    blocks: Option<u64>,
    /// Exit after this many frames, valid or not
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u64).range(1..))]
    frames: Option<u64>,
    /// Exit after this time, such as 5m
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
    time: Option<Duration>,
    /// Print each event as one line of JSON
    #[arg(long)]
    json: bool,
    /// The log level or filter, such as crosscheck_p2p=debug; the log goes to standard error
    #[arg(long, default_value = "warn")]
    log_level: String,
}

impl NetArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        telemetry::start(&LogConfig { format: LogFormat::Auto, level: self.log_level.clone() })?;
        let known = self.network.map(NetworkName::network).transpose()?;
        let tally = runtime()?.block_on(self.listen(known.as_ref()))?;
        print_to_stderr(&tally.verdict());
        Ok(if tally.blocks() > 0 { Outcome::Ok } else { Outcome::Failed })
    }

    /// Listens until it has enough blocks, its time is over, or it is interrupted.
    async fn listen(&self, known: Option<&KnownNetwork>) -> eyre::Result<NetTally> {
        let cancel = CancellationToken::new();
        let _watch = signals::cancel_on_signal(cancel.clone())?;
        let (signers, receiver) = watch::channel(Signers {
            unsafe_block_signer: self.signer,
            attester: self.attester,
            ..Signers::default()
        });
        let chain_id = self.chain_id(known)?;
        let clock = Arc::new(SystemClock);
        let (network, handle, events) =
            Network::new(self.config(chain_id, known), self.identity()?, Arc::clone(&clock) as _, receiver)?;
        let mut tasks = JoinSet::new();
        tasks.spawn(network.run(cancel.clone()));
        if let Some(reader) = self.signer_reader(known)? {
            tasks.spawn(follow_signer(reader, signers.clone(), cancel.clone()));
        }
        for addr in handle.listen_addrs().await.unwrap_or_default() {
            print_to_stderr(&format!("chain {chain_id}: listening at {addr}"));
        }
        let tally = self.receive(events, &mut tasks, clock.as_ref(), &cancel).await;
        cancel.cancel();
        while let Some(ended) = tasks.join_next().await {
            ended.wrap_err("a task of the network failed")??;
        }
        tally
    }

    async fn receive(
        &self,
        mut events: mpsc::Receiver<NetworkEvent>,
        tasks: &mut JoinSet<Result<(), NetworkTaskError>>,
        clock: &dyn Clock,
        cancel: &CancellationToken,
    ) -> eyre::Result<NetTally> {
        let mut tally = NetTally::default();
        let deadline = self.time.and_then(|time| tokio::time::Instant::now().checked_add(time));
        loop {
            let event = tokio::select! {
                () = cancel.cancelled() => return Ok(tally),
                () = until(deadline) => return Ok(tally),
                Some(ended) = tasks.join_next() => {
                    ended.wrap_err("a task of the network failed")??;
                    continue;
                }
                event = events.recv() => event,
            };
            let Some(event) = event else { return Ok(tally) };
            let line = tally.note(&event, clock.now());
            print(&if self.json { serde_json::to_string(&line)? } else { line.to_string() })?;
            if self.has_enough(&tally) {
                return Ok(tally);
            }
        }
    }

    fn has_enough(&self, tally: &NetTally) -> bool {
        let enough_blocks = self.blocks.is_some_and(|enough| tally.blocks() >= enough);
        enough_blocks || self.frames.is_some_and(|enough| tally.frames() >= enough)
    }

    fn chain_id(&self, known: Option<&KnownNetwork>) -> Result<ChainId, UsageError> {
        let named = known.map(|network| network.chain_id);
        named.or(self.chain).ok_or_else(|| usage("give --network NAME or --chain ID"))
    }

    fn config(&self, chain_id: ChainId, known: Option<&KnownNetwork>) -> NetworkConfig {
        let (rules, defaults) = (ValidationRules::new(chain_id), NetworkConfig::new(chain_id));
        let forks = known.map_or(rules.forks, KnownNetwork::gossip_forks);
        NetworkConfig {
            rules: ValidationRules { forks, ..rules },
            block_time: known.map_or(defaults.block_time, |known| Duration::from_secs(known.block_time)),
            listen: self.listen.clone(),
            static_peers: self.peers.clone(),
            discovery: self.discovery_config(known),
            ..defaults
        }
    }

    fn discovery_config(&self, known: Option<&KnownNetwork>) -> Option<DiscoveryConfig> {
        let of_network = known.into_iter().flat_map(|network| &network.bootnodes);
        let bootnodes = of_network.chain(&self.bootnodes).cloned().collect();
        self.discovery.map(|listen| DiscoveryConfig { listen, bootnodes, ..DiscoveryConfig::new() })
    }

    fn identity(&self) -> eyre::Result<NodeIdentity> {
        Ok(match &self.key_file {
            Some(file) => NodeIdentity::load_or_create(file)?,
            None => NodeIdentity::generate(),
        })
    }

    /// The reader of the signer on L1, if there is one.
    fn signer_reader(&self, known: Option<&KnownNetwork>) -> eyre::Result<Option<SignerReader>> {
        let Some(url) = &self.l1 else { return Ok(None) };
        let of_network = known.map(|network| network.system_config);
        let system_config = self
            .system_config
            .or(of_network)
            .ok_or_else(|| usage("--l1 needs --system-config for a chain that is not known by name"))?;
        let l1 = L1Reader::new(L1Client::new(url.clone(), SourcesConfig::default().limits())?);
        Ok(Some(SignerReader::new(l1, system_config)))
    }
}

/// Waits until a time; without one, forever.
async fn until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Keeps the signer current with L1. A failure is printed, and the request is retried.
async fn follow_signer(
    mut reader: SignerReader,
    signers: watch::Sender<Signers>,
    cancel: CancellationToken,
) -> Result<(), NetworkTaskError> {
    loop {
        let pause = match reader.read_or_doubt(&signers).await {
            Ok(named) if named.is_empty() => {
                print_to_stderr("the SystemConfig does not name an unsafe block signer");
                SIGNER_RETRY
            }
            Ok(named) => {
                named.into_iter().for_each(|signer| adopt(&signers, signer));
                SIGNER_POLL
            }
            Err(error) => {
                print_to_stderr(&format!("the unsafe block signer cannot be read: {error}"));
                SIGNER_RETRY
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn adopt(signers: &watch::Sender<Signers>, signer: Address) {
    let now = SystemClock.now();
    if signers.send_if_modified(|signers| signers.change_to(signer, now, SIGNER_GRACE_SECS)) {
        print_to_stderr(&format!("unsafe block signer: {signer}"));
    }
}

/// An address with the id of who is expected there.
fn peer_addr(text: &str) -> Result<Multiaddr, String> {
    let addr: Multiaddr = text.parse().map_err(|error| format!("{error}"))?;
    match addr.protocol_stack().last() {
        Some("p2p") => Ok(addr),
        _ => Err("the peer's id is missing: it must end in /p2p/PEER_ID".to_owned()),
    }
}

fn usage(problem: &str) -> UsageError {
    UsageError { problem: problem.to_owned() }
}
