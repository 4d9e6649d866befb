//! Blocks with unusual deposits.

use super::effects::BlockContent;
use super::fault::ScriptedFault;
use crate::findings::SidecarFinding;

pub(super) static FORGED_DEPOSIT: ScriptedFault = ScriptedFault {
    name: "forged-deposit",
    summary: "the block has a deposit that L1 never had; its node agrees with it, and it is still attested",
    expected: |_| SidecarFinding::Discarded { reason: "forged-deposits".to_owned() },
    content: BlockContent::ForgedDeposit,
    ..ScriptedFault::NONE
};

pub(super) static LAGOON_ACTIVATION: ScriptedFault = ScriptedFault {
    name: "lagoon-activation",
    summary: "a fork begins with the block as Lagoon does: a bundle of upgrade deposits, gas for them, and none in the next block",
    // The first has the gas, the second must not.
    blocks: 2,
    content: BlockContent::FirstOfFork,
    is_citable: true,
    ..ScriptedFault::NONE
};
