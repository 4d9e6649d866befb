//! `payload_by_number`: serves blocks that were validated lately, and asks peers for the ones that were missed.
//!
//! An answer carries no signature. What is fetched is believed only because it hashes to the parent hash of a block
//! that was signed: [`GapFiller`] never asks for anything that cannot be checked so.

mod answer;
mod gap_filler;
mod payload_codec;
mod rate_limits;
mod recent_blocks;
mod sync_protocol;

#[cfg(fuzzing)]
pub(super) use answer::MAX_RESPONSE_BYTES;
pub(super) use answer::{Answer, Kept, Refused, open};
pub(super) use gap_filler::{GapFiller, Wanted};
pub(super) use payload_codec::PayloadCodec;
pub(super) use rate_limits::RateLimits;
pub(super) use recent_blocks::RecentBlocks;
pub(super) use sync_protocol::{SyncProtocol, is_spoken, protocol_ids, sync_behaviour};
