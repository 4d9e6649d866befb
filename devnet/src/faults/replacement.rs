//! The justified replacement: an invalid block is replaced by its deposits, and the replacement is attested.

use super::effects::{Fate, L1Drop, Publication, ReplacementCourse, WaitFor};
use super::fault::ScriptedFault;
use super::messages::absent_message;
use crate::findings::{ExpectedMessage, SidecarFinding};
use crate::timing::WITHDRAWN_TICKS;

/// Where blocks have been built several times when they are replaced: with a longer block time the last would
/// be too old for gossip.
const MAX_BLOCK_TIME: u64 = 4;
/// For how long the chain's nodes remain on a replaced block, in ticks.
const REMAIN_TICKS: u64 = 12;

/// A block with an invalid message, replaced.
const REPLACED: ScriptedFault = ScriptedFault {
    expected: |_| SidecarFinding::UpheldReplacement,
    expected_message: Some(ExpectedMessage::resolved("log-not-found")),
    waits_for: WaitFor::Judged,
    message: Some(absent_message),
    fate: Fate::Replaced(ReplacementCourse::AtOnce),
    ..ScriptedFault::EXECUTING
};

pub(super) static JUSTIFIED_REPLACEMENT: ScriptedFault = ScriptedFault {
    name: "justified-replacement",
    summary: "the block executes an invalid message; its node replaces it by deposits only, which is what is attested",
    ..REPLACED
};

pub(super) static REPLACEMENT_CHAIN: ScriptedFault = ScriptedFault {
    name: "replacement-chain",
    summary: "the block and the two after it execute an invalid message each; each is replaced, and all three are attested",
    blocks: 3,
    max_block_time: MAX_BLOCK_TIME,
    ..REPLACED
};

/// As op-supernode does.
pub(super) static WITHDRAWN_LOCAL_SAFE: ScriptedFault = ScriptedFault {
    name: "withdrawn-local-safe",
    summary: "the block executes an invalid message and nobody attests it; its node names it as local-safe, then heads far below, then the replacement",
    max_block_time: MAX_BLOCK_TIME,
    fate: Fate::Replaced(ReplacementCourse::AfterWithdrawal { ticks: WITHDRAWN_TICKS }),
    ..REPLACED
};

pub(super) static PLAIN_SIBLING: ScriptedFault = ScriptedFault {
    name: "plain-sibling",
    summary: "the block executes an invalid message and is replaced; the chain's own nodes check no messages, and remain on its branch for twelve blocks' time",
    blocks_after: REMAIN_TICKS,
    // All chains wait until the sidecar says where the nodes remain.
    is_drawn: false,
    expected: |chain_id| SidecarFinding::StayedBehind { chain_id },
    expected_unattested: Some(|chain_id| SidecarFinding::HeldUntilReplaced { chain_id }),
    fate: Fate::Replaced(ReplacementCourse::IgnoredByNodes { ticks: REMAIN_TICKS }),
    ..REPLACED
};

/// As op-supernode does: the client is rewound to a block that nobody has derived.
pub(super) static REWIND_SIBLING: ScriptedFault = ScriptedFault {
    name: "rewind-sibling",
    summary: "the block executes an invalid message and is replaced; first its client has a sibling of its parent as its tip, calls that one's parent final, and then has the parent again, while the rollup node is stopped",
    max_block_time: MAX_BLOCK_TIME,
    expected: |chain_id| SidecarFinding::Rewound { chain_id },
    fate: Fate::Replaced(ReplacementCourse::AfterRewind { ticks: 2 }),
    ..REPLACED
};

/// The replacement is attested at once.
pub(super) static UNREPLACED: ScriptedFault = UNREPLACED_ROW;

const UNREPLACED_ROW: ScriptedFault = ScriptedFault {
    name: "unreplaced",
    summary: "the block executes an invalid message and is replaced; then L1 drops its batch, and a valid block takes the replacement's place and is attested, too",
    max_block_time: MAX_BLOCK_TIME,
    expected: |chain_id| SidecarFinding::Unreplaced { chain_id, is_unseen: false },
    l1_drop: Some(L1Drop::Batch),
    ..REPLACED
};

/// The replacement is attested once it is undone.
pub(super) static UNREPLACED_UNSEEN: ScriptedFault = ScriptedFault {
    name: "unreplaced-unseen",
    summary: "as unreplaced, but the replacement's attestation comes only when another block is in its place",
    expected: |chain_id| SidecarFinding::Unreplaced { chain_id, is_unseen: true },
    publication: Publication::WithNext,
    ..UNREPLACED_ROW
};
