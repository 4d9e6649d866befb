//! [`Superchain`]: an L1 and the chains on it, moved on tick by tick. Pure: the same parameters give the same
//! chains, hash by hash.
//!
//! It opens no socket and reads no clock; a [`Tick`] says what has changed and what is to be published.

use super::chain_tick::{ChainTick, OddEndpoint};
use super::l1_traffic::L1Traffic;
use super::sequencer::{Promotion, Sequencer, SequencerError};
use crate::chain::{BLOCK_HISTORY, ChainParams, L2Block, Upgrade};
use crate::contracts::Inbox;
use crate::faults::{DisturbanceKind, FaultPlan, L1Drop, PlannedFault};
use crate::keys::{Keyring, WalletError, deposit_contract_address, system_config_address};
use crate::l1::{FeeScalars, L1, L1Block, L1Error, L1Params, SystemConfigContract};
use crate::messages::MessagePool;
use crate::timing::{L1_FINALITY_DEPTH, L1_SAFE_DEPTH, Schedule, TICKS_PER_L1_BLOCK};
use crosscheck_p2p::UnixSeconds;
use std::{collections::BTreeMap, sync::Arc};

/// The id of the first chain; the others follow it.
pub(crate) const FIRST_CHAIN_ID: u64 = 901;
/// The most chains that a superchain has.
pub(crate) const MAX_CHAINS: u64 = 32;
/// The id of the L1.
pub(crate) const L1_CHAIN_ID: u64 = 900;
/// The gas limit of every L2 block.
const GAS_LIMIT: u64 = 60_000_000;

/// What decides a superchain.
#[derive(Clone, Debug)]
pub struct SuperchainParams {
    /// How many chains there are.
    pub chains: u64,
    /// When things happen.
    pub schedule: Schedule,
    /// Decides keys and traffic.
    pub seed: u64,
    /// What goes wrong.
    pub plan: FaultPlan,
}

impl SuperchainParams {
    /// The ids of the chains.
    pub fn chain_ids(chains: u64) -> Vec<u64> {
        (FIRST_CHAIN_ID..).take(usize::try_from(chains.min(MAX_CHAINS)).unwrap_or_default()).collect()
    }
}

