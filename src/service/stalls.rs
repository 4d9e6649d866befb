//! For how long a chain's heads may be stalled, as it is configured.

use crate::config::ChainConfig;
use crate::stalled_heads::StallBounds;

/// For how long each of a chain's heads may be stalled before that is reported.
pub(super) const fn stall_bounds(chain: &ChainConfig) -> StallBounds {
    StallBounds {
        unsafe_: chain.unsafe_stall.0,
        safe: chain.safe_stall.0,
        l1: chain.l1_stall.0,
        vouched: chain.vouched_stall.0,
    }
}
