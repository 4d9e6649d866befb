//! [`Observations`]: everything that the devnet has seen a sidecar say, kept together for the report. Pure.
//!
//! Records are kept by id, so that one that was open and is decided now replaces what it was. They are
//! bounded by [`MAX_RECORDS`]; beyond it the oldest decided ones are dropped. Where nothing is scripted,
//! those of blocks that are settled go long before that: see `settling`.

mod settling;

use super::claim_findings::ClaimFindings;
use super::counts::{AttestationCounts, MessageCounts};
use super::genesis_finality::GenesisFinality;
use super::seen_messages::SeenMessages;
use super::unknown_heads::UnknownHeads;
use super::withdrawn_verdicts::WithdrawnVerdicts;
use crate::findings::{AttestationRecord, EndpointOddity, ObservedRefusal, SidecarStatus};
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

/// The most records of each kind that are kept.
pub(crate) const MAX_RECORDS: usize = 100_000;

/// What a sidecar was seen to say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observations {
    /// Its last status.
    pub(crate) status: SidecarStatus,
    /// The chains whose blocks it was ever said to read.
    monitored: BTreeSet<ChainId>,
    /// The chains whose rollup node named no heads for a while, and what was made of it.
    unknown_heads: BTreeMap<u64, UnknownHeads>,
    /// The chains whose rollup node called genesis final for a while, and what was made of it.
    genesis_final: BTreeMap<u64, GenesisFinality>,
    /// The chains whose nodes were said to remain on replaced blocks, with both blocks.
    remained: BTreeSet<u64>,
    /// The chains of which a block was treated as final before it was, while their clients were rewound.
    final_early: BTreeSet<u64>,
    /// What it reports of messages.
    pub(crate) messages: SeenMessages,
    /// What it reports of verdicts that were withdrawn.
    pub(crate) withdrawn_verdicts: WithdrawnVerdicts,
    /// What it reports of claims, and of blocks that nobody attested.
    pub(crate) claims: ClaimFindings,
    attestations: BTreeMap<u64, AttestationRecord>,
    /// The records of each block.
    by_block: HashMap<(ChainId, B256), BTreeSet<u64>>,
    /// The records without a verdict.
    open: BTreeSet<u64>,
    /// The records that only a replay is kept of.
    replays: BTreeSet<u64>,
    /// Endpoints that were ever said to differ from the others: chain, place, and how.
    odd: BTreeSet<(u64, usize, EndpointOddity)>,
    /// Which chains' clients were ever named in the status as contradicting themselves.
    contradicted: BTreeSet<u64>,
    /// How often that was reported of each chain.
    contradictions: BTreeMap<u64, u64>,
    /// How often each chain's vouched head went back because L1 had reorged out its origin.
    l1_retractions: BTreeMap<u64, u64>,
    /// How often each chain's vouched head left a block in whose place another became final.
    replaced_retractions: BTreeMap<u64, u64>,
    /// How often a chain's attester was said to have signed two blocks of one height.
    equivocations: BTreeMap<u64, u64>,
    refusals: BTreeMap<u64, (ObservedRefusal, Duration)>,
    /// Which records were ever seen to wait for a chain's client that answered errors.
    held_up: BTreeMap<u64, BTreeSet<u64>>,
    /// Which records were open while their chain's nodes were on another branch.
    open_on_other_branch: BTreeMap<u64, BTreeSet<u64>>,
    /// Up to which height of each chain all is settled and forgotten.
    settled: BTreeMap<ChainId, u64>,
    /// What was forgotten so.
    settled_attestations: AttestationCounts,
    settled_unattested: AttestationCounts,
    settled_messages: MessageCounts,
    /// The id of the newest record.
    last: u64,
}

