//! [`draw`]: faults from a seed, each in a place that the plan accepts. Pure.

use super::registry::REGISTRY;
use super::{FaultPlan, FaultSpec};
use alloy::primitives::keccak256;
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha12Rng;

/// This many blocks lie between two drawn faults of a chain, so that each can be found by itself.
const ROOM: u64 = 10;
/// How many places are tried for each fault.
const TRIES: usize = 64;

/// At most `count` faults that fit into a plan and leave each other room. The same arguments give the same
/// faults; those that a run of this length and block time has no place for are left out.
pub(crate) fn draw(
    plan: &FaultPlan,
    count: usize,
    seed: u64,
    chain_ids: &[u64],
    (blocks, block_time): (u64, u64),
) -> Vec<FaultSpec> {
    let mut rng = ChaCha12Rng::from_seed(keccak256([&b"faults"[..], &seed.to_be_bytes()].concat()).0);
    let (mut plan, mut drawn) = (plan.clone(), Vec::new());
    for _ in 0..count.saturating_mul(TRIES) {
        if drawn.len() >= count {
            break;
        }
        let Some(fault) =
            REGISTRY.choose(&mut rng).filter(|fault| fault.is_drawn && block_time <= fault.max_block_time)
        else {
            continue;
        };
        let (first, last) = (fault.earliest_block, fault.latest_block.min(blocks));
        if first > last {
            continue;
        }
        let block = rng.random_range(first..=last);
        let spec = FaultSpec { fault, block, chain_id: chain_ids.choose(&mut rng).copied() };
        let fits = plan.place(&spec, chain_ids, Some(blocks)).is_ok_and(|parts| plan.has_room(&parts, ROOM));
        if fits && plan.add(&spec, chain_ids, Some(blocks)).is_ok() {
            drawn.push(spec);
        }
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const CHAINS: [u64; 4] = [901, 902, 903, 904];

    fn drawn(seed: u64, count: usize) -> Vec<FaultSpec> {
        draw(&FaultPlan::default(), count, seed, &CHAINS, (2_000, 2))
    }

    #[test]
    fn the_same_seed_draws_the_same_faults_and_they_fit_into_a_plan() {
        let text = |faults: &[FaultSpec]| faults.iter().map(ToString::to_string).collect::<Vec<_>>();
        let faults = drawn(3, 120);
        assert_eq!(faults.len(), 120);
        FaultPlan::new(&faults, &CHAINS, Some(2_000)).unwrap();
        assert_eq!(text(&faults), text(&drawn(3, 120)));
        assert_ne!(text(&faults), text(&drawn(4, 120)));
    }

    #[test]
    fn every_fault_is_drawn_sooner_or_later() {
        let names: BTreeSet<_> =
            (0..8).flat_map(|seed| drawn(seed, 120)).map(|spec| spec.fault.name).collect();
        let all = REGISTRY.iter().filter(|fault| fault.is_drawn).count();
        assert_eq!(names.len(), all, "{names:?}");
    }

    #[test]
    fn drawn_faults_stay_clear_of_scripted_ones() {
        let scripted: Vec<FaultSpec> = vec!["long-outage@100".parse().unwrap()];
        let plan = FaultPlan::new(&scripted, &CHAINS, Some(2_000)).unwrap();
        let mut all = scripted;
        all.extend(draw(&plan, 100, 1, &CHAINS, (2_000, 2)));
        assert!(all.len() > 50);
        FaultPlan::new(&all, &CHAINS, Some(2_000)).unwrap();
    }

    #[test]
    fn a_short_run_has_room_for_few() {
        let faults = draw(&FaultPlan::default(), 100, 1, &[901], (30, 2));
        assert!(!faults.is_empty() && faults.len() <= 4, "{}", faults.len());
    }
}
