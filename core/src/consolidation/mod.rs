//! L1 consolidation, pure: is a block what L1 says is at its height?
//!
//! Spec: protocol/derivation.md, "L1 consolidation: payload attributes matching", and the interop replacement
//! rule (the same attributes with deposits only). No I/O: blocks, headers and logs come in as arguments.
//!
//! Two questions, apart: does a block have the attributes of the block that a rollup node derived
//! ([`consolidate()`]), and does it have those that L1 alone gives it ([`deposits::derive_from_l1`],
//! [`MatchingRules`])?

mod attributes;
mod chain_name;
mod config_difference;
mod consolidate;
pub mod deposits;
mod fee_parameters;
mod fingerprint;
mod fork;
mod matching;
pub(crate) mod metering;
mod mismatch;
mod payload_attributes;
mod replacement;
mod rollup_config;
#[cfg(any(test, feature = "fixtures"))]
pub mod sample;
mod unknown_forks;

pub use attributes::{BlockAttributes, TransactionDigest};
pub use chain_name::chain_by_id_or_name;
pub use config_difference::ConfigDifference;
pub use consolidate::{Consolidation, consolidate, consolidate_by};
pub use fee_parameters::{Eip1559, FeeParameters, FeeParametersError};
pub use fingerprint::Fingerprint;
pub use fork::{Fork, ForkSchedule, ForkScheduleError, ForkTimes};
pub use matching::MatchingRules;
pub use metering::{Metering, MeteringProblem};
pub use mismatch::Mismatch;
pub use payload_attributes::{AttributeFees, PayloadAttributes};
pub use replacement::{Replacement, ReplacementRule, optimistic_block_deposit};
pub use rollup_config::{RollupConfig, RollupConfigError, RollupGenesis};
pub use unknown_forks::{UnknownFork, UnknownForks, date};
