//! What `/metrics` of a running program serves is what `crosscheck doc metrics` prints and docs/METRICS.md
//! holds.

use crate::program::{Running, Written, call, crosscheck, eventually, go_on, paused_at};
use alloy::primitives::{Address, B256};
use crosscheck_core::message::{Identifier, Message, encode_access_list};
use crosscheck_devnet::free_addrs::free_addrs;
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const DOCUMENT: &str = include_str!("../../docs/METRICS.md");

/// Name, type and labels of every row of the table.
fn documented(table: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let rows = table.lines().filter(|line| line.starts_with("| `") && line.matches(" | ").count() == 3);
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let labels = cells[2].split(',').map(|label| label.trim().trim_matches('`').to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect();
        (cells[0].trim_matches('`').to_owned(), (cells[1].to_owned(), labels))
    })
    .collect()
}

pub(crate) async fn scrape(addr: SocketAddr) -> Option<String> {
    let mut stream = tokio::net::TcpStream::connect(addr).await.ok()?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    Some(answer)
}

#[tokio::test]
async fn the_metrics_of_a_running_program_are_documented() {
    let output = crosscheck(&["doc", "metrics"]).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && DOCUMENT.ends_with(&table), "docs/METRICS.md is not current");
    let documented = documented(&table);

    let dir = TempDir::new().unwrap();
    let [rpc, http] = free_addrs().unwrap();
    let config = dir.path().join("crosscheck.toml");
    let text = format!(
        "data_dir = {:?}\nrpc.addr = \"{rpc}\"\nhttp.addr = \"{http}\"\n\
         [chains.901]\nexecution = [\"http://127.0.0.1:9\"]\nblock_time = 2\ninterop_time = 0\n\
         dependency_set = [901]\n",
        dir.path().join("data")
    );
    std::fs::write(&config, text).unwrap();
    let running = Running::start(&["run", "--config", config.to_str().unwrap()], &dir.path().join("log"));
    let is_whole = |text: &String| text.contains("crosscheck_endpoint_failures_total{");
    let text = eventually("the metrics", || async { scrape(http).await.filter(is_whole) }).await;
    let mut served = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let (documented_kind, labels) =
            documented.get(name).unwrap_or_else(|| panic!("{name} is not documented"));
        assert_eq!(kind, documented_kind, "{name}");
        served.insert(name.to_owned());
        for series in text.lines().filter(|line| line.starts_with(name)) {
            let of_this = series.split(['{', ' ']).next().unwrap();
            if of_this.trim_start_matches(name).trim_start_matches("_bucket").len() > 1 {
                continue;
            }
            let found = series.split_once('{').map_or("", |(_, rest)| rest.split('}').next().unwrap());
            let found: BTreeSet<String> = found
                .split("\",")
                .filter_map(|pair| Some(pair.split_once('=')?.0.to_owned()))
                .filter(|label| label != "le")
                .collect();
            assert_eq!(&found, labels, "{series}");
        }
    }
    let counters = documented.iter().filter(|(_, (kind, _))| kind == "counter");
    for (name, _) in counters {
        assert!(served.contains(name), "{name} is not there from the start");
    }
    assert!(running.terminate().success());
}

/// The greatest value of the series of a metric that have these labels. A histogram counts what it has seen.
fn value(page: &str, name: &str, labels: &[&str]) -> f64 {
    let is_of = |series: &str| {
        let (found, rest) = series.split_once('{').unwrap_or((series, ""));
        (found == name || found == format!("{name}_count")) && labels.iter().all(|label| rest.contains(label))
    };
    let samples = page.lines().filter_map(|line| line.rsplit_once(' '));
    samples.filter(|(series, _)| is_of(series)).map(|(_, value)| value.parse().unwrap()).fold(0.0, f64::max)
}

/// Waits until a series of a metric with these labels is above 0. Asked of a devnet that is paused, it stays
/// so.
async fn is_seen(http: SocketAddr, name: &str, labels: &[&str]) {
    eventually(&format!("{name} {labels:?} above 0"), || async {
        (value(&scrape(http).await?, name, labels) > 0.0).then_some(())
    })
    .await;
}

/// Asks, as a transaction pool would, for a message of a chain that is in nobody's dependency set.
async fn check_a_wrong_access_list(rpc: &str) {
    let identifier = Identifier {
        origin: Address::ZERO,
        block_number: 1,
        log_index: 0,
        timestamp: UnixSeconds(1),
        chain_id: ChainId::from(7),
    };
    let entries = encode_access_list(&Message { identifier, payload_hash: B256::ZERO });
    let descriptor = json!({ "chainID": "901", "timestamp": "0x2" });
    let answer = call(rpc, "interop_checkAccessList", &[json!(entries), json!("unsafe"), descriptor]).await;
    assert_eq!(answer, None);
}

