//! Scripted faults: what can be made to go wrong in a devnet, at which block, and what must be found then.
//!
//! A fault is a [`Fault`] in [`REGISTRY`]: it says what it changes at each hook, and the superchain does it. A
//! fault never touches a chain, a socket or a clock itself.
//!
//! A fault that is about several blocks has companions: each is a fault of its own at its block, with its own verdict
//! and its own message to be found. What blocks of one fault cite in each other is planted, at places that are known
//! before any of them is built ([`Cast`]).

mod attestations;
mod attributes;
mod cascades;
mod cast;
mod endpoints;
mod headless;
mod inbox;
mod messages;
mod outage;
mod plan;
mod plan_error;
mod planned_fault;
mod publication;
mod random;
mod reorgs;
mod replacement;
mod role;
mod same_timestamp;
mod spec;
mod taken_back;
mod twisted;
mod upgrade;

#[cfg(test)]
pub(super) use cast::tests::cast as cast_of;
pub use cast::{Cast, Part};
pub use plan::FaultPlan;
pub use plan_error::FaultPlanError;
pub use planned_fault::PlannedFault;
pub use random::draw;
pub use spec::{FaultSpec, ParseFaultError};

use super::finding::Finding;
use super::message_finding::ExpectedMessage;
use super::message_pool::{ExecutionSite, MessagePool};
use super::schedule::L1_FINALITY_DEPTH;
use super::traffic::Intent;
use core::fmt;
use crosscheck_core::message::Message;
use rand_chacha::ChaCha12Rng;

/// Every fault there is.
pub static REGISTRY: &[&dyn Fault] = &[
    &messages::InvalidMessage,
    &messages::WrongPayloadHash,
    &messages::WrongLogIndex,
    &messages::ExpiredMessage,
    &messages::UnknownChain,
    &twisted::WRONG_ORIGIN,
    &twisted::WRONG_BLOCK_NUMBER,
    &twisted::WRONG_TIMESTAMP,
    &twisted::WRONG_CHAIN_ID,
    &twisted::FUTURE_MESSAGE,
    &twisted::ACTIVATION_BLOCK_MESSAGE,
    &same_timestamp::SAME_TIMESTAMP,
    &same_timestamp::SAME_TIMESTAMP_MUTUAL,
    &same_timestamp::CYCLE_TWO,
    &same_timestamp::CYCLE_THREE,
    &same_timestamp::CYCLE_ATTESTED,
    &cascades::TRANSITIVE_INVALID,
    &cascades::REMOTE_REPLACEMENT,
    &cascades::REMOTE_REORG,
    &inbox::UndeclaredAccess,
    &replacement::JustifiedReplacement,
    &attestations::UnjustifiedReplacement,
    &attestations::NotDerived,
    &attestations::ChildFirst,
    &attestations::WrongSigner,
    &outage::RPC_OUTAGE,
    &outage::LONG_OUTAGE,
    &endpoints::LyingEndpoint,
    &endpoints::LaggingEndpoint,
    &endpoints::UnlinkedClient,
    &endpoints::StaleEndpoint,
    &headless::ZeroHeads,
    &headless::ScheduleMismatch,
    &headless::GenesisFinality,
    &attributes::ForgedDeposit,
    &attributes::WrongMinBaseFee,
    &attributes::SameAttributesOtherHash,
    &replacement::ReplacementChain,
    &replacement::WithdrawnLocalSafe,
    &replacement::PlainSibling,
    &replacement::RewindSibling,
    &replacement::UNREPLACED,
    &replacement::UNREPLACED_UNSEEN,
    &taken_back::VerdictTakenBack,
    &reorgs::L1Reorg,
    &reorgs::L1ReorgFinal,
    &reorgs::UnsafeReorg,
    &reorgs::SiblingWrongFork,
    &publication::AttestationsOutOfOrder,
    &publication::AttestationsLost,
    &upgrade::LagoonActivation,
    &publication::ReplayFirst,
];

/// The fault of a name.
pub fn named(name: &str) -> Option<&'static dyn Fault> {
    REGISTRY.iter().copied().find(|fault| fault.name() == name)
}

