//! [`Traffic`]: what users do on the devnet, drawn from a seed.
//!
//! The same seed, chain, height and parent give the same intents. A block that is built again on another
//! parent gets fresh ones, so nothing is replayed across a reorg.

use crate::faults::{MessageContext, NothingToCite, PlannedFault};
use crate::messages::{InitiatingBlock, Intent};
use crate::timing::FIRST_EXECUTING_BLOCK;
use alloy::primitives::{B256, keccak256};
use crosscheck_core::message::Message;
use rand::{Rng, RngCore, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha12Rng;
use std::ops::RangeInclusive;

/// Every block emits at least this many logs, so that each has one to cite and one to mistake for it.
const MIN_EMITS: usize = 2;
const MAX_EMITS: usize = 4;
const MAX_EXECUTES: usize = 3;
const MAX_TOPICS: usize = 4;
/// Enough random bytes that no two logs say the same.
const MIN_DATA: usize = 16;
const MAX_DATA: usize = 160;
/// One in this many executed messages may be of the executing chain itself.
const OWN_CHAIN_ONE_IN: u32 = 8;

/// What is done in one block, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DrawnIntents {
    /// What users do.
    pub(crate) intents: Vec<Intent>,
    /// The places of the intents that execute a scripted message.
    pub(crate) scripted: Vec<usize>,
}

/// The source of one block's intents.
#[derive(Debug)]
pub(crate) struct Traffic {
    rng: ChaCha12Rng,
    messages: RangeInclusive<usize>,
}

impl Traffic {
    /// The traffic of the block of a chain that is built on a parent.
    pub(crate) fn new(seed: u64, chain_id: u64, parent: B256) -> Self {
        let origin = [&seed.to_be_bytes()[..], &chain_id.to_be_bytes(), parent.as_slice()].concat();
        Self { rng: ChaCha12Rng::from_seed(keccak256(origin).0), messages: 0..=MAX_EXECUTES }
    }

    /// The same traffic with this many honest messages, instead of a few.
    pub(crate) fn executing(self, messages: Option<usize>) -> Self {
        Self { messages: messages.map_or(self.messages, |messages| messages..=messages), ..self }
    }

    /// The intents of a block: the opening of the fault that is scripted for it, then what users do anyway,
    /// and among that the fault's message.
    ///
    /// # Errors
    /// The fault finds nothing to twist.
    pub(crate) fn intents(
        &mut self,
        context: &MessageContext<'_>,
        fault: Option<&PlannedFault>,
    ) -> Result<DrawnIntents, NothingToCite> {
        let mut intents: Vec<_> =
            fault.map(|planned| planned.fault.opening(context.blocks)).unwrap_or_default();
        let opening = intents.len();
        let executes = |(_, intent): &(usize, &Intent)| matches!(intent, Intent::Execute(_));
        let mut scripted: Vec<_> =
            intents.iter().enumerate().filter(executes).map(|(place, _)| place).collect();
        intents.extend((0..self.rng.random_range(MIN_EMITS..=MAX_EMITS)).map(|_| self.emit()));
        if context.site.number >= FIRST_EXECUTING_BLOCK {
            let messages = self.rng.random_range(self.messages.clone());
            let messages = (0..messages).filter_map(|_| self.message(context));
            intents.extend(messages.collect::<Vec<_>>().into_iter().map(Intent::Execute));
        }
        if let Some(planned) = fault
            && let Some(message) = planned.fault.message(context, &mut self.rng)?
        {
            let place = self.rng.random_range(opening..=intents.len());
            let undeclared = planned.fault.is_undeclared;
            let intent = if undeclared { Intent::ExecuteUndeclared } else { Intent::Execute }(message);
            intents.insert(place, intent);
            scripted.push(place);
        }
        Ok(DrawnIntents { intents, scripted })
    }

    /// The intents of a block that nobody else knows: logs only.
    pub(crate) fn private_intents(&mut self) -> Vec<Intent> {
        (0..MAX_EMITS).map(|_| self.emit()).collect()
    }

    /// Which of `wallets` senders an intent comes from.
    pub(crate) fn sender(&mut self, wallets: usize) -> usize {
        self.rng.random_range(0..wallets.max(1))
    }

    fn emit(&mut self) -> Intent {
        let topics = (0..self.rng.random_range(1..=MAX_TOPICS)).map(|_| self.word()).collect();
        let mut data = vec![0; self.rng.random_range(MIN_DATA..=MAX_DATA)];
        self.rng.fill_bytes(&mut data);
        Intent::Emit { topics, data: data.into() }
    }

    fn message(&mut self, context: &MessageContext<'_>) -> Option<Message> {
        let own = self.rng.random_ratio(1, OWN_CHAIN_ONE_IN);
        let mut blocks = context.pool.live(&context.site);
        let any_remote = blocks.iter().any(|block| block.chain_id != context.site.chain_id);
        if any_remote {
            blocks.retain(|block: &&InitiatingBlock| (block.chain_id == context.site.chain_id) == own);
        }
        let block = blocks.choose(&mut self.rng)?;
        block.messages.choose(&mut self.rng).copied()
    }

