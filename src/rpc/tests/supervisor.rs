//! The `supervisor_*` methods, errors included, but for super roots.

use super::world::{CHAIN, HEADS, SILENT, Setup, TIP, World, time_of};
use crate::audit::StatusAnswer;
use crate::sources::StatusDocument;
use alloy::primitives::B256;
use crosscheck_core::consolidation::UnknownForks;
use crosscheck_core::heads::SafeMeans;
use rstest::rstest;
use serde_json::{Value, json};

const UNKNOWN: u64 = 1;

#[rstest]
#[case::hex(json!("0x385"))]
#[case::decimal(json!("901"))]
#[case::number(json!(901))]
#[tokio::test]
async fn heads(#[case] chain: Value) {
    let world = World::start(Setup::default()).await;
    let ask = async |method: &str| world.call(method, std::slice::from_ref(&chain)).await.unwrap();
    assert_eq!(ask("supervisor_localUnsafe").await, world.id(TIP));
    assert_eq!(ask("supervisor_finalized").await, world.id(HEADS.finalized));
    let pair = json!({ "source": world.l1_id(6), "derived": world.id(HEADS.safe) });
    assert_eq!(ask("supervisor_crossSafe").await, pair);
}

/// Go reads anything but the pair as zeros.
#[tokio::test]
async fn the_local_safe_head_comes_with_its_source() {
    let world = World::start(Setup { local_record: true, ..Setup::default() }).await;
    let pair = json!({ "source": world.l1_id(6), "derived": world.id(HEADS.local_safe) });
    assert_eq!(world.call("supervisor_localSafe", &[json!(CHAIN)]).await.unwrap(), pair);
    // A record of cross-safe heads does not reach that far.
    let world = World::start(Setup::default()).await;
    assert_eq!(world.call("supervisor_localSafe", &[json!(CHAIN)]).await.unwrap_err().0, -320_500);
}

#[rstest]
#[case::local_unsafe("supervisor_localUnsafe", UNKNOWN, -320_501)]
#[case::cross_safe("supervisor_crossSafe", UNKNOWN, -320_501)]
#[case::finalized("supervisor_finalized", UNKNOWN, -320_501)]
#[case::nothing_known("supervisor_localUnsafe", SILENT, -320_400)]
#[case::nothing_final("supervisor_finalized", SILENT, -320_400)]
#[tokio::test]
async fn unknown_heads_are_an_error(#[case] method: &str, #[case] chain: u64, #[case] code: i32) {
    let world = World::start(Setup { silent: true, ..Setup::default() }).await;
    assert_eq!(world.call(method, &[json!(chain)]).await.unwrap_err().0, code);
}

#[tokio::test]
async fn heads_that_the_node_no_longer_names_are_unknown() {
    let world = World::start(Setup::default()).await;
    let none = json!({ "hash": B256::ZERO, "number": 0, "timestamp": 0, "parentHash": B256::ZERO });
    let document = json!({
        "unsafe_l2": none, "local_safe_l2": none, "safe_l2": none, "finalized_l2": none, "current_l1": none,
        "finalized_l1": none, "head_l1": none,
    });
    let document = StatusDocument::read(&serde_json::value::to_raw_value(&document).unwrap()).unwrap();
    world.heads.set(CHAIN.into(), Some(document.heads()));
    let (at, safe_means) = (tokio::time::Instant::now(), SafeMeans::default());
    world.heads.set_answer(CHAIN.into(), StatusAnswer { document, at, place: 0, safe_means });
    for method in ["supervisor_localSafe", "supervisor_crossSafe", "supervisor_finalized"] {
        assert_eq!(world.call(method, &[json!(CHAIN)]).await.unwrap_err().0, -320_400, "{method}");
    }
    let status = world.call("supervisor_syncStatus", &[]).await.unwrap();
    let chain = &status["chains"][CHAIN.to_string()];
    let chain = if chain.is_null() { &status["chains"]["0x385"] } else { chain };
    for level in ["localSafe", "safe", "finalized"] {
        assert_eq!(chain[level]["hash"], json!(B256::ZERO), "{level}: {status}");
    }
    assert_eq!(chain["localUnsafe"]["number"], TIP, "the execution clients agree on it");
    let status = world.call("crosscheck_status", &[]).await.unwrap();
    for level in ["unsafe_head", "local_safe", "safe", "finalized"] {
        assert!(status["chains"][0][level].is_null(), "{level}: {status}");
    }
}

