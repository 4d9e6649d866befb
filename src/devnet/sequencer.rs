//! [`Sequencer`]: one chain of the superchain with its users, its derivation and its word on what is cross-safe.
//! Pure: it is told the tick and gives back what is to be published.
//!
//! It does what the script says at three places: the messages of a block, the promotion of a block, and what is
//! attested of it.

mod fork;
mod siblings;

use self::{
    fork::Fork,
    siblings::{SIBLING_SALT, forged_deposit},
};
use super::{
    block::L2Block,
    chain::{Chain, ChainError, ChainParams, Departure},
    contracts::{EMITTER, emit_call, inbox_access_list, validate_message_call},
    derivation::Derivation,
    faults::{Attested, FaultPlan, NothingToCite, PlannedFault, Scene},
    heads::Heads,
    keyring::Keyring,
    l1::L1,
    l1_block::L1Block,
    message_pool::{ExecutionSite, InitiatingBlock, MessagePool},
    outbox::Outbox,
    schedule::{Schedule, TICKS_PER_L1_BLOCK},
    traffic::{Intent, Traffic},
    wallet::{Call, WalletError},
};
use crate::interop::CROSS_L2_INBOX;
use alloy::primitives::{Address, Bytes, U256};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// The gas limit of every user transaction.
const GAS_LIMIT: u64 = 500_000;
/// What every user transaction pays at most for a gas, wei.
const MAX_FEE: u128 = 100_000_000_000;

