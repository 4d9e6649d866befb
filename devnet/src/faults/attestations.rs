//! Honest blocks, dishonest words: faults that change only what is signed.

use super::{Attested, Fault, Publication};
use crate::finding::Finding;

/// Attests to a deposits-only block where the derived one was fine.
#[derive(Debug)]
pub(super) struct UnjustifiedReplacement;

/// Attests to a block that was never derived.
#[derive(Debug)]
pub(super) struct NotDerived;

/// Attests a block that is not the derived one, and a block on top of it, the latter first.
#[derive(Debug)]
pub(super) struct ChildFirst;

/// Signs with a key that is not the chain's.
#[derive(Debug)]
pub(super) struct WrongSigner;

impl Fault for UnjustifiedReplacement {
    fn name(&self) -> &'static str {
        "unjustified-replacement"
    }

    fn summary(&self) -> &'static str {
        "a deposits-only block is attested where the derived block was fine"
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::Violated { reason: "unjustified-replacement".to_owned(), detail: None }
    }

    fn attested(&self) -> Attested {
        Attested::DepositsOnlySibling
    }
}

impl Fault for NotDerived {
    fn name(&self) -> &'static str {
        "not-derived"
    }

    fn summary(&self) -> &'static str {
        "a block with other transactions than the derived one is attested"
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::Discarded { reason: "not-derived".to_owned() }
    }

    fn attested(&self) -> Attested {
        Attested::OtherTransactionsSibling
    }
}

impl Fault for ChildFirst {
    fn name(&self) -> &'static str {
        "child-first"
    }

    fn summary(&self) -> &'static str {
        "a block with other transactions than the derived one is attested, and before it a block on top of it"
    }

    fn blocks(&self) -> u64 {
        2
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::Discarded { reason: "not-derived".to_owned() }
    }

    fn attested(&self) -> Attested {
        Attested::OtherBranch
    }

    fn publication(&self) -> Publication {
        Publication::Reversed
    }
}

impl Fault for WrongSigner {
    fn name(&self) -> &'static str {
        "wrong-signer"
    }

    fn summary(&self) -> &'static str {
        "the block's attestation is signed with a key that is not the chain's"
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::Rejected { reason: "wrong-signer".to_owned() }
    }

    fn attested(&self) -> Attested {
        Attested::BlockByImpostor
    }
}