#[tokio::test]
async fn a_fork_that_this_build_does_not_know_is_named_with_its_date() {
    let world = World::start(Setup::default()).await;
    let forks =
        async || world.call("crosscheck_status", &[]).await.unwrap()["chains"][0]["unknown_forks"].clone();
    assert_eq!(forks().await, json!([]));
    let config = [("zephyr_time".to_owned(), json!(1_900_000_000)), ("block_time_s".to_owned(), json!(2))];
    world.heads.set_unknown_forks(CHAIN.into(), UnknownForks::among(&config.into()));
    let zephyr = json!({ "fork": "zephyr", "time": 1_900_000_000, "date": "2030-03-17T17:46:40Z" });
    assert_eq!(forks().await, json!([zephyr]));
}

#[rstest]
#[case::a_step(9, 5)]
#[case::between_steps(12, 6)]
#[case::below_the_view(4, 3)]
#[tokio::test]
async fn the_l1_block_that_a_block_became_safe_with(#[case] number: u64, #[case] source: u64) {
    let world = World::start(Setup::default()).await;
    let mut derived = world.id(number);
    let found = world.call("supervisor_crossDerivedToSource", &[json!("0x385"), derived.clone()]).await;
    // The step before the record's first is not on record: whether block 4 was not safe earlier is not
    // proven.
    if number == 4 {
        assert_eq!(found.unwrap_err().0, -320_500);
    } else {
        assert_eq!(found.unwrap(), world.l1_ref(source));
    }
    derived["hash"] = json!(B256::repeat_byte(1));
    let found = world.call("supervisor_crossDerivedToSource", &[json!(CHAIN), derived]).await;
    assert_eq!(found.unwrap_err().0, -320_600);
}

#[rstest]
#[case::not_safe_yet(Setup::default(), 15, -321_100)]
#[case::no_record(Setup { record: false, ..Setup::default() }, 9, -320_500)]
#[case::no_l1(Setup { l1: false, ..Setup::default() }, 9, -320_500)]
#[case::no_view(Setup { blocks: false, ..Setup::default() }, 9, -320_400)]
#[tokio::test]
async fn a_source_that_is_not_proven(#[case] setup: Setup, #[case] number: u64, #[case] code: i32) {
    let world = World::start(setup).await;
    let found = world.call("supervisor_crossDerivedToSource", &[json!(CHAIN), world.id(number)]).await;
    assert_eq!(found.unwrap_err().0, code);
}

#[tokio::test]
async fn a_block_above_the_tip_is_in_the_future() {
    let world = World::start(Setup::default()).await;
    let derived = json!({ "hash": B256::ZERO, "number": TIP + 1 });
    let found = world.call("supervisor_crossDerivedToSource", &[json!(CHAIN), derived]).await;
    assert_eq!(found.unwrap_err().0, -321_401);
}

#[tokio::test]
async fn the_safe_block_at_an_l1_block() {
    let world = World::start(Setup::default()).await;
    let ask = async |source: Value| world.call("supervisor_allSafeDerivedAt", &[source]).await;
    assert_eq!(ask(world.l1_id(5)).await.unwrap(), json!({ "0x385": world.id(9) }));
    assert_eq!(ask(world.l1_id(4)).await.unwrap(), json!({ "0x385": world.id(4) }));
    assert_eq!(ask(world.l1_id(2)).await.unwrap_err().0, -320_500);
    let other = json!({ "hash": B256::repeat_byte(1), "number": 5 });
    assert_eq!(ask(other).await.unwrap_err().0, -321_500);
    let future = json!({ "hash": B256::repeat_byte(1), "number": 50 });
    assert_eq!(ask(future).await.unwrap_err().0, -321_401);
}

