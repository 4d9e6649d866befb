//! Every mistake is refused with a message that names the key, the value, the reason and the fix.

use super::{SOUND, file};
use crate::config::{Config, ConfigError, Layers};
use rstest::rstest;

/// The sound configuration with a line put before the chain and another into it.
fn refusal(before: &str, within: &str) -> String {
    let text = format!("{before}\n{SOUND}{within}\n");
    file(&text).and_then(Layers::parse).unwrap_err().to_string()
}

/// The sound configuration with one of its lines replaced.
fn altered(line: &str, replacement: &str) -> String {
    assert!(SOUND.contains(line), "{line} is not a line of it");
    let text = SOUND.replace(line, replacement);
    file(&text).and_then(Layers::parse).unwrap_err().to_string()
}

#[track_caller]
fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing from:\n{message}");
    }
    assert!(message.contains("\n  fix: "), "no fix in:\n{message}");
}

#[test]
fn the_sample_configuration_is_valid() {
    assert!(file(SOUND).unwrap().parse().is_ok());
}

#[rstest]
#[case::unknown_key("data_dirr = \"x\"", &["data_dirr: this key does not exist", "did you mean data_dir?"])]
#[case::unknown_key_in_a_section("[log]\nformt = 1", &["log.formt: this key does not exist", "did you mean log.format?"])]
#[case::unknown_key_that_is_less_like_one("rpc.adress = 1", &["rpc.adress: this key does not exist", "did you mean rpc.addr?"])]
#[case::name_with_a_dot("\"log.level\" = \"info\"", &["\"log.level\": this key does not exist"])]
#[case::unknown_section("[chain.901]\nblock_time = 2", &["chain: this key does not exist", "[chains]"])]
#[case::value_for_a_section("rpc = 5", &["rpc = 5", "expected a section, found a whole number", "line [rpc]"])]
#[case::value_for_all_chains("[chains]\n902 = 5", &["chains.902 = 5", "expected a section", "line [chains.902]"])]
#[case::name_that_is_no_chain_id("[chains.nine]", &["chains.nine = nine", "not a chain id", "[chains.901]"])]
#[case::bad_url("l1.execution = \"ws://h:1\"", &["l1.execution = \"ws://h:1\"", "not http or https", "URL"])]
#[case::no_url("l1.execution = \"here\"", &["l1.execution = \"here\"", "not a URL", "http:// or https://"])]
#[case::bad_duration("shutdown_timeout = \"soon\"", &["shutdown_timeout = \"soon\"", "not a duration", "\"10s\""])]
#[case::duration_without_unit("sources.timeout = \"10\"", &["sources.timeout = \"10\"", "unit", "\"10ms\" to \"10m\", such as \"10s\""])]
#[case::duration_as_number("sources.timeout = 10", &["sources.timeout = 10", "expected a string, found a whole number", "\"10s\""])]
#[case::no_timeout("sources.timeout = \"9ms\"", &["sources.timeout = \"9ms\"", "shorter than 10ms: no endpoint", "\"10ms\" to \"10m\""])]
#[case::no_pause("sources.poll_interval = \"0s\"", &["sources.poll_interval = \"0s\"", "without a pause", "\"500ms\""])]
#[case::a_pause_of_an_hour("sources.poll_interval = \"1h\"", &["sources.poll_interval = \"1h\"", "longer than 10m"])]
#[case::an_opinion_twice(
    "opinions.supernodes = [\"http://10.0.0.3:7000\", \"http://10.0.0.3:7000/\"]",
    &["opinions.supernodes = http://10.0.0.3:7000", "it is listed twice", "a list of different"]
)]
#[case::an_opinion_of_its_own(
    "opinions.filters = [\"http://127.0.0.1:9645\"]",
    &["opinions.filters = http://127.0.0.1:9645", "compared with itself", "a list of different"]
)]
#[case::opinions_without_a_pause("opinions.interval = \"0s\"", &["opinions.interval = \"0s\"", "without a pause", "\"1m\""])]
#[case::no_data_dir("data_dir = \"\"", &["data_dir = \"\"", "it is empty", "write a directory"])]
#[case::secret_without_a_scheme("l1.execution = \"h.example/secret\"", &["l1.execution = \"h.example/…\"", "not a URL"])]
#[case::bad_socket_address("rpc.addr = \"localhost\"", &["rpc.addr = \"localhost\"", "socket address", "a port"])]
#[case::one_address_twice("http.addr = \"127.0.0.1:9645\"", &["http.addr = 127.0.0.1:9645", "rpc.addr", "a port"])]
#[case::bad_follow_mode("follow.mode = \"on\"", &["follow.mode = \"on\"", "not one of the values", "write \"off\", \"clamp\", \"attested\" or \"verified\""])]
#[case::verified_without_l1(
    "follow.mode = \"verified\"",
    &["l1.execution is not set", "follow.mode = \"verified\" needs an L1 endpoint", "or set follow.mode to \"clamp\""]
)]
#[case::followers_in_anothers_place(
    "follow = { mode = \"clamp\", addr = \"127.0.0.1:7300\" }",
    &["follow.addr = 127.0.0.1:7300", "http.addr", "a port"]
)]
#[case::followers_in_the_place_of_json_rpc(
    "follow = { mode = \"clamp\", addr = \"127.0.0.1:9645\" }",
    &["follow.addr = 127.0.0.1:9645", "rpc.addr is the same address", "different from rpc.addr and http.addr"]
)]
#[case::deposits_of_no_l1("consolidation.deposits = \"l1\"", &["l1.execution is not set", "needs an L1 endpoint", "\"sibling\""])]
#[case::bad_clock("clock = \"sundial\"", &["clock = \"sundial\"", "not a source of time", "file:<path>"])]
#[case::bad_log_format("log.format = \"xml\"", &["log.format = \"xml\"", "not one of the values", "\"auto\", \"human\" or \"json\""])]
#[case::bad_log_level("log.level = \"a=b=c\"", &["log.level = a=b=c", "not a filter", "error, warn, info"])]
#[case::misspelt_log_level("log.level = \"inof\"", &["log.level = inof", "\"inof\" is not a level", "error, warn, info"])]
#[case::response_bound("sources.max_response_mib = 0", &["sources.max_response_mib = 0", "below 1", "a whole number of MiB, 1 to 1024"])]
#[case::request_bound(
    "sources.max_concurrent_requests = 1025",
    &["sources.max_concurrent_requests = 1025", "above 1024", "whole number, 1 to 1024"]
)]
#[case::index_bound("interop.log_index_mib = 0", &["interop.log_index_mib = 0", "below 1", "MiB, 1 to 1048576"])]
#[case::tracked_bound("monitor.max_messages = 0", &["monitor.max_messages = 0", "below 1", "1 to 100000000"])]
#[case::no_retention("monitor.retention = \"10s\"", &["monitor.retention = \"10s\"", "shorter than 1m: blocks", "\"1m\" or longer", "\"7days\""])]
#[case::kept_too_short("ledger.keep_upheld = \"6days\"", &["ledger.keep_upheld = \"6days\"", "shorter than 7days: messages", "\"7days\" or longer", "\"30days\""])]
#[case::on("rpc.admin = \"on\"", &["rpc.admin = \"on\"", "expected true or false, found a string", "fix: write true"])]
#[case::off("rpc.admin = \"off\"", &["rpc.admin = \"off\"", "expected true or false, found a string", "fix: write false"])]
#[case::number_for_a_boolean("rpc.admin = 1", &["rpc.admin = 1", "expected true or false, found a whole number", "write true or false"])]
#[case::open_bound("audit.max_open = 0", &["audit.max_open = 0", "below 1", "whole number, 1 to 1000000"])]
#[case::concurrency_bound("audit.concurrency = 0", &["audit.concurrency = 0", "below 1", "whole number, 1 to 1024"])]
#[case::negative("audit.max_open = -1", &["audit.max_open = -1", "below 1", "whole number, 1 to 1000000"])]
#[case::window_above_the_protocols(
    "interop.message_expiry_window = 604801",
    &["interop.message_expiry_window = 604801", "above 604800", "seven days", "seconds, 1 to 604800"]
)]
#[case::no_window("interop.message_expiry_window = 0", &["interop.message_expiry_window = 0", "below 1"])]
#[case::negative_number_for_a_text("sources.timeout = -1", &["sources.timeout = -1", "expected a string, found a negative number"])]
#[case::endless_duration(
    "sources.timeout = \"99999999999999999999days\"",
    &["the duration is too long", "\"10ms\" to \"10m\""]
)]
fn settings_that_cannot_work_are_refused(#[case] line: &str, #[case] parts: &[&str]) {
    assert_says(&refusal(line, ""), parts);
}

