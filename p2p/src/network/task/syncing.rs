//! Blocks by number, as the network task serves and fetches them.

use super::Network;
use crate::{
    Envelope, ForkTimes, ValidBlock,
    network::{
        NetworkEvent,
        scoring::PeerAction,
        sync::{Answer, GapFiller, Kept, RateLimits, RecentBlocks, Refused, Wanted, is_spoken, open},
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

/// Requests that may wait for their time.
const MAX_HELD: usize = 64;

/// The state of it.
#[derive(Debug)]
pub(super) struct Syncing {
    forks: ForkTimes,
    recent: RecentBlocks,
    gaps: GapFiller,
    limits: RateLimits,
    held: Vec<Held>,
    /// At most one request for each of the gap filler's walks, each with whom it was sent to, the last at the end.
    asked: BTreeMap<OutboundRequestId, (Wanted, Vec<PeerId>)>,
    /// At most one for each of the gap filler's walks.
    checks: JoinSet<Found>,
    /// What each of them looks for, and who was asked for it.
    looked_for: HashMap<task::Id, (Wanted, Vec<PeerId>)>,
}

/// A request that waits for its time.
#[derive(Debug)]
struct Held {
    due: Instant,
    number: u64,
    channel: ResponseChannel<Answer>,
}

/// A response that was checked.
#[derive(Debug)]
pub(super) struct Checked {
    wanted: Wanted,
    asked: Vec<PeerId>,
    found: Found,
}

/// What a response holds.
#[derive(Debug)]
enum Found {
    /// The block that was asked for, and how it is kept.
    Wanted(Box<Envelope>, Kept),
    /// Another sound block of the height.
    Another,
    /// No block of the height.
    Nothing,
    /// That was not found out.
    Unknown,
}

impl Syncing {
    pub(super) fn new(forks: ForkTimes, now: Instant) -> Self {
        Self {
            forks,
            recent: RecentBlocks::default(),
            gaps: GapFiller::default(),
            limits: RateLimits::new(now),
            held: Vec::new(),
            asked: BTreeMap::new(),
            checks: JoinSet::new(),
            looked_for: HashMap::new(),
        }
    }

    /// When the next held request is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.held.iter().map(|held| held.due).min()
    }

    /// Looks at an answer beside everything else.
    fn look(&mut self, wanted: Wanted, asked: Vec<PeerId>, check: impl FnOnce() -> Found + Send + 'static) {
        let task = self.checks.spawn_blocking(check);
        self.looked_for.insert(task.id(), (wanted, asked));
    }

    /// The next answer that was checked. `None`: there is none now.
    pub(super) async fn next_checked(&mut self) -> Option<Checked> {
        let (task, found) = self.checks.join_next_with_id().await?.unwrap_or_else(|error| {
            tracing::error!(%error, "check of a fetched block crashed; asking another peer");
            (error.id(), Found::Unknown)
        });
        let (wanted, asked) = self.looked_for.remove(&task)?;
        Some(Checked { wanted, asked, found })
    }
}

impl Network {
    /// Keeps a block that was validated, and asks for what is missing below it.
    pub(super) fn keep(&mut self, block: &ValidBlock) {
        if block.topic().is_cross_safe() {
            return;
        }
        let (compressed, version) = (block.frame().clone(), block.topic().version());
        let kept = Kept { compressed, is_signed: true, version };
        self.syncing.recent.keep(block.number(), block.hash(), kept);
        let wanted = self.syncing.gaps.arrived(block.envelope(), &self.syncing.recent);
        wanted.into_iter().for_each(|wanted| self.ask(wanted, Vec::new()));
    }

    #[allow(clippy::wildcard_enum_match_arm)] // what needs no answer is told by a later event
    pub(super) fn on_sync(&mut self, event: Event<u64, Answer>) {
        match event {
            Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                self.on_request(peer, request, channel);
            }
            Event::Message { peer, message: Message::Response { request_id, response }, .. } => {
                self.on_response(peer, request_id, response);
            }
            Event::OutboundFailure { peer, request_id, error, .. } => {
                let Some((wanted, asked)) = self.syncing.asked.remove(&request_id) else { return };
                tracing::debug!(%peer, number = wanted.number, %error, "no answer");
                if !matches!(error, OutboundFailure::ConnectionClosed | OutboundFailure::UnsupportedProtocols)
                {
                    self.record_action(peer, PeerAction::RequestFailed);
                }
                self.ask_again(wanted, asked);
            }
            Event::InboundFailure { peer, error, .. } => {
                tracing::debug!(%peer, %error, "request not answered");
            }
            _ => {}
        }
    }

    fn on_request(&mut self, peer_id: PeerId, number: u64, channel: ResponseChannel<Answer>) {
        let now = Instant::now();
        match self.syncing.limits.admit(peer_id, now) {
            Some(wait) if wait.is_zero() => self.answer(number, channel),
            Some(wait) if self.syncing.held.len() < MAX_HELD => {
                self.syncing.held.push(Held { due: now.checked_add(wait).unwrap_or(now), number, channel });
            }
            Some(_) | None => {
                self.events.counters().requests_refused.increment();
                tracing::debug!(%peer_id, number, "too many requests");
                self.send(channel, Answer::Refused(Refused::Unavailable));
            }
        }
    }

    /// Answers the requests whose time has come.
    pub(super) fn answer_held(&mut self) {
        let now = Instant::now();
        while let Some(index) = self.syncing.held.iter().position(|held| held.due <= now) {
            let Held { number, channel, .. } = self.syncing.held.swap_remove(index);
            self.answer(number, channel);
        }
    }

    fn answer(&mut self, number: u64, channel: ResponseChannel<Answer>) {
        let answer = match self.syncing.recent.at(number) {
            Some(kept) => {
                self.events.counters().served.increment();
                Answer::Kept(kept.clone())
            }
            None => Answer::Refused(Refused::NotFound),
        };
        self.send(channel, answer);
    }

    fn send(&mut self, channel: ResponseChannel<Answer>, answer: Answer) {
        if self.swarm.behaviour_mut().sync.send_response(channel, answer).is_err() {
            tracing::debug!("requester disconnected");
        }
    }

    /// Sends a request to the best peer that speaks the protocol and was not asked yet.
    fn ask(&mut self, wanted: Wanted, mut asked: Vec<PeerId>) {
        let behaviour = self.swarm.behaviour();
        let score = |peer_id: &PeerId| behaviour.gossip.peer_score(peer_id).unwrap_or_default();
        let speaks = |peer_id: &&PeerId| {
            let known = self.book.known().get(peer_id);
            known.is_some_and(|known| is_spoken(self.chain_id, &known.protocols))
        };
        let fresh = self.book.live().keys().filter(|peer_id| !asked.contains(peer_id)).filter(speaks);
        let Some(best) = fresh.max_by(|a, b| score(a).total_cmp(&score(b))).copied() else {
            tracing::debug!(number = wanted.number, "no peer to ask for a missed block");
            while self.syncing.gaps.failed(wanted) {}
            return;
        };
        asked.push(best);
        let request = self.swarm.behaviour_mut().sync.send_request(&best, wanted.number);
        self.syncing.asked.insert(request, (wanted, asked));
    }

    fn ask_again(&mut self, wanted: Wanted, asked: Vec<PeerId>) {
        if self.syncing.gaps.failed(wanted) {
            self.ask(wanted, asked);
        }
    }

    fn on_response(&mut self, peer: PeerId, request: OutboundRequestId, answer: Answer) {
        let Some((wanted, asked)) = self.syncing.asked.remove(&request) else { return };
        match answer {
            Answer::Found { version, signed } => {
                let forks = self.syncing.forks;
                self.syncing.look(wanted, asked, move || check(wanted, version, &signed, &forks));
            }
            // Not to have a block is not a failure.
            Answer::Refused(Refused::NotFound) => self.ask_again(wanted, asked),
            Answer::Kept(_) | Answer::Refused(Refused::Invalid | Refused::Unavailable) => {
                self.record_action(peer, PeerAction::RequestFailed);
                self.ask_again(wanted, asked);
            }
        }
    }

    pub(super) fn on_checked(&mut self, checked: Checked) {
        let Checked { wanted, asked, found } = checked;
        let Some(from) = asked.last().copied() else { return };
        let (envelope, kept) = match found {
            Found::Wanted(envelope, kept) => (envelope, kept),
            // Who is asked by number answers with the fork that it knows: after a reorg that is not a lie.
            Found::Another => {
                tracing::debug!(%from, number = wanted.number, hash = %wanted.hash, "block is on another branch");
                self.ask_again(wanted, asked);
                return;
            }
            Found::Unknown => {
                self.ask_again(wanted, asked);
                return;
            }
            Found::Nothing => {
                tracing::debug!(%from, number = wanted.number, hash = %wanted.hash, "peer has no block at the height");
                self.record_action(from, PeerAction::WrongResponse);
                self.ask_again(wanted, asked);
                return;
            }
        };
        self.record_action(from, PeerAction::Useful);
        self.events.counters().filled.increment();
        self.syncing.recent.keep(wanted.number, wanted.hash, kept);
        let next = self.syncing.gaps.filled(wanted, &envelope, &self.syncing.recent);
        self.events.offer(NetworkEvent::Filled { envelope, from });
        next.into_iter().for_each(|wanted| self.ask(wanted, Vec::new()));
    }
}

