//! Faults of messages, without sockets: what is built is what the script says, for every seed and height.

use super::tests::{attestation_of, canonical, run, superchain};
use super::*;
use crate::chain::L2Block;
use crate::contracts::bindings::ICrossL2Inbox;
use crate::simulation::chain_tick::ScriptedMessage;
use crate::timing::{ACTIVATION_BLOCK, EXPIRY_BLOCKS};
use alloy::{consensus::Transaction, primitives::U256, sol_types::SolEvent};
use crosscheck_core::message::{CROSS_L2_INBOX, payload_hash};
use op_alloy::consensus::OpTxEnvelope;
use rstest::rstest;

/// A message that was executed for a fault, in the block that executed it.
struct Executed {
    fault: ScriptedMessage,
    block: Arc<L2Block>,
    event: ICrossL2Inbox::ExecutingMessage,
}

impl Executed {
    /// Whether the log that it cites is in a block, where it says.
    fn stands_in(&self, block: &L2Block) -> bool {
        let id = &self.event.id;
        let logs: Vec<_> = block.logs().map(|(_, _, log)| log).collect();
        let there = logs.get(id.logIndex.to::<usize>());
        U256::from(block.number()) == id.blockNumber
            && U256::from(block.timestamp().0) == id.timestamp
            && there
                .is_some_and(|log| log.address == id.origin && payload_hash(&log.data) == self.event.msgHash)
    }

    /// The chain that it cites, by its place.
    fn cites(&self) -> usize {
        usize::try_from(self.event.id.chainId.to::<u64>() - FIRST_CHAIN_ID).unwrap()
    }

    fn executing(&self) -> usize {
        usize::try_from(self.fault.fault.chain_id - FIRST_CHAIN_ID).unwrap()
    }
}

fn executed(ticks: &[Tick]) -> Vec<Executed> {
    let chains = || ticks.iter().flat_map(|tick| &tick.chains);
    let block_of = |hash| chains().flat_map(|chain| &chain.built).find(|block| block.hash == hash).unwrap();
    let executed = |fault: &ScriptedMessage| {
        let block = Arc::clone(block_of(fault.place.hash));
        let (_, _, log) = block.logs().find(|(index, ..)| *index == fault.place.log_index).unwrap();
        assert_eq!(log.address, CROSS_L2_INBOX);
        let event = ICrossL2Inbox::ExecutingMessage::decode_log(log).unwrap().data;
        Executed { fault: *fault, block: Arc::clone(&block), event }
    };
    chains().flat_map(|chain| &chain.scripted).map(executed).collect()
}

/// The blocks of a height that were built, in order.
fn built(ticks: &[Tick], chain: usize, number: u64) -> Vec<Arc<L2Block>> {
    let built = ticks.iter().flat_map(|tick| &tick.chains[chain].built);
    built.filter(|block| block.number() == number).cloned().collect()
}

fn play(chains: u64, seed: u64, fault: &str) -> (Superchain, Vec<Tick>) {
    let mut superchain = superchain(chains, 40, seed, &[fault]);
    let ticks = run(&mut superchain, 40);
    (superchain, ticks)
}

#[rstest]
#[case::of_another_epoch("same-timestamp-message@20", 1)]
#[case::with_deposits("same-timestamp-message@21:902", 1)]
#[case::mutual("same-timestamp-mutual@20", 2)]
#[case::mutual_with_deposits("same-timestamp-mutual@21", 2)]
fn messages_of_one_timestamp_are_valid_and_stay(#[case] fault: &str, #[case] messages: usize) {
    for seed in 1..=6 {
        let (superchain, ticks) = play(2, seed, fault);
        let executed = executed(&ticks);
        assert_eq!(executed.len(), messages);
        for message in executed {
            let cited = canonical(&superchain, message.cites(), message.block.number());
            assert_ne!(message.cites(), message.executing());
            assert!(message.stands_in(&cited), "seed {seed}");
            let chain = superchain.sequencers()[message.executing()].chain();
            assert_eq!(chain.canonical(message.block.number()), Some(&message.block));
        }
    }
}

