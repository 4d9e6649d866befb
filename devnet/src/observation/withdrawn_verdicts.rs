//! [`WithdrawnVerdicts`]: what a sidecar reports of attested blocks that are not derived from L1 first, and
//! are derived after a reorg of L1. Pure.

use super::observations::Observations;
use crate::findings::{SidecarFinding, WithdrawnVerdictPage, WithdrawnVerdictRecord};
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use std::collections::{BTreeMap, BTreeSet};

/// The most events that are kept. There is one for each scripted block.
const MAX_REPORTED: usize = 100_000;

/// Verdicts that were reported to be withdrawn, and what became of their blocks.
#[derive(Clone, Debug, Default)]
pub(crate) struct WithdrawnVerdicts {
    /// What was reported, by the ids of the events.
    reported: BTreeMap<u64, WithdrawnVerdictRecord>,
    cursor: u64,
    /// How many blocks of each chain are found invalid, and not resolved.
    unresolved: BTreeMap<u64, u64>,
    /// The blocks for which the sidecar accused their signers, and how many blocks of the chain were
    /// unresolved then.
    accused: BTreeMap<(u64, B256), u64>,
    /// Those of which no accusation was left afterwards.
    cleared: BTreeSet<(u64, B256)>,
}

/// An attested block that is not the derived one, until a reorg of L1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DisputedBlock {
    /// The chain.
    pub(crate) chain_id: u64,
    /// The height.
    pub(crate) number: u64,
    /// The block.
    pub(crate) hash: B256,
    /// Whether it holds the chain's vouched head until then.
    pub(crate) holds: bool,
}

impl WithdrawnVerdicts {
    /// Where reading of events continues.
    pub(crate) const fn cursor(&self) -> u64 {
        self.cursor
    }

    fn take(&mut self, page: WithdrawnVerdictPage) {
        self.cursor = self.cursor.max(page.cursor);
        self.reported.extend(page.events.into_iter().map(|record| (record.id, record)));
        while self.reported.len() > MAX_REPORTED {
            self.reported.pop_first();
        }
    }

    fn unresolved(&self, chain_id: u64) -> u64 {
        self.unresolved.get(&chain_id).copied().unwrap_or_default()
    }

    /// Whether the withdrawal of the verdict on a block was reported exactly once, with the right verdict.
    fn is_reported_once(&self, disputed: &DisputedBlock) -> bool {
        let id = ChainId::from(disputed.chain_id);
        let of_block = |record: &&WithdrawnVerdictRecord| {
            (record.block.chain_id, record.block.hash) == (id, disputed.hash)
        };
        let reported: Vec<_> = self.reported.values().filter(of_block).collect();
        let [record] = reported.as_slice() else { return false };
        (record.verdict.as_str(), record.reason.as_deref()) == ("violated", Some("unjustified-replacement"))
    }
}

impl Observations {
    /// Records withdrawn verdicts. The records of their blocks have to be read again.
    pub(crate) fn record_withdrawn_verdicts(&mut self, page: WithdrawnVerdictPage) {
        for record in &page.events {
            self.reread(record.block.chain_id, record.block.hash);
        }
        self.withdrawn_verdicts.take(page);
    }

    /// Records how many blocks are found invalid and not resolved, by chain.
    pub(crate) fn record_unresolved(&mut self, counts: BTreeMap<u64, u64>) {
        self.withdrawn_verdicts.unresolved = counts;
    }

    /// Whether the sidecar accuses the signer of a block: by its verdict, in the gauge, and by holding the
    /// vouched head if the block does.
    pub(crate) fn is_accused(&self, disputed: &DisputedBlock) -> bool {
        let unjustified =
            SidecarFinding::Violated { reason: "unjustified-replacement".to_owned(), detail: None };
        let found = self.of_block(disputed.chain_id, disputed.hash).map(|record| record.finding());
        found == Some(unjustified)
            && self.withdrawn_verdicts.unresolved(disputed.chain_id) > 0
            && (!disputed.holds || self.hold(disputed.chain_id) == Some(disputed.number))
    }

    /// Remembers that the signer of a block is accused, if so.
    pub(crate) fn observe_accusation(&mut self, disputed: &DisputedBlock) {
        if self.is_accused(disputed) {
            let unresolved = self.withdrawn_verdicts.unresolved(disputed.chain_id);
            self.withdrawn_verdicts.accused.insert((disputed.chain_id, disputed.hash), unresolved);
        }
    }

    /// Whether the accusation for a block is withdrawn: it is upheld, the withdrawal was reported, and
    /// neither the gauge nor the vouched head shows it.
    pub(crate) fn is_cleared(&self, disputed: &DisputedBlock) -> bool {
        let place = (disputed.chain_id, disputed.hash);
        let is_upheld = self
            .of_block(disputed.chain_id, disputed.hash)
            .is_some_and(|record| record.finding() == SidecarFinding::Upheld);
        let before = self.withdrawn_verdicts.accused.get(&place);
        is_upheld
            && self.withdrawn_verdicts.is_reported_once(disputed)
            && before.is_some_and(|before| self.withdrawn_verdicts.unresolved(disputed.chain_id) < *before)
            && self.hold(disputed.chain_id) != Some(disputed.number)
    }

    /// Remembers that the accusation for a block is withdrawn, if so.
    pub(crate) fn observe_clearing(&mut self, disputed: &DisputedBlock) {
        if self.is_cleared(disputed) {
            self.withdrawn_verdicts.cleared.insert((disputed.chain_id, disputed.hash));
        }
    }

    /// Whether the signer of a block was accused, and the accusation then withdrawn.
    pub(crate) fn was_cleared(&self, chain_id: u64, hash: B256) -> bool {
        self.withdrawn_verdicts.cleared.contains(&(chain_id, hash))
    }
}