impl Observations {
    /// Records attestations; `outages` are the chains whose clients answer errors on purpose.
    pub(crate) fn record_attestations(&mut self, records: Vec<AttestationRecord>, outages: &[u64]) {
        for record in records {
            self.last = self.last.max(record.id);
            if self.is_settled_again(&record) {
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
        }
    }

    /// What is known of a block is not so any more: its records are read again.
    pub(super) fn reread(&mut self, chain_id: ChainId, hash: B256) {
        self.open.extend(self.by_block.get(&(chain_id, hash)).into_iter().flatten());
    }

    /// The height of the block that holds a chain's vouched head, if one does.
    pub(crate) fn hold(&self, chain_id: u64) -> Option<u64> {
        let id = ChainId::from(chain_id);
        let status = self.status.chains.iter().find(|status| status.chain_id == id)?;
        status.hold.map(|hold| hold.number)
    }

    /// Records that an endpoint of a chain was said to differ from the others.
    pub(crate) fn record_odd_endpoints(
        &mut self,
        endpoints: impl IntoIterator<Item = (u64, usize, EndpointOddity)>,
    ) {
        self.odd.extend(endpoints);
    }

    /// Whether an endpoint was ever said to differ from the others so.
    pub(crate) fn is_odd(&self, chain_id: u64, place: usize, oddity: EndpointOddity) -> bool {
        self.odd.contains(&(chain_id, place, oddity))
    }

    /// Records a status, and which clients it names as contradicting themselves.
    pub(crate) fn record_status(&mut self, status: SidecarStatus) {
        let chains = status.chains.iter().filter_map(|chain| chain.chain_id.as_u64());
        self.contradicted.extend(chains.filter(|chain_id| status.names_contradiction(*chain_id)));
        let chain_ids = status.chains.iter().map(|chain| chain.chain_id);
        self.monitored.extend(chain_ids.filter(|chain_id| status.is_monitored(*chain_id)));
        for chain in &status.chains {
            chain.hold.into_iter().for_each(|hold| self.claims.note_hold(chain.chain_id, hold.number));
        }
        self.status = status;
    }

    /// Whether it has begun to read a chain's blocks.
    pub(crate) fn is_monitored(&self, chain_id: ChainId) -> bool {
        self.monitored.contains(&chain_id)
    }

    /// Records how often clients were reported to contradict themselves, by chain.
    pub(crate) fn record_contradictions(&mut self, reported: impl IntoIterator<Item = (u64, u64)>) {
        self.contradictions.extend(reported);
    }

    /// Records how often vouched heads moved back because L1 had reorged out their origins, by chain.
    pub(crate) fn record_l1_retractions(&mut self, reported: impl IntoIterator<Item = (u64, u64)>) {
        self.l1_retractions.extend(reported);
    }

    /// How often a chain's vouched head left a block whose L1 origin was reorged out.
    pub(crate) fn l1_retractions(&self, chain_id: u64) -> u64 {
        self.l1_retractions.get(&chain_id).copied().unwrap_or_default()
    }

    /// Records how often vouched heads left blocks in whose place others became final, by chain.
    pub(crate) fn record_replaced_retractions(&mut self, reported: impl IntoIterator<Item = (u64, u64)>) {
        self.replaced_retractions.extend(reported);
    }

    /// How often a chain's vouched head left a block in whose place another became final.
    pub(crate) fn replaced_retractions(&self, chain_id: u64) -> u64 {
        self.replaced_retractions.get(&chain_id).copied().unwrap_or_default()
    }

    /// Records how often attesters were said to have signed two blocks of one height, by chain.
    pub(crate) fn record_equivocations(&mut self, reported: impl IntoIterator<Item = (u64, u64)>) {
        self.equivocations.extend(reported);
    }

    /// How often a chain's attester was said to have signed two blocks of one height.
    pub(crate) fn equivocations(&self, chain_id: u64) -> u64 {
        self.equivocations.get(&chain_id).copied().unwrap_or_default()
    }

    /// Whether the vouched head of every chain was reported this many times to have moved back because of L1.
    pub(crate) fn were_retracted_for_l1(&self, times: usize) -> bool {
        let reported = |chain_id: u64| self.l1_retractions.get(&chain_id).copied().unwrap_or_default();
        let chains = self.status.chains.iter().filter_map(|chain| chain.chain_id.as_u64());
        chains.map(reported).all(|reported| u64::try_from(times).is_ok_and(|times| reported == times))
    }

    /// Whether a chain's client is named as contradicting itself now.
    pub(crate) fn is_contradicted(&self, chain_id: u64) -> bool {
        self.status.names_contradiction(chain_id)
    }

    /// Whether a chain's client was named in the status, reported this many times, and is no longer named.
    pub(crate) fn was_contradicted(&self, chain_id: u64, times: usize) -> bool {
        let reported = self.contradictions.get(&chain_id).copied().unwrap_or_default();
        let is_named = self.contradicted.contains(&chain_id) && !self.is_contradicted(chain_id);
        is_named && u64::try_from(times).is_ok_and(|times| reported == times)
    }

    /// The rollup nodes of these chains name no heads: remembers what the sidecar makes of it, and of those
    /// that do again.
    pub(crate) fn observe_unknown_heads(&mut self, now: &[u64]) {
        for chain_id in now {
            self.unknown_heads.entry(*chain_id).or_default();
        }
        for (chain_id, unknown_heads) in &mut self.unknown_heads {
            unknown_heads.see(*chain_id, &self.status, !now.contains(chain_id));
        }
    }

    /// A chain's nodes remain on a block that was replaced: remembers whether the status says so.
    pub(crate) fn observe_remaining(&mut self, chain_id: u64, replaced: B256, by: B256) {
        if self.status.names_remaining(chain_id, &[replaced, by]) {
            self.remained.insert(chain_id);
        }
    }

    /// Whether a chain's nodes were said to stay on a replaced block.
    pub(crate) fn has_reported_remaining(&self, chain_id: u64) -> bool {
        self.remained.contains(&chain_id)
    }

    /// Whether a chain's nodes were said to stay on a replaced block, and are no longer.
    pub(crate) fn has_left_replaced_block(&self, chain_id: u64) -> bool {
        self.has_reported_remaining(chain_id) && !self.status.names_remaining(chain_id, &[])
    }

    /// A chain's client is rewound. `finalized`: the final height.
    pub(crate) fn observe_rewind(&mut self, chain_id: u64, finalized: u64) {
        let id = ChainId::from(chain_id);
        let status = self.status.chains.iter().find(|status| status.chain_id == id);
        if status.and_then(|status| status.finalized) > Some(finalized) {
            self.final_early.insert(chain_id);
        }
    }

    /// Whether a block of a chain was treated as final before it was, while its client was rewound.
    pub(crate) fn was_final_early(&self, chain_id: u64) -> bool {
        self.final_early.contains(&chain_id)
    }

    /// Whether there is a verdict on a block.
    pub(crate) fn is_judged(&self, chain_id: u64, hash: B256) -> bool {
        self.of_block(chain_id, hash).is_some_and(|record| !record.is_open())
    }

    /// Whether there is a verdict on a block, or its own chain's nodes are not what it waits for.
    pub(crate) fn is_judged_by_own_nodes(&self, chain_id: u64, hash: B256) -> bool {
        let own = ChainId::from(chain_id);
        let is_of_others = |record: &AttestationRecord| record.waits.iter().any(|wait| wait.chain_id != own);
        self.of_block(chain_id, hash).is_some_and(|record| !record.is_open() || is_of_others(record))
    }

    /// What was made of a rollup node that named no heads for a while.
    pub(crate) fn unknown_heads(&self, chain_id: u64) -> UnknownHeads {
        self.unknown_heads.get(&chain_id).copied().unwrap_or_default()
    }

    /// The rollup nodes of these chains call genesis final: remembers what the sidecar makes of it.
    pub(crate) fn observe_genesis_finality(&mut self, now: &[u64]) {
        for chain_id in now {
            self.genesis_final.entry(*chain_id).or_default();
        }
        for (chain_id, genesis_final) in &mut self.genesis_final {
            genesis_final.see(*chain_id, &self.status, !now.contains(chain_id));
        }
    }

    /// What was made of a rollup node that called genesis final for a while.
    pub(crate) fn genesis_final(&self, chain_id: u64) -> GenesisFinality {
        self.genesis_final.get(&chain_id).copied().unwrap_or_default()
    }

    /// The nodes of a chain are on another branch from a height on: remembers what is open there and waits
    /// for something.
    pub(crate) fn observe_other_branch(&mut self, chain_id: u64, from: u64) {
        let id = ChainId::from(chain_id);
        let waits = |record: &&AttestationRecord| {
            record.chain_id == id && record.number >= from && record.is_open() && !record.waits.is_empty()
        };
        let open = self.open.iter().filter_map(|id| self.attestations.get(id));
        let open: Vec<u64> = open.filter(waits).map(|record| record.id).collect();
        self.open_on_other_branch.entry(chain_id).or_default().extend(open);
    }

    /// The records that were seen to wait while their chain's nodes were on another branch, as they are now.
    pub(crate) fn open_on_other_branch(&self, chain_id: u64) -> impl Iterator<Item = &AttestationRecord> {
        let ids = self.open_on_other_branch.get(&chain_id).into_iter().flatten();
        ids.filter_map(|id| self.attestations.get(id))
    }

    /// Records refusals, seen at `at` since the start of the run.
    pub(crate) fn record_refusals(&mut self, records: Vec<ObservedRefusal>, at: Duration) {
        for record in records {
            self.refusals.entry(record.id).or_insert((record, at));
        }
        while self.refusals.len() > MAX_RECORDS {
            self.refusals.pop_first();
        }
    }

    /// All attestation records, by id.
    pub(crate) fn attestations(&self) -> impl Iterator<Item = &AttestationRecord> {
        self.attestations.values()
    }

    /// All refusals, by id, and when they were first seen.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = (&ObservedRefusal, Duration)> {
        self.refusals.values().map(|(record, at)| (record, *at))
    }

