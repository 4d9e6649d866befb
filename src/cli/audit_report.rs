//! What an audit of past blocks found: [`AuditReport`], and [`AuditState`], from which it continues.

use crate::audit::RangeOutcome;
use crate::cli::Outcome;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use eyre::WrapErr;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

/// What an audit found.
#[derive(Debug, Clone, Serialize)]
pub(super) struct AuditReport {
    pub(super) chain_id: ChainId,
    pub(super) from: u64,
    pub(super) to: u64,
    /// Blocks judged in all, those of earlier runs included.
    pub(super) blocks: u64,
    pub(super) messages: u64,
    /// How many blocks ended how.
    pub(super) verdicts: BTreeMap<String, u64>,
    /// The blocks that are invalid, or could not be judged.
    pub(super) problems: Vec<RangeOutcome>,
    pub(super) interrupted: bool,
    /// Blocks judged by this run, how long it took, and its pace.
    pub(super) audited_now: u64,
    pub(super) seconds: f64,
    pub(super) blocks_per_second: f64,
}

impl AuditReport {
    /// Whether every block of the range holds. One that could not be judged proves nothing.
    pub(super) fn outcome(&self) -> Outcome {
        let wanted = self.to.saturating_sub(self.from).saturating_add(1);
        if self.problems.iter().any(|problem| !problem.is_open()) {
            Outcome::Failed
        } else if self.problems.is_empty() && self.blocks == wanted {
            Outcome::Ok
        } else {
            Outcome::Unknown
        }
    }
}

/// What was found so far. With a file, every outcome is a line of it before it counts.
#[derive(Debug)]
pub(super) struct AuditState {
    chain_id: ChainId,
    next: u64,
    file: Option<File>,
    last_hash: Option<B256>,
    verdicts: BTreeMap<String, u64>,
    blocks: u64,
    messages: u64,
    problems: Vec<RangeOutcome>,
}

impl AuditState {
    /// Begins at `from`, or continues after what the file holds.
    pub(super) fn open(path: Option<&Path>, chain_id: ChainId, from: u64) -> eyre::Result<Self> {
        let mut state = Self {
            chain_id,
            next: from,
            file: None,
            last_hash: None,
            verdicts: BTreeMap::new(),
            blocks: 0,
            messages: 0,
            problems: Vec::new(),
        };
        let Some(path) = path else { return Ok(state) };
        let head = serde_json::json!({ "chain_id": chain_id, "from": from }).to_string();
        if path.exists() {
            let file =
                File::open(path).wrap_err_with(|| format!("--resume {} cannot be read", path.display()))?;
            let mut lines = BufReader::new(file).lines();
            if lines.next().transpose()?.as_deref() != Some(&head) {
                eyre::bail!("--resume {} is not of this audit ({head}); name another file", path.display());
            }
            let mut whole = head.len().saturating_add(1);
            for line in lines {
                let line = line?;
                // The last line is incomplete if the program was killed while it wrote it. Its block is
                // audited again.
                let Ok(outcome) = serde_json::from_str::<RangeOutcome>(&line) else { break };
                if outcome.number != state.next || outcome.is_open() {
                    break;
                }
                whole = whole.saturating_add(line.len()).saturating_add(1);
                state.count(outcome);
            }
            let file = File::options().append(true).open(path)?;
            file.set_len(u64::try_from(whole)?)?;
            state.file = Some(file);
        } else {
            let mut file = File::create(path)
                .wrap_err_with(|| format!("--resume {} cannot be written", path.display()))?;
            writeln!(file, "{head}")?;
            state.file = Some(file);
        }
        Ok(state)
    }

    /// The next height to judge.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// Takes an outcome in; they must come in order.
    pub(super) fn add(&mut self, mut outcome: RangeOutcome) -> eyre::Result<()> {
        if let (Some(last), Some(parent)) = (self.last_hash, outcome.parent_hash)
            && last != parent
        {
            // Between two questions the chain reorged, or the client lies: then nothing is proven.
            outcome.detail = format!("its parent is {parent}, but the previous block was {last}");
            "open".clone_into(&mut outcome.verdict);
        }
        if let Some(file) = &mut self.file {
            writeln!(file, "{}", serde_json::to_string(&outcome)?)?;
        }
        self.count(outcome);
        Ok(())
    }

    fn count(&mut self, outcome: RangeOutcome) {
        let count = self.verdicts.entry(outcome.verdict.clone()).or_default();
        *count = count.saturating_add(1);
        self.blocks = self.blocks.saturating_add(1);
        self.messages = self.messages.saturating_add(u64::try_from(outcome.messages).unwrap_or(u64::MAX));
        self.next = outcome.number.saturating_add(1);
        self.last_hash = outcome.hash;
        if !outcome.is_valid() {
            self.problems.push(outcome);
        }
    }

    /// The report of what was found.
    pub(super) fn report(
        self,
        range: RangeInclusive<u64>,
        audited_now: u64,
        elapsed: Duration,
        interrupted: bool,
    ) -> AuditReport {
        let (from, to) = range.into_inner();
        let seconds = elapsed.as_secs_f64();
        // A rate for people: its last digits do not matter.
        #[allow(clippy::cast_precision_loss)]
        let blocks_per_second = if seconds > 0.0 { audited_now as f64 / seconds } else { 0.0 };
        AuditReport {
            chain_id: self.chain_id,
            from,
            to,
            blocks: self.blocks,
            messages: self.messages,
            verdicts: self.verdicts,
            problems: self.problems,
            interrupted,
            audited_now,
            seconds,
            blocks_per_second,
        }
    }
}
