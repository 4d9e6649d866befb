//! Whole runs over sockets, against a stand-in for the sidecar.

use super::sidecar_double::{SidecarDouble, Verdict};
use super::*;
use crate::run::plan::DevnetRequest;
use crosscheck_p2p::ChainId;
use indicatif::MultiProgress;
use jsonrpsee::{core::client::ClientT, http_client::HttpClientBuilder, rpc_params};
use rstest::rstest;
use serde_json::Value;
use std::collections::BTreeSet;

/// Longer than a run takes on the busiest machine.
const DEADLINE: Duration = Duration::from_secs(600);
/// Several times as long as a tick of a run that nobody watches.
const PAST_THE_LAST_TICK: Duration = Duration::from_secs(1);
/// How often something is checked again.
const POLL: Duration = Duration::from_millis(5);

fn plan(blocks: Option<u64>, faults: &[&str], dir: Option<PathBuf>) -> DevnetPlan {
    DevnetPlan::new(DevnetRequest {
        chains: 2,
        blocks,
        block_time: 2,
        fast: true,
        seed: 7,
        attester: true,
        follow_mode: None,
        faults: faults.iter().map(|text| text.parse().unwrap()).collect(),
        random_faults: 0,
        endpoints: 1,
        dir,
        genesis_time: None,
        await_peers: Duration::ZERO,
        stay: false,
        pauses: Vec::new(),
        tick: None,
        followers: false,
        history: 512,
        messages: None,
    })
    .unwrap()
}

async fn watched(plan: DevnetPlan, double: SidecarDouble) -> DevnetOutcome {
    let running = run(plan, Some(Box::new(double)), MultiProgress::new(), CancellationToken::new());
    tokio::time::timeout(DEADLINE, running).await.expect("the run does not end").unwrap()
}

