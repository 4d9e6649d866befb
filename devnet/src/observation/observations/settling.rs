//! What was settled long ago is forgotten, and counted: so a run may be of any length.
//!
//! A block is settled when it is final for a while, was upheld, and each message that it executes was seen to
//! be valid. Heights are settled one after the other: what is not as it must be is kept, with all that comes
//! after it, for the report.

use super::Observations;
use crate::chain::L2Block;
use crate::findings::{AttestationRecord, MessagePlace};
use crate::observation::counts::{AttestationCounts, MessageCounts};
use crate::observation::executed::executed_by;
use crate::simulation::Sequencer;
use crosscheck_p2p::ChainId;

/// How far below the final block a block is settled: more may be said of one after its finality.
const SETTLED_BELOW: u64 = 64;

impl Observations {
    /// Forgets what is settled of a chain.
    pub(crate) fn settle(&mut self, sequencer: &Sequencer) {
        let chain_id = sequencer.chain_id();
        let last = sequencer.heads().finalized.saturating_sub(SETTLED_BELOW);
        for number in self.settled_up_to(chain_id).saturating_add(1)..=last {
            let block = sequencer.chain().canonical(number);
            if !block.is_some_and(|block| self.settle_block(chain_id, block)) {
                return;
            }
        }
    }

    /// Up to which height all of a chain is settled and forgotten.
    pub(crate) fn settled_up_to(&self, chain_id: u64) -> u64 {
        self.settled.get(&ChainId::from(chain_id)).copied().unwrap_or_default()
    }

    /// How many attestations were forgotten because they are settled, how many blocks that were not attested
    /// themselves, and how many messages of blocks.
    pub(crate) const fn settled(&self) -> (AttestationCounts, AttestationCounts, MessageCounts) {
        (self.settled_attestations, self.settled_unattested, self.settled_messages)
    }

    /// Whether a record says what was settled and forgotten.
    pub(super) fn is_settled_again(&self, record: &AttestationRecord) -> bool {
        self.settled.get(&record.chain_id).is_some_and(|settled| record.number <= *settled)
            && is_plain(record)
    }

    fn settle_block(&mut self, chain_id: u64, block: &L2Block) -> bool {
        let chain = ChainId::from(chain_id);
        let ids: Vec<u64> = self.by_block.get(&(chain, block.hash)).into_iter().flatten().copied().collect();
        let is_settled = |id: &u64| self.attestations.get(id).is_some_and(is_plain);
        let is_wanted = |id: &u64| {
            self.held_up.values().chain(self.open_on_other_branch.values()).any(|ids| ids.contains(id))
        };
        if ids.is_empty() || !ids.iter().all(is_settled) || ids.iter().any(is_wanted) {
            return false;
        }
        let places: Vec<MessagePlace> = executed_by(chain_id, block).collect();
        if !self.messages.settle(chain, block.number(), &places) {
            return false;
        }
        self.by_block.remove(&(chain, block.hash));
        for record in ids.iter().filter_map(|id| self.attestations.remove(id)).collect::<Vec<_>>() {
            self.count_settled(&record);
        }
        self.settled.insert(chain, block.number());
        true
    }

    fn count_settled(&mut self, record: &AttestationRecord) {
        let words =
            if record.is_attested() { &mut self.settled_attestations } else { &mut self.settled_unattested };
        words.received = words.received.saturating_add(1);
        words.upheld = words.upheld.saturating_add(1);
        let executed = u64::try_from(record.messages.len()).unwrap_or(u64::MAX);
        let valid = record.messages.iter().filter(|message| message.status == "valid").count();
        let valid = u64::try_from(valid).unwrap_or(u64::MAX);
        let messages = &mut self.settled_messages;
        messages.executed = messages.executed.saturating_add(executed);
        messages.valid = messages.valid.saturating_add(valid);
        messages.unknown = messages.unknown.saturating_add(executed.saturating_sub(valid));
    }
}

