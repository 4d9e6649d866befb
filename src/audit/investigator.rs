//! [`Investigator`]: asks the sources for what a case needs, until it is decided or must wait.
//!
//! The imperative shell of [`Case`]. It decides nothing: an answer becomes a fact, a failure becomes a wait.

mod absence;
mod corroboration;
mod derived;
mod linked;
mod past;
mod read_l1;
mod run;
mod surroundings;
mod vouched_branch;

pub(super) use self::corroboration::Witnesses;
use self::derived::Lineage;
use self::linked::Linked;
use self::past::Past;
use self::surroundings::{AuditContext, Fetched};
pub(super) use self::vouched_branch::{HeadMove, recorded_branches};
use super::AuditMetrics;
use super::Heads;
use super::l1_judge::{L1Answer, L1Judge, Surroundings};
use super::reasons::{Reasons, with_texts};
use crate::ledger::Ledger;
use crate::metrics::EndpointKind;
use crate::sources::{ExecutionClient, SourceError, SyncStatus};
use crate::stale_branches::StaleBranches;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::case::{
    Awaited, BlockRequest, CandidateBook, Case, CaseRules, Cause, Fact, FactNeed, Maturity, Need,
    ProvenBlocks, Verdict, Wait,
};
use crosscheck_core::consolidation::BlockAttributes;
use crosscheck_core::consolidation::deposits::DepositsError;
use crosscheck_core::message::BlockKey;
use crosscheck_core::proof::{OutputV0, ProvenLogs, VerifiedBlock};
use crosscheck_core::validity::{DependencySet, Execution, Objection, check_executed};
use crosscheck_p2p::{ChainId, UnixSeconds};
use futures::{StreamExt, stream};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tracing::debug;

/// How many needs of one case are seen to at once.
const CONCURRENT_NEEDS: usize = 8;

/// How many rounds of questions one investigation takes: a chain that reorgs under it must not keep it.
const MAX_ROUNDS: usize = 8;

/// How long a decided case may check its other messages before its verdict is reported.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// Where an investigation left a case.
#[derive(Debug)]
pub struct Investigation {
    /// The case, decided or not.
    pub case: Case,
    /// What it waits for. Empty: it is decided.
    pub waits: BTreeSet<Wait>,
    /// Of a verdict against the block: up to here L1 had been read. `None`: L1 is not asked.
    pub l1: Option<BlockNumHash>,
    /// Why what it waits for is unavailable, in words, as far as there are any.
    pub reason_text: BTreeMap<Wait, String>,
}

impl Investigation {
    /// It must wait.
    const fn waiting(case: Case, waits: BTreeSet<Wait>) -> Self {
        Self { case, waits, l1: None, reason_text: BTreeMap::new() }
    }
}

/// What an investigator works with.
#[derive(Debug)]
pub struct InvestigatorParts {
    /// The chains, and whose messages each may execute.
    pub set: DependencySet,
    /// Their execution clients.
    pub clients: BTreeMap<ChainId, ExecutionClient>,
    /// What the chains' nodes report of their heads.
    pub heads: Heads,
    /// Checks blocks against L1. `None`: they are not checked against it.
    pub l1: Option<L1Judge>,
    /// The rules for cases of each chain.
    pub rules: BTreeMap<ChainId, CaseRules>,
    /// Where it is looked up what became of a block's parent, and where what L1 says about blob base fees is
    /// kept.
    pub ledger: Option<Ledger>,
    /// The chains of which every block is audited that their nodes derive, attested or not.
    pub derived: BTreeSet<ChainId>,
    /// The nodes that are on invalid blocks: no block is found invalid by what they say.
    pub branches: StaleBranches,
    /// Whether a client is asked only once which block a final height has, as for an audit of past blocks.
    pub remembers_final: bool,
    /// What is counted.
    pub metrics: AuditMetrics,
}

