//! Super roots: `supervisor_superRootAtTimestamp` and `superroot_atTimestamp`, in their shapes and in what
//! they mean.

use super::world::{CHAIN, FIRST, HEADS, Lost, REPLACEMENT, SILENT, Setup, TIP, World, chain, time_of};
use crate::rpc::front::PathChain;
use crate::rpc::super_root;
use alloy::primitives::{B256, Bytes};
use crosscheck_core::events::{Notice, NoticeContent};
use crosscheck_core::heads::{SafetyHeads, SafetyLevel};
use crosscheck_core::message::BlockKey;
use crosscheck_core::proof::OutputV0;
use crosscheck_core::tracker::{MessageKey, StatusCause};
use crosscheck_core::validity::{ChainRules, DependencySet, InvalidReason};
use crosscheck_devnet::chain::L2Block;
use crosscheck_p2p::{ChainId, UnixSeconds};
use rstest::rstest;
use serde_json::{Value, json};

const OLDER: &str = "supervisor_superRootAtTimestamp";
const TODAYS: &str = "superroot_atTimestamp";

fn output_of(block: &L2Block) -> OutputV0 {
    OutputV0 {
        state_root: block.header.state_root,
        withdrawals_root: block.header.withdrawals_root.unwrap(),
        block_hash: block.hash,
    }
}

fn output(world: &World, number: u64) -> OutputV0 {
    output_of(&world.blocks[usize::try_from(number).unwrap()])
}

fn optimistic(output: &OutputV0, required_l1: &Value) -> Value {
    json!({ "901": {
        "output": {
            "stateRoot": output.state_root,
            "messagePasserStorageRoot": output.withdrawals_root,
            "blockHash": output.block_hash,
        },
        "output_root": output.root(),
        "required_l1": required_l1,
    } })
}

/// There is none to name.
fn no_l1() -> Value {
    json!({ "hash": B256::ZERO, "number": 0 })
}

#[rstest]
#[case::at_a_block(12, 0)]
#[case::between_blocks(12, 1)]
#[tokio::test]
async fn super_roots(#[case] number: u64, #[case] later: u64) {
    let world = World::start(Setup::default()).await;
    let (timestamp, output) = (time_of(number) + later, output(&world, number));
    let root = super_root(UnixSeconds(timestamp), &[(ChainId::from(CHAIN), output.root())].into());
    let params = [json!(format!("{timestamp:#x}"))];
    let expected = json!({
        "crossSafeDerivedFrom": world.l1_id(6),
        "timestamp": params[0],
        "superRoot": root,
        "version": "0x01",
        "chains": [{
            "chainID": "901", "canonical": output.root(), "pending": Bytes::copy_from_slice(&output.preimage()),
        }],
    });
    assert_eq!(world.call(OLDER, &params).await.unwrap(), expected);
    let expected = json!({
        // The blocks above the safe one are not verified, and may come from the L1 block of the safe one.
        "current_l1": world.l1_id(6),
        "safe_timestamp": time_of(HEADS.safe),
        "local_safe_timestamp": time_of(HEADS.local_safe),
        "finalized_timestamp": time_of(HEADS.finalized),
        "optimistic_at_timestamp": optimistic(&output, &world.l1_id(6)),
        "chain_ids": ["901"],
        "data": {
            "verified_required_l1": world.l1_id(6),
            "super": {
                "timestamp": params[0],
                "chains": [{ "ChainID": "901", "Output": output.root() }],
            },
            "super_root": root,
        },
    });
    assert_eq!(world.call(TODAYS, &params).await.unwrap(), expected);
}

#[rstest]
#[case::not_safe_yet(15, -321_100)]
#[case::not_there_yet(TIP + 5, -321_401)]
#[tokio::test]
async fn super_roots_that_are_not_proven(#[case] number: u64, #[case] code: i32) {
    let world = World::start(Setup::default()).await;
    let params = [json!(time_of(number))];
    assert_eq!(world.call(OLDER, &params).await.unwrap_err().0, code);
    // The node's record is of cross-safe heads: what is only derived has no source.
    let answer = world.call(TODAYS, &params).await.unwrap();
    assert_eq!((answer.get("data"), &answer["optimistic_at_timestamp"]), (None, &json!({})));
    assert_eq!(answer["chain_ids"], json!(["901"]));
}

#[tokio::test]
async fn a_derived_block_that_is_not_verified_is_optimistic() {
    let world = World::start(Setup { local_record: true, ..Setup::default() }).await;
    let answer = world.call(TODAYS, &[json!(time_of(16))]).await.unwrap();
    let expected = optimistic(&output(&world, 16), &world.l1_id(6));
    assert_eq!((answer.get("data"), &answer["optimistic_at_timestamp"]), (None, &expected));
}

