//! What a sidecar says over its RPC, as the devnet reads it. Only the fields that the devnet needs.
//!
//! These types share nothing with the sidecar or with `crosscheck-core`: a change of what the sidecar answers
//! must show here. Unknown fields are skipped and unknown values are kept as text: a newer sidecar is still
//! understood.

use super::finding::SidecarFinding;
use super::message_record::BlockRecord;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use serde::Deserialize;

/// The answer of `crosscheck_status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct SidecarStatus {
    /// Whether it is ready.
    pub(crate) ready: bool,
    /// Why it is not.
    #[serde(default)]
    pub(crate) reasons: Vec<String>,
    /// What it knows of each chain.
    pub(crate) chains: Vec<ObservedChainStatus>,
}

impl SidecarStatus {
    /// Whether it reads a chain's blocks, so that none becomes final unseen.
    pub(crate) fn is_monitored(&self, chain_id: ChainId) -> bool {
        let part = format!("chain {chain_id} monitor: ");
        let is_known = self.chains.iter().any(|chain| chain.chain_id == chain_id);
        is_known && !self.reasons.iter().any(|reason| reason.starts_with(&part))
    }

    /// Whether it is not ready because a chain's execution client contradicts itself.
    pub(crate) fn names_contradiction(&self, chain_id: u64) -> bool {
        let part = format!("chain {chain_id} monitor: ");
        let mut reasons = self.reasons.iter().filter_map(|reason| reason.strip_prefix(&part));
        reasons.any(|reason| reason.contains("contradicts itself"))
    }
}

impl SidecarStatus {
    /// Whether it is not ready because a chain's nodes stay on a replaced block, and names these.
    pub(crate) fn names_remaining(&self, chain_id: u64, blocks: &[B256]) -> bool {
        let part = format!("chain {chain_id} branch: ");
        let names = |reason: &&str| blocks.iter().all(|block| reason.contains(&block.to_string()));
        !self.ready
            && self.reasons.iter().filter_map(|reason| reason.strip_prefix(&part)).any(|it| names(&it))
    }
}

/// What a sidecar knows of one chain. Heads are heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ObservedChainStatus {
    /// The chain.
    pub(crate) chain_id: ChainId,
    /// The highest block received by gossip.
    pub(crate) gossiped: Option<u64>,
    /// The tip, as the chain's node has it.
    #[serde(default)]
    pub(crate) unsafe_head: Option<u64>,
    /// The head of what L1 says.
    #[serde(default)]
    pub(crate) local_safe: Option<u64>,
    /// What the node calls safe.
    #[serde(default)]
    pub(crate) safe: Option<u64>,
    /// What the node calls final.
    #[serde(default)]
    pub(crate) finalized: Option<u64>,
    /// The head that the sidecar vouches for.
    pub(crate) vouched: Option<u64>,
    /// The block that holds that head, if one does.
    #[serde(default)]
    pub(crate) hold: Option<HoldRecord>,
    /// Verdicts that are open.
    pub(crate) open: u64,
}

/// A block that is invalid, above the vouched head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct HoldRecord {
    /// Its height.
    pub(crate) number: u64,
}

/// The answer of `crosscheck_attestations`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct AttestationPage {
    /// The records after the cursor, in order of their ids.
    pub(crate) attestations: Vec<AttestationRecord>,
}

/// One audited block.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct AttestationRecord {
    /// Its id; ids grow.
    pub(crate) id: u64,
    /// The chain.
    pub(crate) chain_id: ChainId,
    /// The height.
    pub(crate) number: u64,
    /// The block.
    pub(crate) hash: B256,
    /// `attested`; or `claimed` by an endpoint, `derived` by the rollup node, or `ancestor` of such a block.
    pub(crate) origin: String,
    /// Whether the attestation that is kept is evidence against its signer.
    #[serde(default)]
    pub(crate) attributable: Option<bool>,
    /// The verdict.
    pub(crate) verdict: String,
    /// Why, if the verdict is `violated` or `discarded`.
    pub(crate) reason: Option<String>,
    /// From the frame's arrival to the verdict.
    pub(crate) decided_after_ms: Option<u64>,
    /// What an open verdict waits for.
    #[serde(default)]
    pub(crate) waits: Vec<WaitRecord>,
    /// The messages that the block executes.
    #[serde(default)]
    pub(crate) messages: Vec<ObservedMessage>,
}

