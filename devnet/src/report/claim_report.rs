//! What must be found of claims without a signature, and what the script explains of them. Pure.

use super::devnet_report::{FalseAlarm, PlantedFault};
use crate::faults::{Attested, Claimant, DisturbanceKind};
use crate::findings::{AnswerRecord, SidecarFinding, claimant_name, rollup_node_name};
use crate::follower::DevnetFollowMode;
use crate::observation::{Observations, Refutation};
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use std::collections::{BTreeMap, BTreeSet};

/// How the sidecar learns which blocks are called cross-safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunMode {
    /// Whether sequencers attest blocks.
    pub(crate) attester: bool,
    /// What its head for followers rests on.
    pub(crate) follow_mode: DevnetFollowMode,
}

impl RunMode {
    /// Attestations, and nothing else.
    pub(crate) const ATTESTED: Self = Self { attester: true, follow_mode: DevnetFollowMode::Attested };

    /// Whether blocks are audited because a rollup node has derived them, attested or not.
    pub(crate) fn audits_derived(self, has_plain_node: bool) -> bool {
        match self.follow_mode {
            DevnetFollowMode::Attested => false,
            DevnetFollowMode::Clamp => has_plain_node,
            DevnetFollowMode::Verified => true,
        }
    }
}

/// A block that a claimant called safe, and that is not the chain's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlantedClaim {
    /// The block.
    pub(crate) hash: B256,
    /// The chain's own of that height.
    pub(crate) own: B256,
}

/// What the sidecar must say, and what it may say besides.
#[derive(Debug, Default)]
pub(super) struct ClaimScript {
    /// The claims that must be refuted, and the heights of their blocks.
    refuted: BTreeMap<Refutation, u64>,
    /// The blocks that only odd claimants call safe: what they and others say there differs.
    odd: BTreeSet<(ChainId, String, B256)>,
}

impl ClaimScript {
    pub(super) fn new(planted: &[PlantedFault], mode: RunMode) -> Self {
        let mut script = Self::default();
        for each in planted {
            let chain_id = each.fault.chain_id;
            let is_kept =
                each.fault.expected().stops_followers() && each.fault.fault.attested == Attested::Block;
            for attestation in each.attestations.iter().filter(|_| is_kept) {
                for claimant in claimants_of(planted, chain_id, mode) {
                    script.must_refute(each, attestation.hash, claimant);
                }
            }
            let Some(claimed) = each.claimed else { continue };
            let name = claimant_name(odd_claimant(each).place(), chain_id);
            if each.fault.fault.is_claimed {
                script.must_refute(each, claimed.hash, name.clone());
            }
            script.odd.insert((ChainId::from(chain_id), name, claimed.hash));
        }
        script
    }

    fn must_refute(&mut self, planted: &PlantedFault, hash: B256, claimant: String) {
        let chain_id = planted.fault.chain_id;
        self.refuted.insert(Refutation { chain_id, hash, claimant }, planted.fault.block);
    }

    /// What was said of claims that nothing explains.
    pub(super) fn alarms<'a>(&'a self, seen: &'a Observations) -> impl Iterator<Item = FalseAlarm> + 'a {
        let refuted = seen.claims.refutations().filter(|(_, refuted)| !self.refuted.contains_key(refuted));
        let refuted = refuted.map(|(number, Refutation { chain_id, hash, claimant })| {
            let said = format!("the claim of {claimant} is refuted");
            alarm(ChainId::from(chain_id), number, hash, said)
        });
        let differ = seen.claims.differences().filter(|(chain_id, _, answers)| {
            let is_odd =
                |answer: &AnswerRecord| self.odd.contains(&(*chain_id, answer.claimant.clone(), answer.hash));
            !answers.iter().any(is_odd)
        });
        let differ = differ.map(|(chain_id, number, [first, second])| {
            let said = format!("{} and {} differ", first.claimant, second.claimant);
            alarm(chain_id, number, first.hash, said)
        });
        refuted.chain(differ)
    }
}

