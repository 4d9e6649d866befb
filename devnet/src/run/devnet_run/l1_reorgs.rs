//! The part of a run in which L1 reorgs out attested blocks, or the batch behind a replacement.
//!
//! What the sidecar concludes, and where a follower may be, depends on what both knew at the reorg. The
//! chains wait until that is known: on a busy machine they may be many blocks behind.

use super::{DevnetRun, POLL, Tick};
use crate::faults::{L1Drop, PlannedFault};
use crate::findings::MessagePlace;
use crate::observation::Observations;
use crate::report::last_attested;
use crate::simulation::ChainTick;
use crosscheck_p2p::ChainId;
use tokio::time::{Instant, sleep};

impl DevnetRun {
    /// In the tick in which L1 reorgs out the batch behind a replacement that is not attested yet: waits
    /// until the sidecar has seen its node withdraw the replacement.
    pub(super) async fn await_withdrawn_replacement(&mut self, tick: &Tick) {
        let left = |planned: &&PlannedFault| {
            planned.is_undone_before_attestation() && planned.l1_reorg_tick() == Some(tick.number)
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

    /// Before L1 reorgs out attested blocks: waits until everything cross-safe is vouched for, and followers
    /// have it, and until there is a verdict on a replacement that will be removed.
    pub(super) async fn await_vouched(&mut self, tick: &Tick) {
        self.await_accusation(tick).await;
        self.await_displaced(tick).await;
        let plan = self.plan.faults();
        let next = tick.number.saturating_add(1);
        let is_all = plan.reorgs_l1(next) == Some(L1Drop::AllButFinal);
        let undone = |chain: &ChainTick| {
            let undone =
                plan.undone(chain.chain_id, next).filter(|planned| planned.is_undone_after_attestation())?;
            Some((chain.chain_id, undone.block))
        };
        let replaced = self.canonical(tick.chains.iter().filter_map(undone));
        let goes = |chain: &&ChainTick| is_all || undone(chain).is_some();
        // Where a sibling of the chain's own block was attested, the head continues once a block above that
        // one is upheld.
        let due = tick.chains.iter().filter(goes).filter_map(|chain| {
            let sequencers = self.superchain.sequencers();
            let sequencer = sequencers.iter().find(|sequencer| sequencer.chain_id() == chain.chain_id)?;
            let bad = plan.first_invalid_block(chain.chain_id).unwrap_or(u64::MAX);
            Some((chain.chain_id, last_attested(sequencer, plan).min(bad.saturating_sub(1))))
        });
        let due = due.collect::<Vec<_>>();
        for (chain_id, hash) in replaced {
            // Attested blocks lead followers past it; otherwise they are led back first.
            if let Some(followers) = self.followers.as_ref().filter(|_| !self.mode().attester) {
                followers.undo(chain_id, hash);
            }
            let is_judged = |seen: &Observations| seen.is_judged(chain_id, hash);
            self.poll_until(tick, self.pace.patience(), is_judged).await;
        }
        for (chain_id, due) in due {
            let id = ChainId::from(chain_id);
            let is_vouched = |seen: &Observations| {
                let status = seen.status.chains.iter().find(|status| status.chain_id == id);
                status.and_then(|status| status.vouched).is_some_and(|vouched| vouched >= due)
            };
            self.poll_until(tick, self.pace.patience(), is_vouched).await;
            let began = Instant::now();
            while self.is_follower_below(chain_id, due) && began.elapsed() < self.pace.patience() {
                sleep(POLL).await;
                self.poll(tick).await;
            }
            // The follower is judged by the present branch, and not by the one that comes.
            self.judge_followers();
        }
    }

    /// Before L1 drops the batch behind a replacement: waits until the sidecar has seen that the replaced
    /// block's messages are removed. Afterwards it could not find out whether there was a replacement.
    async fn await_displaced(&mut self, tick: &Tick) {
        let next = tick.number.saturating_add(1);
        let goes = |planned: &PlannedFault| {
            planned.is_undone() && !planned.becomes_canonical() && planned.l1_reorg_tick() == Some(next)
        };
        let planted = self.planted.iter().filter(|planted| goes(&planted.fault));
        let places: Vec<MessagePlace> =
            planted.flat_map(|planted| planted.executed.iter().copied()).collect();
        let is_gone = |seen: &Observations, place: &MessagePlace| {
            seen.messages.at(place).is_some_and(|message| message.state != "tracked")
        };
        let all_gone = |seen: &Observations| places.iter().all(|place| is_gone(seen, place));
        self.poll_until(tick, self.pace.patience(), all_gone).await;
    }

    pub(super) fn is_follower_below(&self, chain_id: u64, height: u64) -> bool {
        let safe = self.followers.as_ref().and_then(|followers| followers.safe(chain_id));
        safe.is_some_and(|safe| safe < height)
    }
}
