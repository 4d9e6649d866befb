//! Whole runs without sockets: determinism, promotion, and each fault in its place.

use super::*;
use crate::chain::L2Block;
use crate::contracts::bindings::ICrossL2Inbox;
use crate::faults::FaultSpec;
use crate::simulation::chain_tick::Attestation;
use crate::timing::{CROSS_SAFE_TICKS, EXPIRY_BLOCKS, WITHDRAWN_TICKS};
use alloy::{
    primitives::{B256, U256},
    sol_types::SolEvent,
};
use crosscheck_core::message::{CROSS_L2_INBOX, payload_hash};
use rstest::rstest;
use std::{collections::HashMap, sync::Arc};

/// The most ticks that the last block can need from being built to being final, with one replacement on the
/// way.
const SETTLING_TICKS: u64 = 4 * (TICKS_PER_L1_BLOCK + CROSS_SAFE_TICKS)
    + WITHDRAWN_TICKS
    + (L1_FINALITY_DEPTH + 1) * TICKS_PER_L1_BLOCK;

const BLOCKS: u64 = 60;
const TEN_FAULTS: [&str; 10] = [
    "invalid-message@15",
    "wrong-payload-hash@20",
    "wrong-log-index@22:902",
    "expired-message@25",
    "unknown-chain@28",
    "unjustified-replacement@32",
    "justified-replacement@38:902",
    "not-derived@42",
    "wrong-signer@46",
    "rpc-outage@50",
];

pub(super) fn superchain(chains: u64, blocks: u64, seed: u64, faults: &[&str]) -> Superchain {
    let specs: Vec<FaultSpec> = faults.iter().map(|text| text.parse().unwrap()).collect();
    let plan = FaultPlan::new(&specs, &SuperchainParams::chain_ids(chains), Some(blocks)).unwrap();
    let schedule = Schedule { genesis_time: UnixSeconds(1_767_225_600), block_time: 2, blocks: Some(blocks) };
    Superchain::new(SuperchainParams { chains, schedule, seed, plan }).unwrap()
}

/// Runs to the end; fails if that takes longer than it may.
pub(super) fn run(superchain: &mut Superchain, blocks: u64) -> Vec<Tick> {
    let mut ticks = Vec::new();
    while !superchain.is_complete() {
        ticks.push(superchain.tick().unwrap());
        assert!(ticks.len() as u64 <= blocks + SETTLING_TICKS, "the run does not end");
    }
    ticks
}

fn attestations(ticks: &[Tick], chain_id: u64) -> Vec<&Attestation> {
    let chains = ticks.iter().flat_map(|tick| &tick.chains).filter(|chain| chain.chain_id == chain_id);
    chains.flat_map(|chain| &chain.attestations).collect()
}

pub(super) fn attestation_of(ticks: &[Tick], chain_id: u64, number: u64) -> &Attestation {
    attestations(ticks, chain_id)
        .into_iter()
        .find(|attestation| attestation.block.number() == number)
        .unwrap()
}

/// Why each message of a block is invalid, against the canonical chains; `None`: it is valid.
fn broken_rules(superchain: &Superchain, block: &L2Block) -> Vec<Option<&'static str>> {
    let executed = block.logs().filter(|(_, _, log)| log.address == CROSS_L2_INBOX);
    executed
        .map(|(_, _, log)| {
            let event = ICrossL2Inbox::ExecutingMessage::decode_log(log).unwrap();
            let chains = superchain.sequencers().iter();
            let chain = chains
                .map(Sequencer::chain)
                .find(|chain| U256::from(chain.params().chain_id) == event.id.chainId);
            let Some(chain) = chain else { return Some("unknown-chain") };
            let initiating = chain.canonical(event.id.blockNumber.to()).unwrap();
            if initiating.number() >= block.number() {
                return Some("not older");
            }
            if block.number() - initiating.number() > EXPIRY_BLOCKS {
                return Some("expired");
            }
            let logs: Vec<_> = initiating.logs().map(|(_, _, log)| log).collect();
            let Some(named) = logs.get(event.id.logIndex.to::<usize>()) else { return Some("log-not-found") };
            assert_eq!(U256::from(initiating.timestamp().0), event.id.timestamp);
            let says = |log: &&alloy::primitives::Log| payload_hash(&log.data) == event.msgHash;
            match (says(named), logs.iter().any(says)) {
                (true, _) if named.address == event.id.origin => None,
                (true, _) => Some("wrong-origin"),
                (false, true) => Some("wrong-log-index"),
                (false, false) => Some("payload-mismatch"),
            }
        })
        .collect()
}

