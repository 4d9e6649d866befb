//! [`RangeAudit`]: audits a past range of a chain from its endpoints, without gossip.
//!
//! Blocks are fetched and judged in parallel and handed out in order. It writes nothing: what is done with an
//! outcome is its caller's.

use super::{Case, Investigation, Investigator, Verdict};
use crate::consolidation::BlockAttributes;
use crate::interop::BlockKey;
use crate::sources::{ExecutionClient, SourceError, VerifiedBlock};
use alloy::primitives::B256;
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// How often a block is tried before it is left open.
const ATTEMPTS: u32 = 6;

/// The pause before the second attempt; it doubles with every further one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// What was found out about one block of a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeOutcome {
    /// The block's height.
    pub number: u64,
    /// Its hash. `None`: the execution client did not give the block.
    pub hash: Option<B256>,
    /// The hash of its parent.
    pub parent_hash: Option<B256>,
    /// The verdict's name, or `open`.
    pub verdict: String,
    /// The reason for which it does not hold.
    pub reason: Option<String>,
    /// What was found, or what is missing, for people.
    pub detail: String,
    /// How many messages it executed.
    pub messages: usize,
}

impl RangeOutcome {
    /// Whether the block holds.
    pub fn holds(&self) -> bool {
        matches!(self.verdict.as_str(), "upheld" | "upheld-replacement")
    }

    /// Whether the block could not be judged.
    pub fn is_open(&self) -> bool {
        self.verdict == "open"
    }

    fn open(number: u64, hash: Option<B256>, detail: String) -> Self {
        let verdict = "open".to_owned();
        Self { number, hash, parent_hash: None, verdict, reason: None, detail, messages: 0 }
    }
}

/// An audit of past blocks.
#[derive(Debug, Clone)]
pub struct RangeAudit {
    /// The chain's execution client.
    pub client: ExecutionClient,
    /// Who judges.
    pub investigator: Arc<Investigator>,
    /// How many blocks are under way at once.
    pub concurrency: usize,
}

impl RangeAudit {
    /// The outcomes of a range, lowest height first.
    pub fn outcomes(self, range: RangeInclusive<u64>) -> impl Stream<Item = RangeOutcome> {
        let concurrency = self.concurrency;
        stream::iter(range)
            .map(move |number| {
                let audit = self.clone();
                async move { audit.audit(number).await }
            })
            .buffered(concurrency)
    }

    async fn audit(&self, number: u64) -> RangeOutcome {
        let mut pause = FIRST_PAUSE;
        let mut outcome = self.try_audit(number).await;
        for _ in 1..ATTEMPTS {
            if !outcome.is_open() {
                break;
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2);
            outcome = self.try_audit(number).await;
        }
        outcome
    }

    async fn try_audit(&self, number: u64) -> RangeOutcome {
        let block = match self.client.block_by_number(number).await {
            Ok(Some(block)) => block,
            Ok(None) => {
                let detail = "the execution client does not have the block".to_owned();
                return RangeOutcome::open(number, None, detail);
            }
            Err(error) => return RangeOutcome::open(number, None, describe(&error)),
        };
        let key = BlockKey { chain_id: self.client.chain_id(), number, hash: block.hash() };
        let case = Case::new(key, self.investigator.rules(key.chain_id), BlockAttributes::of_block(&block));
        let Investigation { case, waits, .. } = self.investigator.investigate(case).await;
        case.verdict().map_or_else(
            || {
                let missing = self.investigator.reasons().in_words(&waits);
                RangeOutcome::open(number, Some(key.hash), format!("waits for {missing}"))
            },
            |verdict| decided(&block, &case, verdict),
        )
    }
}

fn decided(block: &VerifiedBlock, case: &Case, verdict: &Verdict) -> RangeOutcome {
    RangeOutcome {
        number: block.number(),
        hash: Some(block.hash()),
        parent_hash: Some(block.header().parent_hash),
        verdict: verdict.name().to_owned(),
        reason: verdict.reason().map(ToOwned::to_owned),
        detail: case.detail().unwrap_or_default(),
        messages: case.messages().len(),
    }
}

fn describe(error: &SourceError) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Heads;
    use crate::devnet::contracts::{EMITTER, emit_call};
    use crate::devnet::fixture::{CHAIN_ID, Fixture};
    use crate::devnet::serve::{rpc_block, start};
    use crate::interop::{DependencySet, Member};
    use crate::metrics::Metrics;
    use crate::sources::{EndpointLimits, L2BlockRef, LogIndex, SyncStatus};
    use alloy::eips::eip2930::AccessList;
    use alloy::primitives::B256;
    use crosscheck_p2p::{ChainId, UnixSeconds};
    use jsonrpsee::RpcModule;
    use jsonrpsee::types::ErrorObjectOwned;
    use std::collections::BTreeMap;
    use std::time::Duration;

    /// An endpoint that takes no block hashes for receipts, and has no single ones (Erigon's words).
    #[tokio::test]
    async fn what_an_endpoint_refuses_is_told_in_its_words() {
        let mut fixture = Fixture::new(5);
        let call = fixture.call(0, EMITTER, emit_call(&[B256::ZERO], b"log"), AccessList::default());
        let block = fixture.extend(&[call]);
        let mut module = RpcModule::new(serde_json::to_value(rpc_block(&block, true)).unwrap());
        for method in ["eth_getBlockByNumber", "eth_getBlockByHash"] {
            module.register_method(method, |_, block, _| block.clone()).unwrap();
        }
        let refusal = || ErrorObjectOwned::owned(-32_602, "hex number > 64 bits", None::<()>);
        module.register_method("eth_getBlockReceipts", move |_, _, _| Err::<(), _>(refusal())).unwrap();
        let server = start(module).await.unwrap();
        let chain_id = ChainId::from(CHAIN_ID);
        let limits = EndpointLimits {
            timeout: Duration::from_secs(300),
            max_response_bytes: 1 << 20,
            max_concurrent_requests: 8,
        };
        let urls = [server.url().parse().unwrap()];
        let client = ExecutionClient::new(chain_id, &urls, 1, limits, LogIndex::new(1 << 20)).unwrap();
        let member = Member { interop_time: UnixSeconds(0), block_time: 2 };
        let set = DependencySet::new([(chain_id, member)].into(), 100);
        let (metrics, heads) = (Metrics::new(set.clone()).unwrap(), Heads::new([chain_id]));
        let head = L2BlockRef::new(1, block.hash, block.timestamp());
        let status = SyncStatus { unsafe_l2: head, safe_l2: head, local_safe_l2: head, finalized_l2: None };
        heads.set(chain_id, Some(status));
        let clients = [(chain_id, client.clone())].into();
        let investigator = Investigator::new(set, clients, heads, None, BTreeMap::new(), metrics);
        let audit = RangeAudit { client, investigator: Arc::new(investigator), concurrency: 1 };
        let outcome = audit.try_audit(1).await;
        assert!(outcome.is_open());
        assert!(outcome.detail.contains("eth_getTransactionReceipt"), "{}", outcome.detail);
    }
}
