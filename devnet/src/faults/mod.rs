//! Scripted faults: what can be made to go wrong in a devnet, at which block, and what must be found then.
//!
//! A fault is a [`ScriptedFault`], a row in [`REGISTRY`]: where it can happen, what the sidecar must find,
//! and what it changes. The superchain does it. A fault never touches a chain, a socket or a clock itself.
//!
//! A fault that is about several blocks has companions: each is a fault of its own at its block, with its own
//! verdict and its own message to be found. What blocks of one fault cite in each other is planted, at places
//! that are known before any of them is built (`FaultBlocks`).

mod attestations;
mod blocks;
mod cascades;
mod claimants;
mod companion;
mod context;
mod effects;
mod fault;
mod identifiers;
mod messages;
mod nodes;
mod plan;
mod plan_error;
mod planned_fault;
mod publication;
mod random;
mod registry;
mod reorgs;
mod replacement;
mod same_timestamp;
mod spec;

#[cfg(test)]
pub(super) use companion::tests::fault_blocks;
pub(crate) use companion::{FaultBlock, FaultBlocks};
pub(crate) use context::{MessageContext, NothingToCite};
pub(crate) use effects::{Attested, CLAIMANTS, Claimant, DisturbanceKind, L1Drop, Publication, WaitFor};
pub use fault::ScriptedFault;
pub use plan::FaultPlan;
pub use plan_error::FaultPlanError;
pub(crate) use planned_fault::PlannedFault;
pub(crate) use random::draw;
pub use registry::REGISTRY;
pub use spec::{FaultSpec, ParseFaultError};
