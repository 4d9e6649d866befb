//! [`OwnAnswers`]: what the program answers itself, for the comparison with the answers of others. It asks no
//! other program for an opinion.

use super::super_root::super_root;
use super::super_roots::{ChainOutput, roots};
use super::superroot_api::SuperRootRpc;
use super::{AccessCheck, SupervisorError};
use alloy::primitives::B256;
use crosscheck_core::message::BlockKey;
use crosscheck_core::validity::{DependencySet, Unclear};
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::{BTreeMap, BTreeSet};

/// The program's own answers. Clones share what is remembered for them.
#[derive(Clone, Debug)]
pub(crate) struct OwnAnswers {
    super_roots: SuperRootRpc,
    access: AccessCheck,
}

/// The own super root at a timestamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnSuperRoot {
    /// The timestamp.
    pub(crate) timestamp: UnixSeconds,
    /// The super root.
    pub(crate) super_root: B256,
    /// What it is made of.
    pub(crate) chains: BTreeMap<ChainId, OwnOutput>,
    /// Whether interop is active on all of the chains at the timestamp.
    pub(crate) is_interop: bool,
}

/// One chain's part of the own super root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnOutput {
    /// The chain's block.
    pub(crate) block: BlockKey,
    /// The output root.
    pub(crate) output_root: B256,
}

impl OwnAnswers {
    /// Answers of these.
    pub(super) const fn new(super_roots: SuperRootRpc, access: AccessCheck) -> Self {
        Self { super_roots, access }
    }

    /// Whether these chains are a dependency set that is watched here.
    ///
    /// # Errors
    /// If all of them are watched, and their dependency set is not known.
    pub(crate) fn is_set(&self, chains: &BTreeSet<ChainId>) -> Result<bool, SupervisorError> {
        is_set(&self.super_roots.superchain.set, chains).map_err(Into::into)
    }

    /// The timestamp up to which every one of the chains is final. 0: one of them has no final block yet.
    ///
    /// # Errors
    /// If a head cannot be proven.
    pub(crate) async fn finalized(&self, chains: &BTreeSet<ChainId>) -> Result<UnixSeconds, SupervisorError> {
        self.super_roots.finalized(chains).await
    }

    /// The super root of the chains at a timestamp, as `superroot_atTimestamp` has it. `None`: there is none
    /// yet.
    ///
    /// # Errors
    /// If a part cannot be proven.
    pub(crate) async fn super_root(
        &self,
        chains: &BTreeSet<ChainId>,
        timestamp: UnixSeconds,
    ) -> Result<Option<OwnSuperRoot>, SupervisorError> {
        let Some(outputs) = self.super_roots.outputs(chains, timestamp).await? else { return Ok(None) };
        let set = &self.super_roots.superchain.set;
        let activations = chains.iter().map(|chain_id| set.rules(*chain_id)?.interop_time);
        let is_interop = activations.into_iter().all(|at| at.is_some_and(|at| timestamp.0 >= at.0));
        let super_root = super_root(timestamp, &roots(&outputs));
        let chains = outputs.iter().map(|output| (output.chain_id, OwnOutput::of(output))).collect();
        Ok(Some(OwnSuperRoot { timestamp, super_root, chains, is_interop }))
    }

    /// Checks an access list as of a transaction on this chain, in a block of this timestamp. The failsafe
    /// does not matter.
    ///
    /// # Errors
    /// If a message is invalid, or cannot be proven.
    pub(crate) async fn check_access_list(
        &self,
        entries: &[B256],
        chain_id: ChainId,
        timestamp: UnixSeconds,
    ) -> Result<(), SupervisorError> {
        self.access.own_answer(entries, chain_id, timestamp).await
    }
}

/// Whether these chains are one dependency set. Chains that are not watched are none, whatever is known of
/// the others.
fn is_set(set: &DependencySet, chains: &BTreeSet<ChainId>) -> Result<bool, Unclear> {
    let Some(first) = chains.first().filter(|_| chains.iter().all(|chain_id| set.contains(*chain_id))) else {
        return Ok(false);
    };
    match set.set_of(*first) {
        Ok(known) => Ok(known == *chains),
        Err(Unclear::NotWatched { .. } | Unclear::OtherSet { .. }) => Ok(false),
        Err(unknown) => Err(unknown),
    }
}

impl OwnOutput {
    fn of(output: &ChainOutput) -> Self {
        let &ChainOutput { chain_id, number, ref canonical, .. } = output;
        let block = BlockKey { chain_id, number, hash: canonical.block_hash };
        Self { block, output_root: canonical.root() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosscheck_core::validity::{ChainRules, RuleAgreement};

    #[test]
    fn a_set_that_is_not_known_is_not_another_set() {
        let ids = |ids: &[u64]| ids.iter().map(|id| ChainId::from(*id)).collect::<BTreeSet<_>>();
        let rules =
            |dependencies| ChainRules { block_time: 2, interop_time: Some(UnixSeconds(0)), dependencies };
        let chains = [(901, rules(Some(ids(&[901])))), (902, rules(None))];
        let set = DependencySet::of_chains(chains.map(|(id, rules)| (ChainId::from(id), rules)).into(), 100);
        let is = |chains| is_set(&set, &ids(chains));
        assert_eq!((is(&[901]), is(&[901, 902]), is(&[902, 903])), (Ok(true), Ok(false), Ok(false)));
        assert_eq!(is(&[902]), Err(Unclear::Dependencies { chain_id: ChainId::from(902) }));
        set.set_rule_agreement(ChainId::from(901), RuleAgreement::Awaited);
        assert_eq!(is(&[901]), Err(Unclear::Unasked { chain_id: ChainId::from(901) }));
    }
}
