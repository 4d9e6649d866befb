//! [`ScriptedFault`]: one thing that can go wrong in a devnet, as a row of data. Pure.

use super::companion::{Companion, FaultBlocks};
use super::context::{MessageContext, NothingToCite};
use super::effects::{
    Attested, BlockContent, Disturbance, DisturbanceKind, Fate, L1Drop, Publication, ReplacementCourse,
    WaitFor,
};
use crate::findings::{ExpectedMessage, SidecarFinding};
use crate::messages::Intent;
use crate::timing::FIRST_EXECUTING_BLOCK;
use core::fmt;
use crosscheck_core::message::Message;
use rand_chacha::ChaCha12Rng;

/// The choice of the message that a block executes for a fault. `None`: nothing that can be cited fits.
pub(super) type ChooseMessage = fn(&MessageContext<'_>, &mut ChaCha12Rng) -> Option<Message>;

/// What users do in a block before anything else.
#[derive(Clone, Copy, Debug)]
pub(super) enum OpeningAction {
    /// They emit the planted log.
    Emit,
    /// They execute the planted log of a part of the fault, which is the user log of this place in its block.
    Execute {
        /// The part.
        part: usize,
        /// The place: the first user log is 0.
        place: u32,
    },
}

/// Something that goes wrong at a block of a chain. A row says only what differs from `NONE`.
pub struct ScriptedFault {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,

    /// The lowest height at which it can happen.
    pub(super) earliest_block: u64,
    /// The highest height at which it can happen.
    pub(super) latest_block: u64,
    /// How many chains a run must have for it.
    pub(super) chains: usize,
    /// How many blocks in a row it happens at.
    pub(crate) blocks: u64,
    /// How many blocks a run must have above them for it to be found.
    pub(super) blocks_after: u64,
    /// The longest block time with which it works, seconds.
    pub(crate) max_block_time: u64,
    /// Whether it shows in attestations that cannot be judged for a while. Without them, no block is audited
    /// before it can be read.
    pub(super) holds_attestations: bool,
    /// Whether it is among those that are drawn at random.
    pub(super) is_drawn: bool,

    /// What the sidecar must find, when it happens on a chain of this id.
    pub(super) expected: fn(u64) -> SidecarFinding,
    /// The same where nobody attests anything. `None`: that makes no difference.
    pub(super) expected_unattested: Option<fn(u64) -> SidecarFinding>,
    /// What the sidecar must find of the message that the block executes for this fault, at the end of the
    /// run. `None`: it executes none.
    pub(crate) expected_message: Option<ExpectedMessage>,
    /// What the sidecar must have seen of that message before the chains continue: afterwards it cannot be
    /// determined what was there.
    pub(crate) waits_for: WaitFor,

    /// The blocks of other chains, or of other heights, that are part of it when it happens at this height.
    /// They are parts 1, 2 and so on; the fault itself is part 0. A companion has no companions.
    pub(super) companions: fn(u64) -> Vec<Companion>,
    /// Building the block: what its users do first.
    pub(super) opening: &'static [OpeningAction],
    /// Building the block: the message that it executes beside its honest traffic.
    pub(super) message: Option<ChooseMessage>,
    /// Whether that message is executed by a transaction that does not declare it. The chain's inbox accepts
    /// that from genesis on.
    pub(crate) is_undeclared: bool,
    /// Building the block: what is unusual about it apart from messages.
    pub(super) content: BlockContent,
    /// What becomes of the block.
    pub(super) fate: Fate,
    /// Whether the block may be cited once it is cross-safe: nothing is wrong with it or with its place.
    pub(crate) is_citable: bool,
    /// Attesting: what the sequencer signs, and with which key.
    pub(crate) attested: Attested,
    /// Publishing: whether and when the attestation is published.
    pub(crate) publication: Publication,
    /// Publishing: whether a bystander publishes the new block's own frame on the attestations' topic, too.
    pub(crate) is_replayed: bool,
    /// Whether one of the chain's claimants calls the block safe before it is replaced.
    pub(crate) is_claimed: bool,
    /// What the chain's nodes or endpoints do for a while, from the tick that builds the block.
    pub(crate) disturbance: Option<Disturbance>,
    /// Which of its blocks L1 reorgs out when the block is built, or soon after.
    pub(crate) l1_drop: Option<L1Drop>,
}

impl ScriptedFault {
    /// A block that is fine and keeps its place, without a name.
    pub(super) const NONE: Self = Self {
        name: "",
        summary: "",
        earliest_block: 1,
        latest_block: u64::MAX,
        chains: 1,
        blocks: 1,
        blocks_after: 0,
        max_block_time: u64::MAX,
        is_drawn: true,
        expected: |_| SidecarFinding::Upheld,
        expected_unattested: None,
        holds_attestations: false,
        expected_message: None,
        waits_for: WaitFor::Nothing,
        companions: |_| Vec::new(),
        opening: &[],
        message: None,
        is_undeclared: false,
        content: BlockContent::Usual,
        fate: Fate::Kept,
        is_citable: false,
        attested: Attested::Block,
        publication: Publication::AsPromoted,
        is_replayed: false,
        is_claimed: false,
        disturbance: None,
        l1_drop: None,
    };

    /// A block that executes a scripted message.
    pub(super) const EXECUTING: Self = Self { earliest_block: FIRST_EXECUTING_BLOCK, ..Self::NONE };

    /// A block of a fault that several blocks are part of. One of the others may be one block before it.
    pub(super) const OF_SEVERAL_BLOCKS: Self =
        Self { earliest_block: FIRST_EXECUTING_BLOCK + 1, ..Self::NONE };

    /// Whether the chain has claimants for it.
    pub(crate) fn has_claimants(&self) -> bool {
        self.is_claimed
            || self
                .disturbance
                .is_some_and(|disturbance| disturbance.kind == DisturbanceKind::ClaimantDiffers)
    }

    /// Whether it is found only where blocks are attested.
    pub(crate) fn needs_attester(&self) -> bool {
        self.attested != Attested::Block
            || self.publication != Publication::AsPromoted
            || self.is_replayed
            || self.holds_attestations
    }

    /// The last block that a run must have for a fault at this block to be found.
    pub(super) fn last_block(&self, block: u64) -> u64 {
        block.saturating_add(self.blocks.saturating_sub(1)).saturating_add(self.blocks_after)
    }

    /// What the sidecar must find, when it happens on this chain.
    pub(crate) fn expected(&self, chain_id: u64) -> SidecarFinding {
        (self.expected)(chain_id)
    }

    /// What the users of its block do first. `blocks`: where the planted logs are.
    pub(crate) fn opening(&self, blocks: &FaultBlocks) -> Vec<Intent> {
        let intent = |action: &OpeningAction| match *action {
            OpeningAction::Emit => blocks.emission(),
            OpeningAction::Execute { part, place } => blocks.message(part, place).map(Intent::Execute),
        };
        self.opening.iter().filter_map(intent).collect()
    }

    /// The message that its block executes beside its honest traffic.
    ///
    /// # Errors
    /// Nothing that can be cited fits.
    pub(crate) fn message(
        &self,
        context: &MessageContext<'_>,
        rng: &mut ChaCha12Rng,
    ) -> Result<Option<Message>, NothingToCite> {
        let Some(choose) = self.message else { return Ok(None) };
        choose(context, rng).map(Some).ok_or(NothingToCite {
            fault: self.name,
            chain_id: context.site.chain_id,
            number: context.site.number,
        })
    }

    /// Whether the block is built twice, and the second takes the place of the first.
    pub(crate) fn is_rebuilt(&self) -> bool {
        self.content == BlockContent::BuiltTwice
    }

    /// Whether the block has a deposit that L1 never had.
    pub(crate) fn forges_deposit(&self) -> bool {
        self.content == BlockContent::ForgedDeposit
    }

    /// Whether the block is the first of a fork that brings a bundle of upgrade deposits.
    pub(super) fn begins_fork(&self) -> bool {
        self.content == BlockContent::FirstOfFork
    }

    /// Whether the block is replaced by its deposits when it would become cross-safe.
    pub const fn is_replaced(&self) -> bool {
        matches!(self.fate, Fate::Replaced(_))
    }

    /// Whether the chain drops the block, still unsafe, and what follows it, in the tick after the fault's
    /// own block is built.
    pub fn is_dropped(&self) -> bool {
        self.fate == Fate::Dropped
    }

    /// Before the block is replaced: for how many ticks its own node names heads far below.
    pub(crate) const fn withdrawn_ticks(&self) -> u64 {
        if let Fate::Replaced(ReplacementCourse::AfterWithdrawal { ticks }) = self.fate { ticks } else { 0 }
    }

    /// Before the block is replaced: for how many ticks its execution client is rewound, and its rollup node
    /// is stopped.
    pub(crate) const fn rewind_ticks(&self) -> u64 {
        if let Fate::Replaced(ReplacementCourse::AfterRewind { ticks }) = self.fate { ticks } else { 0 }
    }

    /// Once the block is replaced: for how many ticks the chain's nodes, which check no messages, remain on
    /// it.
    pub(crate) const fn remain_ticks(&self) -> u64 {
        if let Fate::Replaced(ReplacementCourse::IgnoredByNodes { ticks }) = self.fate { ticks } else { 0 }
    }

    /// For how many ticks the chain's nodes do not have the replacement when it is due.
    pub(super) const fn unsettled_ticks(&self) -> u64 {
        self.withdrawn_ticks().saturating_add(self.rewind_ticks()).saturating_add(self.remain_ticks())
    }
}

impl fmt::Debug for ScriptedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
