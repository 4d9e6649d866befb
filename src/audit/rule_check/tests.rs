//! Each rule in which a node can differ, told with both values and where ours is from.

use super::*;
use crate::networks::NetworkName;
use rstest::rstest;
use serde_json::{Value, json};

/// OP Sepolia's configuration as a node answers it, as far as it is read.
fn config() -> Value {
    let network = network();
    let mut config = json!({
        "genesis": {
            "l1": network.genesis.l1, "l2": network.genesis.l2, "l2_time": network.genesis.time.0,
            "system_config": {
                "batcherAddr": format!("0x{}", "11".repeat(20)),
                "overhead": format!("0x{}", "00".repeat(32)),
                "scalar": format!("0x{}", "00".repeat(32)),
                "gasLimit": 30_000_000,
            },
        },
        "block_time": 2, "l1_chain_id": 11_155_111, "l2_chain_id": 11_155_420,
        "deposit_contract_address": format!("0x{}", "22".repeat(20)),
        "l1_system_config_address": network.system_config,
        "keep_karst_upgrade_gas": true,
        "pectra_blob_schedule_time": 1_742_486_400,
    });
    for fork in Fork::ALL.into_iter().filter(|fork| *fork != Fork::Bedrock) {
        if let Some(time) = network.forks.activation(fork) {
            config[format!("{fork}_time")] = time.0.into();
        }
    }
    config
}

fn network() -> KnownNetwork {
    "op-sepolia".parse::<NetworkName>().unwrap().network().unwrap()
}

fn own(network: Option<KnownNetwork>) -> OwnRules {
    let chain = ChainRules {
        block_time: 2,
        interop_time: Some(UnixSeconds(1_796_918_401)),
        dependencies: Some([1301, 11_155_420].map(ChainId::from).into()),
    };
    let system_config = Some(self::network().system_config);
    OwnRules { chain, expiry_window: Some(604_800), learnt: Learnt::default(), system_config, network }
}

fn report(config: Value) -> NodeReport {
    NodeReport {
        config: Some(serde_json::from_value(config).unwrap()),
        dependencies: Some([1301, 11_155_420].map(ChainId::from).into()),
        expiry_window: Some(604_800),
    }
}

fn reported(own: &OwnRules, report: &NodeReport) -> Vec<String> {
    differences(own, report).iter().map(ToString::to_string).collect()
}

#[test]
fn a_node_with_the_same_rules_has_no_difference() {
    assert_eq!(reported(&own(Some(network())), &report(config())), [""; 0]);
    assert_eq!(reported(&own(None), &report(config())), [""; 0]);
    assert_eq!(reported(&own(Some(network())), &NodeReport::default()), [""; 0], "it says nothing");
}

#[rstest]
#[case::lagoon("lagoon_time", json!(1_796_918_402), "lagoon_time is 1796918402 by its rollup node and 1796918401 by")]
#[case::no_lagoon("lagoon_time", Value::Null, "lagoon_time is not set by its rollup node and 1796918401 by")]
#[case::karst("karst_time", json!(1_781_712_002), "karst_time is 1781712002 by its rollup node and 1781712001 by")]
#[case::jovian("jovian_time", json!(1_763_568_000), "jovian_time is 1763568000 by its rollup node and 1763568001 by")]
#[case::block_time("block_time", json!(1), "block_time is 1 by its rollup node and 2 by")]
#[case::l1("l1_chain_id", json!(1), "l1_chain_id is 1 by its rollup node and 11155111 by")]
#[case::blob_schedule("pectra_blob_schedule_time", json!(7), "pectra_blob_schedule_time is 7 by its rollup node and 1742486400 by")]
#[case::upgrade_gas("keep_karst_upgrade_gas", json!(false), "keep_karst_upgrade_gas is false by its rollup node and true by")]
fn each_rule_of_a_named_network(#[case] key: &str, #[case] value: Value, #[case] says: &str) {
    let mut config = config();
    config[key] = value;
    let reported = reported(&own(Some(network())), &report(config));
    assert_eq!(reported, [format!("{says} the built-in facts of op-sepolia")]);
}

/// Its signer would be another one, and every block refused.
#[test]
fn another_system_config() {
    let (mut config, other) = (config(), Address::repeat_byte(0xab));
    config["l1_system_config_address"] = json!(other);
    let known = network().system_config;
    let says =
        |source| format!("l1_system_config_address is {other} by its rollup node and {known} by {source}");
    let built_in = "the built-in facts of op-sepolia";
    assert_eq!(reported(&own(Some(network())), &report(config.clone())), [says(built_in)]);
    assert_eq!(reported(&own(None), &report(config.clone())), [says("the configuration")]);
    let unset = OwnRules { system_config: None, ..own(None) };
    assert_eq!(reported(&unset, &report(config)), [""; 0]);
}