#[rstest]
#[case::unknown_key("bloc_time = 2", &["chains.901.bloc_time: this key does not exist", "chains.<id>.block_time?"])]
#[case::unknown_key_of_gossip("p2p.listn = []", &["chains.901.p2p.listn: this key does not exist", "p2p.listen?"])]
#[case::no_quorum("quorum = 0", &["chains.901.quorum = 0", "below 1", "whole number"])]
#[case::quorum_of_more("quorum = 2", &["chains.901.quorum = 2", "above 1, the number of execution clients", "execution URLs"])]
#[case::bad_address("attester = \"0x12\"", &["chains.901.attester = \"0x12\"", "length", "address of the attester"])]
#[case::no_address("attester = \"me\"", &["chains.901.attester = \"me\"", "address of the attester"])]
#[case::bad_listener("p2p.listen = [\"127.0.0.1\"]", &["chains.901.p2p.listen[0] = \"127.0.0.1\"", "multiaddr", "/ip4/"])]
#[case::listener_over_udp("p2p.listen = [\"/ip4/127.0.0.1/udp/9222\"]", &["chains.901.p2p.listen = /ip4/127.0.0.1/udp/9222", "only TCP", "/ip4/"])]
#[case::listener_by_name("p2p.listen = [\"/dns4/localhost/tcp/9222\"]", &["chains.901.p2p.listen = /dns4/localhost/tcp/9222", "IP address", "/ip4/"])]
#[case::peer_without_id(
    "p2p.static_peers = [\"/ip4/10.0.0.1/tcp/9222\"]",
    &["chains.901.p2p.static_peers = /ip4/10.0.0.1/tcp/9222", "id is missing", "/p2p/<peer id>"]
)]
#[case::peer_over_quic(
    "p2p.static_peers = [\"/ip4/10.0.0.1/udp/9222/quic-v1/p2p/16Uiu2HAmCdvbqppTaEUqhSEh6kEnE6x9BEytRt9JAEpafPjBGwTp\"]",
    &["chains.901.p2p.static_peers = /ip4/10.0.0.1/udp/9222/quic-v1", "only TCP is dialled", "multiaddresses"]
)]
#[case::no_peer("p2p.trusted_peers = [\"me\"]", &["chains.901.p2p.trusted_peers[0] = \"me\"", "peer ids"])]
#[case::no_subnet("p2p.blocked_subnets = [\"10.0.0.0\"]", &["p2p.blocked_subnets[0]", "203.0.113.0/24"])]
#[case::peers_lo_above_peers_hi("p2p.peers_lo = 31", &["chains.901.p2p.peers_lo = 31", "above 30, which is p2p.peers_hi", "at most p2p.peers_hi"])]
#[case::no_peers("p2p.peers_hi = 0", &["chains.901.p2p.peers_hi = 0", "below 1", "1 to 1024"])]
#[case::endless_ban("p2p.ban_duration = \"8days\"", &["p2p.ban_duration = \"8days\"", "longer than 7days: a ban", "\"1h\""])]
#[case::no_bootnode("p2p.bootnodes = [\"10.0.0.1\"]", &["p2p.bootnodes[0] = \"10.0.0.1\"", "enr:"])]
#[case::no_port("p2p.advertise_tcp = 0", &["chains.901.p2p.advertise_tcp = 0", "port 0", "1 to 65535"])]
#[case::address_without_discovery("p2p.advertise_ip = \"203.0.113.7\"", &["chains.901.p2p.advertise_ip = 203.0.113.7", "discovery is not set"])]
#[case::port_without_discovery("p2p.advertise_tcp = 1", &["chains.901.p2p.advertise_tcp = 1", "discovery is not set"])]
#[case::udp_port_without_discovery("p2p.advertise_udp = 1", &["chains.901.p2p.advertise_udp = 1", "discovery is not set"])]
#[case::another_family("p2p.discovery = \"0.0.0.0:9222\"\np2p.advertise_ip = \"2001:db8::7\"", &["chains.901.p2p.advertise_ip = 2001:db8::7", "other IP family"])]
#[case::no_socket("p2p.discovery = \"9222\"", &["chains.901.p2p.discovery = \"9222\"", "0.0.0.0:9222"])]
#[case::split_second("p2p.future = \"1500ms\"", &["chains.901.p2p.future = \"1500ms\"", "whole seconds", "\"5s\""])]
#[case::endless_window("p2p.cross_safe_past = \"8days\"", &["p2p.cross_safe_past = \"8days\"", "longer than 7days", "\"12h\""])]
#[case::no_such_domain("p2p.cross_safe_domains = [\"blocksv4\"]", &["p2p.cross_safe_domains[0] = \"blocksv4\"", "cross-safe-blocksv1"])]
#[case::replays_alone("p2p.cross_safe_domains = [\"zero\"]", &["chains.901.p2p.cross_safe_domains = [zero]", "own domain is missing", "cross-safe-blocksv1"])]
#[case::endless_grace("p2p.signer_grace = \"8days\"", &["p2p.signer_grace = \"8days\"", "longer than 7days", "\"3h\""])]
fn settings_of_a_chain_that_cannot_work_are_refused(#[case] line: &str, #[case] parts: &[&str]) {
    assert_says(&refusal("", line), parts);
}

