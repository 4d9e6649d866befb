//! [`SimulatedFollower`]: one follower at work: it hears gossip, asks its source for heads, and fetches what
//! gossip did not bring.
//!
//! What it does is written to its [`FollowerBehaviour`]. It serves nothing, and a source that does not answer
//! changes nothing.

use super::follow_status::origin;
use super::{
    FollowStatus, FollowerBehaviour, FollowerStore, LightCl, LightClStep, MissingBlock, ServedL2Ref,
};
use crate::l1::L1;
use alloy::{eips::Encodable2718, primitives::B256, rpc::types::Block};
use crosscheck_p2p::NetworkEvent;
use jsonrpsee::{
    core::{ClientError, client::ClientT},
    http_client::{HttpClient, HttpClientBuilder},
    rpc_params,
};
use op_alloy::rpc_types::Transaction;
use parking_lot::{Mutex, RwLock};
use serde::Deserialize;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

/// The most blocks that are fetched for one status.
const MAX_FETCHES: usize = 1_024;
const TIMEOUT: Duration = Duration::from_secs(5);

/// Whom a follower asks.
#[derive(Clone, Debug)]
pub struct FollowerEndpoints {
    /// The URL at which its source serves the chain's heads.
    pub source: String,
    /// The URL of the chain's execution client, for what gossip did not bring.
    pub execution: String,
    /// Its own L1.
    pub l1: Arc<RwLock<L1>>,
}

/// One follower.
#[derive(Debug)]
pub struct SimulatedFollower {
    source: HttpClient,
    execution: HttpClient,
    l1: Arc<RwLock<L1>>,
    store: FollowerStore,
    node: LightCl,
    behaviour: Arc<Mutex<FollowerBehaviour>>,
}

impl SimulatedFollower {
    /// A follower at genesis of a chain on which Lagoon activates at this time, or never.
    ///
    /// # Errors
    /// When no HTTP client can be made for a URL.
    pub fn new(
        endpoints: FollowerEndpoints,
        genesis: ServedL2Ref,
        lagoon: Option<u64>,
        behaviour: Arc<Mutex<FollowerBehaviour>>,
    ) -> Result<Self, ClientError> {
        let client = |url: &str| HttpClientBuilder::new().request_timeout(TIMEOUT).build(url);
        Ok(Self {
            source: client(&endpoints.source)?,
            execution: client(&endpoints.execution)?,
            l1: endpoints.l1,
            store: FollowerStore::new(genesis),
            node: LightCl::new(genesis, lagoon),
            behaviour,
        })
    }

    /// Follows until cancelled, asking for heads every `pause`.
    pub async fn run(
        mut self,
        mut events: mpsc::Receiver<NetworkEvent>,
        pause: Duration,
        cancel: CancellationToken,
    ) {
        let mut polls = interval(pause.max(Duration::from_millis(1)));
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                event = events.recv() => match event {
                    Some(event) => self.handle(&event),
                    None => return,
                },
                _ = polls.tick() => self.poll().await,
            }
        }
    }

    fn handle(&mut self, event: &NetworkEvent) {
        let NetworkEvent::Block { block, .. } = event else { return };
        if block.topic().is_cross_safe() {
            return;
        }
        match ServedL2Ref::of_payload(block.payload()) {
            Some(block) => {
                self.store.insert(block);
                self.store.extend();
            }
            None => tracing::debug!(number = block.number(), "gossiped block has no L1 origin; dropped"),
        }
    }

    /// Asks for the heads once, and follows them.
    pub(super) async fn poll(&mut self) {
        let invalid = self.behaviour.lock().ask();
        let status: FollowStatus = match self.source.request("optimism_syncStatus", rpc_params![]).await {
            Ok(status) => status,
            Err(error) => return tracing::debug!(%error, "source has no status"),
        };
        let checked = {
            let l1 = self.l1.read();
            LightCl::check(&status, |number| l1.block_by_number(number).map(|block| block.hash))
        };
        if let Err(rejection) = checked {
            tracing::debug!(%rejection, "status refused");
            return self.behaviour.lock().reject();
        }
        self.leave_reorged();
        let derived = status.local_safe_l2;
        let step = LightCl::step(&status, self.store.head(), self.store.canonical(derived.number));
        if step != LightClStep::Consolidate && !self.go_to(derived.hash).await {
            return;
        }
        self.store.extend();
        let is_led_onto = |(number, hash): &(u64, B256)| {
            let local = self.store.canonical(*number);
            *number <= derived.number && local.is_some_and(|local| local.hash == *hash)
        };
        let mut behaviour = self.behaviour.lock();
        if invalid.iter().any(is_led_onto) {
            behaviour.led_onto_invalid();
        }
        behaviour.serve(&status, &self.node);
        self.node.take(&status);
        let is_connected = |block: &ServedL2Ref| self.store.is_canonical(block) || behaviour.is_undone(block);
        let connected = [self.node.safe(), self.node.finalized()].iter().all(is_connected);
        behaviour.moved(&self.node, connected);
    }

    /// Where L1 has reorged out what the safe head is built on, goes back to the newest block with a
    /// canonical L1 origin.
    fn leave_reorged(&mut self) {
        let l1 = self.l1.read();
        let stands = |block: &ServedL2Ref| {
            let origin = l1.block_by_number(block.l1_origin.number);
            origin.is_none_or(|origin| origin.hash == block.l1_origin.hash)
        };
        if !stands(&self.node.safe())
            && let Some(kept) = self.store.ancestor(self.node.safe(), stands)
        {
            self.node.go_back(kept);
        }
    }

    /// Makes a block the unsafe head, and answers whether that could be done.
    async fn go_to(&mut self, target: B256) -> bool {
        for _ in 0..MAX_FETCHES {
            let Err(MissingBlock { hash }) = self.store.adopt(target) else { return true };
            match self.fetch(hash).await {
                Ok(Some(block)) => self.store.insert(block),
                Ok(None) => {
                    tracing::debug!(%hash, "execution client does not have the block either");
                    return false;
                }
                Err(error) => {
                    tracing::debug!(%hash, %error, "block could not be fetched");
                    return false;
                }
            }
        }
        false
    }

    async fn fetch(&self, hash: B256) -> Result<Option<ServedL2Ref>, ClientError> {
        let params = rpc_params![hash, true];
        // Of the transactions only the first is read: op-alloy writes those of type 0x7D as it does not read
        // them.
        let block: Option<Block<Value>> = self.execution.request("eth_getBlockByHash", params).await?;
        let Some(block) = block.filter(|block| block.header.inner.hash_slow() == hash) else {
            return Ok(None);
        };
        let first = block.transactions.as_transactions().and_then(<[Value]>::first);
        let first = first.and_then(|first| <Transaction>::deserialize(first).ok());
        let read = first.and_then(|first| origin(&first.inner.inner.inner().encoded_2718().into()));
        Ok(read.map(|(l1_origin, sequence_number)| ServedL2Ref {
            hash,
            number: block.header.inner.number,
            parent_hash: block.header.inner.parent_hash,
            timestamp: block.header.inner.timestamp,
            l1_origin,
            sequence_number,
        }))
    }
}

#[cfg(test)]
mod tests;