#[tokio::test]
async fn finalized_l1_comes_from_l1_or_else_from_the_nodes() {
    let world = World::start(Setup::default()).await;
    let finalized = world.fixture.l1.finalized().number();
    assert_eq!(world.call("supervisor_finalizedL1", &[]).await.unwrap(), world.l1_ref(finalized));
    let world = World::start(Setup { l1: false, ..Setup::default() }).await;
    assert_eq!(world.call("supervisor_finalizedL1", &[]).await.unwrap(), world.l1_ref(2));
    let world = World::start(Setup { l1: false, blocks: false, ..Setup::default() }).await;
    assert_eq!(world.call("supervisor_finalizedL1", &[]).await.unwrap_err().0, -320_400);
}

#[tokio::test]
async fn sync_status() {
    let world = World::start(Setup::default()).await;
    let tip = &world.blocks[usize::try_from(TIP).unwrap()];
    let expected = json!({
        "minSyncedL1": world.l1_ref(6),
        "safeTimestamp": time_of(HEADS.safe),
        "finalizedTimestamp": time_of(HEADS.finalized),
        "chains": { "0x385": {
            "localUnsafe": {
                "hash": tip.hash, "number": TIP, "parentHash": tip.header.parent_hash, "timestamp": time_of(TIP),
            },
            "localSafe": world.id(HEADS.local_safe),
            "crossUnsafe": world.id(super::world::INVALID_IN - 1),
            "safe": world.id(HEADS.safe),
            "finalized": world.id(HEADS.finalized),
        } },
    });
    assert_eq!(world.call("supervisor_syncStatus", &[]).await.unwrap(), expected);
}

#[tokio::test]
async fn an_unknown_chain_has_zero_blocks_in_the_sync_status() {
    let world = World::start(Setup { silent: true, ..Setup::default() }).await;
    let status = world.call("supervisor_syncStatus", &[]).await.unwrap();
    let none = json!({ "hash": B256::ZERO, "number": 0 });
    assert_eq!(status["chains"]["0x386"]["safe"], none);
    assert_eq!(status["safeTimestamp"], 0);
}

/// A client has one set in mind: its lowest timestamp is where that set's next super root is looked for.
#[tokio::test]
async fn the_path_selects_one_of_several_dependency_sets() {
    let world = World::start(Setup { silent: true, apart: true, ..Setup::default() }).await;
    let at = |path: u64, method, params: &[Value]| {
        let (path, params) = (path.to_string(), params.to_vec());
        let world = &world;
        async move { world.call_at(&path, method, &params).await }
    };
    let status = at(CHAIN, "supervisor_syncStatus", &[]).await.unwrap();
    let chains: Vec<_> = status["chains"].as_object().unwrap().keys().collect();
    assert_eq!(chains, ["0x385"], "{status}");
    assert_eq!(status["safeTimestamp"], time_of(HEADS.safe), "a chain of another set holds nothing back");
    assert_eq!(status["minSyncedL1"], world.l1_ref(6));
    let status = at(SILENT, "supervisor_syncStatus", &[]).await.unwrap();
    assert_eq!((&status["safeTimestamp"], status["chains"].as_object().unwrap().len()), (&json!(0), 1));
    let source = [world.l1_id(5)];
    let derived = at(CHAIN, "supervisor_allSafeDerivedAt", &source).await.unwrap();
    assert_eq!(derived, json!({ "0x385": world.id(9) }));
    assert_eq!(world.call("supervisor_syncStatus", &[]).await.unwrap_err().0, -32_602);
    assert_eq!(world.call("supervisor_allSafeDerivedAt", &source).await.unwrap_err().0, -32_602);
}
