//! Access lists and the failsafe: `supervisor_checkAccessList`, `interop_*`, `admin_*`.

use super::world::{CHAIN, FIRST, HEADS, INVALID_IN, Lost, SILENT, Setup, TIP, World, time_of};
use crate::rpc::Failsafe;
use alloy::primitives::B256;
use crosscheck_core::message::{Identifier, Message, encode_access_list};
use crosscheck_p2p::{ChainId, UnixSeconds};
use rstest::rstest;
use serde_json::{Value, json};

const BOTH: [&str; 2] = ["interop_checkAccessList", "supervisor_checkAccessList"];

fn descriptor(timestamp: u64) -> Value {
    json!({ "chainID": "901", "timestamp": format!("{timestamp:#x}") })
}

/// The code that both methods refuse with, or `None`.
async fn check(world: &World, entries: &[B256], safety: &str, descriptor: &Value) -> Option<i32> {
    let params = [json!(entries), json!(safety), descriptor.clone()];
    let mut codes = Vec::new();
    for method in BOTH {
        match world.call(method, &params).await {
            Ok(answer) => {
                assert_eq!(answer, Value::Null);
                codes.push(None);
            }
            Err((code, _)) => codes.push(Some(code)),
        }
    }
    assert_eq!(codes[0], codes[1]);
    codes[0]
}

#[rstest]
#[case::in_the_view(&[12], "unsafe", None)]
#[case::several(&[9, 12, 16], "cross-unsafe", None)]
#[case::below_the_view(&[FIRST - 2], "cross-unsafe", None)]
#[case::nothing_declared(&[], "unsafe", None)]
#[case::not_cross_unsafe(&[19], "cross-unsafe", Some(-321_100))]
#[case::still_there(&[19], "unsafe", None)]
#[case::in_an_invalid_block(&[INVALID_IN], "unsafe", Some(-320_901))]
#[tokio::test]
async fn declared_messages(#[case] numbers: &[u64], #[case] safety: &str, #[case] code: Option<i32>) {
    let world = World::start(Setup::default()).await;
    let descriptor = descriptor(time_of(TIP) + 1);
    assert_eq!(check(&world, &world.entries(numbers), safety, &descriptor).await, code);
    // A second time from memory: the same answer.
    assert_eq!(check(&world, &world.entries(numbers), safety, &descriptor).await, code);
}

#[rstest]
#[case::local_safe(HEADS.local_safe, "local-safe", None)]
#[case::not_local_safe(HEADS.local_safe + 1, "local-safe", Some(-321_100))]
#[case::safe(HEADS.safe, "safe", None)]
#[case::not_safe(HEADS.safe + 1, "safe", Some(-321_100))]
#[case::finalized(HEADS.finalized, "finalized", None)]
#[case::not_finalized(HEADS.finalized + 1, "finalized", Some(-321_100))]
#[case::no_level(HEADS.finalized, "invalid", Some(-32_602))]
#[tokio::test]
async fn levels_that_only_the_supervisor_knows(
    #[case] number: u64,
    #[case] safety: &str,
    #[case] code: Option<i32>,
) {
    let world = World::start(Setup::default()).await;
    let params = [json!(world.entries(&[number])), json!(safety), descriptor(time_of(TIP) + 1)];
    let answer = world.call("supervisor_checkAccessList", &params).await;
    assert_eq!(answer.err().map(|error| error.0), code);
    let answer = world.call("interop_checkAccessList", &params).await;
    assert_eq!(answer.unwrap_err().0, -32_602);
}

type Spoil = fn(&mut Identifier, &mut B256);

