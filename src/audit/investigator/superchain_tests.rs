//! Messages between two chains whose blocks are executed for real: what the cited block rests on, cycles of
//! one timestamp, and replacements that these make right or not.

mod absence;

use super::tests::{parts_of, serve_shared};
use super::*;
use crate::sources::{EndpointLimits, SyncStatus};
use alloy::eips::eip2930::AccessList;
use alloy::primitives::{Address, Bytes, LogData, U256};
use crosscheck_core::case::{Candidate, Verdict};
use crosscheck_core::consolidation::Replacement;
use crosscheck_core::heads::L2BlockRef;
use crosscheck_core::message::{CROSS_L2_INBOX, Identifier, Message, payload_hash};
use crosscheck_core::proof::LogIndex;
use crosscheck_core::validity::{Member, MessageStatus};
use crosscheck_devnet::chain::L2Block;
use crosscheck_devnet::chain::{Chain, ChainParams};
use crosscheck_devnet::contracts::{EMITTER, emit_call, inbox_access_list, validate_message_call};
use crosscheck_devnet::fixture::{DEPOSIT_CONTRACT, Fixture, GENESIS_TIME, SYSTEM_CONFIG};
use crosscheck_devnet::keys::Call;
use crosscheck_devnet::serve::RunningServer;
use parking_lot::RwLock;

const A: u64 = 901;
const B: u64 = 902;
const TOPIC: B256 = B256::repeat_byte(7);

/// Two chains on one L1, with blocks of the same timestamps.
struct Pair {
    fixture: Fixture,
    chains: BTreeMap<u64, Chain>,
}

/// A transaction of a block.
enum Step {
    /// Emits the log that every message here is about.
    Emit,
    /// Executes a message.
    Execute(Message),
}

use Step::{Emit, Execute};

/// The log at this index of block `number`, which one of our emitters wrote.
fn message(chain: u64, number: u64, log_index: u32) -> Message {
    let identifier = Identifier {
        origin: EMITTER,
        block_number: number,
        log_index,
        timestamp: UnixSeconds(GENESIS_TIME + 2 * number),
        chain_id: chain.into(),
    };
    let log = LogData::new_unchecked(vec![TOPIC], Bytes::from_static(b"log"));
    Message { identifier, payload_hash: payload_hash(&log) }
}

impl Pair {
    fn new() -> Self {
        let fixture = Fixture::new(5);
        let chain = |chain_id| {
            let params = ChainParams {
                first_number: 0,
                chain_id,
                block_time: 2,
                genesis_time: UnixSeconds(GENESIS_TIME),
                l1_genesis: fixture.l1.head().id(),
                // Distinguished by this alone: a header does not name its chain.
                gas_limit: 60_000_000 + chain_id,
                system_config: SYSTEM_CONFIG,
                deposit_contract: DEPOSIT_CONTRACT,
                batcher: Address::repeat_byte(0xba),
                upgrade: None,
            };
            (chain_id, Chain::new(params, &[fixture.user.address()]).unwrap())
        };
        let chains = [A, B].map(chain).into();
        Self { fixture, chains }
    }

    /// Builds a block with these transactions on a chain's head, and makes it the head.
    fn extend(&mut self, chain_id: u64, steps: &[Step]) -> Arc<L2Block> {
        let chain = self.chains.get_mut(&chain_id).unwrap();
        let parent = chain.head().hash;
        let first = chain.nonce(parent, self.fixture.user.address()).unwrap();
        let transactions = steps.iter().zip(first..).map(|(step, nonce)| {
            let (to, input, access_list) = match step {
                Emit => (EMITTER, emit_call(&[TOPIC], b"log"), AccessList::default()),
                Execute(message) => {
                    (CROSS_L2_INBOX, validate_message_call(message), inbox_access_list(&[*message]))
                }
            };
            let value = U256::ZERO;
            let (gas_limit, max_fee) = (1_000_000, 10_000_000_000);
            let call = Call { chain_id, nonce, to, input, value, access_list, gas_limit, max_fee };
            self.fixture.sign(call)
        });
        let transactions: Vec<Bytes> = transactions.collect();
        let block = chain.build(parent, self.fixture.l1.head(), &transactions).unwrap();
        chain.adopt(block.hash).unwrap();
        block
    }

