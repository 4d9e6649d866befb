//! [`TransferLedger`]: every transfer between watched chains, from its initiation to its execution.
//!
//! Blocks come in order on each chain, and in any order between chains. A finding needs both ends: an
//! execution whose source block was not read is undetermined, and stays so. It asks for nothing, and judges
//! no message.
//!
//! Bounds: [`LedgerLimits`], and of each chain 65,536 blocks that can be taken back. What is settled, so
//! initiated and executed in final blocks, is remembered for a while, to find a second execution; then only
//! its totals remain. Once an initiation is forgotten, its block and those below it no longer prove that
//! anything is missing.

mod entry;
mod finding;
mod queue;
mod read_chain;

use super::totals::{Books, Pair, Totals};
use super::{BlockTransfers, Initiated, Relayed, Transfer};
use crate::message::BlockKey;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use entry::{End, Entry, Execution};
pub use finding::{Finding, LedgerChange, Place};
use queue::Queue;
use read_chain::ReadChain;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeInclusive;

/// How many executions of one transfer are compared with what was read.
const MOST_COMPARED: usize = 16;

/// How much is remembered. An initiation or an execution takes at most about 700 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerLimits {
    /// Initiations and executions of transfers that are not settled. Beyond it the transfer that was not
    /// initiated for the longest time is forgotten, and stays in the totals as it was.
    pub open: usize,
    /// Initiations and executions of transfers that are settled. Beyond it only totals remain.
    pub settled: usize,
    /// Totals of tokens: one for each pair of chains and token. Transfers of further ones are followed, and
    /// are in no total.
    pub tokens: usize,
}

impl Default for LedgerLimits {
    fn default() -> Self {
        Self { open: 100_000, settled: 100_000, tokens: 4_096 }
    }
}

/// What is in no total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerCounts {
    /// Initiations for and executions from a chain that is not watched.
    pub unwatched: u64,
    /// Transfers of a token beyond the bound.
    pub uncounted: u64,
    /// Transfers that were forgotten before they were settled.
    pub forgotten: u64,
}

/// Why a block is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusedBlock {
    /// Its chain is not watched.
    #[error("the chain is not watched")]
    UnknownChain,
    /// It is not above the tip.
    #[error("the block is below the next height, {next}")]
    NotNext {
        /// The height after the tip.
        next: u64,
    },
    /// It cannot be taken back: it was not read, or is final.
    #[error("the block was not read, or is final")]
    NotRead,
}

/// The transfers between the watched chains.
#[derive(Clone, Debug)]
pub struct TransferLedger {
    chains: BTreeMap<ChainId, ReadChain>,
    entries: HashMap<B256, Entry>,
    open: Queue,
    settled: Queue,
    /// The transfers with a finding.
    flagged: BTreeSet<B256>,
    books: Books,
    counts: LedgerCounts,
    sequence: u64,
    limits: LedgerLimits,
}

impl TransferLedger {
    /// An empty ledger of these chains.
    pub fn new(chains: impl IntoIterator<Item = ChainId>, limits: LedgerLimits) -> Self {
        Self {
            chains: chains.into_iter().map(|chain_id| (chain_id, ReadChain::default())).collect(),
            entries: HashMap::new(),
            open: Queue::default(),
            settled: Queue::default(),
            flagged: BTreeSet::new(),
            books: Books::new(limits.tokens),
            counts: LedgerCounts::default(),
            sequence: 0,
            limits,
        }
    }

    /// Takes a canonical block, the next of its chain. If blocks were skipped, what they hold is unknown.
    ///
    /// # Errors
    /// It is not above the chain's tip, or its chain is not watched.
    pub fn apply(
        &mut self,
        block: BlockKey,
        transfers: &BlockTransfers,
    ) -> Result<Vec<LedgerChange>, RefusedBlock> {
        let chain = self.chains.get_mut(&block.chain_id).ok_or(RefusedBlock::UnknownChain)?;
        chain.begin(block, transfers.may_hide_initiation())?;
        let mut changes = Vec::new();
        for initiated in transfers.initiated() {
            self.initiate(block, initiated, &mut changes);
        }
        for relayed in transfers.relayed() {
            self.execute(block, relayed, &mut changes);
        }
        self.judge_cited(block.chain_id, block.number..=block.number, &mut changes);
        if let Some(excess) = self.chains.get(&block.chain_id).and_then(ReadChain::excess) {
            self.finalize(block.chain_id, excess);
        }
        self.trim();
        Ok(changes)
    }

