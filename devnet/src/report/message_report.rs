//! What was scripted of messages against what was seen of them. Pure.

use super::claim_report::RunMode;
use super::devnet_report::{FalseAlarm, PlantedFault};
use crate::findings::{
    AttestationRecord, ExpectedMessage, MessagePlace, ObservedRefusal, SeenMessage, SidecarFinding,
};
use crate::observation::SeenMessages;
use crate::timing::LAG_BLOCKS;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use serde::{Serialize, Serializer};
use std::{
    collections::{BTreeSet, HashSet},
    ops::Range,
};

/// What became of a scripted message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct MessageReport {
    /// What must be seen of it.
    #[serde(serialize_with = "as_text")]
    pub(crate) expected: ExpectedMessage,
    /// What was seen of it, in the same terms; `null`: nothing.
    pub(crate) found: Option<String>,
}

/// A message that is valid and was not seen to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct MissedMessage {
    /// The executing chain.
    pub(crate) chain_id: ChainId,
    /// The executing block's height.
    pub(crate) block: u64,
    /// The executing block.
    pub(crate) hash: B256,
    /// The log's place in it.
    pub(crate) log_index: u32,
    /// What was seen; `null`: nothing.
    pub(crate) found: Option<String>,
}

fn as_text<S: Serializer>(expected: &ExpectedMessage, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(expected)
}

impl MessageReport {
    /// What became of a fault's messages: of those of each of its blocks, or of the first that is not as it
    /// must be. A block that was built more than once has one for each time; it does if one of them is.
    pub(super) fn of(planted: &PlantedFault, script: &ScriptedEffects, seen: &SeenMessages) -> Option<Self> {
        let expected = planted.fault.fault.expected_message?;
        let text = expected.to_string();
        let heights = planted.fault.block..=planted.fault.last();
        let found = heights.map(|height| found_at(height, &expected, planted, script, seen));
        let other = found.into_iter().find(|found| found.as_ref() != Some(&text));
        Some(Self { expected, found: other.unwrap_or(Some(text)) })
    }

    /// Whether it was found as what it is.
    pub(crate) fn is_as_expected(&self) -> bool {
        self.found.as_ref() == Some(&self.expected.to_string())
    }
}

fn found_at(
    height: u64,
    expected: &ExpectedMessage,
    planted: &PlantedFault,
    script: &ScriptedEffects,
    seen: &SeenMessages,
) -> Option<String> {
    let places = planted.executed.iter().filter(|place| place.number == height);
    let found: Vec<_> = places
        .filter_map(|place| {
            let message = seen.at(place)?;
            Some(expected.describe(message, script.tolerates(place, message)))
        })
        .collect();
    let text = expected.to_string();
    if found.contains(&text) { Some(text) } else { found.last().cloned() }
}

impl MissedMessage {
    /// The message, unless it was seen to be valid.
    pub(super) fn of(place: MessagePlace, seen: Option<&SeenMessage>) -> Option<Self> {
        let MessagePlace { chain_id, number: block, hash, log_index } = place;
        let is_valid = seen.is_some_and(|message| message.status == "valid");
        let found = seen.map(|message| format!("{}, {}", message.status, message.state));
        (!is_valid).then_some(Self { chain_id, block, hash, log_index, found })
    }
}

/// What the script explains: accusations of these blocks, signatures and messages are no false alarms.
#[derive(Debug, Default)]
pub(super) struct ScriptedEffects {
    blocks: BTreeSet<(ChainId, B256)>,
    signatures: BTreeSet<(ChainId, B256)>,
    messages: HashSet<MessagePlace>,
    /// The blocks that execute scripted messages.
    executing: HashSet<(ChainId, B256)>,
    /// Those of them that are audited though nobody attests them.
    derived: HashSet<(ChainId, B256)>,
    /// The heights at which the nodes of a chain served another branch for a while.
    branches: Vec<(ChainId, Range<u64>)>,
    /// The heights at which L1 reorged out attested blocks of all chains.
    dropped: Vec<Range<u64>>,
    /// Blocks that were as invalid as the other branch for as long as it was served: they cite it, or another
    /// one of them.
    doubted: HashSet<(ChainId, u64)>,
}