#[rstest]
#[case::execution("execution = [\"http://127.0.0.1:9545\"]", "", &["chains.901.execution is not set"])]
#[case::no_execution("[\"http://127.0.0.1:9545\"]", "[]", &["chains.901.execution is not set", "URLs"])]
#[case::text_for_a_list("[\"http://127.0.0.1:9545\"]", "\"http://h\"", &["expected a list, found a string", "URLs"])]
#[case::rollup_node("rollup_node = \"http://127.0.0.1:7545\"", "", &["chains.901.rollup_node is not set", "URL"])]
#[case::no_rollup_node("\"http://127.0.0.1:7545\"", "[]", &["chains.901.rollup_node = []", "only monitored has no such key", "list"])]
#[case::rollup_node_twice("\"http://127.0.0.1:7545\"", "[\"http://h\", \"http://h/\"]", &["chains.901.rollup_node = http://h", "it is listed twice", "a list of different ones"])]
#[case::number_for_rollup_nodes("\"http://127.0.0.1:7545\"", "7545", &["expected a string or a list, found a whole number"])]
#[case::block_time("block_time = 2", "", &["chains.901.block_time is not set", "a whole number of seconds, 1 or more"])]
#[case::zero_block_time("block_time = 2", "block_time = 0", &["chains.901.block_time = 0", "below 1", "1 or more"])]
#[case::dependency_without_section(
    "dependency_set = [901]",
    "dependency_set = [901, \"0x386\"]",
    &["chains.902 is not set", "chains.901.dependency_set lists chain 902", "add a [chains.902] section"]
)]
#[case::dependency_that_is_no_id(
    "dependency_set = [901]",
    "dependency_set = [\"base\"]",
    &["chains.901.dependency_set[0] = \"base\"", "not a chain id", "chain ids"]
)]
#[case::signer("unsafe_block_signer = ", "attester = ", &["chains.901.system_config is not set", "SystemConfig"])]
#[case::zero_signer("0x2222222222222222222222222222222222222222", "0x0000000000000000000000000000000000000000", &["chains.901.unsafe_block_signer = ", "the zero address"])]
#[case::l1("unsafe_block_signer = ", "system_config = ", &["l1.execution is not set", "chain 901", "URL"])]
#[case::one_client_twice(
    "execution = [\"http://127.0.0.1:9545\"]",
    "execution = [\"http://127.0.0.1:1\", \"http://127.0.0.1:2\", \"http://127.0.0.1:1/\"]",
    &["chains.901.execution = http://127.0.0.1:1", "twice", "one vote", "http://"]
)]
fn what_a_chain_needs_is_required(#[case] line: &str, #[case] replacement: &str, #[case] parts: &[&str]) {
    assert_says(&altered(line, replacement), parts);
}

