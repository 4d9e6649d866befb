//! [`Observations`]: everything that the devnet has seen a sidecar say, kept together for the report. Pure.
//!
//! Records are kept by id, so that one that was open and is decided now replaces what it was. They are bounded
//! by [`MAX_RECORDS`]; beyond it the oldest decided ones are dropped, and counted. Where nothing is scripted, those of blocks that are
//! settled go long before that: see `settling`.

mod settling;

use super::at_genesis::AtGenesis;
use super::finding::Oddity;
use super::headless::Headless;
use super::report::{AttestationCounts, MessageCounts};
use super::seen_messages::SeenMessages;
use super::sidecar_records::{AttestationRecord, RefusalRecord, SidecarStatus};
use super::taken_back::TakenBack;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

/// The most records of each kind that are kept.
pub const MAX_RECORDS: usize = 100_000;

/// What a sidecar was seen to say.
#[derive(Clone, Debug, Default)]
pub struct Observations {
    /// Its last status.
    pub status: SidecarStatus,
    /// The chains whose blocks it was ever said to read.
    monitored: BTreeSet<ChainId>,
    /// The chains whose rollup node named no heads for a while, and what was made of it.
    headless: BTreeMap<u64, Headless>,
    /// The chains whose rollup node called genesis final for a while, and what was made of it.
    at_genesis: BTreeMap<u64, AtGenesis>,
    /// The chains whose nodes were said to remain on replaced blocks, with both blocks.
    stayed: BTreeSet<u64>,
    /// The chains of which a block was taken for final that was not, while their clients were taken back.
    final_early: BTreeSet<u64>,
    /// What it says of messages.
    pub messages: SeenMessages,
    /// What it says of verdicts that are taken back.
    pub taken_back: TakenBack,
    attestations: BTreeMap<u64, AttestationRecord>,
    /// The records of each block.
    by_block: HashMap<(ChainId, B256), BTreeSet<u64>>,
    /// The records without a verdict.
    open: BTreeSet<u64>,
    /// The records that only a replay is kept of.
    replays: BTreeSet<u64>,
    /// Endpoints that were ever said to differ from the others: chain, place, and how.
    odd: BTreeSet<(u64, usize, Oddity)>,
    /// Which chains' clients were ever named in the status as contradicting themselves.
    contradicted: BTreeSet<u64>,
    /// How often that was told of each chain.
    contradictions: BTreeMap<u64, u64>,
    /// How often each chain's vouched head went back because L1 had reorged out its origin.
    left_for_l1: BTreeMap<u64, u64>,
    /// How often each chain's vouched head left a block in whose place another became final.
    left_replaced: BTreeMap<u64, u64>,
    /// How often a chain's attester was said to have signed two blocks of one height.
    equivocations: BTreeMap<u64, u64>,
    refusals: BTreeMap<u64, (RefusalRecord, Duration)>,
    /// Which records were ever seen to wait for a chain's client that answered errors.
    held_up: BTreeMap<u64, BTreeSet<u64>>,
    /// Which records were open while their chain's nodes followed another fork.
    off_course: BTreeMap<u64, BTreeSet<u64>>,
    dropped: u64,
    /// Up to which height of each chain all is settled and forgotten.
    settled: BTreeMap<ChainId, u64>,
    /// What was forgotten so.
    settled_words: AttestationCounts,
    settled_messages: MessageCounts,
    /// The id of the newest record.
    last: u64,
}

