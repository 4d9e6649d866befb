//! [`free_addrs`]: ports of loopback for servers that start later, in this process or another, and may
//! restart.
//!
//! On Linux they stay reserved for as long as this process runs: another process that draws ports this way
//! gets others.

use parking_lot::Mutex;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io,
    net::{Ipv4Addr, SocketAddr},
    ops::Range,
};
use tokio::net::TcpSocket;

/// No port on loopback could be had.
#[derive(Debug, thiserror::Error)]
#[error("no free port was found on loopback for the sidecar ({source}): free some ports")]
pub struct NoPortError {
    /// What the system said.
    source: io::Error,
}

/// Where ports are looked for: below those that systems give to outgoing connections and to anyone who asks
/// for any port, for one of these could be taken before the sidecar takes it, or while it restarts.
const PORTS: Range<u16> = 10_000..32_768;
/// How many ports are tried for each that is wanted.
const TRIES: usize = 256;

/// What reserves the ports that were drawn. A socket that is bound and does not listen is in nobody's way who
/// asks for an address that may be in use, as servers do; only here the address is asked for alone. So it is
/// on Linux; elsewhere such a socket would keep the server out, and nothing is reserved.
static RESERVED: Mutex<Vec<TcpSocket>> = Mutex::new(Vec::new());

/// Different free ports of loopback, drawn by lot.
///
/// # Errors
/// When the system has none.
pub fn free_addrs<const N: usize>() -> Result<[SocketAddr; N], NoPortError> {
    let mut lot = SmallRng::seed_from_u64(RandomState::new().build_hasher().finish());
    // All are held until all are known.
    let mut held = Vec::with_capacity(N);
    let mut problem = io::Error::other("no port was tried");
    for _ in 0..N.saturating_mul(TRIES) {
        if held.len() == N {
            break;
        }
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, lot.random_range(PORTS)));
        match reserve(addr) {
            Ok(socket) => held.push((addr, socket)),
            Err(error) => problem = error,
        }
    }
    let (addrs, sockets): (Vec<_>, Vec<_>) = held.into_iter().unzip();
    if cfg!(target_os = "linux") {
        RESERVED.lock().extend(sockets);
    }
    addrs.try_into().map_err(|_| NoPortError { source: problem })
}

/// Binds an address that nobody has, and from then on lets others listen there.
fn reserve(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(addr)?;
    socket.set_reuseaddr(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn ports_differ_and_are_outside_the_ephemeral_range() {
        let addrs = free_addrs::<64>().unwrap();
        let ports: std::collections::BTreeSet<u16> = addrs.iter().map(SocketAddr::port).collect();
        assert_eq!(ports.len(), 64);
        assert!(ports.iter().all(|port| PORTS.contains(port)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_server_can_reuse_its_port_and_nobody_else_draws_it() {
        let [addr] = free_addrs().unwrap();
        for _ in 0..3 {
            let server = TcpListener::bind(addr).unwrap();
            let _client = std::net::TcpStream::connect(addr).unwrap();
            assert!(reserve(addr).is_err(), "while it listens");
            drop(server);
            assert!(reserve(addr).is_err(), "while it does not");
        }
    }
}
