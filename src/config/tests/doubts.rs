//! Settings that are valid and probably not intended are reported, and nothing else is.

use super::{SOUND, file};
use crate::config::{Doubt, Layers};
use rstest::rstest;

/// A peer, so that nothing is in doubt.
const PEER: &str = "p2p.static_peers = [\"/ip4/127.0.0.1/tcp/9223/p2p/16Uiu2HAmL5okaKLzxdzpvMDVvjr6HYy1CWkBCFXGdoStmoYEXPT3\"]";

/// What is reported of the sound configuration with a line put before the chain and another into it.
fn doubts(before: &str, within: &str) -> Vec<String> {
    doubts_of(&format!("{before}\n{SOUND}{PEER}\n{within}\n"))
}

fn doubts_of(text: &str) -> Vec<String> {
    let config = file(text).and_then(Layers::parse).unwrap();
    config.doubts().iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_one(doubts: &[String], parts: &[&str]) {
    let [doubt] = doubts else { panic!("not one doubt: {doubts:?}") };
    for part in parts {
        assert!(doubt.contains(part), "{part:?} is missing from: {doubt}");
    }
}

#[rstest]
#[case::nothing("", "")]
#[case::admin_on_loopback("rpc.admin = true", "")]
#[case::public_without_admin("rpc.addr = \"0.0.0.0:9645\"", "")]
#[case::a_directory_with_a_tilde("data_dir = \"/srv/~cc\"", "")]
#[case::checksum_right("", "attester = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"")]
#[case::no_checksum("", "attester = \"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\"")]
#[case::no_checksum_in_capitals("", "attester = \"0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED\"")]
#[case::upstream_that_is_asked("follow.mode = \"clamp\"", "follow_upstream = \"http://127.0.0.1:7000/901\"")]
fn settings_without_a_doubt_are_not_reported(#[case] before: &str, #[case] within: &str) {
    assert_eq!(doubts(before, within), [] as [&str; 0]);
}

#[rstest]
#[case::admin_for_all("rpc = { admin = true, addr = \"0.0.0.0:9645\" }", "", &["rpc.admin is true", "0.0.0.0:9645", "without a password"])]
#[case::home("data_dir = \"~/cc\"", "", &["data_dir begins with \"~\"", "full path"])]
#[case::wrong_checksum("", "attester = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD\"", &["chains.901.attester = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD\"", "EIP-55"])]
#[case::no_prefix("", "attester = \"5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\"", &["chains.901.attester", "write 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"])]
#[case::signer_twice("", "system_config = \"0x1111111111111111111111111111111111111111\"", &["chains.901.unsafe_block_signer overrides", "chains.901.system_config"])]
#[case::l1_is_l2("l1.execution = \"http://127.0.0.1:9545\"", "", &["l1.execution and chains.901.execution are both http://127.0.0.1:9545"])]
#[case::unused_upstream("", "follow_upstream = \"http://127.0.0.1:7000/901\"", &["chains.901.follow_upstream is not used", "\"clamp\""])]
fn settings_that_are_probably_not_intended_are_reported(
    #[case] before: &str,
    #[case] within: &str,
    #[case] parts: &[&str],
) {
    assert_one(&doubts(before, within), parts);
}

/// The sound configuration, twice: the second chain with these lines in place of the first one's.
fn two_chains(before: &str, first: &str, second: &str) -> Vec<String> {
    let own = "unsafe_block_signer = \"0x2222222222222222222222222222222222222222\"\n";
    let chain = |id: u64, port: u64, lines: &str| {
        let text = SOUND.replace("901", &id.to_string()).replace(own, "");
        let text = text.replace("9545", &format!("{port}1")).replace("7545", &format!("{port}2"));
        format!("{text}p2p.listen = []\n{PEER}\n{lines}\n")
    };
    doubts_of(&format!("{before}\n{}{}", chain(901, 95, first), chain(902, 96, second)))
}

#[test]
fn one_system_config_for_two_chains_is_reported() {
    let (l1, config) = (
        "l1.execution = \"http://127.0.0.1:1\"",
        "system_config = \"0x11111111111111111111111111111111111111\"",
    );
    let other = |digits: &str| config.replace("\"0x", &format!("\"0x{digits}"));
    let doubts = two_chains(l1, &other("11"), &other("11"));
    assert_one(&doubts, &["chains.901.system_config and chains.902.system_config are both 0x1111"]);
    assert_eq!(two_chains(l1, &other("11"), &other("22")), [] as [&str; 0]);
}

#[rstest]
#[case::execution_of_two_chains("9611", "9511", &["chains.901.execution and chains.902.execution are both http://127.0.0.1:9511"])]
#[case::rollup_node_that_is_a_client("9612", "9611", &["chains.902.execution and chains.902.rollup_node are both http://127.0.0.1:9611"])]
#[case::rollup_node_of_two_chains("9612", "9512", &["chains.901.rollup_node and chains.902.rollup_node are both http://127.0.0.1:9512"])]
fn one_server_in_two_places_is_reported(#[case] port: &str, #[case] other: &str, #[case] parts: &[&str]) {
    let signer = "unsafe_block_signer = \"0x2222222222222222222222222222222222222222\"";
    let chain = |id: u64, port: u64| {
        let text = SOUND.replace("901", &id.to_string());
        let text = text.replace("9545", &format!("{port}11")).replace("7545", &format!("{port}12"));
        format!("{text}p2p.listen = []\n{PEER}\n")
    };
    let text = format!("{}{}", chain(901, 95), chain(902, 96));
    assert!(text.contains(signer));
    assert_eq!(doubts_of(&text), [] as [&str; 0]);
    let (before, after) = text.split_once("[chains.902]").unwrap();
    assert_one(&doubts_of(&format!("{before}[chains.902]{}", after.replace(port, other))), parts);
}

#[rstest]
#[case::of_one_l1("\"op-mainnet\", \"unichain\"", false)]
#[case::of_two_l1s("\"op-mainnet\", \"op-sepolia\"", true)]
fn networks_of_two_l1s_are_reported(#[case] networks: &str, #[case] is_reported: bool) {
    let second = if is_reported { "11155420" } else { "130" };
    let text = format!(
        "network = [{networks}]\nl1.execution = \"http://127.0.0.1:1\"\n\
         [chains.10]\nexecution = [\"http://127.0.0.1:2\"]\nrollup_node = \"http://127.0.0.1:3\"\n\
         [chains.{second}]\nexecution = [\"http://127.0.0.1:4\"]\nrollup_node = \"http://127.0.0.1:5\"\n"
    );
    let doubts = file(&text).and_then(Layers::parse).unwrap().doubts();
    let l1s: Vec<&Doubt> = doubts.iter().filter(|doubt| matches!(doubt, Doubt::TwoL1s { .. })).collect();
    assert_eq!(l1s.len(), usize::from(is_reported), "{doubts:?}");
}

/// The operator did not write a built-in SystemConfig.
#[test]
fn a_signer_beside_a_built_in_system_config_is_not_reported() {
    let text = "network = [\"op-mainnet\"]\n[chains.10]\nexecution = [\"http://127.0.0.1:2\"]\nrollup_node = \"http://127.0.0.1:3\"\n\
                unsafe_block_signer = \"0x2222222222222222222222222222222222222222\"\n";
    assert_eq!(doubts_of(text), [] as [&str; 0]);
}
