//! [`BlockSync`]: how the network task serves blocks by number, and requests the ones that it missed.

use super::Network;
use crate::{
    Envelope, GossipForkTimes, ValidBlock,
    network::{
        NetworkEvent,
        scoring::PeerAction,
        sync::{
            BlockCache, BlockRequest, GapFiller, PayloadResponse, RateLimits, ResponseError, StoredBlock,
            is_supported, open_response,
        },
    },
    snappy::compress,
};
use alloy_primitives::Bytes;
use libp2p::{
    PeerId,
    request_response::{Event, Message, OutboundFailure, OutboundRequestId, ResponseChannel},
};
use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};
use tokio::task::{self, JoinSet};

/// How many requests may wait for the rate limit.
const MAX_DELAYED: usize = 64;

/// The blocks that are served, and the requests in progress.
#[derive(Debug)]
pub(super) struct BlockSync {
    forks: GossipForkTimes,
    cache: BlockCache,
    gaps: GapFiller,
    limits: RateLimits,
    delayed: Vec<DelayedRequest>,
    /// At most one request for each open gap, with the peers that it was sent to, the latest last.
    requests: BTreeMap<OutboundRequestId, (BlockRequest, Vec<PeerId>)>,
    /// At most one check for each open gap.
    checks: JoinSet<CheckOutcome>,
    /// The request of each check, and the peers that it was sent to.
    check_requests: HashMap<task::Id, (BlockRequest, Vec<PeerId>)>,
}

/// A peer's request that waits for the rate limit.
#[derive(Debug)]
struct DelayedRequest {
    due: Instant,
    number: u64,
    channel: ResponseChannel<PayloadResponse>,
}

/// A response that was checked.
#[derive(Debug)]
pub(super) struct CheckedResponse {
    request: BlockRequest,
    asked: Vec<PeerId>,
    outcome: CheckOutcome,
}

/// What a response contains.
#[derive(Debug)]
enum CheckOutcome {
    /// The requested block, and how it is stored.
    Requested(Box<Envelope>, StoredBlock),
    /// Another well-formed block of the height.
    OtherBranch,
    /// No block of the height.
    NoSuchBlock,
    /// The check did not finish.
    Unknown,
}

impl BlockSync {
    pub(super) fn new(forks: GossipForkTimes, now: Instant) -> Self {
        Self {
            forks,
            cache: BlockCache::default(),
            gaps: GapFiller::default(),
            limits: RateLimits::new(now),
            delayed: Vec::new(),
            requests: BTreeMap::new(),
            checks: JoinSet::new(),
            check_requests: HashMap::new(),
        }
    }

    /// When the next delayed request is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.delayed.iter().map(|delayed| delayed.due).min()
    }

    /// Checks a response on a blocking thread.
    fn spawn_check(
        &mut self,
        request: BlockRequest,
        asked: Vec<PeerId>,
        check: impl FnOnce() -> CheckOutcome + Send + 'static,
    ) {
        let task = self.checks.spawn_blocking(check);
        self.check_requests.insert(task.id(), (request, asked));
    }

    /// The next response that was checked. `None`: no check is in progress.
    pub(super) async fn next_checked(&mut self) -> Option<CheckedResponse> {
        let (task, outcome) = self.checks.join_next_with_id().await?.unwrap_or_else(|error| {
            tracing::error!(%error, "check of a fetched block crashed; asking another peer");
            (error.id(), CheckOutcome::Unknown)
        });
        let (request, asked) = self.check_requests.remove(&task)?;
        Some(CheckedResponse { request, asked, outcome })
    }
}

impl Network {
    /// Stores a validated block, and requests its parent if that was missed.
    pub(super) fn store_block(&mut self, block: &ValidBlock) {
        if block.topic().is_cross_safe() {
            return;
        }
        let (compressed, version) = (block.frame().clone(), block.topic().version());
        let stored = StoredBlock { compressed, is_signed: true, version };
        self.block_sync.cache.insert(block.number(), block.hash(), stored);
        let request = self.block_sync.gaps.on_block(block.envelope(), &self.block_sync.cache);
        request.into_iter().for_each(|request| self.request_block(request, Vec::new()));
    }