/// Anyone who asks takes a chain that is left out for "invalid": one whose block no endpoint has now must not
/// be.
#[rstest]
#[case::below_the_view(Lost::Below, 5)]
#[case::derived_and_not_verified(Lost::ByHash, 16)]
#[tokio::test]
async fn a_block_that_no_endpoint_has_is_an_error_for_the_whole_answer(
    #[case] lost: Lost,
    #[case] number: u64,
) {
    let world = World::start(Setup { local_record: true, lost, ..Setup::default() }).await;
    for method in [TODAYS, OLDER] {
        let answer = world.call(method, &[json!(time_of(number))]).await;
        let expected = if number > HEADS.safe && method == OLDER { -321_100 } else { -32_603 };
        assert_eq!(answer.unwrap_err().0, expected, "{method}");
    }
}

/// Anyone who asks takes a missing `data` for "invalid" once `current_l1` is past a block.
#[tokio::test]
async fn current_l1_is_not_above_the_verified_l1_block() {
    let heads = SafetyHeads { safe: 4, finalized: 4, ..HEADS };
    let world = World::start(Setup { local_record: true, heads, ..Setup::default() }).await;
    let answer = world.call(TODAYS, &[json!(time_of(9))]).await.unwrap();
    assert_eq!(answer["current_l1"], world.l1_id(5), "the node has come to block 6: {answer}");
    assert_eq!(answer["optimistic_at_timestamp"], optimistic(&output(&world, 9), &world.l1_id(5)));
    assert_eq!((answer.get("data"), &answer["safe_timestamp"]), (None, &json!(time_of(4))));
}

/// The node says more than the tracker has heard of: what is missing here is not proven to be missing.
#[tokio::test]
async fn current_l1_is_not_above_the_last_recorded_l1_block() {
    let heads = SafetyHeads { local_safe: 4, safe: 4, finalized: 4, ..HEADS };
    let world = World::start(Setup { heads, ..Setup::default() }).await;
    let answer = world.call(TODAYS, &[json!(time_of(16))]).await;
    // The source of block 4 is not on record, and of block 5 it is not known that it is safe.
    assert_eq!(answer.unwrap_err().0, -320_500);
    let heads = SafetyHeads { local_safe: 9, safe: 9, finalized: 4, ..HEADS };
    let world = World::start(Setup { heads, ..Setup::default() }).await;
    let answer = world.call(TODAYS, &[json!(time_of(16))]).await.unwrap();
    assert_eq!((&answer["current_l1"], &answer["optimistic_at_timestamp"]), (&world.l1_id(5), &json!({})));
}

#[rstest]
#[case::the_first_block(0, 0)]
#[case::before_it(0, -1)]
#[case::at_the_beginning_of_time(0, i64::MIN)]
#[tokio::test]
async fn the_first_block_is_used_for_earlier_timestamps(#[case] number: u64, #[case] later: i64) {
    let world = World::start(Setup::default()).await;
    let params = [json!(time_of(0).saturating_add_signed(later))];
    let answer = world.call(TODAYS, &params).await.unwrap();
    let output = output(&world, number);
    assert_eq!(answer["optimistic_at_timestamp"], optimistic(&output, &no_l1()));
    assert_eq!(answer["data"]["verified_required_l1"], no_l1());
    assert_eq!(answer["data"]["super"]["chains"][0]["Output"], json!(output.root()));
    let older = world.call(OLDER, &params).await;
    assert_eq!(older.err().map(|error| error.0), (later < 0).then_some(-320_500));
}

/// Then what L1 says is all there is to verify.
#[rstest]
#[case::before(time_of(17), true)]
#[case::from_then_on(time_of(16), false)]
#[tokio::test]
async fn before_interop_a_derived_super_root_is_complete(#[case] interop_time: u64, #[case] is_whole: bool) {
    let world = World::start(Setup { local_record: true, interop_time, ..Setup::default() }).await;
    let answer = world.call(TODAYS, &[json!(time_of(16))]).await.unwrap();
    assert_eq!(answer["optimistic_at_timestamp"], optimistic(&output(&world, 16), &world.l1_id(6)));
    let root = &answer["data"]["super"]["chains"][0]["Output"];
    assert_eq!(root, &if is_whole { json!(output(&world, 16).root()) } else { Value::Null });
}

async fn note_invalid(world: &World, hash: B256) {
    let block = BlockKey { chain_id: chain(), number: REPLACEMENT, hash };
    let note = Notice {
        transaction_hash: None,
        key: MessageKey { block, log_index: 0 },
        initiating: Some(chain()),
        timestamp: UnixSeconds(time_of(REPLACEMENT)),
        level: SafetyLevel::LocalSafe,
        content: NoticeContent::Invalid {
            reason: InvalidReason::ExecutedByDeposit,
            cause: StatusCause::Checked,
        },
        ordinal: 0,
        invalid_before: None,
    };
    world.ledger.note_messages(&[note], UnixSeconds(1)).await.unwrap();
}