#[test]
fn a_configured_value_is_reported_as_configured() {
    let mut config = config();
    config["lagoon_time"] = json!(1_796_918_402);
    config["karst_time"] = json!(1_781_712_002);
    let says = "lagoon_time is 1796918402 by its rollup node and 1796918401 by the configuration";
    assert_eq!(reported(&own(None), &report(config)), [says], "nothing is known of its other forks");
    let mut own = own(Some(network()));
    own.chain.interop_time = Some(UnixSeconds(7));
    let says = "lagoon_time is 1796918401 by its rollup node and 7 by the configuration";
    assert_eq!(reported(&own, &report(self::config())), [says]);
}

#[test]
fn the_set_and_the_window() {
    let mut report = report(config());
    report.dependencies = Some([11_155_420].map(ChainId::from).into());
    report.expiry_window = Some(60);
    let says = [
        "the dependency set is 11155420 by its rollup node and 1301, 11155420 by the built-in facts of op-sepolia",
        "the message expiry window is 60 by its rollup node and 604800 by the configuration",
    ];
    assert_eq!(reported(&own(Some(network())), &report), says);
}

/// The largest number is how a configuration says never, and a node says that by saying nothing.
#[test]
fn an_unscheduled_fork_equals_a_fork_that_never_activates() {
    let mut config = config();
    config["lagoon_time"] = Value::Null;
    let mut own = own(None);
    own.chain.interop_time = Some(UnixSeconds(i64::MAX.unsigned_abs()));
    assert_eq!(reported(&own, &report(config)), [""; 0]);
    let says = "lagoon_time is 1796918401 by its rollup node and not set by the configuration";
    assert_eq!(reported(&own, &report(self::config())), [says]);
}

/// What is not known here is taken from the node, and is not a difference.
#[test]
fn a_rule_unknown_to_this_build_is_not_a_difference() {
    let mut own = own(None);
    (own.chain.interop_time, own.chain.dependencies) = (None, None);
    assert_eq!(reported(&own, &report(config())), [""; 0]);
}

/// BOB's, in which this build knows no fork after Isthmus; its node has what it is told here.
fn bob(forks: &[(Fork, u64)]) -> (OwnRules, NodeReport) {
    let network = "bob".parse::<NetworkName>().unwrap().network().unwrap();
    assert!(network.forks.activation(Fork::Jovian).is_none());
    let mut config = config();
    config["genesis"]["l2"] = serde_json::to_value(network.genesis.l2).unwrap();
    for key in ["lagoon_time", "keep_karst_upgrade_gas", "pectra_blob_schedule_time"] {
        config[key] = Value::Null;
    }
    config["l1_chain_id"] = network.l1_chain_id.into();
    config["keep_karst_upgrade_gas"] = json!(false);
    for fork in compared_forks().filter(|fork| *fork != Fork::Bedrock) {
        let time = forks.iter().find(|(reported, _)| *reported == fork).map(|(_, time)| *time);
        let time = time.or(network.forks.activation(fork).map(|time| time.0));
        config[format!("{fork}_time")] = time.map_or(Value::Null, Value::from);
    }
    let chain = ChainRules { block_time: 2, interop_time: None, dependencies: None };
    let own = OwnRules { chain, system_config: None, ..own(Some(network)) };
    (own, NodeReport { dependencies: None, ..report(config) })
}

const NEVER_TIME: u64 = i64::MAX.unsigned_abs();

#[rstest]
#[case::as_this_build_knows_it(&[], &[], &[])]
#[case::jovian_later_than_this_build(&[(Fork::Jovian, 1_800_000_001)], &[(Fork::Jovian, 1_800_000_001)], &[])]
#[case::jovian_is_long_over(&[(Fork::Jovian, 1_764_691_201)], &[(Fork::Jovian, 1_764_691_201)], &[])]
#[case::jovian_and_karst(
    &[(Fork::Jovian, 1_800_000_001), (Fork::Karst, 1_800_000_002)],
    &[(Fork::Jovian, 1_800_000_001), (Fork::Karst, 1_800_000_002)],
    &[]
)]
#[case::a_node_that_says_never(&[(Fork::Jovian, NEVER_TIME)], &[], &[])]
#[case::a_time_that_is_built_in_stays_compared(
    &[(Fork::Isthmus, 1_746_806_402), (Fork::Jovian, 1_800_000_001)],
    &[(Fork::Jovian, 1_800_000_001)],
    &["isthmus_time is 1746806402 by its rollup node and 1746806401 by the built-in facts of bob"]
)]
fn a_fork_without_a_built_in_time_is_taken_from_the_node(
    #[case] forks: &[(Fork, u64)],
    #[case] taken: &[(Fork, u64)],
    #[case] says: &[&str],
) {
    let (own, report) = bob(forks);
    assert_eq!(reported(&own, &report), says);
    let found: Vec<_> = taken_forks(&own, &report).iter().map(|taken| (taken.fork, taken.time.0)).collect();
    assert_eq!(found, taken);
}

