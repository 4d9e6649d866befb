//! [`ServedStatus`]: the status that followers are served, made from what the upstream says and what
//! Crosscheck vouches for. Pure.
//!
//! | Obligation | Why | Kept by |
//! |---|---|---|
//! | The safe and the finalized head never go back, and no height changes its block, but when the vouched head leaves a branch that L1 dropped | op-node takes them over by number only, kona-node by hash: a retraction is lost on one and a reorg to the other. What L1 dropped they leave by themselves | [`Keep::Retraction`], [`Keep::Conflict`], [`Facts::last`] |
//! | finalized <= safe <= local-safe <= unsafe | op-node drops a status that breaks it, kona-node's engine ends | by construction |
//! | safe <= vouched | the head is what Crosscheck checked | by construction |
//! | Before Lagoon local-safe <= vouched, too | op-node takes such a block for safe as soon as it is served as local-safe | [`Reading::passes_local_safe`] |
//! | finalized is safe's ancestor or safe itself; the upstream's, lowered to safe, and, where nobody else has waited for the chains that it depends on, to what is final by all of them | finality is final | an unconfirmed one stays what it was |
//! | Full references | op-node compares them as wholes | [`L2Ref`] |
//! | Only blocks that the execution client knows | kona-node ends at a finalized hash that it lacks | vouched is read from it by hash, the rest is confirmed on its canonical chain |
//! | After a replacement, local-safe is the replacement until the upstream is on its chain | a head on the old branch with safe on the new is an invalid forkchoice | [`VouchedPlacement::Replacing`] |
//! | No head is at or above a block of its chain that was proven invalid, attested or not | the follower is not led onto that block | [`Draft::below`], whenever it is served |
//! | Nothing at or above a replaced block while the upstream has it, however far the vouched head has come | it is proven invalid | [`KeepFacts::replaced`], [`Keep::Replaced`], [`Draft::passed`] |
//! | Never onward while the upstream has another block at the vouched height | one of the two is on a fork | [`Keep::Elsewhere`] |
//! | `current_l1` is the upstream's, and is one | kona-node drops a status without | [`Keep::NoCurrentL1`] |
//! | Where safe stays, nothing else stays with it but finalized | the upstream may have withdrawn its local-safe head, and L1 its blocks | [`KeepFacts`] |

use super::draft::Draft;
use super::upstream_status::L1Heads;
use super::{Keep, L2Ref, Reading, UpstreamStatus};
use crate::audit::LongOpenCase;
use crate::config::FollowMode;
use crate::ledger::Hold;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
    /// What may be served as final.
    pub final_limit: FinalLimit,
}

/// Up to where the chains that a chain depends on are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinalLimit {
    /// There is no limit.
    None,
    /// Up to this block.
    At(L2Ref),
    /// It is not known.
    Unknown,
}

/// All that the next status is made from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What `safe` rests on besides the vouched head.
    pub mode: FollowMode,
    /// What was read.
    pub reading: Reading<'a>,
    /// The vouched head.
    pub vouched: &'a Vouched,
    /// What holds the vouched head.
    pub hold: Option<&'a Hold>,
    /// What was served last. `None`: nothing, or the vouched head has left that branch since.
    pub last: Option<&'a ServedStatus>,
}

/// All that a status is made from whose safe head stays.
#[derive(Clone, Copy, Debug)]
pub struct KeepFacts<'a> {
    /// What was served last.
    pub last: &'a ServedStatus,
    /// What was read.
    pub reading: Reading<'a>,
    /// The vouched head, if the execution client has it.
    pub vouched: Option<L2Ref>,
    /// The block that the vouched head replaces, if it is a replacement.
    pub replaced: Option<BlockNumHash>,
    /// What holds the vouched head.
    pub hold: Option<&'a Hold>,
}

/// Where the vouched head is on the chain that the execution client follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum VouchedPlacement {
    /// It is on it.
    OnChain,
    /// It replaces the block that is there.
    Replacing,
}

/// The heads of an upstream that knows how far it is.
#[derive(Clone, Copy, Debug)]
struct Synced {
    local_safe: L2Ref,
    safe: L2Ref,
}