/// In a cycle each message is executed before its own block writes what the next one cites.
#[rstest]
#[case::two("message-cycle-two@20", 2, true)]
#[case::two_with_deposits("message-cycle-two@21", 2, true)]
#[case::three("message-cycle-three@20:902", 3, true)]
#[case::three_with_deposits("message-cycle-three@21", 3, true)]
#[case::attested("message-cycle-attested@21", 2, false)]
fn messages_in_a_cycle_cite_what_comes_after_an_execution(
    #[case] fault: &str,
    #[case] chains: u64,
    #[case] replaced: bool,
) {
    for seed in 1..=6 {
        let (superchain, ticks) = play(chains, seed, fault);
        let executed = executed(&ticks);
        assert_eq!(executed.len() as u64, chains);
        let mut reached = std::collections::BTreeSet::from([0]);
        let mut at = 0;
        for _ in 0..chains {
            let message = executed.iter().find(|message| message.executing() == at).unwrap();
            let next = executed.iter().find(|other| other.executing() == message.cites()).unwrap();
            assert!(message.stands_in(&next.block), "seed {seed}");
            assert!(message.event.id.logIndex > U256::from(next.fault.place.log_index));
            let word = attestation_of(&ticks, FIRST_CHAIN_ID + at as u64, message.block.number());
            assert_eq!(word.block.is_deposits_only(), replaced);
            assert_eq!(word.block.hash == message.block.hash, !replaced);
            at = message.cites();
            reached.insert(at);
        }
        assert_eq!((at, reached.len() as u64), (0, chains), "the cycle has every chain");
        assert!(superchain.is_complete());
    }
}

#[rstest]
#[case::attested("transitive-invalid@20", false)]
#[case::cites_the_block_with_deposits("transitive-invalid@22", false)]
#[case::replaced("remote-replacement@20:902", true)]
#[case::replaced_with_deposits("remote-replacement@22", true)]
fn a_good_log_of_a_bad_block_is_cited(#[case] fault: &str, #[case] replaced: bool) {
    for seed in 1..=6 {
        let (superchain, ticks) = play(2, seed, fault);
        let executed = executed(&ticks);
        let of_part = |part: usize| {
            let mut of_part = executed.iter().filter(|message| message.fault.fault.part == part);
            let one = of_part.next().unwrap();
            assert!(of_part.next().is_none(), "seed {seed}: built more than once");
            one
        };
        let (own, bad) = (of_part(0), of_part(1));
        assert!(own.stands_in(&bad.block));
        let cited = canonical(&superchain, bad.cites(), bad.event.id.blockNumber.to());
        assert!(!bad.stands_in(&cited));
        for message in [own, bad] {
            let word = attestation_of(&ticks, message.fault.fault.chain_id, message.block.number());
            assert_eq!(word.block.hash == message.block.hash, !replaced);
            assert_eq!(word.block.is_deposits_only(), replaced);
        }
    }
}

#[rstest]
#[case::same_timestamp("remote-reorg@21", 21)]
#[case::right_after_an_l1_block("remote-reorg@22", 21)]
#[case::right_before_an_l1_block("remote-reorg@23:902", 22)]
fn a_remote_reorg_takes_away_what_was_executed(#[case] fault: &str, #[case] initiating: u64) {
    for seed in 1..=6 {
        let (superchain, ticks) = play(2, seed, fault);
        let executed = executed(&ticks);
        let [message] = &executed[..] else { panic!("not one message") };
        let [before, after] = &built(&ticks, message.cites(), initiating)[..] else {
            panic!("not two blocks")
        };
        assert!(message.stands_in(before) && !message.stands_in(after), "seed {seed}");
        assert_eq!(canonical(&superchain, message.cites(), initiating).hash, after.hash);
        let reorg = &ticks[usize::try_from(message.block.number()).unwrap()];
        assert_eq!(reorg.number, message.block.number() + 1);
        assert!(reorg.chains[message.cites()].built.contains(after));
        assert!(reorg.chains[message.cites()].heads.local_safe < initiating);
        let word = attestation_of(&ticks, message.fault.fault.chain_id, message.block.number());
        assert!(word.block.is_deposits_only());
        assert!(
            !attestation_of(&ticks, FIRST_CHAIN_ID + message.cites() as u64, initiating)
                .block
                .is_deposits_only()
        );
    }
}

