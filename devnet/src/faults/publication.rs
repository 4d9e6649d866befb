//! Honest attestations that are published too late, in the wrong order, not at all, or after replays.

use super::effects::Publication;
use super::fault::ScriptedFault;
use crate::findings::SidecarFinding;

pub(super) static ATTESTATIONS_OUT_OF_ORDER: ScriptedFault = ScriptedFault {
    name: "attestations-out-of-order",
    summary: "the attestations of the block and the five after it are published in reverse order",
    blocks: 6,
    publication: Publication::Reversed,
    is_citable: true,
    ..ScriptedFault::NONE
};

pub(super) static ATTESTATIONS_LOST: ScriptedFault = ScriptedFault {
    name: "attestations-lost",
    summary: "the attestations of the block and the nineteen after it are never published",
    blocks: 20,
    // The attestation of a later block is one of its ancestors, too.
    blocks_after: 1,
    expected: |_| SidecarFinding::UpheldAsAncestor,
    publication: Publication::Never,
    is_citable: true,
    ..ScriptedFault::NONE
};

pub(super) static REPLAY_FIRST: ScriptedFault = ScriptedFault {
    name: "replay-first",
    summary: "a bystander replays the unsafe frames of the block and the five after it on the attestations' topic, before they \
         are attested",
    blocks: 6,
    // The bystander has no key.
    is_replayed: true,
    is_citable: true,
    ..ScriptedFault::NONE
};
