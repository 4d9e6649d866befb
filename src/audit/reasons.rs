//! [`Reasons`]: why what open cases wait for is unavailable, in words. Written where it fails, read where it
//! is reported: of each kind of wait the last text, and of each check of a case its own.

use crosscheck_core::case::Wait;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is noted during one check of a case.
pub(super) type ReasonTexts = BTreeMap<Wait, String>;

tokio::task_local! {
    /// What was noted during the look that is under way.
    static NOTED: Mutex<ReasonTexts>;
}

/// Runs one check of a case, and also returns what was noted during it.
pub(super) async fn with_texts<T>(look: impl Future<Output = T>) -> (T, ReasonTexts) {
    let noting = async {
        let found = look.await;
        (found, NOTED.with(|noted| std::mem::take(&mut *noted.lock())))
    };
    NOTED.scope(Mutex::default(), noting).await
}

/// Reasons without what is another each time, such as heights and hashes: while this stays they say nothing
/// new.
pub(super) fn normalize(reason_text: &str) -> String {
    let tokens = reason_text.split_inclusive(|letter: char| !letter.is_alphanumeric());
    let normalized =
        tokens.map(|token| if token.contains(|letter: char| letter.is_ascii_digit()) { "#" } else { token });
    normalized.collect()
}

/// The last words on each kind of wait. There are as many kinds as chains, what is awaited and causes make.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reasons(Arc<Mutex<BTreeMap<Wait, String>>>);

impl Reasons {
    /// Notes why this is unavailable. `true`: that is something new.
    pub(super) fn note(&self, wait: Wait, reason: &str) -> bool {
        // Outside of a look nobody asks for its words.
        let _outside = NOTED.try_with(|noted| noted.lock().insert(wait, reason.to_owned()));
        self.0.lock().insert(wait, reason.to_owned()).as_deref() != Some(reason)
    }

    /// What a case waits for, in words.
    pub(super) fn in_words(&self, waits: &BTreeSet<Wait>) -> String {
        let known = self.0.lock();
        let reason_text = waits.iter().map(|wait| match known.get(wait) {
            Some(reason) => format!("{wait}: {reason}"),
            None => wait.to_string(),
        });
        let reason_text: Vec<String> = reason_text.collect();
        if reason_text.is_empty() {
            "nothing: it is being checked".to_owned()
        } else {
            reason_text.join("; ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosscheck_core::case::{Awaited, Cause};

    #[test]
    fn the_last_text_of_each_wait_is_reported() {
        let l1 = Wait { awaited: Awaited::L1, chain_id: 901.into(), cause: Cause::EndpointError };
        let head = Wait { awaited: Awaited::LocalSafe, chain_id: 902.into(), cause: Cause::NotYet };
        let reasons = Reasons::default();
        assert!(reasons.note(l1, "refused"));
        assert!(!reasons.note(l1, "refused"));
        assert!(reasons.note(l1, "timed out"));
        assert_eq!(
            reasons.in_words(&[l1, head].into()),
            "its height to be local-safe on chain 902 (not yet); the L1 data of a block of chain 901 (an endpoint fails): timed out"
        );
        assert_eq!(reasons.in_words(&BTreeSet::new()), "nothing: it is being checked");
    }

    #[tokio::test]
    async fn concurrent_checks_do_not_share_texts() {
        let l1 = Wait { awaited: Awaited::L1, chain_id: 901.into(), cause: Cause::EndpointError };
        let reasons = Reasons::default();
        let look = |reason_text: &'static str| {
            let reasons = reasons.clone();
            with_texts(async move {
                reasons.note(l1, reason_text);
                tokio::task::yield_now().await;
            })
        };
        let (first, second) = tokio::join!(look("refused"), look("timed out"));
        assert_eq!(
            (first.1, second.1),
            ([(l1, "refused".to_owned())].into(), [(l1, "timed out".to_owned())].into())
        );
    }

    #[test]
    fn a_changed_height_or_hash_is_not_a_new_reason() {
        let normalized = |number: u64, hash: &str| {
            normalize(&format!("block {number} builds on {hash}, the node has none"))
        };
        assert_eq!(normalized(7, "0xab12"), normalized(123, "0x0c"));
        assert_ne!(normalized(7, "0xab12"), normalize("block 7 builds on nothing"));
    }
}
