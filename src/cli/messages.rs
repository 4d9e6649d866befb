//! `crosscheck messages`: what a running crosscheck tracks, as a table.

use super::{Outcome, UsageError, print, runtime};
use crate::sources::EndpointUrl;
use clap::Args;
use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use crosscheck_p2p::ChainId;
use eyre::WrapErr;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee::rpc_params;
use serde_json::{Value, json};
use std::time::Duration;

/// How many messages are asked for at once.
const PAGE: u64 = 1000;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Below this width a table is not folded to fit.
const NARROWEST: u16 = 60;

/// Print the messages that a running crosscheck tracks: those whose life goes on.
#[derive(Debug, Args)]
pub(crate) struct MessagesArgs {
    /// Where its JSON-RPC server is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9645")]
    rpc: EndpointUrl,
    /// Print those that ended lately too
    #[arg(long)]
    all: bool,
    /// Only messages that this chain executed
    #[arg(long, value_name = "ID")]
    chain: Option<ChainId>,
    /// Print JSON: an array of what crosscheck_messages answers
    #[arg(long)]
    json: bool,
}

impl MessagesArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        let messages = runtime()?.block_on(self.fetch())?;
        if self.json {
            print(&serde_json::to_string_pretty(&messages)?)?;
        } else {
            print(&table(&messages).to_string())?;
            print(&summary(&messages))?;
        }
        Ok(Outcome::Ok)
    }

    async fn fetch(&self) -> eyre::Result<Vec<Value>> {
        let client: HttpClient = HttpClientBuilder::default()
            .request_timeout(TIMEOUT)
            .build(String::from(self.rpc.clone()))
            .map_err(|error| UsageError { problem: format!("--rpc {}: {error}", self.rpc) })?;
        let mut messages: Vec<Value> = Vec::new();
        let mut after = Some(0);
        while let Some(from) = after {
            let page = json!({
                "after": from, "limit": PAGE, "chain_id": self.chain, "open_only": !self.all,
            });
            let answer: Value = client
                .request("crosscheck_messages", rpc_params![page])
                .await
                .wrap_err_with(|| format!("crosscheck at {} does not answer; does it run?", self.rpc))?;
            let found = answer.get("messages").and_then(Value::as_array).cloned();
            messages.extend(found.ok_or_else(|| eyre::eyre!("{} answers with no messages", self.rpc))?);
            after = answer.get("next").and_then(Value::as_u64).filter(|next| *next > from);
        }
        // One that changed while it was read stands there twice: the later state counts.
        let mut latest = Vec::with_capacity(messages.len());
        let mut seen = std::collections::HashSet::new();
        for message in messages.into_iter().rev() {
            if seen.insert((text(&message, "/executing/hash"), text(&message, "/log_index"))) {
                latest.push(message);
            }
        }
        latest.sort_by_cached_key(|message| {
            let number = |pointer| message.pointer(pointer).and_then(Value::as_u64);
            (text(message, "/executing/chain_id"), number("/executing/number"), number("/log_index"))
        });
        Ok(latest)
    }
}

const COLUMNS: [(&str, &str); 11] = [
    ("chain", "/executing/chain_id"),
    ("block", "/executing/number"),
    ("log", "/log_index"),
    ("from chain", "/initiating/chain_id"),
    ("block", "/initiating/block_number"),
    ("log", "/initiating/log_index"),
    ("status", "/status"),
    ("reason", "/reason"),
    ("level", "/level"),
    ("state", "/state"),
    ("flips", "/flips"),
];

fn table(messages: &[Value]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    if table.width().is_some_and(|width| width < NARROWEST) {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    table.set_header(COLUMNS.map(|(name, _)| name));
    for message in messages {
        table.add_row(COLUMNS.map(|(_, pointer)| text(message, pointer)));
    }
    table
}

fn summary(messages: &[Value]) -> String {
    let count = |status: &str| messages.iter().filter(|message| text(message, "/status") == status).count();
    format!(
        "{} messages: {} valid, {} invalid, {} unknown",
        messages.len(),
        count("valid"),
        count("invalid"),
        count("unknown")
    )
}

/// A field as people read it. What the server says is printed without control characters.
fn text(message: &Value, pointer: &str) -> String {
    match message.pointer(pointer) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.chars().filter(|letter| !letter.is_control()).collect(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_row_and_what_is_missing_a_dash() {
        let message = json!({
            "executing": { "chain_id": 901, "number": 20 }, "log_index": 3, "initiating": null,
            "status": "invalid", "reason": "mal\u{1b}formed", "level": "unsafe", "state": "tracked", "flips": 0,
        });
        let printed = table(std::slice::from_ref(&message)).to_string();
        let row = printed.lines().find(|line| line.contains("901")).unwrap();
        let cells: Vec<&str> = row.split(['│', '┆']).map(str::trim).filter(|cell| !cell.is_empty()).collect();
        assert_eq!(
            cells,
            ["901", "20", "3", "-", "-", "-", "invalid", "malformed", "unsafe", "tracked", "0"]
        );
        assert_eq!(summary(&[message]), "1 messages: 0 valid, 1 invalid, 0 unknown");
    }
}