/// Something that an open verdict waits for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct WaitRecord {
    /// On which chain.
    pub(crate) chain_id: ChainId,
    /// `not-yet` or `endpoint-error`.
    pub(crate) cause: String,
}

/// One executed message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ObservedMessage {
    /// `valid`, `invalid` or `unknown`.
    pub(crate) status: String,
    /// The rule that it breaks.
    pub(crate) reason: Option<String>,
}

/// The answer of `crosscheck_refusals`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RefusalPage {
    /// The records after the cursor, in order of their ids.
    pub(crate) refusals: Vec<ObservedRefusal>,
}

/// The answer of `crosscheck_events`, filtered for withdrawn verdicts.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct WithdrawnVerdictPage {
    /// The events after the cursor, in order of their ids.
    pub(crate) events: Vec<WithdrawnVerdictRecord>,
    /// Where reading continues.
    pub(crate) cursor: u64,
}

/// The event that the verdict on a block was withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct WithdrawnVerdictRecord {
    /// The event's id.
    pub(crate) id: u64,
    /// The block.
    pub(crate) block: BlockRecord,
    /// The verdict that it had.
    pub(crate) verdict: String,
    /// The reason that it had.
    pub(crate) reason: Option<String>,
}

/// One frame that was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ObservedRefusal {
    /// Its id; ids grow.
    pub(crate) id: u64,
    /// The chain.
    pub(crate) chain_id: ChainId,
    /// The topic.
    pub(crate) topic: String,
    /// `reject` or `ignore`.
    pub(crate) verdict: String,
    /// Why.
    pub(crate) reason: String,
    /// What was signed, if the frame went so far.
    pub(crate) payload_hash: Option<B256>,
}

impl AttestationRecord {
    /// Whether the block itself was attested, and not only one of its descendants.
    pub(crate) fn is_attested(&self) -> bool {
        self.origin == "attested"
    }

    /// Whether only what may be a replay of the unsafe block is kept as its attestation.
    pub(crate) fn is_replay(&self) -> bool {
        self.attributable == Some(false)
    }

    /// Whether there is no verdict yet.
    pub(crate) fn is_open(&self) -> bool {
        self.verdict == "open"
    }

    /// Whether it waits, or waited, for a chain's client that answered errors.
    pub(crate) fn waits_for_errors_of(&self, chain_id: u64) -> bool {
        self.waits
            .iter()
            .any(|wait| wait.cause == "endpoint-error" && wait.chain_id == ChainId::from(chain_id))
    }

    /// What was found. A verdict that the devnet does not know reads as `violated` with its name as the
    /// reason.
    pub(crate) fn finding(&self) -> SidecarFinding {
        match self.verdict.as_str() {
            "open" => SidecarFinding::Open,
            "upheld" => SidecarFinding::Upheld,
            "upheld-replacement" => SidecarFinding::UpheldReplacement,
            "discarded" => self.discarded(),
            "superseded" => SidecarFinding::Superseded,
            "violated" => self.violation(),
            other => SidecarFinding::Violated { reason: other.to_owned(), detail: None },
        }
    }

    /// Sidecars from before there were reasons knew but one.
    fn discarded(&self) -> SidecarFinding {
        SidecarFinding::Discarded { reason: self.reason.clone().unwrap_or_else(|| "not-derived".to_owned()) }
    }

    fn violation(&self) -> SidecarFinding {
        let reason = self.reason.clone().unwrap_or_else(|| "no reason given".to_owned());
        let broken = || self.messages.iter().find(|message| message.status == "invalid")?.reason.clone();
        let detail = (reason == "invalid-message").then(broken).flatten();
        SidecarFinding::Violated { reason, detail }
    }
}

impl ObservedRefusal {
    /// What was found.
    pub(crate) fn finding(&self) -> SidecarFinding {
        let reason = self.reason.clone();
        if self.verdict == "ignore" {
            SidecarFinding::Ignored { reason }
        } else {
            SidecarFinding::Rejected { reason }
        }
    }
}
