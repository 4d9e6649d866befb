//! `crosscheck message checksum`: what the inbox demands to be declared.

use super::fields::{Payload, number};
use crate::cli::{Outcome, UsageError, print};
use alloy::primitives::{Address, B256};
use clap::Args;
use crosscheck_core::message::{Checksum, Identifier, Message, encode_access_list, log_hash};
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde::Serialize;

/// The message. Numbers are decimal or 0x-hex.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("payload_form").required(true).args(["payload_hash", "payload"]))]
pub(super) struct ChecksumArgs {
    /// The contract that emitted the initiating log
    #[arg(long)]
    origin: Address,
    /// The height of the initiating block
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

#[derive(Debug, Serialize)]
struct ChecksumAnswer {
    payload_hash: B256,
    log_hash: B256,
    checksum: Checksum,
    access_list: Vec<B256>,
}

impl ChecksumArgs {
    pub(super) fn run(&self) -> eyre::Result<Outcome> {
        let payload_hash = self
            .payload
            .hash()
            .ok_or_else(|| UsageError { problem: "give --payload-hash or --payload".to_owned() })?;
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
