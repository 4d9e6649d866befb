//! The JSON-RPC server: what other programs read. It reads the ledger and shared state, and changes nothing.

mod crosscheck;
mod refusals;
mod server;

pub use crosscheck::{AttestationsPage, CrosscheckApiServer, CrosscheckRpc, Page, RefusalsPage, Status};
pub use refusals::{RefusalRecord, Refusals};
pub use server::serve;
