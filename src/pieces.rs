//! [`Pieces`]: pieces of work that run beside a task, each known by what it is about until it ends, however
//! it ends.
//!
//! A piece that panics is handed back by its name: anyone who began it can begin it again. Nothing is retried
//! here.

use std::collections::HashMap;
use std::future::Future;
use tokio::task::{Id, JoinError, JoinSet};

/// Pieces of work under way. They end with it.
#[derive(Debug)]
pub(crate) struct Pieces<K, T> {
    running: JoinSet<T>,
    names: HashMap<Id, K>,
}

impl<K, T: Send + 'static> Pieces<K, T> {
    /// Nothing is under way.
    pub(crate) fn new() -> Self {
        Self { running: JoinSet::new(), names: HashMap::new() }
    }

    /// How many are under way.
    pub(crate) fn len(&self) -> usize {
        self.running.len()
    }

    /// Begins one.
    pub(crate) fn begin(&mut self, name: K, work: impl Future<Output = T> + Send + 'static) {
        let id = self.running.spawn(work).id();
        self.names.insert(id, name);
    }

    /// Waits for the next one that ends: what it was about, and what came of it. `None`: nothing is under
    /// way. If this is dropped while it waits, nothing is lost.
    pub(crate) async fn next(&mut self) -> Option<(K, Result<T, JoinError>)> {
        loop {
            let (id, outcome) = match self.running.join_next_with_id().await? {
                Ok((id, outcome)) => (id, Ok(outcome)),
                Err(error) => (error.id(), Err(error)),
            };
            if let Some(name) = self.names.remove(&id) {
                return Some((name, outcome));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_task_is_known_by_its_name_even_if_it_panics() {
        let mut pieces = Pieces::new();
        pieces.begin("whole", async { 7 });
        pieces.begin("broken", async { panic!("as a test of panics wants it") });
        let mut ended = Vec::new();
        while let Some((name, outcome)) = pieces.next().await {
            ended.push((name, outcome.ok()));
        }
        ended.sort_unstable();
        assert_eq!(ended, [("broken", None), ("whole", Some(7))]);
        assert!(pieces.names.is_empty());
    }
}
