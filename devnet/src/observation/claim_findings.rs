//! [`ClaimFindings`]: what a sidecar reports of claims without a signature, and of blocks that nobody
//! attested. Pure.

use super::observations::Observations;
use crate::findings::{AnswerRecord, ClaimEvent, ClaimPage, ClaimRecord, SidecarFinding};
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use std::collections::{BTreeMap, BTreeSet};

/// The most events that are kept. Each scripted block leads to a few.
const MAX_REPORTED: usize = 100_000;

/// What was reported of claims.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClaimFindings {
    /// By the ids of the events.
    reported: BTreeMap<u64, ClaimRecord>,
    cursor: u64,
    /// Derived blocks that were found invalid.
    found_invalid: BTreeSet<(u64, B256)>,
    /// The heights at which blocks held the vouched heads of their chains.
    held: BTreeSet<(ChainId, u64)>,
}

/// A claim that was refuted: the invalid block, and the endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Refutation {
    /// The chain.
    pub(crate) chain_id: u64,
    /// The block.
    pub(crate) hash: B256,
    /// The endpoint.
    pub(crate) claimant: String,
}

impl ClaimFindings {
    /// Where reading of events continues.
    pub(crate) const fn cursor(&self) -> u64 {
        self.cursor
    }

    pub(super) fn take(&mut self, page: ClaimPage) {
        self.cursor = self.cursor.max(page.cursor);
        self.reported.extend(page.events.into_iter().map(|record| (record.id, record)));
        while self.reported.len() > MAX_REPORTED {
            self.reported.pop_first();
        }
    }

    /// Each refuted claim, with the block's height.
    pub(crate) fn refutations(&self) -> impl Iterator<Item = (u64, Refutation)> {
        self.reported.values().filter_map(|record| match &record.event {
            ClaimEvent::ClaimRefuted { block, claimant } => {
                let chain_id = block.chain_id.as_u64()?;
                Some((block.number, Refutation { chain_id, hash: block.hash, claimant: claimant.clone() }))
            }
            ClaimEvent::ClaimantsDiffer { .. } => None,
        })
    }

    /// Whether a claim was refuted.
    pub(crate) fn is_refuted(&self, claim: &Refutation) -> bool {
        self.refutations().any(|(_, refuted)| refuted == *claim)
    }

    /// Where endpoints were said to differ: chain, height and answers.
    pub(crate) fn differences(&self) -> impl Iterator<Item = (ChainId, u64, &[AnswerRecord; 2])> {
        self.reported.values().filter_map(|record| match &record.event {
            ClaimEvent::ClaimantsDiffer { chain_id, number, answers } => Some((*chain_id, *number, answers)),
            ClaimEvent::ClaimRefuted { .. } => None,
        })
    }

    /// Whether two endpoints were said to differ so.
    pub(crate) fn is_differing(&self, chain_id: u64, height: u64, answers: &[AnswerRecord; 2]) -> bool {
        let chain = ChainId::from(chain_id);
        self.differences().any(|difference| difference == (chain, height, answers))
    }

    pub(super) fn note_hold(&mut self, chain_id: ChainId, number: u64) {
        self.held.insert((chain_id, number));
    }

    /// Whether the block of a height was ever said to hold its chain's vouched head.
    pub(crate) fn was_held(&self, chain_id: u64, number: u64) -> bool {
        self.held.contains(&(ChainId::from(chain_id), number))
    }

    /// Whether a derived block was ever found invalid.
    pub(crate) fn was_found_invalid(&self, chain_id: u64, hash: B256) -> bool {
        self.found_invalid.contains(&(chain_id, hash))
    }
}

impl Observations {
    /// Records what was reported of claims.
    pub(crate) fn record_claims(&mut self, page: ClaimPage) {
        self.claims.take(page);
    }

    /// Whether a block is found invalid, with nobody to blame for it.
    pub(crate) fn is_found_invalid(&self, chain_id: u64, hash: B256) -> bool {
        self.of_block(chain_id, hash).is_some_and(|record| {
            matches!(record.finding(), SidecarFinding::Violated { .. } | SidecarFinding::Discarded { .. })
        })
    }

    /// Remembers that a derived block is found invalid, if so: afterwards L1 may drop it.
    pub(crate) fn observe_found_invalid(&mut self, chain_id: u64, hash: B256) {
        if self.is_found_invalid(chain_id, hash) {
            self.claims.found_invalid.insert((chain_id, hash));
        }
    }
}
