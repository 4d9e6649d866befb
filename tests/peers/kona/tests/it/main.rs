//! Crosscheck beside kona: the blocks that each accepts from the other over TCP, and what both know of the
//! networks.
//!
//! kona-p2p and kona-registry are taken from crates.io as they were published. Nothing here is mocked: both
//! nodes are whole, each with its own libp2p, its own SSZ and its own validator, and each in a process of its
//! own.

mod blocks;
mod gossip;
mod kona_node;
mod networks;
mod our_node;

use std::future::Future;
use std::time::Duration;

/// How long anything may take that is waited for.
const DEADLINE: Duration = Duration::from_secs(60);

/// Waits for something that must come.
async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {DEADLINE:?} for {what}"),
    }
}
