//! What a block's validity rests on beyond itself: walks the [`Closure`] with the sources.
//!
//! The walk is bounded; what it does not reach stays unknown. It fetches the oldest blocks first and
//! remembers what it finds valid, so a walk that ends at its bound has still made the next one shorter.

use super::{CONCURRENT_NEEDS, Investigator};
use crate::metrics::Limit;
use crate::stale_branches::StaleBranch;
use crosscheck_core::case::{
    AroundNeed, Awaited, BlockRequest, Case, Cause, Closure, Continuity, Fact, Maturity, Wait,
};
use crosscheck_core::consolidation::{BlockAttributes, Fingerprint};
use crosscheck_core::proof::{ProvenLogs, VerifiedBlock};
use crosscheck_core::validity::Validity;
use crosscheck_p2p::{ChainId, UnixSeconds};
use futures::{StreamExt, stream};
use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::sync::Arc;
use tracing::debug;

/// How many blocks one walk asks for.
const MAX_REQUESTS: usize = 2048;

/// The block whose messages are examined, and in which world.
#[derive(Clone, Debug)]
pub(super) struct AuditContext {
    root: Arc<ProvenLogs>,
    /// Whether the root is a block that another replaces: then its contemporaries may be replaced too, and
    /// those that they replace count.
    is_replaced: bool,
    /// Whether "all valid" would accuse somebody.
    accuses_if_valid: bool,
}

/// What a source gave for an ask.
#[derive(Debug)]
pub(super) enum Fetched {
    /// The block.
    Block {
        /// Its proven logs.
        logs: Arc<ProvenLogs>,
        /// What is known of it.
        maturity: Maturity,
        /// The chains that this rests on beyond its own, if it was found valid before.
        rests_on: Option<Arc<BTreeSet<ChainId>>>,
        /// Whether it is the block that L1 says, not what took its place.
        is_original: bool,
    },
    /// The chain is past the timestamp without having the height: one of its blocks.
    Tip {
        /// The block's height.
        number: u64,
        /// The block's timestamp.
        timestamp: UnixSeconds,
    },
    /// The chain has no block with the timestamp.
    NoneAt,
}

/// A walk under way.
struct ClosureWalk<'a> {
    closure: Closure<'a>,
    waits: BTreeSet<Wait>,
    /// The chains that the settled blocks rest on.
    rests_on: BTreeSet<ChainId>,
    /// Whether every block at the root's timestamp is the one that L1 says, as far as is known.
    is_sure: bool,
}

impl AuditContext {
    /// The context of a case whose examined block is known.
    pub(super) fn of(case: &Case) -> Option<Self> {
        let root = Arc::clone(case.examined()?);
        let is_replaced = root.hash() != case.key().hash;
        Some(Self { root, is_replaced, accuses_if_valid: case.accuses_if_valid() })
    }

    /// The block whose messages are examined.
    pub(super) const fn root(&self) -> &Arc<ProvenLogs> {
        &self.root
    }

    /// The root, if it is the block at that place in this context.
    pub(super) fn root_at(&self, chain_id: ChainId, number: u64) -> Option<&Arc<ProvenLogs>> {
        ((self.root.chain_id(), self.root.number()) == (chain_id, number)).then_some(&self.root)
    }
}

impl Investigator {
    /// Resolves the needs that are about more than one block.
    pub(super) async fn resolve_related(
        &self,
        context: &AuditContext,
        needs: &BTreeSet<AroundNeed>,
    ) -> (Vec<Fact>, BTreeSet<Wait>) {
        let epoch = self.proven.lock().epoch();
        let ClosureWalk { closure, mut waits, mut rests_on, is_sure } = self.walk(context).await;
        if !context.is_replaced {
            let (blocks, chains) = closure.proven();
            rests_on.extend(chains);
            self.proven.lock().remember(epoch, blocks, &Arc::new(rests_on));
        }
        let is_decisive = is_sure || !context.accuses_if_valid || self.is_final(&context.root);
        if !is_decisive {
            let chain_id = context.root.chain_id();
            waits.insert(Wait { awaited: Awaited::SameTimestamp, chain_id, cause: Cause::NotYet });
        }
        let validities = closure.validities();
        let answer = |need: &AroundNeed| match *need {
            AroundNeed::CitedBlock { chain_id, number } => {
                let is_valid = match validities.get(&(chain_id, number))? {
                    Validity::Valid => true,
                    Validity::Invalid => false,
                    Validity::Unknown => return None,
                };
                Some(Fact::CitedBlock { key: closure.key((chain_id, number))?, is_valid })
            }
            AroundNeed::SameTimestamp { timestamp } => Some(Fact::SameTimestamp {
                messages: closure.placed_messages(timestamp),
                is_complete: is_decisive && closure.is_complete_at(timestamp),
            }),
        };
        // Cycles first: a block of a cycle cites others of it, and is not invalid only because they are.
        let facts = needs.iter().rev().filter_map(answer).collect();
        let facts = self.drop_unproven(facts, context.root.timestamp(), &mut waits).await;
        (facts, waits)
    }

