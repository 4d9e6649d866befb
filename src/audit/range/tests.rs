//! An audit of past blocks: what endpoints refuse, and how often they are asked.

use super::*;
use crate::audit::investigator::tests::parts_of;
use crate::audit::{Heads, InvestigatorParts};
use crate::sources::{EndpointLimits, ExecutionClient, SyncStatus};
use alloy::eips::eip2930::AccessList;
use alloy::primitives::B256;
use crosscheck_core::heads::L2BlockRef;
use crosscheck_core::proof::LogIndex;
use crosscheck_core::validity::{DependencySet, Member};
use crosscheck_devnet::contracts::{EMITTER, emit_call};
use crosscheck_devnet::faults::FaultPlan;
use crosscheck_devnet::fixture::{CHAIN_ID, Fixture};
use crosscheck_devnet::serve::Nodes;
use crosscheck_devnet::serve::{WHOLE_BLOCK, rpc_block, start};
use crosscheck_devnet::simulation::Sequencer;
use crosscheck_devnet::simulation::{Superchain, SuperchainParams};
use crosscheck_devnet::timing::Schedule;
use crosscheck_p2p::{ChainId, UnixSeconds};
use jsonrpsee::RpcModule;
use jsonrpsee::types::ErrorObjectOwned;
use std::collections::BTreeMap;
use std::time::Duration;

/// An endpoint that takes no block hashes for receipts, and has no single ones (Erigon's words).
#[tokio::test]
async fn an_endpoint_refusal_is_reported_with_its_text() {
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
    let heads = Heads::new([chain_id]);
    let head = L2BlockRef::new(1, block.hash, block.timestamp());
    let status = SyncStatus { unsafe_l2: head, safe_l2: head, local_safe_l2: head, finalized_l2: None };
    heads.set(chain_id, Some(status));
    let clients = [(chain_id, client)].into();
    let investigator = Investigator::new(parts_of(set, clients, heads));
    let audit = RangeAudit { chain_id, investigator: Arc::new(investigator), concurrency: 1 };
    let outcome = audit.try_audit(1).await;
    assert!(outcome.is_open());
    assert!(outcome.detail.contains("eth_getTransactionReceipt"), "{}", outcome.detail);
}

/// Two chains with messages between them whose blocks are all final, and their nodes.
async fn two_chains(blocks: u64) -> (Superchain, Nodes) {
    let plan = FaultPlan::new(&[], &SuperchainParams::chain_ids(2), Some(blocks)).unwrap();
    let schedule = Schedule { genesis_time: UnixSeconds(1_767_225_600), block_time: 2, blocks: Some(blocks) };
    let mut superchain = Superchain::new(SuperchainParams { chains: 2, schedule, seed: 3, plan }).unwrap();
    let mut nodes = Nodes::start(&superchain, 1).await.unwrap();
    while !superchain.is_complete() {
        let tick = superchain.tick().unwrap();
        nodes.apply(&tick, superchain.l1());
    }
    (superchain, nodes)
}

/// What is known of two chains when nobody has asked for anything yet.
fn parts_for(superchain: &Superchain, nodes: &Nodes) -> InvestigatorParts {
    let limits = EndpointLimits {
        timeout: Duration::from_secs(300),
        max_response_bytes: 1 << 24,
        max_concurrent_requests: 64,
    };
    let index = LogIndex::new(1 << 24);
    let schedule = superchain.params().schedule;
    let member = Member { interop_time: schedule.interop_time(), block_time: schedule.block_time };
    let ids: Vec<ChainId> = superchain.sequencers().iter().map(|it| it.chain_id().into()).collect();
    let set = DependencySet::new(ids.iter().map(|id| (*id, member)).collect(), schedule.expiry_window());
    let heads = Heads::new(ids);
    let mut clients = BTreeMap::new();
    for (sequencer, nodes) in superchain.sequencers().iter().zip(&nodes.chains) {
        let chain_id = ChainId::from(sequencer.chain_id());
        heads.set(chain_id, Some(all_final(sequencer)));
        let url = nodes.execution.url().parse().unwrap();
        let client = ExecutionClient::new(chain_id, &[url], 1, limits, index.clone()).unwrap();
        clients.insert(chain_id, client);
    }
    parts_of(set, clients, heads)
}

fn all_final(sequencer: &Sequencer) -> SyncStatus {
    let head = sequencer.chain().head();
    assert_eq!(sequencer.heads().finalized, head.number());
    let head = L2BlockRef::new(head.number(), head.hash, head.timestamp());
    SyncStatus { unsafe_l2: head, safe_l2: head, local_safe_l2: head, finalized_l2: head }
}

/// What the audit of a chain's blocks finds that remembers final heights is what one finds that asks for each
/// again; and it asks for each block, and for its receipts, once.
#[tokio::test]
async fn past_blocks_are_requested_once() {
    const BLOCKS: u64 = 60;
    let (superchain, nodes) = two_chains(BLOCKS).await;
    let audit = async |remembers_final: bool| {
        let parts = InvestigatorParts { remembers_final, ..parts_for(&superchain, &nodes) };
        let investigator = Arc::new(Investigator::new(parts));
        let before = nodes.requests().execution;
        let audit = RangeAudit { chain_id: CHAIN_ID.into(), investigator, concurrency: 16 };
        let outcomes: Vec<RangeOutcome> = audit.outcomes(1..=BLOCKS).collect().await;
        let asked = nodes.requests().execution.into_iter().map(|(method, count)| {
            let count = count - before.get(&method).copied().unwrap_or_default();
            (method, count)
        });
        (outcomes, asked.collect::<BTreeMap<String, u64>>())
    };
    let (slow, often) = audit(false).await;
    let (fast, once) = audit(true).await;
    assert_eq!(fast, slow);
    assert!(fast.iter().all(RangeOutcome::is_valid) && fast.iter().any(|outcome| outcome.messages > 0));
    let all = |asked: &BTreeMap<String, u64>| asked.values().sum::<u64>();
    let of = |method: &str| once.get(method).copied().unwrap_or_default();
    assert_eq!(of("eth_getBlockByNumber") + of("eth_getBlockByHash"), 0, "no header alone: {once:?}");
    assert!(of(WHOLE_BLOCK) <= 2 * BLOCKS && of("eth_getBlockReceipts") <= 2 * BLOCKS, "{once:?}");
    assert!(all(&often) > 2 * all(&once), "{often:?}, {once:?}");
}
