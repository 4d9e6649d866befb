//! [`Starts`]: where each chain begins, as its rollup node says. Each is asked for once.
//!
//! It proves nothing: the block at that height is proven by the reader.

use super::SupervisorError;
use super::superchain_reader::SuperchainReader;
use crate::follow::Genesis;
use crosscheck_p2p::{ChainId, UnixSeconds};
use parking_lot::Mutex;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use tracing::debug;

/// Where a chain begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Start {
    /// Its first block, and the L1 block after which it begins.
    #[serde(flatten)]
    pub genesis: Genesis,
    /// The first block's timestamp.
    l2_time: u64,
}

#[derive(Deserialize)]
struct RollupConfig {
    genesis: Start,
}

impl Start {
    /// The height of the last block at or before a timestamp, blocks being this many seconds apart. `None`:
    /// the chain begins later.
    pub(super) fn height_at(&self, timestamp: UnixSeconds, block_time: u64) -> Option<u64> {
        let elapsed = timestamp.0.checked_sub(self.l2_time)?;
        let blocks = elapsed.checked_div(block_time.max(1))?;
        self.genesis.l2.number.checked_add(blocks)
    }
}

/// Where each chain begins. Clones share what is known.
#[derive(Clone, Debug)]
pub(super) struct Starts {
    superchain: SuperchainReader,
    known: Arc<Mutex<BTreeMap<ChainId, Start>>>,
}

impl Starts {
    /// Of this superchain's chains; none is known yet.
    pub(super) fn new(superchain: SuperchainReader) -> Self {
        Self { superchain, known: Arc::default() }
    }

    /// Where a chain begins.
    ///
    /// # Errors
    /// If it has no rollup node, or none that says it.
    pub(super) async fn of(&self, chain_id: ChainId) -> Result<Start, SupervisorError> {
        if let Some(start) = self.known.lock().get(&chain_id) {
            return Ok(*start);
        }
        let what = || format!("the genesis of chain {chain_id}");
        let node = self.superchain.sources(chain_id)?.node.as_ref();
        let node = node.ok_or_else(|| SupervisorError::Skipped {
            what: what(),
            reason: "the chain has no rollup node (rollup_node is not set)".to_owned(),
        })?;
        let document = node.rollup_config_document().await;
        let document = document.map_err(|error| SupervisorError::unproven(what(), &error))?;
        let config = serde_json::from_str::<RollupConfig>(document.get()).map_err(|error| {
            debug!(%chain_id, %error, "rollup configuration cannot be read");
            SupervisorError::Unanswered { what: what() }
        })?;
        self.known.lock().insert(chain_id, config.genesis);
        Ok(config.genesis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosscheck_core::consolidation::sample::op_mainnet_json;
    use rstest::rstest;

    #[rstest]
    #[case::the_first_block(0, Some(0))]
    #[case::between_two(3, Some(1))]
    #[case::a_block(4, Some(2))]
    #[case::before(-1, None)]
    fn heights(#[case] after: i64, #[case] blocks: Option<u64>) {
        let start = serde_json::from_value::<RollupConfig>(op_mainnet_json()).unwrap().genesis;
        let at = UnixSeconds(1_686_068_903_u64.saturating_add_signed(after));
        assert_eq!(start.height_at(at, 2), blocks.map(|blocks| 105_235_063 + blocks));
    }
}
