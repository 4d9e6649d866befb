//! [`Progress`]: live lines on a terminal: the heads of each chain, and what the sidecar says. Writes to
//! stderr.
//!
//! Where stderr is not a terminal nothing is drawn.

use crate::observation::{Observations, count_attestations, count_messages};
use crate::simulation::Tick;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;

/// The live lines.
#[derive(Debug)]
pub(crate) struct Progress {
    chains: BTreeMap<u64, ProgressBar>,
    verdicts: ProgressBar,
    lines: MultiProgress,
}

impl Progress {
    /// Lines for these chains, if stderr is a terminal.
    pub(crate) fn new(chain_ids: &[u64], blocks: Option<u64>, lines: MultiProgress) -> Self {
        let line = |template: &str| {
            let bar = lines.add(blocks.map_or_else(ProgressBar::new_spinner, ProgressBar::new));
            // A template that does not parse is a defect of ours; the default style shows the same numbers.
            bar.set_style(
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar
        };
        let template = if blocks.is_some() { "{prefix} {bar:24} {msg}" } else { "{prefix} {msg}" };
        let chains = chain_ids.iter().map(|chain_id| {
            let bar = line(template);
            bar.set_prefix(chain_id.to_string());
            (*chain_id, bar)
        });
        let chains = chains.collect();
        let verdicts = line("    {msg}");
        Self { chains, verdicts, lines }
    }

    /// Shows where the chains are after a tick, and what the sidecar was seen to say.
    pub(crate) fn show(&self, tick: &Tick, seen: Option<&Observations>) {
        for chain in &tick.chains {
            let Some(bar) = self.chains.get(&chain.chain_id) else { continue };
            let heads = chain.heads;
            bar.set_position(heads.finalized);
            let outage = match (
                chain.outage,
                chain.other_branch.is_some(),
                chain.unknown_heads || chain.other_rules,
                !chain.unlinked.is_empty(),
            ) {
                (true, ..) => "  execution client out",
                (_, true, ..) => "  nodes on another branch",
                (.., true, _) => "  rollup node unusable",
                (.., true) => "  execution client's blocks do not form a chain",
                (false, false, false, false) => "",
            };
            bar.set_message(format!(
                "unsafe {}  local-safe {}  safe {}  finalized {}{outage}",
                heads.unsafe_head, heads.local_safe, heads.safe, heads.finalized
            ));
        }
        if let Some(seen) = seen {
            self.verdicts.set_message(verdicts(seen));
        }
    }

    /// Takes all lines away.
    pub(crate) fn clear(&self) {
        for bar in self.chains.values().chain([&self.verdicts]) {
            bar.finish_and_clear();
        }
        // What cannot be drawn need not be cleared.
        let _ = self.lines.clear();
    }
}

fn verdicts(seen: &Observations) -> String {
    let (attestations, messages) = (count_attestations(seen), count_messages(seen));
    format!(
        "attestations {}: {} upheld, {} replaced, {} violated, {} discarded, {} open; messages {}: {} valid, {} invalid, {} unknown, {} unchecked",
        attestations.received,
        attestations.upheld,
        attestations.upheld_replacement,
        attestations.violated,
        attestations.discarded,
        attestations.open,
        messages.executed,
        messages.valid,
        messages.invalid,
        messages.unknown,
        messages.unchecked
    )
}
