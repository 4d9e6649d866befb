//! [`Reasons`]: why what open cases wait for cannot be had, in words. Written where it fails, read where it is told.

use super::Wait;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The last words on each kind of wait. There are as many kinds as chains, what is awaited and causes make.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reasons(Arc<Mutex<BTreeMap<Wait, String>>>);

impl Reasons {
    /// Notes why this cannot be had. `true`: that is something new.
    pub(super) fn note(&self, wait: Wait, reason: &str) -> bool {
        self.0.lock().insert(wait, reason.to_owned()).as_deref() != Some(reason)
    }

    /// What a case waits for, in words.
    pub(super) fn in_words(&self, waits: &BTreeSet<Wait>) -> String {
        let known = self.0.lock();
        let words = waits.iter().map(|wait| match known.get(wait) {
            Some(reason) => format!("{wait}: {reason}"),
            None => wait.to_string(),
        });
        let words: Vec<String> = words.collect();
        if words.is_empty() { "nothing: it is being looked at".to_owned() } else { words.join("; ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Awaited, Cause};

    #[test]
    fn the_last_words_on_each_wait_are_told() {
        let l1 = Wait { awaited: Awaited::L1, chain_id: 901.into(), cause: Cause::EndpointError };
        let head = Wait { awaited: Awaited::LocalSafe, chain_id: 902.into(), cause: Cause::NotYet };
        let reasons = Reasons::default();
        assert!(reasons.note(l1, "refused"));
        assert!(!reasons.note(l1, "refused"));
        assert!(reasons.note(l1, "timed out"));
        assert_eq!(
            reasons.in_words(&[l1, head].into()),
            "that its height is local-safe on chain 902 (not yet); what L1 says of a block of chain 901 (an endpoint fails): timed out"
        );
        assert_eq!(reasons.in_words(&BTreeSet::new()), "nothing: it is being looked at");
    }
}
