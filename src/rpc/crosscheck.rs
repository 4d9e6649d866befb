//! The `crosscheck_*` methods: attestations, verdicts, and the status of the chains.

use crate::audit::{Heads, NodeDisagreements};
use crate::gossip::{RefusalRecord, Refusals};
use crate::health::Health;
use crate::ledger::{CaseFilter, CaseRecord, Hold, Ledger, LedgerError};
use crate::metrics::EndpointKind;
use crate::sources::{EndpointNames, NodeHealth, RollupNodes, name_of};
use alloy::primitives::{B256, Bytes};
use crosscheck_core::consolidation::UnknownFork;
use crosscheck_core::heads::L2BlockRef;
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::ChainId;
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::proc_macros::rpc;
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::types::error::INVALID_PARAMS_CODE;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use tracing::error;

/// The largest page.
const MAX_PAGE: u32 = 1000;

/// How much is read at once unless asked otherwise.
const DEFAULT_PAGE: u32 = 100;

/// Which part of a list to read.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Page {
    /// Only entries of this chain.
    pub chain_id: Option<ChainId>,
    /// Only entries after this one. `null`: from the first one on.
    #[serde(deserialize_with = "cursor_or_null")]
    pub after: u64,
    /// At most this many: 100 unless given, at most 1000.
    pub limit: Option<u32>,
}

impl Page {
    fn limit(&self) -> u32 {
        page_limit(self.limit)
    }
}

/// Reads a cursor. The `null` of the last page's `next` is no cursor: reading starts again.
pub(super) fn cursor_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// How much is read at once if so much is asked for.
pub(super) fn page_limit(asked: Option<u32>) -> u32 {
    asked.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE)
}

/// Which audited blocks to read.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttestationsPageRequest {
    /// Only entries of this chain.
    pub chain_id: Option<ChainId>,
    /// Only blocks of this height: all of them, whatever `after` and `limit` are.
    pub number: Option<u64>,
    /// Only entries after this one. `null`: from the first one on.
    #[serde(deserialize_with = "cursor_or_null")]
    pub after: u64,
    /// At most this many: 100 unless given, at most 1000.
    pub limit: Option<u32>,
}

/// Which block.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BlockQuery {
    /// Its chain.
    pub chain_id: ChainId,
    /// Its height.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
}

/// A page of audited blocks.
#[derive(Debug, Clone, Serialize)]
pub struct AttestationsPage {
    /// The blocks, in the order in which they were opened.
    pub attestations: Vec<CaseRecord>,
    /// What to give as `after` for the next page. `null`: this was the last.
    pub next: Option<u64>,
    /// Where this page ended: given as `after`, it leads to whatever comes later.
    pub cursor: u64,
}

/// A page of refused frames.
#[derive(Debug, Clone, Serialize)]
pub struct RefusalsPage {
    /// The refusals, oldest first.
    pub refusals: Vec<RefusalRecord>,
    /// What to give as `after` for the next page. `null`: this was the last.
    pub next: Option<u64>,
    /// Where this page ended: given as `after`, it leads to whatever comes later.
    pub cursor: u64,
}

/// How the program and the chains stand.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The program's version.
    pub version: &'static str,
    /// Whether everything needed works.
    pub ready: bool,
    /// What blocks readiness.
    pub reasons: Vec<String>,
    /// The chains.
    pub chains: Vec<ChainStatus>,
}

/// One of a chain's rollup nodes.
#[derive(Debug, Clone, Serialize)]
pub struct RollupNodeStatus {
    /// Its place in the chain's list, counted from 0: callers do not get its address.
    pub endpoint: String,
    /// Whether the chain's heads are taken from it.
    pub in_use: bool,
    /// Its state: `unasked`, `useful`, `no-heads`, `no-l1`, `behind` or `failing`.
    pub state: &'static str,
    /// What is the matter. `null`: nothing.
    pub detail: Option<String>,
}

impl RollupNodeStatus {
    fn new(node: &NodeHealth, chain_id: ChainId, names: &EndpointNames) -> Self {
        Self {
            endpoint: name_of(EndpointKind::RollupNode.name(), node.place, chain_id),
            in_use: node.is_in_use,
            state: node.state.name(),
            detail: Some(names.hide(&node.detail)).filter(|detail| !detail.is_empty()),
        }
    }
}

