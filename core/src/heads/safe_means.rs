//! [`SafeMeans`]: what it means that a source calls a block safe. Never asks the source: the sidecar does.

use serde::{Deserialize, Serialize};

/// What it means that a source calls a block safe.
///
/// op-supernode checks messages before it calls a block safe. A plain op-node or kona-node calls safe what it
/// has derived from L1, and a light op-node repeats another node's claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SafeMeans {
    /// The block was derived from L1. Also where it is not known whether the source checks messages.
    #[default]
    LocalSafe,
    /// Every message in the block was checked.
    CrossSafe,
}

impl SafeMeans {
    /// Its name in the configuration.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::LocalSafe => "local-safe",
            Self::CrossSafe => "cross-safe",
        }
    }
}