const FAULTS: [&str; 6] = [
    "invalid-message@10",
    "unjustified-replacement@12",
    "justified-replacement@14:902",
    "not-derived@16",
    "wrong-signer@18",
    "rpc-outage@20",
];
const VERDICTS: [((u64, u64), Verdict); 4] = [
    ((901, 10), ("violated", Some("invalid-message"), Some("log-not-found"))),
    ((901, 12), ("violated", Some("unjustified-replacement"), None)),
    ((902, 14), ("upheld-replacement", None, None)),
    ((901, 16), ("discarded", None, None)),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sidecar_hears_everything_and_what_it_finds_is_in_the_report() {
    let double = SidecarDouble { verdicts: VERDICTS.into(), ..SidecarDouble::default() };
    let outcome = watched(plan(Some(30), &FAULTS, None), double.clone()).await;
    assert!(outcome.is_success(), "{outcome:#?}");
    let heard = double.heard.lock();
    for chain_id in [901, 902] {
        let chain_id = ChainId::from(chain_id);
        let unsafe_blocks: BTreeSet<u64> = heard
            .unsafe_blocks
            .iter()
            .filter(|(chain, _)| *chain == chain_id)
            .map(|(_, number)| *number)
            .collect();
        assert_eq!(unsafe_blocks, (1..=30).collect());
    }
    assert_eq!(heard.refusals.len(), 1, "only the impostor is refused: {:?}", heard.refusals);
    // Sixty heights, of which the impostor's is not attested.
    assert_eq!(outcome.report.attestations.received, 59);
    assert!(outcome.report.faults.iter().all(|fault| fault.detected_after_ms.is_some()));
    assert!(outcome.report.chains.iter().all(|chain| chain.finalized == 30 && chain.vouched == Some(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_attestations_of_the_last_blocks_leave_nothing_unsettled() {
    let faults = ["wrong-signer@12", "not-derived@12:902", "not-derived@11:902"];
    let verdicts = [((902, 11), ("discarded", None, None)), ((902, 12), ("discarded", None, None))];
    let double = SidecarDouble { verdicts: verdicts.into(), ..SidecarDouble::default() };
    let outcome = watched(plan(Some(12), &faults, None), double).await;
    assert!(outcome.is_success(), "{outcome:#?}");
}

/// Runs without end, until the devnet has asked the sidecar for a decided record that fits, and then cancels.
async fn watched_until(
    faults: &[&str],
    double: SidecarDouble,
    fits: impl Fn(&Value) -> bool,
) -> DevnetOutcome {
    let cancel = CancellationToken::new();
    let running =
        run(plan(None, faults, None), Some(Box::new(double.clone())), MultiProgress::new(), cancel.clone());
    let asked_since = |mark: usize| double.heard.lock().asked > mark;
    let judged =
        || double.heard.lock().attestations.iter().any(|record| record["verdict"] != "open" && fits(record));
    let canceller = async {
        while !judged() {
            tokio::time::sleep(POLL).await;
        }
        // One poll reads the attestations up to twice; in the third reading a later poll has begun.
        let mark = double.heard.lock().asked + 4;
        while !asked_since(mark) {
            tokio::time::sleep(POLL).await;
        }
        cancel.cancel();
    };
    let both = async { tokio::join!(running, canceller).0 };
    tokio::time::timeout(DEADLINE, both).await.expect("the run does not end").unwrap()
}

#[rstest]
#[case::a_lie_that_is_believed(("upheld", None, None), "upheld")]
#[case::a_lie_that_is_mistaken(
    ("violated", Some("unjustified-replacement"), None),
    "violated: unjustified-replacement"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sidecar_that_errs_fails_the_run(#[case] verdict: Verdict, #[case] found: &str) {
    let double = SidecarDouble { verdicts: [((901, 12), verdict)].into(), ..SidecarDouble::default() };
    let fits = |record: &Value| {
        record["number"] == 12 && record["chain_id"] == 901 && record["origin"] == "attested"
    };
    let outcome = watched_until(&["not-derived@12"], double, fits).await;
    assert!(outcome.interrupted && !outcome.is_success());
    assert_eq!(outcome.report.faults[0].found.as_ref().map(ToString::to_string).as_deref(), Some(found));
    assert!(outcome.report.false_alarms.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_alarm_fails_the_run() {
    let double = SidecarDouble {
        verdicts: [((902, 5), ("discarded", None, None))].into(),
        ..SidecarDouble::default()
    };
    let outcome = watched_until(&[], double, |record| record["verdict"] == "discarded").await;
    assert!(!outcome.is_success());
    assert_eq!(outcome.report.false_alarms.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_sidecar_the_chains_run_alone_and_leave_its_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let running = run(
        plan(Some(5), &[], Some(dir.path().join("run"))),
        None,
        MultiProgress::new(),
        CancellationToken::new(),
    );
    let outcome = tokio::time::timeout(DEADLINE, running).await.expect("the run does not end").unwrap();
    assert!(outcome.is_success() && !outcome.watched);
    assert!(outcome.report.chains.iter().all(|chain| chain.finalized == 5 && chain.vouched.is_none()));
    assert!(dir.path().join("run/crosscheck.toml").is_file());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn complete_chains_are_served_until_they_are_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let request = plan(Some(5), &[], Some(dir.path().to_owned())).request().clone();
    let plan = DevnetPlan::new(DevnetRequest { stay: true, ..request }).unwrap();
    let cancel = CancellationToken::new();
    let stopped = async {
        let config = dir.path().join("crosscheck.toml");
        let finalized = async || {
            let config: toml::Table = std::fs::read_to_string(&config).ok()?.parse().ok()?;
            let url = config["chains"]["901"]["execution"][0].as_str()?;
            let client = HttpClientBuilder::default().build(url).ok()?;
            let block: serde_json::Value =
                client.request("eth_getBlockByNumber", rpc_params!["finalized", false]).await.ok()?;
            Some(block["number"] == "0x5")
        };
        while finalized().await != Some(true) {
            tokio::time::sleep(POLL).await;
        }
        // A run that does not stay ends with the rest of its last tick.
        let complete = tokio::time::Instant::now();
        while complete.elapsed() < PAST_THE_LAST_TICK {
            assert_eq!(finalized().await, Some(true));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        cancel.cancel();
    };
    let both = async { tokio::join!(run(plan, None, MultiProgress::new(), cancel.clone()), stopped) };
    let (outcome, ()) = tokio::time::timeout(DEADLINE, both).await.expect("the run does not end");
    let outcome = outcome.unwrap();
    assert!(outcome.is_success() && !outcome.interrupted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chains_that_run_alone_wait_for_a_sidecar_that_comes_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let request = plan(Some(8), &[], Some(dir.path().to_owned())).request().clone();
    let plan = DevnetPlan::new(DevnetRequest { await_peers: DEADLINE, ..request }).unwrap();
    let double = SidecarDouble::default();
    let config = dir.path().join("crosscheck.toml");
    let comes_by_itself = async {
        while !config.is_file() {
            tokio::time::sleep(POLL).await;
        }
        Box::new(double.clone()).start(config.clone()).await.unwrap()
    };
    let both = async {
        tokio::join!(run(plan, None, MultiProgress::new(), CancellationToken::new()), comes_by_itself)
    };
    let (outcome, sidecar) = tokio::time::timeout(DEADLINE, both).await.expect("the run does not end");
    assert!(outcome.unwrap().is_success());
    sidecar.shutdown().await.unwrap();
    let heard = double.heard.lock();
    assert_eq!((heard.unsafe_blocks.len(), heard.attestations.len(), heard.refusals.len()), (16, 16, 0));
}

/// A run that is to pause at a block of ten; its directory.
fn pausing(pauses: &[u64]) -> (DevnetPlan, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let request = plan(Some(10), &[], Some(dir.path().to_owned())).request().clone();
    (DevnetPlan::new(DevnetRequest { pauses: pauses.to_vec(), ..request }).unwrap(), dir)
}

async fn paused_at(dir: &std::path::Path, block: u64) {
    while std::fs::read_to_string(dir.join("paused")).ok() != Some(format!("{block}\n")) {
        tokio::time::sleep(POLL).await;
    }
}

/// The height that a chain's execution client is at, and the time on the run's clock.
async fn stands_at(dir: &std::path::Path) -> (Value, u64) {
    let config: toml::Table = std::fs::read_to_string(dir.join("crosscheck.toml")).unwrap().parse().unwrap();
    let url = config["chains"]["902"]["execution"][0].as_str().unwrap();
    let client = HttpClientBuilder::default().build(url).unwrap();
    let height = client.request("eth_blockNumber", rpc_params![]).await.unwrap();
    (height, std::fs::read_to_string(dir.join("clock")).unwrap().trim().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_run_does_not_move_until_its_file_is_removed() {
    let (plan, dir) = pausing(&[7, 3]);
    let driver = async {
        for block in [3, 7] {
            paused_at(dir.path(), block).await;
            let expected = (format!("{block:#x}").into(), FAST_GENESIS_TIME.0 + 2 * block);
            assert_eq!(stands_at(dir.path()).await, expected);
            std::fs::remove_file(dir.path().join("paused")).unwrap();
        }
    };
    let both =
        async { tokio::join!(run(plan, None, MultiProgress::new(), CancellationToken::new()), driver).0 };
    let outcome = tokio::time::timeout(DEADLINE, both).await.expect("the run does not end").unwrap();
    assert!(outcome.report.chains.iter().all(|chain| chain.finalized == 10));
    assert!(!dir.path().join("paused").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_paused_can_be_cancelled() {
    let ((plan, dir), cancel) = (pausing(&[2]), CancellationToken::new());
    let driver = async {
        paused_at(dir.path(), 2).await;
        cancel.cancel();
    };
    let both = async { tokio::join!(run(plan, None, MultiProgress::new(), cancel.clone()), driver).0 };
    let outcome = tokio::time::timeout(DEADLINE, both).await.expect("the run does not end").unwrap();
    assert!(outcome.interrupted && outcome.report.chains.iter().all(|chain| chain.unsafe_head == 2));
    assert!(!dir.path().join("paused").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_run_ends_cleanly() {
    let cancel = CancellationToken::new();
    cancel.cancel();
    let running = run(plan(None, &["wrong-signer@900"], None), None, MultiProgress::new(), cancel);
    let outcome = tokio::time::timeout(DEADLINE, running).await.expect("the run does not end").unwrap();
    assert!(outcome.interrupted);
}

#[rstest]
#[case::now(1_000, 1_000, true)]
#[case::a_little_ago(975, 1_000, true)]
#[case::to_come(1_100, 1_000, true)]
#[case::too_long_ago(900, 1_000, false)]
fn genesis_in_real_time_is_not_long_ago(#[case] asked: u64, #[case] now: u64, #[case] works: bool) {
    let request = DevnetRequest {
        fast: false,
        genesis_time: Some(UnixSeconds(asked)),
        ..plan(None, &[], None).request().clone()
    };
    match genesis_time(&request, UnixSeconds(now)) {
        Ok(genesis) => assert_eq!((genesis.0, true), (asked, works)),
        Err(error) => assert!(!works && error.to_string().contains("100 seconds ago"), "{error}"),
    }
}