/// The state of a chain. Heads are heights; `null`: not known.
#[derive(Debug, Clone, Serialize)]
pub struct ChainStatus {
    /// The chain.
    pub chain_id: ChainId,
    /// Attested blocks whose audit was started.
    pub received: u64,
    /// The highest block gossiped, on any topic.
    pub gossiped: Option<u64>,
    /// The tip, as the chain's node has it.
    pub unsafe_head: Option<u64>,
    /// The head of what L1 says.
    pub local_safe: Option<u64>,
    /// What the node calls safe.
    pub safe: Option<u64>,
    /// What the node calls final.
    pub finalized: Option<u64>,
    /// The head that Crosscheck vouches for.
    pub vouched: Option<u64>,
    /// How often the vouched head has left a branch that was no longer on the chain.
    pub retractions: u64,
    /// The block that holds the vouched head, if one does.
    pub hold: Option<Hold>,
    /// Blocks without a verdict.
    pub open: u64,
    /// Its rollup nodes, in the order in which they are tried.
    pub rollup_nodes: Vec<RollupNodeStatus>,
    /// Where those differ, in words.
    pub rollup_node_differences: Vec<String>,
    /// The forks that it has by its node and that this build does not know: from then on a difference from L1
    /// is unknown.
    pub unknown_forks: Vec<UnknownForkStatus>,
    /// Why the rollup node in use is not an independent second opinion, in words. `None`: no reason is known.
    pub second_opinion: Option<String>,
}

/// A fork that this build does not know.
#[derive(Debug, Clone, Serialize)]
pub struct UnknownForkStatus {
    /// Its name.
    pub fork: String,
    /// When it takes force, in seconds since 1970.
    pub time: u64,
    /// The same in words.
    pub date: String,
}

impl From<&UnknownFork> for UnknownForkStatus {
    fn from(fork: &UnknownFork) -> Self {
        Self { fork: fork.name.clone(), time: fork.time.0, date: fork.date() }
    }
}

/// The `crosscheck_*` methods.
#[rpc(server, namespace = "crosscheck")]
pub trait CrosscheckApi {
    /// Audited blocks, with their verdicts.
    #[method(name = "attestations")]
    async fn attestations(&self, page: Option<AttestationsPageRequest>) -> RpcResult<AttestationsPage>;

    /// The signed gossip frame of a block: what was signed, by which anybody can check who signed it.
    #[method(name = "frame")]
    async fn frame(&self, block: BlockQuery) -> RpcResult<Option<Bytes>>;

    /// Gossip frames refused lately.
    #[method(name = "refusals")]
    async fn refusals(&self, page: Option<Page>) -> RpcResult<RefusalsPage>;

    /// How the program and the chains stand.
    #[method(name = "status")]
    async fn status(&self) -> RpcResult<Status>;
}

/// What the methods read.
#[derive(Debug, Clone)]
pub struct CrosscheckRpc {
    /// The chains.
    pub chains: Vec<ChainId>,
    /// Cases and verdicts.
    pub ledger: Ledger,
    /// Refused frames.
    pub refusals: Refusals,
    /// The nodes' heads.
    pub heads: Heads,
    /// The chains' rollup nodes.
    pub nodes: BTreeMap<ChainId, RollupNodes>,
    /// Where those differ.
    pub disagreements: NodeDisagreements,
    /// The highest blocks gossiped.
    pub gossiped: crate::gossip::GossipHeads,
    /// What blocks readiness.
    pub health: Health,
    /// What endpoints are called in answers.
    pub names: EndpointNames,
}

#[async_trait]
impl CrosscheckApiServer for CrosscheckRpc {
    async fn attestations(&self, page: Option<AttestationsPageRequest>) -> RpcResult<AttestationsPage> {
        let page = page.unwrap_or_default();
        let limit = page_limit(page.limit);
        let records = match (page.chain_id, page.number) {
            (Some(chain_id), Some(number)) => self.ledger.records_at(chain_id, number).await,
            (None, Some(_)) => return Err(invalid_params("number needs chain_id")),
            (chain_id, None) => {
                let after = i64::try_from(page.after).unwrap_or(i64::MAX);
                self.ledger.records(CaseFilter { chain_id, after, limit }).await
            }
        };
        let records = records.map_err(|error| internal(&error))?;
        let attestations: Vec<_> = records.into_iter().map(|it| without_places(it, &self.names)).collect();
        let last = attestations.last().and_then(|record| u64::try_from(record.id).ok());
        let next = last.filter(|_| page.number.is_none() && is_full(attestations.len(), limit));
        Ok(AttestationsPage { attestations, next, cursor: last.unwrap_or(page.after) })
    }