#[rstest]
#[case::other_chain(|id: &mut Identifier, _: &mut B256| id.chain_id = ChainId::from(1), -320_501)]
#[case::wide_chain(|id: &mut Identifier, _: &mut B256| id.chain_id = ChainId::from(B256::with_last_byte(1) | B256::repeat_byte(2)), -320_501)]
#[case::silent_chain(|id: &mut Identifier, _: &mut B256| id.chain_id = ChainId::from(SILENT), -320_400)]
#[case::other_payload(|_: &mut Identifier, payload: &mut B256| *payload = B256::ZERO, -320_600)]
#[case::other_log(|id: &mut Identifier, _: &mut B256| id.log_index += 7, -320_600)]
#[case::other_timestamp(|id: &mut Identifier, _: &mut B256| id.timestamp = UnixSeconds(id.timestamp.0 + 1), -320_600)]
#[case::other_block(|id: &mut Identifier, _: &mut B256| id.block_number += 1, -320_600)]
#[case::block_that_never_came(|id: &mut Identifier, _: &mut B256| id.block_number = TIP + 1, -320_600)]
#[case::block_to_come(
    |id: &mut Identifier, _: &mut B256| (id.block_number, id.timestamp) = (TIP + 1, UnixSeconds(time_of(TIP + 1))), -321_401
)]
#[tokio::test]
async fn messages_that_do_not_exist(#[case] spoil: Spoil, #[case] code: i32) {
    let world = World::start(Setup { silent: true, ..Setup::default() }).await;
    let Message { mut identifier, mut payload_hash } = world.message(12);
    spoil(&mut identifier, &mut payload_hash);
    // A good one before it changes nothing: every entry is checked.
    let mut entries = world.entries(&[9]);
    entries.extend(encode_access_list(&Message { identifier, payload_hash }));
    let descriptor = descriptor(time_of(TIP + 2));
    assert_eq!(check(&world, &entries, "unsafe", &descriptor).await, Some(code));
}

#[rstest]
#[case::a_second_later(json!({ "chainID": "901", "timestamp": time_of(12) + 1 }), None)]
#[case::same_timestamp(json!({ "chainID": "901", "timestamp": time_of(12) }), Some(-320_600))]
#[case::at_the_edge(json!({ "chainID": "901", "timestamp": time_of(12) + 3600 }), None)]
#[case::expired(json!({ "chainID": "901", "timestamp": time_of(12) + 3601 }), Some(-320_600))]
#[case::timeout_at_the_edge(json!({ "chainID": "901", "timestamp": time_of(12) + 3000, "timeout": "0x258" }), None)]
#[case::expires_before_the_timeout(json!({ "chainID": "901", "timestamp": time_of(12) + 3000, "timeout": 601 }), Some(-320_600))]
#[case::hex_chain(json!({ "timestamp": time_of(13), "chainID": "0x385" }), None)]
#[case::executing_chain_not_watched(json!({ "timestamp": time_of(13), "chainID": "1" }), Some(-32_603))]
#[tokio::test]
async fn times(#[case] descriptor: Value, #[case] code: Option<i32>) {
    let world = World::start(Setup::default()).await;
    assert_eq!(check(&world, &world.entries(&[12]), "unsafe", &descriptor).await, code);
}

/// op-interop-filter refuses it; the specification's own method does not.
#[rstest]
#[case::left_out(json!({ "timestamp": time_of(13) }))]
#[case::null(json!({ "chainID": null, "timestamp": time_of(13) }))]
#[case::misspelt(json!({ "chain_id": "901", "timestamp": time_of(13) }))]
#[tokio::test]
async fn the_current_method_refuses_a_request_without_an_executing_chain(#[case] descriptor: Value) {
    let world = World::start(Setup::default()).await;
    let params = [json!(world.entries(&[12])), json!("unsafe"), descriptor];
    let (code, words) = world.call(BOTH[0], &params).await.unwrap_err();
    assert!(code == -320_501 && words.contains("chainID"), "{code} {words}");
    assert_eq!(world.call(BOTH[1], &params).await, Ok(Value::Null));
}

/// Nobody says of which set the executing chain is: an initiating chain that is not watched here may be of
/// it.
#[tokio::test]
async fn a_chain_that_is_not_watched_gives_no_verdict() {
    let world = World::start(Setup::default()).await;
    let Message { mut identifier, payload_hash } = world.message(12);
    identifier.chain_id = ChainId::from(SILENT);
    let entries = encode_access_list(&Message { identifier, payload_hash });
    let params = [json!(entries), json!("unsafe"), json!({ "timestamp": time_of(13) })];
    assert_eq!(world.call(BOTH[1], &params).await.unwrap_err().0, -32_603);
}