/// Something that goes wrong at one block of one chain.
pub trait Fault: fmt::Debug + Send + Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// What it does, in one line.
    fn summary(&self) -> &'static str;

    /// The lowest height at which it can happen.
    fn earliest_block(&self) -> u64 {
        1
    }

    /// The highest height at which it can happen.
    fn latest_block(&self) -> u64 {
        u64::MAX
    }

    /// How many chains a run must have for it.
    fn chains(&self) -> usize {
        1
    }

    /// The blocks of other chains, or of other heights, that are part of it when it happens at this height. They are
    /// parts 1, 2 and so on; the fault itself is part 0. A companion has no companions.
    fn companions(&self, block: u64) -> Vec<Companion> {
        let _ = block;
        Vec::new()
    }

    /// How many blocks in a row it happens at.
    fn blocks(&self) -> u64 {
        1
    }

    /// The last block that a run must have for a fault at this block to be found.
    fn last_block(&self, block: u64) -> u64 {
        block.saturating_add(self.blocks().saturating_sub(1))
    }

    /// The longest block time with which it works, seconds.
    fn max_block_time(&self) -> u64 {
        u64::MAX
    }

    /// What the sidecar must find, when it happens on this chain.
    fn expected(&self, chain_id: u64) -> Finding;

    /// What the sidecar must find of the message that the block executes for this fault, at the end of the run.
    /// `None`: it executes none.
    fn expected_message(&self) -> Option<ExpectedMessage> {
        None
    }

    /// Building the block: what its users do before anything else. Where these logs stand, the cast knows.
    fn opening(&self, cast: &Cast) -> Vec<Intent> {
        let _ = cast;
        Vec::new()
    }

    /// Building the block: whether its message is executed by a transaction that does not declare it.
    fn leaves_undeclared(&self) -> bool {
        false
    }

    /// Genesis: whether the chain's inbox takes messages that nobody declared.
    fn patches_inbox(&self) -> bool {
        false
    }

    /// In the tick after the fault's own block is built: whether the chain drops the block, and what follows it, for
    /// others without this fault.
    fn is_dropped(&self) -> bool {
        false
    }

    /// What the sidecar must have seen of the block's message before the chains continue; without it nobody could tell
    /// afterwards what was there.
    fn hold(&self) -> Hold {
        if self.is_replaced() { Hold::Judged } else { Hold::None }
    }

    /// What one of the chain's three endpoints does, from the tick that builds the block.
    fn endpoint(&self) -> Option<EndpointFault> {
        None
    }

    /// Building the block: the message that it executes beside its honest traffic.
    ///
    /// # Errors
    /// The pool holds nothing that this fault could twist.
    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        let _ = (scene, rng);
        Ok(None)
    }

    /// Building the block: whether another then takes its place.
    fn is_rebuilt(&self) -> bool {
        false
    }

    /// Building the block: whether it holds a deposit that L1 never had.
    fn forges_deposit(&self) -> bool {
        false
    }

    /// Promoting the block to cross-safe: whether its own node replaces it by deposits only instead.
    fn is_replaced(&self) -> bool {
        false
    }

    /// Before it is replaced: for how many ticks its own node names heads far below.
    fn withdrawn_ticks(&self) -> u64 {
        0
    }

    /// Before it is replaced: for how many ticks its execution client is taken back, first to a sibling of the block's parent.
    /// Its rollup node is stopped meanwhile.
    fn rewind_ticks(&self) -> u64 {
        0
    }

    /// Once it is replaced: for how many ticks the chain's nodes, which check no messages, stay on it.
    fn stay_ticks(&self) -> u64 {
        0
    }

    /// Attesting: what the sequencer signs, and with which key.
    fn attested(&self) -> Attested {
        Attested::Block
    }

    /// Publishing: whether and when the word on the block goes out.
    fn publication(&self) -> Publication {
        Publication::AsPromoted
    }

    /// Publishing: whether the new block's own frame comes on the attestations' topic, too, as anybody can have it.
    fn is_replayed(&self) -> bool {
        false
    }

    /// Whether the block may be cited once it is cross-safe: nothing is wrong with it or with its place.
    fn is_citable(&self) -> bool {
        false
    }

    /// Which of its blocks L1 reorgs out when the block is built, or soon after.
    fn reorgs_l1(&self) -> Option<L1Drop> {
        None
    }

    /// Once L1 has reorged out what brought the block: whether the block that was attested in its place is the derived one then.
    fn comes_true(&self) -> bool {
        false
    }

    /// Whether the block is the first of a fork that brings a bundle of upgrade deposits.
    fn begins_fork(&self) -> bool {
        false
    }

    /// The chain's nodes serve another fork for this many ticks, from the one that builds the block.
    fn fork_ticks(&self) -> Option<u64> {
        None
    }

    /// The chain's execution client has another block at this height, by number, for this many ticks, from the one that
    /// builds the block; the blocks above it stand on the chain's own.
    fn unlinked_ticks(&self) -> Option<u64> {
        None
    }

    /// How many blocks in a row it then has another block of, each on the one before.
    fn unlinked_blocks(&self) -> u64 {
        1
    }

    /// The chain's rollup node names no heads for this many ticks, from the one that builds the block.
    fn headless_ticks(&self) -> Option<u64> {
        None
    }

    /// The chain's rollup node works by other rules for this many ticks, from the one that builds the block.
    fn other_rules_ticks(&self) -> Option<u64> {
        None
    }

    /// The chain's rollup node calls genesis safe and final for this many ticks, from the one that builds the block.
    fn at_genesis_ticks(&self) -> Option<u64> {
        None
    }

    /// Whether it is among those that are drawn at random.
    fn is_drawn(&self) -> bool {
        true
    }

    /// The chain's execution client answers errors for this many ticks, from the one that builds the block.
    fn outage_ticks(&self) -> Option<u64> {
        None
    }
}

