//! The blocks that a sequencer attests instead of the canonical one, as the script has it.

use super::{Sequencer, SequencerError};
use crate::chain::{BlockOverrides, L2Block, MIN_BASE_FEE};
use crate::faults::{Attested, DisturbanceKind, FaultPlan, PlannedFault};
use crate::l1::L1Block;
use crate::simulation::traffic::Traffic;
use alloy::{
    consensus::Header,
    primitives::{Address, Bytes, TxKind, U256, keccak256},
};
use op_alloy::consensus::{OpTxEnvelope, TxDeposit};
use std::sync::Arc;

/// Mixed into the seed of siblings, so that their traffic differs from that of the block itself.
pub(super) const SIBLING_SALT: u64 = 0x5349_424c_494e_4700;
/// What a forged deposit mints, wei.
const FORGED_MINT: u128 = 1_000_000_000_000_000_000;

impl Sequencer {
    /// The block that the sequencer attests at a height.
    pub(super) fn attested(
        &mut self,
        block: &Arc<L2Block>,
        fault: Option<&PlannedFault>,
    ) -> Result<Arc<L2Block>, SequencerError> {
        match fault.map_or(Attested::Block, |planned| planned.fault.attested) {
            Attested::Block | Attested::BlockByImpostor => Ok(Arc::clone(block)),
            Attested::DepositsOnlySibling => {
                self.chain.deposits_only(block.hash).map_err(|source| self.chain_error(source))
            }
            Attested::OtherTransactionsSibling => self.with_other_transactions(block),
            Attested::OtherBranch => self.on_other_branch(block),
            Attested::OtherMinBaseFeeSibling => self.with_other_min_base_fee(block),
            Attested::OtherStateRootSibling => Ok(Arc::new(with_other_state_root(block))),
        }
    }

    /// A block of the same height and attributes with transactions that nobody else has seen.
    pub(super) fn with_other_transactions(
        &mut self,
        block: &L2Block,
    ) -> Result<Arc<L2Block>, SequencerError> {
        let parent = self.canonical(block.number().saturating_sub(1))?;
        self.with_other_transactions_on(&parent, block)
    }

    fn with_other_transactions_on(
        &mut self,
        parent: &Arc<L2Block>,
        block: &L2Block,
    ) -> Result<Arc<L2Block>, SequencerError> {
        let mut traffic = Traffic::new(self.seed ^ SIBLING_SALT, self.chain_id(), parent.hash);
        let intents = traffic.private_intents();
        let transactions = self.sign(parent, &intents, &mut traffic)?;
        let origin = self.origin_of(block)?;
        self.chain.build(parent.hash, &origin, &transactions).map_err(|source| self.chain_error(source))
    }

    /// A sibling, or the next block on the sibling that was attested before.
    fn on_other_branch(&mut self, block: &L2Block) -> Result<Arc<L2Block>, SequencerError> {
        let below = block.number().saturating_sub(1);
        let tip = self.branch_tip.take().filter(|tip| tip.number() == below);
        let parent = tip.map_or_else(|| self.canonical(below), Ok)?;
        let next = self.with_other_transactions_on(&parent, block)?;
        self.branch_tip = Some(Arc::clone(&next));
        Ok(next)
    }

    /// The blocks that the chain's execution client has in a tick by number, in place of the chain's own.
    ///
    /// # Errors
    /// When one cannot be built.
    pub fn unlinked(&mut self, tick: u64, plan: &FaultPlan) -> Result<Vec<Arc<L2Block>>, SequencerError> {
        let planned = plan.unlinked(self.chain_id(), tick);
        let kind = planned.and_then(PlannedFault::disturbance);
        let (Some(planned), Some(DisturbanceKind::Unlinked { blocks })) = (planned, kind) else {
            self.unlinked.clear();
            return Ok(Vec::new());
        };
        let last = planned.block.saturating_add(blocks.saturating_sub(1));
        if self.unlinked.first().is_some_and(|first| first.number() != planned.block) {
            self.unlinked.clear();
        }
        for height in planned.block..=last.min(self.chain.head().number()) {
            let parent = self.unlinked.last().cloned();
            if parent.as_ref().is_some_and(|parent| parent.number() >= height) {
                continue;
            }
            let own = self.canonical(height)?;
            let parent = parent.map_or_else(|| self.canonical(height.saturating_sub(1)), Ok)?;
            let sibling = self.with_other_transactions_on(&parent, &own)?;
            self.unlinked.push(sibling);
        }
        Ok(self.unlinked.clone())
    }

    /// The block executed again under another minimum base fee.
    fn with_other_min_base_fee(&mut self, block: &L2Block) -> Result<Arc<L2Block>, SequencerError> {
        let origin = self.origin_of(block)?;
        let overrides = BlockOverrides {
            min_base_fee: Some(MIN_BASE_FEE.saturating_mul(2)),
            ..BlockOverrides::default()
        };
        let users = user_transactions(block);
        let built = self.chain.build_with(block.header.parent_hash, &origin, &users, &overrides);
        built.map_err(|source| self.chain_error(source))
    }

    fn origin_of(&self, block: &L2Block) -> Result<Arc<L1Block>, SequencerError> {
        let origin = self.chain.origin(block.hash).map_err(|source| self.chain_error(source))?;
        origin.cloned().ok_or_else(|| self.missing("L1 origin of block", block.number()))
    }
}

/// A deposit as L1 never had it: ether out of nothing.
pub(super) fn forged_deposit(chain_id: u64, number: u64) -> TxDeposit {
    let place = [chain_id, number].map(u64::to_be_bytes).concat();
    let word = keccak256([&b"forged deposit"[..], &place].concat());
    TxDeposit {
        source_hash: word,
        from: Address::from_word(word),
        to: TxKind::Call(Address::from_word(word)),
        mint: FORGED_MINT,
        value: U256::from(FORGED_MINT),
        gas_limit: 100_000,
        is_system_transaction: false,
        input: Bytes::new(),
    }
}

fn user_transactions(block: &L2Block) -> Vec<Bytes> {
    let both = block.transactions.iter().zip(&block.raw_transactions);
    let users = both.filter(|(envelope, _)| !matches!(envelope, OpTxEnvelope::Deposit(_)));
    users.map(|(_, raw)| raw.clone()).collect()
}

/// The block with another last byte of extra data, as op-supernode has its client make it a sibling.
pub(super) fn with_other_extra_data(block: &L2Block) -> L2Block {
    let mut extra_data = block.header.extra_data.to_vec();
    if let Some(last) = extra_data.last_mut() {
        *last ^= 0xff;
    }
    let header = Header { extra_data: extra_data.into(), ..block.header.clone() };
    L2Block { hash: header.hash_slow(), header, ..block.clone() }
}

/// The block as an execution client that went another way would have sealed it.
fn with_other_state_root(block: &L2Block) -> L2Block {
    let header = Header { state_root: keccak256(block.header.state_root), ..block.header.clone() };
    L2Block { hash: header.hash_slow(), header, ..block.clone() }
}
