//! [`Sequencer`]: one chain of the superchain with its users, its derivation and its word on what is cross-safe.
//! Pure: it is told the tick and gives back what is to be published.
//!
//! It does what the script says at three places: the messages of a block, the promotion of a block, and what is
//! attested of it.

mod building;
mod fork;
mod siblings;

pub use building::{Built, ScriptedMessage};

use super::block::L2Block;
use super::chain::{Chain, ChainError, ChainParams};
use super::contracts::Inbox;
use super::derivation::Derivation;
use super::faults::{Attested, FaultPlan, NothingToCite, PlannedFault};
use super::heads::Heads;
use super::keyring::Keyring;
use super::l1::L1;
use super::l1_block::L1Block;
use super::message_pool::InitiatingBlock;
use super::outbox::Outbox;
use super::schedule::Schedule;
use super::wallet::WalletError;
use crate::sequencer::fork::Fork;
use alloy::primitives::B256;
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

/// The sequencer's word on a height.
#[derive(Clone, Debug)]
pub struct Attestation {
    /// The block that is attested.
    pub block: Arc<L2Block>,
    /// Whether a key signs that is not the chain's.
    pub by_impostor: bool,
    /// Whether it goes out at all.
    pub is_published: bool,
    /// The fault that shows in this attestation.
    pub fault: Option<PlannedFault>,
}

/// What one chain did in a tick.
#[derive(Clone, Debug)]
pub struct ChainTick {
    /// The chain.
    pub chain_id: u64,
    /// The block that took another's height by derivation; it is not gossiped as new.
    pub replacement: Option<Arc<L2Block>>,
    /// The blocks that were built, in order; they follow the replacement.
    pub built: Vec<Arc<L2Block>>,
    /// Those of them whose frames a bystander publishes as attestations, at once.
    pub replayed: Vec<Arc<L2Block>>,
    /// The scripted messages that those blocks execute.
    pub scripted: Vec<ScriptedMessage>,
    /// What is attested, in order.
    pub attestations: Vec<Attestation>,
    /// The heads at the end of the tick.
    pub heads: Heads,
    /// Whether the chain's execution client answers errors in this tick.
    pub outage: bool,
    /// Whether the chain's rollup node names no heads in this tick.
    pub headless: bool,
    /// Whether the chain's rollup node works by other rules in this tick.
    pub other_rules: bool,
    /// Whether the chain's rollup node calls genesis safe and final in this tick.
    pub at_genesis: bool,
    /// What the chain's nodes serve from a height on in place of its own blocks, if they follow another fork.
    pub fork: Option<Vec<Arc<L2Block>>>,
    /// What the chain's execution client has by number in place of the chain's own blocks of those heights.
    pub unlinked: Vec<Arc<L2Block>>,
    /// Which of the chain's endpoints differs from the others in this tick, and how, if one does.
    pub odd: Option<(usize, OddEndpoint)>,
    /// The cross-safe heads that L1 blocks led to since the tick before: the L1 height, and the chain's.
    pub safe_at: Vec<(u64, u64)>,
    /// What the chain's node does with a local-safe head that it takes back.
    pub withdrawal: Option<Withdrawal>,
    /// The replaced block that the chain's nodes stay on in this tick, if they do: they know of nothing that came after.
    pub stays_on: Option<Replaced>,
    /// How the chain's execution client is taken back in this tick, if it is.
    pub rewind: Option<Rewind>,
}

/// An execution client that is taken back to replace a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewind {
    /// The height of its tip: that below the block.
    pub kept: u64,
    /// What it has there first, in place of the chain's block.
    pub sibling: Option<Arc<L2Block>>,
}

/// A block that gave way to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The block.
    pub hash: B256,
    /// What took its place.
    pub by: B256,
}

/// What a node does with a local-safe head that it takes back. With it: the height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// It still names it.
    Named(u64),
    /// It names heads far below.
    Withdrawn(u64),
}

