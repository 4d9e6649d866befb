//! `crosscheck peers`: whom a running crosscheck is connected to, as a table.

use super::record_table::record_table;
use super::running::RunningArgs;
use super::{Outcome, print, runtime};
use clap::Args;
use comfy_table::Table;
use crosscheck_p2p::ChainId;
use jsonrpsee::rpc_params;
use serde_json::Value;

/// Print the peers of a running crosscheck.
#[derive(Debug, Args)]
pub(crate) struct PeersArgs {
    #[command(flatten)]
    running: RunningArgs,
    /// Only peers on this chain's network
    #[arg(long, value_name = "ID")]
    chain: Option<ChainId>,
    /// Print JSON in the format of crosscheck_peers
    #[arg(long)]
    json: bool,
}

impl PeersArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        let peers: Vec<Value> = runtime()?.block_on(async {
            self.running.client()?.ask("crosscheck_peers", rpc_params![self.chain]).await
        })?;
        if self.json {
            print(&serde_json::to_string_pretty(&peers)?)?;
        } else {
            print(&table(&peers).to_string())?;
            print(&summary(&peers))?;
        }
        Ok(Outcome::Ok)
    }
}

const COLUMNS: [(&str, &str); 8] = [
    ("chain", "/chain_id"),
    ("peer", "/peer_id"),
    ("address", "/addr"),
    ("opened", "/direction"),
    ("agent", "/agent"),
    ("score", "/score"),
    ("subscribed to", "/topics"),
    ("in our mesh on", "/mesh"),
];

/// The peer's id has its own column, so the address is shown without it.
fn table(peers: &[Value]) -> Table {
    let mut rows = peers.to_vec();
    for addr in rows.iter_mut().filter_map(|peer| peer.get_mut("addr")) {
        if let Some((bare, _)) = addr.as_str().and_then(|text| text.split_once("/p2p/")) {
            *addr = Value::from(bare);
        }
    }
    record_table(&COLUMNS, &rows)
}

fn summary(peers: &[Value]) -> String {
    let is_meshed =
        |peer: &&Value| peer.get("mesh").and_then(Value::as_array).is_some_and(|mesh| !mesh.is_empty());
    let meshed = peers.iter().filter(is_meshed).count();
    format!("{} peers, {meshed} of them in a mesh", peers.len())
}

#[cfg(test)]
mod tests {
    use super::super::record_table::cells;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_peer_is_a_row() {
        let peers = [
            json!({ "chain_id": 901, "peer_id": "16Uiu2", "addr": "/ip4/127.0.0.1/tcp/1/p2p/16Uiu2", "direction": "inbound",
                "agent": "optimism", "score": -7.5001, "protected": false,
                "topics": ["blocksv4", "cross-safe-blocksv1"], "mesh": ["blocksv4"] }),
            json!({ "chain_id": 901, "peer_id": "16Uiu3", "topics": [], "mesh": [] }),
        ];
        let row = [
            "901",
            "16Uiu2",
            "/ip4/127.0.0.1/tcp/1",
            "inbound",
            "optimism",
            "-7.50",
            "blocksv4, cross-safe-blocksv1",
            "blocksv4",
        ];
        assert_eq!(cells(table(&peers), "16Uiu2"), row);
        assert_eq!(summary(&peers), "2 peers, 1 of them in a mesh");
    }
}