impl ScriptedEffects {
    pub(super) fn new(planted: &[PlantedFault], seen: &SeenMessages, mode: RunMode) -> Self {
        let (mut script, all) = (Self::default(), planted);
        for planted in planted {
            let chain_id = ChainId::from(planted.fault.chain_id);
            // Where only the signature is wrong, the block is honest: accusing it would be a false alarm.
            if matches!(planted.fault.expected(), SidecarFinding::Rejected { .. }) {
                let hashes = planted.attestations.iter().filter_map(|attestation| attestation.payload_hash);
                script.signatures.extend(hashes.map(|hash| (chain_id, hash)));
            } else {
                script
                    .blocks
                    .extend(planted.attestations.iter().map(|attestation| (chain_id, attestation.hash)));
            }
            script.messages.extend(planted.executed.iter().copied());
            script.executing.extend(planted.executed.iter().map(|place| (place.chain_id, place.hash)));
            let of_chain = |other: &&PlantedFault| other.fault.chain_id == planted.fault.chain_id;
            let is_plain = all.iter().filter(of_chain).any(|other| other.fault.fault.remain_ticks() > 0);
            if mode.audits_derived(is_plain) || planted.fault.fault.is_claimed {
                script.derived.extend(planted.executed.iter().map(|place| (place.chain_id, place.hash)));
            }
            script.dropped.extend(planted.fault.dropped_heights());
            script.branches.extend(planted.fault.other_branch_heights().map(|heights| (chain_id, heights)));
        }
        script.doubt(seen);
        script
    }

    /// A block that cites another branch is invalid as long as that is served, and so is one that cites such
    /// a block: the blocks that were built until then.
    fn doubt(&mut self, seen: &SeenMessages) {
        let mut others: Vec<_> = seen.iter().filter(|(place, _)| self.is_in_time(place.number)).collect();
        loop {
            let before = others.len();
            others.retain(|(place, message)| {
                let is_doubted = self.tolerates(place, message);
                if is_doubted {
                    self.doubted.insert((place.chain_id, place.number));
                }
                !is_doubted
            });
            if others.len() == before {
                break;
            }
        }
    }

    pub(super) fn explains(&self, record: &AttestationRecord) -> bool {
        let block = (record.chain_id, record.hash);
        // Nobody signed that it is cross-safe: it may be found invalid, and no signer may be blamed for it.
        let is_derived = self.derived.contains(&block)
            && record.attributable.is_none()
            && record.verdict == "violated"
            && record.reason.as_deref() == Some("invalid-message");
        self.blocks.contains(&block) || is_derived
    }

    pub(super) fn explains_refusal(&self, record: &ObservedRefusal) -> bool {
        record.payload_hash.is_some_and(|hash| self.signatures.contains(&(record.chain_id, hash)))
    }

    /// Whether what was said of a message in between is what one that believed the chains' nodes had to say:
    /// all nodes of the executing chain, or of the one that it cites, were on another branch there, or what
    /// it cites was doubted. L1 may drop what it cites a moment before its own block is removed, too.
    pub(super) fn tolerates(&self, place: &MessagePlace, seen: &SeenMessage) -> bool {
        let is_in_time = self.is_in_time(place.number);
        let cites_doubted = |cited: (ChainId, u64)| {
            self.is_forked(cited.0, cited.1) || (is_in_time && self.doubted.contains(&cited))
        };
        let is_dropped = self.dropped.iter().any(|heights| heights.contains(&place.number));
        let has_gone = is_dropped && seen.state == "orphaned";
        has_gone || self.is_forked(place.chain_id, place.number) || seen.cites.is_some_and(cites_doubted)
    }

    /// Whether blocks of this height were built while another branch was served, or so soon after that the
    /// sidecar may not have noticed its end.
    fn is_in_time(&self, number: u64) -> bool {
        let noticed = |heights: &Range<u64>| heights.start..heights.end.saturating_add(LAG_BLOCKS);
        self.branches.iter().any(|(_, heights)| noticed(heights).contains(&number))
    }

    fn is_forked(&self, chain_id: ChainId, number: u64) -> bool {
        self.branches.iter().any(|(branched, heights)| *branched == chain_id && heights.contains(&number))
    }

    /// Messages that were accused, and suspects, that nothing explains.
    pub(super) fn message_alarms(&self, seen: &SeenMessages) -> Vec<FalseAlarm> {
        let accused = seen.iter().filter(|(place, message)| {
            message.is_alarm() && !self.messages.contains(place) && !self.tolerates(place, message)
        });
        let accused = accused.map(|(place, message)| {
            alarm(place.chain_id, place.number, place.hash, ExpectedMessage::VALID.describe(message, false))
        });
        let suspects = seen.suspects().filter(|suspect| {
            !self.executing.contains(&(suspect.chain_id, suspect.hash)) && self.branches.is_empty()
        });
        let suspects = suspects.map(|suspect| {
            let reason = suspect.reason.as_deref().unwrap_or("no reason given");
            alarm(suspect.chain_id, suspect.number, suspect.hash, format!("suspect ({reason})"))
        });
        let mut alarms: Vec<_> = accused.chain(suspects).collect();
        alarms.sort_by_key(|alarm| (alarm.chain_id, alarm.block));
        alarms
    }
}

fn alarm(chain_id: ChainId, number: u64, hash: B256, said: String) -> FalseAlarm {
    FalseAlarm { chain_id, block: Some(number), hash: Some(hash), found: SidecarFinding::Message { said } }
}

#[cfg(test)]
mod tests;
