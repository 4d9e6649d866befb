//! `crosscheck message`: works with cross-chain messages.

use super::{Outcome, print};
use crate::interop::{Checksum, Identifier, Message, encode_access_list, log_hash};
use alloy::primitives::{Address, B256, Bytes, keccak256};
use clap::{Args, Subcommand};
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde::Serialize;

/// Work with cross-chain messages.
#[derive(Debug, Args)]
pub(crate) struct MessageArgs {
    #[command(subcommand)]
    command: MessageCommand,
}

#[derive(Debug, Subcommand)]
enum MessageCommand {
    /// Print a message's hashes, its checksum and the access list that declares it.
    Checksum(ChecksumArgs),
}

/// The message. Numbers are decimal or 0x-hex.
#[derive(Debug, Args)]
struct ChecksumArgs {
    /// The contract that emitted the initiating log
    #[arg(long)]
    origin: Address,
    /// The height of the block that holds it
    #[arg(long, value_parser = number::<u64>)]
    block_number: u64,
    /// Its index among all logs of that block
    #[arg(long, value_parser = number::<u32>)]
    log_index: u32,
    /// The timestamp of that block
    #[arg(long, value_parser = number::<u64>)]
    timestamp: u64,
    /// The chain of that block, up to 256 bits
    #[arg(long)]
    chain_id: ChainId,
    #[command(flatten)]
    payload: Payload,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Payload {
    /// keccak256 of the log's topics and data
    #[arg(long, value_name = "HASH")]
    payload_hash: Option<B256>,
    /// The log's topics and data, concatenated
    #[arg(long, value_name = "HEX")]
    payload: Option<Bytes>,
}

#[derive(Debug, Serialize)]
struct ChecksumAnswer {
    payload_hash: B256,
    log_hash: B256,
    checksum: Checksum,
    access_list: Vec<B256>,
}

impl MessageArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        match &self.command {
            MessageCommand::Checksum(args) => args.run(),
        }
    }
}

impl ChecksumArgs {
    fn run(&self) -> eyre::Result<Outcome> {
        let payload_hash = match (&self.payload.payload_hash, &self.payload.payload) {
            (Some(hash), _) => *hash,
            (None, payload) => keccak256(payload.clone().unwrap_or_default()),
        };
        let message = Message {
            identifier: Identifier {
                origin: self.origin,
                block_number: self.block_number,
                log_index: self.log_index,
                timestamp: UnixSeconds(self.timestamp),
                chain_id: self.chain_id,
            },
            payload_hash,
        };
        let answer = ChecksumAnswer {
            payload_hash,
            log_hash: log_hash(self.origin, payload_hash),
            checksum: Checksum::of(&message),
            access_list: encode_access_list(&message),
        };
        print(&serde_json::to_string_pretty(&answer)?)?;
        Ok(Outcome::Ok)
    }
}

/// A number in decimal or 0x-hex.
fn number<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) if !digits.starts_with('+') => u64::from_str_radix(digits, 16),
        _ => text.parse(),
    };
    let number = parsed.map_err(|error| format!("write a decimal or 0x-hex number ({error})"))?;
    T::try_from(number).map_err(|_| "the number is too large for this field".to_owned())
}