#[rstest]
#[case::signer("unsafe_block_signer = \"0x2222222222222222222222222222222222222222\"", false)]
#[case::attester("attester = \"0x2222222222222222222222222222222222222222\"", false)]
#[case::upstream("follow_upstream = \"http://127.0.0.1:1\"", false)]
#[case::system_config("system_config = \"0x2222222222222222222222222222222222222222\"", false)]
#[case::discovery("p2p.discovery = \"0.0.0.0:9222\"", false)]
#[case::static_peers(
    "p2p.static_peers = [\"/ip4/127.0.0.1/tcp/1/p2p/16Uiu2HAmL5okaKLzxdzpvMDVvjr6HYy1CWkBCFXGdoStmoYEXPT3\"]",
    false
)]
#[case::nothing_that_needs_a_node("quorum = 1", true)]
fn a_chain_without_a_rollup_node_is_only_monitored(#[case] line: &str, #[case] sound: bool) {
    let own = ["rollup_node", "unsafe_block_signer"];
    let bare: Vec<&str> = SOUND.lines().filter(|line| !own.iter().any(|key| line.starts_with(key))).collect();
    let parsed = file(&format!("{}\n{line}\n", bare.join("\n"))).and_then(Layers::parse);
    match parsed {
        Ok(config) => {
            assert!(sound);
            assert!(config.chains.values().all(crate::config::ChainConfig::is_monitored_only));
        }
        Err(error) => {
            assert!(!sound, "{error}");
            assert_says(&error.to_string(), &["chains.901.rollup_node is not set", "only monitored", "URL"]);
        }
    }
}

