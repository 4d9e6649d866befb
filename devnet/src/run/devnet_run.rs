//! [`DevnetRun`]: the part of a run in which the chains move: ticks, gossip, and the sidecar's verdicts as
//! they come.
//!
//! It keeps the pace, and knows of each fault what was published and when.

mod claims;
mod disturbances;
mod l1_reorgs;
mod withdrawn_verdicts;

use self::claims::{DerivedInvalid, holds_instead};
use self::withdrawn_verdicts::is_becoming_canonical;
use super::pause::Pauses;
use super::plan::DevnetPlan;
use super::progress::Progress;
use super::runner::DevnetError;
use super::tick_view::{genesis_final, has_judged, has_received, outages, remaining, unknown_heads};
use crate::faults::WaitFor;
use crate::findings::{MessagePlace, SeenMessage};
use crate::follower::Followers;
use crate::gossip::Networks;
use crate::observation::{Observations, Watch};
use crate::report::{
    ChainReport, DevnetOutcome, DevnetReport, PlantedAttestation, PlantedFault, held_elsewhere,
    lagging_followers, missed, unrefuted, unsettled,
};
use crate::serve::Nodes;
use crate::simulation::{ChainTick, Sequencer, Superchain, Tick, Withdrawal};
use crate::timing::{PATIENCE, RunClock, RunPace};
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, Clock, SystemClock};
use indicatif::MultiProgress;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// How often the sidecar is asked while it is waited for.
const POLL: Duration = Duration::from_millis(10);
/// How often a follower asks before the chains continue, where it is to see what its source says.
const FOLLOWER_POLLS: u64 = 3;
/// How often the machine's clock is checked.
const CLOCK_POLL: Duration = Duration::from_millis(100);
/// How often a paused run checks whether it is to continue.
const PAUSE_POLL: Duration = Duration::from_millis(50);

/// Whether what was seen of a message is what is waited for.
type IsMet = fn(&SeenMessage) -> bool;

/// A devnet that runs.
#[derive(Debug)]
pub(super) struct DevnetRun {
    plan: DevnetPlan,
    superchain: Superchain,
    nodes: Nodes,
    networks: Networks,
    clock: RunClock,
    watch: Option<Watch>,
    followers: Option<Followers>,
    pace: RunPace,
    progress: Progress,
    planted: Vec<PlantedFault>,
    /// The derived blocks that must be found invalid before they are replaced, so far.
    derived: Vec<DerivedInvalid>,
    started: Instant,
}

/// What a devnet is made of. `lines`: where progress is shown.
pub(super) struct DevnetRunParts {
    pub(super) plan: DevnetPlan,
    pub(super) superchain: Superchain,
    pub(super) nodes: Nodes,
    pub(super) networks: Networks,
    pub(super) clock: RunClock,
    pub(super) watch: Option<Watch>,
    pub(super) followers: Option<Followers>,
    pub(super) lines: MultiProgress,
}

impl DevnetRun {
    pub(super) fn new(parts: DevnetRunParts) -> Self {
        let DevnetRunParts { plan, superchain, nodes, networks, clock, watch, followers, lines } = parts;
        let chain_ids: Vec<u64> = superchain.sequencers().iter().map(Sequencer::chain_id).collect();
        let planted = |fault: &_| PlantedFault {
            fault: *fault,
            attestations: Vec::new(),
            claimed: None,
            executed: Vec::new(),
        };
        Self {
            pace: RunPace::new(plan.request().fast, watch.is_some(), plan.request().tick),
            progress: Progress::new(&chain_ids, plan.request().blocks, lines),
            planted: plan.faults().iter().map(planted).collect(),
            derived: Vec::new(),
            started: Instant::now(),
            plan,
            superchain,
            nodes,
            networks,
            clock,
            watch,
            followers,
        }
    }