/// Asks the sources for what cases need.
#[derive(Debug)]
pub struct Investigator {
    parts: InvestigatorParts,
    candidates: CandidateBook,
    proven: Mutex<ProvenBlocks>,
    linked: Linked,
    lineage: Lineage,
    past: Option<Past>,
    reasons: Reasons,
}

impl Investigator {
    /// An investigator that has asked nothing yet.
    pub fn new(mut parts: InvestigatorParts) -> Self {
        if let Some(ledger) = &parts.ledger {
            parts.l1 = parts.l1.map(|l1| l1.with_ledger(ledger.clone()));
        }
        let candidates = CandidateBook::new(parts.set.chain_ids());
        let reasons = parts.l1.as_ref().map(|l1| l1.reasons().clone()).unwrap_or_default();
        let past = parts.remembers_final.then(Past::new);
        let (proven, linked, lineage) = (Mutex::default(), Linked::default(), Lineage::default());
        Self { parts, candidates, proven, linked, lineage, past, reasons }
    }

    /// Why what cases wait for is unavailable.
    pub(super) const fn reasons(&self) -> &Reasons {
        &self.reasons
    }

    /// The heads of a chain's rollup node.
    pub(super) fn heads(&self, chain_id: ChainId) -> Option<SyncStatus> {
        self.parts.heads.get(chain_id)
    }

    /// The blocks that attested ones may replace.
    pub const fn candidates(&self) -> &CandidateBook {
        &self.candidates
    }

    /// The rules for cases of a chain.
    pub fn rules(&self, chain_id: ChainId) -> CaseRules {
        self.parts.rules.get(&chain_id).copied().unwrap_or_default()
    }

    /// Goes on with a case as far as the sources allow.
    pub async fn investigate(&self, case: Case) -> Investigation {
        let (found, mut reason_text) = with_texts(self.check_case(case)).await;
        reason_text.retain(|wait, _| found.waits.contains(wait));
        Investigation { reason_text, ..found }
    }

    async fn check_case(&self, mut case: Case) -> Investigation {
        let mut epoch = self.epoch(case.key().chain_id);
        case.observe_view(self.view(&case).await);
        let begun = case.clone();
        let mut waits = BTreeSet::new();
        for _ in 0..MAX_ROUNDS {
            let needs = case.needs();
            if needs.is_empty() {
                return Investigation::waiting(case, BTreeSet::new());
            }
            let before = case.clone();
            waits = self.answer_all(&mut case, needs).await;
            let mut l1 = None;
            if case.verdict().is_some_and(Verdict::is_wrong) {
                // Before L1 is asked again: a node that has read another branch by now is known to have then.
                l1 = self.l1_read(case.key().chain_id);
                match self.epoch_now(case.key().chain_id).await {
                    Ok(now) if now == epoch => {}
                    Ok(now) => {
                        (case, epoch) = (begun.clone(), now);
                        case.observe_view(self.view(&case).await);
                        continue;
                    }
                    Err(wait) => return Investigation::waiting(begun, BTreeSet::from([wait])),
                }
            }
            if case.verdict().is_some() {
                // One contradiction decides; the other messages are checked if that takes no time.
                let looked = self.check_remaining_messages(&mut case);
                let _too_late = tokio::time::timeout(LAST_LOOK, looked).await;
                return Investigation { l1, ..Investigation::waiting(case, BTreeSet::new()) };
            }
            if case == before {
                break;
            }
        }
        if waits.is_empty() {
            let chain_id = case.key().chain_id;
            waits.insert(Wait { awaited: Awaited::Block, chain_id, cause: Cause::NotYet });
        }
        Investigation::waiting(case, waits)
    }

    /// The state of the chains that a case may rest on: another once any has moved back. `None`: one of those
    /// that it has learnt something of cannot be asked.
    async fn view(&self, case: &Case) -> Option<u64> {
        let held = if case.is_new() { None } else { Some(self.continuous_chains().await) };
        let rests_on = self.parts.set.reachable_from(case.key().chain_id);
        let is_known = held.is_none_or(|held| rests_on.iter().all(|chain_id| held.contains(chain_id)));
        is_known.then(|| self.epoch(case.key().chain_id))
    }