#[tokio::test]
async fn of_a_replaced_block_the_original_is_optimistic_and_the_replacement_is_verified() {
    let world = World::start(Setup::default()).await;
    let params = [json!(time_of(REPLACEMENT))];
    let canonical = output(&world, REPLACEMENT);
    // Nothing is known to have been replaced: it is a block without users' transactions.
    let answer = world.call(TODAYS, &params).await.unwrap();
    assert_eq!(answer["optimistic_at_timestamp"], optimistic(&canonical, &world.l1_id(6)));
    note_invalid(&world, world.replaced.hash).await;
    let answer = world.call(TODAYS, &params).await.unwrap();
    let original = output_of(&world.replaced);
    assert_eq!(answer["optimistic_at_timestamp"], optimistic(&original, &world.l1_id(6)));
    assert_eq!(answer["data"]["super"]["chains"][0]["Output"], json!(canonical.root()));
    let older = world.call(OLDER, &params).await.unwrap();
    assert_eq!(older["chains"][0]["canonical"], json!(canonical.root()));
    assert_eq!(older["chains"][0]["pending"], json!(Bytes::copy_from_slice(&original.preimage())));
}

/// A reader takes a chain that is left out for proof.
#[tokio::test]
async fn an_unprovable_output_is_an_error_for_the_whole_answer() {
    let mut world = World::start(Setup::default()).await;
    note_invalid(&world, B256::repeat_byte(7)).await;
    let gone = world.call(TODAYS, &[json!(time_of(REPLACEMENT))]).await;
    assert_eq!(gone.unwrap_err().0, -32_603, "the original is not there any more");
    world.execution.take().unwrap().stop().await;
    let params = [json!(time_of(FIRST - 1))];
    for method in [TODAYS, OLDER] {
        assert_eq!(world.call(method, &params).await.unwrap_err().0, -32_603, "{method}");
    }
}

/// The other chain, of which nothing is known, would make every answer an error.
#[tokio::test]
async fn a_chain_with_its_own_set_is_in_no_other_super_root() {
    let world = World::start(Setup { silent: true, apart: true, ..Setup::default() }).await;
    let (own, other) = (CHAIN.to_string(), SILENT.to_string());
    let params = [json!(time_of(12))];
    for (method, nothing_known) in [(TODAYS, -320_400), (OLDER, -320_500)] {
        assert!(world.call_at(&own, method, &params).await.unwrap().to_string().contains("901"));
        assert_eq!(world.call_at(&other, method, &params).await.unwrap_err().0, nothing_known);
        let (code, words) = world.call(method, &params).await.unwrap_err();
        assert!(code == -32_602 && words.contains("/<chain id>/"), "{code} {words}");
    }
    let world = World::start(Setup { silent: true, ..Setup::default() }).await;
    for path in ["", &own, &other] {
        assert_eq!(world.call_at(path, TODAYS, &params).await.unwrap_err().0, -320_400, "one set: {path}");
    }
}

/// Sets of chains; one in brackets is not watched.
fn sets(of: &str) -> DependencySet {
    let mut chains = Vec::new();
    for set in of.split_whitespace() {
        let id = |name: &str| name.trim_matches(['(', ')']).parse::<ChainId>().unwrap();
        let rules = ChainRules {
            block_time: 2,
            interop_time: Some(UnixSeconds(0)),
            dependencies: Some(set.split('+').map(id).collect()),
        };
        let watched = set.split('+').filter(|name| !name.starts_with('('));
        chains.extend(watched.map(|name| (id(name), rules.clone())));
    }
    DependencySet::of_chains(chains.into_iter().collect(), 100)
}

#[rstest]
#[case::the_only_set("10+130", None, Ok("10+130"))]
#[case::members_beside_a_lone_chain("1 10+130", None, Ok("10+130"))]
#[case::the_lone_chain_beside_members("1 10+130", Some(1), Ok("1"))]
#[case::one_chain("1", None, Ok("1"))]
#[case::two_lone_chains("1 2", None, Err(-32_602))]
#[case::two_sets("1+2 3+4", None, Err(-32_602))]
#[case::one_of_two_sets("1+2 3+4", Some(4), Ok("3+4"))]
#[case::a_member_that_is_not_watched("10+(130)", None, Err(-32_603))]
#[case::nothing("", None, Err(-320_400))]
#[tokio::test]
async fn the_dependency_set_that_a_path_selects(
    #[case] watched: &str,
    #[case] path: Option<u64>,
    #[case] expected: Result<&str, i32>,
) {
    let mut reader = World::start(Setup::default()).await.superchain;
    reader.set = sets(watched);
    let found = reader.set_at(path.map(|id| PathChain(id.into()))).map_err(|error| error.code());
    let found = found.map(|set| set.iter().map(ToString::to_string).collect::<Vec<_>>().join("+"));
    assert_eq!(found, expected.map(str::to_owned));
}
