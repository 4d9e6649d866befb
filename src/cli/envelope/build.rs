//! `crosscheck envelope build`: the signed frame of a block that an execution client returned.
//!
//! The block is checked before it is signed: its fields must hash to its hash, its transactions to its root.

use crate::cli::input_file::read_input;
use crate::cli::{Outcome, UsageError, print};
use alloy::primitives::B256;
use clap::Args;
use crosscheck_core::proof::{VerifiedBlock, read_block as verified};
use crosscheck_p2p::{BlockSigner, ChainId, Envelope, ExecutionPayload, SigningDomain, Topic};
use eyre::WrapErr;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The largest block read, in bytes of JSON: more than the largest frame's takes.
const MAX_BLOCK: u64 = 256 * 1024 * 1024;

/// The largest key file read.
const MAX_KEY: u64 = 1024;

/// Build the signed frame of a block.
#[derive(Debug, Args)]
pub(super) struct BuildArgs {
    /// The block in the format of eth_getBlockByNumber with full transactions, alone or as the `result` of a
    /// response; `-` for standard input
    file: PathBuf,
    /// The id of its chain
    #[arg(long)]
    chain_id: ChainId,
    /// The file with the signer's secret key: 32 bytes in hex
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// The topic of the frame [default: that of unsafe blocks in the block's version]
    #[arg(long)]
    topic: Option<Topic>,
    /// The domain to sign in: zero or cross-safe-blocksv1 [default: the topic's own]
    #[arg(long)]
    domain: Option<SigningDomain>,
    /// Write the raw frame to this file instead of printing it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl BuildArgs {
    pub(super) fn run(&self) -> eyre::Result<Outcome> {
        let block = read_block(&self.file)?;
        let payload = ExecutionPayload::from_header(block.header(), block.transactions().to_vec())
            .map_err(|error| UsageError { problem: error.to_string() })?;
        let topic = self.topic(&payload)?;
        let domain = self.domain(topic)?;
        let signed = Envelope { payload }.sign(&read_key(&self.key_file)?, domain, self.chain_id)?;
        match &self.out {
            None => print(&alloy::hex::encode_prefixed(signed.frame()))?,
            Some(file) => std::fs::write(file, signed.frame())
                .wrap_err_with(|| format!("{} cannot be written", file.display()))?,
        }
        Ok(Outcome::Ok)
    }

    /// The topic, which must be one of the block's version: on another nobody would take it.
    fn topic(&self, payload: &ExecutionPayload) -> Result<Topic, UsageError> {
        let version = payload.version();
        let topic = self.topic.unwrap_or(Topic::of_blocks(version));
        if topic.version() == version {
            return Ok(topic);
        }
        let (number, wanted) = (payload.number, Topic::of_blocks(version));
        let problem = format!(
            "--topic {topic} carries {} blocks; block {number} is {version}: leave it out, or write {wanted}",
            topic.version()
        );
        Err(UsageError { problem })
    }

    fn domain(&self, topic: Topic) -> Result<SigningDomain, UsageError> {
        let [own, ..] = topic.domains() else {
            return Err(UsageError { problem: format!("--topic {topic} has no signing domain") });
        };
        match self.domain {
            None => Ok(*own),
            Some(domain) if topic.domains().contains(&domain) => Ok(domain),
            Some(domain) => {
                let problem = format!("--domain {domain} is not valid on {topic}: write {own}");
                Err(UsageError { problem })
            }
        }
    }
}

/// Reads a block, alone or in a response.
fn read_block(file: &Path) -> eyre::Result<VerifiedBlock> {
    let no_block = |why: String| UsageError {
        problem: format!("{} is not a block with full transactions: {why}", file.display()),
    };
    let json = read_input(file, MAX_BLOCK)?;
    let mut answer: Value = serde_json::from_slice(&json).map_err(|error| no_block(error.to_string()))?;
    if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
        return Err(no_block(format!("the node answered with the error {error}")).into());
    }
    if let Some(result) = answer.get_mut("result") {
        answer = result.take();
    }
    let block = verified(&answer.to_string()).map_err(|error| no_block(error.to_string()))?;
    block.ok_or_else(|| no_block("it is null: the node does not have it".to_owned()).into())
}

/// Reads the key. An error does not show the key.
fn read_key(file: &Path) -> eyre::Result<BlockSigner> {
    let content = read_input(file, MAX_KEY)?;
    let no_key = || UsageError {
        problem: format!("{} is not a secret key: write its 32 bytes in hex", file.display()),
    };
    let text = str::from_utf8(&content).map_err(|_| no_key())?;
    let secret: B256 = text.trim().parse().map_err(|_| no_key())?;
    BlockSigner::from_bytes(&secret).map_err(|_| no_key().into())
}