    fn word(&mut self) -> B256 {
        let mut word = B256::ZERO;
        self.rng.fill_bytes(word.as_mut_slice());
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{FaultBlocks, FaultPlan, FaultSpec};
    use crate::messages::{pool, site};

    static NO_BLOCKS: std::sync::LazyLock<FaultBlocks> = std::sync::LazyLock::new(FaultBlocks::default);

    fn intents(seed: u64, parent: u8, number: u64) -> Vec<Intent> {
        let pool = pool(&[901, 902, 903], 1..=29);
        let context = MessageContext { site: site(901, number), pool: &pool, blocks: &NO_BLOCKS };
        Traffic::new(seed, 901, B256::repeat_byte(parent)).intents(&context, None).unwrap().intents
    }

    fn executed(intents: &[Intent]) -> Vec<Message> {
        let message = |intent: &Intent| match intent {
            Intent::Execute(message) => Some(*message),
            Intent::Emit { .. } | Intent::ExecuteUndeclared(_) => None,
        };
        intents.iter().filter_map(message).collect()
    }

    #[test]
    fn the_same_seed_and_parent_give_the_same_intents() {
        assert_eq!(intents(7, 1, 30), intents(7, 1, 30));
        assert_ne!(intents(7, 1, 30), intents(8, 1, 30));
        assert_ne!(intents(7, 1, 30), intents(7, 2, 30));
    }

    #[test]
    fn honest_messages_are_in_the_pool_and_live() {
        let pool = pool(&[901, 902, 903], 1..=29);
        let site = site(901, 30);
        let live: Vec<_> = pool.live(&site).into_iter().flat_map(|block| block.messages.clone()).collect();
        let all: Vec<_> = (0..60).flat_map(|seed| executed(&intents(seed, 1, 30))).collect();
        assert!(all.iter().all(|message| live.contains(message)));
        let own = all.iter().filter(|message| message.identifier.chain_id == 901.into()).count();
        assert!(0 < own && own < all.len() / 2, "{own} of {} messages are of the own chain", all.len());
    }

    #[test]
    fn as_many_messages_as_were_asked_for_are_executed() {
        let pool = pool(&[901, 902, 903], 1..=29);
        let context = MessageContext { site: site(901, 30), pool: &pool, blocks: &NO_BLOCKS };
        for messages in [0, 20] {
            let traffic = Traffic::new(7, 901, B256::ZERO);
            let drawn = traffic.executing(Some(messages)).intents(&context, None).unwrap();
            assert_eq!(executed(&drawn.intents).len(), messages);
        }
    }

    #[test]
    fn early_blocks_execute_nothing_and_every_block_emits() {
        for seed in 0..20 {
            let early = intents(seed, 1, FIRST_EXECUTING_BLOCK - 1);
            assert!(executed(&early).is_empty());
            assert!(early.len() >= MIN_EMITS);
        }
    }

    #[test]
    fn a_scripted_message_is_added_to_the_honest_ones() {
        let specs: Vec<FaultSpec> = vec!["unknown-chain@30".parse().unwrap()];
        let plan = FaultPlan::new(&specs, &[901, 902], None).unwrap();
        let pool = pool(&[901, 902], 1..=29);
        let context = MessageContext { site: site(901, 30), pool: &pool, blocks: &NO_BLOCKS };
        let with_fault = Traffic::new(7, 901, B256::ZERO).intents(&context, plan.at(901, 30)).unwrap();
        let without = Traffic::new(7, 901, B256::ZERO).intents(&context, None).unwrap();
        assert_eq!(executed(&with_fault.intents).len(), executed(&without.intents).len() + 1);
        assert!(without.scripted.is_empty());
        let [place] = with_fault.scripted[..] else { panic!("not one scripted message") };
        let Intent::Execute(message) = &with_fault.intents[place] else { panic!("executes nothing") };
        assert_eq!(message.identifier.chain_id, 424_242.into());
    }

    #[test]
    fn an_opening_comes_first_and_all_that_it_executes_is_scripted() {
        let specs: Vec<FaultSpec> = vec!["message-cycle-two@30".parse().unwrap()];
        let plan = FaultPlan::new(&specs, &[901, 902], None).unwrap();
        let pool = pool(&[901, 902], 1..=29);
        let blocks = crate::faults::fault_blocks(&[(901, 30), (902, 30)], 0);
        let context = MessageContext { site: site(901, 30), pool: &pool, blocks: &blocks };
        let drawn = Traffic::new(7, 901, B256::ZERO).intents(&context, plan.at(901, 30)).unwrap();
        assert_eq!(drawn.intents[0], Intent::Execute(blocks.message(1, 1).unwrap()));
        assert_eq!(drawn.intents[1], blocks.emission().unwrap());
        assert_eq!(drawn.scripted, [0]);
    }
}
