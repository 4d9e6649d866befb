//! What is numbered in memory continues over restarts.

use super::*;
use crate::gossip::Refusals;
use crate::metrics::Metrics;
use crosscheck_core::validity::DependencySet;
use crosscheck_p2p::{PeerId, Reason, Refusal, RefusalVerdict};

#[tokio::test]
async fn a_cursor_of_an_earlier_run_misses_nothing_of_this_run() {
    let dir = TempDir::new().unwrap();
    let metrics = Metrics::new(DependencySet::new([].into(), 100)).unwrap();
    let mut cursor = 0;
    for _ in 0..3 {
        let ledger = ledger(&dir).await;
        let refusals = Refusals::new(metrics.clone()).after_number(ledger.begin_run(NOW).await.unwrap());
        for _ in 0..2 {
            let refusal = Refusal::from(Reason::BadSignature);
            let (topic, peer) = (Topic::CrossSafeBlocksV1, PeerId::random());
            refusals.note(chain(), topic, RefusalVerdict::Reject, &refusal, peer, NOW);
        }
        let found = refusals.after(cursor, 10);
        assert_eq!(found.len(), 2, "after {cursor}");
        cursor = found[1].id;
        assert!(cursor < 1 << 53, "a number that every JSON reader can hold");
        ledger.close().await;
    }
}
