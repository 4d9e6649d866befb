//! What is compared with the answers of others is what is served.

use super::world::{CHAIN, HEADS, INVALID_IN, SILENT, Setup, TIP, VALID_IN, World, chain, time_of};
use alloy::primitives::B256;
use crosscheck_core::message::Message;
use crosscheck_core::message::encode_access_list;
use crosscheck_p2p::{ChainId, UnixSeconds};
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn chains() -> BTreeSet<ChainId> {
    [chain()].into()
}

#[rstest]
#[case::final_now(HEADS.finalized, GENESIS, true)]
#[case::before_interop(HEADS.finalized, time_of(TIP), false)]
#[case::not_safe_yet(HEADS.safe + 1, GENESIS, true)]
#[tokio::test]
async fn the_own_super_root_is_the_one_that_is_served(
    #[case] number: u64,
    #[case] interop_time: u64,
    #[case] is_interop: bool,
) {
    let world = World::start(Setup { interop_time, ..Setup::default() }).await;
    let timestamp = time_of(number);
    let served = world.call("superroot_atTimestamp", &[json!(timestamp)]).await.unwrap();
    let own = world.own.super_root(&chains(), UnixSeconds(timestamp)).await.unwrap();
    assert_eq!(own.is_some(), number <= HEADS.safe);
    let Some(own) = own else {
        assert_eq!(served.get("data"), None);
        return;
    };
    assert_eq!((json!(own.super_root), own.timestamp.0), (served["data"]["super_root"].clone(), timestamp));
    let [(chain_id, output)] = Vec::from_iter(own.chains).try_into().unwrap();
    let chain = &served["data"]["super"]["chains"][0];
    assert_eq!(
        (json!(chain_id.to_string()), json!(output.output_root)),
        (chain["ChainID"].clone(), chain["Output"].clone())
    );
    assert_eq!(json!(output.block.hash), world.id(number)["hash"]);
    assert_eq!((output.block.number, own.is_interop), (number, is_interop));
}

const GENESIS: u64 = time_of(0);

#[tokio::test]
async fn the_timestamp_up_to_which_all_is_final_is_that_of_the_status() {
    let world = World::start(Setup::default()).await;
    let served = world.call("supernode_syncStatus", &[]).await.unwrap();
    let own = world.own.finalized(&chains()).await.unwrap();
    assert_eq!((json!(own.0), own.0), (served["finalized_timestamp"].clone(), time_of(HEADS.finalized)));
}

#[tokio::test]
async fn a_set_is_watched_as_a_whole_or_not() {
    let world = World::start(Setup { silent: true, ..Setup::default() }).await;
    let set = |ids: &[u64]| ids.iter().map(|id| ChainId::from(*id)).collect();
    assert!(world.own.is_set(&set(&[CHAIN, SILENT])).unwrap());
    for other in [&[][..], &[CHAIN], &[SILENT], &[CHAIN, SILENT, 903], &[903]] {
        assert!(!world.own.is_set(&set(other)).unwrap(), "{other:?}");
    }
}

/// Of an access list of a message, executed in the block at this height.
#[rstest]
#[case::valid(VALID_IN, false)]
#[case::invalid(INVALID_IN, true)]
#[tokio::test]
async fn the_own_check_is_the_one_that_is_served(#[case] number: u64, #[case] is_other: bool) {
    let world = World::start(Setup::default()).await;
    let cited = world.message(9);
    let payload_hash = if is_other { B256::ZERO } else { cited.payload_hash };
    let entries = encode_access_list(&Message { payload_hash, ..cited });
    let timestamp = time_of(number);
    let descriptor = json!({ "chainID": CHAIN.to_string(), "timestamp": timestamp });
    let params = [json!(entries), json!("unsafe"), descriptor];
    let served = world.call("interop_checkAccessList", &params).await;
    let own = world.own.check_access_list(&entries, chain(), UnixSeconds(timestamp)).await;
    assert_eq!(own.map(|()| Value::Null).map_err(|error| (error.code(), error.to_string())), served);
    assert_eq!(served.is_err(), is_other);

    // The failsafe says nothing about a message.
    world.failsafe.set(true);
    let own = world.own.check_access_list(&entries, chain(), UnixSeconds(timestamp)).await;
    assert_eq!(own.is_err(), is_other);
    let (code, _) = world.call("interop_checkAccessList", &params).await.unwrap_err();
    assert_eq!(code, -320_602);
}
