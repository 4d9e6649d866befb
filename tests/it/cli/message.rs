//! `crosscheck message checksum` against the published vectors of the interop contracts.

use super::{OK, USAGE, assert_code, json, run, stderr};
use rstest::rstest;
use serde_json::json;

/// `e0e1…f9`, the address of the vectors.
const ORIGIN: &str = "0xe0e1e2e3e4e5e6e7e8e9f0f1f2f3f4f5f6f7f8f9";
/// The text `example payload`, and its hash.
const PAYLOAD: &str = "0x6578616d706c65207061796c6f6164";
const PAYLOAD_HASH: &str = "0x8017559a85b12c04b14a1a425d53486d1015f833714a09bd62f04152a7e2ae9b";
/// A chain id that needs all of its 256 bits: `0x07 << 248 | 10`.
const WIDE: &str = "0x070000000000000000000000000000000000000000000000000000000000000a";

fn checksum(origin: &str, numbers: [&str; 4], payload: [&str; 2]) -> std::process::Output {
    let [block_number, log_index, timestamp, chain_id] = numbers;
    let [kind, payload] = payload;
    run([
        "message",
        "checksum",
        "--origin",
        origin,
        "--block-number",
        block_number,
        "--log-index",
        log_index,
        "--timestamp",
        timestamp,
        "--chain-id",
        chain_id,
        kind,
        payload,
    ])
}

const HEX: [&str; 4] = ["0xa1a2a3a4a5a6a7a8", "0xb1b2b3b4", "0xc1c2c3c4c5c6c7c8", "0xd1d2d3d4d5d6d7d8"];
/// The same numbers in decimal.
const DECIMAL: [&str; 4] =
    ["11647051513882650536", "2981278644", "13961937044701104072", "15119379810110330840"];

#[rstest]
#[case::hex_numbers(HEX, ["--payload", PAYLOAD])]
#[case::decimal_numbers(DECIMAL, ["--payload", PAYLOAD])]
#[case::hash_of_the_payload(HEX, ["--payload-hash", PAYLOAD_HASH])]
fn agrees_with_the_vector_of_the_messages_test(#[case] numbers: [&str; 4], #[case] payload: [&str; 2]) {
    let output = checksum(ORIGIN, numbers, payload);
    assert_code(&output, OK);
    let checksum = "0x03749e87fd7789575de9906569deb05aaf220dc4cfab3d8abbfd34a2e1d7d357";
    let expected = json!({
        "payload_hash": PAYLOAD_HASH,
        "log_hash": "0xf9ed05990c887d3f86718aabd7e940faaa75d6a5cd44602e89642586ce85f2aa",
        "checksum": checksum,
        "access_list": ["0x01000000d1d2d3d4d5d6d7d8a1a2a3a4a5a6a7a8c1c2c3c4c5c6c7c8b1b2b3b4", checksum],
    });
    assert_eq!(json(&output), expected);
}

#[test]
fn a_wide_chain_id_takes_a_word_of_its_own() {
    let [block_number, log_index, timestamp, _] = HEX;
    let output = checksum(ORIGIN, [block_number, log_index, timestamp, WIDE], ["--payload", PAYLOAD]);
    assert_code(&output, OK);
    let checksum = "0x030f3a5f2d8928b9b7f05d95a819aa71d2768ba945ade288d2f6a873f245ede0";
    let expected = json!([
        "0x01000000000000000000000aa1a2a3a4a5a6a7a8c1c2c3c4c5c6c7c8b1b2b3b4",
        "0x0200000000000000070000000000000000000000000000000000000000000000",
        checksum,
    ]);
    assert_eq!(json(&output)["access_list"], expected);
    assert_eq!(json(&output)["checksum"], checksum);
}

#[test]
fn agrees_with_the_vector_of_the_logs_test() {
    let hash = "0xc3f57e1f0dd62a4f77787d834029bfeaab8894022c47edbe13b044fb658c9190";
    let origin = "0x5fbdb2315678afecb367f032d93f642f64180aa3";
    let output = checksum(origin, ["4509", "0", "1730467171", "900200"], ["--payload-hash", hash]);
    assert_code(&output, OK);
    let checksum = "0x0307d89c993b125400cb5868be4cbbafa6a6b1d9b8a6d530d49e8c4a30fb2aa1";
    let expected = json!({
        "payload_hash": hash,
        "log_hash": "0x23f2ee61b4ce30421cb54672ef1f589e6dfb35a3c193da9b80d4693e9d516c5b",
        "checksum": checksum,
        "access_list": ["0x0100000000000000000dbc68000000000000119d000000006724d56300000000", checksum],
    });
    assert_eq!(json(&output), expected);
}

#[test]
fn topics_and_data_make_up_the_payload() {
    let payload = format!("0x{}{}{}", "aa".repeat(32), "bb".repeat(32), PAYLOAD.trim_start_matches("0x"));
    let output = checksum(ORIGIN, ["2587", "66", "4660", "3"], ["--payload", &payload]);
    assert_code(&output, OK);
    let expected = "0x20b21f284fb0286571fbf1cbfc20cdb1d50ea5c74c914478aee4a47b0a82a170";
    assert_eq!(json(&output)["log_hash"], expected);
}

#[rstest]
#[case::log_index_too_wide(ORIGIN, ["1", "0x100000000", "1", "1"], "--payload", PAYLOAD, "too large")]
#[case::block_number_too_wide(ORIGIN, ["0x10000000000000000", "1", "1", "1"], "--payload", PAYLOAD, "--block-number")]
#[case::no_number(ORIGIN, ["one", "1", "1", "1"], "--payload", PAYLOAD, "decimal or 0x-hex")]
#[case::chain_id_too_wide(ORIGIN, ["1", "1", "1", "0x1070000000000000000000000000000000000000000000000000000000000000a"], "--payload", PAYLOAD, "256 bits")]
#[case::no_origin("0x12", ["1", "1", "1", "1"], "--payload", PAYLOAD, "--origin")]
#[case::short_hash(ORIGIN, ["1", "1", "1", "1"], "--payload-hash", "0x12", "--payload-hash")]
#[case::odd_payload(ORIGIN, ["1", "1", "1", "1"], "--payload", "0x123", "--payload")]
fn a_bad_part_is_misuse(
    #[case] origin: &str,
    #[case] numbers: [&str; 4],
    #[case] kind: &str,
    #[case] payload: &str,
    #[case] problem: &str,
) {
    let output = checksum(origin, numbers, [kind, payload]);
    assert_code(&output, USAGE);
    assert!(stderr(&output).contains(problem), "{}", stderr(&output));
}

#[rstest]
#[case::neither(&[])]
#[case::both(&["--payload", PAYLOAD, "--payload-hash", PAYLOAD_HASH])]
fn exactly_one_form_of_the_payload_is_accepted(#[case] payload: &[&str]) {
    let message = ["message", "checksum", "--origin", ORIGIN, "--block-number=1", "--log-index=1"];
    let rest = ["--timestamp=1", "--chain-id=1"];
    assert_code(&run(message.iter().chain(&rest).chain(payload)), USAGE);
}