#[rstest]
#[case::one_chain(1, &["invalid-message@8", "expired-message@20", "justified-replacement@22"])]
#[case::two_chains(2, &TEN_FAULTS)]
fn the_same_seed_gives_the_same_chains(#[case] chains: u64, #[case] faults: &[&str]) {
    let hashes = |seed| {
        let mut superchain = superchain(chains, BLOCKS, seed, faults);
        let ticks = run(&mut superchain, BLOCKS);
        let built = ticks.iter().flat_map(|tick| &tick.chains).flat_map(|chain| &chain.built);
        built.map(|block| block.hash).collect::<Vec<B256>>()
    };
    let first = hashes(7);
    assert_eq!(first, hashes(7));
    assert_ne!(first, hashes(8));
}

#[test]
fn an_honest_run_attests_every_block_once_and_all_messages_are_valid() {
    let mut superchain = superchain(3, BLOCKS, 7, &[]);
    let ticks = run(&mut superchain, BLOCKS);
    let mut executed = 0;
    for sequencer in superchain.sequencers() {
        let attestations = attestations(&ticks, sequencer.chain_id());
        let numbers: Vec<_> = attestations.iter().map(|attestation| attestation.block.number()).collect();
        assert_eq!(numbers, (1..=BLOCKS).collect::<Vec<_>>());
        for attestation in attestations {
            assert_eq!(sequencer.chain().canonical(attestation.block.number()), Some(&attestation.block));
            assert!(!attestation.by_impostor && attestation.fault.is_none());
            let rules = broken_rules(&superchain, &attestation.block);
            assert!(rules.iter().all(Option::is_none), "{rules:?}");
            executed += rules.len();
        }
    }
    assert!(executed > 100, "only {executed} messages were executed");
}

#[test]
fn heads_never_overtake_each_other_and_never_fall_below_cross_safe() {
    let mut superchain = superchain(2, BLOCKS, 7, &TEN_FAULTS);
    let mut last: HashMap<u64, u64> = HashMap::new();
    for tick in run(&mut superchain, BLOCKS) {
        for chain in tick.chains {
            let heads = chain.heads;
            assert_eq!(heads.unsafe_head, tick.number.min(BLOCKS));
            assert!(heads.finalized <= heads.safe && heads.safe <= heads.local_safe);
            assert!(heads.local_safe <= heads.unsafe_head);
            let before = last.insert(chain.chain_id, heads.safe).unwrap_or_default();
            assert!(before <= heads.safe);
        }
    }
}

#[rstest]
#[case::invalid_message("invalid-message@15", "log-not-found")]
#[case::wrong_payload_hash("wrong-payload-hash@20", "payload-mismatch")]
#[case::wrong_log_index("wrong-log-index@22", "wrong-log-index")]
#[case::expired_message("expired-message@25", "expired")]
#[case::earliest_expired_message("expired-message@20", "expired")]
#[case::unknown_chain("unknown-chain@28", "unknown-chain")]
#[case::last_block("unknown-chain@30", "unknown-chain")]
fn a_scripted_message_is_the_only_invalid_one(#[case] fault: &str, #[case] rule: &str) {
    let mut superchain = superchain(2, 30, 7, &[fault]);
    let ticks = run(&mut superchain, 30);
    let mut broken = Vec::new();
    for attestation in [901, 902].iter().flat_map(|chain| attestations(&ticks, *chain)) {
        let rules = broken_rules(&superchain, &attestation.block).into_iter().flatten();
        broken.extend(rules.map(|rule| (attestation.fault.map(|planned| planned.fault.name), rule)));
    }
    assert_eq!(broken, [(fault.split('@').next(), rule)]);
}

