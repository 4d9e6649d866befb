//! The JSON-RPC server: what other programs read, and the failsafe that an operator may switch.
//!
//! It reads the ledger and shared state, and asks the sources where a proof has to be fetched. It changes
//! nothing but the failsafe and, where `rpc.admin` is true, who may be a peer.

mod access_check;
mod cold_blocks;
mod crosscheck;
mod derivation;
mod event_pages;
mod events;
mod failsafe;
mod front;
mod interop_api;
mod l1_progress;
mod level_heads;
mod messages;
mod messages_page;
mod methods;
mod metrics;
mod opp2p;
mod opp2p_types;
mod originals;
mod own_answers;
mod params;
mod peers;
mod server;
mod source_search;
mod starts;
mod super_root;
mod super_roots;
mod superchain_reader;
mod supernode_api;
mod superroot_api;
mod supervisor;
mod supervisor_error;
mod supervisor_types;
mod websockets;

pub use access_check::AccessCheck;
pub use crosscheck::{CrosscheckRpc, Page};
pub use derivation::Derivation;
pub use event_pages::{EventsPage, VerdictsPage};
pub use failsafe::Failsafe;
pub use messages_page::{ListedMessage, MessagesPage, MessagesPageRequest};
pub use methods::RpcParts;
pub use metrics::RpcMetrics;
#[cfg(test)]
pub(crate) use own_answers::OwnOutput;
pub(crate) use own_answers::{OwnAnswers, OwnSuperRoot};
pub use params::Quantity;
pub use server::serve;
pub(crate) use super_root::super_root;
pub use superchain_reader::{ChainSources, SuperchainReader};
pub use supervisor_error::SupervisorError;

#[cfg(test)]
mod tests;
