//! A verdict against a block is withdrawn with the branch of L1 that it depends on.

use super::*;
use crate::audit::InvestigatorParts;
use crate::audit::investigator::tests::{answer_at, client_of, heads_at, limits, metrics, serve_shared, set};
use crate::audit::l1_judge::L1Judge;
use crate::ledger::{EventFilter, NewCase};
use crate::sources::{L1Client, L1Reader};
use alloy::eips::eip2930::AccessList;
use crosscheck_devnet::contracts::{EMITTER, emit_call};
use crosscheck_devnet::fixture::{CHAIN_ID, Fixture, GENESIS_TIME};
use crosscheck_devnet::serve::{l1_module, start};
use crosscheck_p2p::UnixSeconds;
use parking_lot::RwLock;
use rstest::rstest;

/// The chain's node had another block than the attested one, and has the attested one by the branch of L1
/// that comes then.
#[rstest]
#[case::as_the_chain_continues(true)]
#[case::while_the_chain_is_stuck(false)]
#[tokio::test]
async fn a_verdict_that_an_l1_reorg_invalidates_is_withdrawn(#[case] goes_on: bool) {
    let chain_id = ChainId::from(CHAIN_ID);
    let mut fixture = Fixture::new(5);
    for _ in 0..3 {
        let call = fixture.call(0, EMITTER, emit_call(&[B256::ZERO], b"log"), AccessList::default());
        fixture.extend(&[call]);
    }
    let parent = fixture.chain.canonical(2).unwrap().hash;
    let sibling = fixture.chain.build(parent, fixture.l1.head(), &[]).unwrap();
    fixture.l1.produce(UnixSeconds(GENESIS_TIME + 12)).unwrap();
    let (l1, l2) = (Arc::new(RwLock::new(fixture.l1.clone())), Arc::new(RwLock::new(fixture.chain.clone())));
    let l1_server = start(l1_module(Arc::clone(&l1)).unwrap()).await.unwrap();
    let server = serve_shared(Arc::clone(&l2)).await;
    // It is never too late to learn that L1 has left a branch.
    let l1_client = L1Client::new(l1_server.url().parse().unwrap(), limits()).unwrap();
    let judge = L1Judge::new(L1Reader::of(l1_client, Duration::ZERO), [], Arc::default(), metrics());
    let heads = Heads::new([chain_id]);
    let clients = [(chain_id, client_of(&server))].into();
    let parts = InvestigatorParts { l1: Some(judge), ..parts_of(set(), clients, heads.clone()) };
    let investigator = Investigator::new(parts);
    let (auditor, world) = world_of(investigator, metrics()).await;

    let key = BlockKey { chain_id, number: 3, hash: sibling.hash };
    let timestamp = sibling.timestamp();
    let case = NewCase::Ancestor { key, parent_hash: parent, timestamp, l1_origin: None };
    world.ledger.open_case(&case, UnixSeconds(1)).await.unwrap();
    let know = |fixture: &Fixture| {
        let finalized_l2 = heads_at(fixture, 1, None).finalized_l2;
        let status = SyncStatus { finalized_l2, ..heads_at(fixture, 3, None) };
        heads.set_answer(chain_id, answer_at(fixture.l1.head().id()));
        heads.set(chain_id, Some(status));
        status
    };
    let say = async |fixture: &Fixture| {
        let status = Box::new(know(fixture));
        world.inbox.send(AuditorMessage::Heads { chain_id, status }).await.unwrap();
    };
    let verdict = async || {
        let cases = world.ledger.cases_at(chain_id, 3).await.unwrap();
        let case = cases.into_iter().find(|case| case.hash == key.hash).unwrap();
        case.verdict.map(|verdict| verdict.kind.name().to_owned())
    };
    let mut running = JoinSet::new();
    running.spawn(auditor.run(world.cancel.clone()));
    until(async || {
        say(&fixture).await;
        verdict().await.as_deref() == Some("violated")
    })
    .await;
    let [tied] = world.ledger.tied_verdicts(chain_id, 9).await.unwrap().try_into().unwrap();
    assert_eq!(tied.l1, fixture.l1.head().id());

    fixture.l1.reorg(1);
    fixture.l1.produce(UnixSeconds(GENESIS_TIME + 13)).unwrap();
    assert_ne!(fixture.l1.head().id(), tied.l1);
    *l1.write() = fixture.l1.clone();
    fixture.chain.adopt(sibling.hash).unwrap();
    l2.write().adopt(sibling.hash).unwrap();
    know(&fixture);
    until(async || {
        if goes_on {
            say(&fixture).await;
        }
        verdict().await.as_deref() == Some("upheld")
    })
    .await;
    assert_eq!(world.ledger.tied_verdicts(chain_id, 9).await.unwrap(), []);
    let reported = world.ledger.events(EventFilter { limit: 99, ..EventFilter::default() }).await.unwrap();
    let reported = reported.items.iter().map(|event| serde_json::to_value(event).unwrap());
    let of_block = reported.filter(|event| event["block"]["number"] == 3);
    let kinds: Vec<String> = of_block.map(|event| event["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["verdict", "verdict-taken-back", "verdict"]);
    world.cancel.cancel();
    tokio::time::timeout(DEADLINE, running.join_next()).await.unwrap().unwrap().unwrap().unwrap();
}
