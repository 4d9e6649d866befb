//! Several endpoints of one chain: who lies, lags, hangs or fails is outvoted and named, and decides nothing.

use super::*;
use crate::telemetry::captured::Lines;
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::U64;
use crosscheck_core::heads::L2BlockRef;
use crosscheck_core::proof::LogIndex;
use crosscheck_devnet::chain::Chain;
use crosscheck_devnet::serve::rpc_block;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How long anything may take that must happen: far more than it ever takes, however busy the machine is, and
/// less than what a request may take that is never answered.
const DEADLINE: Duration = Duration::from_secs(200);

/// What one endpoint does, settable while it runs.
#[derive(Clone, Debug)]
struct NodeBehaviour {
    /// The height up to which it has the chain.
    tip: u64,
    /// The blocks labelled safe and finalized, if it knows the labels.
    labels: Option<(u64, u64)>,
    /// Answers with an error.
    fails: bool,
    /// Serves headers that do not hash to their hash.
    forges: bool,
    /// The chain that it says it serves.
    chain_id: u64,
}

/// One endpoint: the chain that it has, and what it does with it.
#[derive(Clone)]
struct Node {
    chain: Arc<Chain>,
    conduct: Arc<Mutex<NodeBehaviour>>,
    /// Answers only with a permit; all are there unless a test takes them.
    gate: Arc<Semaphore>,
}

impl Node {
    fn new(chain: &Arc<Chain>) -> Self {
        let (tip, labels) = (chain.head().number(), Some((3, 2)));
        let conduct = NodeBehaviour { tip, labels, fails: false, forges: false, chain_id: CHAIN_ID };
        let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self { chain: Arc::clone(chain), conduct: Arc::new(Mutex::new(conduct)), gate }
    }

    fn set(&self, change: impl FnOnce(&mut NodeBehaviour)) {
        change(&mut self.conduct.lock());
    }

    fn by_tag(&self, tag: BlockNumberOrTag, full: bool) -> Answer {
        let conduct = self.conduct.lock().clone();
        let unknown = || ErrorObjectOwned::owned(-39_001, "block not found", None::<()>);
        let number = match tag {
            BlockNumberOrTag::Latest => conduct.tip,
            BlockNumberOrTag::Safe => conduct.labels.ok_or_else(unknown)?.0,
            BlockNumberOrTag::Finalized => conduct.labels.ok_or_else(unknown)?.1,
            BlockNumberOrTag::Number(number) => number,
            other => panic!("nobody asks for {other}"),
        };
        let block = self.chain.canonical(number).filter(|block| block.number() <= conduct.tip);
        let mut answer = json!(block.map(|block| rpc_block(block, full)));
        if conduct.forges && !answer.is_null() {
            answer["stateRoot"] = json!(B256::repeat_byte(9));
        }
        Ok(answer)
    }

    fn answer(&self, method: &str, params: &jsonrpsee::types::Params<'_>) -> Answer {
        if self.conduct.lock().fails {
            return Err(ErrorObjectOwned::owned(-32_000, "out of order", None::<()>));
        }
        let mut params = params.sequence();
        if method == "eth_getBlockByNumber" {
            return self.by_tag(params.next().unwrap(), params.next().unwrap());
        }
        let hash: B256 = params.next().unwrap();
        let block = self.chain.by_hash(hash).filter(|block| block.number() <= self.conduct.lock().tip);
        Ok(match method {
            "eth_getBlockByHash" => json!(block.map(|block| rpc_block(block, true))),
            _ => json!(block.map(|block| rpc_receipts(block))),
        })
    }

    async fn serve(self) -> RunningServer {
        let mut module = RpcModule::new(self);
        for method in ["eth_getBlockByNumber", "eth_getBlockByHash", "eth_getBlockReceipts"] {
            let answer = move |params: jsonrpsee::types::Params<'static>,
                               node: Arc<Self>,
                               _: jsonrpsee::Extensions| async move {
                let _permit = node.gate.acquire().await.unwrap();
                node.answer(method, &params)
            };
            module.register_async_method(method, answer).unwrap();
        }
        let chain_id = |_: jsonrpsee::types::Params<'_>, node: &Self, _: &jsonrpsee::Extensions| {
            if node.conduct.lock().fails {
                return Err(ErrorObjectOwned::owned(-32_000, "out of order", None::<()>));
            }
            Ok(U64::from(node.conduct.lock().chain_id))
        };
        module.register_method("eth_chainId", chain_id).unwrap();
        start(module).await.unwrap()
    }
}

