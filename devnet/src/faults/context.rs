//! [`MessageContext`]: what a fault can choose its message from.

use super::companion::FaultBlocks;
use crate::messages::{ExecutionSite, MessagePool};

/// Where a fault's message is executed, and what there is to cite.
#[derive(Debug)]
pub(crate) struct MessageContext<'a> {
    /// The executing block.
    pub(crate) site: ExecutionSite,
    /// What may be cited.
    pub(crate) pool: &'a MessagePool,
    /// The blocks of the fault; empty where nothing is scripted.
    pub(crate) blocks: &'a FaultBlocks,
}

/// A fault found no message that it could use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{fault}@{number}:{chain_id} found no message to cite: script fewer faults on the blocks before it, or a later block"
)]
pub struct NothingToCite {
    /// The fault.
    pub fault: &'static str,
    /// The executing chain.
    pub chain_id: u64,
    /// The height of the executing block.
    pub number: u64,
}
