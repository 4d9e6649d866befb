//! [`Upstream`]: whose status is served on. The chain's own rollup node is polled by its head watcher
//! already; another upstream is polled here.

use crate::audit::{Heads, StatusAnswer, shows_that_it_verifies};
use crate::sources::{RollupNode, SourceError};
use crosscheck_core::heads::SafeMeans;
use crosscheck_p2p::ChainId;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// The longest pause between two attempts at an upstream that does not answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Whose status is served on.
#[derive(Debug)]
pub struct Upstream {
    kind: Kind,
    /// The names of its nodes as claimants, by place.
    names: Vec<String>,
}

#[derive(Debug)]
enum Kind {
    Sibling(Option<watch::Receiver<Option<StatusAnswer>>>),
    Other(Box<Polled>),
}

#[derive(Debug)]
struct Polled {
    node: RollupNode,
    interval: Duration,
    pause: Duration,
    due: Instant,
    last: Option<StatusAnswer>,
    verifies: bool,
}

impl Upstream {
    /// The chain's own rollup nodes, of these names as claimants.
    pub fn sibling(heads: &Heads, chain_id: ChainId, names: Vec<String>) -> Self {
        Self { kind: Kind::Sibling(heads.answers(chain_id)), names }
    }

    /// Another node, asked every `interval`, less often while it does not answer.
    pub fn other(node: RollupNode, interval: Duration, name: String) -> Self {
        let polled =
            Polled { node, interval, pause: interval, due: Instant::now(), last: None, verifies: false };
        Self { kind: Kind::Other(Box::new(polled)), names: vec![name] }
    }

    /// The name, as a claimant, of its node at this place.
    pub(super) fn name(&self, place: usize) -> String {
        self.names.get(place).cloned().unwrap_or_default()
    }

    /// Whether it is the chain's own rollup node.
    pub(super) const fn is_sibling(&self) -> bool {
        matches!(self.kind, Kind::Sibling(_))
    }

    /// Its last answer; a node that is due to be asked is asked first.
    pub(super) async fn answer(&mut self) -> Result<Option<StatusAnswer>, SourceError> {
        match &mut self.kind {
            Kind::Sibling(answers) => Ok(answers.as_mut().and_then(|answers| {
                let answer = answers.borrow_and_update();
                answer.clone()
            })),
            Kind::Other(polled) => polled.answer().await,
        }
    }

    /// How old its last answer is.
    pub(super) fn age(&self) -> Option<Duration> {
        match &self.kind {
            Kind::Sibling(answers) => {
                answers.as_ref().and_then(|answers| answers.borrow().as_ref().map(|one| one.at.elapsed()))
            }
            Kind::Other(polled) => polled.last.as_ref().map(|one| one.at.elapsed()),
        }
    }

    /// Waits until there may be a new answer.
    pub(super) async fn changed(&mut self) {
        match &mut self.kind {
            Kind::Sibling(Some(answers)) => {
                if answers.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            Kind::Sibling(None) => std::future::pending().await,
            Kind::Other(polled) => tokio::time::sleep_until(polled.due).await,
        }
    }
}

impl Polled {
    async fn answer(&mut self) -> Result<Option<StatusAnswer>, SourceError> {
        if Instant::now() >= self.due {
            let answer = self.node.status().await;
            // It may be another program when it answers again.
            self.verifies &= answer.is_ok();
            self.pause = match &answer {
                Ok(_) => self.interval,
                Err(_) => self.pause.saturating_mul(2).min(LONGEST_PAUSE).max(self.interval),
            };
            self.due = Instant::now().checked_add(self.pause).unwrap_or(self.due);
            let (document, at) = (answer?, Instant::now());
            // Whether it verifies messages shows in its heads.
            self.verifies |= shows_that_it_verifies(&document.heads());
            let safe_means = if self.verifies { SafeMeans::CrossSafe } else { SafeMeans::LocalSafe };
            self.last = Some(StatusAnswer { document, at, place: 0, safe_means });
        }
        Ok(self.last.clone())
    }
}