/// A chain of this many blocks; chains of different seeds differ from block 1 on.
fn chain(seed: u64, blocks: usize) -> Arc<Chain> {
    let mut fixture = Fixture::new(3);
    for _ in 0..blocks {
        let topic = B256::from(alloy::primitives::U256::from(seed));
        let call = fixture.call(0, EMITTER, emit_call(&[topic], b"log"), AccessList::default());
        fixture.extend(&[call]);
    }
    Arc::new(fixture.chain)
}

/// Endpoints of chains that they have whole, and a client of them by majority.
struct World {
    nodes: Vec<Node>,
    _servers: Vec<RunningServer>,
    client: ExecutionClient,
}

async fn world(chains: &[&Arc<Chain>]) -> World {
    let nodes: Vec<Node> = chains.iter().map(|chain| Node::new(chain)).collect();
    let mut servers = Vec::new();
    for node in &nodes {
        servers.push(node.clone().serve().await);
    }
    let client = client_of(&servers.iter().collect::<Vec<_>>(), Quorum::majority(nodes.len()));
    World { nodes, _servers: servers, client }
}

impl World {
    fn states(&self) -> Vec<&'static str> {
        self.client.health().borrow().iter().map(|entry| entry.state.name()).collect()
    }

    /// Asks for the tip until it is at a height. An answer that comes late on a busy machine is not waited
    /// for, and does not raise the tip.
    async fn tip_at(&self, number: u64) -> L2BlockRef {
        let asked = async {
            loop {
                let tip = self.client.tip().await.unwrap();
                if tip.number == number {
                    return tip;
                }
            }
        };
        tokio::time::timeout(DEADLINE, asked).await.unwrap()
    }

    /// Asks for the labelled heads until their heights are these, for the same reason.
    async fn heads_at(&self, safe: u64, finalized: u64) -> LabelledHeads {
        let asked = async {
            loop {
                let heads = self.client.labelled_heads().await.unwrap();
                let heights = [heads.safe, heads.finalized].map(|head| head.map(|head| head.number));
                if heights == [Some(safe), Some(finalized)] {
                    return heads;
                }
            }
        };
        tokio::time::timeout(DEADLINE, asked).await.unwrap()
    }

    /// Waits until the endpoints stand so.
    async fn until(&self, states: &[&str]) {
        let mut health = self.client.health();
        let named =
            |list: &Vec<EndpointHealth>| list.iter().map(|s| s.state.name()).eq(states.iter().copied());
        let waited = tokio::time::timeout(DEADLINE, health.wait_for(named)).await;
        assert!(waited.is_ok(), "the endpoints stand {:?}, not {states:?}", self.states());
    }
}

#[rstest]
#[case::first([1, 0, 0])]
#[case::second([0, 1, 0])]
#[case::third([0, 0, 1])]
#[tokio::test]
async fn an_invalid_answer_among_three_is_outvoted_and_its_endpoint_named(#[case] lies: [usize; 3]) {
    let chains = [chain(1, 4), chain(2, 4)];
    let world = world(&lies.map(|lie| &chains[lie])).await;
    let expected = chains[0].canonical(2).unwrap();
    let block = world.client.block_by_number(2).await.unwrap().unwrap();
    assert_eq!(block.hash(), expected.hash);
    assert_eq!(world.client.canonical_hash(2).await.unwrap(), Some(expected.hash));
    assert_eq!(world.client.logs(&block).await.unwrap().unwrap().len(), 1);
    assert_eq!(world.client.tip().await.unwrap().hash(), chains[0].head().hash);
    world.until(&lies.map(|lie| ["agrees", "outvoted"][lie])).await;
    let health = world.client.health().borrow().clone();
    let liar = health.iter().find(|entry| entry.disagreements > 0).unwrap();
    assert_eq!(lies[liar.place], 1);
    let EndpointState::Outvoted { number, said, agreed } = liar.state else { panic!("{liar:?}") };
    assert_eq!(Some(said), chains[1].canonical(number).map(|block| block.hash));
    assert_eq!(Some(agreed), chains[0].canonical(number).map(|block| block.hash));
}

#[tokio::test]
async fn a_slow_outvoted_endpoint_is_named_without_waiting_for_it() {
    let chains = [chain(1, 4), chain(2, 4)];
    let world = world(&[&chains[0], &chains[0], &chains[1]]).await;
    world.nodes[2].gate.forget_permits(Semaphore::MAX_PERMITS);
    let hash = chains[0].canonical(2).unwrap().hash;
    assert_eq!(world.client.canonical_hash(2).await.unwrap(), Some(hash));
    assert_eq!(world.client.tip().await.unwrap().hash(), chains[0].head().hash);
    assert_eq!(world.states(), ["agrees", "agrees", "agrees"]);
    world.nodes[2].gate.add_permits(8);
    world.until(&["agrees", "agrees", "outvoted"]).await;
}

