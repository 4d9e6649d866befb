//! [`name_lookup`]: who is asked for the names in addresses, and how.
//!
//! libp2p looks the names up: `/dns4`, `/dns6` and `/dns` by their addresses, `/dnsaddr` by its TXT records
//! (`dnsaddr=<multiaddress>` at `_dnsaddr.<name>`), of which those with the dialled peer's id count.

use hickory_resolver::{
    config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts},
    system_conf::read_system_conf,
};
use std::net::SocketAddr;

/// These servers, or where there are none, those of the system.
pub(super) fn name_lookup(servers: &[SocketAddr]) -> Result<(ResolverConfig, ResolverOpts), String> {
    if servers.is_empty() {
        return read_system_conf()
            .map_err(|error| format!("the system's name servers are not known: {error}"));
    }
    let servers = servers.iter().map(|server| {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
            connection.port = server.port();
            connection
        });
        NameServerConfig::new(server.ip(), true, connections.into())
    });
    Ok((ResolverConfig::from_name_servers(servers.collect()), ResolverOpts::default()))
}
