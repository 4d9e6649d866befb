//! `crosscheck message decode`: reads an executing message's log, or what an access list declares.

use super::facts::print_facts;
use super::log_input::LogInput;
use crate::cli::{Outcome, print_to_stderr};
use alloy::primitives::{B256, Log};
use clap::Args;
use crosscheck_core::message::{
    Checksum, DecodeError, ExecutingMessage, Identifier, InboxAccess, encode_access_list, log_hash,
    parse_access_list,
};
use serde::Serialize;

/// Read an `ExecutingMessage` event log, or the entries of an access list.
///
/// Exits with 1 if it is neither.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("input").required(true).multiple(true).args(["file", "topics", "access_list"]))]
pub(super) struct DecodeArgs {
    #[command(flatten)]
    log: LogInput,
    /// The inbox's storage keys in a transaction's access list, in order
    #[arg(long, value_name = "KEY", value_delimiter = ',', num_args = 1.., conflicts_with_all = ["file", "topics"])]
    access_list: Vec<B256>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A message as in its executing log.
#[derive(Debug, Serialize)]
struct DecodedLog {
    identifier: Identifier,
    payload_hash: B256,
    log_hash: B256,
    checksum: Checksum,
    access_list: Vec<B256>,
}

/// What an access list declares.
#[derive(Debug, Serialize)]
struct DecodedAccessList {
    messages: Vec<InboxAccess>,
}

impl DecodeArgs {
    pub(super) fn run(&self) -> eyre::Result<Outcome> {
        match self.log.read()? {
            Some(log) => self.decode_log(&log),
            None => self.decode_access_list(),
        }
    }

    fn decode_log(&self, log: &Log) -> eyre::Result<Outcome> {
        let message = match ExecutingMessage::decode(0, log) {
            Ok(Some(executed)) => executed.message,
            Ok(None) | Err(DecodeError::UnknownEvent { .. }) => {
                print_to_stderr("this is not an ExecutingMessage event of the CrossL2Inbox");
                return Ok(Outcome::Failed);
            }
            Err(error) => {
                print_to_stderr(&format!(
                    "this log claims to be an ExecutingMessage event and is not one: {error}"
                ));
                return Ok(Outcome::Failed);
            }
        };
        let decoded = DecodedLog {
            identifier: message.identifier,
            payload_hash: message.payload_hash,
            log_hash: log_hash(message.identifier.origin, message.payload_hash),
            checksum: Checksum::of(&message),
            access_list: encode_access_list(&message),
        };
        print_facts(&decoded, self.json)?;
        Ok(Outcome::Ok)
    }

    fn decode_access_list(&self) -> eyre::Result<Outcome> {
        match parse_access_list(&self.access_list) {
            Ok(messages) => {
                print_facts(&DecodedAccessList { messages }, self.json)?;
                Ok(Outcome::Ok)
            }
            Err(error) => {
                print_to_stderr(&format!("this is not an access list of the CrossL2Inbox: {error}"));
                Ok(Outcome::Failed)
            }
        }
    }
}