/// With the fork comes what belongs to it.
#[test]
fn a_node_that_keeps_the_gas_of_an_unknown_karst_has_no_difference() {
    let (own, mut report) = bob(&[(Fork::Jovian, 1_800_000_001), (Fork::Karst, 1_800_000_002)]);
    report.config.as_mut().unwrap().keep_karst_upgrade_gas = true;
    assert_eq!(reported(&own, &report), [""; 0]);
}

/// What is built in can say that a fork is called off, by the time that says never; then it is compared.
#[rstest]
#[case::the_node_has_it_too(None, &[])]
#[case::the_node_has_a_time(
    Some(1_800_000_001),
    &["jovian_time is 1800000001 by its rollup node and not set by the built-in facts of bob"]
)]
fn a_cancelled_fork_is_compared(#[case] node: Option<u64>, #[case] says: &[&str]) {
    let forks: Vec<_> = node.map(|time| (Fork::Jovian, time)).into_iter().collect();
    let (mut own, report) = bob(&forks);
    let network = own.network.as_mut().unwrap();
    let mut times = json!({ "jovian_time": NEVER_TIME });
    for fork in compared_forks().filter(|fork| !matches!(fork, Fork::Bedrock | Fork::Jovian)) {
        times[format!("{fork}_time")] = network.forks.activation(fork).map(|time| time.0).into();
    }
    network.forks = serde_json::from_value(times).unwrap();
    assert_eq!(reported(&own, &report), says);
    assert_eq!(taken_forks(&own, &report), []);
}

/// Of a chain without a name nothing is built in, and nothing is compared or told.
#[test]
fn only_a_named_network_takes_forks_from_the_node() {
    assert_eq!(taken_forks(&own(None), &report(config())), []);
    assert_eq!(taken_forks(&own(Some(network())), &report(config())), [], "all are built in");
    assert_eq!(taken_forks(&own(Some(network())), &NodeReport::default()), []);
}

/// A window that is set is compared, be it the protocol's; one that is not is the node's, if a chain can have
/// it.
#[rstest]
#[case::set_and_the_same(Some(604_800), 604_800, &[])]
#[case::set_and_another(
    Some(604_800), 60, &["the message expiry window is 60 by its rollup node and 604800 by the configuration"]
)]
#[case::not_set(None, 60, &[])]
#[case::not_set_and_the_protocols(None, 604_800, &[])]
#[case::not_set_and_longer_than_any(
    None,
    604_801,
    &["the message expiry window is 604801 by its rollup node and 604800 by the protocol, which does not allow a longer one"]
)]
fn windows(#[case] set: Option<u64>, #[case] node: u64, #[case] says: &[&str]) {
    let own = OwnRules { expiry_window: set, ..own(None) };
    let report = NodeReport { expiry_window: Some(node), ..report(config()) };
    assert_eq!(reported(&own, &report), says);
    assert_eq!(reported(&own, &NodeReport { expiry_window: None, ..report }), [""; 0]);
}

/// Nobody looks into the configuration for what does not stand there.
#[test]
fn a_learnt_value_is_reported_as_learnt() {
    const NODE: &str = "#0 http://node.example";
    let from = || Some(NODE.to_owned());
    let learnt = Learnt { interop_time: from(), dependencies: from(), expiry_window: from() };
    let own = OwnRules { learnt, ..own(Some(network())) };
    let mut config = config();
    config["lagoon_time"] = json!(1_796_918_402);
    config["block_time"] = json!(1);
    let mut report = report(config);
    report.dependencies = Some([11_155_420].map(ChainId::from).into());
    report.expiry_window = Some(60);
    let source =
        "by the earlier answer of #0 http://node.example: if the new answer is right, restart Crosscheck";
    let says = [
        "block_time is 1 by its rollup node and 2 by the built-in facts of op-sepolia".to_owned(),
        format!("lagoon_time is 1796918402 by its rollup node and 1796918401 {source}"),
        format!("the dependency set is 11155420 by its rollup node and 1301, 11155420 {source}"),
        format!("the message expiry window is 60 by its rollup node and 604800 {source}"),
    ];
    assert_eq!(reported(&own, &report), says);
}
