//! [`ServedStatus`]: the status that followers are served, made from what the upstream says and what Crosscheck
//! vouches for. Pure.
//!
//! | Obligation | Why | Kept by |
//! |---|---|---|
//! | The safe and the finalized head never go back, and no height changes its block | op-node takes them over by number only, kona-node by hash: a retraction is lost on one and a reorg to the other | [`Keep::Retraction`], [`Keep::Conflict`] |
//! | finalized <= safe <= local-safe <= unsafe | op-node drops a status that breaks it, kona-node's engine ends | by construction |
//! | safe <= vouched | the head is what Crosscheck checked | by construction |
//! | finalized is safe's ancestor or safe itself; the upstream's, lowered to safe | finality is final | an unconfirmed one stays what it was |
//! | Full references | op-node compares them as wholes | [`L2Ref`] |
//! | Only blocks that the execution client knows | kona-node ends at a finalized hash that it lacks | vouched is read from it by hash, the rest is confirmed on its canonical chain |
//! | After a replacement, local-safe is the replacement until the upstream is on its chain | a head on the old branch with safe on the new is an invalid forkchoice | [`Standing::Replacing`] |
//! | While a wrong block holds the head, local-safe does not pass the vouched head | the follower is not led onto that block | the cap |
//! | Never onward while the upstream has another block at the vouched height | one of the two is on a fork | [`Keep::Elsewhere`] |
//! | `current_l1` is the upstream's, and is one | kona-node drops a status without | [`Keep::NoCurrentL1`] |

use super::upstream_status::L1Heads;
use super::{CanonicalHashes, L2Ref, UpstreamStatus};
use crate::audit::LongOpenCase;
use crate::config::FollowMode;
use crate::ledger::Hold;
use alloy::primitives::B256;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What followers are served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServedStatus {
    /// How far the upstream has read L1.
    #[serde(flatten)]
    pub l1: L1Heads,
    /// The tip.
    pub unsafe_l2: L2Ref,
    /// The same, or what the upstream sends.
    pub cross_unsafe_l2: L2Ref,
    /// The head of what L1 says.
    pub local_safe_l2: L2Ref,
    /// The same, or what the upstream sends.
    pub pending_safe_l2: L2Ref,
    /// The cross-safe head: not above the vouched one.
    pub safe_l2: L2Ref,
    /// The finalized head.
    pub finalized_l2: L2Ref,
    /// The block that holds the head, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crosscheck_hold: Option<Hold>,
    /// The oldest block that has been without a verdict for too long, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crosscheck_open: Option<LongOpenCase>,
    /// What the upstream sends besides.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// The vouched head, named in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// The block.
    pub block: L2Ref,
    /// The block that it replaces, if it is a replacement.
    pub replaces: Option<B256>,
}

/// All that a served status is made from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What `safe` rests on besides the vouched head.
    pub mode: FollowMode,
    /// What the upstream says.
    pub upstream: &'a UpstreamStatus,
    /// The vouched head.
    pub vouched: &'a Vouched,
    /// The execution client's canonical chain, at [`Facts::heights`].
    pub canonical: &'a CanonicalHashes,
    /// What holds the vouched head.
    pub hold: Option<&'a Hold>,
    /// What was served last.
    pub last: Option<&'a ServedStatus>,
}

