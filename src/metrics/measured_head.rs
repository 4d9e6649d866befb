//! [`MeasuredHead`]: the heads that metrics show, by name. It knows no height and no chain.

use crosscheck_core::heads::SafetyLevel;

/// A head that metrics show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MeasuredHead {
    /// A chain's head of this level.
    Level(SafetyLevel),
    /// The vouched head.
    Vouched,
    /// The highest attested block that is upheld and final.
    Settled,
    /// The L1 block that a rollup node has reached.
    CurrentL1,
    /// The execution clients' latest block.
    Execution,
    /// The latest block of L1.
    L1,
}

impl MeasuredHead {
    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Level(level) => level.name(),
            Self::Vouched => "vouched",
            Self::Settled => "settled",
            Self::CurrentL1 => "current-l1",
            Self::Execution => "execution",
            Self::L1 => "l1",
        }
    }
}

impl From<SafetyLevel> for MeasuredHead {
    fn from(level: SafetyLevel) -> Self {
        Self::Level(level)
    }
}