/// Whether a record says of a block what most do.
fn is_plain(record: &AttestationRecord) -> bool {
    record.verdict == "upheld" && !record.is_replay()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::FaultPlan;
    use crate::findings::{SidecarFinding, TrackedRecord};
    use crate::observation::counts::{count_attestations, count_messages};
    use crate::observation::seen_messages::TrackedCounts;
    use crate::report::{missed, unsettled};
    use crate::simulation::{Superchain, SuperchainParams};
    use crate::timing::Schedule;
    use crosscheck_p2p::UnixSeconds;
    use serde_json::json;

    const BLOCKS: u64 = 150;

    fn chains() -> Superchain {
        let plan = FaultPlan::new(&[], &SuperchainParams::chain_ids(2), Some(BLOCKS)).unwrap();
        let genesis_time = UnixSeconds(1_767_225_600);
        let schedule = Schedule { genesis_time, block_time: 2, blocks: Some(BLOCKS) };
        let mut superchain =
            Superchain::new(SuperchainParams { chains: 2, schedule, seed: 3, plan }).unwrap();
        while !superchain.is_complete() {
            superchain.tick().unwrap();
        }
        superchain
    }

    fn verdict(id: u64, chain_id: u64, block: &L2Block, verdict: &str) -> AttestationRecord {
        let messages = executed_by(chain_id, block).map(|_| json!({ "status": "valid", "reason": null }));
        serde_json::from_value(json!({
            "id": id, "chain_id": chain_id, "number": block.number(), "hash": block.hash, "origin": "attested",
            "attributable": true, "verdict": verdict, "reason": null, "decided_after_ms": 1,
            "messages": messages.collect::<Vec<_>>(),
        }))
        .unwrap()
    }

    fn message(place: &MessagePlace, sequence: u64, status: &str) -> TrackedRecord {
        serde_json::from_value(json!({
            "sequence": sequence, "log_index": place.log_index, "initiating": null, "status": status, "reason": null,
            "state": "finalized", "declared": true, "flips": 0,
            "executing": { "chain_id": place.chain_id, "number": place.number, "hash": place.hash },
        }))
        .unwrap()
    }

    /// All that a sidecar says of these chains, with `odd` in place of the verdict of one block of the first.
    fn said(
        superchain: &Superchain,
        odd: Option<(u64, &str)>,
    ) -> (Vec<AttestationRecord>, Vec<TrackedRecord>) {
        let (mut verdicts, mut messages) = (Vec::new(), Vec::new());
        for sequencer in superchain.sequencers() {
            let chain_id = sequencer.chain_id();
            for number in 1..=BLOCKS {
                let block = sequencer.chain().canonical(number).unwrap();
                let word =
                    odd.filter(|(at, _)| (chain_id, *at) == (901, number)).map_or("upheld", |(_, word)| word);
                verdicts.push(verdict(verdicts.len() as u64 + 1, chain_id, block, word));
                for place in executed_by(chain_id, block) {
                    messages.push(message(&place, messages.len() as u64 + 1, "valid"));
                }
            }
        }
        (verdicts, messages)
    }

    fn observed(superchain: &Superchain, odd: Option<(u64, &str)>, forgets: bool) -> Observations {
        let (verdicts, messages) = said(superchain, odd);
        let mut seen = Observations::default();
        // Everything is said twice, as after a restart of the watch.
        for _ in 0..2 {
            seen.record_attestations(verdicts.clone(), &[]);
            seen.messages.take(messages.clone());
            if forgets {
                superchain.sequencers().iter().for_each(|sequencer| seen.settle(sequencer));
            }
        }
        seen
    }

    #[test]
    fn settled_blocks_are_forgotten_and_counted_and_others_are_judged_as_before() {
        let superchain = chains();
        let plan = &superchain.params().plan;
        for odd in [None, Some((40, "violated")), Some((90, "open")), Some((149, "discarded"))] {
            let (all, few) = (observed(&superchain, odd, false), observed(&superchain, odd, true));
            assert_eq!(count_attestations(&few), count_attestations(&all), "{odd:?}");
            assert_eq!(count_messages(&few), count_messages(&all), "{odd:?}");
            assert_eq!(TrackedCounts::from(&few.messages), TrackedCounts::from(&all.messages), "{odd:?}");
            let sequencers = superchain.sequencers();
            assert_eq!(unsettled(sequencers, plan, &few), unsettled(sequencers, plan, &all), "{odd:?}");
            assert_eq!(missed(sequencers, &[], &few.messages), missed(sequencers, &[], &all.messages));
            assert_eq!(few.last_attestation(), all.last_attestation());
            let settled = odd.map_or(BLOCKS, |(number, _)| number - 1).min(BLOCKS - SETTLED_BELOW);
            assert_eq!((few.settled_up_to(901), few.settled_up_to(902)), (settled, BLOCKS - SETTLED_BELOW));
            assert_eq!(few.attestations().count() as u64, 2 * BLOCKS - settled - (BLOCKS - SETTLED_BELOW));
        }
    }

    #[test]
    fn a_later_change_of_a_settled_block_is_kept() {
        let superchain = chains();
        let mut seen = observed(&superchain, None, true);
        let sequencer = &superchain.sequencers()[0];
        let block = (9..=BLOCKS - SETTLED_BELOW)
            .filter_map(|number| sequencer.chain().canonical(number))
            .find(|block| executed_by(901, block).next().is_some())
            .unwrap();
        seen.record_attestations(vec![verdict(9_001, 901, block, "violated")], &[]);
        let place = executed_by(901, block).next().unwrap();
        seen.messages.take(vec![message(&place, 9_001, "invalid")]);
        assert!(matches!(seen.of_block(901, block.hash).unwrap().finding(), SidecarFinding::Violated { .. }));
        assert!(seen.messages.at(&place).unwrap().was_invalid);
    }

    #[test]
    fn a_message_that_was_not_seen_to_be_valid_keeps_its_block() {
        let superchain = chains();
        let (verdicts, mut messages) = said(&superchain, None);
        let unseen = messages.iter().position(|message| message.executing.chain_id == 901.into()).unwrap();
        let place = messages.remove(unseen).place();
        let mut seen = Observations::default();
        seen.record_attestations(verdicts, &[]);
        seen.messages.take(messages);
        superchain.sequencers().iter().for_each(|sequencer| seen.settle(sequencer));
        assert_eq!(seen.settled_up_to(901), place.number - 1);
        let missed = missed(superchain.sequencers(), &[], &seen.messages);
        assert_eq!(
            missed.iter().map(|one| (one.block, one.log_index)).collect::<Vec<_>>(),
            [(place.number, place.log_index)]
        );
    }
}
