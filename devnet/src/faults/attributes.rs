//! Blocks that are wrong where only L1, the chain's configuration or a second execution can tell.

use super::{Attested, Fault};
use crate::finding::Finding;

/// A block with a deposit that L1 never had.
#[derive(Debug)]
pub(super) struct ForgedDeposit;

/// Attests to a block with another minimum base fee.
#[derive(Debug)]
pub(super) struct WrongMinBaseFee;

/// Attests to a block that has the derived attributes and another state root.
#[derive(Debug)]
pub(super) struct SameAttributesOtherHash;

impl Fault for ForgedDeposit {
    fn name(&self) -> &'static str {
        "forged-deposit"
    }

    fn summary(&self) -> &'static str {
        "the block has a deposit that L1 never had; its node agrees with it, and it is still attested"
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::Discarded { reason: "forged-deposits".to_owned() }
    }

    fn forges_deposit(&self) -> bool {
        true
    }
}

impl Fault for WrongMinBaseFee {
    fn name(&self) -> &'static str {
        "wrong-min-base-fee"
    }

    fn summary(&self) -> &'static str {
        "a block with another minimum base fee in its extra data than the derived one is attested"
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::Discarded { reason: "not-derived".to_owned() }
    }

    fn attested(&self) -> Attested {
        Attested::OtherMinBaseFeeSibling
    }
}

impl Fault for SameAttributesOtherHash {
    fn name(&self) -> &'static str {
        "same-attributes-other-hash"
    }

    fn summary(&self) -> &'static str {
        "a block with the derived attributes but another state root, and so another hash, is attested"
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::Discarded { reason: "execution-divergence".to_owned() }
    }

    fn attested(&self) -> Attested {
        Attested::OtherStateRootSibling
    }
}