/// The claims that must be refuted and are not, as text.
pub(crate) fn unrefuted(planted: &[PlantedFault], mode: RunMode, seen: &Observations) -> Vec<String> {
    let script = ClaimScript::new(planted, mode);
    let missing = script.refuted.iter().filter(|(claim, _)| !seen.claims.is_refuted(claim));
    let line = |(Refutation { chain_id, claimant, .. }, number): (&Refutation, &u64)| {
        format!("chain {chain_id} block {number}: the claim of {claimant} is not refuted")
    };
    missing.map(line).collect()
}

/// Whether the claim for which a block is planted was refuted.
pub(crate) fn is_lie_refuted(planted: &PlantedFault, seen: &Observations) -> bool {
    let chain_id = planted.fault.chain_id;
    let claimant = claimant_name(Claimant::Lying.place(), chain_id);
    planted
        .claimed
        .is_some_and(|claimed| seen.claims.is_refuted(&Refutation { chain_id, hash: claimed.hash, claimant }))
}

/// Whether it was said with both answers that two claimants differ.
pub(crate) fn is_difference_reported(planted: &PlantedFault, seen: &Observations) -> bool {
    let chain_id = planted.fault.chain_id;
    let answer =
        |claimant: Claimant, hash| AnswerRecord { claimant: claimant_name(claimant.place(), chain_id), hash };
    planted.claimed.is_some_and(|PlantedClaim { hash, own }| {
        let answers = [answer(Claimant::Honest, own), answer(Claimant::Differing, hash)];
        seen.claims.is_differing(chain_id, planted.fault.block, &answers)
    })
}

/// Reports about signers in a run in which nobody signs attestations.
pub(super) fn signers_named(seen: &Observations, mode: RunMode) -> impl Iterator<Item = FalseAlarm> {
    let bound = seen
        .attestations()
        .filter(move |record| !mode.attester && (record.is_attested() || record.attributable.is_some()));
    bound.map(|record| {
        let said = "an attestation, and nobody attests".to_owned();
        alarm(record.chain_id, record.number, record.hash, said)
    })
}

fn alarm(chain_id: ChainId, number: u64, hash: B256, said: String) -> FalseAlarm {
    let found = SidecarFinding::Unexplained { said };
    FalseAlarm { chain_id, block: Some(number), hash: Some(hash), found }
}

/// The endpoints that call safe what the chain has.
fn claimants_of(planted: &[PlantedFault], chain_id: u64, mode: RunMode) -> Vec<String> {
    let of_chain = || planted.iter().filter(|each| each.fault.chain_id == chain_id);
    let is_plain = of_chain().any(|each| each.fault.fault.remain_ticks() > 0);
    let upstream = mode.follow_mode == DevnetFollowMode::Clamp && !is_plain;
    // The differing one is another block's claimant for long, and then claims what is on top of this one.
    let claimants = [Claimant::Honest, Claimant::Lying, Claimant::Differing];
    let named = claimants.iter().filter(|_| of_chain().any(|each| each.fault.fault.has_claimants()));
    let named = named.map(|claimant| claimant_name(claimant.place(), chain_id));
    upstream.then(|| rollup_node_name(chain_id)).into_iter().chain(named).collect()
}

