//! [`EndpointPool`]: the endpoints of one chain, asked at once, and the state of each among the others.
//!
//! It waits for as many as it takes to agree, not for the slowest; late answers are evaluated afterwards, so
//! that a liar is named however slow it is. It never decides by one answer what a quorum must.

use super::poll::{Poll, Vote, VoteTally};
use super::{Endpoint, EndpointHealth, EndpointPace, EndpointState, Quorum, SourceError};
use crosscheck_core::heads::L2BlockRef;
use crosscheck_p2p::ChainId;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{debug, info, warn};

/// How many rounds of questions may have outstanding answers without a waiting caller. One round more is cut
/// off; who hangs is named by the requests of the others, when they time out.
const MAX_LATE_ANSWERS: usize = 64;

/// How long endpoints may take longer than a quorum does, where their answers could still raise the outcome.
const GRACE: Duration = Duration::from_millis(200);

/// How long one endpoint is waited for before the next is asked the same.
const PATIENCE: Duration = Duration::from_millis(500);

/// Answers that are on their way, each with its endpoint's place.
pub(super) type Answers<T> = FuturesUnordered<BoxFuture<'static, (usize, Result<T, SourceError>)>>;

/// The endpoints of one chain. Clones share what is known of them.
#[derive(Clone, Debug)]
pub(super) struct EndpointPool {
    chain_id: ChainId,
    endpoints: Arc<[Endpoint]>,
    quorum: Quorum,
    health: Arc<watch::Sender<Vec<EndpointHealth>>>,
    /// Rounds whose outcome is known, with answers outstanding. Ended with the pool.
    late_answers: Arc<Mutex<JoinSet<()>>>,
}

impl EndpointPool {
    /// A pool of these endpoints.
    pub(super) fn new(chain_id: ChainId, endpoints: Vec<Endpoint>, quorum: Quorum) -> Self {
        let now = Instant::now();
        let cast = endpoints.iter().enumerate();
        let health = cast.map(|(place, endpoint)| EndpointHealth::new(place, endpoint.url().clone(), now));
        let (health, _) = watch::channel(health.collect());
        Self {
            chain_id,
            endpoints: endpoints.into(),
            quorum,
            health: Arc::new(health),
            late_answers: Arc::default(),
        }
    }

    pub(super) const fn chain_id(&self) -> ChainId {
        self.chain_id
    }

    pub(super) const fn quorum(&self) -> Quorum {
        self.quorum
    }

    pub(super) fn paces(&self) -> impl Iterator<Item = &EndpointPace> {
        self.endpoints.iter().map(Endpoint::pace)
    }

    pub(super) fn health(&self) -> watch::Receiver<Vec<EndpointHealth>> {
        self.health.subscribe()
    }