impl Facts<'_> {
    fn vouched_placement(&self, Synced { local_safe, safe }: Synced) -> Result<VouchedPlacement, Keep> {
        let Vouched { block, replaces, .. } = *self.vouched;
        match self.reading.canonical.at(block.number) {
            None => Err(Keep::Behind { upstream: local_safe.number, vouched: block.number }),
            Some(hash) if hash == block.hash => {
                self.refuse_replaced()?;
                self.refuse_fork(&local_safe)?;
                self.refuse_fork(&safe)?;
                Ok(VouchedPlacement::OnChain)
            }
            Some(hash) if Some(hash) == replaces => Ok(VouchedPlacement::Replacing),
            Some(canonical) => Err(Keep::Elsewhere { number: block.number, canonical, expected: block.hash }),
        }
    }

    /// A block that is known not to be canonical is on another branch; an unknown one may not have arrived
    /// yet.
    fn refuse_fork(&self, block: &L2Ref) -> Result<(), Keep> {
        match self.reading.canonical.at(block.number) {
            Some(canonical) if canonical != block.hash => {
                Err(Keep::Elsewhere { number: block.number, canonical, expected: block.hash })
            }
            _ => Ok(()),
        }
    }

    /// An execution client whose answers by number are of two branches may have the vouched block, and below
    /// it one that another took the place of.
    fn refuse_replaced(&self) -> Result<(), Keep> {
        let vouched = self.vouched.block.number;
        let is_there = |block: &&BlockNumHash| {
            block.number < vouched && self.reading.canonical.at(block.number) == Some(block.hash)
        };
        self.reading
            .invalid
            .iter()
            .find(is_there)
            .map_or(Ok(()), |block| Err(Keep::Replaced { number: block.number, hash: block.hash, vouched }))
    }

    fn synced(&self) -> Result<Synced, Keep> {
        let UpstreamStatus { l1, local_safe_l2, safe_l2, .. } = self.reading.upstream;
        if l1.current_l1.hash.is_zero() {
            return Err(Keep::NoCurrentL1);
        }
        let local_safe = local_safe_l2.ok_or(Keep::NoHead { level: "local-safe" })?;
        let safe = safe_l2.ok_or(Keep::NoHead { level: "safe" })?;
        if safe.number > local_safe.number {
            return Err(Keep::Disordered { safe: safe.number, local_safe: local_safe.number });
        }
        Ok(Synced { local_safe, safe })
    }

    /// The vouched head; where the upstream judges cross-safety too, the lower of its and ours.
    fn safe(&self, Synced { local_safe, safe }: Synced) -> Result<L2Ref, Keep> {
        let vouched = self.vouched.block;
        if self.mode == FollowMode::Clamp && safe.number < vouched.number {
            self.refuse_fork(&safe)?;
            return match self.reading.canonical.is_canonical(&safe) {
                Some(_) => Ok(safe),
                None => Err(Keep::Unconfirmed { number: safe.number, level: "safe" }),
            };
        }
        if local_safe.number < vouched.number {
            return Err(Keep::Behind { upstream: local_safe.number, vouched: vouched.number });
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

    fn local_safe(&self, placement: VouchedPlacement, upstream: L2Ref, safe: &L2Ref) -> L2Ref {
        let vouched = self.vouched.block;
        let is_passed_on = placement == VouchedPlacement::OnChain
            && self.reading.passes_local_safe(&upstream, vouched.number);
        match (is_passed_on, upstream.number >= vouched.number) {
            (true, _) => upstream,
            (false, true) => vouched,
            (false, false) => *safe,
        }
    }

    /// The upstream's finalized head, lowered to safe. One that is not known to be on this chain changes
    /// nothing.
    fn finalized(&self, safe: &L2Ref) -> Result<L2Ref, Keep> {
        let upstream = self.reading.upstream.finalized_l2;
        let last = self.last.map(|last| last.finalized_l2);
        let known = upstream.filter(|head| self.reading.canonical.is_canonical(head) == Some(true));
        let limit = match self.vouched.final_limit {
            FinalLimit::None => *safe,
            FinalLimit::At(limit) if limit.number < safe.number => limit,
            FinalLimit::At(_) => *safe,
            FinalLimit::Unknown => return last.ok_or(Keep::FinalityUnknown),
        };
        let next = match (known, last) {
            (Some(known), _) if known.number >= limit.number => limit,
            (Some(known), _) => known,
            (None, Some(last)) => last,
            (None, None) => {
                let upstream = upstream.ok_or(Keep::NoHead { level: "finalized" })?;
                self.refuse_fork(&upstream)?;
                return Err(Keep::Unconfirmed { number: upstream.number, level: "finalized" });
            }
        };
        Ok(last.filter(|last| last.number > next.number).unwrap_or(next))
    }
}

impl Draft {
    /// The next status to serve.
    ///
    /// # Errors
    /// Why the safe head that was served last stays.
    pub fn next(facts: &Facts<'_>) -> Result<Self, Keep> {
        let synced = facts.synced()?;
        let placement = facts.vouched_placement(synced)?;
        let safe_l2 = facts.safe(synced)?;
        facts.refuse_retraction(&safe_l2)?;
        let local_safe_l2 = facts.local_safe(placement, synced.local_safe, &safe_l2);
        let reading = &facts.reading;
        let pending_safe_l2 = reading.pending_safe(&local_safe_l2);
        let (unsafe_l2, cross_unsafe_l2) =
            reading.tips(placement == VouchedPlacement::OnChain, &pending_safe_l2);
        let vouched = facts.vouched.block;
        let status = ServedStatus {
            l1: reading.upstream.l1,
            unsafe_l2,
            cross_unsafe_l2,
            local_safe_l2,
            pending_safe_l2,
            safe_l2,
            finalized_l2: facts.finalized(&safe_l2)?,
            crosscheck_hold: facts.hold.cloned(),
            crosscheck_open: None,
            others: reading.upstream.others.clone(),
        };
        let floor = if vouched.number < local_safe_l2.number { vouched } else { local_safe_l2 };
        let is_known = reading.canonical.is_canonical(&synced.local_safe) == Some(true);
        let passed = (placement == VouchedPlacement::OnChain && is_known).then_some(safe_l2.number);
        Ok(Self { status, floor, elsewhere: reading.elsewhere(), passed })
    }

    /// The status whose safe and finalized heads stay. What is above them is the vouched head, or the
    /// upstream's local-safe head if it is higher, as long as they are on the chain of the safe head; what is
    /// known of L1 is what the upstream says now.
    pub fn kept(facts: &KeepFacts<'_>) -> Self {
        let KeepFacts { last, reading, vouched, replaced, hold } = *facts;
        let is_on_chain = |block: &L2Ref| reading.canonical.is_canonical(block) == Some(true);
        let stands = is_on_chain(&last.safe_l2);
        let vouched =
            vouched.filter(|block| stands && is_on_chain(block) && block.number >= last.safe_l2.number);
        let floor = vouched.unwrap_or(last.safe_l2);
        // A plain node remains on the branch whose block was replaced, and its client may not have the
        // replacement.
        let left = replaced.filter(|block| reading.canonical.at(block.number) == Some(block.hash));
        let is_left = |head: &L2Ref| left.is_some_and(|block| head.number >= block.number);
        let is_passed_on = |head: &L2Ref| {
            stands
                && !is_left(head)
                && head.number >= floor.number
                && reading.passes_local_safe(head, floor.number)
        };
        let local_safe_l2 = reading.upstream.local_safe_l2.filter(is_passed_on).unwrap_or(floor);
        let pending_safe_l2 = reading.pending_safe(&local_safe_l2);
        let (unsafe_l2, cross_unsafe_l2) = reading.tips(stands && left.is_none(), &pending_safe_l2);
        let status = ServedStatus {
            l1: reading.upstream.l1.or(last.l1),
            unsafe_l2,
            cross_unsafe_l2,
            local_safe_l2,
            pending_safe_l2,
            crosscheck_hold: hold.cloned(),
            ..last.clone()
        };
        Self { status, floor, elsewhere: reading.elsewhere(), passed: None }
    }
}

#[cfg(test)]
mod tests;