    async fn frame(&self, block: BlockQuery) -> RpcResult<Option<Bytes>> {
        let BlockQuery { chain_id, number, hash } = block;
        let frame = self.ledger.frame(&BlockKey { chain_id, number, hash }).await;
        frame.map_err(|error| internal(&error))
    }

    async fn refusals(&self, page: Option<Page>) -> RpcResult<RefusalsPage> {
        let page = page.unwrap_or_default();
        let limit = usize::try_from(page.limit()).unwrap_or(usize::MAX);
        let mut refusals = self.refusals.after(page.after, limit);
        let last = refusals.last().map(|record| record.id);
        let next = last.filter(|_| is_full(refusals.len(), page.limit()));
        refusals.retain(|record| page.chain_id.is_none_or(|chain_id| record.chain_id == chain_id));
        Ok(RefusalsPage { refusals, next, cursor: last.unwrap_or(page.after) })
    }

    async fn status(&self) -> RpcResult<Status> {
        let mut chains = Vec::with_capacity(self.chains.len());
        for chain_id in &self.chains {
            chains.push(self.chain_status(*chain_id).await.map_err(|error| internal(&error))?);
        }
        let reasons: Vec<String> =
            self.health.reasons().iter().map(|reason| self.names.hide(reason)).collect();
        Ok(Status { version: env!("CARGO_PKG_VERSION"), ready: reasons.is_empty(), reasons, chains })
    }
}

impl CrosscheckRpc {
    async fn chain_status(&self, chain_id: ChainId) -> Result<ChainStatus, LedgerError> {
        let counts = self.ledger.counts(chain_id).await?;
        let heads = self.heads.get(chain_id).unwrap_or_default();
        let height = |head: Option<L2BlockRef>| head.map(|head| head.number);
        let vouched = self.ledger.vouched_head(chain_id).await?;
        let differences = self.disagreements.of(chain_id);
        let second_opinion = self.heads.second_opinion(chain_id).in_words();
        Ok(ChainStatus {
            chain_id,
            received: counts.received,
            gossiped: self.gossiped.highest(chain_id),
            unsafe_head: height(heads.unsafe_l2),
            local_safe: height(heads.local_safe_l2),
            safe: height(heads.safe_l2),
            finalized: height(heads.finalized_l2),
            vouched: vouched.map(|head| head.position.number),
            retractions: vouched.map_or(0, |head| head.retractions),
            hold: self.ledger.hold(chain_id).await?,
            open: counts.open,
            rollup_nodes: self.nodes.get(&chain_id).map_or_else(Vec::new, |nodes| {
                let health = nodes.health();
                let status = |node| RollupNodeStatus::new(node, chain_id, &self.names);
                health.borrow().iter().map(status).collect()
            }),
            rollup_node_differences: differences.iter().map(|it| self.names.hide(it)).collect(),
            unknown_forks: self.heads.unknown_forks(chain_id).iter().map(UnknownForkStatus::from).collect(),
            second_opinion: second_opinion.map(|it| self.names.hide(&it)),
        })
    }
}

/// A record, with the names of endpoints where its words say where they are.
pub(super) fn without_places(record: CaseRecord, names: &EndpointNames) -> CaseRecord {
    let (waits, waited) = (names.hide_in(&record.waits), names.hide_in(&record.waited));
    let detail = record.detail.map(|detail| names.hide(&detail));
    CaseRecord { waits, waited, detail, ..record }
}

fn invalid_params(text: &str) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(INVALID_PARAMS_CODE, text, None::<()>)
}

fn is_full(entries: usize, limit: u32) -> bool {
    u32::try_from(entries).is_ok_and(|entries| entries >= limit)
}

pub(super) fn internal(error: &LedgerError) -> ErrorObjectOwned {
    error!(%error, "request could not be answered");
    ErrorObjectOwned::owned(jsonrpsee::types::error::INTERNAL_ERROR_CODE, error.to_string(), None::<()>)
}