    /// The first answer that is one, for what proves itself: those that agree with the others are asked
    /// first, the next as soon as one fails, has nothing or takes long. `None`: all have nothing.
    ///
    /// # Errors
    /// The last failure, if there is no answer and not all have nothing.
    pub(super) async fn first<'a, T, F, A>(&'a self, ask: F) -> Result<Option<T>, SourceError>
    where
        F: Fn(&'a Endpoint) -> A,
        A: Future<Output = Result<Option<T>, SourceError>> + Send + 'a,
    {
        let mut next = self.by_health().into_iter();
        let mut asked = FuturesUnordered::new();
        let mut outcome = Ok(None);
        let ask = |(place, endpoint)| ask(endpoint).map(move |answer| (place, answer));
        asked.extend(next.next().map(&ask));
        while !asked.is_empty() {
            let Ok(answer) = tokio::time::timeout(PATIENCE, asked.next()).await else {
                asked.extend(next.next().map(&ask));
                continue;
            };
            let Some((place, answer)) = answer else { break };
            self.on_answer(place, answer.as_ref().err());
            match answer {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => {}
                Err(error) => outcome = Err(error),
            }
            asked.extend(next.next().map(&ask));
        }
        outcome
    }

    /// The endpoints, those that agree with the others first, then by how little is the matter with them.
    fn by_health(&self) -> Vec<(usize, &Endpoint)> {
        let mut order: Vec<(usize, &Endpoint)> = self.endpoints.iter().enumerate().collect();
        if order.len() > 1 {
            let health = self.health.borrow();
            order.sort_by_key(|(place, _)| health.get(*place).map(|entry| rank(&entry.state)));
        }
        order
    }

    /// Asks every endpoint at once.
    pub(super) fn ask<T, F, A>(&self, ask: F) -> Answers<T>
    where
        F: Fn(Endpoint) -> A,
        A: Future<Output = Result<T, SourceError>> + Send + 'static,
    {
        let cast = self.endpoints.iter().cloned().enumerate();
        cast.map(|(place, endpoint)| ask(endpoint).map(move |answer| (place, answer)).boxed()).collect()
    }

    /// The block at a height that a quorum agrees on. `None`: a quorum says that there is none.
    ///
    /// # Errors
    /// If no quorum says the same.
    pub(super) async fn agree(
        &self,
        number: u64,
        mut answers: Answers<Option<L2BlockRef>>,
    ) -> Result<Option<L2BlockRef>, SourceError> {
        let mut poll = Poll::new(self.quorum);
        let mut tally = VoteTally::Open;
        while let Some((place, vote)) = answers.next().await {
            self.on_answer(place, vote.as_ref().err());
            poll.record(place, vote);
            tally = poll.tally();
            if tally != VoteTally::Open {
                break;
            }
        }
        let VoteTally::Agreed(agreed) = tally else {
            self.finish_in_background(answers, |_, _, _| {});
            return Err(self.split(&format!("block {number}"), poll));
        };
        let compare = move |pool: &Self, place, said| {
            if let Some(agreed) = agreed {
                pool.compare(place, said, agreed);
            }
        };
        for (place, said) in poll.blocks() {
            compare(self, place, said);
        }
        self.finish_in_background(answers, move |pool, place, vote| {
            if let Ok(Some(said)) = vote {
                compare(pool, place, said);
            }
        });
        Ok(agreed)
    }

    /// The answers about a moving head: of a quorum at least, and of all who may raise the outcome and answer
    /// in good time. Anyone who answers later is given to `late`.
    pub(super) async fn gather(
        &self,
        mut answers: Answers<Option<L2BlockRef>>,
        late: impl Fn(&Self, usize, Vote) + Send + 'static,
    ) -> Vec<(usize, Vote)> {
        let mut gathered = Vec::with_capacity(answers.len());
        let mut deadline = None;
        while let Some((place, vote)) = self.next_until(&mut answers, deadline).await {
            self.on_answer(place, vote.as_ref().err());
            gathered.push((place, vote));
            if self.is_settled(&gathered) {
                break;
            }
            let answered = gathered.iter().filter(|(_, vote)| vote.is_ok()).count();
            if deadline.is_none() && answered >= self.quorum.needed() {
                deadline =
                    Some(Instant::now().checked_add(self.grace(&gathered)).unwrap_or_else(Instant::now));
            }
        }
        self.finish_in_background(answers, late);
        gathered
    }

    async fn next_until<T>(
        &self,
        answers: &mut Answers<T>,
        deadline: Option<Instant>,
    ) -> Option<(usize, Result<T, SourceError>)> {
        match deadline {
            None => answers.next().await,
            Some(deadline) => tokio::time::timeout_at(deadline, answers.next()).await.ok().flatten(),
        }
    }

    fn is_settled(&self, gathered: &[(usize, Vote)]) -> bool {
        let heights: Vec<u64> = heads(gathered).map(|(_, block)| block.number).collect();
        let outstanding = self.endpoints.len().saturating_sub(gathered.len());
        self.quorum.is_height_settled(&heights, outstanding)
    }

    /// How long to wait for the others: not at all for those that are known to fail.
    fn grace(&self, gathered: &[(usize, Vote)]) -> Duration {
        let health = self.health.borrow();
        let is_out = |place: usize| !gathered.iter().any(|(known, _)| *known == place);
        let mut out = health.iter().filter(|entry| is_out(entry.place));
        let are_failing = out.all(|entry| matches!(entry.state, EndpointState::Failing { .. }));
        if are_failing { Duration::ZERO } else { GRACE }
    }

    /// The block at a height, if what was said of heads is enough to agree on it.
    pub(super) fn agreed_at(&self, number: u64, votes: &[(usize, Vote)]) -> Option<L2BlockRef> {
        let mut poll = Poll::new(self.quorum);
        for (place, head) in heads(votes).filter(|(_, head)| head.number == number) {
            poll.record(place, Ok(Some(head)));
        }
        let VoteTally::Agreed(agreed) = poll.tally() else { return None };
        let agreed = agreed?;
        for (place, said) in poll.blocks() {
            self.compare(place, said, agreed);
        }
        Some(agreed)
    }

    /// The error of a question that too few answered alike.
    pub(super) fn no_quorum(&self, subject: &str, votes: &[(usize, Vote)]) -> SourceError {
        let mut poll = Poll::new(self.quorum);
        for (place, vote) in votes {
            poll.record(*place, vote.clone());
        }
        self.split(subject, poll)
    }

    fn split(&self, subject: &str, poll: Poll) -> SourceError {
        let name = |place: usize| {
            let url = self.endpoints.get(place).map(|endpoint| endpoint.url().to_string());
            format!("#{place} {}", url.unwrap_or_default())
        };
        let (needed, endpoints) = (self.quorum.needed(), self.quorum.endpoints());
        let said = poll.answers(name);
        poll.into_only_error().unwrap_or_else(|| SourceError::NoQuorum {
            chain_id: self.chain_id,
            subject: subject.to_owned(),
            needed,
            endpoints,
            said,
        })
    }

    /// Evaluates the answers that are still to come, in the background.
    fn finish_in_background<T: Send + 'static>(
        &self,
        mut answers: Answers<T>,
        take: impl Fn(&Self, usize, Result<T, SourceError>) + Send + 'static,
    ) {
        if answers.is_empty() {
            return;
        }
        let mut late_answers = self.late_answers.lock();
        while late_answers.try_join_next().is_some() {}
        if late_answers.len() >= MAX_LATE_ANSWERS {
            debug!(chain_id = %self.chain_id, "too many late answers outstanding; some are ignored");
            return;
        }
        // Not the whole pool: it would keep its own hearings running.
        let pool = Self { late_answers: Arc::default(), ..self.clone() };
        late_answers.spawn(async move {
            while let Some((place, answer)) = answers.next().await {
                pool.on_answer(place, answer.as_ref().err());
                take(&pool, place, answer);
            }
        });
    }

    /// Records an answer of an endpoint, or why there is none.
    pub(super) fn on_answer(&self, place: usize, error: Option<&SourceError>) {
        self.update(place, |entry, now| match error {
            None => entry.answered(now),
            Some(error) => {
                let timeout = self.endpoints.get(place).map(|endpoint| endpoint.pace().timeout());
                let asked =
                    timeout.filter(|_| error.is_timeout()).and_then(|timeout| now.checked_sub(timeout));
                entry.failed(error, asked, now)
            }
        });
    }

    fn compare(&self, place: usize, said: L2BlockRef, agreed: L2BlockRef) {
        self.update(place, |entry, now| entry.compared(agreed.number, said.hash(), agreed.hash(), now));
    }

    /// Records how far an endpoint is behind the tip.
    pub(super) fn note_tip(&self, place: usize, number: u64, tip: u64) {
        self.update(place, |entry, now| entry.lags(tip.saturating_sub(number), now));
    }

    /// Changes an endpoint's state; reports it and wakes the watchers if it differs.
    fn update(&self, place: usize, change: impl FnOnce(&mut EndpointHealth, Instant) -> bool) {
        self.health.send_if_modified(|health| {
            let Some(entry) = health.get_mut(place) else { return false };
            let is_other = change(entry, Instant::now());
            if is_other {
                report(self.chain_id, entry, self.endpoints.len());
            }
            is_other
        });
    }
}

/// The blocks among votes.
fn heads(votes: &[(usize, Vote)]) -> impl Iterator<Item = (usize, L2BlockRef)> {
    votes.iter().filter_map(|(place, vote)| Some((*place, vote.as_ref().ok()?.as_ref().copied()?)))
}

/// How much is the matter.
const fn rank(state: &EndpointState) -> u8 {
    match state {
        EndpointState::Agrees => 0,
        EndpointState::Behind { .. } => 1,
        EndpointState::Outvoted { .. } => 2,
        EndpointState::Failing { .. } => 3,
    }
}

fn report(chain_id: ChainId, entry: &EndpointHealth, endpoints: usize) {
    let EndpointHealth { place, endpoint, state, .. } = entry;
    match state {
        EndpointState::Agrees if endpoints == 1 => {
            info!(%chain_id, place, %endpoint, "execution endpoint answers again");
        }
        EndpointState::Agrees => {
            info!(%chain_id, place, %endpoint, "execution endpoint agrees with the others again");
        }
        _ => warn!(%chain_id, place, %endpoint, state = state.name(), detail = state.detail(),
            "execution endpoint unhealthy"),
    }
}
