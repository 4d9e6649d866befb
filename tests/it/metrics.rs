//! What `/metrics` of a running program serves is what `crosscheck doc metrics` prints and docs/METRICS.md holds.

use crate::program::{Running, crosscheck, eventually};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const DOCUMENT: &str = include_str!("../../docs/METRICS.md");

/// Name, type and labels of every row of the table.
fn documented(table: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let rows =
        table.lines().filter(|line| line.starts_with("| `crosscheck_") && line.matches(" | ").count() == 3);
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let labels = cells[2].split(',').map(|label| label.trim().trim_matches('`').to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect();
        (cells[0].trim_matches('`').to_owned(), (cells[1].to_owned(), labels))
    })
    .collect()
}

async fn scrape(addr: SocketAddr) -> Option<String> {
    let mut stream = tokio::net::TcpStream::connect(addr).await.ok()?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    Some(answer)
}

#[tokio::test]
async fn what_a_running_program_serves_is_documented() {
    let output = crosscheck(&["doc", "metrics"]).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && DOCUMENT.ends_with(&table), "docs/METRICS.md is not current");
    let documented = documented(&table);

    let dir = TempDir::new().unwrap();
    let [rpc, http] =
        [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let config = dir.path().join("crosscheck.toml");
    let text = format!(
        "data_dir = {:?}\nrpc.addr = \"{rpc}\"\nhttp.addr = \"{http}\"\n\
         [chains.901]\nexecution = [\"http://127.0.0.1:9\"]\nblock_time = 2\ninterop_time = 0\n",
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
