//! Building blocks: what users do in them, and what the script adds.

use super::siblings::{SIBLING_SALT, forged_deposit};
use super::{Sequencer, SequencerError};
use crate::chain::{BlockOverrides, L2Block};
use crate::contracts::{EMITTER, emit_call, inbox_access_list, validate_message_call};
use crate::faults::{FaultBlock, FaultBlocks, FaultPlan, MessageContext, PlannedFault};
use crate::findings::MessagePlace;
use crate::keys::{Call, deposit_contract_address};
use crate::l1::{L1, L1Block};
use crate::messages::{ExecutionSite, Intent, MessagePool};
use crate::simulation::chain_tick::ScriptedMessage;
use crate::simulation::traffic::{DrawnIntents, Traffic};
use crate::timing::TICKS_PER_L1_BLOCK;
use alloy::primitives::{Address, Bytes, TxKind, U256};
use crosscheck_core::message::CROSS_L2_INBOX;
use crosscheck_p2p::ChainId;
use std::{collections::HashMap, sync::Arc};

/// The gas limit of every user transaction.
const GAS_LIMIT: u64 = 500_000;
/// What every user transaction pays at most for a gas, wei.
const MAX_FEE: u128 = 100_000_000_000;

/// What was built in a tick.
#[derive(Debug, Default)]
pub(crate) struct BuiltBlocks {
    /// The blocks, in order.
    pub(crate) blocks: Vec<Arc<L2Block>>,
    /// The scripted messages that they execute.
    pub(crate) scripted: Vec<ScriptedMessage>,
}

impl Sequencer {
    /// Builds up to the height of a tick.
    ///
    /// # Errors
    /// When a block cannot be built, or a fault finds nothing to twist.
    pub(crate) fn build(
        &mut self,
        tick: u64,
        l1: &L1,
        pool: &MessagePool,
        plan: &FaultPlan,
    ) -> Result<BuiltBlocks, SequencerError> {
        let mut built = BuiltBlocks::default();
        while self.chain.head().number() < self.schedule.height_at(tick) {
            let number = self.chain.head().number().saturating_add(1);
            let fault = plan.at(self.chain_id(), number);
            // A block that was dropped comes back without what made it part of a fault.
            let again = fault.is_some_and(|planned| self.is_rebuilt_without_fault(planned, number));
            let (fault, seed) = if again { (None, self.seed ^ SIBLING_SALT) } else { (fault, self.seed) };
            let parent = self.chain.head().hash;
            self.build_next(l1, pool, (plan, fault), seed, &mut built)?;
            if fault.is_some_and(|planned| planned.fault.is_rebuilt()) && self.rebuilt.insert(number) {
                self.chain.adopt(parent).map_err(|source| self.chain_error(source))?;
                self.build_next(l1, pool, (plan, fault), self.seed ^ SIBLING_SALT, &mut built)?;
            }
        }
        Ok(built)
    }

    /// Builds the block that follows the head, and makes it the head.
    fn build_next(
        &mut self,
        l1: &L1,
        pool: &MessagePool,
        (plan, fault): (&FaultPlan, Option<&PlannedFault>),
        seed: u64,
        built: &mut BuiltBlocks,
    ) -> Result<(), SequencerError> {
        let parent = Arc::clone(self.chain.head());
        let number = parent.number().saturating_add(1);
        let blocks = fault.map(|planned| self.fault_blocks(l1, plan, planned)).unwrap_or_default();
        let context = MessageContext { site: self.site(number), pool, blocks: &blocks };
        let mut traffic = Traffic::new(seed, self.chain_id(), parent.hash).executing(self.messages);
        let drawn = traffic.intents(&context, fault)?;
        let transactions = self.sign(&parent, &drawn.intents, &mut traffic)?;
        let origin = self.origin(l1, number)?;
        let forges = fault.is_some_and(|planned| planned.fault.forges_deposit());
        let forged = forges.then(|| forged_deposit(self.chain_id(), number)).into_iter().collect();
        let overrides = BlockOverrides { forged, ..BlockOverrides::default() };
        let block = self.chain.build_with(parent.hash, &origin, &transactions, &overrides);
        let block = block.map_err(|source| self.chain_error(source))?;
        self.chain.adopt(block.hash).map_err(|source| self.chain_error(source))?;
        if let Some(planned) = fault {
            built.scripted.extend(self.scripted(&block, planned, &drawn)?);
        }
        built.blocks.push(block);
        Ok(())
    }