#[tokio::test]
async fn two_of_two_that_differ_are_no_quorum() {
    let chains = [chain(1, 4), chain(2, 4)];
    let world = world(&[&chains[0], &chains[1]]).await;
    for error in [
        world.client.block_by_number(2).await.unwrap_err(),
        world.client.canonical_hash(2).await.unwrap_err(),
        world.client.tip().await.unwrap_err(),
        world.client.labelled_heads().await.unwrap_err(),
    ] {
        let SourceError::NoQuorum { needed: 2, endpoints: 2, said, .. } = &error else { panic!("{error}") };
        assert!(said.contains("#0 http://127.0.0.1:") && said.contains("#1 http://127.0.0.1:"), "{said}");
    }
    let error = world.client.canonical_hash(2).await.unwrap_err().to_string();
    for chain in &chains {
        assert!(error.contains(&chain.canonical(2).unwrap().hash.to_string()), "{error}");
    }
    // Nobody can say who of them is wrong.
    assert_eq!(world.states(), ["agrees", "agrees"]);
}

#[tokio::test]
async fn a_block_is_missing_only_if_a_quorum_says_so() {
    let chain = chain(1, 4);
    let world = world(&[&chain, &chain, &chain]).await;
    assert_eq!(world.client.block_by_number(5).await.unwrap(), None);
    world.nodes[0].set(|conduct| conduct.tip = 3);
    assert!(world.client.block_by_number(4).await.unwrap().is_some());
    world.nodes[1].set(|conduct| conduct.tip = 3);
    assert_eq!(world.client.block_by_number(4).await.unwrap(), None);
    world.nodes[1].set(|conduct| conduct.fails = true);
    let error = world.client.block_by_number(4).await.unwrap_err();
    assert!(matches!(error, SourceError::NoQuorum { .. }), "{error}");
}

#[tokio::test]
async fn a_failing_endpoint_is_named_and_used_again_once_it_works() {
    let chain = chain(1, 4);
    let world = world(&[&chain, &chain, &chain]).await;
    world.nodes[0].set(|conduct| conduct.fails = true);
    for _ in 0..3 {
        assert_eq!(world.client.tip().await.unwrap().number, 4);
    }
    world.until(&["failing", "agrees", "agrees"]).await;
    world.client.check_chain().await.unwrap();
    world.nodes[0].set(|conduct| conduct.fails = false);
    world.client.canonical_hash(1).await.unwrap();
    world.until(&["agrees", "agrees", "agrees"]).await;
    for node in &world.nodes[..2] {
        node.set(|conduct| conduct.fails = true);
    }
    assert!(world.client.tip().await.is_err());
    assert!(world.client.check_chain().await.is_err());
}

/// There is nobody that it could agree with.
#[tokio::test]
async fn the_recovery_of_the_only_client_is_reported() {
    let lines = Lines::capture();
    let chain = chain(1, 4);
    let world = world(&[&chain]).await;
    world.nodes[0].set(|conduct| conduct.fails = true);
    for _ in 0..3 {
        assert!(world.client.tip().await.is_err());
    }
    world.until(&["failing"]).await;
    world.nodes[0].set(|conduct| conduct.fails = false);
    world.client.tip().await.unwrap();
    world.until(&["agrees"]).await;
    assert_eq!(
        (lines.count("answers again"), lines.count("agrees with the others")),
        (1, 0),
        "{}",
        lines.text()
    );
}

/// One URL of three was copied from another chain's section.
#[tokio::test]
async fn an_endpoint_of_another_chain_is_named_and_does_no_harm_to_a_quorum_without_it() {
    let (ours, other) = (chain(1, 4), chain(2, 4));
    let world = world(&[&ours, &other, &ours]).await;
    world.nodes[1].set(|conduct| conduct.chain_id = 902);
    world.client.check_chain().await.unwrap();
    world.until(&["agrees", "failing", "agrees"]).await;
    let hash = world.client.canonical_hash(4).await.unwrap();
    assert_eq!(hash, Some(ours.head().hash));
    world.until(&["agrees", "outvoted", "agrees"]).await;
    for node in [0, 2] {
        world.nodes[node].set(|conduct| conduct.chain_id = 902);
        let error = world.client.check_chain().await.unwrap_err().to_string();
        assert!(error.contains("it serves chain 902, not chain"), "{error}");
        world.nodes[node].set(|conduct| conduct.chain_id = CHAIN_ID);
    }
    // Where one vote is enough, one of another chain is one too many.
    let servers: Vec<&RunningServer> = world._servers.iter().collect();
    assert!(client_of(&servers, 1).check_chain().await.is_err());
}