#[rstest]
#[case::two_chains(2, 0..4)]
#[case::four_chains(4, 4..6)]
fn every_seed_carries_out_the_script_and_breaks_nothing_else(
    #[case] chains: u64,
    #[case] seeds: std::ops::Range<u64>,
) {
    for seed in seeds {
        let mut superchain = superchain(chains, BLOCKS, seed, &TEN_FAULTS);
        let ticks = run(&mut superchain, BLOCKS);
        let mut broken = Vec::new();
        for chain_id in SuperchainParams::chain_ids(chains) {
            for attestation in attestations(&ticks, chain_id) {
                let rules = broken_rules(&superchain, &attestation.block).into_iter().flatten();
                broken.extend(rules.map(|rule| (chain_id, attestation.block.number(), rule)));
            }
        }
        let scripted = [
            (901, 15, "log-not-found"),
            (901, 20, "payload-mismatch"),
            (901, 25, "expired"),
            (901, 28, "unknown-chain"),
            (902, 22, "wrong-log-index"),
        ];
        assert_eq!(broken, scripted, "seed {seed}");
    }
}

#[rstest]
#[case::mid_run("justified-replacement@38:902", 902, 38)]
#[case::earliest("justified-replacement@8:902", 902, 8)]
#[case::last_block("justified-replacement@60:901", 901, 60)]
fn a_justified_replacement_takes_the_height(#[case] fault: &str, #[case] chain_id: u64, #[case] height: u64) {
    let mut superchain = superchain(2, BLOCKS, 7, &[fault]);
    let ticks = run(&mut superchain, BLOCKS);
    let built = ticks.iter().flat_map(|tick| &tick.chains).filter(|chain| chain.chain_id == chain_id);
    let original = built.flat_map(|chain| &chain.built).find(|block| block.number() == height).unwrap();
    let attestation = attestation_of(&ticks, chain_id, height);
    assert_ne!(attestation.block.hash, original.hash);
    assert_eq!(attestation.block.header.parent_hash, original.header.parent_hash);
    assert!(attestation.block.is_deposits_only() && !original.is_deposits_only());
    assert!(broken_rules(&superchain, original).contains(&Some("log-not-found")));
    let attestations = attestations(&ticks, chain_id);
    assert!(attestations.windows(2).all(|pair| pair[1].block.header.parent_hash == pair[0].block.hash));
    assert_eq!(attestations.len() as u64, BLOCKS);
}

#[test]
fn faults_above_a_replacement_still_happen() {
    let faults =
        ["justified-replacement@20", "invalid-message@21", "not-derived@23", "justified-replacement@28"];
    let mut superchain = superchain(2, 40, 7, &faults);
    let ticks = run(&mut superchain, 40);
    assert!(attestation_of(&ticks, 901, 20).block.is_deposits_only());
    let invalid = Arc::clone(&attestation_of(&ticks, 901, 21).block);
    assert!(broken_rules(&superchain, &invalid).contains(&Some("log-not-found")));
    assert!(attestation_of(&ticks, 901, 28).block.is_deposits_only());
    let canonical = superchain.sequencers()[0].chain().canonical(23).unwrap();
    assert_ne!(attestation_of(&ticks, 901, 23).block.hash, canonical.hash);
}

