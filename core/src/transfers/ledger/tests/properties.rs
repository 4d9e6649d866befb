//! Random worlds: the ledger finds what the slow reference finds, and what was planted, in any order.

use super::reference::Reference;
use super::world::{World, transfer, transfers};
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const CHAINS: u64 = 3;

/// What a block does. Numbers are reduced to what there is when it happens.
#[derive(Clone, Copy, Debug)]
enum Action {
    /// A new transfer to a chain.
    Initiate { to: u64 },
    /// A transfer of this chain is emitted again, or one that was executed before is initiated after all.
    InitiateOld { pick: usize },
    /// A transfer to this chain is executed, for the first time or again.
    Execute { pick: usize },
    /// One that was never initiated, and claims a height so far from the source's tip.
    Forge { from: u64, away: i64 },
}

#[derive(Clone, Debug)]
enum Happening {
    Grow { chain: u64, skipped: u64, is_unclear: bool, actions: Vec<Action> },
    TakeBack { chain: u64, depth: u64 },
    Finalize { chain: u64, depth: u64 },
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (0..CHAINS).prop_map(|to| Action::Initiate { to }),
        1 => any::<usize>().prop_map(|pick| Action::InitiateOld { pick }),
        4 => any::<usize>().prop_map(|pick| Action::Execute { pick }),
        2 => (0..CHAINS, -4..3_i64).prop_map(|(from, away)| Action::Forge { from, away }),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let skipped = prop_oneof![12 => Just(0_u64), 1 => 1..3_u64];
    let actions = prop::collection::vec(action(), 0..5);
    prop_oneof![
        8 => (0..CHAINS, skipped, prop::bool::weighted(0.1), actions).prop_map(
            |(chain, skipped, is_unclear, actions)| Happening::Grow { chain, skipped, is_unclear, actions }
        ),
        2 => (0..CHAINS, 0..5_u64).prop_map(|(chain, depth)| Happening::TakeBack { chain, depth }),
        1 => (0..CHAINS, 0..4_u64).prop_map(|(chain, depth)| Happening::Finalize { chain, depth }),
    ]
}

struct Trial {
    world: World,
    ledger: TransferLedger,
    reference: Reference,
    /// The blocks of each chain that were applied, by height.
    blocks: BTreeMap<u64, BTreeMap<u64, BlockKey>>,
    finalized: BTreeMap<u64, u64>,
    /// Every transfer ever, and where it was initiated first.
    known: Vec<(Transfer, Option<u64>)>,
    /// What the changes alone say.
    reported: Vec<Finding>,
}

impl Trial {
    fn new(limits: LedgerLimits) -> Self {
        Self {
            world: World::default(),
            ledger: TransferLedger::new((0..CHAINS).map(ChainId::from), limits),
            reference: Reference::default(),
            blocks: (0..CHAINS).map(|chain| (chain, BTreeMap::new())).collect(),
            finalized: BTreeMap::new(),
            known: Vec::new(),
            reported: Vec::new(),
        }
    }

    fn tip(&self, chain: u64) -> Option<u64> {
        self.blocks[&chain].last_key_value().map(|(number, _)| *number)
    }

    fn pick(&self, pick: usize, is_wanted: impl Fn(&Transfer) -> bool) -> Option<usize> {
        let wanted: Vec<_> = (0..self.known.len()).filter(|at| is_wanted(&self.known[*at].0)).collect();
        (!wanted.is_empty()).then(|| wanted[pick % wanted.len()])
    }

    fn happen(&mut self, happening: Happening) {
        let changes = match happening {
            Happening::Grow { chain, skipped, is_unclear, actions } => {
                self.grow(chain, skipped, is_unclear, &actions)
            }
            Happening::TakeBack { chain, depth } => self.take_back(chain, depth),
            Happening::Finalize { chain, depth } => {
                let number = self.tip(chain).and_then(|tip| tip.checked_sub(depth));
                if let Some(number) = number.filter(|number| self.blocks[&chain].contains_key(number)) {
                    let finalized = self.finalized.entry(chain).or_default();
                    *finalized = number.max(*finalized);
                    self.ledger.finalize(chain.into(), number);
                }
                vec![]
            }
        };
        for change in changes {
            match change {
                LedgerChange::Found(finding) => self.reported.push(finding),
                LedgerChange::Withdrawn(finding) => {
                    let at = self.reported.iter().position(|reported| *reported == finding);
                    self.reported.swap_remove(at.expect("only what was found is withdrawn"));
                }
            }
        }
        self.ledger.check();
    }

