//! Witnesses of the right chain, of another one, and such as say nothing.

use super::*;
use crate::sources::EndpointLimits;
use alloy::consensus::Header;
use alloy::primitives::{B256, U64};
use crosscheck_core::proof::LogIndex;
use crosscheck_devnet::serve::{RunningServer, start};
use crosscheck_p2p::ChainId;
use jsonrpsee::RpcModule;
use jsonrpsee::types::ErrorObjectOwned;
use parking_lot::Mutex;
use rstest::rstest;
use serde_json::{Value, json};
use std::time::Duration;

const LIMITS: EndpointLimits = EndpointLimits {
    timeout: Duration::from_secs(300),
    max_response_bytes: 65_536,
    max_concurrent_requests: 4,
};

/// What an endpoint answers when it is asked for the block.
#[derive(Clone, Copy, Debug)]
enum Has {
    This,
    Another,
    None,
    Refusal,
}

/// A block of this height: the chain's own, or another chain's.
fn block(number: u64, is_other: bool) -> (B256, Value) {
    let header = Header { number, extra_data: vec![u8::from(is_other)].into(), ..Header::default() };
    let hash = header.hash_slow();
    let mut json = serde_json::to_value(&header).unwrap();
    json["hash"] = json!(hash);
    (hash, json)
}

struct Endpoint {
    chain_id: u64,
    number: u64,
    has: Mutex<Has>,
}

/// An endpoint of this chain that has or has not the block at this height.
async fn serve(chain_id: u64, number: u64, has: Has) -> (Arc<Endpoint>, RunningServer) {
    let endpoint = Arc::new(Endpoint { chain_id, number, has: Mutex::new(has) });
    let mut module = RpcModule::new(Arc::clone(&endpoint));
    module.register_method("eth_chainId", |_, endpoint, _| json!(U64::from(endpoint.chain_id))).unwrap();
    module
        .register_method("eth_getBlockByNumber", |params, endpoint, _| {
            assert_eq!(params.parse::<(U64, bool)>().unwrap(), (U64::from(endpoint.number), false));
            match *endpoint.has.lock() {
                Has::This => Ok(block(endpoint.number, false).1),
                Has::Another => Ok(block(endpoint.number, true).1),
                Has::None => Ok(Value::Null),
                Has::Refusal => Err(ErrorObjectOwned::owned(4444, "pruned history unavailable", None::<()>)),
            }
        })
        .unwrap();
    (endpoint, start(module).await.unwrap())
}

/// What the rollup node says: block 5 of the chain is built on block 7 of L1, which is chain 900.
fn config() -> ReportedConfig {
    let id = |number| json!({ "number": number, "hash": block(number, false).0 });
    serde_json::from_value(json!({
        "l1_chain_id": 900, "genesis": { "l1": id(7), "l2": id(5) },
    }))
    .unwrap()
}

fn l1(server: &RunningServer) -> L1Client {
    L1Client::new(server.url().parse().unwrap(), LIMITS).unwrap()
}

fn execution(server: &RunningServer) -> ExecutionClient {
    let urls = [server.url().parse().unwrap()];
    ExecutionClient::new(ChainId::from(901), &urls, 1, LIMITS, LogIndex::new(0)).unwrap()
}

async fn reported(witnesses: &OriginWitnesses) -> Vec<String> {
    let differences = witnesses.contradictions(&config()).await.unwrap();
    differences.iter().map(ToString::to_string).collect()
}

