//! What a sidecar says over its RPC, as the devnet reads it. Only the fields that the devnet needs.
//!
//! Unknown fields are skipped and unknown words are kept as text: a newer sidecar is still understood.

use super::finding::Finding;
use super::message_record::BlockRecord;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use serde::Deserialize;

/// The answer of `crosscheck_status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SidecarStatus {
    /// Whether it is ready.
    pub ready: bool,
    /// Why it is not.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// What it knows of each chain.
    pub chains: Vec<ChainStatus>,
}

impl SidecarStatus {
    /// Whether it reads a chain's blocks, so that none becomes final unseen.
    pub fn is_monitored(&self, chain_id: ChainId) -> bool {
        let part = format!("chain {chain_id} monitor: ");
        let is_known = self.chains.iter().any(|chain| chain.chain_id == chain_id);
        is_known && !self.reasons.iter().any(|reason| reason.starts_with(&part))
    }

    /// Whether it is not ready because a chain's execution client contradicts itself.
    pub fn names_contradiction(&self, chain_id: u64) -> bool {
        let part = format!("chain {chain_id} monitor: ");
        let mut reasons = self.reasons.iter().filter_map(|reason| reason.strip_prefix(&part));
        reasons.any(|reason| reason.contains("contradicts itself"))
    }
}

impl SidecarStatus {
    /// Whether it is not ready because a chain's nodes stay on a replaced block, and names these.
    pub fn names_stay(&self, chain_id: u64, blocks: &[B256]) -> bool {
        let part = format!("chain {chain_id} branch: ");
        let names = |reason: &&str| blocks.iter().all(|block| reason.contains(&block.to_string()));
        !self.ready
            && self.reasons.iter().filter_map(|reason| reason.strip_prefix(&part)).any(|it| names(&it))
    }
}

/// What a sidecar knows of one chain. Heads are heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct ChainStatus {
    /// The chain.
    pub chain_id: ChainId,
    /// The highest block heard on gossip.
    pub gossiped: Option<u64>,
    /// The tip, as the chain's node has it.
    #[serde(default)]
    pub unsafe_head: Option<u64>,
    /// The head of what L1 says.
    #[serde(default)]
    pub local_safe: Option<u64>,
    /// What the node calls safe.
    #[serde(default)]
    pub safe: Option<u64>,
    /// What the node calls final.
    #[serde(default)]
    pub finalized: Option<u64>,
    /// The head that the sidecar vouches for.
    pub vouched: Option<u64>,
    /// The block that holds that head, if one does.
    #[serde(default)]
    pub hold: Option<HoldRecord>,
    /// Verdicts that are open.
    pub open: u64,
}

/// A block that is invalid, above the vouched head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct HoldRecord {
    /// Its height.
    pub number: u64,
}

/// The answer of `crosscheck_attestations`.
#[derive(Clone, Debug, Deserialize)]
pub struct AttestationPage {
    /// The records after the cursor, in order of their ids.
    pub attestations: Vec<AttestationRecord>,
}

/// One audited block.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AttestationRecord {
    /// Its id; ids grow.
    pub id: u64,
    /// The chain.
    pub chain_id: ChainId,
    /// The height.
    pub number: u64,
    /// The block.
    pub hash: B256,
    /// `attested`, or `ancestor` of an attested block.
    pub origin: String,
    /// Whether the attestation that is kept is evidence against its signer.
    #[serde(default)]
    pub attributable: Option<bool>,
    /// The verdict.
    pub verdict: String,
    /// Why, if the verdict is `violated` or `discarded`.
    pub reason: Option<String>,
    /// From the frame's arrival to the verdict.
    pub decided_after_ms: Option<u64>,
    /// What an open verdict waits for.
    #[serde(default)]
    pub waits: Vec<WaitRecord>,
    /// The messages that the block executes.
    #[serde(default)]
    pub messages: Vec<MessageRecord>,
}

/// Something that an open verdict waits for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct WaitRecord {
    /// On which chain.
    pub chain_id: ChainId,
    /// `not-yet` or `endpoint-error`.
    pub cause: String,
}

/// One executed message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MessageRecord {
    /// `valid`, `invalid` or `unknown`.
    pub status: String,
    /// The rule that it breaks.
    pub reason: Option<String>,
}

/// The answer of `crosscheck_refusals`.
#[derive(Clone, Debug, Deserialize)]
pub struct RefusalPage {
    /// The records after the cursor, in order of their ids.
    pub refusals: Vec<RefusalRecord>,
}

/// The answer of `crosscheck_events`, asked for verdicts that were taken back.
#[derive(Clone, Debug, Deserialize)]
pub struct TakenBackPage {
    /// The events after the cursor, in order of their ids.
    pub events: Vec<TakenBackRecord>,
    /// Where reading continues.
    pub cursor: u64,
}

/// Word that the verdict on a block was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TakenBackRecord {
    /// The event's id.
    pub id: u64,
    /// The block.
    pub block: BlockRecord,
    /// The verdict that it had.
    pub verdict: String,
    /// The reason that it had.
    pub reason: Option<String>,
}

/// One frame that was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RefusalRecord {
    /// Its id; ids grow.
    pub id: u64,
    /// The chain.
    pub chain_id: ChainId,
    /// The topic.
    pub topic: String,
    /// `reject` or `ignore`.
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// What was signed, if the frame went so far.
    pub payload_hash: Option<B256>,
}

impl AttestationRecord {
    /// Whether the block itself was attested, and not only one of its descendants.
    pub fn is_attested(&self) -> bool {
        self.origin == "attested"
    }

    /// Whether only what may be a replay of the unsafe block is kept as its attestation.
    pub fn is_replay(&self) -> bool {
        self.attributable == Some(false)
    }

    /// Whether there is no verdict yet.
    pub fn is_open(&self) -> bool {
        self.verdict == "open"
    }

    /// Whether it waits, or waited, for a chain's client that answered errors.
    pub fn waits_for_errors_of(&self, chain_id: u64) -> bool {
        self.waits
            .iter()
            .any(|wait| wait.cause == "endpoint-error" && wait.chain_id == ChainId::from(chain_id))
    }

    /// What was found. A verdict that the devnet does not know reads as `violated` with that word.
    pub fn finding(&self) -> Finding {
        match self.verdict.as_str() {
            "open" => Finding::Open,
            "upheld" => Finding::Upheld,
            "upheld-replacement" => Finding::UpheldReplacement,
            "discarded" => self.discarded(),
            "superseded" => Finding::Superseded,
            "violated" => self.violation(),
            other => Finding::Violated { reason: other.to_owned(), detail: None },
        }
    }

    /// Sidecars from before there were reasons knew but one.
    fn discarded(&self) -> Finding {
        Finding::Discarded { reason: self.reason.clone().unwrap_or_else(|| "not-derived".to_owned()) }
    }

    fn violation(&self) -> Finding {
        let reason = self.reason.clone().unwrap_or_else(|| "no reason given".to_owned());
        let broken = || self.messages.iter().find(|message| message.status == "invalid")?.reason.clone();
        let detail = (reason == "invalid-message").then(broken).flatten();
        Finding::Violated { reason, detail }
    }
}

impl RefusalRecord {
    /// What was found.
    pub fn finding(&self) -> Finding {
        let reason = self.reason.clone();
        if self.verdict == "ignore" { Finding::Ignored { reason } } else { Finding::Rejected { reason } }
    }
}
