//! [`notify_when_heads_appear`]: a chain's reader can do nothing without heads. It runs as soon as its node
//! has reported some.

use super::PollHints;
use crosscheck_p2p::ChainId;
use std::convert::Infallible;
use tokio::sync::watch;

/// Sends the chain's reader to look each time that its heads become known after they were not.
pub async fn notify_when_heads_appear<T>(
    mut heads: watch::Receiver<Option<T>>,
    hints: PollHints,
    chain_id: ChainId,
) -> Infallible {
    let mut were_known = false;
    loop {
        let are_known = heads.borrow_and_update().is_some();
        if are_known && !were_known {
            hints.wake(chain_id);
        }
        were_known = are_known;
        if heads.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn the_reader_is_woken_once_when_heads_become_known() {
        let chain_id = ChainId::from(901);
        let hints = PollHints::new([chain_id]);
        let (heads, reported) = watch::channel(None);
        let mut nudging = notify_when_heads_appear(reported, hints.clone(), chain_id).boxed();
        let mut nudged = || {
            assert!(nudging.as_mut().now_or_never().is_none());
            hints.wait(chain_id).now_or_never().is_some()
        };
        assert!(!nudged());
        for (said, is_word) in [(Some(1), true), (Some(2), false), (None, false), (Some(3), true)] {
            heads.send_replace(said);
            assert_eq!(nudged(), is_word, "{said:?}");
        }
    }
}