    /// Moves the chains until the plan is done or the run is cancelled, lets the sidecar settle, and stops
    /// all servers and networks.
    pub(super) async fn run(
        mut self,
        pauses: &Pauses,
        cancel: &CancellationToken,
    ) -> Result<DevnetOutcome, DevnetError> {
        while !self.superchain.is_complete() && !cancel.is_cancelled() {
            let began = Instant::now();
            let tick;
            (self, tick) = self.advance().await?;
            tokio::select! {
                () = cancel.cancelled() => {}
                () = self.finish_tick(&tick, began) => {}
            }
            self.forget_settled();
            tokio::select! {
                () = cancel.cancelled() => {}
                paused = self.pause(&tick, pauses) => paused?,
            }
        }
        if !cancel.is_cancelled() {
            tokio::select! {
                () = cancel.cancelled() => {}
                () = self.settle() => {}
            }
        }
        self.progress.clear();
        // Chains that run alone have nothing left to do once they are complete.
        let interrupted = cancel.is_cancelled() && (self.watch.is_some() || !self.superchain.is_complete());
        let outcome = self.outcome(interrupted);
        if self.plan.request().stay && !cancel.is_cancelled() {
            tracing::info!("chains are complete and final; serving them until stopped");
            cancel.cancelled().await;
        }
        let followed = match self.followers {
            Some(followers) => followers.stop().await,
            None => Ok(()),
        };
        let stopped = self.networks.stop().await;
        self.nodes.stop().await;
        stopped?;
        followed?;
        Ok(outcome)
    }

    /// One tick: the chains move, the servers have the new blocks, and gossip carries them.
    async fn advance(mut self) -> Result<(Self, Tick), DevnetError> {
        // Execution would hold up every other task of this thread.
        let moved = tokio::task::spawn_blocking(move || {
            let tick = self.superchain.tick();
            (self, tick)
        });
        let (mut run, tick) = moved.await?;
        let mut tick = tick?;
        run.clock.advance(tick.time)?;
        run.publish_rebuilt(&mut tick).await?;
        run.nodes.apply(&tick, run.superchain.l1());
        for chain in &tick.chains {
            let signed = run.networks.publish(chain).await?;
            run.record(chain, &signed);
            run.record_claims(chain);
        }
        Ok((run, tick))
    }

    /// A block whose height another takes in the same tick is the tip for a while, as it is on a real
    /// network. The rest of the tick comes after.
    async fn publish_rebuilt(&mut self, tick: &mut Tick) -> Result<(), DevnetError> {
        let split = tick.chains.iter().map(ChainTick::split).collect::<Vec<_>>();
        for (place, (first, rest)) in
            split.into_iter().enumerate().filter_map(|(at, parts)| Some((at, parts?)))
        {
            self.nodes.apply_l1(tick, self.superchain.l1());
            self.nodes.apply_chain(&first);
            self.networks.publish(&first).await?;
            sleep(self.pace.rebuilt_after()).await;
            let (id, tip) = (ChainId::from(first.chain_id), first.heads.unsafe_head);
            let is_seen = |seen: &Observations| {
                let status = seen.status.chains.iter().find(|status| status.chain_id == id);
                status.and_then(|status| status.unsafe_head).is_some_and(|head| head >= tip)
            };
            self.poll_until(tick, self.pace.patience(), is_seen).await;
            if let Some(chain) = tick.chains.get_mut(place) {
                *chain = rest;
            }
        }
        Ok(())
    }

    /// Remembers what was published for which fault.
    fn record(&mut self, chain: &ChainTick, signed: &[Option<B256>]) {
        let at = self.started.elapsed();
        for message in &chain.scripted {
            let place = (message.fault.chain_id, message.fault.block);
            let planted = self
                .planted
                .iter_mut()
                .find(|planted| (planted.fault.chain_id, planted.fault.block) == place);
            if let Some(planted) = planted {
                planted.executed.push(message.place);
            }
        }
        for (attestation, payload_hash) in chain.attestations.iter().zip(signed) {
            let Some(fault) = attestation.fault else { continue };
            let place = (fault.chain_id, fault.block);
            for planted in self
                .planted
                .iter_mut()
                .filter(|planted| (planted.fault.chain_id, planted.fault.block) == place)
            {
                let published_at = payload_hash.map(|_| at);
                let (hash, payload_hash) = (attestation.block.hash, *payload_hash);
                planted.attestations.push(PlantedAttestation { hash, payload_hash, published_at });
            }
        }
    }

