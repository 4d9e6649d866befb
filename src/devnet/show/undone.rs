//! The part of a run in which L1 drops what brought a replacement, before the replacement is attested.
//!
//! What the sidecar makes of that word depends on whether it knows by then that its node has left the branch. The chains wait until
//! it does: on a busy machine it may be many blocks behind.

use super::{Show, Tick};
use crate::devnet::{faults::PlannedFault, observations::Observations};
use crosscheck_p2p::ChainId;

impl Show {
    /// In the tick in which L1 drops what brought a replacement that nobody has attested yet: waits until the sidecar has seen its
    /// node take the replacement back.
    pub(super) async fn await_left(&mut self, tick: &Tick) {
        let left = |planned: &&PlannedFault| {
            planned.is_unseen_undone() && planned.l1_reorg_tick() == Some(tick.number)
        };
        let chains: Vec<_> = self.plan.faults().iter().filter(left).map(|planned| planned.chain_id).collect();
        for chain in tick.chains.iter().filter(|chain| chains.contains(&chain.chain_id)) {
            let (id, local_safe) = (ChainId::from(chain.chain_id), chain.heads.local_safe);
            let is_seen = |seen: &Observations| {
                let status = seen.status.chains.iter().find(|status| status.chain_id == id);
                status.and_then(|status| status.local_safe).is_some_and(|head| head <= local_safe)
            };
            self.poll_until(tick, self.pace.patience(), is_seen).await;
        }
    }
}
