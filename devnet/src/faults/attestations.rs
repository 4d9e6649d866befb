//! Honest blocks, dishonest attestations: faults that change only what is signed, and by whom.

use super::effects::{Attested, Publication};
use super::fault::ScriptedFault;
use crate::findings::SidecarFinding;

pub(super) static UNJUSTIFIED_REPLACEMENT: ScriptedFault = ScriptedFault {
    name: "unjustified-replacement",
    summary: "a deposits-only block is attested where the derived block was fine",
    expected: |_| SidecarFinding::Violated { reason: "unjustified-replacement".to_owned(), detail: None },
    attested: Attested::DepositsOnlySibling,
    ..ScriptedFault::NONE
};

pub(super) static NOT_DERIVED: ScriptedFault = ScriptedFault {
    name: "not-derived",
    summary: "a block with other transactions than the derived one is attested",
    expected: |_| SidecarFinding::Discarded { reason: "not-derived".to_owned() },
    attested: Attested::OtherTransactionsSibling,
    ..ScriptedFault::NONE
};

pub(super) static CHILD_FIRST: ScriptedFault = ScriptedFault {
    name: "child-first",
    summary: "a block with other transactions than the derived one is attested, and before it a block on top of it",
    blocks: 2,
    expected: |_| SidecarFinding::Discarded { reason: "not-derived".to_owned() },
    attested: Attested::OtherBranch,
    publication: Publication::Reversed,
    ..ScriptedFault::NONE
};

pub(super) static WRONG_SIGNER: ScriptedFault = ScriptedFault {
    name: "wrong-signer",
    summary: "the block's attestation is signed with a key that is not the chain's",
    expected: |_| SidecarFinding::Rejected { reason: "wrong-signer".to_owned() },
    attested: Attested::BlockByImpostor,
    ..ScriptedFault::NONE
};

pub(super) static WRONG_MIN_BASE_FEE: ScriptedFault = ScriptedFault {
    name: "wrong-min-base-fee",
    summary: "a block with another minimum base fee in its extra data than the derived one is attested",
    expected: |_| SidecarFinding::Discarded { reason: "not-derived".to_owned() },
    attested: Attested::OtherMinBaseFeeSibling,
    ..ScriptedFault::NONE
};

pub(super) static SAME_ATTRIBUTES_OTHER_HASH: ScriptedFault = ScriptedFault {
    name: "same-attributes-other-hash",
    summary: "a block with the derived attributes but another state root, and so another hash, is attested",
    expected: |_| SidecarFinding::Discarded { reason: "execution-divergence".to_owned() },
    attested: Attested::OtherStateRootSibling,
    ..ScriptedFault::NONE
};
