//! `crosscheck envelope inspect`: what a gossip frame holds, and how a node would judge it.

use crate::cli::input_file::read_frame;
use crate::cli::{Outcome, print};
use alloy::primitives::{Address, B256};
use clap::Args;
use crosscheck_p2p::{
    ChainId, Clock, Frame, GossipForkTimes, Judgement, PayloadVersion, Reason, Signers, SigningDomain,
    SystemClock, Topic, UnixSeconds, ValidationRules, Validator, message_id,
};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;

/// Validate a frame and print its contents.
#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// The frame, raw or as 0x-hex; `-` for standard input
    file: PathBuf,
    /// The id of its chain
    #[arg(long)]
    chain_id: ChainId,
    /// The topic on which it was received
    #[arg(long, default_value = "blocksv4")]
    topic: Topic,
    /// The expected signer. Without it any signature is accepted, in the topic's own domain
    #[arg(long)]
    signer: Option<Address>,
    /// The time of arrival, in seconds since 1970 [default: now]
    #[arg(long, value_name = "UNIX_SECS")]
    at: Option<u64>,
    /// The activation time of Jovian on the chain, in seconds since 1970: only from then on may a block have
    /// blob gas [default: always active]
    #[arg(long, value_name = "UNIX_SECS")]
    jovian_time: Option<u64>,
    /// The highest settled height: another attestation of it is ignored
    #[arg(long, value_name = "N")]
    settled: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Inspection {
    topic: Topic,
    chain_id: ChainId,
    block: Option<Block>,
    payload_hash: Option<B256>,
    domain: Option<SigningDomain>,
    signer: Option<Address>,
    /// Whom the signature names in each domain that there is. It is made in one of them, and names nobody in
    /// the others.
    recovered: Vec<Named>,
    message_id: String,
    verdict: &'static str,
    reason: Option<&'static str>,
    detail: Option<String>,
    /// What to mind.
    note: Option<&'static str>,
}

/// Whom a signature names.
#[derive(Debug, Serialize)]
struct Named {
    domain: SigningDomain,
    signer: Address,
}

/// The note to a result without an expected signer.
const ANYBODY: &str = "no --signer is given, so any signature is accepted; if the frame is of another topic or chain, \
                       `recovered` is a meaningless address; compare it with the chain's signer";

#[derive(Debug, Serialize)]
struct Block {
    version: PayloadVersion,
    number: u64,
    hash: B256,
    parent_hash: B256,
    timestamp: UnixSeconds,
    transactions: usize,
}

impl InspectArgs {
    pub(super) fn run(&self) -> eyre::Result<Outcome> {
        let inspection = self.inspect(&read_frame(&self.file)?);
        print(&serde_json::to_string_pretty(&inspection)?)?;
        Ok(if inspection.verdict == "accept" { Outcome::Ok } else { Outcome::Failed })
    }

    /// A validator that has seen nothing.
    fn validator(&self) -> Validator {
        let jovian = self.jovian_time.map(UnixSeconds).or(GossipForkTimes::AT_GENESIS.jovian);
        let forks = GossipForkTimes { jovian, ..GossipForkTimes::AT_GENESIS };
        Validator::new(ValidationRules { forks, ..ValidationRules::new(self.chain_id) })
    }

    fn inspect(&self, frame: &alloy::primitives::Bytes) -> Inspection {
        let (topic, chain_id) = (self.topic, self.chain_id);
        let now = self.at.map_or_else(|| SystemClock.now(), UnixSeconds);
        let recovered = Frame::open(frame).and_then(|frame| frame.recover(topic, chain_id)).ok();
        let anyone = || recovered.as_ref().and_then(|all| all.first()).map(|first| first.signer);
        // A signer must be expected: without one the frame would be refused for that, and not for what is
        // wrong with it.
        let expected = self.signer.or_else(anyone).or(Some(Address::ZERO));
        let signers = Signers { unsafe_block_signer: expected, attester: expected, ..Signers::default() };
        let authentic =
            Frame::open(frame).ok().and_then(|frame| frame.authenticate(topic, chain_id, &signers).ok());
        let payload =
            authentic.as_ref().and_then(|frame| frame.decode().ok()).map(|envelope| envelope.payload);
        let mut validator = self.validator();
        let block = payload.as_ref().map(|payload| (payload.number, payload.block_hash));
        let settled = block.filter(|(number, _)| self.settled.is_some_and(|settled| *number <= settled));
        validator.set_settled(Arc::new(settled.into_iter().collect()));
        let judgement = validator.judge(topic, frame, &signers, now);
        Inspection {
            topic,
            chain_id,
            block: payload.map(|payload| Block {
                version: payload.version(),
                number: payload.number,
                hash: payload.block_hash,
                parent_hash: payload.parent_hash,
                timestamp: payload.timestamp,
                transactions: payload.transactions.len(),
            }),
            payload_hash: Frame::open(frame).ok().map(|frame| frame.payload_hash().as_b256()),
            domain: authentic.as_ref().map(|frame| frame.domain()),
            signer: authentic.as_ref().map(|frame| frame.signer()).or_else(anyone),
            recovered: named(frame, chain_id),
            message_id: message_id(&topic.path(chain_id), frame).to_string(),
            verdict: judgement.name(),
            reason: judgement.refusal().map(|refusal| refusal.reason.code()),
            detail: reason(&judgement).map(ToString::to_string),
            note: self.signer.is_none().then_some(ANYBODY),
        }
    }
}

/// The address that the signature recovers to in each domain.
fn named(frame: &alloy::primitives::Bytes, chain_id: ChainId) -> Vec<Named> {
    // This topic has them all.
    let recovered = Frame::open(frame).and_then(|frame| frame.recover(Topic::CrossSafeBlocksV1, chain_id));
    let named = recovered.unwrap_or_default().into_iter();
    named.map(|of| Named { domain: of.domain, signer: of.signer }).collect()
}

fn reason(judgement: &Judgement) -> Option<&Reason> {
    judgement.refusal().map(|refusal| &refusal.reason)
}
