//! [`Round`]: messages of one timestamp that lean on each other's blocks.
//!
//! Of them, invalid is what must be (it spreads from the broken ones to anyone who cites their blocks), then unknown is
//! what must be, and all else is valid: two blocks that cite each other without a cycle of messages are both valid.

use crate::message::BlockKey;
use crate::tracker::same_timestamp::Place;
use crate::tracker::tracked_message::{Ground, TrackedId};
use crate::validity::{InvalidReason, MessageStatus};
use std::collections::BTreeMap;

/// What a block is, for a message that cites it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Valid,
    Unknown,
    Invalid(BlockKey),
}

impl Standing {
    /// The status of a message whose own clauses hold, citing such a block.
    pub(super) const fn of_citer(self) -> (MessageStatus, Ground) {
        match self {
            Self::Valid => (MessageStatus::Valid, Ground::Own),
            Self::Unknown => (MessageStatus::Unknown, Ground::CitedBlock),
            Self::Invalid(block) => {
                let BlockKey { chain_id, number, hash } = block;
                let reason = InvalidReason::InitiatingBlockInvalid { chain_id, number, hash };
                (MessageStatus::Invalid(reason), Ground::CitedBlock)
            }
        }
    }
}

/// A message whose own clauses hold.
struct Companion {
    id: TrackedId,
    executing: BlockKey,
    verdict: Option<(MessageStatus, Ground)>,
}

/// Messages of one timestamp, and the blocks that they lean on.
#[derive(Default)]
pub(super) struct Round {
    companions: Vec<Companion>,
    /// The companions that cite each block.
    citers: BTreeMap<Place, Vec<usize>>,
    /// Blocks that are not valid, first for other reasons than companions, in the end for all.
    standings: BTreeMap<Place, Standing>,
}

impl Round {
    /// A message of one block leans on another, or on none.
    pub(super) fn join(&mut self, id: TrackedId, executing: BlockKey, leans_on: Option<Place>) {
        if let Some(cited) = leans_on {
            self.citers.entry(cited).or_default().push(self.companions.len());
        }
        self.companions.push(Companion { id, executing, verdict: None });
    }

    /// The blocks that companions lean on.
    pub(super) fn leaned_on(&self) -> impl Iterator<Item = Place> {
        self.citers.keys().copied()
    }

    /// What a block is, whatever the companions are.
    pub(super) fn set_standing(&mut self, place: Place, standing: Standing) {
        if standing != Standing::Valid {
            self.standings.insert(place, standing);
        }
    }

    /// Everything in the block is in a cycle, or holds one up.
    pub(super) fn break_cycle(&mut self, block: BlockKey, reason: InvalidReason) {
        for companion in self.companions.iter_mut().filter(|companion| companion.executing == block) {
            companion.verdict = Some((MessageStatus::Invalid(reason), Ground::Cycle));
            self.standings.insert((block.chain_id, block.number), Standing::Invalid(block));
        }
    }

    /// Decides every companion. `is_complete`: every chain has come so far, so that nothing more can break.
    pub(super) fn decide(
        mut self,
        is_complete: bool,
    ) -> impl Iterator<Item = (TrackedId, MessageStatus, Ground)> {
        self.spread(|standing| matches!(standing, Standing::Invalid(_)));
        let rest = if is_complete {
            self.spread(|standing| *standing == Standing::Unknown);
            (MessageStatus::Valid, Ground::Own)
        } else {
            (MessageStatus::Unknown, Ground::Horizon)
        };
        self.companions.into_iter().map(move |companion| {
            let (status, ground) = companion.verdict.unwrap_or(rest);
            (companion.id, status, ground)
        })
    }

    /// Lets what is wrong with a block come over anyone who cites it, and their blocks.
    fn spread(&mut self, is_spreading: impl Fn(&Standing) -> bool) {
        let sources = self.standings.iter().filter(|(_, standing)| is_spreading(standing));
        let mut sources: Vec<Place> = sources.map(|(place, _)| *place).collect();
        while let Some(place) = sources.pop() {
            let Some(standing) = self.standings.get(&place).copied() else { continue };
            for index in self.citers.get(&place).into_iter().flatten() {
                let Some(companion) = self.companions.get_mut(*index) else { continue };
                if companion.verdict.is_some() {
                    continue;
                }
                companion.verdict = Some(standing.of_citer());
                let block = companion.executing;
                let place = (block.chain_id, block.number);
                let (is_news, standing) = match (standing, self.standings.get(&place)) {
                    (_, Some(Standing::Invalid(_))) => continue,
                    (Standing::Invalid(_), _) => (true, Standing::Invalid(block)),
                    (standing, before) => (before.is_none(), standing),
                };
                self.standings.insert(place, standing);
                if is_news {
                    sources.push(place);
                }
            }
        }
    }
}
