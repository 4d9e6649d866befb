//! [`Show`]: the part of a run in which chains move: ticks, gossip, and the sidecar's verdicts as they come.
//!
//! It keeps the pace, and knows of each fault what was published and when.

mod coming_true;
mod undone;

use self::coming_true::is_coming_true;
use super::faults::WaitFor;
use super::finding::Oddity;
use super::follower::Followers;
use super::message_record::{MessagePlace, SeenMessage};
use super::networks::Networks;
use super::nodes::Nodes;
use super::observations::Observations;
use super::outcome::{Outcome, astray, missed, unsettled};
use super::pace::{PATIENCE, Pace};
use super::pause::Pauses;
use super::plan::DevnetPlan;
use super::progress::Progress;
use super::report::{ChainReport, Planted, PlantedWord, Report};
use super::run_clock::RunClock;
use super::runner::DevnetError;
use super::sequencer::{ChainTick, OddEndpoint, Sequencer, Withdrawal};
use super::superchain::{Superchain, Tick};
use super::tick_view::{at_genesis, has_heard, headless, outages, staying};
use super::watch::Watch;
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
/// How often it is looked whether a paused run is to continue.
const PAUSE_POLL: Duration = Duration::from_millis(50);

/// Whether what was seen of a message is what is waited for.
type IsMet = fn(&SeenMessage) -> bool;

/// A devnet on its way.
#[derive(Debug)]
pub(super) struct Show {
    plan: DevnetPlan,
    superchain: Superchain,
    nodes: Nodes,
    networks: Networks,
    clock: RunClock,
    watch: Option<Watch>,
    followers: Option<Followers>,
    pace: Pace,
    progress: Progress,
    planted: Vec<Planted>,
    started: Instant,
}

/// What a devnet is made of. `lines`: where progress is shown.
pub(super) struct ShowParts {
    pub(super) plan: DevnetPlan,
    pub(super) superchain: Superchain,
    pub(super) nodes: Nodes,
    pub(super) networks: Networks,
    pub(super) clock: RunClock,
    pub(super) watch: Option<Watch>,
    pub(super) followers: Option<Followers>,
    pub(super) lines: MultiProgress,
}