#[rstest]
#[case::unjustified_replacement("unjustified-replacement@32", true)]
#[case::not_derived("not-derived@32", false)]
fn a_sibling_is_attested_and_the_chain_stays(#[case] fault: &str, #[case] deposits_only: bool) {
    let mut superchain = superchain(2, 40, 7, &[fault]);
    let ticks = run(&mut superchain, 40);
    let canonical = Arc::clone(superchain.sequencers()[0].chain().canonical(32).unwrap());
    let attestations = attestations(&ticks, 901);
    let at_height: Vec<_> =
        attestations.iter().filter(|attestation| attestation.block.number() == 32).collect();
    assert_eq!(at_height.len(), 1, "the honest block of the height is not attested");
    let sibling = &at_height[0].block;
    assert_ne!(sibling.hash, canonical.hash);
    assert_eq!(sibling.header.parent_hash, canonical.header.parent_hash);
    assert_eq!(sibling.raw_transactions[0], canonical.raw_transactions[0]);
    assert_eq!(sibling.is_deposits_only(), deposits_only);
    assert_eq!(attestation_of(&ticks, 901, 33).block.header.parent_hash, canonical.hash);
}

#[test]
fn a_wrong_signer_signs_the_honest_block() {
    let mut superchain = superchain(2, 40, 7, &["wrong-signer@32:902"]);
    let ticks = run(&mut superchain, 40);
    let attestation = attestation_of(&ticks, 902, 32);
    assert!(attestation.by_impostor);
    assert_eq!(superchain.sequencers()[1].chain().canonical(32), Some(&attestation.block));
}

#[test]
fn an_outage_spans_ten_ticks_of_one_chain() {
    let mut superchain = superchain(2, 40, 7, &["rpc-outage@30:902"]);
    let ticks = run(&mut superchain, 40);
    let out: Vec<_> = ticks.iter().filter(|tick| tick.chains[1].outage).map(|tick| tick.number).collect();
    assert_eq!(out, (30..40).collect::<Vec<_>>());
    assert!(ticks.iter().all(|tick| !tick.chains[0].outage));
}

pub(super) fn canonical(superchain: &Superchain, chain: usize, number: u64) -> Arc<L2Block> {
    Arc::clone(superchain.sequencers()[chain].chain().canonical(number).unwrap())
}

/// Every block of a chain is the child of the one before, and derives from a canonical L1 block.
fn assert_sound(superchain: &Superchain, blocks: u64) {
    for chain in 0..superchain.sequencers().len() {
        for number in 1..=blocks {
            let block = canonical(superchain, chain, number);
            assert_eq!(block.header.parent_hash, canonical(superchain, chain, number - 1).hash);
            assert!(superchain.l1().is_canonical(block.l1_origin), "block {number}");
        }
    }
}

#[test]
fn users_deposit_and_scalars_change_and_replacements_keep_the_deposits() {
    let mut superchain = superchain(2, BLOCKS, 7, &["justified-replacement@39"]);
    let ticks = run(&mut superchain, BLOCKS);
    let (mut deposits, mut scalars, mut failed) = (0, std::collections::BTreeSet::new(), 0);
    for number in 1..=BLOCKS {
        let block = canonical(&superchain, 0, number);
        let deposited = block.transactions.iter().skip(1).filter(|tx| tx.is_deposit()).count();
        assert!(deposited == 0 || block.sequence_number == 0);
        let origin = superchain.l1().block_by_hash(block.l1_origin.hash).unwrap();
        let portal = superchain.sequencers()[0].chain().params().deposit_contract;
        if block.sequence_number == 0 {
            assert_eq!(deposited, origin.deposits(portal).len());
        }
        deposits += deposited;
        failed += block
            .receipts
            .iter()
            .zip(&block.transactions)
            .filter(|(receipt, tx)| tx.is_deposit() && !receipt.status())
            .count();
        let op_alloy::consensus::OpTxEnvelope::Deposit(attributes) = &block.transactions[0] else { panic!() };
        scalars.insert(attributes.input[4..12].to_vec());
    }
    assert!(deposits > 5 && failed > 0, "{deposits} deposits, {failed} failed");
    assert!(scalars.len() > 1, "the scalars never change");
    assert!(attestation_of(&ticks, 901, 39).block.is_deposits_only());
}

