//! [`ChainReader`]: the task that follows the unsafe chain that a chain's endpoints agree on, block by block.
//!
//! Each block is fetched and proven once, in order, and handed on; a reorg is walked back to the common
//! ancestor. An endpoint's failure is a pause, never a fact. Clients that report two chains at once are
//! reported once, and nothing is read or dropped until their blocks link up. One read is bounded: it reaches
//! the tip, or ends in an error.

use super::MonitorMetrics;
use super::awaited_heads::{AwaitedHeads, Tone};
use super::block_source::BlockSource;
use super::branch::{BranchError, Contradiction, Fork, Turn, turn};
use super::declarations::undeclared;
use super::left_blocks::{LeftBlocks, ReorgReport};
use super::start_point::NoStart;
use super::{HeadSource, MonitorMessage, PollHints, StartPoint};
use crate::health::{Health, HealthPart};
use crate::ledger::{GenesisSource, Ledger, LedgerError};
use crate::metrics::EndpointKind;
use crate::sources::{ExecutionClient, SourceError};
use crate::stale_branches::{StaleBranch, StaleBranches};
use crate::stalled_heads::{StallBounds, StalledHeads, WatchedHead};
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::heads::{L2BlockRef, RecentBlocks, ReportedHeads, SafetyHeads, verified_heads};
use crosscheck_core::message::BlockKey;
use crosscheck_core::proof::{DeclaredKeys, ProvenLogs, VerifiedBlock};
use crosscheck_core::tracker::ObservedBlock;
use crosscheck_p2p::ChainId;
use futures::{StreamExt, stream};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

/// How many blocks are fetched at once while catching up.
const AT_ONCE: usize = 16;

/// How many blocks below the final one are remembered.
const KEPT_BELOW_FINAL: u64 = 64;

/// The longest pause after an endpoint's failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How many reads in a row may find the heads on another branch before that is reported.
const TOLERATED_FORKED_LOOKS: u32 = 5;

/// How many reorgs one read follows.
const MAX_TURNS: usize = 8;

/// The shortest pause between two reads, however often it is nudged.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);

/// The pauses between quick checks for a gossiped block that the clients do not have yet.
const QUICK_LOOKS: [Duration; 6] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(150),
    Duration::from_millis(150),
    Duration::from_millis(200),
    Duration::from_millis(250),
];

/// What a reader works with.
#[derive(Debug)]
pub struct ChainReaderParts<S = ExecutionClient> {
    /// The chain.
    pub chain_id: ChainId,
    /// Its execution clients.
    pub execution: S,
    /// Who says how far it is.
    pub heads: HeadSource,
    /// Where to begin.
    pub start: StartPoint,
    /// Who is handed the blocks.
    pub monitor: mpsc::Sender<MonitorMessage>,
    /// Notifies that there may be something new.
    pub hints: PollHints,
    /// How often to read without such a hint.
    pub interval: Duration,
    /// How long the clients' latest block may be stalled.
    pub(crate) stall: StallBounds,
    /// Where readiness is reported.
    pub health: Health,
    /// What is counted.
    pub metrics: MonitorMetrics,
    /// Where the chain's clients remain on replaced blocks: what they say from there on is not the chain.
    pub branches: StaleBranches,
    /// The ledger, if no other part checks its genesis: the chain has no rollup node.
    pub genesis: Option<Ledger>,
    /// The block that it begins with by what is built in, if no other part checks the clients against it.
    pub origin: Option<BlockNumHash>,
}

/// Follows one chain.
#[derive(Debug)]
pub struct ChainReader<S = ExecutionClient> {
    parts: ChainReaderParts<S>,
}

/// How far the chain was read.
#[derive(Debug, Default)]
struct Progress {
    recent: RecentBlocks,
    heads: Option<SafetyHeads>,
    /// How many reads in a row found the heads on another branch.
    forked: u32,
    /// The blocks that were left in reorgs.
    left: LeftBlocks,
    /// Whether the clients contradicted themselves in the last read.
    is_contradicted: bool,
    /// The gossiped block that quick checks were made for last.
    searched: Option<BlockNumHash>,
    /// Whether its heads are awaited.
    awaited: AwaitedHeads,
    /// Whether reading has begun once.
    has_begun: bool,
}

