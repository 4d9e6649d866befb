//! What a message depends on beyond itself: no cycle at its timestamp, and a valid cited block, with
//! everything that it cites.
//!
//! The walk reads the chains' endpoints, back to blocks that are final or execute nothing. It is bounded;
//! what it does not reach is unknown.

use super::examination::{Examiner, Unknown};
use crosscheck_core::case::{BlockRequest, Closure, Maturity};
use crosscheck_core::message::Message;
use crosscheck_core::proof::ProvenLogs;
use crosscheck_core::validity::{InvalidReason, Validity, cyclic_chains};
use crosscheck_p2p::{ChainId, UnixSeconds};
use futures::{StreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many blocks are checked.
const MAX_BLOCKS: usize = 512;

/// How many of them at once.
const AT_ONCE: usize = 8;

/// What an endpoint gave for an ask.
enum Fetched {
    Block(Arc<ProvenLogs>, Maturity),
    /// The chain is past the timestamp without having the height.
    Tip(u64, UnixSeconds),
    /// The chain has no block with the timestamp.
    NoneAt,
}

/// A finished walk, and the first thing that it lacked.
struct CitationWalk<'a> {
    closure: Closure<'a>,
    missing: Option<Unknown>,
}

impl CitationWalk<'_> {
    fn missing(self) -> Unknown {
        self.missing.unwrap_or(Unknown::NotFollowed { blocks: MAX_BLOCKS })
    }

    /// Why a block is not valid. `Err`: whether it is cannot be determined.
    fn objection(self, chain_id: ChainId, number: u64) -> Result<Option<InvalidReason>, Unknown> {
        let place = (chain_id, number);
        match (self.closure.validities().get(&place), self.closure.key(place)) {
            (Some(Validity::Valid), _) => Ok(None),
            (Some(Validity::Invalid), Some(key)) => {
                Ok(Some(InvalidReason::InitiatingBlockInvalid { chain_id, number, hash: key.hash }))
            }
            _ => Err(self.missing()),
        }
    }
}

impl Examiner {
    /// Why a message of this block is invalid although every clause about the message itself is satisfied.
    ///
    /// # Errors
    /// If that cannot be determined.
    pub(super) async fn check_related(
        &self,
        root: Arc<ProvenLogs>,
        message: &Message,
        initiating: &ProvenLogs,
    ) -> Result<Option<InvalidReason>, Unknown> {
        let (chain_id, number, timestamp) = (root.chain_id(), root.number(), root.timestamp());
        let id = message.identifier;
        let walk = self.walk(root).await;
        if id.timestamp == timestamp {
            let placed = walk.closure.placed_messages(timestamp);
            if cyclic_chains(self.set.cycle_rule(), &placed).contains(&chain_id) {
                return Ok(Some(InvalidReason::Cycle { timestamp }));
            }
            if !walk.closure.is_complete_at(timestamp) {
                return Err(walk.missing());
            }
        }
        let is_own = (id.chain_id, id.block_number) == (chain_id, number);
        // The log of a deposit is in the replacement of its block, too.
        if is_own || initiating.survives_replacement(id.log_index) {
            return Ok(None);
        }
        walk.objection(id.chain_id, id.block_number)
    }

    /// The same of a message that is given by its fields: of the cited block alone.
    ///
    /// # Errors
    /// If it cannot be determined.
    pub(super) async fn check_cited(
        &self,
        executed_at: UnixSeconds,
        message: &Message,
        initiating: Arc<ProvenLogs>,
    ) -> Result<Option<InvalidReason>, Unknown> {
        let id = message.identifier;
        if id.timestamp == executed_at {
            return Err(Unknown::CycleByFields);
        }
        if initiating.survives_replacement(id.log_index) {
            return Ok(None);
        }
        self.walk(initiating).await.objection(id.chain_id, id.block_number)
    }