#[tokio::test]
async fn a_header_that_does_not_hash_is_not_a_vote() {
    let chain = chain(1, 4);
    let world = world(&[&chain, &chain, &chain]).await;
    world.nodes[1].set(|conduct| conduct.forges = true);
    assert!(world.client.canonical_hash(2).await.unwrap().is_some());
    world.until(&["agrees", "failing", "agrees"]).await;
    // Two who tell the same lie are not a quorum either.
    world.nodes[2].set(|conduct| conduct.forges = true);
    let error = world.client.canonical_hash(2).await.unwrap_err().to_string();
    assert!(error.contains("does not hash to"), "{error}");
}

#[tokio::test]
async fn a_lagging_endpoint_does_not_delay_the_tip_and_is_named() {
    let chain = chain(1, 8);
    let world = world(&[&chain, &chain, &chain]).await;
    world.nodes[0].set(|conduct| conduct.tip = 8 - TOLERATED_LAG);
    world.tip_at(8).await;
    world.tip_at(8).await;
    assert_eq!(world.states(), ["agrees", "agrees", "agrees"]);
    world.nodes[0].set(|conduct| conduct.tip = 8 - TOLERATED_LAG - 1);
    assert_eq!(world.tip_at(8).await.hash(), chain.head().hash);
    world.until(&["behind", "agrees", "agrees"]).await;
    world.nodes[0].set(|conduct| conduct.tip = 8);
    world.tip_at(8).await;
    world.until(&["agrees", "agrees", "agrees"]).await;
}

#[tokio::test]
async fn an_endpoint_that_is_ahead_does_not_move_the_tip() {
    let chain = chain(1, 8);
    let world = world(&[&chain, &chain, &chain]).await;
    for node in &world.nodes[1..] {
        node.set(|conduct| conduct.tip = 6);
    }
    let tip = world.client.tip().await.unwrap();
    assert_eq!((tip.number, tip.hash()), (6, chain.canonical(6).unwrap().hash));
    assert_eq!(tip.timestamp, chain.canonical(6).unwrap().timestamp());
}

#[tokio::test]
async fn a_hanging_endpoint_delays_nothing() {
    let chain = chain(1, 4);
    let world = world(&[&chain, &chain, &chain]).await;
    world.nodes[0].gate.forget_permits(Semaphore::MAX_PERMITS);
    world.nodes[1].set(|conduct| conduct.tip = 3);
    let asked = async {
        // The one that hangs may have block 4: it is waited for, a little.
        assert_eq!(world.client.tip().await.unwrap().number, 3);
        assert_eq!(world.client.labelled_heads().await.unwrap().safe.unwrap().number, 3);
        world.client.block_by_number(2).await.unwrap().unwrap();
    };
    // Anyone who waited for the one that hangs would wait for longer.
    tokio::time::timeout(DEADLINE, asked).await.unwrap();
}

#[tokio::test]
async fn the_heads_are_those_that_a_quorum_has_reached() {
    let chain = chain(1, 8);
    let world = world(&[&chain, &chain, &chain]).await;
    let labels = [Some((7, 1)), Some((5, 4)), Some((2, 6))];
    for (node, labels) in world.nodes.iter().zip(labels) {
        node.set(|conduct| conduct.labels = labels);
    }
    let heads = world.heads_at(5, 4).await;
    assert_eq!(heads.safe.unwrap().hash(), chain.canonical(5).unwrap().hash);
    world.nodes[0].set(|conduct| conduct.labels = None);
    world.heads_at(2, 4).await;
    world.nodes[1].set(|conduct| conduct.labels = None);
    assert_eq!(world.client.labelled_heads().await.unwrap(), LabelledHeads::default());
    world.nodes[0].set(|conduct| conduct.fails = true);
    assert!(world.client.labelled_heads().await.is_err());
}

#[rstest]
#[case::none(0, 2)]
#[case::more_than_there_are(2, 1)]
#[case::of_no_endpoint(1, 0)]
fn an_impossible_quorum_is_refused(#[case] quorum: usize, #[case] endpoints: usize) {
    let urls = vec!["http://127.0.0.1:1".parse().unwrap(); endpoints];
    let limits = EndpointLimits { timeout: DEADLINE, max_response_bytes: 1, max_concurrent_requests: 1 };
    let client = ExecutionClient::new(ChainId::from(CHAIN_ID), &urls, quorum, limits, LogIndex::new(0));
    assert!(matches!(client, Err(SourceError::Quorum { .. })));
}