    /// The deposits-only block that would take a block's place.
    fn replacement(&mut self, chain_id: u64, block: &L2Block) -> Arc<L2Block> {
        self.chains.get_mut(&chain_id).unwrap().deposits_only(block.hash).unwrap()
    }

    /// Puts the deposits-only block in a block's place.
    fn replace(&mut self, chain_id: u64, block: &L2Block) -> Arc<L2Block> {
        let replacement = self.replacement(chain_id, block);
        self.chains.get_mut(&chain_id).unwrap().adopt(replacement.hash).unwrap();
        replacement
    }

    /// Serves both chains. Their heads are local-safe, nothing is final.
    async fn serve(self) -> Court {
        let mut servers = Vec::new();
        let mut clients = BTreeMap::new();
        let member = Member { interop_time: UnixSeconds(0), block_time: 2 };
        let ids = [A, B].map(ChainId::from);
        let set = DependencySet::new(ids.map(|id| (id, member)).into(), 100);
        let heads = Heads::new(ids);
        let limits = EndpointLimits {
            timeout: Duration::from_secs(300),
            max_response_bytes: 1 << 20,
            max_concurrent_requests: 8,
        };
        let index = LogIndex::new(1 << 20);
        let chains: BTreeMap<u64, Arc<RwLock<Chain>>> =
            self.chains.into_iter().map(|(id, chain)| (id, Arc::new(RwLock::new(chain)))).collect();
        for (id, chain) in &chains {
            let server = serve_shared(Arc::clone(chain)).await;
            let client = ExecutionClient::new(
                (*id).into(),
                &[server.url().parse().unwrap()],
                1,
                limits,
                index.clone(),
            )
            .unwrap();
            clients.insert(ChainId::from(*id), client);
            servers.push(server);
        }
        let investigator = Investigator::new(parts_of(set, clients, heads));
        let court = Court { chains, investigator, _servers: servers };
        court.finalize(A, 0);
        court.finalize(B, 0);
        court
    }
}

struct Court {
    chains: BTreeMap<u64, Arc<RwLock<Chain>>>,
    investigator: Investigator,
    _servers: Vec<RunningServer>,
}

impl Court {
    /// The chain's head is local-safe, and this height is final.
    fn finalize(&self, chain_id: u64, finalized: u64) {
        let chain = self.chains[&chain_id].read();
        let reference = |number: u64| {
            let block = chain.canonical(number).unwrap();
            L2BlockRef::new(number, block.hash, block.timestamp())
        };
        let (tip, finalized) = (reference(chain.head().header.number), reference(finalized));
        let status = SyncStatus { unsafe_l2: tip, safe_l2: tip, local_safe_l2: tip, finalized_l2: finalized };
        self.investigator.parts.heads.set(chain_id.into(), Some(status));
    }

    /// Remembers a block as one that was seen before what stands there now.
    async fn note(&self, chain_id: u64, block: &L2Block) {
        let key = BlockKey { chain_id: chain_id.into(), number: block.header.number, hash: block.hash };
        let fetched = self.investigator.fetch(key).await.unwrap();
        let attributes = BlockAttributes::of_block(&fetched);
        let candidate = Candidate::of(block.hash, &attributes, Replacement::DepositsOnly).unwrap();
        assert!(self.investigator.candidates().note(key.chain_id, key.number, candidate).is_some());
    }

    /// The chain follows another branch, and its node says so.
    fn adopt(&self, chain_id: u64, hash: B256) {
        self.chains[&chain_id].write().adopt(hash).unwrap();
        self.finalize(chain_id, 0);
    }

