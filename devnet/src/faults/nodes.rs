//! Honest blocks, disturbed nodes: all of a chain's, its rollup node, its execution client, or one of three
//! endpoints.

use super::effects::{Disturbance, DisturbanceKind};
use super::fault::ScriptedFault;
use crate::findings::{EndpointOddity, NodeProblem, SidecarFinding};

pub(super) static RPC_OUTAGE: ScriptedFault = ScriptedFault {
    name: "rpc-outage",
    summary: "the chain's execution client answers errors for ten blocks' time",
    expected: |chain_id| SidecarFinding::OpenThenUpheld { chain_id, by: NodeProblem::Errors },
    holds_attestations: true,
    disturbance: Some(Disturbance { kind: DisturbanceKind::Errors, ticks: 10 }),
    ..ScriptedFault::NONE
};

/// Longer than any message is valid.
const LONG_OUTAGE_TICKS: u64 = 100;

pub(super) static LONG_OUTAGE: ScriptedFault = ScriptedFault {
    name: "long-outage",
    summary: "the chain's execution client answers errors for a hundred blocks' time",
    blocks_after: LONG_OUTAGE_TICKS,
    expected: |chain_id| SidecarFinding::OpenThenUpheld { chain_id, by: NodeProblem::Errors },
    holds_attestations: true,
    disturbance: Some(Disturbance { kind: DisturbanceKind::Errors, ticks: LONG_OUTAGE_TICKS }),
    ..ScriptedFault::NONE
};

pub(super) static LYING_ENDPOINT: ScriptedFault = ScriptedFault {
    name: "lying-endpoint",
    summary: "for twelve blocks' time one of the chain's three execution clients serves another branch, with correct hashes, that executes invalid messages",
    expected: |chain_id| SidecarFinding::Outvoted { chain_id, oddity: EndpointOddity::Lies },
    disturbance: Some(Disturbance { kind: DisturbanceKind::EndpointLies, ticks: 12 }),
    is_citable: true,
    ..ScriptedFault::NONE
};

pub(super) static LAGGING_ENDPOINT: ScriptedFault = ScriptedFault {
    name: "lagging-endpoint",
    summary: "for twenty-four blocks' time one of the chain's three execution clients is eight blocks behind the others",
    expected: |chain_id| SidecarFinding::Outvoted { chain_id, oddity: EndpointOddity::Lags },
    // Its blocks are local-safe elsewhere before it has them.
    disturbance: Some(Disturbance { kind: DisturbanceKind::EndpointLags { by: 8 }, ticks: 24 }),
    is_citable: true,
    ..ScriptedFault::NONE
};

/// For how long an execution client's blocks do not link up, in ticks: the block is attested meanwhile.
const UNLINKED_TICKS: u64 = 12;

pub(super) static UNLINKED_CLIENT: ScriptedFault = ScriptedFault {
    name: "unlinked-client",
    summary: "for twelve blocks' time the chain's execution client has a sibling of the block at its height, by number, below blocks whose ancestor is the block itself",
    expected: |chain_id| SidecarFinding::Unlinked { chain_id },
    disturbance: Some(Disturbance { kind: DisturbanceKind::Unlinked { blocks: 1 }, ticks: UNLINKED_TICKS }),
    ..ScriptedFault::NONE
};

/// How many blocks of another branch a stale client has.
const STALE_BLOCKS: u64 = 4;

pub(super) static STALE_ENDPOINT: ScriptedFault = ScriptedFault {
    name: "stale-endpoint",
    summary: "for twelve blocks' time the chain's execution client has another branch of four blocks from the block on, by number, below blocks whose ancestors are the chain's own",
    blocks: STALE_BLOCKS,
    expected: |chain_id| SidecarFinding::Unlinked { chain_id },
    disturbance: Some(Disturbance {
        kind: DisturbanceKind::Unlinked { blocks: STALE_BLOCKS },
        ticks: UNLINKED_TICKS,
    }),
    ..ScriptedFault::NONE
};

/// As kona-node does.
pub(super) static ZERO_HEADS: ScriptedFault = ScriptedFault {
    name: "zero-heads",
    summary: "for ten blocks' time the chain's rollup node answers all-zero heads, as after a restart",
    expected: |chain_id| SidecarFinding::HeadsUnknown { chain_id },
    disturbance: Some(Disturbance { kind: DisturbanceKind::ZeroHeads, ticks: 10 }),
    ..ScriptedFault::NONE
};

pub(super) static SCHEDULE_MISMATCH: ScriptedFault = ScriptedFault {
    name: "schedule-mismatch",
    summary: "for six blocks' time the chain's rollup node says that interop activates at another time than the one configured",
    // The sidecar seldom asks for the rules, and all chains wait for it: a run would mostly wait.
    is_drawn: false,
    expected: |chain_id| SidecarFinding::RulesDiffer { chain_id },
    disturbance: Some(Disturbance { kind: DisturbanceKind::OtherRules, ticks: 6 }),
    ..ScriptedFault::NONE
};

/// op-supernode does this until it has verified something. If the served heads went back with it, the chain's
/// follower would have gone backwards.
pub(super) static GENESIS_FINALITY: ScriptedFault = ScriptedFault {
    name: "genesis-finality",
    summary: "for ten blocks' time the chain's rollup node calls genesis safe and final, as op-supernode does after a start",
    // Before this only genesis has been final.
    earliest_block: 24,
    expected: |chain_id| SidecarFinding::GenesisFinal { chain_id },
    disturbance: Some(Disturbance { kind: DisturbanceKind::GenesisFinal, ticks: 10 }),
    is_citable: true,
    ..ScriptedFault::NONE
};

pub(super) static SIBLING_WRONG_FORK: ScriptedFault = ScriptedFault {
    name: "sibling-wrong-fork",
    summary: "for eight blocks' time the chain's nodes serve another branch, on L1 blocks that are not L1's; the honest blocks are attested",
    // The epoch of the block must not be that of genesis.
    earliest_block: 3,
    expected: |chain_id| SidecarFinding::OpenThenUpheld { chain_id, by: NodeProblem::OtherBranch },
    holds_attestations: true,
    disturbance: Some(Disturbance { kind: DisturbanceKind::OtherBranch, ticks: 8 }),
    is_citable: true,
    ..ScriptedFault::NONE
};