fn odd_claimant(planted: &PlantedFault) -> Claimant {
    match planted.fault.disturbance() {
        Some(DisturbanceKind::ClaimantDiffers) => Claimant::Differing,
        _ => Claimant::Lying,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{FaultPlan, FaultSpec};
    use crate::findings::{BlockRecord, ClaimEvent, ClaimPage, ClaimRecord};
    use crate::report::PlantedAttestation;
    use rstest::rstest;

    const OWN: B256 = B256::repeat_byte(1);
    const ODD: B256 = B256::repeat_byte(2);

    fn planted(fault: &str) -> PlantedFault {
        let specs: Vec<FaultSpec> = vec![fault.parse().unwrap()];
        let fault = *FaultPlan::new(&specs, &[901, 902], None).unwrap().iter().next().unwrap();
        let attestation = PlantedAttestation { hash: OWN, payload_hash: None, published_at: None };
        let claimed = fault.fault.has_claimants().then_some(PlantedClaim { hash: ODD, own: OWN });
        PlantedFault { fault, attestations: vec![attestation], claimed, executed: Vec::new() }
    }

    fn refuted(hash: B256, claimant: &str) -> ClaimEvent {
        let block = BlockRecord { chain_id: ChainId::from(901), number: 20, hash };
        ClaimEvent::ClaimRefuted { block, claimant: claimant.to_owned() }
    }

    fn differ(first: (&str, B256), second: (&str, B256)) -> ClaimEvent {
        let answer = |(claimant, hash): (&str, B256)| AnswerRecord { claimant: claimant.to_owned(), hash };
        let answers = [answer(first), answer(second)];
        ClaimEvent::ClaimantsDiffer { chain_id: ChainId::from(901), number: 20, answers }
    }

    fn seen(events: Vec<ClaimEvent>) -> Observations {
        let events = (1..).zip(events).map(|(id, event)| ClaimRecord { id, event }).collect();
        let mut seen = Observations::default();
        seen.record_claims(ClaimPage { events, cursor: 9 });
        seen
    }

    fn mode(follow_mode: DevnetFollowMode) -> RunMode {
        RunMode { attester: false, follow_mode }
    }

    /// How many alarms there are, and how many claims should have been refuted.
    fn found(fault: &str, follow_mode: DevnetFollowMode, events: Vec<ClaimEvent>) -> (usize, usize) {
        let (planted, seen, mode) = ([planted(fault)], seen(events), mode(follow_mode));
        (ClaimScript::new(&planted, mode).alarms(&seen).count(), unrefuted(&planted, mode, &seen).len())
    }

    #[rstest]
    #[case::nothing(vec![], (0, 1))]
    #[case::the_liar(vec![refuted(ODD, "claimant #1 of chain 901")], (0, 0))]
    #[case::an_honest_one(vec![refuted(ODD, "claimant #0 of chain 901")], (1, 1))]
    #[case::another_block(vec![refuted(OWN, "claimant #1 of chain 901")], (1, 1))]
    #[case::a_difference_that_lasts(
        vec![
            refuted(ODD, "claimant #1 of chain 901"),
            differ(("claimant #0 of chain 901", OWN), ("claimant #1 of chain 901", ODD)),
        ],
        (0, 0)
    )]
    fn only_the_liar_may_be_refuted(#[case] events: Vec<ClaimEvent>, #[case] expected: (usize, usize)) {
        assert_eq!(found("lying-claimant@20", DevnetFollowMode::Verified, events), expected);
    }

    #[rstest]
    #[case::verified(DevnetFollowMode::Verified, "invalid-message@20", 0)]
    #[case::clamp(DevnetFollowMode::Clamp, "invalid-message@20", 1)]
    #[case::replaced(DevnetFollowMode::Clamp, "justified-replacement@20", 0)]
    #[case::valid(DevnetFollowMode::Clamp, "undeclared-access@20", 0)]
    fn an_upstream_that_calls_an_invalid_block_safe_is_refuted(
        #[case] follow_mode: DevnetFollowMode,
        #[case] fault: &str,
        #[case] claims: usize,
    ) {
        assert_eq!(found(fault, follow_mode, vec![]), (0, claims));
        let events = vec![refuted(OWN, "rollup-node #0 of chain 901")];
        assert_eq!(found(fault, follow_mode, events), (1 - claims, 0));
    }

    #[rstest]
    #[case::as_it_is([("claimant #0 of chain 901", OWN), ("claimant #2 of chain 901", ODD)], true, 0)]
    #[case::with_another_answer([("claimant #0 of chain 901", ODD), ("claimant #2 of chain 901", ODD)], false, 0)]
    #[case::from_the_upstream([("claimant #2 of chain 901", ODD), ("rollup-node #0 of chain 901", OWN)], false, 0)]
    #[case::of_honest_ones([("claimant #0 of chain 901", OWN), ("claimant #1 of chain 901", ODD)], false, 1)]
    fn a_difference_is_reported_with_both_answers(
        #[case] answers: [(&str, B256); 2],
        #[case] is_reported: bool,
        #[case] alarms: usize,
    ) {
        let planted = planted("claimants-differ@20");
        let seen = seen(vec![differ(answers[0], answers[1])]);
        assert_eq!(is_difference_reported(&planted, &seen), is_reported);
        let script = ClaimScript::new(core::slice::from_ref(&planted), mode(DevnetFollowMode::Clamp));
        assert_eq!(script.alarms(&seen).count(), alarms);
    }
}