    /// Investigates a block: the verdict's name and the reason of its first invalid message, or what it waits
    /// for.
    async fn judge(&self, chain_id: u64, block: &L2Block) -> (String, Option<&'static str>) {
        self.look(self.case(chain_id, block).await).await.1
    }

    async fn case(&self, chain_id: u64, block: &L2Block) -> Case {
        let key = BlockKey { chain_id: chain_id.into(), number: block.header.number, hash: block.hash };
        let fetched = self.investigator.fetch(key).await.unwrap();
        Case::new(key, CaseRules::default(), BlockAttributes::of_block(&fetched))
    }

    /// Goes on with a case, and says of it what [`Court::judge`] says.
    async fn look(&self, case: Case) -> (Case, (String, Option<&'static str>)) {
        let Investigation { case, waits, .. } = self.investigator.investigate(case).await;
        let invalid = case.messages().iter().find_map(|checked| match checked.status {
            MessageStatus::Invalid(reason) => Some(reason.code()),
            MessageStatus::Valid | MessageStatus::Unknown => None,
        });
        let verdict = case.verdict().map(|verdict| match verdict {
            Verdict::Violated(_) => verdict.reason().unwrap().to_owned(),
            _ => verdict.name().to_owned(),
        });
        let waits =
            waits.iter().map(|wait| format!("{:?}: {:?} of {}", wait.cause, wait.awaited, wait.chain_id));
        let found = verdict.unwrap_or_else(|| waits.collect::<Vec<_>>().join(", "));
        (case, (found, invalid))
    }
}

fn outcome(verdict: &str, invalid: Option<&'static str>) -> (String, Option<&'static str>) {
    (verdict.to_owned(), invalid)
}

/// B1 emits a log and executes a message that never was; A2 executes B1's log.
fn transitive(pair: &mut Pair) -> [Arc<L2Block>; 2] {
    pair.extend(A, &[]);
    let b1 = pair.extend(B, &[Emit, Execute(message(A, 1, 0))]);
    let a2 = pair.extend(A, &[Execute(message(B, 1, 0))]);
    pair.extend(B, &[]);
    [a2, b1]
}

#[tokio::test]
async fn a_block_that_cites_an_invalid_block_is_invalid() {
    let mut pair = Pair::new();
    let [a2, b1] = transitive(&mut pair);
    let court = pair.serve().await;
    assert_eq!(court.judge(B, &b1).await, outcome("invalid-message", Some("log-not-found")));
    assert_eq!(court.judge(A, &a2).await, outcome("invalid-message", Some("initiating-block-invalid")));
}

/// However late the audit comes: that L1 finality covers a block makes no message in it real.
#[tokio::test]
async fn finality_of_the_invalid_block_changes_nothing() {
    let mut pair = Pair::new();
    let [a2, b1] = transitive(&mut pair);
    let court = pair.serve().await;
    court.finalize(A, 2);
    court.finalize(B, 2);
    assert_eq!(court.judge(A, &a2).await, outcome("invalid-message", Some("initiating-block-invalid")));
    assert_eq!(court.judge(B, &b1).await, outcome("invalid-message", Some("log-not-found")));
}

#[tokio::test]
async fn the_other_messages_of_an_invalid_block_are_checked_too() {
    let mut pair = Pair::new();
    pair.extend(A, &[Emit]);
    pair.extend(B, &[]);
    pair.extend(B, &[Emit, Execute(message(A, 1, 0))]);
    let a2 = pair.extend(A, &[Execute(message(B, 2, 0)), Execute(message(B, 1, 0))]);
    let court = pair.serve().await;
    let (case, _) = court.look(court.case(A, &a2).await).await;
    let statuses: Vec<_> = case.messages().iter().map(|checked| checked.status.name()).collect();
    assert_eq!(statuses, ["valid", "invalid"]);
}

#[tokio::test]
async fn a_chain_of_valid_citations_is_upheld_and_remembered() {
    let mut pair = Pair::new();
    pair.extend(A, &[Emit]);
    pair.extend(B, &[]);
    let b2 = pair.extend(B, &[Emit, Execute(message(A, 1, 0))]);
    pair.extend(A, &[]);
    let a3 = pair.extend(A, &[Execute(message(B, 2, 0))]);
    pair.extend(B, &[]);
    let court = pair.serve().await;
    assert_eq!(court.judge(A, &a3).await, outcome("upheld", None));
    let is_known =
        |court: &Court| court.investigator.proven.lock().get((B.into(), b2.hash), |_| true).is_some();
    assert!(is_known(&court));
    // A rewound chain invalidates what depends on it.
    let lower = court.chains[&A].read().canonical(2).unwrap().hash;
    court.adopt(A, lower);
    court.investigator.continuous_chains().await;
    assert!(!is_known(&court));
}

/// A1 and B1 each execute first what the other emits after.
fn cycle(pair: &mut Pair) -> [Arc<L2Block>; 2] {
    let a1 = pair.extend(A, &[Execute(message(B, 1, 1)), Emit]);
    let b1 = pair.extend(B, &[Execute(message(A, 1, 1)), Emit]);
    [a1, b1]
}

#[tokio::test]
async fn a_cycle_makes_both_blocks_invalid() {
    let mut pair = Pair::new();
    let [a1, b1] = cycle(&mut pair);
    let court = pair.serve().await;
    assert_eq!(court.judge(A, &a1).await, outcome("invalid-message", Some("cycle")));
    assert_eq!(court.judge(B, &b1).await, outcome("invalid-message", Some("cycle")));
}

#[tokio::test]
async fn mutual_messages_without_a_cycle_are_upheld() {
    let mut pair = Pair::new();
    let a1 = pair.extend(A, &[Emit, Execute(message(B, 1, 0))]);
    let b1 = pair.extend(B, &[Emit, Execute(message(A, 1, 0))]);
    let court = pair.serve().await;
    assert_eq!(court.judge(A, &a1).await, outcome("upheld", None));
    assert_eq!(court.judge(B, &b1).await, outcome("upheld", None));
}

#[tokio::test]
async fn a_same_timestamp_message_waits_for_every_chain() {
    let mut pair = Pair::new();
    let a1 = pair.extend(A, &[Emit, Execute(message(A, 1, 0))]);
    let court = pair.serve().await;
    assert_eq!(court.judge(A, &a1).await, outcome("NotYet: SameTimestamp of 902", None));
    court.investigator.parts.heads.set(B.into(), None);
    assert_eq!(court.judge(A, &a1).await, outcome("EndpointError: SameTimestamp of 902", None));
}

#[tokio::test]
async fn both_blocks_of_a_cycle_are_rightly_replaced() {
    let mut pair = Pair::new();
    let [a1, b1] = cycle(&mut pair);
    let (replacement_a, replacement_b) = (pair.replace(A, &a1), pair.replace(B, &b1));
    let court = pair.serve().await;
    court.note(A, &a1).await;
    court.note(B, &b1).await;
    assert_eq!(court.judge(A, &replacement_a).await, outcome("upheld-replacement", Some("cycle")));
    assert_eq!(court.judge(B, &replacement_b).await, outcome("upheld-replacement", Some("cycle")));
}

#[tokio::test]
async fn a_block_that_cites_a_replaced_one_of_its_timestamp_is_rightly_replaced() {
    let mut pair = Pair::new();
    let b1 = pair.extend(B, &[Emit, Execute(message(A, 1, 5))]);
    let a1 = pair.extend(A, &[Execute(message(B, 1, 0))]);
    let (replacement, _) = (pair.replace(A, &a1), pair.replace(B, &b1));
    let court = pair.serve().await;
    court.note(A, &a1).await;
    // Without its original, B1's replacement does not have the log at all.
    assert_eq!(court.judge(A, &replacement).await, outcome("upheld-replacement", Some("log-not-found")));
    court.note(B, &b1).await;
    let expected = outcome("upheld-replacement", Some("initiating-block-invalid"));
    assert_eq!(court.judge(A, &replacement).await, expected);
}

#[tokio::test]
async fn a_replacement_that_the_rollup_node_has_not_seen_yet() {
    let mut pair = Pair::new();
    let [a1, _] = cycle(&mut pair);
    let replacement = pair.replacement(A, &a1);
    let court = pair.serve().await;
    assert_eq!(court.judge(A, &replacement).await, outcome("upheld-replacement", Some("cycle")));
}

#[tokio::test]
async fn a_valid_same_timestamp_message_does_not_excuse_a_replacement() {
    let mut pair = Pair::new();
    let a1 = pair.extend(A, &[Execute(message(B, 1, 0))]);
    pair.extend(B, &[Emit]);
    let replacement = pair.replacement(A, &a1);
    let court = pair.serve().await;
    assert_eq!(court.judge(A, &replacement).await, outcome("unjustified-replacement", None));
}

#[tokio::test]
async fn a_replacement_is_not_judged_while_the_cited_block_may_be_a_replacement() {
    let mut pair = Pair::new();
    let a1 = pair.extend(A, &[Emit, Execute(message(A, 1, 0))]);
    // Was B1 built like this, or did it replace a block of a cycle that depended on A1? It cannot be
    // determined.
    pair.extend(B, &[]);
    let replacement = pair.replacement(A, &a1);
    let court = pair.serve().await;
    assert_eq!(court.judge(A, &replacement).await, outcome("NotYet: SameTimestamp of 901", None));
    // That A1 became final tells it: it was not to be replaced.
    court.finalize(A, 1);
    assert_eq!(court.judge(A, &replacement).await, outcome("unjustified-replacement", None));
}

/// A2 executes B1's log, and waits for a block of B at its own timestamp. Until that comes B has another
/// block 1, without the log.
#[tokio::test]
async fn a_case_discards_the_facts_of_an_abandoned_branch() {
    let mut pair = Pair::new();
    pair.extend(A, &[]);
    let a2 = pair.extend(A, &[Emit, Execute(message(A, 2, 0)), Execute(message(B, 1, 0))]);
    let genesis = pair.chains[&B].head().hash;
    pair.chains.get_mut(&B).unwrap().adopt(genesis).unwrap();
    pair.extend(B, &[]);
    let other = pair.extend(B, &[]);
    pair.chains.get_mut(&B).unwrap().adopt(genesis).unwrap();
    pair.extend(B, &[Emit]);
    let court = pair.serve().await;
    let (case, found) = court.look(court.case(A, &a2).await).await;
    assert_eq!(found, outcome("NotYet: SameTimestamp of 902", None));
    court.adopt(B, other.hash);
    let (_, found) = court.look(case).await;
    assert_eq!(found, outcome("invalid-message", Some("log-not-found")));
}

/// Two blocks of one height and timestamp that the same deposits-only block would replace: which of them L1
/// says is not known.
#[tokio::test]
async fn a_replacement_of_one_of_two_siblings_is_not_judged_unjustified() {
    let mut pair = Pair::new();
    let a1 = pair.extend(A, &[Emit, Execute(message(A, 1, 0))]);
    let parent = pair.chains[&B].head().hash;
    let siblings = [&[Emit][..], &[Emit, Emit]].map(|steps| {
        pair.chains.get_mut(&B).unwrap().adopt(parent).unwrap();
        pair.extend(B, steps)
    });
    pair.replace(B, &siblings[1]);
    let replacement = pair.replacement(A, &a1);
    let court = pair.serve().await;
    court.note(B, &siblings[0]).await;
    // With one sibling known, it is what was replaced.
    assert_eq!(court.judge(A, &replacement).await, outcome("unjustified-replacement", None));
    court.note(B, &siblings[1]).await;
    assert_eq!(court.judge(A, &replacement).await, outcome("NotYet: SameTimestamp of 901", None));
}
