//! `crosscheck messages`: what a running crosscheck tracks, as a table.

use super::record_table::{field, record_table};
use super::running::RunningArgs;
use super::{Outcome, print, runtime};
use clap::Args;
use crosscheck_p2p::ChainId;
use eyre::OptionExt;
use jsonrpsee::rpc_params;
use serde_json::{Value, json};

/// How many messages are asked for at once.
const PAGE: u64 = 1000;

/// Print the open messages that a running crosscheck tracks.
#[derive(Debug, Args)]
pub(crate) struct MessagesArgs {
    #[command(flatten)]
    running: RunningArgs,
    /// Also print messages that ended recently
    #[arg(long)]
    all: bool,
    /// Only messages that this chain executes
    #[arg(long, value_name = "ID")]
    chain: Option<ChainId>,
    /// Print JSON: an array in the format of crosscheck_messages
    #[arg(long)]
    json: bool,
}

impl MessagesArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        let messages = runtime()?.block_on(self.fetch())?;
        if self.json {
            print(&serde_json::to_string_pretty(&messages)?)?;
        } else {
            print(&record_table(&COLUMNS, &messages).to_string())?;
            print(&summary(&messages))?;
        }
        Ok(Outcome::Ok)
    }

    async fn fetch(&self) -> eyre::Result<Vec<Value>> {
        let running = self.running.client()?;
        let mut messages: Vec<Value> = Vec::new();
        let mut after = Some(0);
        while let Some(from) = after {
            let page = json!({
                "after": from, "limit": PAGE, "chain_id": self.chain, "open_only": !self.all,
            });
            let answer: Value = running.ask("crosscheck_messages", rpc_params![page]).await?;
            let found = answer.get("messages").and_then(Value::as_array).cloned();
            messages.extend(found.ok_or_eyre("the answer of crosscheck_messages has no messages")?);
            after = answer.get("next").and_then(Value::as_u64).filter(|next| *next > from);
        }
        // A message that changed while the pages were read is listed twice: the later state counts.
        let mut latest = Vec::with_capacity(messages.len());
        let mut seen = std::collections::HashSet::new();
        for message in messages.into_iter().rev() {
            if seen.insert((field(&message, "/executing/hash"), field(&message, "/log_index"))) {
                latest.push(message);
            }
        }
        latest.sort_by_cached_key(|message| {
            let number = |pointer| message.pointer(pointer).and_then(Value::as_u64);
            (field(message, "/executing/chain_id"), number("/executing/number"), number("/log_index"))
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

fn summary(messages: &[Value]) -> String {
    let count = |status: &str| messages.iter().filter(|message| field(message, "/status") == status).count();
    format!(
        "{} messages: {} valid, {} invalid, {} unknown",
        messages.len(),
        count("valid"),
        count("invalid"),
        count("unknown")
    )
}

#[cfg(test)]
mod tests {
    use super::super::record_table::cells;
    use super::*;

    #[test]
    fn a_message_is_a_row_and_a_missing_value_a_dash() {
        let message = json!({
            "executing": { "chain_id": 901, "number": 20 }, "log_index": 3, "initiating": null,
            "status": "invalid", "reason": "mal\u{1b}formed", "level": "unsafe", "state": "tracked", "flips": 0,
        });
        let row = ["901", "20", "3", "-", "-", "-", "invalid", "malformed", "unsafe", "tracked", "0"];
        assert_eq!(cells(record_table(&COLUMNS, std::slice::from_ref(&message)), "901"), row);
        assert_eq!(summary(&[message]), "1 messages: 0 valid, 1 invalid, 0 unknown");
    }
}
