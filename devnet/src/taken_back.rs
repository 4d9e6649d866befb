//! [`TakenBack`]: what a sidecar was seen to make of attested blocks that L1 calls wrong first and right later. Pure.

use super::finding::Finding;
use super::observations::Observations;
use super::sidecar_records::{TakenBackPage, TakenBackRecord};
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use std::collections::{BTreeMap, BTreeSet};

/// The most events that are kept. There is one for each scripted block.
const MAX_TOLD: usize = 100_000;

/// What was reported of verdicts that were taken back, and seen of their blocks.
#[derive(Clone, Debug, Default)]
pub struct TakenBack {
    /// What was reported, by the ids of the events.
    told: BTreeMap<u64, TakenBackRecord>,
    cursor: u64,
    /// How many blocks of each chain are found invalid, and not resolved.
    unresolved: BTreeMap<u64, u64>,
    /// The blocks that were seen to be used against their signers, and how many of their chain were then.
    held_against: BTreeMap<(u64, B256), u64>,
    /// Those of which nothing was left afterwards.
    let_go: BTreeSet<(u64, B256)>,
}

/// An attested block that L1 calls wrong first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalledWrong {
    /// The chain.
    pub chain_id: u64,
    /// The height.
    pub number: u64,
    /// The block.
    pub hash: B256,
    /// Whether it holds the chain's vouched head as long as it is wrong.
    pub holds: bool,
}

impl TakenBack {
    /// Where reading of events continues.
    pub const fn cursor(&self) -> u64 {
        self.cursor
    }

    fn take(&mut self, page: TakenBackPage) {
        self.cursor = self.cursor.max(page.cursor);
        self.told.extend(page.events.into_iter().map(|record| (record.id, record)));
        while self.told.len() > MAX_TOLD {
            self.told.pop_first();
        }
    }

    fn unresolved(&self, chain_id: u64) -> u64 {
        self.unresolved.get(&chain_id).copied().unwrap_or_default()
    }

    /// Whether it was reported once that the verdict on a block was taken back, and which.
    fn is_told_once(&self, wrong: &CalledWrong) -> bool {
        let id = ChainId::from(wrong.chain_id);
        let of_block =
            |record: &&TakenBackRecord| (record.block.chain_id, record.block.hash) == (id, wrong.hash);
        let told: Vec<_> = self.told.values().filter(of_block).collect();
        let [record] = told.as_slice() else { return false };
        (record.verdict.as_str(), record.reason.as_deref()) == ("violated", Some("unjustified-replacement"))
    }
}

impl Observations {
    /// Takes in verdicts that were told to be taken back: what is known of their blocks has to be read again.
    pub fn take_taken_back(&mut self, page: TakenBackPage) {
        for record in &page.events {
            self.read_again(record.block.chain_id, record.block.hash);
        }
        self.taken_back.take(page);
    }

    /// Takes in how many blocks are found invalid and not resolved, by chain.
    pub fn take_unresolved(&mut self, counts: BTreeMap<u64, u64>) {
        self.taken_back.unresolved = counts;
    }

    /// Whether a block is used against its signer: by its verdict, in the gauge, and by holding the vouched head if it is to.
    pub fn is_held_against(&self, wrong: &CalledWrong) -> bool {
        let unjustified = Finding::Violated { reason: "unjustified-replacement".to_owned(), detail: None };
        let found = self.of_block(wrong.chain_id, wrong.hash).map(|record| record.finding());
        found == Some(unjustified)
            && self.taken_back.unresolved(wrong.chain_id) > 0
            && (!wrong.holds || self.hold(wrong.chain_id) == Some(wrong.number))
    }

    /// Remembers that a block is used against its signer, if it is.
    pub fn note_held_against(&mut self, wrong: &CalledWrong) {
        if self.is_held_against(wrong) {
            let unresolved = self.taken_back.unresolved(wrong.chain_id);
            self.taken_back.held_against.insert((wrong.chain_id, wrong.hash), unresolved);
        }
    }

    /// Whether a block that was used against its signer is not any more: it is upheld, that was told, and nothing is left of it.
    pub fn is_let_go(&self, wrong: &CalledWrong) -> bool {
        let place = (wrong.chain_id, wrong.hash);
        let is_upheld = self
            .of_block(wrong.chain_id, wrong.hash)
            .is_some_and(|record| record.finding() == Finding::Upheld);
        let before = self.taken_back.held_against.get(&place);
        is_upheld
            && self.taken_back.is_told_once(wrong)
            && before.is_some_and(|before| self.taken_back.unresolved(wrong.chain_id) < *before)
            && self.hold(wrong.chain_id) != Some(wrong.number)
    }

    /// Remembers that nothing is used against a block any more, if that is so.
    pub fn note_let_go(&mut self, wrong: &CalledWrong) {
        if self.is_let_go(wrong) {
            self.taken_back.let_go.insert((wrong.chain_id, wrong.hash));
        }
    }

    /// Whether a block was used against its signer first, and then not any more.
    pub fn was_let_go(&self, chain_id: u64, hash: B256) -> bool {
        self.taken_back.let_go.contains(&(chain_id, hash))
    }
}