/// Why the status that was served last stays, or why there is none yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Keep {
    /// The upstream does not say how far it has read L1.
    #[error("the upstream names no current_l1 yet")]
    NoCurrentL1,
    /// The upstream has no such head yet.
    #[error("the upstream has no {level} head yet")]
    NoHead {
        /// Which head.
        level: &'static str,
    },
    /// The upstream's cross-safe head is above its local-safe head.
    #[error("the upstream's safe head {safe} is above its local-safe head {local_safe}")]
    Disordered {
        /// Its cross-safe height.
        safe: u64,
        /// Its local-safe height.
        local_safe: u64,
    },
    /// The upstream has not come to the vouched height.
    #[error("the upstream is at {upstream}, below the vouched head {vouched}")]
    Behind {
        /// Its local-safe height.
        upstream: u64,
        /// The vouched height.
        vouched: u64,
    },
    /// The upstream, the execution client and the vouched head are not on one chain.
    #[error("at height {number} the execution client has {canonical}, not {expected}: a fork")]
    Elsewhere {
        /// The height.
        number: u64,
        /// The execution client's block.
        canonical: B256,
        /// The block that should stand there.
        expected: B256,
    },
    /// The execution client does not know a block that would be served.
    #[error("the execution client does not have block {number}, the upstream's {level} head, yet")]
    Unconfirmed {
        /// The height.
        number: u64,
        /// Which head.
        level: &'static str,
    },
    /// The safe head would go back.
    #[error("the safe head would go back from {last} to {next}")]
    Retraction {
        /// The height served last.
        last: u64,
        /// The height that would be served.
        next: u64,
    },
    /// The safe head's height would change its block.
    #[error("the safe head at {number} would change from {last} to {next}")]
    Conflict {
        /// The height.
        number: u64,
        /// The block served last.
        last: B256,
        /// The block that would be served.
        next: B256,
    },
}

/// How the vouched head stands to the chain that the execution client follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It is on it.
    OnChain,
    /// It replaces the block that is there.
    Replacing,
}

