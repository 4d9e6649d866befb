//! Chains of networks that are known by name need only endpoints.

use super::file;
use crate::config::network_defaults::apply_network_defaults;
use crate::config::{Config, ConfigError, Layers, keys};
use alloy::primitives::{Address, B256, address};
use crosscheck_core::message::{Identifier, Message};
use crosscheck_core::validity::{Execution, check_claim};
use crosscheck_p2p::{ChainId, UnixSeconds};
use rstest::rstest;
use std::collections::BTreeSet;
use toml::Table;

/// OP Mainnet and Unichain, the latter under another spelling of its id.
const NAMED: &str = r#"
network = ["op-mainnet", "unichain"]
l1.execution = "http://127.0.0.1:8545"

[chains.10]
execution = ["http://127.0.0.1:9545"]
rollup_node = "http://127.0.0.1:7545"

[chains.0x82]
execution = ["http://127.0.0.1:9546"]
"#;

fn parse(text: &str) -> Result<Config, ConfigError> {
    file(text).and_then(Layers::parse)
}

#[test]
fn a_named_chain_needs_only_endpoints() {
    let config = parse(NAMED).unwrap();
    let chain = |id: u64| config.chains.get(&ChainId::from(id)).unwrap();
    assert_eq!((chain(10).block_time, chain(130).block_time), (2, 1));
    let system_config = address!("229047fed2591dbec1ef1118d64f7af3db9eb290");
    assert_eq!(chain(10).system_config, Some(system_config));
    assert_eq!(chain(130).system_config, None, "a chain that is only monitored has no use for it");
    assert_eq!(config.chains.len(), 2);
}

/// What a network fills in is in the text of each key, and nothing else is.
#[test]
fn the_keys_with_a_default_of_the_network_are_those_that_say_so() {
    let written = "network = [\"op-mainnet\"]\n[chains.10]\nexecution = [\"http://127.0.0.1:1\"]\nrollup_node = \"http://127.0.0.1:2\"";
    let mut table: Table = written.parse().unwrap();
    apply_network_defaults(&mut table).unwrap();
    let chain = table["chains"]["10"].as_table().unwrap();
    let p2p = chain["p2p"].as_table().unwrap().keys().map(|name| format!("p2p.{name}"));
    let own = ["execution", "rollup_node", "p2p"];
    let names = chain.keys().filter(|name| !own.contains(&name.as_str())).cloned();
    let filled: BTreeSet<String> = names.chain(p2p).collect();
    let said = keys().filter(|key| key.form.if_named.is_some()).map(|key| key.path.to_owned());
    assert_eq!(filled, said.collect());
}

#[test]
fn forks_are_known_of_a_named_network_alone() {
    let config = parse(NAMED).unwrap();
    let jovian =
        |id: u64| config.known_network(ChainId::from(id)).map(|network| network.gossip_forks().jovian);
    assert_eq!(jovian(10), Some(Some(UnixSeconds(1_764_691_201))));
    assert_eq!(jovian(8453), None, "it has no name here");
}

#[test]
fn interop_activates_when_it_was_announced_and_each_chain_has_its_own_set() {
    let named = NAMED.replace("\"unichain\"", "\"unichain\", \"ink\"");
    let set = parse(&format!("{named}\n[chains.57073]\nexecution = [\"http://127.0.0.1:9547\"]"))
        .unwrap()
        .dependency_set();
    let ids = |ids: &[u64]| ids.iter().map(|id| ChainId::from(*id)).collect::<BTreeSet<_>>();
    for (chain_id, members) in [(10, ids(&[10, 130])), (130, ids(&[10, 130])), (57073, ids(&[57073]))] {
        let rules = set.rules(ChainId::from(chain_id)).unwrap();
        assert_eq!(rules.interop_time, Some(UnixSeconds(1_799_683_201)), "{chain_id}");
        assert_eq!(rules.dependencies, Some(members), "{chain_id}");
    }
}

/// A time that is not known is not "never": a chain that activates after this build was made is not accused.
#[test]
fn interop_without_an_announced_time_is_unknown() {
    let text = "network = [\"zora\"]\n[chains.7777777]\nexecution = [\"http://127.0.0.1:9545\"]";
    let rules = parse(text).unwrap().dependency_set().rules(ChainId::from(7_777_777)).unwrap();
    assert_eq!(rules.interop_time, None);
    assert_eq!(rules.dependencies, Some([ChainId::from(7_777_777)].into()));
}

#[rstest]
#[case::block_time("block_time = 4", 4)]
#[case::nothing("", 2)]
fn a_written_setting_overrides_that_of_the_network(#[case] line: &str, #[case] block_time: u64) {
    let text = NAMED.replace("[chains.10]", &format!("[chains.10]\n{line}"));
    assert_eq!(parse(&text).unwrap().chains.get(&ChainId::from(10)).unwrap().block_time, block_time);
}