#[rstest]
#[case::mid_run("l1-reorg@31", 31, 30)]
#[case::one_tick_later("l1-reorg@33:902", 34, 33)]
#[case::earliest("l1-reorg@5", 7, 6)]
fn an_l1_reorg_rebuilds_what_stood_on_it(#[case] fault: &str, #[case] at: u64, #[case] head: u64) {
    let mut superchain = superchain(2, 40, 7, &[fault]);
    let mut ticks: Vec<Tick> = (1..at).map(|_| superchain.tick().unwrap()).collect();
    let dropped = [1, 2].map(|number| superchain.l1().block_by_number(head / 3 + 1 - number).unwrap().id());
    let before = canonical(&superchain, 1, head);
    let safe = superchain.sequencers()[1].heads().safe;
    let tick = superchain.tick().unwrap();
    assert!(tick.l1_moved);
    assert!(dropped.iter().all(|id| !superchain.l1().is_canonical(*id)));
    assert_eq!(superchain.l1().head().number(), head / 3);
    let heads = superchain.sequencers()[1].heads();
    assert_eq!((heads.safe, heads.unsafe_head), (safe, at));
    assert_ne!(canonical(&superchain, 1, head).hash, before.hash);
    ticks.push(tick);
    ticks.extend(run(&mut superchain, 40));
    assert_sound(&superchain, 40);
    for chain_id in [901, 902] {
        let numbers: Vec<_> =
            attestations(&ticks, chain_id).iter().map(|attestation| attestation.block.number()).collect();
        assert_eq!(numbers, (1..=40).collect::<Vec<_>>(), "each height is attested once");
    }
}

#[test]
fn an_unsafe_reorg_gossips_two_blocks_of_a_height() {
    let mut superchain = superchain(2, 40, 7, &["unsafe-reorg@20"]);
    let ticks = run(&mut superchain, 40);
    let built = ticks.iter().flat_map(|tick| &tick.chains[0].built).filter(|block| block.number() == 20);
    let [first, second] = built.collect::<Vec<_>>()[..] else { panic!("not two blocks") };
    assert_ne!(first.raw_transactions[1..], second.raw_transactions[1..]);
    assert_eq!(first.header.parent_hash, second.header.parent_hash);
    assert_eq!(attestation_of(&ticks, 901, 20).block.hash, second.hash);
    assert_sound(&superchain, 40);
}

#[test]
fn a_forged_deposit_is_executed_and_attested() {
    let mut superchain = superchain(2, 40, 7, &["forged-deposit@22:902"]);
    let ticks = run(&mut superchain, 40);
    let attestation = attestation_of(&ticks, 902, 22);
    assert_eq!(canonical(&superchain, 1, 22), attestation.block);
    let deposits: Vec<_> = attestation.block.transactions.iter().filter(|tx| tx.is_deposit()).collect();
    assert_eq!(deposits.len(), 2, "block 22 is not the first of its epoch: one is L1's, one is forged");
    assert!(attestation.block.receipts[1].status());
}

#[rstest]
#[case::min_base_fee("wrong-min-base-fee@32")]
#[case::state_root("same-attributes-other-hash@32")]
fn a_sibling_with_the_same_transactions_is_attested(#[case] fault: &str) {
    let mut superchain = superchain(2, 40, 7, &[fault]);
    let ticks = run(&mut superchain, 40);
    let (honest, attestation) = (canonical(&superchain, 0, 32), &attestation_of(&ticks, 901, 32).block);
    assert_ne!(attestation.hash, honest.hash);
    assert_eq!(attestation.hash, attestation.header.hash_slow());
    assert_eq!(attestation.raw_transactions, honest.raw_transactions);
    let same_extra_data = attestation.header.extra_data == honest.header.extra_data;
    let same_state = attestation.header.state_root == honest.header.state_root;
    assert!(same_extra_data != same_state);
}

