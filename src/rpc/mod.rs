//! The JSON-RPC server: what other programs read, and the failsafe that an operator may switch.
//!
//! It reads the ledger and shared state, and asks the sources where a proof has to be fetched. It changes nothing but
//! the failsafe.

mod crosscheck;
mod failsafe;
pub mod params;
mod refusals;
mod server;
mod super_root;
mod supervisor_error;
pub mod supervisor_types;
mod suspects;
mod told;

pub use crosscheck::{AttestationsPage, CrosscheckApiServer, CrosscheckRpc, Page, RefusalsPage, Status};
pub use failsafe::Failsafe;
pub use refusals::{RefusalRecord, Refusals};
pub use server::serve;
pub use super_root::{Output, SUPER_ROOT_VERSION, super_root};
pub use supervisor_error::SupervisorError;
pub use suspects::{MAX_SUSPECTS, SuspectOutcome, SuspectRecord, Suspects};
pub use told::{TOLD_CAPACITY, Told, ToldBlock, ToldCause, ToldMessage, ToldStatus};
