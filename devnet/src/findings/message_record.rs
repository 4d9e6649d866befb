//! What a sidecar says of executed messages, as the devnet reads it: `crosscheck_messages` and
//! `crosscheck_suspects`.
//!
//! These types share nothing with the sidecar or with `crosscheck-core`: a change of what the sidecar answers
//! must show here. Only the fields that the devnet needs. Unknown fields are skipped and unknown values are
//! kept as text.

use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use serde::Deserialize;

/// The most rules that are kept of one message.
const MAX_REASONS: usize = 16;

/// The answer of `crosscheck_messages`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct MessagePage {
    /// The messages that changed after the cursor, in the order of their last change.
    pub(crate) messages: Vec<TrackedRecord>,
}

/// One tracked message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct TrackedRecord {
    /// Its last change; sequences grow.
    pub(crate) sequence: u64,
    /// The block that executed it.
    pub(crate) executing: BlockRecord,
    /// The index of its log in that block.
    pub(crate) log_index: u32,
    /// What it cites. `None`: its log is malformed.
    pub(crate) initiating: Option<CitedRecord>,
    /// `valid`, `invalid` or `unknown`.
    pub(crate) status: String,
    /// The rule that it breaks.
    pub(crate) reason: Option<String>,
    /// `tracked`, `displaced`, or how its life ended.
    pub(crate) state: String,
    /// Whether its own transaction declared it.
    pub(crate) declared: bool,
    /// How often it went from valid to invalid or back.
    pub(crate) flips: u32,
    /// Its last changes of status.
    #[serde(default)]
    pub(crate) history: Vec<ChangeRecord>,
}

/// A block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct BlockRecord {
    /// The chain.
    pub(crate) chain_id: ChainId,
    /// The height.
    pub(crate) number: u64,
    /// The block.
    pub(crate) hash: B256,
}

/// What a message cites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct CitedRecord {
    /// The initiating chain.
    pub(crate) chain_id: ChainId,
    /// The height of the initiating block.
    pub(crate) block_number: u64,
}

/// A change of status.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ChangeRecord {
    /// The status that it changed to.
    pub(crate) to: String,
}

/// The answer of `crosscheck_suspects`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SuspectPage {
    /// The suspects after the cursor, in order of their ids.
    pub(crate) suspects: Vec<ObservedSuspect>,
}

/// A message that a gossiped transaction declares and that cannot be valid.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ObservedSuspect {
    /// Its id; ids grow.
    pub(crate) id: u64,
    /// The chain.
    pub(crate) chain_id: ChainId,
    /// The height.
    pub(crate) number: u64,
    /// The block.
    pub(crate) hash: B256,
    /// The rule that it would break.
    pub(crate) reason: Option<String>,
}

/// Which executed message: the block's chain and hash, and the log's place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MessagePlace {
    /// The executing chain.
    pub(crate) chain_id: ChainId,
    /// The executing block's height.
    pub(crate) number: u64,
    /// The executing block.
    pub(crate) hash: B256,
    /// The log's place among all logs of the block.
    pub(crate) log_index: u32,
}

/// What was seen of one message, all together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SeenMessage {
    /// Its last status.
    pub(crate) status: String,
    /// The rule that it breaks.
    pub(crate) reason: Option<String>,
    /// Every rule that it was ever said to break, in the order of their first mention; few at most.
    pub(crate) reasons: Vec<String>,
    /// Its last state.
    pub(crate) state: String,
    /// What it cites: chain and height.
    pub(crate) cites: Option<(ChainId, u64)>,
    /// Whether it was ever said to be undeclared.
    pub(crate) undeclared: bool,
    /// Whether it was ever said to be invalid.
    pub(crate) was_invalid: bool,
    /// Whether it was ever said to be valid.
    pub(crate) was_valid: bool,
    /// The most flips that were reported of it.
    pub(crate) flips: u32,
}

impl TrackedRecord {
    /// Which message it is about.
    pub(crate) const fn place(&self) -> MessagePlace {
        let BlockRecord { chain_id, number, hash } = self.executing;
        MessagePlace { chain_id, number, hash, log_index: self.log_index }
    }
}

impl TrackedRecord {
    /// Whether it says what most do: valid, declared, and never anything else.
    pub(crate) fn is_plain(&self) -> bool {
        let was_valid = |change: &ChangeRecord| change.to == "valid" || change.to == "unknown";
        self.status == "valid" && self.declared && self.flips == 0 && self.history.iter().all(was_valid)
    }
}

impl SeenMessage {
    /// Takes a newer record of the same message in.
    pub(crate) fn take(&mut self, record: TrackedRecord) {
        let ever =
            |status: &str| record.status == status || record.history.iter().any(|change| change.to == status);
        self.was_invalid |= ever("invalid");
        self.was_valid |= ever("valid");
        self.undeclared |= !record.declared;
        self.flips = self.flips.max(record.flips);
        self.cites = record.initiating.map(|cited| (cited.chain_id, cited.block_number));
        if let Some(reason) = record.reason.iter().find(|reason| !self.reasons.contains(reason)) {
            self.reasons.push(reason.clone());
        }
        self.reasons.truncate(MAX_REASONS);
        self.status = record.status;
        self.reason = record.reason;
        self.state = record.state;
    }

    /// Whether it is known to be valid or invalid.
    pub(crate) fn is_judged(&self) -> bool {
        self.status == "valid" || self.status == "invalid"
    }

    /// Whether it was ever said to be anything but valid and declared.
    pub(crate) const fn is_alarm(&self) -> bool {
        self.was_invalid || self.undeclared || self.flips > 0
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    /// A message at log 3 of block `number` of chain 901, as an answer has it.
    pub(crate) fn record(sequence: u64, number: u64, hash: B256, status: &str) -> TrackedRecord {
        serde_json::from_value(json!({
            "sequence": sequence,
            "executing": { "chain_id": 901, "number": number, "hash": hash, "timestamp": 1_000 },
            "log_index": 3, "transaction_index": 2,
            "initiating": {
                "origin": "0xe000000000000000000000000000000000000001", "block_number": 9, "log_index": 1,
                "timestamp": 990, "chain_id": 902,
            },
            "payload_hash": B256::ZERO, "status": status,
            "reason": (status == "invalid").then_some("log-not-found"), "detail": null, "level": "unsafe",
            "state": "tracked", "ended_by": null, "declared": true, "flips": 0,
            "history": [{ "from": "unknown", "to": status, "cause": "checked" }],
        }))
        .unwrap()
    }

    #[test]
    fn past_statuses_are_kept_and_all_else_is_the_newest() {
        let mut seen = SeenMessage::default();
        seen.take(record(1, 20, B256::ZERO, "invalid"));
        let later =
            TrackedRecord { flips: 1, state: "finalized".to_owned(), ..record(2, 20, B256::ZERO, "valid") };
        seen.take(later);
        assert_eq!(
            (seen.status.as_str(), seen.reason.as_deref(), seen.state.as_str()),
            ("valid", None, "finalized")
        );
        assert!(seen.was_invalid && seen.was_valid && seen.is_alarm() && !seen.undeclared);
        assert_eq!(seen.cites, Some((ChainId::from(902), 9)));
    }

    #[test]
    fn an_invalid_status_between_two_polls_is_found_in_the_history() {
        let history = ["invalid", "valid"].map(|to| ChangeRecord { to: to.to_owned() }).to_vec();
        let mut seen = SeenMessage::default();
        seen.take(TrackedRecord { history, ..record(5, 20, B256::ZERO, "valid") });
        assert!(seen.was_invalid);
    }
}
