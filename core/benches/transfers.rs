//! A million transfers between chains: what it costs to read them out of proven logs, and to account for
//! them.
//!
//! Every chain initiates and executes transfers in each block. Some are executed twice, some were never
//! initiated, and now and then a chain takes blocks back.
//! `cargo bench -p crosscheck-core --features fixtures --bench transfers -- --transfers 1000000`. Fails if
//! what was planted is missed, or anything else is found.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly, like a test, and prints"
)]

#[path = "superchain/receipt.rs"]
mod receipt;

use alloy::consensus::Header;
use alloy::consensus::proofs::calculate_receipt_root;
use alloy::primitives::{Address, B256, Log, U256, keccak256};
use alloy::rpc::types::{Block, BlockTransactions, Header as RpcHeader};
use clap::Parser;
use crosscheck_core::message::{BlockKey, Identifier};
use crosscheck_core::proof::{ProvenLogs, VerifiedBlock};
use crosscheck_core::transfers::{
    Asset, BlockTransfers, Finding, L2_TO_L2_MESSENGER, LedgerChange, LedgerLimits, Sum, Totals, Transfer,
    TransferLedger, relay_logs, send_logs,
};
use crosscheck_p2p::{ChainId, UnixSeconds};
use op_alloy::consensus::OpReceiptEnvelope;
use op_alloy::rpc_types::Transaction;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use receipt::receipt;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::process::ExitCode;
use std::time::Duration;

/// How often a block is taken back, with two others.
const REORG_EVERY: u64 = 100;