    /// Takes a block back, with those above it on its chain.
    ///
    /// # Errors
    /// It was not read under this hash, or is final.
    pub fn take_back(&mut self, block: BlockKey) -> Result<Vec<LedgerChange>, RefusedBlock> {
        let chain = self.chains.get_mut(&block.chain_id).ok_or(RefusedBlock::UnknownChain)?;
        let taken = chain.take_back(block)?;
        let tip = taken.first().map_or(block.number, |(number, _)| *number);
        let mut changes = Vec::new();
        for (number, messages) in taken {
            for hash in messages.into_iter().rev() {
                self.remove_ends(&hash, block.chain_id, number, &mut changes);
            }
        }
        self.judge_cited(block.chain_id, block.number..=tip, &mut changes);
        Ok(changes)
    }

    /// Blocks of a chain up to this height are final: they are never taken back.
    pub fn finalize(&mut self, chain_id: ChainId, number: u64) {
        let Some(chain) = self.chains.get_mut(&chain_id) else { return };
        for hash in chain.finalize(number) {
            self.settle(&hash);
        }
        self.trim();
    }

    /// The totals of each pair of chains and asset that has any.
    pub fn totals(&self) -> impl Iterator<Item = (&Pair, &Totals)> {
        self.books.iter()
    }

    /// What is found at present, of the transfers that are remembered.
    pub fn findings(&self) -> impl Iterator<Item = Finding> {
        self.flagged.iter().filter_map(|hash| self.entries.get(hash)).flat_map(Entry::findings)
    }

    /// What is in no total.
    pub const fn counts(&self) -> LedgerCounts {
        self.counts
    }

    /// How many transfers are remembered: open ones, and settled ones.
    pub fn remembered(&self) -> (usize, usize) {
        (self.open.len(), self.settled.len())
    }

    fn initiate(&mut self, block: BlockKey, initiated: &Initiated, changes: &mut Vec<LedgerChange>) {
        let Initiated { log_index, transaction_index, message_hash, ref transfer, .. } = *initiated;
        if !self.enter(block.chain_id, message_hash, transfer, transfer.destination) {
            return;
        }
        let end = End { number: block.number, hash: block.hash, log_index, transaction_index };
        self.update(&message_hash, |entry| entry.initiated.push(end));
        self.refresh(&message_hash);
        self.judge(&message_hash, changes);
    }

    fn execute(&mut self, block: BlockKey, relayed: &Relayed, changes: &mut Vec<LedgerChange>) {
        let Relayed { log_index, transaction_index, message_hash, ref transfer, .. } = *relayed;
        if !self.enter(block.chain_id, message_hash, transfer, transfer.source) {
            return;
        }
        let end = End { number: block.number, hash: block.hash, log_index, transaction_index };
        let execution = Execution { end, cited: relayed.cited.map(|cited| cited.block_number) };
        self.update(&message_hash, |entry| entry.executed.push(execution));
        if let Some(cited) = execution.cited
            && let Some(source) = self.chains.get_mut(&transfer.source)
        {
            source.cites.insert((cited, message_hash));
        }
        let again = self.entries.get(&message_hash).and_then(|entry| entry.twice(&execution));
        changes.extend(again.map(LedgerChange::Found));
        self.judge(&message_hash, changes);
    }

