//! [`free_addrs`]: ports of loopback for servers that start later. It keeps none of them.

use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    ops::Range,
};

/// No port on loopback could be had.
#[derive(Debug, thiserror::Error)]
#[error("no free port was found on loopback for the sidecar ({source}): free some ports")]
pub struct NoPortError {
    /// What the system said.
    source: io::Error,
}

/// Where ports are looked for: below those that systems give to outgoing connections and to whoever asks for any port,
/// for one of these could be gone before the sidecar takes it, or while it restarts.
const PORTS: Range<u16> = 10_000..32_768;
/// How many ports are tried for each that is wanted.
const TRIES: usize = 256;

/// Different free ports of loopback, drawn by lot. Nothing holds them until the sidecar does.
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
        match TcpListener::bind((Ipv4Addr::LOCALHOST, lot.random_range(PORTS))) {
            Ok(listener) => held.push(listener),
            Err(error) => problem = error,
        }
    }
    let addrs = held.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>();
    let addrs = addrs.and_then(|addrs| addrs.try_into().map_err(|_| problem));
    addrs.map_err(|source| NoPortError { source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ_and_are_none_that_the_system_gives_away() {
        let addrs = free_addrs::<64>().unwrap();
        let ports: std::collections::BTreeSet<u16> = addrs.iter().map(SocketAddr::port).collect();
        assert_eq!(ports.len(), 64);
        assert!(ports.iter().all(|port| PORTS.contains(port)));
    }
}
