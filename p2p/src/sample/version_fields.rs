//! What a version of a payload added, for tests. The unit tests and the tests of the whole crate each include
//! this file: the file that includes it imports the types.

use super::{BlobFields, PayloadVersion, VersionFields};
use alloy_primitives::B256;

/// What a version added: no withdrawals, and in version 4 blob gas as Jovian has it.
pub(crate) fn version_fields(version: PayloadVersion) -> VersionFields {
    let withdrawals = Vec::new();
    let blobs = BlobFields {
        parent_beacon_block_root: B256::repeat_byte(8),
        blob_gas_used: if version == PayloadVersion::V4 { 12_345 } else { 0 },
        excess_blob_gas: 0,
    };
    match version {
        PayloadVersion::V1 => VersionFields::V1,
        PayloadVersion::V2 => VersionFields::V2 { withdrawals },
        PayloadVersion::V3 => VersionFields::V3 { withdrawals, blobs },
        PayloadVersion::V4 => {
            VersionFields::V4 { withdrawals, blobs, withdrawals_root: B256::repeat_byte(9) }
        }
    }
}
