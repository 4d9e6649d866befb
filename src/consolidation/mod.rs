//! L1 consolidation, pure: is a block what L1 says stands at its height?
//!
//! Spec: protocol/derivation.md, "L1 consolidation: payload attributes matching", and the interop
//! replacement rule (the same attributes with deposits only). No I/O; both blocks come in as arguments.

mod attributes;
mod consolidate;
pub mod deposits;
mod mismatch;

pub use attributes::{BlockAttributes, FeeParameters, FeeParametersError, TransactionDigest};
pub use consolidate::{Consolidation, consolidate};
pub use mismatch::Mismatch;