/// It has no gossip, and its keys of gossip are checked nevertheless.
#[rstest]
#[case::number("p2p.peers_hi = 0", &["chains.901.p2p.peers_hi = 0", "below 1"])]
#[case::duration("p2p.blocks_past = \"8days\"", &["chains.901.p2p.blocks_past = \"8days\"", "longer than 7days"])]
fn the_bounds_of_gossip_apply_to_a_chain_that_is_only_monitored(#[case] line: &str, #[case] parts: &[&str]) {
    let own = ["rollup_node", "unsafe_block_signer"];
    let bare: Vec<&str> = SOUND.lines().filter(|line| !own.iter().any(|key| line.starts_with(key))).collect();
    let error = file(&format!("{}\n{line}\n", bare.join("\n"))).and_then(Layers::parse).unwrap_err();
    assert_says(&error.to_string(), parts);
}

/// A rollup node reports them; without one they must be set.
#[rstest]
#[case::interop_time("interop_time = 0", &["chains.901.interop_time is not set", "no rollup node", "seconds since 1970"])]
#[case::dependency_set("dependency_set = [901]", &["chains.901.dependency_set is not set", "no rollup node", "chain ids"])]
fn interop_rules_are_required_without_a_rollup_node(#[case] line: &str, #[case] parts: &[&str]) {
    let without = SOUND.replace(line, "");
    assert!(file(&without).unwrap().parse().is_ok(), "the rollup node reports it");
    let own = ["rollup_node", "unsafe_block_signer"];
    let bare: Vec<&str> =
        without.lines().filter(|line| !own.iter().any(|key| line.starts_with(key))).collect();
    let refused = file(&bare.join("\n")).and_then(Layers::parse).unwrap_err().to_string();
    assert_says(&refused, parts);
}

#[rstest]
#[case::one("\"http://127.0.0.1:7545\"", 1)]
#[case::a_list_of_one("[\"http://127.0.0.1:7545\"]", 1)]
#[case::several("[\"http://127.0.0.1:7545\", \"http://127.0.0.1:7546\"]", 2)]
fn a_rollup_node_may_be_a_list(#[case] written: &str, #[case] expected: usize) {
    let text = SOUND.replace("\"http://127.0.0.1:7545\"", written);
    let config = file(&text).and_then(Layers::parse).unwrap();
    assert_eq!(config.chains.values().next().unwrap().rollup_node.urls().len(), expected);
}

#[test]
fn no_rollup_node_of_a_list_is_crosscheck_itself() {
    let list = "[\"http://127.0.0.1:7545\", \"http://127.0.0.1:9646/901/\"]";
    let text = format!("follow.mode = \"clamp\"\n{}", SOUND.replace("\"http://127.0.0.1:7545\"", list));
    let message = file(&text).and_then(Layers::parse).unwrap_err().to_string();
    assert_says(&message, &["chains.901.rollup_node", "would follow itself"]);
}