#[rstest]
#[case::lone_lookup(|entries: &mut Vec<B256>| { entries.pop(); })]
#[case::unknown_key(|entries: &mut Vec<B256>| entries.push(B256::repeat_byte(9)))]
#[case::checksum_first(|entries: &mut Vec<B256>| entries.reverse())]
#[tokio::test]
async fn malformed_lists_are_refused(#[case] spoil: fn(&mut Vec<B256>)) {
    let world = World::start(Setup::default()).await;
    let mut entries = world.entries(&[12]);
    spoil(&mut entries);
    assert_eq!(check(&world, &entries, "unsafe", &descriptor(time_of(TIP))).await, Some(-32_602));
}

#[tokio::test]
async fn a_block_that_cannot_be_fetched_is_not_proven() {
    let mut world = World::start(Setup::default()).await;
    let entries = world.entries(&[FIRST - 1]);
    let url = world.execution.as_ref().unwrap().url();
    world.execution.take().unwrap().stop().await;
    // A failure is not a verdict: callers take -320500 for one.
    assert_eq!(check(&world, &entries, "unsafe", &descriptor(time_of(TIP))).await, Some(-32_603));
    let params = [json!(entries), json!("unsafe"), descriptor(time_of(TIP))];
    let (_, words) = world.call("interop_checkAccessList", &params).await.unwrap_err();
    let port = url.rsplit(':').next().unwrap().trim_end_matches('/');
    assert!(!words.contains("127.0.0.1") && !words.contains(port), "{words}");
    // What was proven before needs no endpoint.
    assert_eq!(check(&world, &world.entries(&[12]), "unsafe", &descriptor(time_of(TIP))).await, None);
}

/// Callers drop the transaction at -320500: that a node is behind or pruned is not a reason for it.
#[rstest]
#[case::the_block(Lost::Below)]
#[case::its_receipts(Lost::Receipts)]
#[tokio::test]
async fn a_block_that_no_endpoint_has_gives_no_verdict(#[case] lost: Lost) {
    let world = World::start(Setup { lost, ..Setup::default() }).await;
    let entries = world.entries(&[FIRST - 1]);
    assert_eq!(check(&world, &entries, "unsafe", &descriptor(time_of(TIP))).await, Some(-32_603));
    let params = [json!(entries), json!("unsafe"), descriptor(time_of(TIP))];
    let (_, words) = world.call(BOTH[0], &params).await.unwrap_err();
    assert!(words.contains("no endpoint has it now"), "{words}");
    let hash = world.call("interop_getBlockHashByNumber", &[json!(CHAIN), json!(FIRST - 1)]).await;
    assert_eq!(hash.err().map(|error| error.0), (lost == Lost::Below).then_some(-32_603));
}

/// Go writes a nil slice as null.
#[tokio::test]
async fn null_is_the_empty_list() {
    let world = World::start(Setup::default()).await;
    for method in BOTH {
        let params = [Value::Null, json!("unsafe"), descriptor(time_of(TIP))];
        assert_eq!(world.call(method, &params).await, Ok(Value::Null), "{method}");
    }
}

#[rstest]
#[case::entries(json!(["0x12"]), json!("unsafe"), descriptor(time_of(TIP)))]
#[case::no_list(json!({}), json!("unsafe"), descriptor(time_of(TIP)))]
#[case::no_level(json!([]), Value::Null, descriptor(time_of(TIP)))]
#[case::no_descriptor(json!([]), json!("unsafe"), Value::Null)]
#[case::no_timestamp(json!([]), json!("unsafe"), json!({ "chainID": "901" }))]
#[tokio::test]
async fn unreadable_requests_are_counted_too(
    #[case] entries: Value,
    #[case] level: Value,
    #[case] descriptor: Value,
) {
    let world = World::start(Setup::default()).await;
    let (code, words) = world.call(BOTH[0], &[entries, level, descriptor]).await.unwrap_err();
    assert!(code == -32_602 && words.ends_with(": failed to read data"), "{code} {words}");
    let counted = "crosscheck_access_checks_total{code=\"-32602\",method=\"interop_checkAccessList\"} 1";
    assert!(world.metrics.shared().render().unwrap().contains(counted));
}

