//! [`Sequencer`]: one chain of the superchain with its users, its derivation and its attestations.
//! Pure: it gets the tick and returns what is to be published.
//!
//! It does what the script says at three places: the messages of a block, the promotion of a block, and what
//! is attested of it.

mod building;
mod odd_claims;
mod siblings;
mod side_branch;

use super::chain_tick::{Attestation, Replaced, Rewind, Withdrawal};
use super::derivation::SimulatedDerivation;
use super::heads::ChainHeads;
use super::outbox::Outbox;
use super::sequencer::side_branch::SideBranch;
use crate::chain::{Chain, ChainError, ChainParams, L2Block};
use crate::contracts::Inbox;
use crate::faults::{Attested, FaultPlan, NothingToCite, PlannedFault};
use crate::keys::{Keyring, WalletError};
use crate::l1::{L1, L1Block, L1Error};
use crate::messages::InitiatingBlock;
use crate::timing::Schedule;
use std::{collections::BTreeSet, sync::Arc};

/// Why a chain could not continue.
#[derive(Debug, thiserror::Error)]
pub enum SequencerError {
    /// The chain refused.
    #[error("chain {chain_id} could not continue: {source}")]
    Chain {
        /// The chain.
        chain_id: u64,
        /// Why.
        source: ChainError,
    },
    /// A wallet could not sign.
    #[error("a user of chain {chain_id} could not act: {source}")]
    Wallet {
        /// The chain.
        chain_id: u64,
        /// Why.
        source: WalletError,
    },
    /// Another L1, on which a chain's nodes are for a while, could not continue.
    #[error(transparent)]
    L1(#[from] L1Error),
    /// A fault could not be carried out.
    #[error(transparent)]
    Fault(#[from] NothingToCite),
    /// A block that must be there is not.
    #[error("chain {chain_id} has no {what} {number}: this is a bug in the devnet, report it with the seed")]
    Missing {
        /// The chain.
        chain_id: u64,
        /// What is missing.
        what: &'static str,
        /// Its height.
        number: u64,
    },
}

/// What a promotion gave.
#[derive(Debug, Default)]
pub(crate) struct Promotion {
    /// The block that took another's height.
    pub(crate) replacement: Option<Arc<L2Block>>,
    /// What is attested.
    pub(crate) attestations: Vec<Attestation>,
    /// What may be cited from now on.
    pub(crate) citable: Vec<InitiatingBlock>,
}

/// One chain and all who act on it.
#[derive(Debug)]
pub struct Sequencer {
    chain: Chain,
    keys: Keyring,
    derivation: SimulatedDerivation,
    outbox: Outbox,
    other_branch: Option<SideBranch>,
    /// What a lying endpoint of the chain serves, as long as it does.
    lying_branch: Option<SideBranch>,
    /// What the chain's client has by number in place of the chain's own blocks, as long as it does.
    unlinked: Vec<Arc<L2Block>>,
    /// What a claimant calls safe in place of the chain's own block, as long as it does.
    claimed: Option<Arc<L2Block>>,
    /// The last block of a branch that was attested and is not the chain's.
    branch_tip: Option<Arc<L2Block>>,
    /// The heights that were built a second time because the script has it.
    rebuilt: BTreeSet<u64>,
    /// The height whose block the node has withdrawn, and since which tick.
    withdrawn: Option<(u64, u64)>,
    /// What was attested in the place of a block that L1 has reorged out in this tick: the chain's block now.
    became_canonical: Option<Arc<L2Block>>,
    /// The replaced block that the chain's nodes stay on, and until before which tick.
    remains_on: Option<(Replaced, u64)>,
    schedule: Schedule,
    seed: u64,
    /// How many honest messages each block executes. `None`: a few.
    messages: Option<usize>,
}

impl Sequencer {
    /// The chain at its genesis.
    ///
    /// # Errors
    /// When genesis cannot be made.
    pub(crate) fn new(
        params: ChainParams,
        keys: Keyring,
        schedule: Schedule,
        seed: u64,
        inbox: Inbox,
    ) -> Result<Self, SequencerError> {
        let chain_id = params.chain_id;
        let chain = Chain::with_inbox(params, &keys.user_addresses(), inbox)
            .map_err(|source| SequencerError::Chain { chain_id, source })?;
        Ok(Self {
            chain,
            keys,
            derivation: SimulatedDerivation::default(),
            outbox: Outbox::default(),
            other_branch: None,
            lying_branch: None,
            unlinked: Vec::new(),
            claimed: None,
            branch_tip: None,
            rebuilt: BTreeSet::new(),
            withdrawn: None,
            became_canonical: None,
            remains_on: None,
            schedule,
            seed,
            messages: None,
        })
    }

    /// Executes this many honest messages in each block from now on. `None`: a few.
    pub(super) const fn execute(&mut self, messages: Option<usize>) {
        self.messages = messages;
    }

    /// Keeps the chain's blocks for this many heights from now on.
    pub fn keep(&mut self, history: u64) {
        self.chain.keep(history);
    }

    /// The chain's id.
    pub const fn chain_id(&self) -> u64 {
        self.chain.params().chain_id
    }

    /// The chain.
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The keys around it.
    pub const fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// The heads as they are.
    pub fn heads(&self) -> ChainHeads {
        ChainHeads {
            unsafe_head: self.chain.head().number(),
            local_safe: self.derivation.local_safe(),
            safe: self.derivation.safe(),
            finalized: self.derivation.finalized(),
        }
    }

    /// An L1 block brings everything that was built before.
    pub(crate) fn derive(&mut self, l1_block: &L1Block, tick: u64) {
        self.derivation.include(self.chain.head().number(), l1_block.number(), tick);
    }

    /// L1 reorged: goes back to the newest block whose origin is still canonical, and answers its height; or
    /// below a replacement, if the batch of what it replaced is no longer on L1. Final blocks stay. A block
    /// that was attested in the place of a removed one may become canonical.
    ///
    /// # Errors
    /// When a final block would have to go.
    pub fn rewind(&mut self, l1: &L1, undone: Option<&PlannedFault>) -> Result<u64, SequencerError> {
        let mut kept = Arc::clone(self.chain.head());
        while !l1.is_canonical(kept.l1_origin) {
            kept = self.canonical(kept.number().saturating_sub(1))?;
        }
        if let Some(undone) = undone {
            kept = self.canonical(kept.number().min(undone.block.saturating_sub(1)))?;
            self.rebuilt.insert(undone.block);
        }
        if kept.number() < self.derivation.finalized() {
            return Err(self.missing("canonical L1 origin for final block", self.derivation.finalized()));
        }
        let became_canonical = match undone.filter(|planned| planned.becomes_canonical()) {
            Some(planned) => Some(self.attested(&self.canonical(planned.block)?, Some(planned))?),
            None => None,
        };
        self.derivation.rewind(kept.number());
        let head = became_canonical.as_ref().map_or(kept.hash, |block| block.hash);
        self.chain.adopt(head).map_err(|source| self.chain_error(source))?;
        self.became_canonical = became_canonical;
        Ok(kept.number())
    }

    /// Drops the blocks of the chain that the script has it drop at the start of this tick, all of them still
    /// unsafe.
    ///
    /// # Errors
    /// When a block is missing.
    pub(crate) fn drop_blocks(&mut self, tick: u64, plan: &FaultPlan) -> Result<(), SequencerError> {
        let Some(planned) = plan.dropped(self.chain_id(), tick) else { return Ok(()) };
        let kept = self.canonical(planned.block.saturating_sub(1))?;
        if kept.number() < self.derivation.local_safe() {
            return Err(self.missing("unsafe block", planned.block));
        }
        self.rebuilt.insert(planned.block);
        self.chain.adopt(kept.hash).map_err(|source| self.chain_error(source))
    }

    /// The cross-safe heads that L1 blocks led to since this was last asked.
    pub(crate) fn take_safe_at(&mut self) -> Vec<(u64, u64)> {
        self.derivation.take_safe_at()
    }

    /// L1 is final up to a block.
    pub fn finalize(&mut self, l1_block: u64) {
        self.derivation.finalize(l1_block);
    }

    /// Promotes what is due in a tick, as the script has it.
    ///
    /// # Errors
    /// When a sibling cannot be executed.
    pub(crate) fn promote(&mut self, tick: u64, plan: &FaultPlan) -> Result<Promotion, SequencerError> {
        let mut promotion = Promotion { replacement: self.became_canonical.take(), ..Promotion::default() };
        while let Some(height) = self.derivation.due(tick).filter(|height| !self.awaits_l1(*height, plan)) {
            let fault = plan.at(self.chain_id(), height);
            let block = self.canonical(height)?;
            if fault.is_some_and(|planned| self.withdraws(planned, tick)) {
                return Ok(promotion);
            }
            if fault.is_some_and(|planned| {
                planned.fault.is_replaced() && !self.is_rebuilt_without_fault(planned, height)
            }) {
                let replacement = self.replace(&block)?;
                let stays = fault.map(|planned| planned.fault.remain_ticks()).filter(|ticks| *ticks > 0);
                let replaced = Replaced { hash: block.hash, by: replacement.hash };
                self.remains_on =
                    stays.map(|ticks| (replaced, tick.saturating_add(ticks))).or(self.remains_on);
                let attestation = attestation(Arc::clone(&replacement), fault);
                promotion.attestations.extend(self.outbox.pass(attestation));
                promotion.replacement = Some(replacement);
                return Ok(promotion);
            }
            self.derivation.promote(height);
            let attestation = attestation(self.attested(&block, fault)?, fault);
            promotion.attestations.extend(self.outbox.pass(attestation));
            if fault.is_none_or(|planned| planned.fault.is_citable) {
                promotion.citable.push(InitiatingBlock::of(self.chain_id(), &block));
            }
        }
        Ok(promotion)
    }

    /// Whether L1 has yet to drop what brought a block below this height: nothing above is attested before.
    fn awaits_l1(&self, height: u64, plan: &FaultPlan) -> bool {
        let of_chain = plan.becoming_canonical().filter(|planned| planned.chain_id == self.chain_id());
        of_chain.map(|planned| planned.block).any(|block| block < height && !self.rebuilt.contains(&block))
    }

    /// Whether the block of a height has come back without what made it part of a fault.
    fn is_rebuilt_without_fault(&self, planned: &PlannedFault, height: u64) -> bool {
        (planned.fault.is_dropped() || planned.is_undone()) && self.rebuilt.contains(&height)
    }

    /// Whether the chain's node withdraws its block in this tick, before it names the replacement.
    fn withdraws(&mut self, planned: &PlannedFault, tick: u64) -> bool {
        let ticks = planned.fault.withdrawn_ticks().max(planned.fault.rewind_ticks());
        if ticks == 0 {
            return false;
        }
        let (_, since) = *self.withdrawn.get_or_insert((planned.block, tick));
        tick < since.saturating_add(ticks)
    }

    /// What the chain's node does with a local-safe head that it withdraws.
    pub fn withdrawal(&self, plan: &FaultPlan) -> Option<Withdrawal> {
        let heads = self.heads();
        let fault = |height: u64| plan.at(self.chain_id(), height).map(|planned| planned.fault);
        if let Some((height, _)) = self.withdrawn {
            let is_withdrawn = fault(height).is_some_and(|fault| fault.withdrawn_ticks() > 0);
            return is_withdrawn.then_some(Withdrawal::Withdrawn(height));
        }
        let is_named = |height: &u64| {
            fault(*height).is_some_and(|fault| fault.withdrawn_ticks().max(fault.rewind_ticks()) > 0)
        };
        (heads.safe.saturating_add(1)..=heads.local_safe).find(is_named).map(Withdrawal::Named)
    }

    /// How the chain's execution client is rewound in a tick.
    ///
    /// # Errors
    /// When the block below is missing.
    pub(crate) fn client_rewind(
        &self,
        tick: u64,
        plan: &FaultPlan,
    ) -> Result<Option<Rewind>, SequencerError> {
        let Some((height, since)) = self.withdrawn else { return Ok(None) };
        let is_rewound =
            plan.at(self.chain_id(), height).is_some_and(|planned| planned.fault.rewind_ticks() > 0);
        if !is_rewound {
            return Ok(None);
        }
        let kept = height.saturating_sub(1);
        let block = self.canonical(kept)?;
        let sibling = (tick == since).then(|| Arc::new(siblings::with_other_extra_data(&block)));
        Ok(Some(Rewind { kept, sibling }))
    }

    /// The replaced block that the chain's nodes stay on in a tick.
    pub(crate) fn remains_on(&self, tick: u64) -> Option<Replaced> {
        self.remains_on.filter(|(_, until)| tick < *until).map(|(replaced, _)| replaced)
    }

    fn replace(&mut self, block: &L2Block) -> Result<Arc<L2Block>, SequencerError> {
        let replacement = self.chain.deposits_only(block.hash).map_err(|source| self.chain_error(source))?;
        self.chain.adopt(replacement.hash).map_err(|source| self.chain_error(source))?;
        self.derivation.replace(block.number());
        self.withdrawn = None;
        Ok(replacement)
    }

    fn canonical(&self, number: u64) -> Result<Arc<L2Block>, SequencerError> {
        self.chain.canonical(number).cloned().ok_or_else(|| self.missing("block", number))
    }

    const fn chain_error(&self, source: ChainError) -> SequencerError {
        SequencerError::Chain { chain_id: self.chain_id(), source }
    }

    const fn missing(&self, what: &'static str, number: u64) -> SequencerError {
        SequencerError::Missing { chain_id: self.chain_id(), what, number }
    }
}

fn attestation(block: Arc<L2Block>, fault: Option<&PlannedFault>) -> Attestation {
    let by_impostor = fault.is_some_and(|planned| planned.fault.attested == Attested::BlockByImpostor);
    let fault = fault.filter(|planned| planned.is_attested()).copied();
    Attestation { block, by_impostor, is_published: true, fault }
}