impl ChainTick {
    /// The tick up to a block whose height another takes in it, and the rest. `None`: no height has two blocks.
    pub fn split(&self) -> Option<(Self, Self)> {
        let is_height_of_both =
            |pair: &[Arc<L2Block>]| matches!(pair, [one, other] if one.number() == other.number());
        let place = self.built.windows(2).position(is_height_of_both)?;
        let (before, after) = self.built.split_at(place.saturating_add(1));
        let tip = before.last()?.number();
        let Heads { local_safe, safe, finalized, .. } = self.heads;
        let first = Self {
            built: before.to_vec(),
            replayed: Vec::new(),
            scripted: Vec::new(),
            attestations: Vec::new(),
            heads: Heads {
                unsafe_head: tip,
                local_safe: local_safe.min(tip),
                safe: safe.min(tip),
                finalized,
            },
            safe_at: Vec::new(),
            ..self.clone()
        };
        Some((first, Self { replacement: None, built: after.to_vec(), ..self.clone() }))
    }

    /// A tick in which a chain did nothing.
    pub fn idle(chain_id: u64) -> Self {
        Self {
            chain_id,
            replacement: None,
            built: Vec::new(),
            replayed: Vec::new(),
            scripted: Vec::new(),
            attestations: Vec::new(),
            heads: Heads::default(),
            outage: false,
            headless: false,
            other_rules: false,
            at_genesis: false,
            fork: None,
            unlinked: Vec::new(),
            odd: None,
            safe_at: Vec::new(),
            withdrawal: None,
            stays_on: None,
            rewind: None,
        }
    }
}

/// What one of a chain's endpoints serves.
#[derive(Clone, Debug)]
pub enum OddEndpoint {
    /// These blocks in place of the chain's own.
    Lies(Vec<Arc<L2Block>>),
    /// The chain as it was this many ticks ago.
    Lags(u64),
}

/// What a promotion gave.
#[derive(Debug, Default)]
pub struct Promotion {
    /// The block that took another's height.
    pub replacement: Option<Arc<L2Block>>,
    /// What is attested.
    pub attestations: Vec<Attestation>,
    /// What may be cited from now on.
    pub citable: Vec<InitiatingBlock>,
}

/// One chain and all who act on it.
#[derive(Debug)]
pub struct Sequencer {
    chain: Chain,
    keys: Keyring,
    derivation: Derivation,
    outbox: Outbox,
    fork: Option<Fork>,
    /// What a lying endpoint of the chain serves, as long as it does.
    lie: Option<Fork>,
    /// What the chain's client has by number in place of the chain's own blocks, as long as it does.
    unlinked: Vec<Arc<L2Block>>,
    /// The last block of a branch that was attested and is not the chain's.
    branch_tip: Option<Arc<L2Block>>,
    /// The heights that were built a second time because the script has it.
    rebuilt: BTreeSet<u64>,
    /// The height of which the node has taken its block back, and since which tick.
    withdrawn: Option<(u64, u64)>,
    /// What was attested in the place of a block that L1 has reorged out in this tick: the chain's block now.
    come_true: Option<Arc<L2Block>>,
    /// The replaced block that the chain's nodes stay on, and until before which tick.
    stays_on: Option<(Replaced, u64)>,
    schedule: Schedule,
    seed: u64,
}