/// What the table of questions answers them with: each metric, and the label that it is asked with, if any.
fn answers() -> Vec<(String, Option<String>)> {
    let questions = DOCUMENT.split("## Every metric").next().unwrap();
    let rows = questions.lines().filter(|line| line.starts_with("| ") && !line.contains("Dimension: the e"));
    let cells = rows.filter_map(|row| row.split(" | ").nth(1));
    let quoted = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let answers = quoted.filter_map(|quoted| {
        let name = &quoted[quoted.find("crosscheck_")?..];
        let end =
            name.find(|letter: char| !letter.is_ascii_lowercase() && letter != '_').unwrap_or(name.len());
        let label =
            name[end..].strip_prefix('{').and_then(|label| label.split('}').next()).map(str::to_owned);
        Some((name[..end].to_owned(), label))
    });
    answers.collect()
}

/// At which blocks the chains are paused, and what messages there are then: by what is known of them, and how
/// far their blocks are.
const PAUSES: [(u64, &[(&str, &str)]); 4] = [
    // The invalid message's block is just built; the honest ones beside it wait with it.
    (14, &[("invalid", "unsafe"), ("valid", "unsafe"), ("valid", "cross-unsafe")]),
    (15, &[("valid", "local-safe")]),
    (17, &[("invalid", "safe"), ("valid", "safe")]),
    // Chain 901 has been out for longer than a message lives: nobody can tell whether it sent what is
    // executed now.
    (DURING_THE_OUTAGE, &[("unknown", "unsafe")]),
];
const DURING_THE_OUTAGE: u64 = 122;
const LAST_BLOCK: u64 = 200;

/// A superchain on which everything happens that the monitor reports. What passes by is checked while the
/// chains are paused.
#[tokio::test]
async fn every_documented_query_has_an_answer_in_a_devnet_run() {
    let dir = TempDir::new().unwrap();
    let mut arguments = vec!["devnet", "--fast", "--chains", "3", "--seed", "3", "--blocks", "200", "--dir"];
    arguments.push(dir.path().to_str().unwrap());
    let faults = [
        "invalid-message@14",
        "lying-endpoint@16:902",
        "unlinked-client@34:903",
        "justified-replacement@20:903",
        "long-outage@96",
        "remote-reorg@56",
        "undeclared-access@62",
        "remote-replacement@68",
        "unsafe-reorg@84:902",
    ];
    arguments.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    let pauses: Vec<String> =
        PAUSES.iter().map(|(block, _)| *block).chain([LAST_BLOCK]).map(|block| block.to_string()).collect();
    arguments.extend(pauses.iter().flat_map(|block| ["--pause-at", block]));
    let log = dir.path().join("log");
    let mut running = Running::start(&arguments, &log);
    let written = Written::wait_for(&dir.path().join("crosscheck.toml")).await;
    let http = written.http();
    for (block, messages) in PAUSES {
        paused_at(dir.path(), block).await;
        for (status, level) in messages {
            let labels = [&*format!("status=\"{status}\""), &*format!("level=\"{level}\"")];
            is_seen(http, "crosscheck_tracked_messages", &labels).await;
        }
        if block == DURING_THE_OUTAGE {
            is_seen(http, "crosscheck_monitor_tip_age_seconds", &["chain_id=\"901\""]).await;
        }
        go_on(dir.path());
    }
    paused_at(dir.path(), LAST_BLOCK).await;
    check_a_wrong_access_list(&written.rpc()).await;
    let answers = answers();
    assert!(answers.len() > 20, "{answers:?}");
    // Nothing that a devnet does makes the index of proven logs forget a block that is cited still, switches
    // the failsafe on, or has the inbox emit what cannot be read; and there is no op-supernode or interop
    // filter to compare with. The others are gauges that were above 0 at an earlier pause.
    let elsewhere = [
        "crosscheck_awaited_blocks",
        "crosscheck_failsafe",
        "crosscheck_tracked_messages",
        "crosscheck_monitor_tip_age_seconds",
        "crosscheck_undecodable_inbox_logs_total",
        "crosscheck_unknown_inbox_events_total",
        "crosscheck_opinions_differ",
        "crosscheck_opinions_total",
    ];
    for (name, label) in answers.iter().filter(|(name, _)| !elsewhere.contains(&&**name)) {
        is_seen(http, name, label.as_deref().as_slice()).await;
    }
    for ending in ["finalized", "resolved", "orphaned"] {
        is_seen(http, "crosscheck_messages_ended_total", &[&*format!("ending=\"{ending}\"")]).await;
    }
    go_on(dir.path());
    let status = eventually("the end of the run", || std::future::ready(running.ended())).await;
    assert!(status.success(), "{}", std::fs::read_to_string(&log).unwrap());
}