/// Whether the bytes are the block that was asked for, and how it is kept.
fn check(wanted: Wanted, version: u32, signed: &Bytes, forks: &ForkTimes) -> Found {
    let opened = open(version, signed, forks)
        .inspect_err(|error| tracing::debug!(number = wanted.number, %error, "invalid block in a response"));
    match opened {
        Ok(envelope) if wanted.is_met_by(&envelope, forks) => {
            let Ok(compressed) = compress(signed) else { return Found::Nothing };
            let version = forks.version_at(envelope.payload.timestamp);
            Found::Wanted(
                Box::new(envelope),
                Kept { compressed: compressed.into(), is_signed: false, version },
            )
        }
        Ok(envelope) if wanted.is_rivalled_by(&envelope, forks) => Found::Another,
        Ok(_) | Err(_) => Found::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExecutionPayload, UnixSeconds, sample};
    use rstest::rstest;

    fn respond(change: impl FnOnce(&mut ExecutionPayload)) -> Found {
        let forks = ForkTimes::AT_GENESIS;
        let asked_for = sample::envelope(7, |_| ());
        let at_latest = UnixSeconds(asked_for.payload.timestamp.0 + 1);
        let wanted = Wanted { number: 7, hash: asked_for.payload.block_hash, at_latest };
        let mut answer = asked_for;
        change(&mut answer.payload);
        check(wanted, 1, &answer.encode().unwrap(), &forks)
    }

    /// A walk that nobody ends would take one of the few places forever.
    #[tokio::test]
    async fn a_look_that_panics_still_ends_and_blames_nobody() {
        let mut syncing = Syncing::new(ForkTimes::AT_GENESIS, Instant::now());
        let wanted = Wanted { number: 7, hash: alloy_primitives::B256::ZERO, at_latest: sample::NOW };
        let asked = vec![PeerId::random()];
        syncing.look(wanted, asked.clone(), || panic!("as if"));
        let checked = syncing.next_checked().await.unwrap();
        assert_eq!((checked.wanted, checked.asked), (wanted, asked));
        assert!(matches!(checked.found, Found::Unknown));
        assert!(syncing.looked_for.is_empty() && syncing.next_checked().await.is_none());
    }

    fn rehashed(payload: &mut ExecutionPayload) {
        payload.block_hash = payload.recompute_hash();
    }

    #[rstest]
    #[case::the_block(respond(|_| ()), "wanted")]
    #[case::of_another_fork(respond(|payload| { payload.gas_used += 1; rehashed(payload); }), "another")]
    #[case::of_another_height(respond(|payload| { payload.number += 1; rehashed(payload); }), "nothing")]
    #[case::that_is_not_what_it_says(respond(|payload| payload.gas_used += 1), "nothing")]
    #[case::bytes(check(Wanted { number: 7, hash: alloy_primitives::B256::ZERO, at_latest: sample::NOW }, 1, &Bytes::from_static(&[1; 99]), &ForkTimes::AT_GENESIS), "nothing")]
    fn an_answer_is(#[case] found: Found, #[case] expected: &str) {
        let name = match found {
            Found::Wanted(envelope, kept) => {
                assert!(envelope.payload.number == 7 && !kept.is_signed);
                "wanted"
            }
            Found::Another => "another",
            Found::Nothing => "nothing",
            Found::Unknown => "unknown",
        };
        assert_eq!(name, expected);
    }
}