    /// The rest of a tick: the pace, the sidecar's verdicts, and patience with it.
    async fn finish_tick(&mut self, tick: &Tick, began: Instant) {
        self.poll(tick).await;
        match self.pace {
            RunPace::RealTime => self.await_time(tick).await,
            RunPace::Fast { at_least, patience } => {
                if let Some(end) = began.checked_add(at_least) {
                    sleep_until(end).await;
                }
                let has_faults = self.plan.has_faults();
                let suffices =
                    |seen: &Observations| has_received(seen, tick) && (has_faults || has_judged(seen));
                self.poll_until(tick, patience, suffices).await;
                self.await_messages(tick).await;
            }
        }
        for (chain_id, place, oddity) in self.ending_oddities(tick) {
            let named = |seen: &Observations| seen.is_odd(chain_id, place, oddity);
            self.poll_until(tick, self.pace.patience(), named).await;
        }
        for chain_id in self.ending_outages(tick) {
            let met = |seen: &Observations| seen.held_up_by(chain_id).next().is_some();
            self.poll_until(tick, self.pace.patience(), met).await;
        }
        for chain_id in self.ending_headless(tick) {
            let reported = |seen: &Observations| seen.unknown_heads(chain_id).reported;
            self.poll_until(tick, self.pace.patience(), reported).await;
        }
        self.await_claims(tick).await;
        self.await_withdrawn_replacement(tick).await;
        self.await_vouched(tick).await;
        self.await_followers_of_derived(tick).await;
        self.await_clearing(tick).await;
        for chain_id in self.ending_at_genesis(tick) {
            let reported = |seen: &Observations| seen.genesis_final(chain_id).reported;
            self.poll_until(tick, self.pace.patience(), reported).await;
            self.await_follower(tick, chain_id).await;
        }
        for chain_id in self.ending_branches(tick) {
            let met = |seen: &Observations| seen.open_on_other_branch(chain_id).next().is_some();
            self.poll_until(tick, self.pace.patience(), met).await;
        }
        for chain_id in remaining(tick) {
            let held = holds_instead(self.plan.faults(), chain_id);
            let reported = |seen: &Observations| {
                held.map_or_else(
                    || seen.has_reported_remaining(chain_id),
                    |number| seen.claims.was_held(chain_id, number),
                )
            };
            self.poll_until(tick, self.pace.patience(), reported).await;
            self.await_follower(tick, chain_id).await;
        }
        for (chain_id, kept) in self.rewinding(tick) {
            // A claimant names the block only once its node answers again.
            if self.mode().attester || self.mode().audits_derived(false) {
                let is_judged = |seen: &Observations| seen.is_judged_by_own_nodes(chain_id, kept);
                self.poll_until(tick, self.pace.patience(), is_judged).await;
            }
            self.await_follower(tick, chain_id).await;
        }
        for (chain_id, is_ending) in self.unlinked(tick) {
            let met = |seen: &Observations| seen.is_contradicted(chain_id) == is_ending;
            self.poll_until(tick, self.pace.patience(), met).await;
        }
    }

    /// Forgets settled blocks in a run without faults: the effects of a fault may be looked for until the end
    /// of the run.
    fn forget_settled(&mut self) {
        let has_faults = self.plan.has_faults();
        if let Some(watch) = self.watch.as_mut().filter(|_| !has_faults) {
            watch.forget_settled(self.superchain.sequencers());
        }
    }

    /// The chains' own blocks at these heights.
    fn canonical(&self, heights: impl Iterator<Item = (u64, u64)>) -> Vec<(u64, B256)> {
        let sequencers = self.superchain.sequencers();
        let block = |(chain_id, height): (u64, u64)| {
            let sequencer = sequencers.iter().find(|sequencer| sequencer.chain_id() == chain_id)?;
            Some((chain_id, sequencer.chain().canonical(height)?.hash))
        };
        heights.filter_map(block).collect()
    }

    /// Where the run is to be paused, the chains and their clock stop until the run is asked to continue.
    async fn pause(&mut self, tick: &Tick, pauses: &Pauses) -> Result<(), DevnetError> {
        let Some(pause) = pauses.begin(tick.number)? else { return Ok(()) };
        tracing::info!(block = tick.number, file = %pause.file().display(), "paused; remove the file to continue");
        while !pause.is_over() {
            sleep(PAUSE_POLL).await;
            self.poll(tick).await;
        }
        Ok(())
    }

