//! The devnet's contracts: addresses, bytecode, bindings and calldata.
//!
//! The bytecode beside each source is what `tests/npm/compile.mjs` makes of it; a test recompiles and
//! compares.

pub mod bindings;
mod calls;
#[cfg(test)]
mod evm_tests;
mod predeploys;
#[cfg(test)]
mod tests;

pub use calls::{emit_call, inbox_access_list, validate_message_call};
pub(crate) use predeploys::{BytecodeError, Inbox, L1_BLOCK, MESSAGE_PASSER, SEQUENCER_FEE_VAULT};
pub use predeploys::{EMITTER, PREDEPLOYS};