#[test]
fn a_replacement_chain_replaces_each_of_three_blocks_on_the_one_before() {
    let mut superchain = superchain(2, 60, 7, &["replacement-chain@20"]);
    let ticks = run(&mut superchain, 60);
    for number in 20..=22 {
        let attestation = attestation_of(&ticks, 901, number);
        assert!(attestation.block.is_deposits_only());
        let built = ticks.iter().flat_map(|tick| &tick.chains[0].built);
        let parent = attestation.block.header.parent_hash;
        let originals: Vec<_> =
            built.filter(|block| block.number() == number && block.header.parent_hash == parent).collect();
        assert_eq!(originals.len(), 1);
        assert!(broken_rules(&superchain, originals[0]).contains(&Some("log-not-found")));
    }
    assert_sound(&superchain, 60);
    let most = (20..=40).map(|number| {
        let built = ticks.iter().flat_map(|tick| &tick.chains[0].built);
        built.filter(|block| block.number() == number).count()
    });
    assert!(most.max().unwrap() <= 5, "gossip takes five blocks of a height");
}

#[rstest]
#[case::first_of_its_epoch("unreplaced@18", 18, 0)]
#[case::in_between("unreplaced@19", 19, 0)]
#[case::last_of_its_epoch("unreplaced@20", 20, 0)]
#[case::its_word_comes_late("unreplaced-unseen@19", 19, 2)]
fn a_replacement_that_l1_undoes_gives_way_to_a_valid_block(
    #[case] fault: &str,
    #[case] block: u64,
    #[case] late: usize,
) {
    let mut superchain = superchain(2, 40, 7, &[fault]);
    let mut ticks: Vec<Tick> = (1..25).map(|_| superchain.tick().unwrap()).collect();
    let replacement = canonical(&superchain, 0, block);
    assert!(replacement.is_deposits_only());
    let attested =
        attestations(&ticks, 901).iter().filter(|attestation| attestation.block.number() == block).count();
    assert_eq!(attested, usize::from(late == 0));
    let before = superchain.sequencers()[1].heads();
    ticks.push(superchain.tick().unwrap());
    let anew = canonical(&superchain, 0, block);
    assert!(!anew.is_deposits_only());
    assert_eq!(anew.header.parent_hash, replacement.header.parent_hash);
    assert_eq!(anew.l1_origin, replacement.l1_origin);
    assert!(broken_rules(&superchain, &anew).iter().all(Option::is_none));
    assert_eq!(superchain.sequencers()[0].heads().safe, block - 1);
    assert_eq!(superchain.sequencers()[1].heads().safe, before.safe, "nobody else loses what was attested");
    ticks.extend(run(&mut superchain, 40));
    assert_sound(&superchain, 40);
    let attestations = attestations(&ticks, 901);
    let of_height: Vec<_> = attestations
        .iter()
        .filter(|attestation| attestation.block.number() == block)
        .map(|attestation| attestation.block.hash)
        .collect();
    assert_eq!(of_height, [replacement.hash, anew.hash]);
}

#[rstest]
#[case::first_of_its_epoch(18)]
#[case::in_between(19)]
#[case::last_of_its_epoch(20)]
fn what_was_attested_in_the_place_of_a_block_is_the_chains_when_l1_has_dropped_that(#[case] block: u64) {
    let mut superchain = superchain(2, 40, 7, &[&format!("verdict-taken-back@{block}")]);
    let mut ticks: Vec<Tick> = (1..25).map(|_| superchain.tick().unwrap()).collect();
    let derived = canonical(&superchain, 0, block);
    let attestation = attestation_of(&ticks, 901, block).block.clone();
    assert!(attestation.is_deposits_only() && !derived.is_deposits_only());
    assert_eq!(attestation.header.parent_hash, derived.header.parent_hash);
    assert_eq!(
        attestations(&ticks, 901).last().unwrap().block.hash,
        attestation.hash,
        "nothing above is attested"
    );
    let before = superchain.sequencers()[1].heads();
    ticks.push(superchain.tick().unwrap());
    assert_eq!(canonical(&superchain, 0, block).hash, attestation.hash);
    assert_eq!(
        ticks.last().unwrap().chains[0].replacement.as_ref().map(|block| block.hash),
        Some(attestation.hash)
    );
    assert!(superchain.l1().is_canonical(attestation.l1_origin));
    assert_eq!(superchain.sequencers()[0].heads().safe, block - 1);
    assert_eq!(superchain.sequencers()[1].heads().safe, before.safe, "nobody else loses what was attested");
    ticks.extend(run(&mut superchain, 40));
    assert_sound(&superchain, 40);
    let attestations = attestations(&ticks, 901);
    let of_height: Vec<_> = attestations
        .iter()
        .filter(|attestation| attestation.block.number() == block)
        .map(|attestation| attestation.block.hash)
        .collect();
    assert_eq!(of_height, [attestation.hash; 2]);
    assert_eq!(attestations.last().unwrap().block.number(), 40);
}