impl Observations {
    /// Takes in attestation records; `outages` are the chains whose clients answer errors on purpose.
    pub fn take_attestations(&mut self, records: Vec<AttestationRecord>, outages: &[u64]) {
        for record in records {
            self.last = self.last.max(record.id);
            if self.is_told_again(&record) {
                continue;
            }
            for chain_id in outages.iter().filter(|chain_id| record.waits_for_errors_of(**chain_id)) {
                self.held_up.entry(*chain_id).or_default().insert(record.id);
            }
            self.by_block.entry((record.chain_id, record.hash)).or_default().insert(record.id);
            if record.is_open() {
                self.open.insert(record.id);
            } else {
                self.open.remove(&record.id);
            }
            if record.is_replay() {
                self.replays.insert(record.id);
            } else {
                self.replays.remove(&record.id);
            }
            self.attestations.insert(record.id, record);
        }
        while self.attestations.len() > MAX_RECORDS
            && let Some((id, record)) = self.attestations.pop_first()
        {
            self.open.remove(&id);
            self.replays.remove(&id);
            let place = (record.chain_id, record.hash);
            if self.by_block.get_mut(&place).is_some_and(|ids| ids.remove(&id) && ids.is_empty()) {
                self.by_block.remove(&place);
            }
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// What is known of a block is not so any more: its records are read again.
    pub(super) fn read_again(&mut self, chain_id: ChainId, hash: B256) {
        self.open.extend(self.by_block.get(&(chain_id, hash)).into_iter().flatten());
    }

    /// The height of the block that holds a chain's vouched head, if one does.
    pub fn hold(&self, chain_id: u64) -> Option<u64> {
        let id = ChainId::from(chain_id);
        let status = self.status.chains.iter().find(|status| status.chain_id == id)?;
        status.hold.map(|hold| hold.number)
    }

    /// Takes in that an endpoint of a chain was said to differ from the others.
    pub fn take_odd(&mut self, endpoints: impl IntoIterator<Item = (u64, usize, Oddity)>) {
        self.odd.extend(endpoints);
    }

    /// Whether an endpoint was ever said to differ from the others so.
    pub fn is_odd(&self, chain_id: u64, place: usize, oddity: Oddity) -> bool {
        self.odd.contains(&(chain_id, place, oddity))
    }

    /// Takes in a status, and which clients it names as contradicting themselves.
    pub fn take_status(&mut self, status: SidecarStatus) {
        let chains = status.chains.iter().filter_map(|chain| chain.chain_id.as_u64());
        self.contradicted.extend(chains.filter(|chain_id| status.names_contradiction(*chain_id)));
        let chain_ids = status.chains.iter().map(|chain| chain.chain_id);
        self.monitored.extend(chain_ids.filter(|chain_id| status.is_monitored(*chain_id)));
        self.status = status;
    }

    /// Whether it has begun to read a chain's blocks.
    pub fn is_monitored(&self, chain_id: ChainId) -> bool {
        self.monitored.contains(&chain_id)
    }

    /// Takes in how often clients were told to contradict themselves, by chain.
    pub fn take_contradictions(&mut self, told: impl IntoIterator<Item = (u64, u64)>) {
        self.contradictions.extend(told);
    }

    /// Takes in how often vouched heads went back because L1 had reorged out what they stood on, by chain.
    pub fn take_left_for_l1(&mut self, told: impl IntoIterator<Item = (u64, u64)>) {
        self.left_for_l1.extend(told);
    }

    /// Takes in how often vouched heads left blocks in whose place others became final, by chain.
    pub fn take_left_replaced(&mut self, told: impl IntoIterator<Item = (u64, u64)>) {
        self.left_replaced.extend(told);
    }

    /// How often a chain's vouched head left a block in whose place another became final.
    pub fn left_replaced(&self, chain_id: u64) -> u64 {
        self.left_replaced.get(&chain_id).copied().unwrap_or_default()
    }

    /// Takes in how often attesters were said to have signed two blocks of one height, by chain.
    pub fn take_equivocations(&mut self, told: impl IntoIterator<Item = (u64, u64)>) {
        self.equivocations.extend(told);
    }

    /// How often a chain's attester was said to have signed two blocks of one height.
    pub fn equivocations(&self, chain_id: u64) -> u64 {
        self.equivocations.get(&chain_id).copied().unwrap_or_default()
    }

    /// Whether the vouched head of every chain was told this many times to have moved back because of L1.
    pub fn have_left_for_l1(&self, times: usize) -> bool {
        let told = |chain_id: u64| self.left_for_l1.get(&chain_id).copied().unwrap_or_default();
        let chains = self.status.chains.iter().filter_map(|chain| chain.chain_id.as_u64());
        chains.map(told).all(|told| u64::try_from(times).is_ok_and(|times| told == times))
    }

    /// Whether a chain's client is named as contradicting itself now.
    pub fn is_contradicted(&self, chain_id: u64) -> bool {
        self.status.names_contradiction(chain_id)
    }

    /// Whether a chain's client was named, told of this many times, and is named no longer.
    pub fn was_contradicted(&self, chain_id: u64, times: usize) -> bool {
        let told = self.contradictions.get(&chain_id).copied().unwrap_or_default();
        let is_named = self.contradicted.contains(&chain_id) && !self.is_contradicted(chain_id);
        is_named && u64::try_from(times).is_ok_and(|times| told == times)
    }

    /// The rollup nodes of these chains name no heads: remembers what the sidecar makes of it, and of those that do again.
    pub fn note_headless(&mut self, now: &[u64]) {
        for chain_id in now {
            self.headless.entry(*chain_id).or_default();
        }
        for (chain_id, headless) in &mut self.headless {
            headless.see(*chain_id, &self.status, !now.contains(chain_id));
        }
    }

    /// A chain's nodes remain on a block that was replaced: remembers whether the status says so.
    pub fn note_stay(&mut self, chain_id: u64, replaced: B256, by: B256) {
        if self.status.names_stay(chain_id, &[replaced, by]) {
            self.stayed.insert(chain_id);
        }
    }

    /// Whether a chain's nodes were said to stay on a replaced block.
    pub fn has_told_stay(&self, chain_id: u64) -> bool {
        self.stayed.contains(&chain_id)
    }

    /// Whether a chain's nodes were said to stay on a replaced block, and are no longer.
    pub fn has_left_replaced(&self, chain_id: u64) -> bool {
        self.has_told_stay(chain_id) && !self.status.names_stay(chain_id, &[])
    }

    /// A chain's client is taken back. `finalized`: what is final.
    pub fn note_rewind(&mut self, chain_id: u64, finalized: u64) {
        let id = ChainId::from(chain_id);
        let status = self.status.chains.iter().find(|status| status.chain_id == id);
        if status.and_then(|status| status.finalized) > Some(finalized) {
            self.final_early.insert(chain_id);
        }
    }

    /// Whether a block of a chain was taken for final that was not, while its client was taken back.
    pub fn was_final_early(&self, chain_id: u64) -> bool {
        self.final_early.contains(&chain_id)
    }

    /// Whether there is a verdict on a block.
    pub fn is_judged(&self, chain_id: u64, hash: B256) -> bool {
        self.of_block(chain_id, hash).is_some_and(|record| !record.is_open())
    }

    /// Whether there is a verdict on a block, or its own chain's nodes are not what it waits for.
    pub fn is_judged_by_own(&self, chain_id: u64, hash: B256) -> bool {
        let own = ChainId::from(chain_id);
        let is_of_others = |record: &AttestationRecord| record.waits.iter().any(|wait| wait.chain_id != own);
        self.of_block(chain_id, hash).is_some_and(|record| !record.is_open() || is_of_others(record))
    }

    /// What was made of a rollup node that named no heads for a while.
    pub fn headless(&self, chain_id: u64) -> Headless {
        self.headless.get(&chain_id).copied().unwrap_or_default()
    }

    /// The rollup nodes of these chains call genesis final: remembers what the sidecar makes of it.
    pub fn note_at_genesis(&mut self, now: &[u64]) {
        for chain_id in now {
            self.at_genesis.entry(*chain_id).or_default();
        }
        for (chain_id, at_genesis) in &mut self.at_genesis {
            at_genesis.see(*chain_id, &self.status, !now.contains(chain_id));
        }
    }

    /// What was made of a rollup node that called genesis final for a while.
    pub fn at_genesis(&self, chain_id: u64) -> AtGenesis {
        self.at_genesis.get(&chain_id).copied().unwrap_or_default()
    }

    /// The nodes of a chain follow another fork from a height on: remembers what is open there and waits for something.
    pub fn note_fork(&mut self, chain_id: u64, from: u64) {
        let id = ChainId::from(chain_id);
        let waits = |record: &&AttestationRecord| {
            record.chain_id == id && record.number >= from && record.is_open() && !record.waits.is_empty()
        };
        let open = self.open.iter().filter_map(|id| self.attestations.get(id));
        let open: Vec<u64> = open.filter(waits).map(|record| record.id).collect();
        self.off_course.entry(chain_id).or_default().extend(open);
    }

    /// The records that were seen to wait while their chain's nodes followed another fork, as they are now.
    pub fn off_course(&self, chain_id: u64) -> impl Iterator<Item = &AttestationRecord> {
        let ids = self.off_course.get(&chain_id).into_iter().flatten();
        ids.filter_map(|id| self.attestations.get(id))
    }

    /// Takes in refusals, seen at `at` since the start of the run.
    pub fn take_refusals(&mut self, records: Vec<RefusalRecord>, at: Duration) {
        for record in records {
            self.refusals.entry(record.id).or_insert((record, at));
        }
        while self.refusals.len() > MAX_RECORDS && self.refusals.pop_first().is_some() {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// How many records were dropped because there were too many.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// All attestation records, by id.
    pub fn attestations(&self) -> impl Iterator<Item = &AttestationRecord> {
        self.attestations.values()
    }

    /// All refusals, by id, and when they were first seen.
    pub fn refusals(&self) -> impl Iterator<Item = (&RefusalRecord, Duration)> {
        self.refusals.values().map(|(record, at)| (record, *at))
    }

    /// The record of a block, that of its own attestation first.
    pub fn of_block(&self, chain_id: u64, hash: B256) -> Option<&AttestationRecord> {
        let ids = self.by_block.get(&(ChainId::from(chain_id), hash)).into_iter().flatten();
        let records = ids.filter_map(|id| self.attestations.get(id));
        records.max_by_key(|record| (record.is_attested(), record.id))
    }

    /// The refusal of what was signed.
    pub fn refusal_of(&self, chain_id: u64, payload_hash: B256) -> Option<(&RefusalRecord, Duration)> {
        let chain_id = ChainId::from(chain_id);
        self.refusals()
            .find(|(record, _)| record.chain_id == chain_id && record.payload_hash == Some(payload_hash))
    }

    /// The records that were seen to wait for a chain's client while it answered errors, as they are now.
    pub fn held_up_by(&self, chain_id: u64) -> impl Iterator<Item = &AttestationRecord> {
        let ids = self.held_up.get(&chain_id).into_iter().flatten();
        ids.filter_map(|id| self.attestations.get(id))
    }

    /// The id of the first record that may still be another: it has no verdict yet, or only a replay is kept of it.
    pub fn first_unsettled(&self) -> Option<u64> {
        self.open.first().into_iter().chain(self.replays.first()).min().copied()
    }

    /// The id of the newest attestation record; 0 before the first.
    pub const fn last_attestation(&self) -> u64 {
        self.last
    }

    /// The id of the newest refusal; 0 before the first.
    pub fn last_refusal(&self) -> u64 {
        self.refusals.last_key_value().map(|(id, _)| *id).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status(reasons: &[&str]) -> SidecarStatus {
        let chain = json!({ "chain_id": "901", "gossiped": 1, "vouched": 1, "open": 0 });
        let status = json!({ "ready": reasons.is_empty(), "reasons": reasons, "chains": [chain] });
        serde_json::from_value(status).unwrap()
    }

    #[test]
    fn a_chain_is_read_from_when_nothing_is_said_against_it_first() {
        let (chain_id, other) = (ChainId::from(901), ChainId::from(902));
        let mut seen = Observations::default();
        seen.take_status(SidecarStatus::default());
        seen.take_status(status(&["chain 901 monitor: not heard of yet"]));
        assert!(!seen.is_monitored(chain_id));
        seen.take_status(status(&["chain 902 monitor: not heard of yet"]));
        assert!(seen.is_monitored(chain_id) && !seen.is_monitored(other));
        seen.take_status(status(&["chain 901 monitor: its client answers errors"]));
        assert!(seen.is_monitored(chain_id), "it goes on where it was");
    }
}