    fn grow(&mut self, chain: u64, skipped: u64, is_unclear: bool, actions: &[Action]) -> Vec<LedgerChange> {
        let number = self.tip(chain).map_or(10, |tip| tip + 1 + skipped);
        let (mut initiated, mut executed) = (Vec::new(), Vec::new());
        for action in actions {
            let next = u64::try_from(self.known.len()).unwrap() + 1;
            match *action {
                Action::Initiate { to } => {
                    self.known.push((transfer(chain, to, next), Some(number)));
                    initiated.push(transfer(chain, to, next));
                }
                Action::InitiateOld { pick } => {
                    let Some(at) = self.pick(pick, |of| of.source == chain.into()) else { continue };
                    initiated.push(self.known[at].0);
                    self.known[at].1.get_or_insert(number);
                }
                Action::Execute { pick } => {
                    let Some(at) = self.pick(pick, |of| of.destination == chain.into()) else { continue };
                    executed.push(self.known[at]);
                }
                Action::Forge { from, away } => {
                    let cited = self.tip(from).unwrap_or(10).saturating_add_signed(away);
                    self.known.push((transfer(from, chain, next), None));
                    executed.push((transfer(from, chain, next), Some(cited)));
                }
            }
        }
        let made = transfers(&initiated, &executed);
        let made = BlockTransfers::for_tests(made.initiated, made.relayed, is_unclear);
        let block = self.world.block(chain, number);
        self.blocks.get_mut(&chain).unwrap().insert(number, block);
        self.reference.apply(block, made.clone());
        self.ledger.apply(block, &made).unwrap()
    }

    fn take_back(&mut self, chain: u64, depth: u64) -> Vec<LedgerChange> {
        let finalized = self.finalized.get(&chain).copied();
        let number = self.tip(chain).and_then(|tip| tip.checked_sub(depth));
        let block = number.and_then(|number| self.blocks[&chain].get(&number).copied());
        let Some(block) = block.filter(|block| finalized.is_none_or(|finalized| block.number > finalized))
        else {
            return vec![];
        };
        self.blocks.get_mut(&chain).unwrap().split_off(&block.number);
        for (transfer, initiated) in &mut self.known {
            if transfer.source == chain.into() {
                *initiated = initiated.filter(|number| *number < block.number);
            }
        }
        self.world.fork(chain);
        self.reference.take_back(block);
        self.ledger.take_back(block).unwrap()
    }
}

fn sorted(findings: impl IntoIterator<Item = Finding>) -> Vec<String> {
    let mut findings: Vec<_> = findings.into_iter().map(|finding| format!("{finding:?}")).collect();
    findings.sort();
    findings
}

fn hash_of(finding: &Finding) -> B256 {
    match finding {
        Finding::ExecutedTwice { message_hash, .. }
        | Finding::ExecutedWithoutInitiation { message_hash, .. } => *message_hash,
    }
}

/// Whether both say the same of one execution; a ledger that forgets may take another one for the first.
fn is_same(one: &Finding, other: &Finding) -> bool {
    use Finding::{ExecutedTwice, ExecutedWithoutInitiation};
    match (one, other) {
        (ExecutedTwice { again: one, .. }, ExecutedTwice { again: other, .. }) => one == other,
        (ExecutedWithoutInitiation { .. }, ExecutedWithoutInitiation { .. }) => {
            hash_of(one) == hash_of(other)
        }
        _ => false,
    }
}

