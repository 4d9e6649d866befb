//! A gap of ancestors without attestations, beside a real ledger and an execution client.

use super::*;
use crate::audit::investigator::tests::{client_of, heads_at, metrics, serve_shared, set};
use crate::ledger::NewAncestor;
use alloy::eips::BlockNumHash;
use alloy::eips::eip2930::AccessList;
use crosscheck_devnet::contracts::{EMITTER, emit_call};
use crosscheck_devnet::fixture::{CHAIN_ID, Fixture};
use crosscheck_devnet::serve::{RunningServer, WHOLE_BLOCK};
use crosscheck_p2p::UnixSeconds;
use parking_lot::RwLock;
use rstest::rstest;

/// A chain of this many blocks; its head is local-safe and final, and the highest block that is known is
/// `top`, whose ancestors are not.
async fn gap(fixture: &Fixture, top: NewAncestor) -> (Auditor, World, RunningServer) {
    let chain_id = ChainId::from(CHAIN_ID);
    let server = serve_shared(Arc::new(RwLock::new(fixture.chain.clone()))).await;
    let heads = Heads::new([chain_id]);
    heads.set(chain_id, Some(heads_at(fixture, fixture.chain.head().number(), None)));
    let clients = [(chain_id, client_of(&server))].into();
    let investigator = Investigator::new(parts_of(set(), clients, heads));
    let (auditor, world) = world_of(investigator, metrics()).await;
    let genesis = BlockNumHash { number: 0, hash: fixture.chain.genesis().hash };
    world.ledger.anchor(chain_id, genesis).await.unwrap();
    world.ledger.open_ancestors(&[top], UnixSeconds(1)).await.unwrap();
    (auditor, world, server)
}

fn fixture(blocks: u64) -> Fixture {
    let mut fixture = Fixture::new(5);
    for _ in 0..blocks {
        let call = fixture.call(0, EMITTER, emit_call(&[B256::ZERO], b"log"), AccessList::default());
        fixture.extend(&[call]);
    }
    fixture
}

fn ancestor(block: &crosscheck_devnet::chain::L2Block) -> NewAncestor {
    NewAncestor {
        key: BlockKey { chain_id: CHAIN_ID.into(), number: block.number(), hash: block.hash },
        parent_hash: block.header.parent_hash,
        timestamp: block.timestamp(),
        l1_origin: None,
    }
}

async fn end(world: &World, tasks: &mut JoinSet<Result<(), LedgerError>>) {
    world.cancel.cancel();
    tokio::time::timeout(DEADLINE, tasks.join_next()).await.unwrap().unwrap().unwrap().unwrap();
}

/// Each block of a gap longer than a run is fetched once, and judged; also where only few may be open at
/// once.
#[rstest]
#[case::there_is_room(1_000)]
#[case::few_may_be_open(4)]
#[tokio::test]
async fn a_gap_is_closed_and_each_of_its_blocks_is_fetched_once(#[case] max_open: usize) {
    const BLOCKS: u64 = 150;
    let fixture = fixture(BLOCKS);
    let (mut auditor, world, server) = gap(&fixture, ancestor(fixture.chain.head())).await;
    auditor.parts.limits.max_open = max_open;
    let mut tasks = JoinSet::new();
    tasks.spawn(auditor.run(world.cancel.clone()));
    let chain_id = ChainId::from(CHAIN_ID);
    until(async || world.ledger.vouched(chain_id).await.unwrap().is_some_and(|head| head.number == BLOCKS))
        .await;
    let counts = world.ledger.counts(chain_id).await.unwrap();
    assert_eq!(counts.open, 0);
    let whole = server.requests.counts().get(WHOLE_BLOCK).copied().unwrap_or_default();
    // A block or two may be asked for while they are on their way.
    assert!(whole <= BLOCKS + 6, "{:?}", server.requests.counts());
    end(&world, &mut tasks).await;
}

/// The execution client has another branch by number: the attested one is walked by hash, and joins the other
/// where they part.
#[tokio::test]
async fn ancestors_on_another_branch_are_found_by_their_hashes() {
    let mut fixture = fixture(40);
    let mut branch = vec![Arc::clone(fixture.chain.canonical(20).unwrap())];
    for _ in 0..10 {
        let parent = branch.last().unwrap().hash;
        let block = fixture.chain.build(parent, fixture.l1.head(), &[]).unwrap();
        branch.push(block);
    }
    let (auditor, world, server) = gap(&fixture, ancestor(branch.last().unwrap())).await;
    let mut tasks = JoinSet::new();
    tasks.spawn(auditor.run(world.cancel.clone()));
    let below = (1..20).map(|number| fixture.chain.canonical(number).unwrap());
    let wanted: Vec<(u64, B256)> = below.chain(&branch).map(|block| (block.number(), block.hash)).collect();
    for (number, hash) in wanted {
        let is_known = async || {
            let cases = world.ledger.cases_at(CHAIN_ID.into(), number).await.unwrap();
            cases.iter().any(|case| case.hash == hash)
        };
        until(is_known).await;
    }
    let others = world.ledger.cases_at(CHAIN_ID.into(), 25).await.unwrap();
    assert_eq!(others.len(), 1, "what stands there by number is nobody's ancestor");
    let whole = server.requests.counts().get(WHOLE_BLOCK).copied().unwrap_or_default();
    assert!(whole <= 100, "a branch is no reason to ask for whole ranges: {whole}");
    end(&world, &mut tasks).await;
}
