//! [`PausedChains`]: a devnet that is paused, for programs that are to run beside chains that are stalled.

use crate::program::{Running, Written, call, paused_at};
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use toml::Table;

/// At which block the chains are paused.
pub(crate) const PAUSED_AT: u64 = 12;

/// Chains that are stalled at a block, with everything that belongs to them.
pub(crate) struct PausedChains {
    pub(crate) dir: TempDir,
    pub(crate) written: Written,
    _chains: Running,
}

impl PausedChains {
    pub(crate) async fn start() -> Self {
        Self::start_pausing_at(&[PAUSED_AT]).await
    }

    /// The same, pausing at several blocks. They stand still at the first.
    pub(crate) async fn start_pausing_at(blocks: &[u64]) -> Self {
        Self::start_from(5, blocks).await
    }

    /// The same, with what another seed draws: other blocks of the same chains.
    pub(crate) async fn start_from(seed: u64, blocks: &[u64]) -> Self {
        let dir = TempDir::new().unwrap();
        let (folder, seed) = (dir.path().to_str().unwrap(), seed.to_string());
        let mut arguments = vec!["devnet", "--fast", "--no-sidecar", "--seed", &seed, "--dir", folder];
        arguments.extend(["--blocks", "40", "--stay"]);
        let pauses: Vec<String> = blocks.iter().map(ToString::to_string).collect();
        arguments.extend(pauses.iter().flat_map(|block| ["--pause-at", block.as_str()]));
        let chains = Running::start(&arguments, &dir.path().join("devnet.log"));
        let written = Written::wait_for(&dir.path().join("crosscheck.toml")).await;
        paused_at(dir.path(), blocks[0]).await;
        Self { dir, written, _chains: chains }
    }

    /// The devnet's configuration, changed: no head need move, unless the change says so.
    pub(crate) fn config(&self, change: impl FnOnce(&mut Table)) -> PathBuf {
        let text = std::fs::read_to_string(self.dir.path().join("crosscheck.toml")).unwrap();
        let mut config: Table = text.parse().unwrap();
        for (_, chain) in config["chains"].as_table_mut().unwrap() {
            for stall in ["unsafe_stall", "safe_stall", "l1_stall", "vouched_stall"] {
                chain.as_table_mut().unwrap().insert(stall.into(), "1day".into());
            }
        }
        change(&mut config);
        let path = self.dir.path().join("changed.toml");
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }

    /// Crosscheck beside the chains, and its log.
    pub(crate) fn sidecar(&self, config: &Path) -> (Running, PathBuf) {
        let log = self.dir.path().join("sidecar.log");
        (Running::start(&["run", "--config", config.to_str().unwrap(), "--log-format", "json"], &log), log)
    }
}

/// What blocks readiness.
pub(crate) async fn reasons(rpc: &str) -> Option<Vec<String>> {
    let status = call(rpc, "crosscheck_status", &[]).await?;
    let reasons: Vec<String> = serde_json::from_value(status["reasons"].clone()).ok()?;
    assert_eq!(status["ready"] == true, reasons.is_empty(), "{status}");
    Some(reasons)
}

/// The entries of a log with this message.
pub(crate) fn entries(log: &Path, message: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap();
    let entries = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    entries.filter(|entry| entry["message"] == message).collect()
}

/// Those of them that are about the first chain.
pub(crate) fn entries_of_901(log: &Path, message: &str) -> Vec<Value> {
    entries(log, message).into_iter().filter(|entry| entry["chain_id"] == "901").collect()
}
