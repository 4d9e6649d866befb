//! A list of live rollup nodes: the first that is of use is worked with, and losing it costs no verdict.

use crate::program::{Running, Written, attestations, call, eventually, go_on, joined, paused_at};
use crate::sidecar::devnet;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A way to a server that can be shut: connections that stand are cut, and those that come are closed at
/// once.
struct Door {
    addr: SocketAddr,
    is_open: watch::Sender<bool>,
    _keeper: JoinSet<()>,
}

impl Door {
    /// An open door to this server.
    async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (is_open, shut) = watch::channel(true);
        let mut keeper = JoinSet::new();
        keeper.spawn(async move {
            let mut callers = JoinSet::new();
            while let Ok((caller, _)) = listener.accept().await {
                if *shut.borrow() {
                    callers.spawn(carry(caller, server, shut.clone()));
                }
            }
        });
        Self { addr, is_open, _keeper: keeper }
    }

    fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

/// Carries what a caller and the server say to each other, until one of them ends or the door is shut.
async fn carry(mut caller: TcpStream, server: SocketAddr, mut is_open: watch::Receiver<bool>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    tokio::select! {
        _ended = copy_bidirectional(&mut caller, &mut server) => {}
        _shut = is_open.wait_for(|is_open| !is_open) => {}
    }
}

/// A configuration whose first chain has these rollup nodes.
async fn with_nodes(dir: &Path, nodes: &[String]) -> PathBuf {
    let written = std::fs::read_to_string(dir.join("crosscheck.toml")).unwrap();
    let mut config: toml::Table = written.parse().unwrap();
    config["chains"]["901"]["rollup_node"] = toml::Value::from(nodes.to_vec());
    let path = dir.join("nodes.toml");
    std::fs::write(&path, config.to_string()).unwrap();
    path
}

/// How the nodes of the first chain stand: of each its state, and whether it is in use.
async fn standing(rpc: &str) -> Option<Vec<(String, bool)>> {
    let status = call(rpc, "crosscheck_status", &[]).await?;
    let chain = status["chains"].as_array()?.iter().find(|chain| chain["chain_id"] == 901)?.clone();
    let nodes = chain["rollup_nodes"].as_array()?;
    Some(
        nodes
            .iter()
            .map(|node| (node["state"].as_str().unwrap().to_owned(), node["in_use"] == true))
            .collect(),
    )
}

async fn stand(rpc: &str, states: [&str; 3], in_use: usize) {
    let wanted: Vec<(String, bool)> =
        states.iter().enumerate().map(|(place, state)| ((*state).to_owned(), place == in_use)).collect();
    eventually(&format!("the nodes to stand as {wanted:?}"), || async {
        standing(rpc).await.filter(|nodes| *nodes == wanted).map(drop)
    })
    .await;
}

async fn judged(rpc: &str, number: u64) -> Value {
    eventually(&format!("a verdict on block {number}"), || async {
        let records = attestations(rpc).await?;
        let is_it = |record: &&Value| record["chain_id"] == 901 && record["number"] == number;
        records.iter().find(is_it).filter(|record| record["verdict"] != "open").cloned()
    })
    .await
}

#[tokio::test]
async fn the_next_node_is_used_while_the_first_is_unavailable() {
    let dir = TempDir::new().unwrap();
    let chains = devnet(dir.path(), &["invalid-message@45"], &[30, 60, 90]);
    let config = Written::wait_for(&dir.path().join("crosscheck.toml")).await;
    let node = config.rollup_node("901");
    let door = Door::to(node.trim_start_matches("http://").parse().unwrap()).await;
    // The first follows another chain, and is never of use.
    let path = with_nodes(dir.path(), &[config.rollup_node("902"), door.url(), node]).await;
    let log = dir.path().join("sidecar.log");
    let arguments = ["run", "--config", path.to_str().unwrap(), "--log-format", "json"];
    let sidecar = Running::start(&arguments, &log);
    let rpc = config.rpc();
    joined(&rpc, &[901, 902]).await;
    paused_at(dir.path(), 30).await;
    stand(&rpc, ["failing", "useful", "useful"], 1).await;

    door.is_open.send_replace(false);
    go_on(dir.path());
    paused_at(dir.path(), 60).await;
    stand(&rpc, ["failing", "failing", "useful"], 2).await;
    assert_eq!(judged(&rpc, 45).await["verdict"], "violated");
    judged(&rpc, 55).await;

    door.is_open.send_replace(true);
    go_on(dir.path());
    paused_at(dir.path(), 90).await;
    stand(&rpc, ["failing", "useful", "useful"], 1).await;
    judged(&rpc, 85).await;

    assert!(sidecar.terminate().success());
    assert!(chains.terminate().success());
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("follows chain 902"), "the wrong node is named: {log}");
}