#[rstest]
#[case::of_one(1, None, 1)]
#[case::of_two(2, None, 2)]
#[case::of_three(3, None, 2)]
#[case::as_set(3, Some(3), 3)]
fn the_quorum_is_a_majority_unless_set(
    #[case] urls: usize,
    #[case] set: Option<usize>,
    #[case] quorum: usize,
) {
    let list: Vec<String> = (1..=urls).map(|port| format!("\"http://127.0.0.1:{port}\"")).collect();
    let mut text = SOUND.replace("[\"http://127.0.0.1:9545\"]", &format!("[{}]", list.join(",")));
    if let Some(set) = set {
        text.push_str(&format!("quorum = {set}\n"));
    }
    let config = file(&text).unwrap().parse().unwrap();
    assert_eq!(config.chains.values().next().unwrap().quorum(), quorum);
}

fn second_chain(id: &str, p2p: &str) -> String {
    let second = SOUND.replace("chains.901", &format!("chains.{id}"));
    file(&format!("{SOUND}{second}{p2p}\n"))
        .and_then(Layers::parse)
        .map_or_else(|e| e.to_string(), |_| String::new())
}

#[test]
fn two_spellings_of_one_chain_are_refused() {
    assert_says(
        &second_chain("0x385", ""),
        &["chains.901", "this is chain 901", "0x385", "keep one section"],
    );
}

#[test]
fn one_chain_twice_is_refused() {
    assert_says(&second_chain("901", ""), &["line 10 ([chains.901])", "duplicate key", "correct that line"]);
}

#[rstest]
#[case::default_twice("", true)]
#[case::other_port("p2p.listen = [\"/ip4/127.0.0.1/tcp/9223\"]", false)]
#[case::any_port("p2p.listen = [\"/ip4/127.0.0.1/tcp/0\", \"/ip4/127.0.0.1/tcp/0\"]", false)]
#[case::other_interface("p2p.listen = [\"/ip4/10.0.0.1/tcp/9222\"]", false)]
#[case::every_interface("p2p.listen = [\"/ip4/0.0.0.0/tcp/9222\"]", true)]
#[case::no_listener("p2p.listen = []", false)]
fn two_chains_on_one_port_are_refused(#[case] listen: &str, #[case] refused: bool) {
    let message = second_chain("902", listen);
    assert_eq!(!message.is_empty(), refused, "{message}");
    if refused {
        assert_says(
            &message,
            &["chains.902.p2p.listen = /ip4/", "chain 901 already listens there", "port of its own"],
        );
    }
}

#[rstest]
#[case::same("0.0.0.0:9300", true)]
#[case::within_every_interface("127.0.0.1:9300", true)]
#[case::other_port("0.0.0.0:9301", false)]
fn two_chains_on_one_socket_of_discovery_are_refused(#[case] socket: &str, #[case] refused: bool) {
    let second = SOUND.replace("chains.901", "chains.902");
    let text = format!(
        "{SOUND}p2p.discovery = \"0.0.0.0:9300\"\n{second}p2p.listen = []\np2p.discovery = \"{socket}\"\n"
    );
    let error = file(&text).and_then(Layers::parse).err();
    assert_eq!(error.is_some(), refused, "{error:?}");
    if let Some(error) = error {
        assert_says(
            &error.to_string(),
            &["chains.902.p2p.discovery = ", "chain 901 already uses that socket"],
        );
    }
}

/// A node record has room for 64 bits.
#[test]
fn discovery_of_a_chain_with_a_longer_id_is_refused() {
    let id = "18446744073709551616";
    let text =
        format!("{}p2p.discovery = \"0.0.0.0:9222\"\n", SOUND.replace("chains.901", &format!("chains.{id}")));
    let message =
        file(&text.replace("dependency_set = [901]", "")).and_then(Layers::parse).unwrap_err().to_string();
    assert_says(&message, &["p2p.discovery = set", "more than 64 bits"]);
}

#[test]
fn nothing_to_watch_is_refused() {
    let message = file("").and_then(Layers::parse).unwrap_err().to_string();
    assert_says(&message, &["chains is not set", "no chain is configured", "add a [chains.<id>] section"]);
}

#[test]
fn invalid_toml_is_refused_with_its_line() {
    let message = file("[log]\nlevel = \"info\nformat = \"json\"").unwrap_err().to_string();
    assert_says(&message, &["crosscheck.toml", "line 2 (level)", "correct that line"]);
}

