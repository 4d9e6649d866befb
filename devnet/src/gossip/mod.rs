//! Each chain's gossip network, and what is published on it.

mod envelope;
mod networks;
mod publisher;

pub(crate) use networks::Networks;
pub(crate) use networks::NetworksError;
pub use publisher::{Publisher, PublisherError};