    #[allow(clippy::wildcard_enum_match_arm)] // the other events need no action
    pub(super) fn on_sync(&mut self, event: Event<u64, PayloadResponse>) {
        match event {
            Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                self.on_request(peer, request, channel);
            }
            Event::Message { peer, message: Message::Response { request_id, response }, .. } => {
                self.on_response(peer, request_id, response);
            }
            Event::OutboundFailure { peer, request_id: id, error, .. } => {
                let Some((request, asked)) = self.block_sync.requests.remove(&id) else { return };
                tracing::debug!(%peer, number = request.number, %error, "no answer");
                if !matches!(error, OutboundFailure::ConnectionClosed | OutboundFailure::UnsupportedProtocols)
                {
                    self.record_action(peer, PeerAction::RequestFailed);
                }
                self.retry_request(request, asked);
            }
            Event::InboundFailure { peer, error, .. } => {
                tracing::debug!(%peer, %error, "request not answered");
            }
            _ => {}
        }
    }

    fn on_request(&mut self, peer_id: PeerId, number: u64, channel: ResponseChannel<PayloadResponse>) {
        let now = Instant::now();
        match self.block_sync.limits.admit(peer_id, now) {
            Some(wait) if wait.is_zero() => self.respond(number, channel),
            Some(wait) if self.block_sync.delayed.len() < MAX_DELAYED => {
                self.block_sync.delayed.push(DelayedRequest {
                    due: now.checked_add(wait).unwrap_or(now),
                    number,
                    channel,
                });
            }
            Some(_) | None => {
                self.events.counters().requests_refused.increment();
                tracing::debug!(%peer_id, number, "too many requests");
                self.send_response(channel, PayloadResponse::Error(ResponseError::Unavailable));
            }
        }
    }

    /// Answers the delayed requests that are due.
    pub(super) fn answer_delayed(&mut self) {
        let now = Instant::now();
        while let Some(index) = self.block_sync.delayed.iter().position(|delayed| delayed.due <= now) {
            let DelayedRequest { number, channel, .. } = self.block_sync.delayed.swap_remove(index);
            self.respond(number, channel);
        }
    }

    fn respond(&mut self, number: u64, channel: ResponseChannel<PayloadResponse>) {
        let response = match self.block_sync.cache.block_at(number) {
            Some(stored) => {
                self.events.counters().served.increment();
                PayloadResponse::Stored(stored.clone())
            }
            None => PayloadResponse::Error(ResponseError::NotFound),
        };
        self.send_response(channel, response);
    }

    fn send_response(&mut self, channel: ResponseChannel<PayloadResponse>, response: PayloadResponse) {
        if self.swarm.behaviour_mut().sync.send_response(channel, response).is_err() {
            tracing::debug!("requester disconnected");
        }
    }

    /// Sends a request to the best peer that speaks the protocol and was not asked yet.
    fn request_block(&mut self, request: BlockRequest, mut asked: Vec<PeerId>) {
        let behaviour = self.swarm.behaviour();
        let score = |peer_id: &PeerId| behaviour.gossip.peer_score(peer_id).unwrap_or_default();
        let speaks = |peer_id: &&PeerId| {
            let known = self.book.known().get(peer_id);
            known.is_some_and(|known| is_supported(self.chain_id, &known.protocols))
        };
        let fresh = self.book.live().keys().filter(|peer_id| !asked.contains(peer_id)).filter(speaks);
        let Some(best) = fresh.max_by(|a, b| score(a).total_cmp(&score(b))).copied() else {
            tracing::debug!(number = request.number, "no peer to ask for a missed block");
            while self.block_sync.gaps.on_failure(request) {}
            return;
        };
        asked.push(best);
        let id = self.swarm.behaviour_mut().sync.send_request(&best, request.number);
        self.block_sync.requests.insert(id, (request, asked));
    }

    fn retry_request(&mut self, request: BlockRequest, asked: Vec<PeerId>) {
        if self.block_sync.gaps.on_failure(request) {
            self.request_block(request, asked);
        }
    }

    fn on_response(&mut self, peer: PeerId, id: OutboundRequestId, response: PayloadResponse) {
        let Some((request, asked)) = self.block_sync.requests.remove(&id) else { return };
        match response {
            PayloadResponse::Payload { version, signed } => {
                let forks = self.block_sync.forks;
                self.block_sync.spawn_check(request, asked, move || check(request, version, &signed, &forks));
            }
            // Not to have a block is not a failure.
            PayloadResponse::Error(ResponseError::NotFound) => self.retry_request(request, asked),
            PayloadResponse::Stored(_)
            | PayloadResponse::Error(ResponseError::Invalid | ResponseError::Unavailable) => {
                self.record_action(peer, PeerAction::RequestFailed);
                self.retry_request(request, asked);
            }
        }
    }

    pub(super) fn on_checked(&mut self, checked: CheckedResponse) {
        let CheckedResponse { request, asked, outcome } = checked;
        let Some(from) = asked.last().copied() else { return };
        let (envelope, stored) = match outcome {
            CheckOutcome::Requested(envelope, stored) => (envelope, stored),
            // A peer answers with the branch that it follows. After a reorg that is not its fault.
            CheckOutcome::OtherBranch => {
                tracing::debug!(%from, number = request.number, hash = %request.hash, "block is on another branch");
                self.retry_request(request, asked);
                return;
            }
            CheckOutcome::Unknown => {
                self.retry_request(request, asked);
                return;
            }
            CheckOutcome::NoSuchBlock => {
                tracing::debug!(%from, number = request.number, hash = %request.hash, "peer has no block at the height");
                self.record_action(from, PeerAction::WrongResponse);
                self.retry_request(request, asked);
                return;
            }
        };
        self.record_action(from, PeerAction::Useful);
        self.events.counters().filled.increment();
        self.block_sync.cache.insert(request.number, request.hash, stored);
        let next = self.block_sync.gaps.on_answer(request, &envelope, &self.block_sync.cache);
        self.events.offer(NetworkEvent::Filled { envelope, from });
        next.into_iter().for_each(|request| self.request_block(request, Vec::new()));
    }
}