#[rstest]
#[case::above("99999999999999999999", "the number is above 9223372036854775807")]
#[case::far_above(&"9".repeat(100), "the number is above 9223372036854775807")]
#[case::below("-9223372036854775809", "the number is below -9223372036854775808")]
#[case::far_below(&format!("-{}", "9".repeat(100)), "the number is below -9223372036854775808")]
fn a_number_beyond_those_of_toml_is_refused_with_its_line(#[case] number: &str, #[case] reason: &str) {
    let message = file(&format!("audit.max_open = {number}")).unwrap_err().to_string();
    assert_says(&message, &["line 1 (audit.max_open)", reason, "correct that line"]);
}

/// The value of a header in place of its place, in every way that an operator may have meant it.
#[rstest]
#[case::without_a_scheme(
    "sources.headers = [\"node.example authorization=hunter2\"]",
    "sources.headers[0] = (not shown)"
)]
#[case::with_a_scheme(
    "sources.headers = [\"https://node.example authorization=hunter2\"]",
    "sources.headers[0] = (not shown)"
)]
#[case::the_value_alone("sources.headers = [\"hunter2\"]", "sources.headers[0] = (not shown)")]
#[case::as_in_http(
    "sources.headers = [\"authorization: Bearer hunter2\"]",
    "sources.headers[0] = (not shown)"
)]
#[case::with_a_slash(
    "sources.headers = [\"node.example authorization=hunter2/hunter2\"]",
    "sources.headers[0] = (not shown)"
)]
#[case::no_list(
    "sources.headers = \"node.example authorization=hunter2\"",
    "expected a list, found a string"
)]
#[case::a_list_of_lists(
    "sources.headers = [[\"authorization\", \"hunter2\"]]",
    "expected a string, found a list"
)]
#[case::a_section("sources.headers = { authorization = \"hunter2\" }", "expected a list, found a section")]
#[case::second(
    "sources.headers = [\"https://h authorization=env:A\", \"authorization=hunter2\"]",
    "sources.headers[1] = (not shown)"
)]
#[case::misspelt_key(
    "sources.header = [\"node.example authorization=hunter2\"]",
    "sources.header: this key does not exist"
)]
#[case::unknown_key("authorization = \"hunter2\"", "authorization: this key does not exist")]
#[case::another_key(
    "l1.execution = \"node.example authorization=hunter2\"",
    "l1.execution = \"node.example authorization=…\""
)]
#[case::another_key_as_in_http("clock = \"authorization: Bearer hunter2\"", "clock = \"authorization:…\"")]
fn no_message_shows_the_value_of_a_header(#[case] line: &str, #[case] shown: &str) {
    let message = refusal(line, "");
    assert!(!message.contains("hunter2"), "{message}");
    assert_says(&message, &[shown]);
}

#[rstest]
#[case::line_of_a_list("sources.headers = [\n\"node.example authorization=hunter2\n]", "line 2:")]
#[case::the_value_alone("sources.headers = [\n\"hunter2\n]", "line 2:")]
#[case::with_padding("sources.headers = [\n\"https://h a=env:B\",\nhunter2==\n]", "line 3:")]
#[case::line_of_a_text("data_dir = \"\"\"\nhunter2=\u{1}\n\"\"\"", "line 2:")]
#[case::nested_list("sources.headers = [\n[\"hunter2\n]", "line 3:")]
#[case::key_of_a_line("sources.headers = [\"hunter2]", "line 1 (sources.headers):")]
fn no_syntax_error_shows_a_part_of_a_value(#[case] text: &str, #[case] place: &str) {
    let message = file(text).unwrap_err().to_string();
    assert!(!message.contains("hunter2"), "{message}");
    assert_says(&message, &[place, "is not valid TOML"]);
}

