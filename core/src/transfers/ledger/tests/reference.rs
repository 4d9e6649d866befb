//! A ledger that remembers every block, and computes everything anew from all of them. Only what is found to
//! be without initiation is remembered as it is.

use crate::message::BlockKey;
use crate::transfers::{BlockTransfers, Finding, Pair, Place, Sum, Totals, Transfer};
use alloy::primitives::{B256, U512};
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
struct Chain {
    first: u64,
    blocks: Vec<(BlockKey, BlockTransfers)>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Reference {
    chains: BTreeMap<ChainId, Chain>,
    /// The execution that is found to be without initiation, and the height that it cites.
    without: BTreeMap<B256, (Place, u64)>,
}

/// One transfer as all blocks have it.
#[derive(Clone, Debug)]
struct Life {
    transfer: Transfer,
    is_initiated: bool,
    executed: Vec<(Place, Option<u64>)>,
}

impl Reference {
    pub(super) fn apply(&mut self, block: BlockKey, transfers: BlockTransfers) {
        let chain = self.chains.entry(block.chain_id).or_default();
        if chain.blocks.last().is_none_or(|(tip, _)| tip.number + 1 != block.number)
            && block.number > chain.first
        {
            chain.first = block.number;
        }
        chain.blocks.push((block, transfers));
        self.judge();
    }

    pub(super) fn take_back(&mut self, block: BlockKey) {
        let chain = self.chains.get_mut(&block.chain_id).unwrap();
        chain.blocks.retain(|(read, _)| read.number < block.number);
        chain.first = chain.first.min(chain.blocks.last().map_or(block.number, |(tip, _)| tip.number + 1));
        self.judge();
    }

    fn covers(&self, chain_id: ChainId, number: u64) -> bool {
        self.chains.get(&chain_id).is_some_and(|chain| {
            let found = chain.blocks.iter().find(|(block, _)| block.number == number);
            number >= chain.first && found.is_some_and(|(_, transfers)| !transfers.may_hide_initiation())
        })
    }

    fn lives(&self) -> BTreeMap<B256, Life> {
        let mut lives = BTreeMap::<B256, Life>::new();
        let new =
            |transfer: &Transfer| Life { transfer: *transfer, is_initiated: false, executed: Vec::new() };
        for (block, transfers) in self.chains.values().flat_map(|chain| &chain.blocks) {
            for initiated in transfers.initiated() {
                let life = lives.entry(initiated.message_hash).or_insert_with(|| new(&initiated.transfer));
                life.is_initiated = true;
            }
            for relayed in transfers.relayed() {
                let life = lives.entry(relayed.message_hash).or_insert_with(|| new(&relayed.transfer));
                let (log_index, transaction_index) = (relayed.log_index, relayed.transaction_index);
                let place = Place { block: *block, log_index, transaction_index };
                life.executed.push((place, relayed.cited.map(|cited| cited.block_number)));
            }
        }
        lives
    }

    fn judge(&mut self) {
        let before = std::mem::take(&mut self.without);
        for (hash, life) in self.lives() {
            let is_there = |(place, number): &(Place, u64)| {
                let mut blocks =
                    self.chains.get(&life.transfer.source).into_iter().flat_map(|chain| &chain.blocks);
                life.executed.contains(&(*place, Some(*number)))
                    && blocks.any(|(block, _)| block.number == *number)
            };
            let read = |number: &u64| self.covers(life.transfer.source, *number);
            let first = |(place, number): &(Place, Option<u64>)| Some((*place, number.filter(read)?));
            let kept = before.get(&hash).filter(|found| is_there(found)).copied();
            let found = kept.or_else(|| life.executed.iter().find_map(first));
            if let Some(found) = found.filter(|_| !life.is_initiated) {
                self.without.insert(hash, found);
            }
        }
    }

    fn without(&self, message_hash: B256, life: &Life) -> Option<Finding> {
        let transfer = life.transfer;
        let (executed, number) = *self.without.get(&message_hash)?;
        let cited = (transfer.source, number);
        Some(Finding::ExecutedWithoutInitiation { message_hash, transfer, executed, cited })
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (message_hash, life) in self.lives() {
            findings.extend(self.without(message_hash, &life));
            for (again, _) in life.executed.iter().skip(1) {
                let (transfer, first) = (life.transfer, life.executed[0].0);
                findings.push(Finding::ExecutedTwice { message_hash, transfer, first, again: *again });
            }
        }
        findings
    }

    pub(super) fn totals(&self) -> BTreeMap<Pair, Totals> {
        let mut all = BTreeMap::<Pair, Totals>::new();
        for (message_hash, life) in self.lives() {
            let totals = all.entry((&life.transfer).into()).or_default();
            let sum = match (life.is_initiated, life.executed.is_empty()) {
                (true, true) => &mut totals.outstanding,
                (true, false) => &mut totals.completed,
                _ if self.without(message_hash, &life).is_some() => &mut totals.without_initiation,
                _ => &mut totals.undetermined,
            };
            let add = |sum: &mut Sum| {
                sum.transfers += 1;
                sum.amount += U512::from(life.transfer.amount);
            };
            add(sum);
            life.executed.iter().skip(1).for_each(|_| add(&mut totals.executed_again));
        }
        all
    }
}