    /// Opens an entry for a transfer with an end in the tip of a chain, if there is none. `false`: the chain
    /// at the other end is not watched.
    fn enter(&mut self, chain_id: ChainId, hash: B256, transfer: &Transfer, peer: ChainId) -> bool {
        if !self.chains.contains_key(&peer) {
            self.counts.unwatched = self.counts.unwatched.saturating_add(1);
            return false;
        }
        if let Some(chain) = self.chains.get_mut(&chain_id) {
            chain.touch(hash);
        }
        if self.entries.contains_key(&hash) {
            return true;
        }
        let is_counted = self.books.admits(&transfer.into());
        self.counts.uncounted = self.counts.uncounted.saturating_add(u64::from(!is_counted));
        self.sequence = self.sequence.saturating_add(1);
        self.open.insert(self.sequence, hash);
        let entry = Entry {
            message_hash: hash,
            transfer: *transfer,
            initiated: Vec::new(),
            executed: Vec::new(),
            uninitiated: None,
            sequence: self.sequence,
            is_settled: false,
            is_counted,
        };
        self.entries.insert(hash, entry);
        true
    }

    /// Changes an entry, and with it the totals and the bounds.
    fn update(&mut self, hash: &B256, change: impl FnOnce(&mut Entry)) {
        let Some(entry) = self.entries.get_mut(hash) else { return };
        let (before, ends) = (entry.standing(), entry.ends());
        change(entry);
        let after = entry.standing();
        if entry.is_counted && before != after {
            self.books.shift((&entry.transfer).into(), entry.transfer.amount, before, after);
        }
        let queue = if entry.is_settled { &mut self.settled } else { &mut self.open };
        queue.reweigh(ends, entry.ends());
        if entry.is_flagged() {
            self.flagged.insert(*hash);
        } else {
            self.flagged.remove(hash);
        }
    }

    /// A transfer was initiated once more: it is forgotten later. Anybody can do that, and the block of the
    /// last initiation says how much is unknown once it is forgotten.
    fn refresh(&mut self, hash: &B256) {
        let Some(entry) = self.entries.get_mut(hash) else { return };
        self.sequence = self.sequence.saturating_add(1);
        let queue = if entry.is_settled { &mut self.settled } else { &mut self.open };
        queue.renew(entry.sequence, self.sequence);
        entry.sequence = self.sequence;
    }

    /// Decides whether a transfer was executed without initiation. What is found remains, whatever is
    /// skipped or forgotten later, until its block or the cited one is taken back, or it is initiated.
    fn judge(&mut self, hash: &B256, changes: &mut Vec<LedgerChange>) {
        let Some(entry) = self.entries.get(hash) else { return };
        let source = self.chains.get(&entry.transfer.source).filter(|_| entry.initiated.is_empty());
        let is_read = |execution: &&Execution| {
            let is_found = entry.uninitiated.as_ref() == Some(*execution);
            let is_proven =
                |source: &ReadChain, cited| source.covers(cited) || is_found && source.is_below_tip(cited);
            execution.cited.zip(source).is_some_and(|(cited, source)| is_proven(source, cited))
        };
        let compared = entry.executed.iter().take(MOST_COMPARED);
        let remaining = entry.uninitiated.filter(|found| compared.clone().any(|other| other == found));
        let remaining = remaining.filter(|found| is_read(&found));
        let found = remaining.or_else(|| compared.clone().find(is_read).copied());
        if found == entry.uninitiated {
            return;
        }
        let withdrawn = entry.uninitiated.as_ref().and_then(|execution| entry.without(execution));
        changes.extend(withdrawn.map(LedgerChange::Withdrawn));
        changes
            .extend(found.as_ref().and_then(|execution| entry.without(execution)).map(LedgerChange::Found));
        self.update(hash, |entry| entry.uninitiated = found);
    }

    /// Decides it for all transfers that claim to be initiated at these heights of a chain.
    fn judge_cited(
        &mut self,
        chain_id: ChainId,
        numbers: RangeInclusive<u64>,
        changes: &mut Vec<LedgerChange>,
    ) {
        let Some(chain) = self.chains.get(&chain_id) else { return };
        let range = (*numbers.start(), B256::ZERO)..=(*numbers.end(), B256::repeat_byte(0xff));
        let citing = chain.cites.range(range).map(|(_, hash)| *hash);
        for hash in citing.collect::<BTreeSet<_>>() {
            self.judge(&hash, changes);
        }
    }

