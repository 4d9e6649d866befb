//! Blocks by safety level: what a node names, what its "safe" means, and which of the blocks that are known
//! are on which level.

mod l2_block_ref;
mod recent_blocks;
mod safe_means;
mod safety_heads;
mod safety_level;
mod verified_heads;

pub use l2_block_ref::L2BlockRef;
pub use recent_blocks::RecentBlocks;
pub use safe_means::SafeMeans;
pub use safety_heads::SafetyHeads;
pub use safety_level::{ParseSafetyLevelError, SafetyLevel};
pub use verified_heads::{OtherFork, ReportedHeads, verified_heads};
