//! [`Health`]: what stands in the way of being ready, by part of the program. Pure shared state: no I/O.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What stands in the way of being ready. Clones share the state.
#[derive(Clone, Debug, Default)]
pub struct Health {
    obstacles: Arc<Mutex<BTreeMap<String, Option<String>>>>,
}

impl Health {
    /// Announces a part that must report before the program is ready.
    pub fn expect(&self, part: &str) {
        self.obstacles.lock().entry(part.to_owned()).or_insert_with(|| Some("not heard of yet".to_owned()));
    }

    /// The part works. `true`: it did not before.
    pub fn clear(&self, part: &str) -> bool {
        self.obstacles.lock().insert(part.to_owned(), None) != Some(None)
    }

    /// The part does not work. `true`: it did before, or for another reason.
    pub fn obstruct(&self, part: &str, reason: String) -> bool {
        let mut obstacles = self.obstacles.lock();
        let known = obstacles.insert(part.to_owned(), Some(reason.clone()));
        known != Some(Some(reason))
    }

    /// What stands in the way: empty when ready.
    pub fn reasons(&self) -> Vec<String> {
        let obstacles = self.obstacles.lock();
        let standing = obstacles.iter().filter_map(|(part, reason)| Some((part, reason.as_ref()?)));
        standing.map(|(part, reason)| format!("{part}: {reason}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_once_every_part_reported() {
        let health = Health::default();
        health.expect("l1");
        health.expect("901 node");
        assert_eq!(health.reasons().len(), 2);
        assert!(health.clear("l1"));
        assert!(!health.clear("l1"));
        assert_eq!(health.reasons(), ["901 node: not heard of yet"]);
        health.clear("901 node");
        assert!(health.reasons().is_empty());
    }

    #[test]
    fn a_part_may_fail_again() {
        let health = Health::default();
        health.clear("l1");
        assert!(health.obstruct("l1", "gone".to_owned()));
        assert!(!health.obstruct("l1", "gone".to_owned()));
        assert_eq!(health.reasons(), ["l1: gone"]);
    }
}