#[rstest]
#[case::this(Has::This, None)]
#[case::another(Has::Another, Some("by its execution clients, which serve another chain"))]
#[case::dropped(Has::None, None)]
#[case::pruned(Has::Refusal, None)]
#[tokio::test]
async fn execution_clients(#[case] has: Has, #[case] says: Option<&str>) {
    let (_endpoint, server) = serve(901, 5, has).await;
    let reported = reported(&OriginWitnesses::new(Some(execution(&server)), None)).await;
    assert_eq!(reported.len(), usize::from(says.is_some()), "{reported:?}");
    let [own, other] = [block(5, false).0, block(5, true).0];
    let expected = says.map(|says| format!("genesis.l2 is {own} by its rollup node and {other} {says}"));
    assert!(
        reported.iter().zip(&expected).all(|(reported, expected)| reported.starts_with(expected)),
        "{reported:?}"
    );
}

/// What enough clients say counts, and one that has pruned its history does not delay the others.
#[rstest]
#[case::one_is_pruned(&[Has::This, Has::Refusal], 0)]
#[case::one_is_pruned_and_one_another(&[Has::Another, Has::Refusal], 0)]
#[case::one_of_three_is_another(&[Has::This, Has::This, Has::Another], 0)]
#[case::two_of_three_are_another(&[Has::This, Has::Another, Has::Another], 1)]
#[tokio::test]
async fn several_execution_clients(#[case] clients: &[Has], #[case] differences: usize) {
    let mut servers = Vec::new();
    for has in clients {
        servers.push(serve(901, 5, *has).await.1);
    }
    let urls: Vec<_> = servers.iter().map(|server| server.url().parse().unwrap()).collect();
    let execution = ExecutionClient::new(ChainId::from(901), &urls, 2, LIMITS, LogIndex::new(0)).unwrap();
    assert_eq!(reported(&OriginWitnesses::new(Some(execution), None)).await.len(), differences);
}

#[rstest]
#[case::this(900, Has::This, None)]
#[case::another_id(
    1,
    Has::This,
    Some("l1_chain_id is 900 by its rollup node and 1 by L1's endpoint http://127")
)]
#[case::another_genesis(900, Has::Another, Some("genesis.l1 is 0x"))]
#[case::dropped(900, Has::None, None)]
#[case::pruned(900, Has::Refusal, None)]
#[tokio::test]
async fn l1_endpoints(#[case] chain_id: u64, #[case] has: Has, #[case] says: Option<&str>) {
    let (_endpoint, server) = serve(chain_id, 7, has).await;
    let reported = reported(&OriginWitnesses::new(None, Some(l1(&server)))).await;
    assert_eq!(reported.len(), usize::from(says.is_some()), "{reported:?}");
    assert!(reported.iter().zip(says).all(|(reported, says)| reported.starts_with(says)), "{reported:?}");
}

#[tokio::test]
async fn each_endpoint_is_asked_until_it_agrees() {
    let (on_l1, l1_server) = serve(900, 7, Has::Another).await;
    let (on_l2, l2_server) = serve(901, 5, Has::Another).await;
    let witnesses = OriginWitnesses::new(Some(execution(&l2_server)), Some(l1(&l1_server)));
    for _ in 0..2 {
        assert_eq!(reported(&witnesses).await.len(), 2);
    }
    *on_l1.has.lock() = Has::This;
    assert_eq!(reported(&witnesses).await.len(), 1);
    *on_l2.has.lock() = Has::This;
    assert!(reported(&witnesses).await.is_empty());
    l1_server.stop().await;
    l2_server.stop().await;
    assert!(reported(&witnesses).await.is_empty(), "nobody is asked any more");
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_not_a_contradiction() {
    let nobody = "http://127.0.0.1:1".parse().unwrap();
    let witnesses = OriginWitnesses::new(None, Some(L1Client::new(nobody, LIMITS).unwrap()));
    assert!(reported(&witnesses).await.is_empty());
    let urls = ["http://127.0.0.1:1".parse().unwrap()];
    let execution = ExecutionClient::new(ChainId::from(901), &urls, 1, LIMITS, LogIndex::new(0)).unwrap();
    // Nothing may be read from clients before it is known that they are the right ones.
    assert!(OriginWitnesses::new(Some(execution), None).contradictions(&config()).await.is_err());
}