/// What each chain listens on, and where it looks for peers. `130`: what its section has besides endpoints.
#[rstest]
#[case::endpoints_alone("", ["9647", "9648"], [Some(9647), Some(9648)])]
#[case::a_port_of_its_own("p2p.listen = [\"/ip4/0.0.0.0/tcp/9222\"]", ["9647", "9222"], [Some(9647), Some(9648)])]
#[case::a_port_that_was_next("p2p.listen = [\"/ip4/0.0.0.0/tcp/9647\"]", ["9648", "9647"], [Some(9648), Some(9649)])]
#[case::a_socket_that_was_next("p2p.discovery = \"0.0.0.0:9647\"", ["9648", "9649"], [Some(9648), Some(9647)])]
#[case::static_peers("p2p.static_peers = []", ["9647", "9648"], [Some(9647), None])]
#[case::all_by_hand(
    "p2p.static_peers = []\np2p.listen = [\"/ip4/127.0.0.1/tcp/1\"]",
    ["9647", "1"],
    [Some(9647), None]
)]
fn each_chain_has_its_gossip_at_ports_of_its_own(
    #[case] of_130: &str,
    #[case] listen: [&str; 2],
    #[case] discovery: [Option<u16>; 2],
) {
    let text = format!("{NAMED}rollup_node = \"http://127.0.0.1:7546\"\n{of_130}\n");
    let config = parse(&text).unwrap();
    for ((id, port), discovery) in [10, 130].into_iter().zip(listen).zip(discovery) {
        let p2p = &config.chains.get(&ChainId::from(id)).unwrap().p2p;
        let addrs: Vec<String> = p2p.listen.iter().map(ToString::to_string).collect();
        assert!(addrs.len() == 1 && addrs[0].ends_with(&format!("/tcp/{port}")), "{id}: {addrs:?}");
        assert_eq!(p2p.discovery.map(|socket| socket.port()), discovery, "{id}");
        assert!(p2p.discovery.is_none_or(|socket| !socket.ip().is_loopback()), "{id}");
        assert!(!p2p.bootnodes.is_empty(), "{id}");
    }
    let is_heard = config.doubts().is_empty();
    assert_eq!(is_heard, discovery[1].is_some(), "{:?}", config.doubts());
}

#[test]
fn the_programs_own_servers_keep_their_ports() {
    let text = NAMED.replace("l1.execution", "rpc.addr = \"127.0.0.1:9647\"\nl1.execution");
    let config = parse(&text).unwrap();
    assert_eq!(config.chains.get(&ChainId::from(10)).unwrap().p2p.discovery.unwrap().port(), 9648);
}

#[test]
fn a_flag_names_networks_too() {
    let layers = Layers::default().flag("network", "bob").unwrap();
    let layers = layers.flag("chains.60808.execution", "http://127.0.0.1:9545").unwrap();
    assert_eq!(layers.parse().unwrap().chains.get(&ChainId::from(60_808)).unwrap().block_time, 2);
}

#[rstest]
#[case::unknown("network = [\"op-mainet\"]", &["network[0]", "did you mean op-mainnet?", "soneium-minato"])]
#[case::no_list("network = \"op-mainnet\"", &["network = \"op-mainnet\"", "expected a list"])]
#[case::no_endpoints("network = [\"bob\"]", &["chains.60808.execution is not set"])]
#[case::no_section("network = [\"bob\"]\n[chains]\n60808 = 5", &["chains.60808 = 5", "expected a section"])]
fn named_networks_that_cannot_work_are_refused(#[case] text: &str, #[case] parts: &[&str]) {
    let message = parse(text).unwrap_err().to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing from:\n{message}");
    }
}

/// OP Sepolia with Unichain Sepolia, and Ink Sepolia alone, in one process, around 10 December 2026 16:00:01
/// UTC. OP Sepolia's blocks have even timestamps: its activation block is at ...402.
#[rstest]
#[case::before(11_155_420, 1301, 1_796_918_398, 1_796_918_400, Some("not-active"))]
#[case::in_the_activation_block(11_155_420, 1301, 1_796_918_402, 1_796_918_402, Some("not-active"))]
#[case::initiated_in_an_activation_block(11_155_420, 1301, 1_796_918_401, 1_796_918_404, Some("not-active"))]
#[case::initiated_right_after_it(11_155_420, 1301, 1_796_918_402, 1_796_918_404, None)]
#[case::the_other_way(1301, 11_155_420, 1_796_918_404, 1_796_918_405, None)]
#[case::ink_is_of_no_set_with_op(11_155_420, 763_373, 1_796_918_404, 1_796_918_406, Some("unknown-chain"))]
#[case::nor_op_with_ink(763_373, 11_155_420, 1_796_918_404, 1_796_918_406, Some("unknown-chain"))]
#[case::ink_may_cite_itself(763_373, 763_373, 1_796_918_404, 1_796_918_406, None)]
fn messages_around_lagoon_on_sepolia(
    #[case] executing: u64,
    #[case] initiating: u64,
    #[case] initiated: u64,
    #[case] executed: u64,
    #[case] broken: Option<&str>,
) {
    let text = r#"
        network = ["op-sepolia", "unichain-sepolia", "ink-sepolia"]
        [chains.11155420]
        execution = ["http://127.0.0.1:9545"]
        [chains.1301]
        execution = ["http://127.0.0.1:9546"]
        [chains.763373]
        execution = ["http://127.0.0.1:9547"]
    "#;
    let set = parse(text).unwrap().dependency_set();
    let identifier = Identifier {
        origin: Address::ZERO,
        block_number: 1,
        log_index: 0,
        timestamp: UnixSeconds(initiated),
        chain_id: ChainId::from(initiating),
    };
    let message = Message { identifier, payload_hash: B256::ZERO };
    let execution = Execution { chain_id: ChainId::from(executing), timestamp: UnixSeconds(executed) };
    let outcome = check_claim(&set, execution, &message);
    assert_eq!(outcome.err().map(|objection| objection.code()), broken);
}
