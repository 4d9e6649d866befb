//! [`FollowerBehaviour`]: what a follower has done, and how that is judged against the devnet's own chain.
//! Pure.

use super::{FollowStatus, LightCl, ServedL2Ref};
use crate::simulation::Sequencer;
use alloy::primitives::B256;
use serde::Serialize;
use std::collections::BTreeSet;

/// The most safe heads that wait to be judged. One more counts as off the chain, because it can no longer be
/// determined.
const MAX_UNJUDGED: usize = 10_000;

/// A follower, as the report has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FollowerReport {
    /// The chain.
    pub chain_id: u64,
    /// Its cross-safe head.
    pub safe: u64,
    /// Its final head.
    pub finalized: u64,
    /// Whether it ever took a block for cross-safe or final that the chain did not have so, or that was no
    /// ancestor of its own head.
    pub left_honest_chain: bool,
    /// Whether a status ever took a safe or final head back.
    pub went_backwards: bool,
    /// Whether it took a block of the chain that is invalid for cross-safe, or one beyond it.
    pub beyond_violation: bool,
    /// Whether it was led onto a block, or beyond one, that the sidecar had said before to hold an invalid
    /// message.
    pub led_onto_invalid: bool,
    /// How many statuses it refused.
    pub rejected_statuses: u64,
}

impl FollowerReport {
    /// Whether the follower was never led onto a wrong block.
    pub(crate) const fn is_sound(&self) -> bool {
        !self.left_honest_chain && !self.went_backwards && !self.beyond_violation && !self.led_onto_invalid
    }
}

/// What a follower has done so far.
#[derive(Clone, Debug, Default)]
pub struct FollowerBehaviour {
    safe: Option<ServedL2Ref>,
    finalized: Option<ServedL2Ref>,
    unjudged: Vec<ServedL2Ref>,
    /// The blocks that L1 takes back although their origins remain: a follower may stay on them for a while,
    /// and be led off them.
    undone: BTreeSet<B256>,
    left_honest_chain: bool,
    went_backwards: bool,
    /// The blocks of which the sidecar says that they hold an invalid message.
    invalid: BTreeSet<(u64, B256)>,
    led_onto_invalid: bool,
    polls: u64,
    rejected_statuses: u64,
}

impl FollowerBehaviour {
    /// The source is about to be asked. The blocks of which the sidecar said before that they are invalid.
    pub fn ask(&mut self) -> BTreeSet<(u64, B256)> {
        self.polls = self.polls.saturating_add(1);
        self.invalid.clone()
    }

    /// How often the source was asked.
    pub(crate) const fn polls(&self) -> u64 {
        self.polls
    }

    /// The height of its safe head.
    pub fn safe(&self) -> u64 {
        self.safe.map_or(0, |block| block.number)
    }

    /// The sidecar says that these blocks hold invalid messages, and no others.
    pub fn set_invalid(&mut self, invalid: BTreeSet<(u64, B256)>) {
        self.invalid = invalid;
    }

    /// The follower was led onto a block that was already reported invalid when the source was asked.
    pub(crate) const fn led_onto_invalid(&mut self) {
        self.led_onto_invalid = true;
    }

    /// A status was refused.
    pub(crate) fn reject(&mut self) {
        self.rejected_statuses = self.rejected_statuses.saturating_add(1);
    }

    /// A status passed, and is about to move these heads.
    pub(crate) fn serve(&mut self, status: &FollowStatus, before: &LightCl) {
        let back =
            |served: ServedL2Ref, known: ServedL2Ref| !self.is_undone(&known) && is_back(served, known);
        self.went_backwards |=
            back(status.safe_l2, before.safe()) || back(status.finalized_l2, before.finalized());
    }

    /// The follower has moved. `connected`: its safe heads are ancestors of its unsafe head.
    pub(crate) fn moved(&mut self, node: &LightCl, connected: bool) {
        self.left_honest_chain |= !connected;
        for (known, now) in [(&mut self.safe, node.safe()), (&mut self.finalized, node.finalized())] {
            if known.replace(now) != Some(now) {
                self.left_honest_chain |= self.unjudged.len() >= MAX_UNJUDGED;
                self.unjudged.truncate(MAX_UNJUDGED);
                self.unjudged.push(now);
            }
        }
    }

    /// Checks what the follower took for safe against the chain. A block that the chain has derived, and does
    /// not call safe yet, waits until it does: a replayed attestation may have the sidecar vouch for it
    /// before.
    pub fn judge(&mut self, sequencer: &Sequencer) {
        let heads = sequencer.heads();
        let is_canonical = |block: &ServedL2Ref| {
            let canonical = sequencer.chain().canonical(block.number);
            canonical.is_some_and(|canonical| canonical.hash == block.hash)
        };
        let may_wait = |block: &ServedL2Ref| block.number > heads.safe && block.number <= heads.local_safe;
        let stands = |block: &ServedL2Ref| {
            self.is_undone(block) || is_canonical(block) && (block.number <= heads.safe || may_wait(block))
        };
        self.left_honest_chain |= !self.unjudged.iter().all(stands);
        self.unjudged.retain(may_wait);
    }

    /// What waits to be judged is not judged: L1 is about to drop it.
    pub(crate) fn leave_unjudged(&mut self) {
        self.unjudged.clear();
    }

    /// Whether L1 took this block back, although its origin remains.
    pub(crate) fn is_undone(&self, block: &ServedL2Ref) -> bool {
        self.undone.contains(&block.hash)
    }

    /// L1 is about to take this block back.
    pub(crate) fn undo(&mut self, block: B256) {
        self.undone.insert(block);
    }

    /// The report. `first_invalid_block`: the first height at which the chain's own block is invalid.
    pub fn report(&self, chain_id: u64, first_invalid_block: Option<u64>) -> FollowerReport {
        let number = |block: Option<ServedL2Ref>| block.map_or(0, |block| block.number);
        FollowerReport {
            chain_id,
            safe: number(self.safe),
            finalized: number(self.finalized),
            left_honest_chain: self.left_honest_chain,
            went_backwards: self.went_backwards,
            beyond_violation: first_invalid_block.is_some_and(|bad| number(self.safe) >= bad),
            led_onto_invalid: self.led_onto_invalid,
            rejected_statuses: self.rejected_statuses,
        }
    }
}

fn is_back(served: ServedL2Ref, known: ServedL2Ref) -> bool {
    served.number < known.number || (served.number == known.number && served.hash != known.hash)
}