/// Whether the bytes are the block that was asked for, and how it is stored.
fn check(request: BlockRequest, version: u32, signed: &Bytes, forks: &GossipForkTimes) -> CheckOutcome {
    let opened = open_response(version, signed, forks)
        .inspect_err(|error| tracing::debug!(number = request.number, %error, "invalid block in a response"));
    match opened {
        Ok(envelope) if request.is_answered_by(&envelope, forks) => {
            let Ok(compressed) = compress(signed) else { return CheckOutcome::NoSuchBlock };
            let version = forks.version_at(envelope.payload.timestamp);
            CheckOutcome::Requested(
                Box::new(envelope),
                StoredBlock { compressed: compressed.into(), is_signed: false, version },
            )
        }
        Ok(envelope) if request.is_other_block_at_height(&envelope, forks) => CheckOutcome::OtherBranch,
        Ok(_) | Err(_) => CheckOutcome::NoSuchBlock,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExecutionPayload, UnixSeconds, sample};
    use rstest::rstest;

    fn respond(change: impl FnOnce(&mut ExecutionPayload)) -> CheckOutcome {
        let forks = GossipForkTimes::AT_GENESIS;
        let asked_for = sample::envelope(7, |_| ());
        let max_timestamp = UnixSeconds(asked_for.payload.timestamp.0 + 1);
        let request = BlockRequest { number: 7, hash: asked_for.payload.block_hash, max_timestamp };
        let mut answered = asked_for;
        change(&mut answered.payload);
        check(request, 1, &answered.encode().unwrap(), &forks)
    }

    /// Otherwise the open gap would use one of few places forever.
    #[tokio::test]
    async fn a_check_that_panics_ends_and_blames_no_peer() {
        let mut block_sync = BlockSync::new(GossipForkTimes::AT_GENESIS, Instant::now());
        let request =
            BlockRequest { number: 7, hash: alloy_primitives::B256::ZERO, max_timestamp: sample::NOW };
        let asked = vec![PeerId::random()];
        block_sync.spawn_check(request, asked.clone(), || panic!("as if"));
        let checked = block_sync.next_checked().await.unwrap();
        assert_eq!((checked.request, checked.asked), (request, asked));
        assert!(matches!(checked.outcome, CheckOutcome::Unknown));
        assert!(block_sync.check_requests.is_empty() && block_sync.next_checked().await.is_none());
    }

    fn rehashed(payload: &mut ExecutionPayload) {
        payload.block_hash = payload.recompute_hash();
    }

    #[rstest]
    #[case::the_block(respond(|_| ()), "requested")]
    #[case::of_another_branch(respond(|payload| { payload.gas_used += 1; rehashed(payload); }), "other branch")]
    #[case::of_another_height(respond(|payload| { payload.number += 1; rehashed(payload); }), "no such block")]
    #[case::with_a_wrong_hash(respond(|payload| payload.gas_used += 1), "no such block")]
    #[case::bytes(check(BlockRequest { number: 7, hash: alloy_primitives::B256::ZERO, max_timestamp: sample::NOW }, 1, &Bytes::from_static(&[1; 99]), &GossipForkTimes::AT_GENESIS), "no such block")]
    fn a_response_is_checked_against_the_request(#[case] outcome: CheckOutcome, #[case] expected: &str) {
        let name = match outcome {
            CheckOutcome::Requested(envelope, stored) => {
                assert!(envelope.payload.number == 7 && !stored.is_signed);
                "requested"
            }
            CheckOutcome::OtherBranch => "other branch",
            CheckOutcome::NoSuchBlock => "no such block",
            CheckOutcome::Unknown => "unknown",
        };
        assert_eq!(name, expected);
    }
}
