//! What users do in a block, and which messages they can cite.

mod intent;
mod message_pool;

pub(crate) use intent::Intent;
pub use message_pool::InitiatingBlock;
pub(crate) use message_pool::MessagePool;
#[cfg(test)]
pub(crate) use message_pool::tests::{dependency_set, pool, proven, site};
pub(crate) use message_pool::{ExecutionSite, prefer_remote};