/// Another block that is part of a fault.
#[derive(Clone, Copy, Debug)]
pub struct Companion {
    /// What happens there.
    pub fault: &'static dyn Fault,
    /// Its chain: this many after the fault's own, in the order of their ids and around.
    pub chain: usize,
    /// Its height.
    pub block: u64,
}

/// What is waited for after a block with a scripted message was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Nothing.
    None,
    /// That the sidecar has judged the message.
    Judged,
    /// That the sidecar has found the message valid.
    Valid,
}

/// Which of its newest blocks L1 reorgs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum L1Drop {
    /// Those that nothing cross-safe is built on.
    BelowCrossSafety,
    /// All that are not final. What is built on them was attested.
    AllButFinal,
    /// Those that brought a block which is replaced, or in whose place another was attested, and what follows it. The L1 block that it stands on stays.
    Replaced,
}

impl L1Drop {
    /// How many blocks those are.
    pub const fn blocks(self) -> u64 {
        match self {
            Self::BelowCrossSafety | Self::Replaced => 2,
            Self::AllButFinal => L1_FINALITY_DEPTH,
        }
    }
}

/// What one of a chain's three endpoints does for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointFault {
    /// It serves another fork, from the block on.
    Lies {
        /// For how many ticks.
        ticks: u64,
    },
    /// It knows only what was this many ticks ago.
    Lags {
        /// How far it is behind, in ticks.
        by: u64,
        /// For how many ticks.
        ticks: u64,
    },
}

impl EndpointFault {
    /// For how many ticks it does so.
    pub const fn ticks(self) -> u64 {
        match self {
            Self::Lies { ticks } | Self::Lags { ticks, .. } => ticks,
        }
    }
}

/// Whether and when a word goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publication {
    /// When the block is promoted.
    AsPromoted,
    /// When the last block of the fault is promoted, the newest first.
    Reversed,
    /// When another block of its height is promoted.
    WithNext,
    /// Never.
    Never,
}

/// What the sequencer publishes as its word on a height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attested {
    /// The cross-safe block, signed with its own key.
    Block,
    /// A deposits-only sibling of the cross-safe block.
    DepositsOnlySibling,
    /// A sibling with other user transactions.
    OtherTransactionsSibling,
    /// A sibling with other user transactions, and blocks on top of that.
    OtherBranch,
    /// A sibling with another minimum base fee.
    OtherMinBaseFeeSibling,
    /// A sibling that says that it left another state.
    OtherStateRootSibling,
    /// The cross-safe block, signed with a key that is not the chain's.
    BlockByImpostor,
}

/// Where a fault's message is executed, and what there is to cite.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The executing block.
    pub site: ExecutionSite,
    /// What may be cited.
    pub pool: &'a MessagePool,
    /// The parts of the fault; empty where nothing is scripted.
    pub cast: &'a Cast,
}

/// A fault found no message that it could twist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{fault}@{number}:{chain_id} found no message to cite: script fewer faults on the blocks before it, or a later block"
)]
pub struct NothingToCite {
    /// The fault.
    pub fault: &'static str,
    /// The executing chain.
    pub chain_id: u64,
    /// The height of the executing block.
    pub number: u64,
}

impl Scene<'_> {
    fn nothing_to_cite(&self, fault: &dyn Fault) -> NothingToCite {
        NothingToCite { fault: fault.name(), chain_id: self.site.chain_id, number: self.site.number }
    }
}
