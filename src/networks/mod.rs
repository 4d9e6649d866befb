//! The public networks that are known by name, from `src/networks/registry/`, which is compiled in.
//!
//! Facts only, as the superchain registry publishes them: nothing here is asked of a network, and nothing of
//! it is secret. Who signs a chain's blocks is not among them, because it changes: L1 is asked for it.

mod facts;
mod known_network;
mod network_error;
mod network_name;
#[cfg(test)]
mod registry_tests;

pub use crosscheck_p2p::Bootnode;
pub use facts::{FACTS_OF, FRESH_DAYS, age_in_days};
pub use known_network::KnownNetwork;
pub use network_error::NetworkError;
pub use network_name::NetworkName;