    async fn walk(&self, root: Arc<ProvenLogs>) -> CitationWalk<'_> {
        let finalized = self.finalized().await;
        let mut walk = CitationWalk { closure: Closure::of(&self.set, root), missing: None };
        let mut asked = BTreeSet::new();
        while asked.len() < MAX_BLOCKS {
            let asks = walk.closure.requests();
            let wave: Vec<BlockRequest> = asks.difference(&asked).take(AT_ONCE).copied().collect();
            if wave.is_empty() {
                return walk;
            }
            asked.extend(wave.iter().copied());
            let seen: Vec<_> = wave
                .iter()
                .map(|ask| async { (*ask, self.fetch_requested(*ask, &finalized).await) })
                .collect();
            let seen: Vec<_> = stream::iter(seen).buffer_unordered(AT_ONCE).collect().await;
            for (ask, found) in seen {
                match (found, ask.number) {
                    (Ok(Fetched::Block(logs, maturity)), _) => walk.closure.insert(logs, maturity),
                    (Ok(Fetched::Tip(number, timestamp)), Some(wanted)) => {
                        walk.closure.miss((ask.chain_id, wanted), (number, timestamp));
                    }
                    (Ok(Fetched::Tip(..) | Fetched::NoneAt), _) => {
                        walk.closure.skip(ask.timestamp, ask.chain_id);
                    }
                    (Err(why), _) => {
                        walk.missing.get_or_insert(why);
                    }
                }
            }
        }
        walk
    }

    /// Each chain's final height, as its endpoints label it.
    async fn finalized(&self) -> BTreeMap<ChainId, u64> {
        let mut finalized = BTreeMap::new();
        for (chain_id, client) in &self.clients {
            if let Ok(heads) = client.labelled_heads().await
                && let Some(head) = heads.finalized
            {
                finalized.insert(*chain_id, head.number);
            }
        }
        finalized
    }

    async fn fetch_requested(
        &self,
        ask: BlockRequest,
        finalized: &BTreeMap<ChainId, u64>,
    ) -> Result<Fetched, Unknown> {
        let chain_id = ask.chain_id;
        let number = match ask.number {
            Some(number) => number,
            None => match self.number_at(chain_id, ask.timestamp).await? {
                Some(number) => number,
                None => return Ok(Fetched::NoneAt),
            },
        };
        match self.proven(chain_id, number).await {
            Ok((_, logs)) => {
                let is_final = finalized.get(&chain_id).is_some_and(|height| number <= *height);
                Ok(Fetched::Block(logs, if is_final { Maturity::Final } else { Maturity::Open }))
            }
            Err(why @ Unknown::NoBlock { .. }) => {
                let tip = self.client(chain_id)?.tip().await?;
                let is_past = number > tip.number && tip.timestamp >= ask.timestamp;
                if is_past { Ok(Fetched::Tip(tip.number, tip.timestamp)) } else { Err(why) }
            }
            Err(why) => Err(why),
        }
    }

    /// The lowest height at which a chain has this timestamp. `None`: it has no such block, and is past it.
    async fn number_at(&self, chain_id: ChainId, timestamp: UnixSeconds) -> Result<Option<u64>, Unknown> {
        let client = self.client(chain_id)?;
        let tip = client.tip().await?;
        if tip.timestamp < timestamp {
            return Err(Unknown::NotThatFar { chain_id, timestamp });
        }
        // The lowest height whose block is no older is in this range, its end included.
        let (mut from, mut to) = (0, tip.number);
        while from < to {
            let middle = from.midpoint(to);
            let block = client.canonical_block(middle).await?;
            let block = block.ok_or(Unknown::NoBlock { chain_id, number: middle })?;
            if block.timestamp < timestamp {
                from = middle.saturating_add(1);
            } else {
                to = middle;
            }
        }
        let block = client.canonical_block(from).await?.ok_or(Unknown::NoBlock { chain_id, number: from })?;
        Ok((block.timestamp == timestamp).then_some(from))
    }
}