/// Why the chain cannot be read now.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("its heads are not known yet")]
    NoHeads,
    #[error(transparent)]
    NoStart(#[from] NoStart),
    #[error("block {number} was removed from its execution endpoints while it was being read")]
    Gone { number: u64 },
    #[error("the receipts of block {number} are unavailable")]
    NoReceipts { number: u64 },
    #[error("{0}")]
    OtherFork(#[from] crosscheck_core::heads::OtherFork),
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    #[error("its execution client remains on block {number} {replaced}, which was replaced by {by}")]
    Replaced { number: u64, replaced: B256, by: B256 },
    #[error("it is not known yet whether its execution client is on an invalid block")]
    BranchUnknown,
    #[error(
        "its execution client is on block {number} {invalid}, which is invalid: nothing above it is read"
    )]
    Invalid { number: u64, invalid: B256 },
    #[error("its blocks changed {MAX_TURNS} times while they were being read")]
    Restless,
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(
        "its block 0 is {found} by its execution clients and {bound} by the ledger, which belongs to another chain \
         with this id; use an empty data_dir for a new chain, or the previous endpoints for the old one"
    )]
    OtherGenesis { found: B256, bound: B256 },
    #[error(
        "its block {number} is {found} by its execution clients and {expected} by the built-in facts of its network: \
         they serve another chain with the same id; configure clients of the right chain"
    )]
    OtherNetwork { number: u64, found: B256, expected: B256 },
    #[error("the program is stopping")]
    Ending,
}

impl From<BranchError> for ReadError {
    fn from(error: BranchError) -> Self {
        match error {
            BranchError::Source(error) => Self::Source(error),
            BranchError::Contradiction(contradiction) => Self::Contradiction(contradiction),
            BranchError::Gone { number } => Self::Gone { number },
        }
    }
}

/// The result of reading on.
enum Step {
    /// The tip is reached.
    Done,
    /// The next block is not a child of the last one.
    Fork(Fork),
}

impl<S: BlockSource> ChainReader<S> {
    /// A reader that has read nothing yet.
    pub const fn new(parts: ChainReaderParts<S>) -> Self {
        Self { parts }
    }

