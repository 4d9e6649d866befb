//! Scenes of a few transfers; random worlds are in `properties`.

mod properties;
mod reference;
mod world;

use super::*;
use crate::transfers::{Asset, Sum};
use alloy::primitives::{Address, U256, U512};
use rstest::rstest;
use world::{World, transfer};

const A: u64 = 1;
const B: u64 = 2;

fn ledger() -> TransferLedger {
    TransferLedger::new([A, B].map(ChainId::from), LedgerLimits::default())
}

/// A ledger that has read the blocks 1 to 5 of both chains, the transfer in block 3 of A.
fn with_initiation(world: &mut World, ledger: &mut TransferLedger) -> Transfer {
    let transfer = transfer(A, B, 7);
    for number in 1..=5 {
        let initiated = if number == 3 { vec![transfer] } else { vec![] };
        assert_eq!(ledger.apply_block(world.block(A, number), &initiated, &[]), []);
        assert_eq!(ledger.apply_block(world.block(B, number), &[], &[]), []);
    }
    transfer
}

impl TransferLedger {
    fn apply_block(
        &mut self,
        block: BlockKey,
        initiated: &[Transfer],
        executed: &[(Transfer, Option<u64>)],
    ) -> Vec<LedgerChange> {
        self.apply(block, &world::transfers(initiated, executed)).unwrap()
    }

    fn totals_of(&self, source: u64, destination: u64) -> Totals {
        let pair = Pair { source: source.into(), destination: destination.into(), asset: Asset::Eth };
        self.totals().find(|(of, _)| **of == pair).map(|(_, totals)| *totals).unwrap_or_default()
    }

    /// What the bounds count is what is there.
    fn check(&self) {
        for (is_settled, queue) in [(false, &self.open), (true, &self.settled)] {
            let entries = self.entries.values().filter(|entry| entry.is_settled == is_settled);
            let (count, ends) = entries.fold((0, 0), |(count, ends), entry| (count + 1, ends + entry.ends()));
            assert_eq!((queue.len(), queue.ends()), (count, ends));
        }
        let cites = self.entries.iter().flat_map(|(hash, entry)| {
            let cited = entry.executed.iter().filter_map(|execution| execution.cited);
            cited.map(|cited| (entry.transfer.source, cited, *hash))
        });
        let kept =
            self.chains.iter().flat_map(|(id, chain)| chain.cites.iter().map(|(n, hash)| (*id, *n, *hash)));
        assert_eq!(cites.collect::<BTreeSet<_>>(), kept.collect());
    }
}

fn one(amount: u64) -> Sum {
    Sum { transfers: 1, amount: U512::from(amount) }
}

#[test]
fn a_transfer_is_outstanding_until_it_is_executed() {
    let (mut world, mut ledger) = (World::default(), ledger());
    let transfer = with_initiation(&mut world, &mut ledger);
    assert_eq!(ledger.totals_of(A, B), Totals { outstanding: one(7), ..Totals::default() });
    assert_eq!(ledger.apply_block(world.block(B, 6), &[], &[(transfer, Some(3))]), []);
    assert_eq!(ledger.totals_of(A, B), Totals { completed: one(7), ..Totals::default() });
    assert_eq!(ledger.findings().count(), 0);
    assert_eq!(ledger.take_back(world.block(B, 6)), Ok(vec![]));
    assert_eq!(ledger.totals_of(A, B).outstanding, one(7));
}

#[test]
fn a_second_execution_is_found_with_both_ends_and_withdrawn_when_it_is_taken_back() {
    let (mut world, mut ledger) = (World::default(), ledger());
    let transfer = with_initiation(&mut world, &mut ledger);
    ledger.apply_block(world.block(B, 6), &[], &[(transfer, Some(3))]);
    let changes = ledger.apply_block(world.block(B, 7), &[], &[(transfer, Some(3))]);
    let place = |block| Place { block, log_index: 0, transaction_index: 0 };
    let found = Finding::ExecutedTwice {
        message_hash: transfer.message_hash(),
        transfer,
        first: place(world.block(B, 6)),
        again: place(world.block(B, 7)),
    };
    assert_eq!(changes, [LedgerChange::Found(found)]);
    assert_eq!(ledger.totals_of(A, B).executed_again, one(7));
    assert_eq!(ledger.findings().collect::<Vec<_>>(), [found]);
    assert_eq!(ledger.take_back(world.block(B, 7)), Ok(vec![LedgerChange::Withdrawn(found)]));
    assert_eq!(ledger.findings().count(), 0);
}

