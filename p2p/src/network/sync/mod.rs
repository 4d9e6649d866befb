//! `payload_by_number`: serves recently validated blocks, and requests missed ones from peers.
//!
//! A response has no signature. A fetched block is accepted only because it hashes to the parent hash of a
//! signed block: [`GapFiller`] never requests a block that cannot be checked in this way.

mod block_cache;
mod gap_filler;
mod payload_codec;
mod payload_response;
mod rate_limits;
mod sync_protocol;

pub(super) use block_cache::BlockCache;
pub(super) use gap_filler::{BlockRequest, GapFiller};
pub(super) use payload_codec::PayloadCodec;
#[cfg(fuzzing)]
pub(super) use payload_response::MAX_RESPONSE_BYTES;
pub(super) use payload_response::{PayloadResponse, ResponseError, StoredBlock, open_response};
pub(super) use rate_limits::RateLimits;
pub(super) use sync_protocol::{SyncProtocol, is_supported, protocol_ids, sync_behaviour};