    /// The record of a block, that of its own attestation first.
    pub(crate) fn of_block(&self, chain_id: u64, hash: B256) -> Option<&AttestationRecord> {
        let ids = self.by_block.get(&(ChainId::from(chain_id), hash)).into_iter().flatten();
        let records = ids.filter_map(|id| self.attestations.get(id));
        records.max_by_key(|record| (record.is_attested(), record.id))
    }

    /// The refusal of what was signed.
    pub(crate) fn refusal_of(
        &self,
        chain_id: u64,
        payload_hash: B256,
    ) -> Option<(&ObservedRefusal, Duration)> {
        let chain_id = ChainId::from(chain_id);
        self.refusals()
            .find(|(record, _)| record.chain_id == chain_id && record.payload_hash == Some(payload_hash))
    }

    /// The records that were seen to wait for a chain's client while it answered errors, as they are now.
    pub(crate) fn held_up_by(&self, chain_id: u64) -> impl Iterator<Item = &AttestationRecord> {
        let ids = self.held_up.get(&chain_id).into_iter().flatten();
        ids.filter_map(|id| self.attestations.get(id))
    }

    /// The id of the first record that may still be another: it has no verdict yet, or only a replay is kept
    /// of it.
    pub(crate) fn first_unsettled(&self) -> Option<u64> {
        self.open.first().into_iter().chain(self.replays.first()).min().copied()
    }

    /// The id of the newest attestation record; 0 before the first.
    pub(crate) const fn last_attestation(&self) -> u64 {
        self.last
    }

    /// The id of the newest refusal; 0 before the first.
    pub(crate) fn last_refusal(&self) -> u64 {
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
    fn a_chain_is_monitored_once_its_monitor_has_no_reason() {
        let (chain_id, other) = (ChainId::from(901), ChainId::from(902));
        let mut seen = Observations::default();
        seen.record_status(SidecarStatus::default());
        seen.record_status(status(&["chain 901 monitor: has not reported yet"]));
        assert!(!seen.is_monitored(chain_id));
        seen.record_status(status(&["chain 902 monitor: has not reported yet"]));
        assert!(seen.is_monitored(chain_id) && !seen.is_monitored(other));
        seen.record_status(status(&["chain 901 monitor: its client answers errors"]));
        assert!(seen.is_monitored(chain_id), "it continues where it was");
    }
}