#[tokio::test]
async fn checks_are_counted_by_method_and_code() {
    let world = World::start(Setup::default()).await;
    let descriptor = descriptor(time_of(TIP) + 1);
    check(&world, &world.entries(&[12]), "unsafe", &descriptor).await;
    check(&world, &world.entries(&[19]), "cross-unsafe", &descriptor).await;
    let metrics = world.metrics.shared().render().unwrap();
    for method in BOTH {
        for (code, count) in [("valid", 1), ("-321100", 1), ("-320600", 0)] {
            let line =
                format!("crosscheck_access_checks_total{{code=\"{code}\",method=\"{method}\"}} {count}\n");
            assert!(metrics.contains(&line), "{line}{metrics}");
        }
        assert!(metrics.contains(&format!("crosscheck_access_check_seconds_count{{method=\"{method}\"}} 2")));
    }
    assert!(metrics.contains("crosscheck_access_refusals_total{reason=\"not-as-safe\"} 2\n"));
}

#[tokio::test]
async fn hashes_by_number() {
    let world = World::start(Setup { silent: true, ..Setup::default() }).await;
    let ask =
        async |chain: Value, block: Value| world.call("interop_getBlockHashByNumber", &[chain, block]).await;
    let hash = |number: u64| json!(world.blocks[usize::try_from(number).unwrap()].hash);
    assert_eq!(ask(json!("901"), json!("latest")).await.unwrap(), hash(TIP));
    assert_eq!(ask(json!("0x385"), json!("0xc")).await.unwrap(), hash(12));
    assert_eq!(ask(json!(CHAIN), json!(FIRST - 3)).await.unwrap(), hash(FIRST - 3));
    let (code, words) = ask(json!(CHAIN), json!(TIP + 1)).await.unwrap_err();
    assert!(code == -32_000 && words.contains("not found"), "{code} {words}");
    assert_eq!(ask(json!(1), json!("latest")).await.unwrap_err().0, -320_501);
    assert_eq!(ask(json!(SILENT), json!("latest")).await.unwrap_err().0, -320_400);
    assert_eq!(ask(json!(CHAIN), json!("safe")).await.unwrap_err().0, -32_602);
}

#[tokio::test]
async fn the_failsafe_refuses_everything_and_survives_a_restart() {
    let world = World::start(Setup { admin: true, ..Setup::default() }).await;
    let (entries, at) = (world.entries(&[12]), descriptor(time_of(TIP)));
    let is_on = async || world.call("admin_getFailsafeEnabled", &[]).await.unwrap();
    assert_eq!(is_on().await, json!(false));
    world.call("admin_setFailsafeEnabled", &[json!(true)]).await.unwrap();
    assert_eq!(is_on().await, json!(true));
    assert_eq!(check(&world, &entries, "unsafe", &at).await, Some(-320_602));
    assert_eq!(check(&world, &[], "unsafe", &at).await, Some(-320_602));
    assert!(Failsafe::open(&world.ledger, world.metrics.clone()).await.unwrap().is_enabled());
    world.call("admin_setFailsafeEnabled", &[json!(false)]).await.unwrap();
    assert_eq!(check(&world, &entries, "unsafe", &at).await, None);
    assert!(
        !world.failsafe.is_enabled()
            && !Failsafe::open(&world.ledger, world.metrics.clone()).await.unwrap().is_enabled()
    );
}

#[tokio::test]
async fn switching_the_failsafe_is_not_served_unless_enabled() {
    let world = World::start(Setup::default()).await;
    let refused = world.call("admin_setFailsafeEnabled", &[json!(true)]).await;
    let (code, text) = refused.unwrap_err();
    assert!(code == -32_601 && text.contains("rpc.admin is false"), "{code} {text}");
    let peers = world
        .call("opp2p_blockPeer", &[json!("16Uiu2HAmL5okaKLzxdzpvMDVvjr6HYy1CWkBCFXGdoStmoYEXPT3")])
        .await;
    assert!(peers.unwrap_err().1.contains("rpc.admin is false"));
    let unknown = world.call("admin_noSuchMethod", &[]).await;
    assert_eq!(unknown.unwrap_err(), (-32_601, "Method not found".to_owned()));
}