impl Sequencer {
    /// The chain at its genesis.
    ///
    /// # Errors
    /// When genesis cannot be made.
    pub fn new(
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
            derivation: Derivation::default(),
            outbox: Outbox::default(),
            fork: None,
            lie: None,
            unlinked: Vec::new(),
            branch_tip: None,
            rebuilt: BTreeSet::new(),
            withdrawn: None,
            come_true: None,
            stays_on: None,
            schedule,
            seed,
        })
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
    pub fn heads(&self) -> Heads {
        Heads {
            unsafe_head: self.chain.head().number(),
            local_safe: self.derivation.local_safe(),
            safe: self.derivation.safe(),
            finalized: self.derivation.finalized(),
        }
    }

    /// An L1 block brings everything that was built before.
    pub fn derive(&mut self, l1_block: &L1Block, tick: u64) {
        self.derivation.include(self.chain.head().number(), l1_block.number(), tick);
    }

    /// L1 reorged: goes back to the newest block whose origin still stands, and answers its height; or below a replacement,
    /// if what it replaced is gone from L1. What is final stays. What was attested in the place of a block that is gone may stand
    /// there then.
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
        let come_true = match undone.filter(|planned| planned.comes_true()) {
            Some(planned) => Some(self.attested(&self.canonical(planned.block)?, Some(planned))?),
            None => None,
        };
        self.derivation.rewind(kept.number());
        let head = come_true.as_ref().map_or(kept.hash, |block| block.hash);
        self.chain.adopt(head).map_err(|source| self.chain_error(source))?;
        self.come_true = come_true;
        Ok(kept.number())
    }

    /// Drops the blocks of the chain that the script has it drop at the start of this tick, all of them still unsafe.
    ///
    /// # Errors
    /// When a block is missing.
    pub fn drop_blocks(&mut self, tick: u64, plan: &FaultPlan) -> Result<(), SequencerError> {
        let Some(planned) = plan.dropped(self.chain_id(), tick) else { return Ok(()) };
        let kept = self.canonical(planned.block.saturating_sub(1))?;
        if kept.number() < self.derivation.local_safe() {
            return Err(self.missing("unsafe block", planned.block));
        }
        self.rebuilt.insert(planned.block);
        self.chain.adopt(kept.hash).map_err(|source| self.chain_error(source))
    }

    /// The cross-safe heads that L1 blocks led to since this was last asked.
    pub fn take_safe_at(&mut self) -> Vec<(u64, u64)> {
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
    pub fn promote(&mut self, tick: u64, plan: &FaultPlan) -> Result<Promotion, SequencerError> {
        let mut promotion = Promotion { replacement: self.come_true.take(), ..Promotion::default() };
        while let Some(height) = self.derivation.due(tick).filter(|height| !self.awaits_l1(*height, plan)) {
            let fault = plan.at(self.chain_id(), height);
            let block = self.canonical(height)?;
            if fault.is_some_and(|planned| self.withdraws(planned, tick)) {
                return Ok(promotion);
            }
            if fault
                .is_some_and(|planned| planned.fault.is_replaced() && !self.is_built_without(planned, height))
            {
                let replacement = self.replace(&block)?;
                let stays = fault.map(|planned| planned.fault.remain_ticks()).filter(|ticks| *ticks > 0);
                let replaced = Replaced { hash: block.hash, by: replacement.hash };
                self.stays_on = stays.map(|ticks| (replaced, tick.saturating_add(ticks))).or(self.stays_on);
                let word = attestation(Arc::clone(&replacement), fault);
                promotion.attestations.extend(self.outbox.pass(word));
                promotion.replacement = Some(replacement);
                return Ok(promotion);
            }
            self.derivation.promote(height);
            let word = attestation(self.attested(&block, fault)?, fault);
            promotion.attestations.extend(self.outbox.pass(word));
            if fault.is_none_or(|planned| planned.fault.is_citable) {
                promotion.citable.push(InitiatingBlock::of(self.chain_id(), &block));
            }
        }
        Ok(promotion)
    }

    /// Whether L1 has yet to drop what brought a block below this height: nothing above is attested before.
    fn awaits_l1(&self, height: u64, plan: &FaultPlan) -> bool {
        let of_chain = plan.coming_true().filter(|planned| planned.chain_id == self.chain_id());
        of_chain.map(|planned| planned.block).any(|block| block < height && !self.rebuilt.contains(&block))
    }

    /// Whether the block of a height has come back without what made it part of a fault.
    fn is_built_without(&self, planned: &PlannedFault, height: u64) -> bool {
        (planned.fault.is_dropped() || planned.is_undone()) && self.rebuilt.contains(&height)
    }

    /// Whether the chain's node takes its block back in this tick, before it names the replacement.
    fn withdraws(&mut self, planned: &PlannedFault, tick: u64) -> bool {
        let ticks = planned.fault.withdrawn_ticks().max(planned.fault.rewind_ticks());
        if ticks == 0 {
            return false;
        }
        let (_, since) = *self.withdrawn.get_or_insert((planned.block, tick));
        tick < since.saturating_add(ticks)
    }

    /// What the chain's node does with a local-safe head that it takes back.
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

    /// How the chain's execution client is taken back in a tick.
    ///
    /// # Errors
    /// When the block below is missing.
    pub fn client_rewind(&self, tick: u64, plan: &FaultPlan) -> Result<Option<Rewind>, SequencerError> {
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
    pub fn stays_on(&self, tick: u64) -> Option<Replaced> {
        self.stays_on.filter(|(_, until)| tick < *until).map(|(replaced, _)| replaced)
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