impl Show {
    pub(super) fn new(parts: ShowParts) -> Self {
        let ShowParts { plan, superchain, nodes, networks, clock, watch, followers, lines } = parts;
        let chain_ids: Vec<u64> = superchain.sequencers().iter().map(Sequencer::chain_id).collect();
        let planted = |fault: &_| Planted { fault: *fault, words: Vec::new(), executed: Vec::new() };
        Self {
            pace: Pace::new(plan.request().fast, watch.is_some(), plan.request().tick),
            progress: Progress::new(&chain_ids, plan.request().blocks, lines),
            planted: plan.faults().iter().map(planted).collect(),
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

    /// Moves the chains until the plan is done or the run is cancelled, lets the sidecar settle, and stops all
    /// servers and networks.
    pub(super) async fn play(
        mut self,
        pauses: &Pauses,
        cancel: &CancellationToken,
    ) -> Result<Outcome, DevnetError> {
        while !self.superchain.is_complete() && !cancel.is_cancelled() {
            let began = Instant::now();
            let tick;
            (self, tick) = self.advance().await?;
            tokio::select! {
                () = cancel.cancelled() => {}
                () = self.rest(&tick, began) => {}
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

    /// One tick: the chains move, the servers know, gossip tells.
    async fn advance(mut self) -> Result<(Self, Tick), DevnetError> {
        // Execution would hold up every other task of this thread.
        let moved = tokio::task::spawn_blocking(move || {
            let tick = self.superchain.tick();
            (self, tick)
        });
        let (mut show, tick) = moved.await?;
        let mut tick = tick?;
        show.clock.advance(tick.time)?;
        show.show_rebuilt(&mut tick).await?;
        show.nodes.apply(&tick, show.superchain.l1());
        for chain in &tick.chains {
            let signed = show.networks.publish(chain).await?;
            show.record(chain, &signed);
        }
        Ok((show, tick))
    }

    /// A block whose height another takes in the same tick is the tip for a while, as it is on a real network. What is left
    /// of the tick comes after.
    async fn show_rebuilt(&mut self, tick: &mut Tick) -> Result<(), DevnetError> {
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
        for (word, payload_hash) in chain.attestations.iter().zip(signed) {
            let Some(fault) = word.fault else { continue };
            let place = (fault.chain_id, fault.block);
            for planted in self
                .planted
                .iter_mut()
                .filter(|planted| (planted.fault.chain_id, planted.fault.block) == place)
            {
                let published_at = payload_hash.map(|_| at);
                let (hash, payload_hash) = (word.block.hash, *payload_hash);
                planted.words.push(PlantedWord { hash, payload_hash, published_at });
            }
        }
    }

    /// The rest of a tick: the pace, the sidecar's verdicts, and patience with it.
    async fn rest(&mut self, tick: &Tick, began: Instant) {
        self.poll(tick).await;
        match self.pace {
            Pace::RealTime => self.await_time(tick).await,
            Pace::Fast { at_least, patience } => {
                if let Some(end) = began.checked_add(at_least) {
                    sleep_until(end).await;
                }
                self.poll_until(tick, patience, |seen| has_heard(seen, tick)).await;
                self.hold(tick).await;
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
            let told = |seen: &Observations| seen.headless(chain_id).told;
            self.poll_until(tick, self.pace.patience(), told).await;
        }
        self.await_left(tick).await;
        self.await_vouched(tick).await;
        self.await_let_go(tick).await;
        for chain_id in self.ending_at_genesis(tick) {
            let told = |seen: &Observations| seen.at_genesis(chain_id).told;
            self.poll_until(tick, self.pace.patience(), told).await;
            self.await_follower(tick, chain_id).await;
        }
        for chain_id in self.ending_forks(tick) {
            let met = |seen: &Observations| seen.off_course(chain_id).next().is_some();
            self.poll_until(tick, self.pace.patience(), met).await;
        }
        for chain_id in staying(tick) {
            let told = |seen: &Observations| seen.has_told_stay(chain_id);
            self.poll_until(tick, self.pace.patience(), told).await;
            self.await_follower(tick, chain_id).await;
        }
        for (chain_id, kept) in self.rewinding(tick) {
            let is_judged = |seen: &Observations| seen.is_judged_by_own(chain_id, kept);
            self.poll_until(tick, self.pace.patience(), is_judged).await;
            self.await_follower(tick, chain_id).await;
        }
        for (chain_id, is_ending) in self.unlinked(tick) {
            let met = |seen: &Observations| seen.is_contradicted(chain_id) == is_ending;
            self.poll_until(tick, self.pace.patience(), met).await;
        }
    }

    /// What is settled is forgotten where nothing is scripted: what a fault leads to may be looked for to the end of the run.
    fn forget_settled(&mut self) {
        let is_plain = self.plan.faults().iter().next().is_none();
        if let Some(watch) = self.watch.as_mut().filter(|_| is_plain) {
            watch.forget_settled(self.superchain.sequencers());
        }
    }

    /// The chains whose client is taken back, and the block that it is taken back to.
    fn rewinding(&self, tick: &Tick) -> Vec<(u64, B256)> {
        let kept = |chain: &ChainTick| Some((chain.chain_id, chain.rewind.as_ref()?.kept));
        self.canonical(tick.chains.iter().filter_map(kept))
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

    /// The chains whose client's blocks link up from the next tick on, or again since this one: whether they are still to.
    fn unlinked(&self, tick: &Tick) -> Vec<(u64, bool)> {
        let plan = self.plan.faults();
        let is_in = |chain_id, tick| plan.unlinked(chain_id, tick).is_some();
        let turns = tick.chains.iter().filter_map(|chain| {
            let id = chain.chain_id;
            let [before, now, next] = [
                is_in(id, tick.number.saturating_sub(1)),
                is_in(id, tick.number),
                is_in(id, tick.number.saturating_add(1)),
            ];
            (now && !next).then_some((id, true)).or((before && !now).then_some((id, false)))
        });
        turns.collect()
    }

    /// Where the run is to be paused, the chains and their clock stand still until the run is asked to continue.
    async fn pause(&mut self, tick: &Tick, pauses: &Pauses) -> Result<(), DevnetError> {
        let Some(pause) = pauses.begin(tick.number)? else { return Ok(()) };
        tracing::info!(block = tick.number, file = %pause.file().display(), "paused; remove the file to continue");
        while !pause.is_over() {
            sleep(PAUSE_POLL).await;
            self.poll(tick).await;
        }
        Ok(())
    }

    /// Waits until the sidecar has seen what it could not find out any more afterwards: messages whose blocks will go,
    /// and those that lost what they cite.
    async fn hold(&mut self, tick: &Tick) {
        let mut held: Vec<(MessagePlace, IsMet)> = Vec::new();
        for message in tick.chains.iter().flat_map(|chain| &chain.scripted) {
            match message.fault.fault.waits_for {
                WaitFor::Nothing => {}
                WaitFor::Judged => held.push((message.place, SeenMessage::is_judged)),
                WaitFor::Valid => held.push((message.place, |seen| seen.was_valid)),
            }
        }
        self.hold_withdrawals(tick).await;
        let plan = self.plan.faults();
        let dropped = tick.chains.iter().filter_map(|chain| plan.dropped(chain.chain_id, tick.number));
        for own in dropped.filter_map(|part| plan.parts(part).first()) {
            let place = (own.chain_id, own.block);
            let planted =
                self.planted.iter().find(|planted| (planted.fault.chain_id, planted.fault.block) == place);
            let executed = planted.and_then(|planted| planted.executed.last());
            held.extend(executed.map(|place| (*place, (|seen| seen.was_invalid) as IsMet)));
        }
        if held.is_empty() {
            return;
        }
        let met =
            |seen: &Observations| held.iter().all(|(place, is)| seen.messages.at(place).is_some_and(is));
        self.poll_until(tick, self.pace.patience(), met).await;
    }

    /// Waits until the sidecar has seen a local-safe head that its node takes back, and has seen it taken back, and until the
    /// chain's follower has asked since.
    async fn hold_withdrawals(&mut self, tick: &Tick) {
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
        let polls = |show: &Self| show.followers.as_ref().and_then(|followers| followers.polls(chain_id));
        let Some(before) = polls(self) else { return };
        let began = Instant::now();
        while polls(self).is_some_and(|now| now < before.saturating_add(FOLLOWER_POLLS))
            && began.elapsed() < self.pace.patience()
        {
            sleep(POLL).await;
            self.poll(tick).await;
        }
    }

    /// The endpoints that are like the others again in the next tick.
    fn ending_oddities(&self, tick: &Tick) -> Vec<(u64, usize, Oddity)> {
        let next = tick.number.saturating_add(1);
        let plan = self.plan.faults();
        let ending = tick.chains.iter().filter(|chain| plan.endpoint(chain.chain_id, next).is_none());
        let oddity = |how: &OddEndpoint| match how {
            OddEndpoint::Lies(_) => Oddity::Lies,
            OddEndpoint::Lags(_) => Oddity::Lags,
        };
        let odd = ending
            .filter_map(|chain| chain.odd.as_ref().map(|(place, how)| (chain.chain_id, *place, oddity(how))));
        odd.collect()
    }

    /// The chains whose nodes are back on their own fork in the next tick.
    fn ending_forks(&self, tick: &Tick) -> Vec<u64> {
        let next = tick.number.saturating_add(1);
        let ends = |chain: &&ChainTick| {
            chain.fork.is_some() && self.plan.faults().fork(chain.chain_id, next).is_none()
        };
        tick.chains.iter().filter(ends).map(|chain| chain.chain_id).collect()
    }

    /// Waits until the clock has come to the next tick.
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

    /// The chains whose outages are over in the next tick.
    fn ending_outages(&self, tick: &Tick) -> Vec<u64> {
        let next = tick.number.saturating_add(1);
        let ends = |chain_id: &u64| self.plan.faults().outage(*chain_id, next).is_none();
        outages(tick).into_iter().filter(ends).collect()
    }

    /// The chains whose rollup node names its heads again in the next tick.
    fn ending_headless(&self, tick: &Tick) -> Vec<u64> {
        let next = tick.number.saturating_add(1);
        let ends = |chain_id: &u64| self.plan.faults().headless(*chain_id, next).is_none();
        headless(tick).into_iter().filter(ends).collect()
    }

    /// The chains whose rollup node calls something else than genesis final from the next tick on.
    fn ending_at_genesis(&self, tick: &Tick) -> Vec<u64> {
        let next = tick.number.saturating_add(1);
        let ends = |chain_id: &u64| self.plan.faults().headless(*chain_id, next).is_none();
        at_genesis(tick).into_iter().filter(ends).collect()
    }

    async fn poll(&mut self, tick: &Tick) {
        if let Some(watch) = &mut self.watch {
            watch.poll(&outages(tick), self.started.elapsed()).await;
            watch.note_headless(&headless(tick));
            watch.note_at_genesis(&at_genesis(tick));
            if is_coming_true(self.plan.faults(), tick.number) {
                watch.poll_taken_back().await;
            }
            if tick.chains.iter().any(|chain| chain.odd.is_some() || !chain.unlinked.is_empty()) {
                watch.poll_endpoints().await;
            }
            for chain in &tick.chains {
                chain.stays_on.into_iter().for_each(|replaced| watch.note_stay(chain.chain_id, replaced));
                if chain.rewind.is_some() {
                    watch.note_rewind(chain.chain_id, chain.heads.finalized);
                }
                let forked = chain.fork.iter().flatten().next();
                forked.into_iter().for_each(|first| watch.note_fork(chain.chain_id, first.number()));
            }
        }
        self.judge_followers();
        self.progress.show(tick, self.watch.as_ref().map(Watch::seen));
    }

    /// Asks the sidecar until what it says suffices, or patience ends. Without a sidecar there is nothing to wait for.
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
            followers.hear(&invalid);
        }
    }

    /// Gives the sidecar time to settle what it was told.
    async fn settle(&mut self) {
        let began = Instant::now();
        while self.watch.is_some() && began.elapsed() < PATIENCE {
            let at = self.started.elapsed();
            if let Some(watch) = &mut self.watch {
                watch.poll(&[], at).await;
                watch.poll_endpoints().await;
                watch.note_headless(&[]);
                watch.note_at_genesis(&[]);
            }
            self.judge_followers();
            if self.outcome(false).is_success() {
                return;
            }
            sleep(CLOCK_POLL).await;
        }
    }

    fn outcome(&self, interrupted: bool) -> Outcome {
        let nothing = Observations::default();
        let seen = self.watch.as_ref().map_or(&nothing, Watch::seen);
        let sequencers = self.superchain.sequencers();
        let chains = sequencers.iter().map(|sequencer| chain_report(sequencer, seen)).collect();
        let plan = self.plan.faults();
        let reports = |followers: &Followers| followers.reports(|chain_id| plan.first_bad(chain_id));
        let followers = self.followers.as_ref().map(reports).unwrap_or_default();
        let unsettled = if interrupted || self.watch.is_none() {
            Vec::new()
        } else {
            [unsettled(sequencers, plan, seen), astray(sequencers, plan, &followers)].concat()
        };
        let report = Report::new(self.plan.request().seed, chains, &self.planted, seen);
        let missed = if interrupted || self.watch.is_none() {
            Vec::new()
        } else {
            missed(sequencers, &self.planted, &seen.messages)
        };
        Outcome {
            report: Report { followers, missed, requests: self.nodes.requests(), ..report },
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