    /// Where the block executes its scripted messages.
    fn scripted(
        &self,
        block: &L2Block,
        planned: &PlannedFault,
        drawn: &DrawnIntents,
    ) -> Result<Vec<ScriptedMessage>, SequencerError> {
        let deposits = block.transactions.len().saturating_sub(drawn.intents.len());
        let chain_id = ChainId::from(self.chain_id());
        let executed = |intent: &usize| {
            let transaction = deposits.saturating_add(*intent);
            let log =
                block.logs().find(|(_, index, log)| *index == transaction && log.address == CROSS_L2_INBOX);
            let (log_index, ..) =
                log.ok_or_else(|| self.missing("executed message in block", block.number()))?;
            let place = MessagePlace { chain_id, number: block.number(), hash: block.hash, log_index };
            Ok(ScriptedMessage { fault: *planned, place })
        };
        drawn.scripted.iter().map(executed).collect()
    }

    /// All blocks of a fault, as one of them sees them.
    fn fault_blocks(&self, l1: &L1, plan: &FaultPlan, planned: &PlannedFault) -> FaultBlocks {
        let part = |part: &PlannedFault| FaultBlock {
            chain_id: part.chain_id,
            number: part.block,
            timestamp: self.schedule.time_of(part.block),
            first_log: logs_of_deposits(l1, part.chain_id, part.block),
        };
        FaultBlocks::new(plan.parts(planned).iter().map(part).collect(), planned.part)
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
    pub(super) fn origin(&self, l1: &L1, number: u64) -> Result<Arc<L1Block>, SequencerError> {
        let origin = number.checked_div(TICKS_PER_L1_BLOCK).unwrap_or_default();
        l1.block_by_number(origin).cloned().ok_or_else(|| self.missing("L1 block", origin))
    }

    /// Signs intents as transactions of random users, with the nonces that follow a block.
    pub(super) fn sign(
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
}

/// How many logs the deposits of a block write, before those of users: a call of the emitter writes one, and
/// none of the other deposits that there are on the devnet's L1 writes any. `None`: its L1 block is yet to
/// come.
fn logs_of_deposits(l1: &L1, chain_id: u64, number: u64) -> Option<u32> {
    if !number.is_multiple_of(TICKS_PER_L1_BLOCK) {
        // Only the first block of an epoch has its deposits.
        return Some(0);
    }
    let origin = l1.block_by_number(number.checked_div(TICKS_PER_L1_BLOCK)?)?;
    let deposits = origin.deposits(deposit_contract_address(chain_id));
    let logs = deposits.iter().filter(|deposit| deposit.to == TxKind::Call(EMITTER)).count();
    u32::try_from(logs).ok()
}

fn call(chain_id: u64, nonce: u64, intent: &Intent) -> Call {
    let (to, input, access_list) = match intent {
        Intent::Emit { topics, data } => (EMITTER, emit_call(topics, data), inbox_access_list(&[])),
        Intent::Execute(message) => {
            (CROSS_L2_INBOX, validate_message_call(message), inbox_access_list(&[*message]))
        }
        Intent::ExecuteUndeclared(message) => {
            (CROSS_L2_INBOX, validate_message_call(message), inbox_access_list(&[]))
        }
    };
    let value = U256::ZERO;
    Call { chain_id, nonce, to, input, value, access_list, gas_limit: GAS_LIMIT, max_fee: MAX_FEE }
}