#[test]
fn an_undeclared_message_is_valid_and_only_its_transaction_declares_nothing() {
    let (superchain, ticks) = play(2, 7, "undeclared-access@20:902");
    let executed = executed(&ticks);
    let [message] = &executed[..] else { panic!("not one message") };
    assert!(message.stands_in(&canonical(&superchain, message.cites(), message.event.id.blockNumber.to())));
    let undeclared: Vec<_> = (1..=40)
        .map(|number| canonical(&superchain, 1, number))
        .flat_map(|block| {
            let inbox = block.logs().filter(|(_, _, log)| log.address == CROSS_L2_INBOX);
            let bare =
                inbox.filter(|(_, transaction, _)| declares_nothing(&block.transactions[*transaction]));
            bare.map(|(index, ..)| (block.hash, index)).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(undeclared, [(message.fault.place.hash, message.fault.place.log_index)]);
}

fn declares_nothing(transaction: &OpTxEnvelope) -> bool {
    transaction.access_list().is_none_or(|list| list.0.is_empty())
}

#[rstest]
#[case::origin("wrong-origin@20")]
#[case::block_number("wrong-block-number@20:902")]
#[case::timestamp("wrong-timestamp@20")]
#[case::chain_id("wrong-chain-id@20")]
#[case::future("future-message@20")]
#[case::activation_block("activation-block@12")]
fn a_twisted_message_is_executed_and_attested(#[case] fault: &str) {
    let (superchain, ticks) = play(2, 7, fault);
    let executed = executed(&ticks);
    let [message] = &executed[..] else { panic!("not one message") };
    let chain = superchain.sequencers()[message.executing()].chain();
    assert_eq!(chain.canonical(message.block.number()), Some(&message.block));
    if fault.starts_with("activation-block") {
        assert_eq!(message.event.id.blockNumber, U256::from(ACTIVATION_BLOCK));
        assert!(message.block.number() - ACTIVATION_BLOCK <= EXPIRY_BLOCKS);
    }
}

#[rstest]
#[case::even_block("lying-endpoint@20:902", 0)]
#[case::odd_block("lying-endpoint@21:902", 1)]
fn a_lying_endpoint_serves_a_properly_hashed_branch_with_invalid_messages(
    #[case] fault: &str,
    #[case] place: usize,
) {
    let (superchain, ticks) = play(2, 7, fault);
    let lies: Vec<_> = ticks.iter().filter_map(|tick| Some((tick, tick.chains[1].odd.as_ref()?))).collect();
    assert_eq!(lies.len(), 12);
    for (tick, (odd, how)) in lies {
        let OddEndpoint::Lies(blocks) = how else { panic!("no lie") };
        assert_eq!(*odd, place);
        assert_eq!(blocks.last().unwrap().number(), tick.chains[1].heads.unsafe_head);
        for block in blocks {
            assert_eq!(block.hash, block.header.hash_slow());
            assert_ne!(block.hash, canonical(&superchain, 1, block.number()).hash);
            assert!(block.logs().any(|(_, _, log)| log.address == CROSS_L2_INBOX));
        }
    }
    assert!(ticks.iter().all(|tick| tick.chains[0].odd.is_none()));
}

#[test]
fn drawn_faults_are_all_carried_out() {
    let chain_ids = SuperchainParams::chain_ids(4);
    for seed in 1..=3 {
        let drawn = crate::faults::draw(&FaultPlan::default(), 24, seed, &chain_ids, (200, 2));
        let names: Vec<_> = drawn.iter().map(ToString::to_string).collect();
        let mut superchain = superchain(4, 200, seed, &names.iter().map(String::as_str).collect::<Vec<_>>());
        let ticks = run(&mut superchain, 200);
        let executed = executed(&ticks);
        for planned in
            superchain.params().plan.iter().filter(|planned| planned.fault.expected_message.is_some())
        {
            let place = (planned.chain_id, planned.block);
            let done = executed
                .iter()
                .any(|message| (message.fault.fault.chain_id, message.fault.fault.block) == place);
            assert!(done, "seed {seed}: {} is missing", planned.fault.name);
        }
    }
}