/// Why a superchain could not start or continue.
#[derive(Debug, thiserror::Error)]
pub enum SuperchainError {
    /// A key could not be derived or used.
    #[error("a key of the devnet could not be derived or used: {0}")]
    Keys(#[from] WalletError),
    /// L1 could not continue.
    #[error(transparent)]
    L1(#[from] L1Error),
    /// A chain could not continue.
    #[error(transparent)]
    Sequencer(#[from] SequencerError),
}

/// What happened in one tick.
#[derive(Clone, Debug)]
pub struct Tick {
    /// Which tick.
    pub number: u64,
    /// Its time.
    pub time: UnixSeconds,
    /// Whether L1 has a new head.
    pub l1_moved: bool,
    /// What each chain did, in the order of their ids.
    pub chains: Vec<ChainTick>,
}

/// The chains and their L1.
#[derive(Debug)]
pub struct Superchain {
    params: SuperchainParams,
    l1: L1,
    l1_traffic: L1Traffic,
    sequencers: Vec<Sequencer>,
    pool: MessagePool,
    tick: u64,
    history: u64,
}

/// L1 blocks that are kept below the origins of the oldest kept blocks: more than finality takes.
const L1_MARGIN: u64 = 64;

impl Superchain {
    /// All chains at their genesis.
    ///
    /// # Errors
    /// When keys or a genesis cannot be made.
    pub fn new(params: SuperchainParams) -> Result<Self, SuperchainError> {
        let chain_ids = SuperchainParams::chain_ids(params.chains);
        let rings: Vec<_> = (0_u32..)
            .zip(&chain_ids)
            .map(|(place, _)| Keyring::derive(params.seed, place))
            .collect::<Result<_, _>>()?;
        let config = |keys: &Keyring| SystemConfigContract {
            unsafe_block_signer: keys.sequencer.address(),
            batcher: keys.batcher.address(),
            scalars: FeeScalars::GENESIS,
        };
        let configs =
            chain_ids.iter().zip(&rings).map(|(id, keys)| (system_config_address(*id), config(keys)));
        let l1 = L1::new(L1Params {
            genesis_time: params.schedule.genesis_time,
            seed: params.seed,
            safe_depth: L1_SAFE_DEPTH,
            finalized_depth: L1_FINALITY_DEPTH,
            system_configs: configs.collect::<BTreeMap<_, _>>(),
        });
        let sequencer = |(chain_id, keys): (&u64, Keyring)| {
            let chain = chain_params(*chain_id, &keys, &l1, &params.schedule, &params.plan);
            let inbox = if params.plan.patches_inbox(*chain_id) { Inbox::Unguarded } else { Inbox::Guarded };
            Sequencer::new(chain, keys, params.schedule, params.seed, inbox)
        };
        let sequencers = chain_ids.iter().zip(rings).map(sequencer).collect::<Result<_, _>>()?;
        let l1_traffic = L1Traffic::new(params.seed, &chain_ids)?;
        Ok(Self {
            params,
            l1,
            l1_traffic,
            sequencers,
            pool: MessagePool::default(),
            tick: 0,
            history: BLOCK_HISTORY,
        })
    }

    /// The same superchain, which keeps this many blocks of each chain, and their L1 origins.
    #[must_use]
    pub fn keeping(mut self, history: u64) -> Self {
        self.history = history;
        self.l1.keep(history.div_ceil(TICKS_PER_L1_BLOCK).saturating_add(L1_MARGIN));
        self.sequencers.iter_mut().for_each(|sequencer| sequencer.keep(history));
        self
    }

    /// The same superchain, each of whose blocks executes this many honest messages. `None`: a few.
    #[must_use]
    pub fn executing(mut self, messages: Option<usize>) -> Self {
        self.sequencers.iter_mut().for_each(|sequencer| sequencer.execute(messages));
        self
    }

    /// How many blocks of each chain are kept.
    pub const fn history(&self) -> u64 {
        self.history
    }

    /// The L1.
    pub const fn l1(&self) -> &L1 {
        &self.l1
    }

    /// The chains.
    pub fn sequencers(&self) -> &[Sequencer] {
        &self.sequencers
    }

    /// What decides it.
    pub const fn params(&self) -> &SuperchainParams {
        &self.params
    }

    /// Whether the chains have stopped building and everything that they built is final.
    pub fn is_complete(&self) -> bool {
        let last = self.params.schedule.blocks;
        last.is_some_and(|last| self.sequencers.iter().all(|chain| chain.heads().finalized >= last))
    }

    /// Moves on by one tick: first unsafe blocks go that have to, then L1 moves, then promotions on every
    /// chain, then new blocks on every chain.
    ///
    /// # Errors
    /// When L1 or a chain cannot continue. The superchain is then unfit for use.
    pub fn tick(&mut self) -> Result<Tick, SuperchainError> {
        self.tick = self.tick.saturating_add(1);
        let tick = self.tick;
        let time = self.params.schedule.time_of(tick);
        for chain in &mut self.sequencers {
            chain.drop_blocks(tick, &self.params.plan)?;
        }
        let reorged = self.params.plan.reorgs_l1(tick);
        if let Some(dropped) = reorged {
            self.reorg_l1(dropped, tick)?;
        }
        let grows = self.params.schedule.makes_l1_block(tick);
        if grows {
            let block = self.extend_l1()?;
            self.sequencers.iter_mut().for_each(|chain| chain.derive(&block, tick));
        }
        let promotions = self.promote(tick)?;
        let chains = self.build(tick, promotions)?;
        Ok(Tick { number: tick, time, l1_moved: grows || reorged.is_some(), chains })
    }

    /// Appends the next L1 block, at its time.
    fn extend_l1(&mut self) -> Result<Arc<L1Block>, SuperchainError> {
        let tick = self.l1.head().number().saturating_add(1).saturating_mul(TICKS_PER_L1_BLOCK);
        let body = self.l1_traffic.next_body(&self.l1)?;
        Ok(self.l1.produce_with(self.params.schedule.time_of(tick), body)?)
    }

    /// L1 reorgs out its newest blocks and has others in their places; every chain goes back to its newest
    /// block with a canonical origin.
    fn reorg_l1(&mut self, dropped: L1Drop, tick: u64) -> Result<(), SuperchainError> {
        let head = self.l1.head().number();
        self.l1.reorg(dropped.blocks());
        while self.l1.head().number() < head {
            self.extend_l1()?;
        }
        for chain in &mut self.sequencers {
            let kept = chain.rewind(&self.l1, self.params.plan.undone(chain.chain_id(), tick))?;
            self.pool.forget_above(chain.chain_id(), kept);
        }
        Ok(())
    }

    fn promote(&mut self, tick: u64) -> Result<Vec<Promotion>, SuperchainError> {
        let mut promotions = Vec::with_capacity(self.sequencers.len());
        let finalized = self.l1.finalized().number();
        for chain in &mut self.sequencers {
            let mut promotion = chain.promote(tick, &self.params.plan)?;
            promotion.citable.drain(..).for_each(|block| self.pool.insert(block));
            chain.finalize(finalized);
            promotions.push(promotion);
        }
        Ok(promotions)
    }

    fn build(&mut self, tick: u64, promotions: Vec<Promotion>) -> Result<Vec<ChainTick>, SuperchainError> {
        let plan = &self.params.plan;
        let mut chains = Vec::with_capacity(self.sequencers.len());
        for (chain, promotion) in self.sequencers.iter_mut().zip(promotions) {
            let built = chain.build(tick, &self.l1, &self.pool, plan)?;
            let is_replayed = |block: &&Arc<L2Block>| {
                plan.at(chain.chain_id(), block.number()).is_some_and(|planned| planned.fault.is_replayed)
            };
            let replayed = built.blocks.iter().filter(is_replayed).cloned().collect();
            let other_branch = chain.other_branch(tick, &self.l1, plan)?;
            let unlinked = chain.unlinked(tick, plan)?;
            let odd_claims = chain.odd_claims(tick, plan)?;
            let odd = odd_endpoint(chain, tick, &self.l1, plan)?;
            let of_node = plan.unknown_heads(chain.chain_id(), tick).and_then(PlannedFault::disturbance);
            chains.push(ChainTick {
                chain_id: chain.chain_id(),
                replacement: promotion.replacement,
                built: built.blocks,
                replayed,
                scripted: built.scripted,
                attestations: promotion.attestations,
                heads: chain.heads(),
                withdrawal: chain.withdrawal(plan),
                remains_on: chain.remains_on(tick),
                rewind: chain.client_rewind(tick, plan)?,
                odd_claims,
                outage: plan.outage(chain.chain_id(), tick).is_some(),
                unknown_heads: of_node == Some(DisturbanceKind::ZeroHeads),
                genesis_final: of_node == Some(DisturbanceKind::GenesisFinal),
                other_rules: of_node == Some(DisturbanceKind::OtherRules),
                other_branch,
                unlinked,
                odd,
                safe_at: chain.take_safe_at(),
            });
        }
        Ok(chains)
    }
}

/// Which of a chain's endpoints differs from the others in a tick, and how.
fn odd_endpoint(
    chain: &mut Sequencer,
    tick: u64,
    l1: &L1,
    plan: &FaultPlan,
) -> Result<Option<(usize, OddEndpoint)>, SuperchainError> {
    let Some(planned) = plan.endpoint(chain.chain_id(), tick) else { return Ok(None) };
    let odd = match planned.disturbance() {
        Some(DisturbanceKind::EndpointLies) => OddEndpoint::Lies(chain.lying_branch(planned.block, l1)?),
        Some(DisturbanceKind::EndpointLags { by }) => OddEndpoint::Lags(by),
        // They concern a chain's nodes, or all of its endpoints alike.
        Some(
            DisturbanceKind::Errors
            | DisturbanceKind::OtherBranch
            | DisturbanceKind::Unlinked { .. }
            | DisturbanceKind::ZeroHeads
            | DisturbanceKind::OtherRules
            | DisturbanceKind::GenesisFinal
            | DisturbanceKind::ClaimantDiffers,
        )
        | None => return Ok(None),
    };
    Ok(Some((planned.odd_endpoint(), odd)))
}

fn chain_params(
    chain_id: u64,
    keys: &Keyring,
    l1: &L1,
    schedule: &Schedule,
    plan: &FaultPlan,
) -> ChainParams {
    ChainParams {
        chain_id,
        block_time: schedule.block_time,
        first_number: 0,
        genesis_time: schedule.genesis_time,
        l1_genesis: l1.head().id(),
        gas_limit: GAS_LIMIT,
        system_config: system_config_address(chain_id),
        deposit_contract: deposit_contract_address(chain_id),
        batcher: keys.batcher.address(),
        upgrade: plan.first_block_of_fork(chain_id).map(|block| Upgrade::own(schedule.time_of(block))),
    }
}

#[cfg(test)]
mod message_tests;
#[cfg(test)]
mod tests;
