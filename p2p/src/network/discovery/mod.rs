//! Discovery of peers by discv5, with the node records of the OP Stack.
//!
//! The table starts with every bootnode and has nodes of every chain, since they share one network. Only the
//! nodes to dial are filtered, by the `opstack` entry. Never dials by itself.

mod bootnode;
mod chain_entry;
mod discovery_task;
mod node_record;

pub use bootnode::{Bootnode, ParseBootnodeError};
pub(super) use chain_entry::ChainEntry;
pub(super) use discovery_task::{Discovery, DiscoveryParts};
pub use discovery_task::{DiscoveryConfig, DiscoveryView};
use node_record::local_record;
pub(super) use node_record::{DialScope, DiscoveredNode, NodeRecord, combined_key};
