//! Builds the swarm: transport, protocols, subscriptions, listeners.

use super::{
    NetworkConfig, NetworkTaskError, NodeIdentity,
    behaviour::Behaviour,
    free_port::check_free,
    gating::{ConnectionGater, GaterBehaviour},
    name_lookup::name_lookup,
};
use crate::Clock;
use libp2p::{Swarm, SwarmBuilder, gossipsub::IdentTopic, noise, tcp, yamux};
use std::{sync::Arc, time::Duration};

/// Connections to peers outside the mesh are kept too: they exchange gossip about messages.
const IDLE_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// The most streams of one connection, each of which may buffer 256 KiB that is not read. A peer needs fewer
/// than ten; one that opens more than these is disconnected.
const MAX_STREAMS: usize = 64;

/// A swarm that listens and is subscribed.
pub(super) fn build_swarm(
    config: &NetworkConfig,
    identity: NodeIdentity,
    gater: ConnectionGater,
    clock: Arc<dyn Clock>,
) -> Result<Swarm<Behaviour>, NetworkTaskError> {
    let setup = |detail: String| NetworkTaskError::Setup { chain_id: config.chain_id, detail };
    let keypair = identity.into_keypair();
    let gater = GaterBehaviour::new(gater, clock);
    let lookup = name_lookup(&config.name_servers).map_err(setup)?;
    let behaviour = Behaviour::new(config, &keypair, gater).map_err(setup)?;
    let mut swarm = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, multiplexer)
        .map_err(|error| setup(error.to_string()))?
        .with_dns_config(lookup.0, lookup.1)
        .with_behaviour(|_| behaviour)
        .map_err(|error| setup(error.to_string()))?
        .with_swarm_config(|swarm| swarm.with_idle_connection_timeout(IDLE_TIMEOUT))
        .build();
    for topic in &config.topics {
        let subscribed =
            swarm.behaviour_mut().gossip.subscribe(&IdentTopic::new(topic.path(config.chain_id)));
        subscribed.map_err(|error| setup(error.to_string()))?;
    }
    for addr in &config.listen {
        let refuse = |detail: String| NetworkTaskError::Listen { addr: addr.clone(), detail };
        check_free(addr).map_err(|error| refuse(error.to_string()))?;
        swarm.listen_on(addr.clone()).map_err(|error| refuse(reason(&error)))?;
    }
    Ok(swarm)
}

fn multiplexer() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(MAX_STREAMS);
    config
}

/// libp2p has the error of the operating system only as the source of its own.
fn reason(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}