/// Text that is quoted by an error is cut.
#[rstest]
#[case::filter(format!("log.level = \"{}\"", "inof".repeat(5_000)), "is not a level")]
#[case::invalid_filter(format!("log.level = \"a={}\"", "b".repeat(5_000)), "this is not a filter")]
#[case::unit(format!("sources.timeout = \"1{}\"", "x".repeat(5_000)), "not a duration")]
#[case::number(format!("sources.timeout = \"{}\"", "1".repeat(5_000)), "the duration is too long")]
#[case::clock(format!("clock = \"\\n{}\"", "x".repeat(5_000)), "not a source of time")]
#[case::key(format!("{} = 1", "x".repeat(5_000)), "this key does not exist")]
#[case::key_in_quotes(format!("\"{}\" = 1", "ü".repeat(5_000)), "this key does not exist")]
#[case::chain(format!("chains.{} = 1", "x".repeat(5_000)), "expected a section")]
#[case::chain_without_keys(format!("chains.{}901 = {{}}", "0".repeat(5_000)), "chains.")]
fn a_message_is_short_even_if_it_quotes_a_long_text(#[case] line: String, #[case] part: &str) {
    let message = refusal(&line, "");
    assert!(message.chars().count() < 900, "{} characters: {message}", message.chars().count());
    assert_says(&message, &[part]);
}

#[test]
fn a_missing_file_is_refused() {
    let error = Config::load("/nowhere/crosscheck.toml".as_ref()).unwrap_err();
    assert_says(&error.to_string(), &["/nowhere/crosscheck.toml", "No such file", "--config"]);
}

#[test]
fn a_file_without_end_is_refused() {
    let error = Config::load("/dev/zero".as_ref()).unwrap_err();
    assert!(matches!(error, ConfigError::TooLarge { limit: 1_048_576, .. }), "{error}");
}

#[rstest]
#[case::no_url_wanted("clock = \"http://me:hush@h/hush\"", "clock = \"http://…@h/…\"")]
#[case::one_of_a_few_words_wanted("log.format = \"http://h/hush\"", "log.format = \"http://h/…\"")]
#[case::no_url("l1.execution = \"http://me:hush@h:port/hush\"", "l1.execution = \"http://…@h:port/…\"")]
fn no_message_shows_a_secret_in_the_wrong_place(#[case] line: &str, #[case] shown: &str) {
    let message = refusal(line, "");
    assert!(!message.contains("hush"), "{message}");
    assert_says(&message, &[shown]);
}

#[rstest]
#[case::scheme(
    "rollup_node = \"http://127.0.0.1:7545\"",
    "rollup_node = \"ws://me:hush@h/hush\"",
    "ws://…@h/…"
)]
#[case::one_of_several_nodes(
    "\"http://127.0.0.1:7545\"",
    "[\"http://me:hush@h/hush\", \"ws://me:hush@h/hush\"]",
    "rollup_node[1] = \"ws://…@h/…\""
)]
#[case::neighbour(
    "9545\"]",
    "9545\", \"https://me:hush@h/hush\", \"wss://h/hush\"]",
    "execution[2] = \"wss://h/…\""
)]
#[case::text_for_a_list("[\"http://127.0.0.1:9545\"]", "\"https://h/hush\"", "execution = \"https://h/…\"")]
#[case::unknown_key(
    "rollup_node = \"http://127.0.0.1:7545\"",
    "rolup_node = \"https://h/hush\"",
    "rolup_node: this key does not exist"
)]
#[case::unfinished_text(
    "rollup_node = \"http://127.0.0.1:7545\"",
    "rollup_node = \"https://h/hush",
    "(rollup_node)"
)]
fn no_message_shows_a_secret(#[case] line: &str, #[case] replacement: &str, #[case] shown: &str) {
    let message = altered(line, replacement);
    assert!(!message.contains("hush"), "{message}");
    assert_says(&message, &[shown]);
}

#[rstest]
#[case::upstream_of_its_own("attested", "http://10.0.0.1:7000/901/", &["follow_upstream", "only follow.mode \"clamp\""])]
#[case::itself("clamp", "http://127.0.0.1:9646/901/", &["follow_upstream", "would follow itself"])]
fn an_upstream_that_cannot_be_followed_is_refused(
    #[case] mode: &str,
    #[case] url: &str,
    #[case] parts: &[&str],
) {
    let line = SOUND.lines().find(|line| line.starts_with("block_time")).unwrap();
    let chain = SOUND.replace(line, &format!("{line}\nfollow_upstream = \"{url}\""));
    let text = format!("follow.mode = \"{mode}\"\n{chain}");
    let message = file(&text).and_then(Layers::parse).unwrap_err().to_string();
    assert_says(&message, parts);
}