#[test]
fn nodes_on_another_branch_serve_blocks_on_another_l1() {
    let mut superchain = superchain(2, 40, 7, &["sibling-wrong-fork@20:902"]);
    let ticks = run(&mut superchain, 40);
    let branched: Vec<_> = ticks.iter().filter(|tick| tick.chains[1].other_branch.is_some()).collect();
    assert_eq!(branched.iter().map(|tick| tick.number).collect::<Vec<_>>(), (20..28).collect::<Vec<_>>());
    for tick in branched {
        let other_branch = tick.chains[1].other_branch.as_ref().unwrap();
        assert_eq!(other_branch.first().unwrap().number(), 18, "the epoch of the block begins there");
        assert_eq!(other_branch.last().unwrap().number(), tick.chains[1].heads.unsafe_head);
        assert!(other_branch.iter().all(|block| !superchain.l1().is_canonical(block.l1_origin)));
        let honest = canonical(&superchain, 1, 17).hash;
        assert_eq!(other_branch[0].header.parent_hash, honest);
        assert!(other_branch.windows(2).all(|pair| pair[1].header.parent_hash == pair[0].hash));
    }
    let attested = ticks.iter().filter(|tick| (20..28).contains(&tick.number));
    let attested: Vec<_> = attested.flat_map(|tick| &tick.chains[1].attestations).collect();
    assert!(
        attested.iter().any(|attestation| attestation.block.number() >= 18),
        "nothing is attested meanwhile"
    );
    assert_sound(&superchain, 40);
}

#[test]
fn attestations_come_in_reverse_or_not_at_all() {
    let mut superchain = superchain(2, 50, 7, &["attestations-out-of-order@10", "attestations-lost@20"]);
    let ticks = run(&mut superchain, 50);
    let attestations = attestations(&ticks, 901);
    let run: Vec<_> = attestations
        .iter()
        .map(|attestation| attestation.block.number())
        .filter(|n| (9..=16).contains(n))
        .collect();
    assert_eq!(run, [9, 15, 14, 13, 12, 11, 10, 16]);
    let lost: Vec<_> = attestations
        .iter()
        .filter(|attestation| !attestation.is_published)
        .map(|attestation| attestation.block.number())
        .collect();
    assert_eq!(lost, (20..40).collect::<Vec<_>>());
}

#[test]
fn replays_come_with_the_blocks_and_before_their_attestations() {
    let mut superchain = superchain(2, 50, 7, &["replay-first@20:902"]);
    let ticks = run(&mut superchain, 50);
    let replayed = |chain: usize| {
        let of_chain = ticks.iter().map(move |tick| (tick.number, &tick.chains[chain].replayed));
        of_chain.flat_map(|(tick, blocks)| blocks.iter().map(move |block| (tick, block))).collect::<Vec<_>>()
    };
    assert!(replayed(0).is_empty());
    let numbers: Vec<_> = replayed(1).iter().map(|(_, block)| block.number()).collect();
    assert_eq!(numbers, (20..26).collect::<Vec<_>>());
    for (built_in, block) in replayed(1) {
        let attests = |tick: &&Tick| {
            tick.chains[1]
                .attestations
                .iter()
                .any(|attestation| attestation.block.hash == block.hash && attestation.is_published)
        };
        assert!(ticks.iter().find(attests).unwrap().number > built_in, "block {}", block.number());
    }
}