    /// Waits until the sidecar has seen what it cannot find out afterwards: messages whose blocks will be
    /// removed, and those whose cited blocks were removed.
    async fn await_messages(&mut self, tick: &Tick) {
        let mut held: Vec<(MessagePlace, IsMet)> = Vec::new();
        for message in tick.chains.iter().flat_map(|chain| &chain.scripted) {
            match message.fault.fault.waits_for {
                WaitFor::Nothing => {}
                WaitFor::Judged => held.push((message.place, SeenMessage::is_judged)),
                WaitFor::Valid => held.push((message.place, |seen| seen.was_valid)),
            }
        }
        self.await_withdrawals(tick).await;
        let plan = self.plan.faults();
        let dropped = tick.chains.iter().filter_map(|chain| plan.dropped(chain.chain_id, tick.number));
        for own in dropped.filter_map(|part| plan.parts(part).first()) {
            let place = (own.chain_id, own.block);
            let planted =
                self.planted.iter().find(|planted| (planted.fault.chain_id, planted.fault.block) == place);
            let executed = planted.and_then(|planted| planted.executed.last());
            held.extend(executed.map(|place| (*place, (|seen| seen.was_invalid) as IsMet)));
        }
        held.retain(|(place, _)| !self.is_above_derived_invalid(tick, place));
        if held.is_empty() {
            return;
        }
        let met =
            |seen: &Observations| held.iter().all(|(place, is)| seen.messages.at(place).is_some_and(is));
        self.poll_until(tick, self.pace.patience(), met).await;
    }

    /// Waits until the sidecar has seen a local-safe head that its node withdraws, and has seen it withdrawn,
    /// and until the chain's follower has asked since.
    async fn await_withdrawals(&mut self, tick: &Tick) {
        let withdrawals = tick.chains.iter().filter_map(|chain| Some((chain.chain_id, chain.withdrawal?)));
        for (chain_id, withdrawal) in withdrawals.collect::<Vec<_>>() {
            let is_seen = |local_safe: u64| match withdrawal {
                Withdrawal::Named(height) => local_safe >= height,
                Withdrawal::Withdrawn(height) => local_safe < height,
            };
            let id = ChainId::from(chain_id);
            let met = |seen: &Observations| {
                let status = seen.status.chains.iter().find(|status| status.chain_id == id);
                status.and_then(|status| status.local_safe).is_some_and(is_seen)
            };
            self.poll_until(tick, self.pace.patience(), met).await;
            self.await_follower(tick, chain_id).await;
        }
    }

    /// Waits until a chain's follower has asked a few times more, if there is one.
    async fn await_follower(&mut self, tick: &Tick, chain_id: u64) {
        let polls = |run: &Self| run.followers.as_ref().and_then(|followers| followers.polls(chain_id));
        let Some(before) = polls(self) else { return };
        let began = Instant::now();
        while polls(self).is_some_and(|now| now < before.saturating_add(FOLLOWER_POLLS))
            && began.elapsed() < self.pace.patience()
        {
            sleep(POLL).await;
            self.poll(tick).await;
        }
    }

    /// Waits until the clock has reached the next tick.
    async fn await_time(&mut self, tick: &Tick) {
        let next = self.plan_time(tick.number.saturating_add(1));
        while SystemClock.now() < next {
            sleep(CLOCK_POLL).await;
            self.poll(tick).await;
        }
    }

    fn plan_time(&self, tick: u64) -> crosscheck_p2p::UnixSeconds {
        self.superchain.params().schedule.time_of(tick)
    }

    async fn poll(&mut self, tick: &Tick) {
        let has_claims = self.has_claims();
        if let Some(watch) = &mut self.watch {
            watch.poll(&outages(tick), self.started.elapsed()).await;
            watch.observe_unknown_heads(&unknown_heads(tick));
            watch.observe_genesis_finality(&genesis_final(tick));
            if has_claims {
                watch.poll_claims().await;
            }
            if is_becoming_canonical(self.plan.faults(), tick.number) {
                watch.poll_withdrawn_verdicts().await;
            }
            if tick.chains.iter().any(|chain| chain.odd.is_some() || !chain.unlinked.is_empty()) {
                watch.poll_endpoints().await;
            }
            for chain in &tick.chains {
                chain
                    .remains_on
                    .into_iter()
                    .for_each(|replaced| watch.observe_remaining(chain.chain_id, replaced));
                if chain.rewind.is_some() {
                    watch.observe_rewind(chain.chain_id, chain.heads.finalized);
                }
                let branched = chain.other_branch.iter().flatten().next();
                branched
                    .into_iter()
                    .for_each(|first| watch.observe_other_branch(chain.chain_id, first.number()));
            }
        }
        self.judge_followers();
        self.progress.show(tick, self.watch.as_ref().map(Watch::seen));
    }

