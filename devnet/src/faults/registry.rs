//! [`REGISTRY`]: the table of all faults.

use super::fault::ScriptedFault;
use super::{
    attestations, blocks, cascades, claimants, identifiers, messages, nodes, publication, reorgs,
    replacement, same_timestamp,
};

/// Every fault there is. A seed draws its random faults by their places in this list.
pub static REGISTRY: &[&ScriptedFault] = &[
    &messages::INVALID_MESSAGE,
    &messages::WRONG_PAYLOAD_HASH,
    &messages::WRONG_LOG_INDEX,
    &messages::EXPIRED_MESSAGE,
    &messages::UNKNOWN_CHAIN_ID,
    &identifiers::WRONG_ORIGIN,
    &identifiers::WRONG_BLOCK_NUMBER,
    &identifiers::WRONG_TIMESTAMP,
    &identifiers::WRONG_CHAIN_ID,
    &identifiers::FUTURE_MESSAGE,
    &identifiers::ACTIVATION_BLOCK_MESSAGE,
    &same_timestamp::SAME_TIMESTAMP,
    &same_timestamp::SAME_TIMESTAMP_MUTUAL,
    &same_timestamp::CYCLE_TWO,
    &same_timestamp::CYCLE_THREE,
    &same_timestamp::CYCLE_ATTESTED,
    &cascades::TRANSITIVE_INVALID,
    &cascades::REMOTE_REPLACEMENT,
    &cascades::REMOTE_REORG,
    &messages::UNDECLARED_ACCESS,
    &replacement::JUSTIFIED_REPLACEMENT,
    &attestations::UNJUSTIFIED_REPLACEMENT,
    &attestations::NOT_DERIVED,
    &attestations::CHILD_FIRST,
    &attestations::WRONG_SIGNER,
    &nodes::RPC_OUTAGE,
    &nodes::LONG_OUTAGE,
    &nodes::LYING_ENDPOINT,
    &nodes::LAGGING_ENDPOINT,
    &nodes::UNLINKED_CLIENT,
    &nodes::STALE_ENDPOINT,
    &nodes::ZERO_HEADS,
    &nodes::SCHEDULE_MISMATCH,
    &nodes::GENESIS_FINALITY,
    &blocks::FORGED_DEPOSIT,
    &attestations::WRONG_MIN_BASE_FEE,
    &attestations::SAME_ATTRIBUTES_OTHER_HASH,
    &replacement::REPLACEMENT_CHAIN,
    &replacement::WITHDRAWN_LOCAL_SAFE,
    &replacement::PLAIN_SIBLING,
    &replacement::REWIND_SIBLING,
    &replacement::UNREPLACED,
    &replacement::UNREPLACED_UNSEEN,
    &reorgs::VERDICT_TAKEN_BACK,
    &reorgs::L1_REORG,
    &reorgs::L1_REORG_FINAL,
    &reorgs::UNSAFE_REORG,
    &nodes::SIBLING_WRONG_FORK,
    &publication::ATTESTATIONS_OUT_OF_ORDER,
    &publication::ATTESTATIONS_LOST,
    &blocks::LAGOON_ACTIVATION,
    &publication::REPLAY_FIRST,
    &claimants::LYING_CLAIMANT,
    &claimants::CLAIMANTS_DIFFER,
];

/// The fault of a name.
pub(super) fn named(name: &str) -> Option<&'static ScriptedFault> {
    REGISTRY.iter().copied().find(|fault| fault.name == name)
}
