//! `supernode_syncStatus` and `heartbeat_check`.

use super::world::{FIRST, HEADS, Setup, World, l2_ref, time_of};
use crosscheck_core::heads::SafetyHeads;
use serde_json::json;

#[tokio::test]
async fn the_status_of_a_set_comes_from_its_nodes() {
    let world = World::start(Setup::default()).await;
    let status = world.call("supernode_syncStatus", &[]).await.unwrap();
    let chain = &status["chains"]["901"];
    let block = |number: u64| l2_ref(&world.blocks[usize::try_from(number).unwrap()]);
    assert_eq!(chain["safe_l2"], block(HEADS.safe));
    assert_eq!(chain["local_safe_l2"], block(HEADS.local_safe));
    assert_eq!(chain["finalized_l2"], block(HEADS.finalized));
    assert_eq!(chain["current_l1"], world.l1_ref(6));
    let rest = json!({
        "chains": { "901": chain },
        "chain_ids": ["901"],
        "current_l1": world.l1_id(6),
        "safe_timestamp": time_of(HEADS.safe),
        "local_safe_timestamp": time_of(HEADS.local_safe),
        "finalized_timestamp": time_of(HEADS.finalized),
    });
    assert_eq!(status, rest);
}

#[tokio::test]
async fn no_block_is_safe_by_the_answer_of_a_node_alone() {
    let heads = SafetyHeads { safe: FIRST, finalized: FIRST - 1, ..HEADS };
    let world = World::start(Setup { heads, ..Setup::default() }).await;
    let status = world.call("supernode_syncStatus", &[]).await.unwrap();
    let block = |number: u64| l2_ref(&world.blocks[usize::try_from(number).unwrap()]);
    let chain = &status["chains"]["901"];
    assert_eq!((&chain["safe_l2"], &chain["finalized_l2"]), (&block(FIRST), &block(FIRST - 1)));
    assert_eq!(status["safe_timestamp"], time_of(FIRST));
    assert_eq!(status["current_l1"]["number"], 5);
}

#[tokio::test]
async fn without_answers_of_the_nodes_there_is_no_status() {
    let world = World::start(Setup { blocks: false, ..Setup::default() }).await;
    assert_eq!(world.call("supernode_syncStatus", &[]).await.unwrap_err().0, -320_400);
}

#[tokio::test]
async fn no_two_heartbeats_are_the_same() {
    let world = World::start(Setup::default()).await;
    let mut beats = Vec::new();
    for _ in 0..3 {
        let beat = world.call("heartbeat_check", &[]).await.unwrap();
        assert!(beat.as_str().is_some_and(|beat| beat.starts_with("0x") && beat.len() == 10), "{beat}");
        beats.push(beat.to_string());
    }
    beats.dedup();
    assert!(beats.len() > 1, "{beats:?}");
}
