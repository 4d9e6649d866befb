//! Cases from public bug reports and data files, each with the outcome that it must have.
//!
//! `tests/data/cases` holds what clients, operators and networks really wrote; its README.md says what
//! happened. It is read here by the real binary. What a case has no input for is brought about by a test that
//! is named.

mod frames;
mod logs;
mod nodes;
mod recorded;

use futures::FutureExt;
use futures::future::BoxFuture;
use recorded::path;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use tokio::task::JoinSet;

/// How a case is held.
enum Held {
    /// Its input is read, and has the right outcome.
    Read(fn() -> BoxFuture<'static, ()>),
    /// It has no input that could be kept. A test brings it about: the file, and the test's name.
    Brought(&'static str, &'static str),
}

use Held::{Brought, Read};

const CASES: [(&str, Held); 22] = [
    ("05-nethermind-is-system-tx", Read(|| logs::a_block_of_nethermind_is_read().boxed())),
    ("06-base-goerli-pre-regolith", Read(|| logs::logs_from_before_regolith_are_proven().boxed())),
    ("07-pre-canyon-deposit-nonce", Read(|| logs::logs_from_before_canyon_are_proven().boxed())),
    ("08-kona-rollup-config-chain-name", Read(|| nodes::a_chain_by_its_name_is_ready().boxed())),
    ("09-kona-rollup-config-without-regolith", Read(|| nodes::regolith_follows_from_later_forks().boxed())),
    (
        "10-interop-time-of-config-against-node",
        Brought("src/audit/head_watcher/tests.rs", "a_node_with_other_rules_is_reported_and_no_head_moves"),
    ),
    (
        "11-lagoon-activation-holds-the-head",
        Brought("tests/it/lagoon.rs", "three_sepolia_chains_pass_lagoon_in_one_process"),
    ),
    ("12-erigon-receipts-only-by-number", Read(|| receipts_by_number().boxed())),
    ("13-erigon-blob-gas-price-without-0x", Read(|| logs::a_price_without_0x_is_ignored().boxed())),
    ("15-lost-receipts-and-empty-blocks", Read(|| logs::data_that_a_node_lost_is_unknown().boxed())),
    ("17-jovian-blob-gas-in-gossip", Read(|| frames::blob_gas_is_accepted_from_jovian_on().boxed())),
    (
        "20-signer-rotation",
        Brought("p2p/tests/it/mesh.rs", "the_old_signer_is_refused_everywhere_once_its_grace_is_over"),
    ),
    ("22-bootnodes-and-static-peers-of-the-wild", Read(|| frames::real_bootnodes_are_accepted().boxed())),
    (
        "26-access-check-descriptors",
        Brought(
            "src/rpc/tests/interop.rs",
            "the_current_method_refuses_a_request_without_an_executing_chain",
        ),
    ),
    ("27-super-root-json", Brought("src/rpc/tests/super_roots.rs", "super_roots")),
    ("28-dependency-set-answers", Read(|| nodes::a_window_of_0_is_no_window().boxed())),
    ("29-heads-not-known-yet", Read(|| nodes::unknown_heads_are_awaited().boxed())),
    ("30-one-endpoint-behind", Read(|| nodes::an_endpoint_that_is_behind_finds_no_block_invalid().boxed())),
    ("31-celo-cip64", Read(|| frames::an_unknown_transaction_is_accepted_or_named().boxed())),
    ("33-event-log-as-rpc-answers-it", Read(|| frames::a_log_is_decoded_as_it_was_answered().boxed())),
    ("34-json-rpc-error-null", Read(|| logs::odd_envelopes_are_read().boxed())),
    ("37-zero-domain-replay", Read(|| frames::a_replay_binds_no_signer().boxed())),
];

async fn receipts_by_number() {
    logs::receipts_are_fetched_one_by_one_or_the_reason_is_reported().await;
    nodes::an_l1_without_receipts_by_hash_is_sufficient().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_has_its_outcome() {
    let mut rows = JoinSet::new();
    for (case, held) in &CASES {
        if let Read(row) = held {
            let row = AssertUnwindSafe(row()).catch_unwind();
            rows.spawn(async move { row.await.is_err().then_some(*case) });
        }
    }
    // What was wrong stands above, where the row panicked.
    let wrong: Vec<&str> = rows.join_all().await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// The cases that README.md reports: the first column of its table.
fn told() -> BTreeSet<String> {
    let text = std::fs::read_to_string(path("README.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    let cases = rows.filter(|row| row.starts_with(|first: char| first.is_ascii_digit()));
    cases.map(|row| row.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn every_directory_has_a_row_and_every_row_is_reported() {
    let rows: BTreeSet<String> = CASES.iter().map(|(case, _)| (*case).to_owned()).collect();
    assert_eq!(rows, told());
    let entries = std::fs::read_dir(path("")).unwrap().map(|entry| entry.unwrap());
    let directories = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    for directory in directories.map(|entry| entry.file_name().into_string().unwrap()) {
        assert!(rows.contains(&directory), "{directory} has no row");
    }
}

#[test]
fn every_test_that_covers_a_case_exists() {
    for (case, held) in &CASES {
        let Brought(file, test) = held else { continue };
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        assert!(text.contains(&format!("fn {test}(")), "{case}: {file} has no test {test}");
    }
}
