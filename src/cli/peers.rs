//! `crosscheck peers`: whom a running crosscheck is connected to, as a table.

use super::{Outcome, UsageError, print, runtime};
use crate::sources::EndpointUrl;
use clap::Args;
use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use crosscheck_p2p::ChainId;
use eyre::WrapErr;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee::rpc_params;
use serde_json::Value;
use std::time::Duration;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Below this width a table is not folded to fit.
const NARROWEST: u16 = 60;

/// Print whom a running crosscheck is connected to.
#[derive(Debug, Args)]
pub(crate) struct PeersArgs {
    /// Where its JSON-RPC server is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9645")]
    rpc: EndpointUrl,
    /// Only peers on this chain's network
    #[arg(long, value_name = "ID")]
    chain: Option<ChainId>,
    /// Print JSON: what crosscheck_peers answers
    #[arg(long)]
    json: bool,
}

impl PeersArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        let peers = runtime()?.block_on(self.fetch())?;
        if self.json {
            print(&serde_json::to_string_pretty(&peers)?)?;
        } else {
            print(&table(&peers).to_string())?;
            print(&summary(&peers))?;
        }
        Ok(Outcome::Ok)
    }

    async fn fetch(&self) -> eyre::Result<Vec<Value>> {
        let client: HttpClient = HttpClientBuilder::default()
            .request_timeout(TIMEOUT)
            .build(String::from(self.rpc.clone()))
            .map_err(|error| UsageError { problem: format!("--rpc {}: {error}", self.rpc) })?;
        client
            .request("crosscheck_peers", rpc_params![self.chain])
            .await
            .wrap_err_with(|| format!("crosscheck at {} does not answer; does it run?", self.rpc))
    }
}

fn table(peers: &[Value]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    if table.width().is_some_and(|width| width < NARROWEST) {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    table.set_header(["chain", "peer", "address", "subscribed to", "in our mesh on"]);
    for peer in peers {
        let fields = ["chain_id", "peer_id", "addr", "topics", "mesh"];
        table.add_row(fields.map(|field| text(peer.get(field))));
    }
    table
}

fn summary(peers: &[Value]) -> String {
    let is_meshed =
        |peer: &&Value| peer.get("mesh").and_then(Value::as_array).is_some_and(|mesh| !mesh.is_empty());
    let meshed = peers.iter().filter(is_meshed).count();
    format!("{} peers, {meshed} of them in a mesh", peers.len())
}

/// A field as a cell shows it. Control characters of an answer do not reach the terminal.
fn text(value: Option<&Value>) -> String {
    let shown = match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::Array(items)) if items.is_empty() => "-".to_owned(),
        Some(Value::Array(items)) => items.iter().map(|item| text(Some(item))).collect::<Vec<_>>().join(", "),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    shown.chars().filter(|letter| !letter.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_peer_is_a_row() {
        let peers = [
            json!({ "chain_id": 901, "peer_id": "16U\u{1b}iu2", "addr": null,
                "topics": ["blocksv4", "cross-safe-blocksv1"], "mesh": ["blocksv4"] }),
            json!({ "chain_id": 901, "peer_id": "16Uiu3", "addr": "/ip4/127.0.0.1/tcp/1", "topics": [], "mesh": [] }),
        ];
        let mut table = table(&peers);
        let printed = table.set_content_arrangement(ContentArrangement::Disabled).to_string();
        let row = printed.lines().find(|line| line.contains("16Uiu2")).unwrap();
        let cells: Vec<&str> = row.split(['│', '┆']).map(str::trim).filter(|cell| !cell.is_empty()).collect();
        assert_eq!(cells, ["901", "16Uiu2", "-", "blocksv4, cross-safe-blocksv1", "blocksv4"]);
        assert_eq!(summary(&peers), "2 peers, 1 of them in a mesh");
    }
}