/// A world that is fed in any order: blocks of transfers, and what is planted in them.
#[derive(Clone, Debug)]
struct Planted {
    /// For each transfer: its source, its destination, the blocks of both, how often it is executed, and
    /// whether it is initiated.
    lives: Vec<(u64, u64, u64, u64, usize, bool)>,
    /// Which chain's next block is read.
    order: Vec<u64>,
}

const HEIGHT: u64 = 8;

fn planted() -> impl Strategy<Value = Planted> {
    let times = prop_oneof![1 => Just(0_usize), 6 => Just(1_usize), 1 => 2..4_usize];
    let life = (0..CHAINS, 0..CHAINS, 0..HEIGHT, 0..HEIGHT, times, prop::bool::weighted(0.85));
    let order = (0..CHAINS).flat_map(|chain| vec![chain; HEIGHT as usize]).collect::<Vec<_>>();
    (prop::collection::vec(life, 0..40), Just(order).prop_shuffle())
        .prop_map(|(lives, order)| Planted { lives, order })
}

proptest! {
    #[test]
    fn the_ledger_says_what_the_reference_says(happenings in prop::collection::vec(happening(), 0..60)) {
        let mut trial = Trial::new(LedgerLimits::default());
        for happening in happenings {
            trial.happen(happening);
            let expected = sorted(trial.reference.findings());
            prop_assert_eq!(&sorted(trial.ledger.findings()), &expected);
            prop_assert_eq!(&sorted(trial.reported.clone()), &expected);
            let totals = trial.ledger.totals().map(|(pair, totals)| (*pair, *totals));
            prop_assert_eq!(totals.collect::<BTreeMap<_, _>>(), trial.reference.totals());
        }
    }

    /// With little memory it finds less, and nothing that the reference does not find.
    #[test]
    fn a_small_ledger_finds_nothing_false(
        happenings in prop::collection::vec(happening(), 0..80), open in 0_usize..12, settled in 0_usize..6
    ) {
        let mut trial = Trial::new(LedgerLimits { open, settled, tokens: 0 });
        for happening in happenings {
            trial.happen(happening);
            prop_assert!(trial.ledger.open.ends() <= open && trial.ledger.settled.ends() <= settled);
            let expected = trial.reference.findings();
            for found in trial.ledger.findings() {
                prop_assert!(expected.iter().any(|other| is_same(&found, other)), "{found:?}");
            }
        }
    }

    #[test]
    fn what_is_planted_is_found_in_any_order(planted in planted()) {
        let mut blocks = BTreeMap::<(u64, u64), (Vec<Transfer>, Vec<(Transfer, Option<u64>)>)>::new();
        let (mut again, mut without) = (Vec::new(), Vec::new());
        for (amount, (source, destination, from, to, times, is_initiated)) in (1_u64..).zip(planted.lives) {
            let transfer = transfer(source, destination, amount);
            if is_initiated {
                blocks.entry((source, from)).or_default().0.push(transfer);
            }
            let executed = &mut blocks.entry((destination, to)).or_default().1;
            executed.extend(vec![(transfer, Some(from)); times]);
            again.extend(vec![transfer.message_hash(); times.saturating_sub(1)]);
            without.extend((times > 0 && !is_initiated).then(|| transfer.message_hash()));
        }
        let mut ledger = TransferLedger::new((0..CHAINS).map(ChainId::from), LedgerLimits::default());
        let (mut world, mut heights) = (World::default(), BTreeMap::<u64, u64>::new());
        for chain in planted.order {
            let number = heights.entry(chain).or_default();
            let (initiated, executed) = blocks.remove(&(chain, *number)).unwrap_or_default();
            ledger.apply_block(world.block(chain, *number), &initiated, &executed);
            *number += 1;
        }
        let is_twice = |finding: &Finding| matches!(finding, Finding::ExecutedTwice { .. });
        let (twice, once): (Vec<_>, Vec<_>) = ledger.findings().partition(is_twice);
        let hashes = |findings: &[Finding]| {
            let mut hashes: Vec<_> = findings.iter().map(hash_of).collect();
            hashes.sort();
            hashes
        };
        again.sort();
        without.sort();
        prop_assert_eq!((hashes(&twice), hashes(&once)), (again, without));
    }
}