    /// Asks the sidecar until what it says suffices, or patience ends. Without a sidecar there is nothing to
    /// wait for.
    async fn poll_until(
        &mut self,
        tick: &Tick,
        patience: Duration,
        suffices: impl Fn(&Observations) -> bool,
    ) {
        let began = Instant::now();
        while self.watch.as_ref().is_some_and(|watch| !suffices(watch.seen())) {
            if began.elapsed() >= patience {
                tracing::warn!(
                    tick = tick.number,
                    ?patience,
                    "sidecar did not see the expected events in time; chains continue"
                );
                break;
            }
            sleep(POLL).await;
            self.poll(tick).await;
        }
    }

    fn judge_followers(&self) {
        if let Some(followers) = &self.followers {
            followers.judge(self.superchain.sequencers());
            let Some(watch) = &self.watch else { return };
            let is_invalid = |place: &&MessagePlace| {
                watch.seen().messages.at(place).is_some_and(|message| message.status == "invalid")
            };
            let scripted = self.planted.iter().flat_map(|planted| &planted.executed);
            let invalid: Vec<&MessagePlace> = scripted.filter(is_invalid).collect();
            followers.set_invalid(&invalid);
        }
    }

    /// Gives the sidecar time to reach its verdicts.
    async fn settle(&mut self) {
        let began = Instant::now();
        while self.watch.is_some() && began.elapsed() < PATIENCE {
            let at = self.started.elapsed();
            let has_claims = self.has_claims();
            if let Some(watch) = &mut self.watch {
                watch.poll(&[], at).await;
                watch.poll_endpoints().await;
                if has_claims {
                    watch.poll_claims().await;
                }
                watch.observe_unknown_heads(&[]);
                watch.observe_genesis_finality(&[]);
            }
            self.judge_followers();
            if self.outcome(false).is_success() {
                return;
            }
            sleep(CLOCK_POLL).await;
        }
    }

    fn outcome(&self, interrupted: bool) -> DevnetOutcome {
        let (nothing, mode) = (Observations::default(), self.mode());
        let seen = self.watch.as_ref().map_or(&nothing, Watch::seen);
        let sequencers = self.superchain.sequencers();
        let chains = sequencers.iter().map(|sequencer| chain_report(sequencer, seen)).collect();
        let plan = self.plan.faults();
        let reports =
            |followers: &Followers| followers.reports(|chain_id| plan.first_invalid_block(chain_id));
        let followers = self.followers.as_ref().map(reports).unwrap_or_default();
        let unsettled = if interrupted || self.watch.is_none() {
            Vec::new()
        } else {
            [
                unsettled(sequencers, plan, seen),
                lagging_followers(sequencers, plan, mode, &followers),
                held_elsewhere(sequencers, plan, mode, seen),
                unrefuted(&self.planted, mode, seen),
                self.unfound(seen),
            ]
            .concat()
        };
        let report = DevnetReport::new(self.plan.request().seed, mode, chains, &self.planted, seen);
        let missed = if interrupted || self.watch.is_none() {
            Vec::new()
        } else {
            missed(sequencers, &self.planted, &seen.messages)
        };
        DevnetOutcome {
            report: DevnetReport { followers, missed, requests: self.nodes.requests(), ..report },
            watched: self.watch.is_some(),
            interrupted,
            unsettled,
        }
    }
}

fn chain_report(sequencer: &Sequencer, seen: &Observations) -> ChainReport {
    let heads = sequencer.heads();
    let id = ChainId::from(sequencer.chain_id());
    let status = seen.status.chains.iter().find(|status| status.chain_id == id);
    ChainReport {
        chain_id: sequencer.chain_id(),
        unsafe_head: heads.unsafe_head,
        local_safe: heads.local_safe,
        safe: heads.safe,
        finalized: heads.finalized,
        vouched: status.and_then(|status| status.vouched),
    }
}