impl Facts<'_> {
    /// The heights at which the canonical chain must be known.
    pub fn heights(upstream: &UpstreamStatus, vouched: &Vouched) -> BTreeSet<u64> {
        let heads = [upstream.local_safe_l2, upstream.safe_l2, upstream.finalized_l2, vouched.block];
        heads.map(|head| head.number).into()
    }

    fn standing(&self) -> Result<Standing, Keep> {
        let Vouched { block, replaces } = *self.vouched;
        let local_safe = self.upstream.local_safe_l2;
        match self.canonical.at(block.number) {
            None => Err(Keep::Behind { upstream: local_safe.number, vouched: block.number }),
            Some(hash) if hash == block.hash => {
                self.refuse_fork(&local_safe)?;
                self.refuse_fork(&self.upstream.safe_l2)?;
                Ok(Standing::OnChain)
            }
            Some(hash) if Some(hash) == replaces => Ok(Standing::Replacing),
            Some(canonical) => Err(Keep::Elsewhere { number: block.number, canonical, expected: block.hash }),
        }
    }

    /// A block that is known not to be canonical is on a fork; one that is unknown may not have come yet.
    fn refuse_fork(&self, block: &L2Ref) -> Result<(), Keep> {
        match self.canonical.at(block.number) {
            Some(canonical) if canonical != block.hash => {
                Err(Keep::Elsewhere { number: block.number, canonical, expected: block.hash })
            }
            _ => Ok(()),
        }
    }

    fn refuse_unsynced(&self) -> Result<(), Keep> {
        let UpstreamStatus { l1, local_safe_l2, safe_l2, .. } = self.upstream;
        if l1.current_l1.hash.is_zero() {
            return Err(Keep::NoCurrentL1);
        }
        for (level, head) in [("local-safe", local_safe_l2), ("safe", safe_l2)] {
            if head.hash.is_zero() {
                return Err(Keep::NoHead { level });
            }
        }
        if safe_l2.number > local_safe_l2.number {
            return Err(Keep::Disordered { safe: safe_l2.number, local_safe: local_safe_l2.number });
        }
        Ok(())
    }

    /// The vouched head; where the upstream judges cross-safety too, the lower of its and ours.
    fn safe(&self) -> Result<L2Ref, Keep> {
        let vouched = self.vouched.block;
        let UpstreamStatus { safe_l2, local_safe_l2, .. } = self.upstream;
        if self.mode == FollowMode::Clamp && safe_l2.number < vouched.number {
            self.refuse_fork(safe_l2)?;
            return match self.canonical.holds(safe_l2) {
                Some(_) => Ok(*safe_l2),
                None => Err(Keep::Unconfirmed { number: safe_l2.number, level: "safe" }),
            };
        }
        if local_safe_l2.number < vouched.number {
            return Err(Keep::Behind { upstream: local_safe_l2.number, vouched: vouched.number });
        }
        Ok(vouched)
    }

    fn refuse_retraction(&self, next: &L2Ref) -> Result<(), Keep> {
        let Some(last) = self.last.map(|last| last.safe_l2) else { return Ok(()) };
        if next.number < last.number {
            return Err(Keep::Retraction { last: last.number, next: next.number });
        }
        if next.number == last.number && next.hash != last.hash {
            return Err(Keep::Conflict { number: next.number, last: last.hash, next: next.hash });
        }
        Ok(())
    }

    fn local_safe(&self, standing: Standing, safe: &L2Ref) -> L2Ref {
        let vouched = self.vouched.block;
        let upstream = self.upstream.local_safe_l2;
        let is_confirmed = standing == Standing::OnChain && self.canonical.holds(&upstream) == Some(true);
        let is_capped = self.hold.is_some() && upstream.number > vouched.number;
        match (is_confirmed && !is_capped, upstream.number >= vouched.number) {
            (true, _) => upstream,
            (false, true) => vouched,
            (false, false) => *safe,
        }
    }

    /// The upstream's finalized head, lowered to safe. One that is not known to be on this chain changes nothing.
    fn finalized(&self, safe: &L2Ref) -> Result<L2Ref, Keep> {
        let upstream = self.upstream.finalized_l2;
        let last = self.last.map(|last| last.finalized_l2);
        let is_known = !upstream.hash.is_zero() && self.canonical.holds(&upstream) == Some(true);
        let next = match (is_known, last) {
            (true, _) if upstream.number >= safe.number => *safe,
            (true, _) => upstream,
            (false, Some(last)) => last,
            (false, None) if upstream.hash.is_zero() => return Err(Keep::NoHead { level: "finalized" }),
            (false, None) => {
                self.refuse_fork(&upstream)?;
                return Err(Keep::Unconfirmed { number: upstream.number, level: "finalized" });
            }
        };
        Ok(last.filter(|last| last.number > next.number).unwrap_or(next))
    }

    fn pending_safe(&self, local_safe: &L2Ref) -> L2Ref {
        let is_passed_on = *local_safe == self.upstream.local_safe_l2;
        let pending = self.upstream.pending_safe_l2;
        pending.filter(|pending| is_passed_on && pending.number > local_safe.number).unwrap_or(*local_safe)
    }

    /// The upstream's tip, and its cross-unsafe head where it sends one.
    fn tips(&self, standing: Standing, local_safe: &L2Ref) -> (L2Ref, L2Ref) {
        let is_above = |head: &L2Ref| standing == Standing::OnChain && head.number > local_safe.number;
        let tip = Some(self.upstream.unsafe_l2).filter(is_above).unwrap_or(*local_safe);
        let cross = match self.upstream.cross_unsafe_l2 {
            Some(head) if head.number >= tip.number => tip,
            Some(head) if is_above(&head) => head,
            Some(_) => *local_safe,
            None => tip,
        };
        (tip, cross)
    }
}

impl ServedStatus {
    /// The next status to serve.
    ///
    /// # Errors
    /// Why the last one stays.
    pub fn next(facts: &Facts<'_>) -> Result<Self, Keep> {
        facts.refuse_unsynced()?;
        let standing = facts.standing()?;
        let safe_l2 = facts.safe()?;
        facts.refuse_retraction(&safe_l2)?;
        let local_safe_l2 = facts.local_safe(standing, &safe_l2);
        let (unsafe_l2, cross_unsafe_l2) = facts.tips(standing, &local_safe_l2);
        Ok(Self {
            l1: facts.upstream.l1,
            unsafe_l2,
            cross_unsafe_l2,
            local_safe_l2,
            pending_safe_l2: facts.pending_safe(&local_safe_l2),
            safe_l2,
            finalized_l2: facts.finalized(&safe_l2)?,
            crosscheck_hold: facts.hold.cloned(),
            crosscheck_open: None,
            others: facts.upstream.others.clone(),
        })
    }
}

#[cfg(test)]
mod tests;
