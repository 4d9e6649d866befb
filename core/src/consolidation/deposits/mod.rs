//! What L1 alone says of a block: its deposits, and all its attributes but the batches' transactions. Pure:
//! L1 headers and logs come in as arguments.
//!
//! Spec: protocol/deposits.md, protocol/system-config.md and protocol/derivation.md, "Deriving payload
//! attributes". What cannot be known here (an unknown fork's upgrade transactions, an L1's blob schedule) is
//! an error that says so and [is not a contradiction](DepositsError::is_contradiction).

mod blob_schedule;
mod bundle;
mod comparison;
mod config_update;
mod derive;
mod error;
mod l1_info;
mod parent;
mod rules;
mod system_config;
mod upgrade;
mod user_deposit;
mod words;

pub use blob_schedule::{BlobFractions, BlobSchedule, ReportedBlobs};
pub use bundle::{BundleFileError, NamedBundle, SetSize, UpgradeBundle};
pub use comparison::{Comparison, compare_with_l1};
pub use config_update::{ConfigUpdate, ConfigUpdateError};
pub use derive::{DerivedFromL1, L1Epoch, TakenFromNode, derive_from_l1};
pub use error::DepositsError;
pub use l1_info::{
    DEPOSITOR, EcotoneFees, L1_BLOCK, L1Fees, L1Info, L1InfoError, MAX_L1_ATTRIBUTES_BYTES, OperatorFee,
    decode_l1_info,
};
pub use parent::ParentFacts;
pub use rules::DepositRules;
pub use system_config::SystemConfig;
pub use user_deposit::{UserDepositError, decode_user_deposit};
