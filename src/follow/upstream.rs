//! [`Upstream`]: whose status is served on. The chain's own rollup node is polled by its head watcher already;
//! another upstream is polled here.

use crate::audit::{Answer, Heads};
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
    Sibling(Option<watch::Receiver<Option<Answer>>>),
    Other { node: RollupNode, interval: Duration, pause: Duration, due: Instant, last: Option<Answer> },
}

impl Upstream {
    /// The chain's own rollup node.
    pub fn sibling(heads: &Heads, chain_id: ChainId) -> Self {
        Self(Kind::Sibling(heads.answers(chain_id)))
    }

    /// Another node, asked every `interval`, less often while it does not answer.
    pub fn other(node: RollupNode, interval: Duration) -> Self {
        Self(Kind::Other { node, interval, pause: interval, due: Instant::now(), last: None })
    }

    /// Its last answer; a node that is due to be asked is asked first.
    pub(super) async fn answer(&mut self) -> Result<Option<Answer>, SourceError> {
        match &mut self.0 {
            Kind::Sibling(answers) => Ok(answers.as_mut().and_then(|answers| {
                let answer = answers.borrow_and_update();
                answer.clone()
            })),
            Kind::Other { node, interval, pause, due, last } => {
                if Instant::now() >= *due {
                    let answer = node.status().await;
                    *pause = match &answer {
                        Ok(_) => *interval,
                        Err(_) => pause.saturating_mul(2).min(LONGEST_PAUSE).max(*interval),
                    };
                    *due = Instant::now().checked_add(*pause).unwrap_or(*due);
                    *last = Some(Answer { document: answer?, at: Instant::now() });
                }
                Ok(last.clone())
            }
        }
    }

    /// How old its last answer is.
    pub(super) fn age(&self) -> Option<Duration> {
        match &self.0 {
            Kind::Sibling(answers) => {
                answers.as_ref().and_then(|answers| answers.borrow().as_ref().map(|one| one.at.elapsed()))
            }
            Kind::Other { last, .. } => last.as_ref().map(|one| one.at.elapsed()),
        }
    }

    /// Waits until there may be a new answer.
    pub(super) async fn news(&mut self) {
        match &mut self.0 {
            Kind::Sibling(Some(answers)) => {
                if answers.changed().await.is_err() {
                    std::future::pending().await
                }
            }
            Kind::Sibling(None) => std::future::pending().await,
            Kind::Other { due, .. } => tokio::time::sleep_until(*due).await,
        }
    }
}
