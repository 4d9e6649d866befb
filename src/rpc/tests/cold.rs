//! Blocks that have to be fetched: at once, once each, and in time.

use super::world::{FIRST, Setup, TIP, World, chain, time_of};
use crate::rpc::cold_blocks::{ColdBlocks, WantedBlock};
use crate::web::Overload;
use futures::future::join_all;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

const CHECK: &str = "interop_checkAccessList";

fn cold_blocks(world: &World) -> ColdBlocks {
    ColdBlocks::new(world.superchain.clone(), Overload::new(world.metrics.shared().clone()))
}

fn wanted(numbers: impl IntoIterator<Item = u64>) -> BTreeSet<WantedBlock> {
    let block = |number| WantedBlock { chain_id: chain(), number, in_view: None };
    numbers.into_iter().map(block).collect()
}

/// Far more than it ever takes.
fn far() -> Instant {
    Instant::now() + Duration::from_secs(300)
}

/// The endpoint answers only once all of them are asked for.
#[tokio::test]
async fn the_blocks_of_a_list_are_fetched_at_once() {
    let numbers = 1..FIRST;
    let together = numbers.clone().count();
    let world = World::start(Setup { together, ..Setup::default() }).await;
    let found = cold_blocks(&world).logs(wanted(numbers), far()).await;
    assert!(found.len() == together && found.values().all(Result::is_ok));
}

#[tokio::test]
async fn a_block_is_fetched_once_for_all_waiting_callers_and_then_remembered() {
    let world = World::start(Setup::default()).await;
    let blocks = cold_blocks(&world);
    let lists = (0..20).map(|_| blocks.logs(wanted([2, 3]), far()));
    for found in join_all(lists).await {
        assert!(found.len() == 2 && found.values().all(Result::is_ok));
    }
    assert_eq!(world.asked.load(Ordering::Relaxed), 2);
    blocks.logs(wanted([2, 3]), far()).await;
    assert_eq!(world.asked.load(Ordering::Relaxed), 2);
}

/// The endpoint never answers.
#[tokio::test]
async fn a_block_that_does_not_arrive_in_time_gives_no_verdict() {
    let world = World::start(Setup { together: usize::MAX, ..Setup::default() }).await;
    let began = Instant::now();
    let descriptor = json!({ "chainID": "901", "timestamp": time_of(TIP) });
    let params = [json!(world.entries(&[12, 2])), json!("unsafe"), descriptor];
    let (code, words) = world.call(CHECK, &params).await.unwrap_err();
    assert!(code == -32_603 && words.contains("block 2 of chain 901"), "{code} {words}");
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert!(
        world
            .metrics
            .shared()
            .render()
            .unwrap()
            .contains("crosscheck_access_refusals_total{reason=\"late\"} 1")
    );
}

/// One entry cannot be looked up; of another there is proof.
#[tokio::test]
async fn a_proof_of_invalidity_counts_even_if_other_messages_are_unknown() {
    let world = World::start(Setup { together: usize::MAX, ..Setup::default() }).await;
    let mut entries = world.entries(&[2, 12]);
    entries.last_mut().unwrap().0[31] ^= 1;
    let descriptor = json!({ "chainID": "901", "timestamp": time_of(TIP) });
    let params = [json!(entries), json!("unsafe"), descriptor];
    assert_eq!(world.call(CHECK, &params).await.unwrap_err().0, -320_600);
}

/// What a list waited for in vain is fetched on; a list without a waiting caller is not.
#[tokio::test]
async fn a_late_block_is_available_to_the_next_caller() {
    let world = World::start(Setup { together: 2, ..Setup::default() }).await;
    let blocks = cold_blocks(&world);
    let late = blocks.logs(wanted([2]), Instant::now()).await;
    assert!(late.values().all(|found| found.as_ref().is_err_and(|error| error.reason() == "late")));
    // The second request lets the first one's through: block 2 is not requested again.
    let found = blocks.logs(wanted([2, 3]), far()).await;
    assert!(found.values().all(Result::is_ok));
    assert_eq!(world.asked.load(Ordering::Relaxed), 2);
}
