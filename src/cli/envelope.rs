//! `crosscheck envelope`: looks into gossip frames.

use super::frame_file::read_frame;
use super::{Outcome, print};
use alloy::primitives::{Address, B256};
use clap::{Args, Subcommand};
use crosscheck_p2p::{
    ChainId, Clock, Frame, Judgement, Reason, Signers, SigningDomain, SystemClock, Topic, UnixSeconds,
    ValidationRules, Validator, message_id,
};
use serde::Serialize;
use std::path::PathBuf;

/// Look into gossip frames.
#[derive(Debug, Args)]
pub(crate) struct EnvelopeArgs {
    #[command(subcommand)]
    command: EnvelopeCommand,
}

#[derive(Debug, Subcommand)]
enum EnvelopeCommand {
    /// Judge a frame as a node would that has seen nothing before, and print what is in it.
    Inspect(InspectArgs),
}

/// Judge a frame and print what is in it.
#[derive(Debug, Args)]
struct InspectArgs {
    /// The frame, raw or as 0x-hex; `-` for standard input
    file: PathBuf,
    /// The chain that it is for
    #[arg(long)]
    chain_id: ChainId,
    /// The topic that it was heard on
    #[arg(long, default_value = "blocksv4")]
    topic: Topic,
    /// Who must have signed it. Without it whoever signed is taken, read in the topic's own domain
    #[arg(long)]
    signer: Option<Address>,
    /// The time of arrival, in seconds since 1970 [default: now]
    #[arg(long, value_name = "UNIX_SECS")]
    at: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Inspection {
    topic: Topic,
    chain_id: ChainId,
    block: Option<Block>,
    payload_hash: Option<B256>,
    domain: Option<SigningDomain>,
    signer: Option<Address>,
    message_id: String,
    verdict: &'static str,
    reason: Option<&'static str>,
    detail: Option<String>,
}

#[derive(Debug, Serialize)]
struct Block {
    number: u64,
    hash: B256,
    parent_hash: B256,
    timestamp: UnixSeconds,
    transactions: usize,
}

impl EnvelopeArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        match &self.command {
            EnvelopeCommand::Inspect(args) => args.run(),
        }
    }
}

impl InspectArgs {
    fn run(&self) -> eyre::Result<Outcome> {
        let inspection = self.inspect(&read_frame(&self.file)?);
        print(&serde_json::to_string_pretty(&inspection)?)?;
        Ok(if inspection.verdict == "accept" { Outcome::Ok } else { Outcome::Failed })
    }

    fn inspect(&self, frame: &alloy::primitives::Bytes) -> Inspection {
        let (topic, chain_id) = (self.topic, self.chain_id);
        let now = self.at.map_or_else(|| SystemClock.now(), UnixSeconds);
        let recovered = Frame::open(frame).and_then(|frame| frame.recover(topic, chain_id)).ok();
        let anyone = || recovered.as_ref().and_then(|all| all.first()).map(|first| first.signer);
        // Somebody must be expected: a frame that recovers to nobody is refused for that, whoever is.
        let expected = self.signer.or_else(anyone).or(Some(Address::ZERO));
        let signers = Signers { unsafe_block_signer: expected, previous: None, attester: expected };
        let judgement = Validator::new(ValidationRules::new(chain_id)).judge(topic, frame, &signers, now);
        let authentic =
            Frame::open(frame).ok().and_then(|frame| frame.authenticate(topic, chain_id, &signers).ok());
        let payload =
            authentic.as_ref().and_then(|frame| frame.decode().ok()).map(|envelope| envelope.payload);
        Inspection {
            topic,
            chain_id,
            block: payload.map(|payload| Block {
                number: payload.number,
                hash: payload.block_hash,
                parent_hash: payload.parent_hash,
                timestamp: payload.timestamp,
                transactions: payload.transactions.len(),
            }),
            payload_hash: Frame::open(frame).ok().map(|frame| frame.payload_hash().as_b256()),
            domain: authentic.as_ref().map(|frame| frame.domain()),
            signer: authentic.as_ref().map(|frame| frame.signer()).or_else(anyone),
            message_id: message_id(&topic.path(chain_id), frame).to_string(),
            verdict: judgement.name(),
            reason: judgement.refusal().map(|refusal| refusal.reason.code()),
            detail: reason(&judgement).map(ToString::to_string),
        }
    }
}

fn reason(judgement: &Judgement) -> Option<&Reason> {
    judgement.refusal().map(|refusal| &refusal.reason)
}
