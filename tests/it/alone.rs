//! A program whose endpoints do not answer: it ends when it is told to, and reports itself.

use crate::metrics::scrape;
use crate::paused_chains::entries;
use crate::program::{Running, eventually};
use crosscheck_devnet::free_addrs::free_addrs;
use rstest::rstest;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Starts it, and says where it serves metrics and writes its log.
fn start(dir: &Path) -> (Running, SocketAddr, PathBuf) {
    let [rpc, http] = free_addrs().unwrap();
    let text = format!(
        "data_dir = {:?}\nrpc.addr = \"{rpc}\"\nhttp.addr = \"{http}\"\n\
         [chains.901]\nexecution = [\"http://127.0.0.1:9\"]\nblock_time = 2\ninterop_time = 0\ndependency_set = [901]\n",
        dir.join("data")
    );
    let (config, log) = (dir.join("crosscheck.toml"), dir.join("log"));
    std::fs::write(&config, text).unwrap();
    let arguments = ["run", "--config", config.to_str().unwrap(), "--log-format", "json"];
    (Running::start(&arguments, &log), http, log)
}

#[rstest]
#[case::interrupt("INT", "interrupted; stopping")]
#[case::terminate("TERM", "termination requested; stopping")]
#[case::hang_up("HUP", "SIGHUP received, settings are read at start only; stopping")]
#[tokio::test]
async fn a_signal_ends_the_program_in_order(#[case] signal: &str, #[case] message: &str) {
    let dir = TempDir::new().unwrap();
    let (running, _, log) = start(dir.path());
    eventually("it to run", async || {
        (log.exists() && !entries(&log, "crosscheck started").is_empty()).then_some(())
    })
    .await;
    assert!(running.end_by(signal).success());
    assert_eq!(entries(&log, message).len(), 1);
    assert_eq!(entries(&log, "crosscheck stopped").len(), 1);
}

/// The value of a series, if it is served.
fn value(page: &str, series: &str) -> Option<f64> {
    let line =
        page.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')))?;
    line.rsplit_once(' ')?.1.parse().ok()
}

#[tokio::test]
async fn resource_use_and_the_state_of_the_parts_are_reported() {
    let dir = TempDir::new().unwrap();
    let (running, http, _) = start(dir.path());
    let above_0 = [
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_virtual_memory_bytes",
        "process_threads",
        "process_open_fds",
        "process_max_fds",
        "process_start_time_seconds",
        "crosscheck_ledger_bytes",
        concat!("crosscheck_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"),
        // Nothing was read of the chain yet: what is known of it gets older all the same.
        "crosscheck_monitor_tip_age_seconds{chain_id=\"901\"}",
    ];
    for series in above_0 {
        eventually(&format!("{series} above 0"), async || {
            (value(&scrape(http).await?, series)? > 0.0).then_some(())
        })
        .await;
    }
    let monitor = "crosscheck_ready{part=\"chain 901 monitor\"}";
    eventually("the part that does not work", async || {
        (value(&scrape(http).await?, monitor)? == 0.0).then_some(())
    })
    .await;
    assert!(running.terminate().success());
}
