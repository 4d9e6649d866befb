//! [`VouchedWatch`]: reports vouched heads that do not move while their chains continue.
//!
//! A chain without any attestation or claim so far is left out: perhaps none are published there. It sends no
//! requests, accuses no one and moves no head.

use crate::sources::SyncStatus;
use crate::stalled_heads::{StalledHeads, WatchedHead};
use alloy::eips::BlockNumHash;
use crosscheck_p2p::ChainId;
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// Reports them.
#[derive(Debug)]
pub struct VouchedWatch {
    heads: BTreeMap<ChainId, StalledHeads>,
    attested: BTreeSet<ChainId>,
    vouched: BTreeMap<ChainId, BlockNumHash>,
}

impl VouchedWatch {
    /// A watch over these chains.
    pub(crate) const fn new(heads: BTreeMap<ChainId, StalledHeads>) -> Self {
        Self { heads, attested: BTreeSet::new(), vouched: BTreeMap::new() }
    }

    /// Takes in that an attestation or a claim of the chain has come, now or in an earlier run.
    pub(super) fn attested(&mut self, chain_id: ChainId) {
        self.attested.insert(chain_id);
    }

    /// Records where a chain's vouched head is.
    pub(super) fn set_vouched(&mut self, chain_id: ChainId, vouched: BlockNumHash) {
        self.vouched.insert(chain_id, vouched);
    }

    /// Checks whether a chain with this status has moved on without its vouched head.
    pub(super) fn check(&mut self, chain_id: ChainId, status: &SyncStatus, now: Instant) {
        let Some(heads) = self.heads.get_mut(&chain_id) else { return };
        // A node that names no local-safe head is reported elsewhere; the time continues.
        let Some(local_safe) = status.local_safe_l2 else { return };
        let vouched = self.vouched.get(&chain_id).filter(|_| self.attested.contains(&chain_id));
        let behind = vouched.copied().filter(|vouched| vouched.number < local_safe.number);
        heads.check(WatchedHead::Vouched, behind, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Health;
    use crate::metrics::Metrics;
    use crate::stalled_heads::StallBounds;
    use alloy::primitives::B256;
    use crosscheck_core::heads::L2BlockRef;
    use crosscheck_core::validity::DependencySet;
    use crosscheck_p2p::UnixSeconds;
    use std::time::Duration;

    const BOUND: Duration = Duration::from_secs(600);

    fn watch() -> (VouchedWatch, Health, ChainId) {
        let (health, chain_id) = (Health::default(), ChainId::from(901));
        let metrics = Metrics::new(DependencySet::new([].into(), 1)).unwrap();
        let bounds = StallBounds { vouched: BOUND, ..StallBounds::LONG };
        let heads = StalledHeads::new(chain_id, bounds, health.clone(), metrics);
        (VouchedWatch::new([(chain_id, heads)].into()), health, chain_id)
    }

    fn block(number: u64) -> BlockNumHash {
        BlockNumHash { number, hash: B256::with_last_byte(1) }
    }

    fn local_safe(number: u64) -> SyncStatus {
        let local_safe_l2 = L2BlockRef::new(number, B256::with_last_byte(2), UnixSeconds(1));
        SyncStatus { local_safe_l2, ..SyncStatus::default() }
    }

    #[test]
    fn a_head_that_stays_behind_is_reported_until_it_moves() {
        let (mut watch, health, chain_id) = watch();
        watch.attested(chain_id);
        watch.set_vouched(chain_id, block(7));
        let start = Instant::now();
        watch.check(chain_id, &local_safe(8), start);
        watch.check(chain_id, &local_safe(300), start + BOUND);
        assert_eq!(health.reasons(), [""; 0]);
        watch.check(chain_id, &local_safe(301), start + BOUND + Duration::from_secs(1));
        watch.check(chain_id, &SyncStatus::default(), start + BOUND * 2);
        let reasons = health.reasons();
        assert!(matches!(&reasons[..], [reason] if reason.contains("vouched head")), "{reasons:?}");
        watch.set_vouched(chain_id, block(9));
        watch.check(chain_id, &local_safe(301), start + BOUND * 2);
        assert_eq!(health.reasons(), [""; 0]);
    }

    #[test]
    fn a_vouched_head_at_the_head_of_its_chain_is_not_reported() {
        let (mut watch, health, chain_id) = watch();
        watch.attested(chain_id);
        watch.set_vouched(chain_id, block(7));
        let start = Instant::now();
        for minutes in [0, 30, 60] {
            watch.check(chain_id, &local_safe(7), start + Duration::from_secs(60 * minutes));
        }
        watch.check(chain_id, &local_safe(8), start + BOUND * 12);
        assert_eq!(health.reasons(), [""; 0], "it is behind since now");
    }

    #[test]
    fn without_attestations_no_delay_is_reported() {
        let (mut watch, health, chain_id) = watch();
        watch.set_vouched(chain_id, block(7));
        let start = Instant::now();
        for seconds in [0, 601] {
            watch.check(chain_id, &local_safe(300), start + Duration::from_secs(seconds));
        }
        assert_eq!(health.reasons(), [""; 0]);
    }
}