    async fn walk<'a>(&'a self, context: &AuditContext) -> ClosureWalk<'a> {
        let held = self.continuous_chains().await;
        let mut walk = ClosureWalk {
            closure: Closure::of(&self.parts.set, Arc::clone(&context.root)),
            waits: BTreeSet::new(),
            rests_on: BTreeSet::new(),
            is_sure: true,
        };
        let mut asked = BTreeSet::new();
        loop {
            let asks = walk.closure.requests();
            let wave: Vec<BlockRequest> = asks.difference(&asked).take(CONCURRENT_NEEDS).copied().collect();
            if wave.is_empty() {
                return walk;
            }
            if asked.len() >= MAX_REQUESTS {
                self.parts.metrics.shared().limit_reached(Limit::Closure);
                let chain_id = context.root.chain_id();
                walk.waits.insert(Wait { awaited: Awaited::CitedBlock, chain_id, cause: Cause::NotYet });
                return walk;
            }
            asked.extend(wave.iter().copied());
            let seen: Vec<_> = wave
                .iter()
                .map(|ask| async { (*ask, self.fetch_requested(*ask, Some(context), &held).await) })
                .collect();
            let seen: Vec<_> = stream::iter(seen).buffer_unordered(CONCURRENT_NEEDS).collect().await;
            for (ask, found) in seen {
                walk.record(ask, found);
            }
        }
    }

    /// Fetches a block that a closure asks for. What was found valid before counts while the chains of `held`
    /// are all that it rests on.
    pub(super) async fn fetch_requested(
        &self,
        ask: BlockRequest,
        context: Option<&AuditContext>,
        held: &BTreeSet<ChainId>,
    ) -> Result<Fetched, Wait> {
        let chain_id = ask.chain_id;
        let awaited = match ask.number {
            Some(_) => Awaited::Initiating,
            None => Awaited::SameTimestamp,
        };
        let wait = |cause| Wait { awaited, chain_id, cause };
        let heads = self.parts.heads.get(chain_id).ok_or_else(|| wait(Cause::EndpointError))?;
        let Some(tip) = heads.local_safe_l2 else {
            self.parts.heads.request_poll(chain_id);
            return Err(wait(Cause::NotYet));
        };
        if let Some(number) = ask.number {
            self.expect_usable(number, wait(Cause::OtherFork))?;
        }
        let number = match ask.number {
            Some(number) if number > tip.number && tip.timestamp > ask.timestamp => {
                // The node's answer is not proof: the block itself is.
                let tip = self.local_safe_block(chain_id, tip.number, awaited).await?;
                self.expect_linked(chain_id, &tip, awaited).await?;
                return Ok(Fetched::Tip { number: tip.number(), timestamp: tip.timestamp() });
            }
            Some(number) => number,
            None => match self.number_at(chain_id, ask.timestamp, (tip.number, tip.timestamp))? {
                Some(number) => number,
                None => return Ok(Fetched::NoneAt),
            },
        };
        self.expect_usable(number, wait(Cause::OtherFork))?;
        let block = self.local_safe_block(chain_id, number, awaited).await?;
        self.expect_linked(chain_id, &block, awaited).await?;
        if ask.number.is_none() && block.timestamp() != ask.timestamp {
            return self.none_at(ask, &block);
        }
        let logs = self.logs(chain_id, &block, awaited).await?.ok_or_else(|| wait(Cause::NotYet))?;
        let is_in_question =
            |context: &AuditContext| context.is_replaced && context.root.timestamp() == block.timestamp();
        if context.is_some_and(is_in_question) {
            let (logs, is_original) = self.original_of(&block, logs, awaited).await?;
            let maturity = if logs.executed().is_empty() { Maturity::Settled } else { Maturity::Open };
            return Ok(Fetched::Block { logs, maturity, rests_on: None, is_original });
        }
        let rests_on = self.proven.lock().get((chain_id, block.hash()), |chain_id| held.contains(chain_id));
        let maturity = if logs.executed().is_empty() || rests_on.is_some() {
            Maturity::Settled
        } else if heads.finalized_l2.is_some_and(|head| number <= head.number) {
            Maturity::Final
        } else {
            Maturity::Open
        };
        Ok(Fetched::Block { logs, maturity, rests_on, is_original: true })
    }

    /// Waits if the nodes of the chain are on an invalid block, and what they have at the height is not the
    /// chain's.
    fn expect_usable(&self, number: u64, wait: Wait) -> Result<(), Wait> {
        let stale = self.parts.branches.of(wait.chain_id).filter(|stale| !stale.is_usable(number));
        let Some(StaleBranch { invalid, replaced_by }) = stale else { return Ok(()) };
        let course = if replaced_by.is_some() { "was replaced" } else { "is invalid" };
        let text = format!("its nodes remain on block {} {}, which {course}", invalid.number, invalid.hash);
        self.reasons.note(wait, &text);
        Err(wait)
    }

    /// The height at which a chain has a timestamp if its blocks are as far apart as they should be. `None`:
    /// the chain began later.
    fn number_at(
        &self,
        chain_id: ChainId,
        timestamp: UnixSeconds,
        tip: (u64, UnixSeconds),
    ) -> Result<Option<u64>, Wait> {
        let wait = |cause| Wait { awaited: Awaited::SameTimestamp, chain_id, cause };
        let (number, at) = tip;
        let Some(age) = at.0.checked_sub(timestamp.0) else {
            self.parts.heads.request_poll(chain_id);
            return Err(wait(Cause::NotYet));
        };
        let block_time = self.parts.set.block_time(chain_id).and_then(NonZeroU64::new);
        let back = block_time.ok_or_else(|| wait(Cause::Unsupported))?;
        Ok(number.checked_sub(age.div_ceil(back.get())))
    }

    /// What it means that the block where a timestamp was looked for has another.
    fn none_at(&self, ask: BlockRequest, block: &VerifiedBlock) -> Result<Fetched, Wait> {
        let block_time = self.parts.set.block_time(ask.chain_id).unwrap_or_default();
        let next = block.timestamp().0.saturating_add(block_time);
        if block.timestamp() < ask.timestamp && ask.timestamp.0 < next {
            return Ok(Fetched::NoneAt);
        }
        let (chain_id, number, found) = (ask.chain_id, block.number(), block.timestamp());
        debug!(%chain_id, number, %found, wanted = %ask.timestamp, "blocks do not follow the chain's block time");
        Err(Wait { awaited: Awaited::SameTimestamp, chain_id, cause: Cause::Unsupported })
    }

    /// The block that a local-safe one took the place of, if it did and that is remembered; and whether the
    /// result is what L1 says, as far as is known. Rivals of one timestamp may all have been replaced by it:
    /// then nobody knows which of them L1 said.
    async fn original_of(
        &self,
        block: &VerifiedBlock,
        logs: Arc<ProvenLogs>,
        awaited: Awaited,
    ) -> Result<(Arc<ProvenLogs>, bool), Wait> {
        let attributes = BlockAttributes::of_block(block);
        if !attributes.is_deposits_only() {
            return Ok((logs, true));
        }
        let own = Fingerprint::of(&attributes);
        let chain_id = logs.chain_id();
        let candidates = self.candidates.at(chain_id, block.number());
        let mut replaced = candidates
            .iter()
            .filter(|candidate| candidate.deposits_only == own && candidate.hash != block.hash());
        let (Some(candidate), None) = (replaced.next(), replaced.next()) else { return Ok((logs, false)) };
        let Some(original) = self.block_by_hash(chain_id, candidate.hash).await? else {
            return Ok((logs, false));
        };
        let original = self.logs(chain_id, &original, awaited).await?;
        Ok(original.map_or((logs, false), |original| (original, true)))
    }

    /// Whether L1 finality covers a block that is canonical.
    fn is_final(&self, block: &ProvenLogs) -> bool {
        let finalized = self.parts.heads.get(block.chain_id()).and_then(|heads| heads.finalized_l2);
        finalized.is_some_and(|head| block.number() <= head.number)
    }

    /// The chains that are known not to have moved back since what was found valid was found.
    pub(super) async fn continuous_chains(&self) -> BTreeSet<ChainId> {
        let asked: Vec<_> = self
            .parts
            .set
            .chain_ids()
            .map(|chain_id| async move { (chain_id, self.is_continuous(chain_id).await) })
            .collect();
        let answers: Vec<_> = stream::iter(asked).buffer_unordered(CONCURRENT_NEEDS).collect().await;
        answers.into_iter().filter(|(_, is_held)| *is_held).map(|(chain_id, _)| chain_id).collect()
    }

    async fn is_continuous(&self, chain_id: ChainId) -> bool {
        let local_safe = self.parts.heads.get(chain_id).and_then(|heads| heads.local_safe_l2);
        let Some(head) = local_safe.map(|head| head.position()) else { return false };
        let continuity = self.proven.lock().observe_head(chain_id, head);
        let Continuity::Unconfirmed(anchor) = continuity else { return true };
        let Some(client) = self.parts.clients.get(&chain_id) else { return false };
        match client.canonical_hash(anchor.number).await {
            Ok(Some(found)) => {
                self.proven.lock().confirm(chain_id, anchor, head, found);
                true
            }
            Ok(None) => false,
            Err(error) => {
                let _wait = self.record_failure(&error, chain_id, Awaited::CitedBlock);
                false
            }
        }
    }
}

impl ClosureWalk<'_> {
    fn record(&mut self, ask: BlockRequest, found: Result<Fetched, Wait>) {
        match found {
            Ok(Fetched::Block { logs, maturity, rests_on, is_original }) => {
                self.is_sure &= is_original;
                self.rests_on.extend(rests_on.iter().flat_map(|chains| chains.iter()).copied());
                self.closure.insert(logs, maturity);
            }
            Ok(Fetched::Tip { number, timestamp }) => {
                if let Some(cited) = ask.number {
                    self.closure.miss((ask.chain_id, cited), (number, timestamp));
                }
            }
            Ok(Fetched::NoneAt) => self.closure.skip(ask.timestamp, ask.chain_id),
            Err(wait) => {
                self.waits.insert(wait);
            }
        }
    }
}