/// Why a chain could not go on.
#[derive(Debug, thiserror::Error)]
pub enum SequencerError {
    /// The chain refused.
    #[error("chain {chain_id} could not go on: {source}")]
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
    #[error(
        "chain {chain_id} has no {what} {number}: this is a defect of the devnet, please report it with the seed"
    )]
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
    /// What is attested, in order.
    pub attestations: Vec<Attestation>,
    /// The heads at the end of the tick.
    pub heads: Heads,
    /// Whether the chain's execution client answers errors in this tick.
    pub outage: bool,
    /// What the chain's nodes serve from a height on in place of its own blocks, if they follow another fork.
    pub fork: Option<Vec<Arc<L2Block>>>,
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
    /// The heights that were built a second time because the script has it.
    rebuilt: BTreeSet<u64>,
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
    ) -> Result<Self, SequencerError> {
        let chain_id = params.chain_id;
        let chain = Chain::new(params, &keys.user_addresses())
            .map_err(|source| SequencerError::Chain { chain_id, source })?;
        Ok(Self {
            chain,
            keys,
            derivation: Derivation::default(),
            outbox: Outbox::default(),
            fork: None,
            rebuilt: BTreeSet::new(),
            schedule,
            seed,
        })
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

    /// L1 reorged: goes back to the newest block whose origin still stands. What is cross-safe stays.
    ///
    /// # Errors
    /// When a cross-safe block would have to go.
    pub fn rewind(&mut self, l1: &L1) -> Result<(), SequencerError> {
        let mut kept = Arc::clone(self.chain.head());
        while !l1.is_canonical(kept.l1_origin) {
            kept = self.canonical(kept.number().saturating_sub(1))?;
        }
        if kept.number() < self.derivation.safe() {
            return Err(self.missing("canonical L1 origin for cross-safe block", self.derivation.safe()));
        }
        self.derivation.rewind(kept.number());
        self.chain.adopt(kept.hash).map_err(|source| self.chain_error(source))
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
        let mut promotion = Promotion::default();
        while let Some(height) = self.derivation.due(tick) {
            let fault = plan.at(self.chain_id(), height);
            let block = self.canonical(height)?;
            if fault.is_some_and(|planned| planned.fault.is_replaced()) {
                let replacement = self.replace(&block)?;
                let word = attestation(Arc::clone(&replacement), fault);
                promotion.attestations.extend(self.outbox.pass(word));
                promotion.replacement = Some(replacement);
                return Ok(promotion);
            }
            self.derivation.promote(height);
            let word = attestation(self.attested(&block, fault)?, fault);
            promotion.attestations.extend(self.outbox.pass(word));
            if fault.is_none_or(|planned| planned.fault.is_citable()) {
                promotion.citable.push(InitiatingBlock::of(self.chain_id(), &block));
            }
        }
        Ok(promotion)
    }

    /// Builds up to the height of a tick.
    ///
    /// # Errors
    /// When a block cannot be built, or a fault finds nothing to twist.
    pub fn build(
        &mut self,
        tick: u64,
        l1: &L1,
        pool: &MessagePool,
        plan: &FaultPlan,
    ) -> Result<Vec<Arc<L2Block>>, SequencerError> {
        let mut built = Vec::new();
        while self.chain.head().number() < self.schedule.height_at(tick) {
            let number = self.chain.head().number().saturating_add(1);
            let fault = plan.at(self.chain_id(), number);
            let block = self.build_next(l1, pool, fault, self.seed)?;
            let parent = block.header.parent_hash;
            built.push(block);
            if fault.is_some_and(|planned| planned.fault.is_rebuilt()) && self.rebuilt.insert(number) {
                self.chain.adopt(parent).map_err(|source| self.chain_error(source))?;
                built.push(self.build_next(l1, pool, fault, self.seed ^ SIBLING_SALT)?);
            }
        }
        Ok(built)
    }

    /// Builds the block that follows the head, and makes it the head.
    fn build_next(
        &mut self,
        l1: &L1,
        pool: &MessagePool,
        fault: Option<&PlannedFault>,
        seed: u64,
    ) -> Result<Arc<L2Block>, SequencerError> {
        let parent = Arc::clone(self.chain.head());
        let number = parent.number().saturating_add(1);
        let scene = Scene { site: self.site(number), pool };
        let mut traffic = Traffic::new(seed, self.chain_id(), parent.hash);
        let intents = traffic.intents(&scene, fault)?;
        let transactions = self.sign(&parent, &intents, &mut traffic)?;
        let origin = self.origin(l1, number)?;
        let forges = fault.is_some_and(|planned| planned.fault.forges_deposit());
        let forged = forges.then(|| forged_deposit(self.chain_id(), number)).into_iter().collect();
        let departure = Departure { forged, ..Departure::default() };
        let block = self.chain.build_departing(parent.hash, &origin, &transactions, &departure);
        let block = block.map_err(|source| self.chain_error(source))?;
        self.chain.adopt(block.hash).map_err(|source| self.chain_error(source))?;
        Ok(block)
    }

    fn site(&self, number: u64) -> ExecutionSite {
        ExecutionSite {
            chain_id: self.chain_id(),
            number,
            timestamp: self.schedule.time_of(number),
            expiry_window: self.schedule.expiry_window(),
        }
    }

    /// Every height has its L1 origin, whenever and however often it is built.
    fn origin(&self, l1: &L1, number: u64) -> Result<Arc<L1Block>, SequencerError> {
        let origin = number.checked_div(TICKS_PER_L1_BLOCK).unwrap_or_default();
        l1.block_by_number(origin).cloned().ok_or_else(|| self.missing("L1 block", origin))
    }

    fn replace(&mut self, block: &L2Block) -> Result<Arc<L2Block>, SequencerError> {
        let replacement = self.chain.deposits_only(block.hash).map_err(|source| self.chain_error(source))?;
        self.chain.adopt(replacement.hash).map_err(|source| self.chain_error(source))?;
        self.derivation.replace(block.number());
        Ok(replacement)
    }

    /// Signs intents as transactions of random users, with the nonces that follow a block.
    fn sign(
        &self,
        parent: &L2Block,
        intents: &[Intent],
        traffic: &mut Traffic,
    ) -> Result<Vec<Bytes>, SequencerError> {
        let mut nonces: HashMap<Address, u64> = HashMap::new();
        let mut transactions = Vec::with_capacity(intents.len());
        for intent in intents {
            let place = traffic.sender(self.keys.users.len());
            let Some(user) = self.keys.users.get(place) else { continue };
            let nonce = match nonces.get(&user.address()) {
                Some(nonce) => *nonce,
                None => {
                    let nonce = self.chain.nonce(parent.hash, user.address());
                    nonce.map_err(|source| self.chain_error(source))?
                }
            };
            nonces.insert(user.address(), nonce.saturating_add(1));
            let signed = user.sign_call(call(self.chain_id(), nonce, intent));
            let chain_id = self.chain_id();
            transactions.push(signed.map_err(|source| SequencerError::Wallet { chain_id, source })?);
        }
        Ok(transactions)
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
    let by_impostor = fault.is_some_and(|planned| planned.fault.attested() == Attested::BlockByImpostor);
    let fault = fault.filter(|planned| planned.is_attested()).copied();
    Attestation { block, by_impostor, is_published: true, fault }
}

fn call(chain_id: u64, nonce: u64, intent: &Intent) -> Call {
    let (to, input, access_list) = match intent {
        Intent::Emit { topics, data } => (EMITTER, emit_call(topics, data), inbox_access_list(&[])),
        Intent::Execute(message) => {
            (CROSS_L2_INBOX, validate_message_call(message), inbox_access_list(&[*message]))
        }
    };
    let value = U256::ZERO;
    Call { chain_id, nonce, to, input, value, access_list, gas_limit: GAS_LIMIT, max_fee: MAX_FEE }
}
