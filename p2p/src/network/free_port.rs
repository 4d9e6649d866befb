//! [`check_free`]: whether a TCP address can be listened at by this node alone.
//!
//! libp2p's listeners share a port with anyone who shares theirs: a second node on it would start, and each
//! would get some of the other's peers. Binds and closes at once; never accepts.

use libp2p::{Multiaddr, multiaddr::Protocol};
use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener},
};

/// Checks that no other program listens on an address. One that is not an IP address with a TCP port, or has
/// port 0, is not checked.
///
/// # Errors
/// It is in use, or not an address of this machine.
pub(super) fn check_free(addr: &Multiaddr) -> io::Result<()> {
    match socket_of(addr) {
        Some(socket) if socket.port() != 0 => TcpListener::bind(socket).map(drop),
        Some(_) | None => Ok(()),
    }
}

#[allow(clippy::wildcard_enum_match_arm)] // every other protocol
fn socket_of(addr: &Multiaddr) -> Option<SocketAddr> {
    let mut protocols = addr.iter();
    let ip = match protocols.next()? {
        Protocol::Ip4(ip) => IpAddr::V4(ip),
        Protocol::Ip6(ip) => IpAddr::V6(ip),
        _ => return None,
    };
    match protocols.next()? {
        Protocol::Tcp(port) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_free_until_it_is_listened_on() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let addr: Multiaddr = format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap();
        assert_eq!(check_free(&addr).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(listener);
        check_free(&addr).unwrap();
    }

    #[test]
    fn other_addresses_are_not_checked() {
        for addr in ["/ip4/127.0.0.1/tcp/0", "/dns4/example.org/tcp/9222", "/ip4/203.0.113.7/udp/1"] {
            check_free(&addr.parse().unwrap()).unwrap();
        }
    }
}