/// Transfers between chains, and what it costs to account for them.
#[derive(Parser)]
struct Args {
    /// How many chains there are.
    #[arg(long, default_value_t = 8)]
    chains: u64,
    /// How many transfers are initiated.
    #[arg(long, default_value_t = 10_000)]
    transfers: u64,
    /// How many transfers a block initiates.
    #[arg(long, default_value_t = 20)]
    in_a_block: u64,
    /// After how many blocks a block is final.
    #[arg(long, default_value_t = 64)]
    finality: u64,
    /// One execution in so many is repeated later, and one in so many was never initiated.
    #[arg(long, default_value_t = 1_000)]
    planted_every: u32,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

type Key = (&'static str, B256);

/// The chains, and what they will do.
struct World {
    args: Args,
    random: SmallRng,
    /// The next height of each chain.
    heights: Vec<u64>,
    /// What each chain is to execute.
    incoming: Vec<VecDeque<(Transfer, Identifier)>>,
    /// What each chain executes once more, by height.
    repeated: Vec<BTreeMap<u64, Vec<(Transfer, Identifier)>>>,
    /// The height that each chain must reach for every planted transfer to be found.
    awaited: Vec<u64>,
    nonce: u64,
    planted: BTreeSet<Key>,
}

impl World {
    fn new(args: Args) -> Self {
        let chains = usize::try_from(args.chains).unwrap();
        Self {
            random: SmallRng::seed_from_u64(7),
            heights: vec![1; chains],
            incoming: vec![VecDeque::new(); chains],
            repeated: vec![BTreeMap::new(); chains],
            awaited: vec![0; chains],
            nonce: 0,
            planted: BTreeSet::new(),
            args,
        }
    }

    fn transfer(&mut self, source: u64, destination: u64) -> Transfer {
        self.nonce += 1;
        let asset = match self.nonce % 4 {
            0 => Asset::Token(Address::with_last_byte(7)),
            _ => Asset::Eth,
        };
        Transfer {
            source: source.into(),
            destination: destination.into(),
            nonce: U256::from(self.nonce),
            asset,
            from: Address::from_word(keccak256(self.nonce.to_be_bytes())),
            to: Address::ZERO,
            amount: U256::from(self.nonce),
        }
    }

    fn other(&mut self, chain: u64) -> u64 {
        (chain + self.random.random_range(1..self.args.chains)) % self.args.chains
    }

    fn is_planted(&mut self) -> bool {
        self.random.random_ratio(1, self.args.planted_every)
    }

    /// The logs of the next block of a chain, by transaction.
    fn next(&mut self, chain: u64) -> Vec<Vec<Log>> {
        let at = usize::try_from(chain).unwrap();
        let number = self.heights[at];
        self.heights[at] += 1;
        let mut transactions = Vec::new();
        for _ in 0..self.args.in_a_block {
            if self.nonce < self.args.transfers {
                let other = self.other(chain);
                let transfer = self.transfer(chain, other);
                let log_index = u32::try_from(transactions.len() * 2).unwrap();
                self.incoming[usize::try_from(other).unwrap()]
                    .push_back((transfer, identifier(chain, number, log_index)));
                transactions.push(send_logs(&transfer).to_vec());
            }
        }
        for (transfer, cited) in self.repeated[at].remove(&number).unwrap_or_default() {
            transactions.push(relay_logs(&transfer, &cited).to_vec());
        }
        for _ in 0..self.args.in_a_block {
            let Some((transfer, cited)) = self.incoming[at].pop_front() else { break };
            transactions.push(relay_logs(&transfer, &cited).to_vec());
            if self.is_planted() {
                let later = number + self.random.random_range(1..200);
                self.repeated[at].entry(later).or_default().push((transfer, cited));
                self.planted.insert(("twice", transfer.message_hash()));
            }
            if self.is_planted() {
                let source = self.other(chain);
                let forged =
                    Transfer { nonce: U256::MAX - U256::from(self.nonce), ..self.transfer(source, chain) };
                // The source may not have made this block yet.
                let of = usize::try_from(source).unwrap();
                let height = (self.heights[of] + self.random.random_range(0..3)).saturating_sub(2).max(1);
                self.awaited[of] = self.awaited[of].max(height);
                let cited = identifier(source, height, 0);
                transactions.push(relay_logs(&forged, &cited).to_vec());
                self.planted.insert(("without", forged.message_hash()));
            }
        }
        transactions
    }

    fn is_done(&self) -> bool {
        self.nonce >= self.args.transfers
            && self.incoming.iter().all(VecDeque::is_empty)
            && self.repeated.iter().all(BTreeMap::is_empty)
            && self.heights.iter().zip(&self.awaited).all(|(height, awaited)| height > awaited)
    }
}

fn identifier(chain: u64, block_number: u64, log_index: u32) -> Identifier {
    let (origin, timestamp) = (L2_TO_L2_MESSENGER, UnixSeconds(block_number));
    Identifier { origin, block_number, log_index, timestamp, chain_id: chain.into() }
}

/// A block with these logs, and the CPU time of proving it.
fn prove(chain: u64, number: u64, transactions: &[Vec<Log>]) -> (ProvenLogs, Duration) {
    let receipts: Vec<_> = transactions.iter().map(|logs| receipt(logs)).collect();
    let envelopes: Vec<OpReceiptEnvelope> = receipts.iter().cloned().map(Into::into).collect();
    let receipts_root = calculate_receipt_root(&envelopes);
    let header = RpcHeader::new(Header { number, receipts_root, ..Header::default() });
    let block = Block::<Transaction, RpcHeader>::new(header, BlockTransactions::Full(Vec::new()));
    let block = VerifiedBlock::verify(block).unwrap();
    let started = cpu_time();
    let logs = ProvenLogs::prove(ChainId::from(chain), &block, &receipts).unwrap();
    (logs, cpu_time() - started)
}

#[derive(Default)]
struct Measured {
    prove: Duration,
    ledger: Duration,
    logs: usize,
    blocks: u64,
    reorgs: u64,
    most: (usize, usize),
    found: BTreeSet<Key>,
}

impl Measured {
    fn hear(&mut self, changes: Vec<LedgerChange>) {
        let key = |finding: &Finding| match finding {
            Finding::ExecutedTwice { message_hash, .. } => ("twice", *message_hash),
            Finding::ExecutedWithoutInitiation { message_hash, .. } => ("without", *message_hash),
        };
        for change in changes {
            match change {
                LedgerChange::Found(finding) => assert!(self.found.insert(key(&finding))),
                LedgerChange::Withdrawn(finding) => assert!(self.found.remove(&key(&finding))),
            }
        }
    }

    fn apply(&mut self, ledger: &mut TransferLedger, key: BlockKey, transfers: &BlockTransfers) {
        let started = cpu_time();
        let changes = ledger.apply(key, transfers).unwrap();
        self.ledger += cpu_time() - started;
        self.hear(changes);
        self.blocks += 1;
    }

    /// Takes the last blocks of a chain back; the same come again, under other hashes.
    fn reorganise(&mut self, ledger: &mut TransferLedger, recent: &mut [(BlockKey, BlockTransfers)]) {
        let started = cpu_time();
        let changes = ledger.take_back(recent[0].0).unwrap();
        self.ledger += cpu_time() - started;
        self.hear(changes);
        self.reorgs += 1;
        for (key, transfers) in recent {
            key.hash = keccak256(key.hash);
            self.apply(ledger, *key, transfers);
        }
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let (chains, finality) = (args.chains, args.finality);
    let mut ledger = TransferLedger::new((0..chains).map(ChainId::from), LedgerLimits::default());
    let (mut world, mut measured) = (World::new(args), Measured::default());
    let mut recent = vec![VecDeque::new(); usize::try_from(chains).unwrap()];
    while !world.is_done() {
        // Not in turn: some chains are ahead of others.
        let chain = world.random.random_range(0..chains);
        let at = usize::try_from(chain).unwrap();
        let number = world.heights[at];
        let (logs, took) = prove(chain, number, &world.next(chain));
        measured.prove += took;
        measured.logs += logs.len();
        measured.apply(&mut ledger, logs.key(), logs.transfers());
        assert_eq!(logs.transfers().odd_count(), 0);
        let blocks: &mut VecDeque<_> = &mut recent[at];
        blocks.push_back((logs.key(), logs.transfers().clone()));
        if blocks.len() > 3 {
            blocks.pop_front();
        }
        if number.is_multiple_of(REORG_EVERY) {
            measured.reorganise(&mut ledger, blocks.make_contiguous());
        }
        let started = cpu_time();
        ledger.finalize(chain.into(), number.saturating_sub(finality));
        measured.ledger += cpu_time() - started;
        let (open, settled) = ledger.remembered();
        measured.most = (measured.most.0.max(open), measured.most.1.max(settled));
    }
    report(&world, &measured, &ledger)
}

fn report(world: &World, measured: &Measured, ledger: &TransferLedger) -> ExitCode {
    let each =
        |cost: Duration| cost.as_secs_f64() * 1e6 / f64::from(u32::try_from(world.nonce.max(1)).unwrap());
    println!("{} transfers between {} chains", world.nonce, world.args.chains);
    println!(
        "blocks               {} applied, {} logs; {} reorgs",
        measured.blocks, measured.logs, measured.reorgs
    );
    println!("proving a transfer   {:.2} us of CPU, for its five logs", each(measured.prove));
    println!("ledger               {:.2} us of CPU a transfer", each(measured.ledger));
    println!("remembered, at most  {} open, {} settled", measured.most.0, measured.most.1);
    let sum = |of: fn(&Totals) -> Sum| ledger.totals().map(|(_, totals)| of(totals).transfers).sum::<u64>();
    let (completed, without) = (sum(|totals| totals.completed), sum(|totals| totals.without_initiation));
    println!(
        "completed            {completed}; without initiation {without}; again {}",
        sum(|of| of.executed_again)
    );
    println!("planted              {}, found {}", world.planted.len(), measured.found.len());
    println!("memory, peak         {}", peak_memory());
    let holds = world.planted == measured.found && ledger.counts().forgotten == 0;
    println!("{}", if holds { "all that was planted was found, and nothing else" } else { "FAILED" });
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How long this thread has been on a CPU.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

/// The most memory that was ever resident.
fn peak_memory() -> String {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}