    /// Reads until cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        tokio::select! {
            () = cancel.cancelled() => {}
            never = self.follow() => match never {},
        }
    }

    async fn follow(self) -> Infallible {
        let part = HealthPart::Monitor(self.parts.chain_id);
        let mut progress = Progress::default();
        let mut stalled = StalledHeads::new(
            self.parts.chain_id,
            self.parts.stall,
            self.parts.health.clone(),
            self.parts.metrics.shared.clone(),
        );
        let mut pause = self.parts.interval;
        loop {
            match self.read_to_tip(&mut progress).await {
                Ok(tip) => {
                    progress.is_contradicted = false;
                    progress.awaited.known();
                    let lawful = self.parts.heads.unsafe_pause(self.parts.chain_id);
                    stalled.check_during(
                        lawful,
                        WatchedHead::Execution,
                        Some(tip.position()),
                        Instant::now(),
                    );
                    if let Some(outage) = self.parts.health.clear(&part) {
                        let (lasted_s, repeats) = (outage.seconds(), outage.repeats);
                        info!(chain_id = %self.parts.chain_id, lasted_s, repeats, "chain is read up to its tip");
                    }
                    pause = self.parts.interval;
                }
                Err(problem) => {
                    self.report(&mut progress, &part, &problem);
                    pause = pause.saturating_mul(2).min(LONGEST_PAUSE).max(self.parts.interval);
                }
            }
            self.parts.metrics.reading.endpoints(self.parts.chain_id, &self.parts.execution.health());
            self.rest(&mut progress, pause).await;
        }
    }

    /// Reports why the chain cannot be read. Clients that contradict themselves are reported once, whichever
    /// blocks they name from read to read.
    fn report(&self, progress: &mut Progress, part: &HealthPart, problem: &ReadError) {
        let chain_id = self.parts.chain_id;
        if matches!(problem, ReadError::Source(_)) {
            self.parts.metrics.shared.source_failed(chain_id, EndpointKind::Execution);
        }
        let is_contradiction = matches!(problem, ReadError::Contradiction(_));
        let is_known = is_contradiction && std::mem::replace(&mut progress.is_contradicted, true);
        if is_contradiction && !is_known {
            self.parts.metrics.reading.contradicted(chain_id);
        }
        let is_news = self.parts.health.set_not_ready(part, problem.to_string());
        let part = part.to_string();
        if matches!(problem, ReadError::NoHeads | ReadError::BranchUnknown) {
            match progress.awaited.missing(Instant::now()) {
                Some(Tone::Info) => info!(%chain_id, part, %problem, "chain cannot be read"),
                Some(Tone::Warn) => warn!(%chain_id, part, %problem, "chain cannot be read"),
                None => {}
            }
        } else if is_news && !is_known {
            warn!(%chain_id, part, %problem, "chain cannot be read");
        }
    }

    /// Waits for the next read: for the pause, for a hint that there may be something new, or for a gossiped
    /// block. Where the clients contradict themselves a hint of more blocks is not a reason to ask them
    /// sooner.
    async fn rest(&self, progress: &mut Progress, pause: Duration) {
        if progress.is_contradicted {
            return tokio::time::sleep(pause).await;
        }
        let gossiped =
            self.parts.hints.gossiped(self.parts.chain_id).filter(|block| progress.searched != Some(*block));
        progress.searched = gossiped.or(progress.searched);
        let gossiped = gossiped.filter(|block| progress.recent.hash_at(block.number) != Some(block.hash));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = async {
                tokio::join!(tokio::time::sleep(SHORTEST_PAUSE.min(pause)), self.parts.hints.wait(self.parts.chain_id));
            } => {}
            () = self.await_block(gossiped) => {}
        }
    }

    /// Waits until the clients have a block that was gossiped, as far as a few quick checks go. It asks for
    /// nothing but the tip.
    async fn await_block(&self, block: Option<BlockNumHash>) {
        for pause in QUICK_LOOKS.into_iter().filter(|_| block.is_some()) {
            tokio::time::sleep(pause).await;
            let Ok(tip) = self.parts.execution.tip().await else { break };
            if block.is_some_and(|block| tip.number > block.number || tip.position() == block) {
                return;
            }
        }
        std::future::pending::<()>().await;
    }

    /// Reads up to the tip, and takes over the heads. The clients' tip.
    async fn read_to_tip(&self, progress: &mut Progress) -> Result<L2BlockRef, ReadError> {
        let last = self.drop_stale_branch(progress).await?;
        let latest = self.parts.execution.tip().await?;
        let last = last.filter(|last| last.number < latest.number);
        let tip = last.unwrap_or(latest);
        if progress.recent.tip().is_none() {
            self.parts.execution.check_chain().await?;
            self.check_genesis().await?;
            let reported = self.parts.heads.reported(self.parts.chain_id, &self.parts.execution, tip).await?;
            let first = self.parts.start.first(reported.ok_or(ReadError::NoHeads)?.finalized, latest)?;
            // What is below was read in an earlier run.
            if let Some(last) = last.filter(|last| last.number < first) {
                return Err(ReadError::Invalid { number: last.number, invalid: last.hash() });
            }
            self.begin(&mut progress.recent, first).await?;
            self.report_skipped(progress, first);
        }
        // While the clients are taken back, their labels mean nothing either.
        let Some(tip) = self.read_to(progress, tip).await? else { return Ok(tip) };
        let reported = self.parts.heads.reported(self.parts.chain_id, &self.parts.execution, tip).await?;
        self.apply_heads(progress, &reported.ok_or(ReadError::NoHeads)?).await?;
        Ok(if last.is_some() { latest } else { tip })
    }

    /// Reports which blocks are left out for their age after the program was away. Once: what is read again
    /// later was read.
    fn report_skipped(&self, progress: &mut Progress, first: u64) {
        let skipped = self.parts.start.skipped(first).filter(|_| !progress.has_begun);
        progress.has_begun = true;
        let Some(skipped) = skipped else { return };
        let (from, to) = (*skipped.start(), *skipped.end());
        self.parts
            .metrics
            .reading
            .blocks_skipped(self.parts.chain_id, to.saturating_sub(from).saturating_add(1));
        error!(chain_id = %self.parts.chain_id, from, to,
               "blocks skipped, older than monitor.retention; their messages are not checked");
    }

    /// Whether the clients have this very chain, and the ledger is about it. One that has dropped its first
    /// blocks says nothing of that.
    async fn check_genesis(&self) -> Result<(), ReadError> {
        if let Some(BlockNumHash { number, hash: expected }) = self.parts.origin {
            let found = self.reported_at(number).await?;
            if let Some(found) = found.filter(|found| *found != expected) {
                return Err(ReadError::OtherNetwork { number, found, expected });
            }
        }
        let Some(ledger) = &self.parts.genesis else { return Ok(()) };
        let Some(found) = self.reported_at(0).await? else { return Ok(()) };
        let bound = ledger.bind_genesis(self.parts.chain_id, GenesisSource::Execution, found).await?;
        if bound == found { Ok(()) } else { Err(ReadError::OtherGenesis { found, bound }) }
    }

    /// The block that the clients agree on at a height of long ago. `None`: they have none, or do not agree,
    /// as where some have pruned their history.
    async fn reported_at(&self, number: u64) -> Result<Option<B256>, SourceError> {
        match self.parts.execution.canonical_hash(number).await {
            Err(error @ SourceError::Unreachable { .. }) => Err(error),
            Err(error) => {
                debug!(chain_id = %self.parts.chain_id, %error, "clients do not report where the chain begins");
                Ok(None)
            }
            reported => reported,
        }
    }

    /// Drops what the clients built on an invalid block, for as long as they remain on it; and the block
    /// itself once it was lawfully replaced. How far the chain is read then: up to the invalid block. `None`:
    /// up to its tip.
    async fn drop_stale_branch(&self, progress: &mut Progress) -> Result<Option<L2BlockRef>, ReadError> {
        if self.parts.branches.is_expected(self.parts.chain_id) {
            return Err(ReadError::BranchUnknown);
        }
        let Some(stale) = self.parts.branches.of(self.parts.chain_id) else { return Ok(None) };
        let StaleBranch { invalid: BlockNumHash { number, hash }, replaced_by } = stale;
        if self.parts.execution.canonical_hash(number).await? != Some(hash) {
            return Ok(None);
        }
        let Progress { recent, left, .. } = progress;
        let kept = if replaced_by.is_some() { number.saturating_sub(1) } else { number };
        if recent.hash_at(number) == Some(hash) && recent.tip().is_some_and(|tip| tip.number > kept) {
            self.rewind(recent, left, Some(kept)).await?;
        }
        if let Some(by) = replaced_by {
            return Err(ReadError::Replaced { number, replaced: hash, by });
        }
        if recent.first().is_some_and(|first| number < first) {
            return Err(ReadError::Invalid { number, invalid: hash });
        }
        let block = self.parts.execution.block_by_hash(hash).await?.ok_or(ReadError::Gone { number })?;
        Ok(L2BlockRef::new(number, hash, block.timestamp()))
    }

    /// Reads the first block.
    async fn begin(&self, recent: &mut RecentBlocks, first: u64) -> Result<(), ReadError> {
        let block = self.fetch(first).await?;
        let expected = self.parts.start.cursor.filter(|cursor| cursor.number.checked_add(1) == Some(first));
        if let Some(cursor) = expected.filter(|cursor| cursor.hash != block.0.header().parent_hash) {
            error!(chain_id = %self.parts.chain_id, number = cursor.number, hash = %cursor.hash,
                   "finalized block is not on the chain; this is not the chain that was followed before");
        }
        info!(chain_id = %self.parts.chain_id, number = first, "reading the chain from this block");
        self.forward(recent, &block).await.map(|_| ())
    }

    /// Reads up to the tip, through at most [`MAX_TURNS`] reorgs. The tip that was reached; `None`: the
    /// clients are being taken back.
    async fn read_to(
        &self,
        progress: &mut Progress,
        mut tip: L2BlockRef,
    ) -> Result<Option<L2BlockRef>, ReadError> {
        let Progress { recent, left, .. } = progress;
        for _ in 0..MAX_TURNS {
            let fork = match self.read_on(recent, tip).await? {
                Step::Done => return Ok(Some(tip)),
                Step::Fork(fork) => fork,
            };
            match turn(&self.parts.execution, recent, fork).await? {
                Turn::Reorg { kept } => self.rewind(recent, left, kept).await?,
                Turn::Moved => tip = self.parts.execution.tip().await?,
                Turn::TakenBack => {
                    let (number, hash) = (tip.number, tip.hash());
                    debug!(chain_id = %self.parts.chain_id, number, %hash, "execution client is rewinding");
                    return Ok(None);
                }
            }
            if recent.tip().is_none() {
                // Deeper than what is remembered: start again with the next read.
                return Err(ReadError::Gone { number: fork.parent.number });
            }
        }
        Err(ReadError::Restless)
    }

    /// Fetches the blocks up to the tip, several at once, and hands them on in order.
    async fn read_on(&self, recent: &mut RecentBlocks, tip: L2BlockRef) -> Result<Step, ReadError> {
        let Some(next) = recent.next() else { return Ok(Step::Done) };
        if tip.number < next {
            let is_known = recent.hash_at(tip.number).is_none_or(|hash| hash == tip.hash());
            // A tip that is one of ours only lags, or has no child yet.
            let fork = Fork { child: None, parent: tip.position() };
            return Ok(if is_known { Step::Done } else { Step::Fork(fork) });
        }
        let mut blocks =
            stream::iter(next..=tip.number).map(|number| self.fetch_to(tip, number)).buffered(AT_ONCE);
        while let Some(block) = blocks.next().await {
            if let Some(fork) = self.forward(recent, &block?).await? {
                return Ok(Step::Fork(fork));
            }
        }
        Ok(Step::Done)
    }

    /// A block up to the tip, whose hash is known.
    async fn fetch_to(
        &self,
        tip: L2BlockRef,
        number: u64,
    ) -> Result<(VerifiedBlock, Arc<ProvenLogs>), ReadError> {
        if number != tip.number {
            return self.fetch(number).await;
        }
        match self.parts.execution.block_by_hash(tip.hash()).await? {
            Some(block) => self.with_logs(block).await,
            // It was the tip a moment ago: the chain has another block there now.
            None => self.fetch(number).await,
        }
    }

    async fn fetch(&self, number: u64) -> Result<(VerifiedBlock, Arc<ProvenLogs>), ReadError> {
        let block = self.parts.execution.block_by_number(number).await?.ok_or(ReadError::Gone { number })?;
        self.with_logs(block).await
    }

    async fn with_logs(&self, block: VerifiedBlock) -> Result<(VerifiedBlock, Arc<ProvenLogs>), ReadError> {
        let number = block.number();
        let logs = self.parts.execution.logs(&block).await?.ok_or(ReadError::NoReceipts { number })?;
        Ok((block, logs))
    }

    /// Forwards a block if it is built on the last one. `Some`: it is built on another one.
    async fn forward(
        &self,
        recent: &mut RecentBlocks,
        (block, logs): &(VerifiedBlock, Arc<ProvenLogs>),
    ) -> Result<Option<Fork>, ReadError> {
        let (number, hash) = (block.number(), block.hash());
        let parent_hash = block.header().parent_hash;
        if !recent.push(BlockNumHash { number, hash }, parent_hash) {
            let parent = BlockNumHash { number: number.saturating_sub(1), hash: parent_hash };
            return Ok(Some(Fork { child: Some(BlockNumHash { number, hash }), parent }));
        }
        let observed = self.observe(block, logs);
        self.parts.metrics.messages.block_observed(self.parts.chain_id, observed.executed.len());
        self.send(MonitorMessage::Block(Arc::new(observed))).await?;
        Ok(None)
    }

    /// Drops what is above a block. `None`: all of it.
    async fn rewind(
        &self,
        recent: &mut RecentBlocks,
        left: &mut LeftBlocks,
        kept: Option<u64>,
    ) -> Result<(), ReadError> {
        let (from, first) = (recent.tip(), recent.first());
        let kept = kept.unwrap_or_else(|| {
            error!(chain_id = %self.parts.chain_id, "reorg deeper than the blocks that were read; reading restarts");
            first.unwrap_or_default().saturating_sub(1)
        });
        let depth = from.map_or(0, |from| from.number.saturating_sub(kept));
        let dropped = recent.hash_at(kept.saturating_add(1)).unwrap_or_default();
        match left.record(dropped) {
            ReorgReport::Reorg => warn!(chain_id = %self.parts.chain_id, kept, depth, %dropped, "reorg"),
            ReorgReport::BackAndForth => warn!(
                chain_id = %self.parts.chain_id, kept, depth, %dropped,
                "execution client alternates between branches; further reorgs from this block are only counted"
            ),
            ReorgReport::Nothing => debug!(chain_id = %self.parts.chain_id, kept, depth, %dropped, "reorg"),
        }
        recent.rewind(kept);
        self.parts.metrics.reading.reorg(self.parts.chain_id);
        self.send(MonitorMessage::Rewound { chain_id: self.parts.chain_id, kept }).await
    }

    async fn apply_heads(&self, progress: &mut Progress, reported: &ReportedHeads) -> Result<(), ReadError> {
        let known = progress.heads.unwrap_or_default();
        let (heads, other) = verified_heads(&progress.recent, known, reported);
        if progress.heads != Some(heads) {
            progress.heads = Some(heads);
            progress.recent.forget_below(heads.finalized.saturating_sub(KEPT_BELOW_FINAL));
            self.send(MonitorMessage::Heads { chain_id: self.parts.chain_id, heads }).await?;
        }
        progress.forked = if other.is_some() { progress.forked.saturating_add(1) } else { 0 };
        // While a chain reorgs, its node and its execution clients rightly differ for a moment.
        other.filter(|_| progress.forked > TOLERATED_FORKED_LOOKS).map_or(Ok(()), |other| Err(other.into()))
    }

    async fn send(&self, message: MonitorMessage) -> Result<(), ReadError> {
        self.parts.monitor.send(message).await.map_err(|_| ReadError::Ending)
    }

    /// A block as the monitor takes it in.
    fn observe(&self, block: &VerifiedBlock, logs: &ProvenLogs) -> ObservedBlock {
        let executed = logs.executed().to_vec();
        let declared = if executed.is_empty() { DeclaredKeys::default() } else { block.inbox_keys() };
        self.parts.metrics.suspects.undecodable_transactions(self.parts.chain_id, declared.undecodable);
        ObservedBlock {
            key: BlockKey { chain_id: self.parts.chain_id, number: block.number(), hash: block.hash() },
            parent_hash: block.header().parent_hash,
            timestamp: block.timestamp(),
            undeclared: undeclared(&executed, &declared.transactions),
            transactions: block
                .transaction_hashes(executed.iter().map(|executed| executed.transaction_index)),
            executed,
            undecodable: logs.undecodable().to_vec(),
            is_deposits_only: block.is_deposits_only(),
        }
    }
}

#[cfg(test)]
mod tests;