#[test]
fn an_execution_without_initiation_is_found_once_its_source_block_was_read() {
    let (mut world, mut ledger) = (World::default(), ledger());
    with_initiation(&mut world, &mut ledger);
    let forged = transfer(A, B, 1_000);
    assert_eq!(ledger.apply_block(world.block(B, 6), &[], &[(forged, Some(6))]), []);
    assert_eq!(ledger.totals_of(A, B).undetermined, one(1_000));
    let changes = ledger.apply_block(world.block(A, 6), &[], &[]);
    let executed = Place { block: world.block(B, 6), log_index: 0, transaction_index: 0 };
    let (message_hash, cited) = (forged.message_hash(), (A.into(), 6));
    let found = Finding::ExecutedWithoutInitiation { message_hash, transfer: forged, executed, cited };
    assert_eq!(changes, [LedgerChange::Found(found)]);
    assert_eq!(ledger.totals_of(A, B).without_initiation, one(1_000));
    // The source's block is replaced by one that initiates it.
    let withdrawn = vec![LedgerChange::Withdrawn(found)];
    assert_eq!(ledger.take_back(world.block(A, 6)), Ok(withdrawn));
    assert_eq!(ledger.totals_of(A, B).undetermined, one(1_000));
    world.fork(A);
    assert_eq!(ledger.apply_block(world.block(A, 6), &[forged], &[]), []);
    assert_eq!(ledger.totals_of(A, B).completed, one(1_000));
}

/// Block 11 has logs that cannot be read, and the blocks 5 to 9 are skipped.
#[rstest]
#[case::it_cites_nothing(None)]
#[case::before_the_first(Some(3))]
#[case::before_what_was_skipped(Some(4))]
#[case::skipped(Some(7))]
#[case::unclear(Some(11))]
#[case::not_read_yet(Some(13))]
#[case::never(Some(u64::MAX))]
fn an_execution_whose_source_block_was_not_read_is_never_found(#[case] cited: Option<u64>) {
    let (mut world, mut ledger) = (World::default(), ledger());
    for number in [4, 10, 11, 12] {
        let read = BlockTransfers::for_tests(vec![], vec![], number == 11);
        assert_eq!(ledger.apply(world.block(A, number), &read), Ok(vec![]));
    }
    assert_eq!(ledger.apply_block(world.block(B, 1), &[], &[(transfer(A, B, 9), cited)]), []);
    assert_eq!(ledger.totals_of(A, B).undetermined, one(9));
    let found = ledger.apply_block(world.block(B, 2), &[], &[(transfer(A, B, 10), Some(12))]);
    assert_eq!(found.len(), 1);
}

#[test]
fn a_transfer_within_one_block_of_one_chain_is_complete() {
    let (mut world, mut ledger) = (World::default(), ledger());
    let own = transfer(A, A, 3);
    assert_eq!(ledger.apply_block(world.block(A, 1), &[own], &[(own, Some(1))]), []);
    assert_eq!(ledger.totals_of(A, A).completed, one(3));
    assert_eq!(ledger.take_back(world.block(A, 1)), Ok(vec![]));
    assert_eq!((ledger.totals().count(), ledger.remembered()), (0, (0, 0)));
    ledger.check();
}

#[test]
fn a_settled_transfer_that_is_executed_once_more_is_found() {
    let (mut world, mut ledger) = (World::default(), ledger());
    let transfer = with_initiation(&mut world, &mut ledger);
    ledger.apply_block(world.block(B, 6), &[], &[(transfer, Some(3))]);
    ledger.finalize(B.into(), 6);
    assert_eq!(ledger.remembered(), (1, 0));
    ledger.finalize(A.into(), u64::MAX);
    assert_eq!(ledger.remembered(), (0, 1));
    let changes = ledger.apply_block(world.block(B, 7), &[], &[(transfer, Some(3))]);
    assert!(matches!(changes[..], [LedgerChange::Found(Finding::ExecutedTwice { .. })]));
    ledger.check();
}

/// Its totals remain. That it was initiated is no longer known, so nothing at or below its block is missing.
#[test]
fn a_settled_transfer_is_forgotten_beyond_the_bound() {
    let limits = LedgerLimits { settled: 2, ..LedgerLimits::default() };
    let (mut world, mut ledger) = (World::default(), TransferLedger::new([A, B].map(ChainId::from), limits));
    let [one, other] = [7, 8].map(|amount| transfer(A, B, amount));
    for (number, transfer) in [(1, one), (2, other)] {
        ledger.apply_block(world.block(A, number), &[transfer], &[]);
        ledger.apply_block(world.block(B, number), &[], &[(transfer, Some(number))]);
        ledger.finalize(A.into(), number);
        ledger.finalize(B.into(), number);
    }
    assert_eq!(ledger.remembered(), (0, 1));
    assert_eq!(ledger.totals_of(A, B).completed, Sum { transfers: 2, amount: U512::from(15) });
    assert_eq!(ledger.apply_block(world.block(B, 3), &[], &[(one, Some(1))]), []);
    assert_eq!(ledger.totals_of(A, B).undetermined.transfers, 1);
    assert_eq!(ledger.counts().forgotten, 0);
    let forged = (transfer(A, B, 9), Some(2));
    assert!(matches!(ledger.apply_block(world.block(B, 4), &[], &[forged])[..], [LedgerChange::Found(_)]));
    ledger.check();
}

