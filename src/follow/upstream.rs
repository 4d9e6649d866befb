//! [`Upstream`]: whose status is served on. The chain's own rollup node is polled by its head watcher already;
//! another upstream is polled here.

use crate::audit::{Heads, StatusAnswer};
use crate::sources::{RollupNode, SourceError};
use crosscheck_p2p::ChainId;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// The longest pause between two attempts at an upstream that does not answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Whose status is served on.
#[derive(Debug)]
pub struct Upstream(Kind);

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
}

impl Upstream {
    /// The chain's own rollup node.
    pub fn sibling(heads: &Heads, chain_id: ChainId) -> Self {
        Self(Kind::Sibling(heads.answers(chain_id)))
    }

    /// Another node, asked every `interval`, less often while it does not answer.
    pub fn other(node: RollupNode, interval: Duration) -> Self {
        let polled = Polled { node, interval, pause: interval, due: Instant::now(), last: None };
        Self(Kind::Other(Box::new(polled)))
    }

    /// Whether it is the chain's own rollup node.
    pub(super) const fn is_sibling(&self) -> bool {
        matches!(self.0, Kind::Sibling(_))
    }

    /// Its last answer; a node that is due to be asked is asked first.
    pub(super) async fn answer(&mut self) -> Result<Option<StatusAnswer>, SourceError> {
        match &mut self.0 {
            Kind::Sibling(answers) => Ok(answers.as_mut().and_then(|answers| {
                let answer = answers.borrow_and_update();
                answer.clone()
            })),
            Kind::Other(polled) => polled.answer().await,
        }
    }

    /// How old its last answer is.
    pub(super) fn age(&self) -> Option<Duration> {
        match &self.0 {
            Kind::Sibling(answers) => {
                answers.as_ref().and_then(|answers| answers.borrow().as_ref().map(|one| one.at.elapsed()))
            }
            Kind::Other(polled) => polled.last.as_ref().map(|one| one.at.elapsed()),
        }
    }

    /// Waits until there may be a new answer.
    pub(super) async fn changed(&mut self) {
        match &mut self.0 {
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
            self.pause = match &answer {
                Ok(_) => self.interval,
                Err(_) => self.pause.saturating_mul(2).min(LONGEST_PAUSE).max(self.interval),
            };
            self.due = Instant::now().checked_add(self.pause).unwrap_or(self.due);
            self.last = Some(StatusAnswer { document: answer?, at: Instant::now() });
        }
        Ok(self.last.clone())
    }
}