    /// Changes whenever L1 goes back, or a chain that the validity of this one's blocks may rest on.
    fn epoch(&self, chain_id: ChainId) -> u64 {
        let left = self.l1_branches_left();
        self.proven.lock().resets_of(&self.parts.set.reachable_from(chain_id)).wrapping_add(left)
    }

    /// The same after L1 was asked again: what it said may be some seconds old, which is not enough to find a
    /// block invalid.
    async fn epoch_now(&self, chain_id: ChainId) -> Result<u64, Wait> {
        if let Some(l1) = &self.parts.l1 {
            l1.refresh(chain_id).await?;
        }
        Ok(self.epoch(chain_id))
    }

    /// Looks at the messages of a decided case that are not needed for its verdict.
    async fn check_remaining_messages(&self, case: &mut Case) {
        for _ in 0..MAX_ROUNDS {
            let (before, rest) = (case.clone(), case.undecided_messages());
            if rest.is_empty() {
                return;
            }
            self.answer_all(case, rest).await;
            if *case == before {
                return;
            }
        }
    }

    /// Sees to needs, and returns what was unavailable.
    async fn answer_all(&self, case: &mut Case, needs: BTreeSet<Need>) -> BTreeSet<Wait> {
        let (mut alone, mut around) = (BTreeSet::new(), BTreeSet::new());
        for need in needs {
            match need {
                Need::Fact(need) => alone.insert(need),
                Need::Around(need) => around.insert(need),
            };
        }
        let key = *case.key();
        let attributes = Arc::clone(case.attributes());
        let context = AuditContext::of(case);
        let asked: Vec<_> =
            alone.into_iter().map(|need| self.answer(key, &attributes, context.as_ref(), need)).collect();
        let mut answers = stream::iter(asked).buffer_unordered(CONCURRENT_NEEDS);
        let mut waits = BTreeSet::new();
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(fact) => case.learn(&self.parts.set, &fact),
                Err(wait) => {
                    waits.insert(wait);
                }
            }
        }
        if let Some(context) = context.as_ref().filter(|_| !around.is_empty()) {
            let (facts, missing) = self.resolve_related(context, &around).await;
            waits.extend(missing);
            for fact in &facts {
                case.learn(&self.parts.set, fact);
            }
        }
        waits
    }

    /// Fetches an ancestor of an attested block. `Err`: what it waits for.
    pub async fn fetch(&self, key: BlockKey) -> Result<VerifiedBlock, Wait> {
        self.fetch_by_hash(key.chain_id, key.hash).await
    }

    async fn fetch_by_hash(&self, chain_id: ChainId, hash: B256) -> Result<VerifiedBlock, Wait> {
        let wait = Wait { awaited: Awaited::Block, chain_id, cause: Cause::NotYet };
        self.block_by_hash(chain_id, hash).await?.ok_or_else(|| {
            self.reasons.note(wait, &format!("its execution clients have no block {hash}"));
            wait
        })
    }

    /// The local-safe blocks at these heights, as far as they can be had now.
    pub async fn local_safe_blocks(&self, chain_id: ChainId, numbers: &[u64]) -> Vec<VerifiedBlock> {
        let mut blocks = Vec::with_capacity(numbers.len());
        for number in numbers {
            match self.local_safe_block(chain_id, *number, Awaited::LocalSafe).await {
                Ok(block) => blocks.push(block),
                Err(_) => break,
            }
        }
        blocks
    }

    async fn answer(
        &self,
        key: BlockKey,
        attributes: &BlockAttributes,
        context: Option<&AuditContext>,
        need: FactNeed,
    ) -> Result<Fact, Wait> {
        match need {
            FactNeed::Derived => self.derived(key, attributes).await,
            FactNeed::L1 => self.ask_l1(key, attributes).await.map(L1Answer::into_fact),
            FactNeed::Final => self.finality(key),
            FactNeed::Corroboration { derived } => self.corroboration(key, attributes, derived).await,
            FactNeed::Logs { hash, .. } => self.logs_of(key, hash).await,
            FactNeed::Initiating { chain_id, number, timestamp } => {
                self.initiating(context, chain_id, number, timestamp).await
            }
        }
    }

    /// Waits if the block and the derived one differ where nodes derive different blocks from one batch:
    /// neither is wrong for all of them.
    fn expect_one_reading(
        &self,
        key: BlockKey,
        attributes: &BlockAttributes,
        derived: &VerifiedBlock,
    ) -> Result<(), Wait> {
        let is_split = attributes.metering.is_unreadable()
            || BlockAttributes::of_block(derived).metering.is_unreadable();
        if derived.hash() == key.hash || !is_split {
            return Ok(());
        }
        let wait = Wait { awaited: Awaited::LocalSafe, chain_id: key.chain_id, cause: Cause::Unsupported };
        self.reasons.note(wait, &DepositsError::Metering.to_string());
        Err(wait)
    }

    async fn ask_l1(&self, key: BlockKey, attributes: &BlockAttributes) -> Result<L1Answer, Wait> {
        let Some(l1) = &self.parts.l1 else { return Ok(L1Answer::Agrees(None)) };
        let chain_id = key.chain_id;
        let parent = self.fetch_by_hash(chain_id, attributes.parent_hash).await?;
        let wanted = l1.required_blocks(chain_id, attributes.timestamp, &parent).await?;
        let mut around = Surroundings { parent, grandparent: None, node_block: None };
        if wanted.grandparent {
            let hash = around.parent.header().parent_hash;
            around.grandparent = Some(self.fetch_by_hash(chain_id, hash).await?);
        }
        if wanted.node_block {
            around.node_block = Some(self.local_safe_block(chain_id, key.number, Awaited::LocalSafe).await?);
        }
        l1.judge(key, attributes, &around).await
    }

    async fn logs_of(&self, key: BlockKey, hash: B256) -> Result<Fact, Wait> {
        let gone = |awaited| {
            // Only a block that is no longer canonical may rightly be unavailable; the case knows which it
            // is.
            if hash == key.hash {
                Err(Wait { awaited, chain_id: key.chain_id, cause: Cause::NotYet })
            } else {
                Ok(Fact::LogsGone)
            }
        };
        let Some(block) = self.block_by_hash(key.chain_id, hash).await? else {
            return gone(Awaited::Block);
        };
        match self.logs(key.chain_id, &block, Awaited::Receipts).await? {
            Some(logs) => {
                self.expect_clear(&logs)?;
                Ok(Fact::Logs(logs))
            }
            None => gone(Awaited::Receipts),
        }
    }

    /// Waits if a block executes a message that cannot be judged by what is known of the rules, and none that
    /// is invalid by itself.
    fn expect_clear(&self, logs: &ProvenLogs) -> Result<(), Wait> {
        let execution = Execution { chain_id: logs.chain_id(), timestamp: logs.timestamp() };
        let mut unclear = None;
        for executed in logs.executed() {
            match check_executed(&self.parts.set, execution, executed) {
                Err(Objection::Broken(_)) => return Ok(()),
                Err(Objection::Unclear(rules)) => unclear = Some(rules),
                Ok(_) => {}
            }
        }
        let Some(unclear) = unclear else { return Ok(()) };
        let wait = Wait { awaited: Awaited::Rules, chain_id: logs.chain_id(), cause: Cause::Unsupported };
        self.reasons.note(wait, &unclear.to_string());
        Err(wait)
    }

    async fn initiating(
        &self,
        context: Option<&AuditContext>,
        chain_id: ChainId,
        number: u64,
        timestamp: UnixSeconds,
    ) -> Result<Fact, Wait> {
        if let Some(root) = context.and_then(|context| context.root_at(chain_id, number)) {
            return Ok(Fact::Initiating { logs: Arc::clone(root), is_valid: false });
        }
        let ask = BlockRequest { timestamp, chain_id, number: Some(number) };
        Ok(match self.fetch_requested(ask, context, &BTreeSet::new()).await? {
            Fetched::Block { logs, maturity, .. } => {
                self.expect_proof_of_absence(context, &logs).await?;
                Fact::Initiating { logs, is_valid: maturity == Maturity::Settled }
            }
            Fetched::Tip { number, timestamp } => Fact::InitiatingTip { chain_id, number, timestamp },
            // Only for a request without a height.
            Fetched::NoneAt => {
                return Err(Wait { awaited: Awaited::Initiating, chain_id, cause: Cause::NotYet });
            }
        })
    }

    /// The block that L1 says is at this height, once the chain's node has derived that far.
    async fn local_safe_block(
        &self,
        chain_id: ChainId,
        number: u64,
        awaited: Awaited,
    ) -> Result<VerifiedBlock, Wait> {
        let wait = |cause| Wait { awaited, chain_id, cause };
        let Some(heads) = self.parts.heads.get(chain_id) else {
            self.reasons.note(wait(Cause::EndpointError), "its rollup node does not report its heads");
            return Err(wait(Cause::EndpointError));
        };
        let Some(local_safe) = heads.local_safe_l2.filter(|head| number <= head.number) else {
            self.parts.heads.request_poll(chain_id);
            let head = heads.local_safe_l2.map_or_else(
                || "its rollup node has no local-safe head".to_owned(),
                |head| format!("its rollup node's local-safe head is block {}", head.number),
            );
            self.reasons.note(wait(Cause::NotYet), &format!("block {number} is not local-safe: {head}"));
            return Err(wait(Cause::NotYet));
        };
        let block = self.canonical_block(chain_id, number, awaited).await?;
        // Between the two answers the chain may have reorged: then ask again later.
        if number == local_safe.number && block.hash() != local_safe.hash() {
            self.parts.heads.request_poll(chain_id);
            return Err(wait(Cause::NotYet));
        }
        if let Some(l1) = &self.parts.l1 {
            l1.expect_canonical(chain_id, &block, awaited).await?;
        }
        Ok(block)
    }

    async fn block_by_hash(&self, chain_id: ChainId, hash: B256) -> Result<Option<VerifiedBlock>, Wait> {
        let wait = Wait { awaited: Awaited::Block, chain_id, cause: Cause::NotYet };
        let client = self.parts.clients.get(&chain_id).ok_or(wait)?;
        let answer = client.block_by_hash(hash).await;
        answer.map_err(|error| self.record_failure(&error, chain_id, Awaited::Block))
    }

    async fn logs(
        &self,
        chain_id: ChainId,
        block: &VerifiedBlock,
        awaited: Awaited,
    ) -> Result<Option<Arc<ProvenLogs>>, Wait> {
        let wait = Wait { awaited, chain_id, cause: Cause::NotYet };
        let client = self.parts.clients.get(&chain_id).ok_or(wait)?;
        let _turn = match &self.past {
            Some(past) => Some(past.fetch_lock(block.hash()).await),
            None => None,
        };
        client.logs(block).await.map_err(|error| self.record_failure(&error, chain_id, awaited))
    }

    fn record_failure(&self, error: &SourceError, chain_id: ChainId, awaited: Awaited) -> Wait {
        self.parts.metrics.shared().source_failed(chain_id, EndpointKind::Execution);
        debug!(%chain_id, %error, "source failed; its answer stays unknown");
        let wait = Wait { awaited, chain_id, cause: Cause::EndpointError };
        self.reasons.note(wait, &error.to_string());
        wait
    }
}

/// What the output root of a block is the hash of.
pub(super) fn output(block: &VerifiedBlock) -> OutputV0 {
    OutputV0 {
        state_root: block.header().state_root,
        withdrawals_root: block.header().withdrawals_root.unwrap_or_default(),
        block_hash: block.hash(),
    }
}

#[cfg(test)]
mod superchain_tests;
#[cfg(test)]
pub(super) mod tests;