/// Anybody can have the messenger emit a message again. That must not make the ledger forget what others
/// send since then.
#[test]
fn a_transfer_that_was_emitted_again_is_forgotten_after_the_others() {
    let limits = LedgerLimits { open: 3, ..LedgerLimits::default() };
    let (mut world, mut ledger) = (World::default(), TransferLedger::new([A, B].map(ChainId::from), limits));
    let [old, other, last] = [1, 2, 3].map(|amount| transfer(A, B, amount));
    for (number, transfer) in [(1, old), (2, other), (3, old), (4, last)] {
        ledger.apply_block(world.block(A, number), &[transfer], &[]);
    }
    assert_eq!((ledger.remembered(), ledger.counts().forgotten), ((2, 0), 1));
    let forged = (transfer(A, B, 9), Some(3));
    assert_eq!(ledger.apply_block(world.block(B, 1), &[], &[forged]).len(), 1);
    assert_eq!(ledger.apply_block(world.block(B, 2), &[], &[(other, Some(2))]), []);
    assert_eq!(ledger.totals_of(A, B).outstanding.transfers, 3);
    ledger.check();
}

#[test]
fn chains_that_are_not_watched_are_only_counted() {
    let (mut world, mut ledger) = (World::default(), ledger());
    ledger.apply_block(world.block(A, 1), &[transfer(A, 3, 1)], &[(transfer(3, A, 1), Some(1))]);
    assert_eq!((ledger.counts().unwatched, ledger.remembered()), (2, (0, 0)));
    let refused = ledger.apply(world.block(3, 1), &BlockTransfers::default());
    assert_eq!(refused, Err(RefusedBlock::UnknownChain));
}

#[test]
fn further_tokens_are_followed_and_not_counted() {
    let limits = LedgerLimits { tokens: 1, ..LedgerLimits::default() };
    let (mut world, mut ledger) = (World::default(), TransferLedger::new([A, B].map(ChainId::from), limits));
    let [one, other] = [1, 2].map(|byte| Transfer {
        asset: Asset::Token(Address::repeat_byte(byte)),
        ..transfer(A, B, u64::from(byte))
    });
    ledger.apply_block(world.block(A, 1), &[one, other], &[]);
    assert_eq!((ledger.totals().count(), ledger.counts().uncounted), (1, 1));
    ledger.apply_block(world.block(B, 1), &[], &[(other, Some(1))]);
    let changes = ledger.apply_block(world.block(B, 2), &[], &[(other, Some(1))]);
    assert_eq!(changes.len(), 1);
    assert_eq!(ledger.totals().count(), 1);
}

#[test]
fn blocks_out_of_order_are_refused() {
    let (mut world, mut ledger) = (World::default(), ledger());
    with_initiation(&mut world, &mut ledger);
    let nothing = BlockTransfers::default();
    assert_eq!(ledger.apply(world.block(A, 5), &nothing), Err(RefusedBlock::NotNext { next: 6 }));
    assert_eq!(ledger.take_back(world.block(A, 6)), Err(RefusedBlock::NotRead));
    world.fork(A);
    assert_eq!(ledger.take_back(world.block(A, 5)), Err(RefusedBlock::NotRead), "another hash");
    ledger.finalize(B.into(), 4);
    assert_eq!(ledger.take_back(world.block(B, 4)), Err(RefusedBlock::NotRead), "final");
    assert_eq!(ledger.take_back(world.block(B, 5)), Ok(vec![]));
    assert_eq!(
        ledger.apply(world.block(B, u64::MAX), &nothing),
        Err(RefusedBlock::NotNext { next: u64::MAX })
    );
    assert_eq!(ledger.apply(world.block(3, 1), &nothing), Err(RefusedBlock::UnknownChain));
}

#[test]
fn an_amount_of_256_bits_is_counted() {
    let (mut world, mut ledger) = (World::default(), ledger());
    let huge = [1, 2].map(|amount| Transfer { amount: U256::MAX, ..transfer(A, B, amount) });
    ledger.apply_block(world.block(A, 1), &huge, &[]);
    assert_eq!(ledger.totals_of(A, B).outstanding.amount, U512::from(U256::MAX) * U512::from(2));
}
