//! [`TaskGroup`]: named, supervised tasks under one cancellation token, drained within a bound.
//!
//! A task that ends by itself, fails or panics ends the whole program: nothing runs half-alive.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

/// Named tasks that live and end together.
#[derive(Debug)]
pub struct TaskGroup {
    tasks: JoinSet<Result<(), eyre::Report>>,
    names: HashMap<Id, String>,
    cancel: CancellationToken,
}

/// What a task ends with: nothing, or an error that ends the program.
pub trait TaskEnd: Send + 'static {
    /// The error, if it failed.
    ///
    /// # Errors
    /// If the task failed.
    fn into_result(self) -> Result<(), eyre::Report>;
}

impl TaskEnd for () {
    fn into_result(self) -> Result<(), eyre::Report> {
        Ok(())
    }
}

impl<E: Into<eyre::Report> + Send + 'static> TaskEnd for Result<(), E> {
    fn into_result(self) -> Result<(), eyre::Report> {
        self.map_err(Into::into)
    }
}

/// The tasks that would not end in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("these tasks did not stop within {limit:?} and were aborted: {}", names.join(", "))]
pub struct DrainError {
    /// Their names.
    pub names: Vec<String>,
    /// The bound.
    pub limit: Duration,
}

impl TaskGroup {
    /// An empty group that ends with the token.
    pub fn new(cancel: CancellationToken) -> Self {
        Self { tasks: JoinSet::new(), names: HashMap::new(), cancel }
    }

    /// The token that ends the group.
    pub const fn cancellation(&self) -> &CancellationToken {
        &self.cancel
    }

    /// Starts a task. It must end when the group's token is cancelled.
    pub fn spawn<T: TaskEnd>(
        &mut self,
        name: impl Into<String>,
        task: impl Future<Output = T> + Send + 'static,
    ) {
        let handle = self.tasks.spawn(async move { task.await.into_result() });
        self.names.insert(handle.id(), name.into());
    }

    /// Waits until the token is cancelled or a task ends.
    ///
    /// # Errors
    /// If a task ended before it was cancelled.
    pub async fn supervise(&mut self) -> eyre::Result<()> {
        tokio::select! {
            () = self.cancel.cancelled() => Ok(()),
            Some(ended) = self.tasks.join_next_with_id() => {
                let result = self.describe(ended);
                if self.cancel.is_cancelled() { return Ok(()) }
                self.cancel.cancel();
                let (name, outcome) = result;
                match outcome {
                    Ok(()) => Err(eyre::eyre!("task {name} stopped unexpectedly")),
                    Err(report) => Err(report.wrap_err(format!("task {name} failed"))),
                }
            }
        }
    }

    /// Cancels the tasks and waits for them, at most `limit`.
    ///
    /// # Errors
    /// If tasks had to be cut off.
    pub async fn drain(mut self, limit: Duration) -> Result<(), DrainError> {
        self.cancel.cancel();
        let drained = tokio::time::timeout(limit, async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                match self.describe(ended) {
                    (name, Ok(())) => debug!(name, "task ended"),
                    (name, Err(report)) => {
                        error!(name, error = %format!("{report:#}"), "task failed during shutdown");
                    }
                }
            }
        });
        if drained.await.is_ok() {
            return Ok(());
        }
        let mut names: Vec<String> = self.names.into_values().collect();
        names.sort();
        warn!(tasks = names.join(", "), ?limit, "tasks did not stop in time");
        self.tasks.shutdown().await;
        Err(DrainError { names, limit })
    }

    fn describe(
        &mut self,
        ended: Result<(Id, Result<(), eyre::Report>), JoinError>,
    ) -> (String, eyre::Result<()>) {
        let (id, outcome) = match ended {
            Ok((id, outcome)) => (id, outcome),
            Err(error) => (error.id(), Err(eyre::Report::new(error))),
        };
        (self.names.remove(&id).unwrap_or_else(|| "unnamed".to_owned()), outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_failing_task_ends_the_group() {
        let mut group = TaskGroup::new(CancellationToken::new());
        let cancel = group.cancellation().clone();
        group.spawn("patient", async move {
            cancel.cancelled().await;
            Ok::<_, eyre::Report>(())
        });
        group.spawn("faulty", async { Err(eyre::eyre!("no disk")) });
        let error = group.supervise().await.unwrap_err();
        assert_eq!(format!("{error:#}"), "task faulty failed: no disk");
        assert_eq!(group.drain(Duration::from_secs(1)).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_end_is_aborted_and_named() {
        let mut group = TaskGroup::new(CancellationToken::new());
        group.spawn("stubborn", std::future::pending::<Result<(), eyre::Report>>());
        let error = group.drain(Duration::from_secs(1)).await.unwrap_err();
        assert_eq!(error.names, ["stubborn"]);
    }

    #[tokio::test(start_paused = true)]
    async fn cancelling_is_not_a_failure() {
        let mut group = TaskGroup::new(CancellationToken::new());
        group.cancellation().cancel();
        assert!(group.supervise().await.is_ok());
    }
}