    /// A block of a chain was taken back: the ends of a transfer in it are removed.
    fn remove_ends(&mut self, hash: &B256, chain_id: ChainId, number: u64, changes: &mut Vec<LedgerChange>) {
        let Some(entry) = self.entries.get(hash) else { return };
        let is_execution = entry.transfer.destination == chain_id;
        while let Some(entry) = self.entries.get(hash).filter(|_| is_execution)
            && let Some(last) = entry.executed.last().filter(|last| last.end.number == number).copied()
        {
            changes.extend(entry.twice(&last).map(LedgerChange::Withdrawn));
            self.update(hash, |entry| {
                entry.executed.pop();
            });
            self.uncite(hash, &last);
        }
        let is_kept = |end: &End| end.number != number;
        if self.entries.get(hash).is_some_and(|entry| entry.transfer.source == chain_id) {
            self.update(hash, |entry| entry.initiated.retain(is_kept));
        }
        self.judge(hash, changes);
        if self.entries.get(hash).is_some_and(|entry| entry.ends() == 0) {
            self.remove(hash);
        }
    }

    /// An execution is gone: unless another one cites the same block, the transfer does not.
    fn uncite(&mut self, hash: &B256, execution: &Execution) {
        let Some((entry, cited)) = self.entries.get(hash).zip(execution.cited) else { return };
        if entry.executed.iter().all(|other| other.cited != Some(cited))
            && let Some(source) = self.chains.get_mut(&entry.transfer.source)
        {
            source.cites.remove(&(cited, *hash));
        }
    }

    /// Whether a transfer is initiated and executed in final blocks from now on.
    fn settle(&mut self, hash: &B256) {
        let Some(entry) = self.entries.get_mut(hash).filter(|entry| !entry.is_settled) else { return };
        let is_final = |chain_id: &ChainId, number: u64| {
            self.chains.get(chain_id).is_some_and(|chain| chain.is_final(number))
        };
        let Transfer { source, destination, .. } = &entry.transfer;
        let is_initiated = entry.initiated.first().is_some_and(|end| is_final(source, end.number));
        let is_executed = entry.executed.first().is_some_and(|first| is_final(destination, first.end.number));
        if is_initiated && is_executed {
            entry.is_settled = true;
            self.open.remove(entry.sequence, entry.ends());
            self.settled.insert(entry.sequence, *hash);
            self.settled.reweigh(0, entry.ends());
        }
    }

    /// Forgets what is beyond the bounds.
    fn trim(&mut self) {
        while let Some(hash) = self.open.excess(self.limits.open) {
            self.counts.forgotten = self.counts.forgotten.saturating_add(1);
            self.forget(&hash);
        }
        while let Some(hash) = self.settled.excess(self.limits.settled) {
            self.forget(&hash);
        }
    }

    /// Forgets a transfer. Where it was initiated, it is no longer proven what is missing.
    fn forget(&mut self, hash: &B256) {
        let Some(entry) = self.entries.get(hash) else { return };
        if let Some(last) = entry.initiated.last()
            && let Some(source) = self.chains.get_mut(&entry.transfer.source)
        {
            source.raise(last.number);
        }
        self.remove(hash);
    }

    fn remove(&mut self, hash: &B256) {
        let Some(entry) = self.entries.remove(hash) else { return };
        let queue = if entry.is_settled { &mut self.settled } else { &mut self.open };
        queue.remove(entry.sequence, entry.ends());
        self.flagged.remove(hash);
        if let Some(source) = self.chains.get_mut(&entry.transfer.source) {
            for cited in entry.executed.iter().filter_map(|execution| execution.cited) {
                source.cites.remove(&(cited, *hash));
            }
        }
    }
}

#[cfg(test)]
mod tests;
