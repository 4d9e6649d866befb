//! One row for each thing that a probe can find.

use super::finding::{Asked, Grade, Probe, ProbeFinding, ProbeVerdict, outcome, summary};
use super::l1::{ClockBounds, SignerSettings};
use super::reference::Reference;
use super::services::Depth;
use super::start::NewFindings;
use super::{identity, l1, opinions, services};
use crate::audit::{RuleDifference, RulesError};
use crate::config::Config;
use crate::metrics::EndpointKind;
use crate::networks::NetworkName;
use crate::sources::{EndpointUrl, METHODS, Method, MethodUse, SafeHeadAtL1, Served, Shortfall, SourceError};
use alloy::eips::BlockNumHash;
use alloy::primitives::{Address, B256};
use crosscheck_core::consolidation::RollupConfig;
use crosscheck_core::heads::SafeMeans;
use crosscheck_core::validity::{DependencySet, Member};
use crosscheck_p2p::{ChainId, UnixSeconds};
use rstest::rstest;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

const ONE: B256 = B256::repeat_byte(1);
const TWO: B256 = B256::repeat_byte(2);
const WEEK: Duration = Duration::from_secs(604_800);

fn url() -> EndpointUrl {
    "http://127.0.0.1:1".parse().unwrap()
}

fn unreachable() -> SourceError {
    SourceError::Unreachable { endpoint: url(), method: "eth_chainId", reason: "timed out".to_owned() }
}

fn refused(code: i32, message: &str) -> SourceError {
    SourceError::Refused { endpoint: url(), method: "eth_chainId", code, message: message.to_owned() }
}

fn chain(id: u64) -> ChainId {
    ChainId::from(id)
}

fn reference() -> Reference {
    Reference {
        by: "the rollup node http://127.0.0.1:2".to_owned(),
        l1_chain_id: chain(900),
        l1: BlockNumHash { number: 3, hash: ONE },
        l2: BlockNumHash { number: 0, hash: ONE },
        system_config: Address::repeat_byte(0xa),
    }
}

/// The judgement is of this grade, says this, and says what to do if something is to be done.
#[track_caller]
fn assert_says(judgement: &ProbeVerdict, grade: Grade, says: &str) {
    assert_eq!(judgement.grade, grade, "{judgement:?}");
    assert!(judgement.found.contains(says), "{says:?} is not in {judgement:?}");
    assert_eq!(judgement.advice.is_empty(), grade == Grade::Ok, "{judgement:?}");
}

#[rstest]
#[case::right(Ok(chain(901)), Grade::Ok, "901")]
#[case::another(Ok(chain(902)), Grade::Fault, "serves chain 902, not chain 901")]
#[case::away(Err(unreachable()), Grade::NotDetermined, "timed out")]
fn chain_id(#[case] served: Result<ChainId, SourceError>, #[case] grade: Grade, #[case] says: &str) {
    assert_says(&identity::chain_id(chain(901), &served), grade, says);
}

#[rstest]
#[case::right(Ok(chain(900)), Some(reference()), Grade::Ok, "900")]
#[case::another(
    Ok(chain(1)),
    Some(reference()),
    Grade::Fault,
    "serves chain 1, but chain 901 is derived from 900"
)]
#[case::no_answer_names_it(Ok(chain(1)), None, Grade::Ok, "the L1 of the chains is not known")]
#[case::away(Err(unreachable()), Some(reference()), Grade::NotDetermined, "timed out")]
fn l1_chain_id(
    #[case] served: Result<ChainId, SourceError>,
    #[case] known: Option<Reference>,
    #[case] grade: Grade,
    #[case] says: &str,
) {
    let chains = [(chain(900), Some(reference())), (chain(901), known.clone())];
    // What is known of one chain is enough.
    let chains = if known.is_some() { &chains[1..] } else { &[(chain(901), None)][..] };
    assert_says(&identity::l1_chain_id(chains, &served), grade, says);
}

#[test]
fn the_l1_of_one_chain_among_others_may_be_wrong() {
    let other = Reference { l1_chain_id: chain(1), ..reference() };
    let chains = [(chain(901), Some(reference())), (chain(902), None), (chain(903), Some(other))];
    let judgement = identity::l1_chain_id(&chains, &Ok(chain(900)));
    assert_says(&judgement, Grade::Fault, "chain 903 is derived from 1");
}

#[rstest]
#[case::right(Ok(Some(ONE)), Grade::Ok, "block 3 is 0x0101")]
#[case::another(Ok(Some(TWO)), Grade::Fault, "block 3 is 0x0202")]
#[case::dropped(Ok(None), Grade::Ok, "no longer has block 3")]
#[case::away(Err(unreachable()), Grade::NotDetermined, "timed out")]
fn genesis(#[case] found: Result<Option<B256>, SourceError>, #[case] grade: Grade, #[case] says: &str) {
    let judgement = identity::genesis(BlockNumHash { number: 3, hash: ONE }, "the rollup node", &found);
    assert_says(&judgement, grade, says);
}

#[rstest]
#[case::right(0, ONE, Grade::Ok, "block 0")]
#[case::another_hash(0, TWO, Grade::Fault, "the chain begins at 0")]
#[case::another_height(1, ONE, Grade::Fault, "it begins at block 1")]
fn node_genesis(#[case] number: u64, #[case] hash: B256, #[case] grade: Grade, #[case] says: &str) {
    assert_says(&identity::node_genesis(&reference(), BlockNumHash { number, hash }), grade, says);
}

/// Whether each method that is named is not served (`-`), or its endpoint does not answer (`?`). The others
/// are.
fn asked(kind: EndpointKind, odd: &[(&str, Served)]) -> Vec<(&'static Method, Served)> {
    let answer =
        |method: &Method| odd.iter().find(|(name, _)| *name == method.name).map(|(_, it)| it.clone());
    let of_kind = METHODS.iter().filter(|method| method.of == kind && method.need != MethodUse::Apart);
    of_kind.map(|method| (method, answer(method).unwrap_or(Served::Yes))).collect()
}

fn unknown() -> Served {
    Served::Unknown { reason: "timed out".to_owned() }
}

#[rstest]
#[case::all(&[], Grade::Ok, "all that are asked for")]
#[case::needed(&["eth_getBlockByHash"], Grade::Fault, "eth_getBlockByHash (no block can be read)")]
#[case::dear(&["eth_getBlockReceipts"], Grade::Doubt, "one by one")]
#[case::neither(&["eth_getBlockReceipts", "eth_getTransactionReceipt"], Grade::Fault, "eth_getBlockReceipts")]
#[case::extra(&["debug_getRawReceipts", "debug_getRawTransaction"], Grade::Ok, "not debug_getRawReceipts")]
fn methods(#[case] missing: &[&str], #[case] grade: Grade, #[case] says: &str) {
    let odd: Vec<(&str, Served)> = missing.iter().map(|name| (*name, Served::No)).collect();
    assert_says(&services::methods(&asked(EndpointKind::Execution, &odd)), grade, says);
}

#[rstest]
#[case::needed(&[("eth_chainId", unknown())], Grade::NotDetermined, "did not answer eth_chainId: timed out")]
#[case::extra(&[("debug_getRawReceipts", unknown())], Grade::Ok, "all that are asked for")]
#[case::beside_a_fault(&[("eth_chainId", unknown()), ("eth_getBlockByHash", Served::No)], Grade::Fault, "eth_getBlockByHash")]
fn methods_that_are_not_answered(#[case] odd: &[(&str, Served)], #[case] grade: Grade, #[case] says: &str) {
    assert_says(&services::methods(&asked(EndpointKind::Execution, odd)), grade, says);
}

#[rstest]
#[case::l1(EndpointKind::L1)]
#[case::execution(EndpointKind::Execution)]
#[case::rollup_node(EndpointKind::RollupNode)]
fn each_missing_required_method_is_reported(#[case] kind: EndpointKind) {
    for method in METHODS.iter().filter(|method| method.of == kind && method.need == MethodUse::Always) {
        let judgement = services::methods(&asked(kind, &[(method.name, Served::No)]));
        assert_says(&judgement, Grade::Fault, method.name);
        assert_says(&judgement, Grade::Fault, method.without);
    }
}

fn depth(is_oldest: bool, held: Result<Option<bool>, SourceError>) -> Result<Depth, SourceError> {
    Ok(Depth { number: 7, age: WEEK, is_oldest, held })
}

fn incomplete() -> SourceError {
    SourceError::Incomplete { endpoint: url(), method: "eth_getBlockReceipts", reason: "none".to_owned() }
}

#[rstest]
#[case::there(depth(false, Ok(Some(true))), Grade::Ok, "receipts of block 7, which is 7days old")]
#[case::young_chain(depth(true, Ok(Some(true))), Grade::Ok, "block 7, the chain's oldest")]
#[case::null(depth(false, Ok(Some(false))), Grade::Doubt, "it has none")]
#[case::no_block(depth(false, Ok(None)), Grade::Doubt, "does not have the block")]
#[case::refused(
    depth(false, Err(refused(4444, "pruned history unavailable"))),
    Grade::Doubt,
    "pruned history"
)]
#[case::empty(depth(true, Err(incomplete())), Grade::Doubt, "incomplete data")]
#[case::away(depth(false, Err(unreachable())), Grade::NotDetermined, "timed out")]
#[case::no_latest_block(Err(refused(-32_000, "syncing")), Grade::NotDetermined, "syncing")]
fn receipts(#[case] depth: Result<Depth, SourceError>, #[case] grade: Grade, #[case] says: &str) {
    let judgement = services::receipts(WEEK, &depth);
    assert_says(&judgement, grade, says);
    assert_eq!(judgement.advice.contains("up to 7days old"), grade == Grade::Doubt, "{judgement:?}");
}

fn safe_head() -> SafeHeadAtL1 {
    let id = |number| BlockNumHash { number, hash: ONE };
    SafeHeadAtL1 { l1_block: id(40), safe_head: id(7) }
}

/// As an op-node says it that follows a source.
fn repeated_head() -> SafeHeadAtL1 {
    SafeHeadAtL1 { l1_block: BlockNumHash { number: 0, hash: B256::ZERO }, ..safe_head() }
}

#[rstest]
#[case::kept(Some(Ok(safe_head())), Grade::Ok, "block 7 is safe since L1 block 40")]
#[case::a_light_node(Some(Ok(repeated_head())), Grade::Doubt, "no independent second opinion")]
#[case::none_yet(Some(Err(refused(-32_000, "safe head not found"))), Grade::Ok, "none for that L1 block yet")]
#[case::not_kept(Some(Err(refused(-32_000, "safe head database not enabled"))), Grade::Doubt, "not enabled")]
#[case::no_method(Some(Err(refused(-32_601, "the method is missing"))), Grade::Doubt, "keeps no safe heads")]
#[case::busy(Some(Err(refused(-32_005, "limit"))), Grade::NotDetermined, "limit")]
#[case::away(Some(Err(unreachable())), Grade::NotDetermined, "timed out")]
#[case::nothing_to_ask_about(None, Grade::Ok, "has not reported an L1 block")]
fn safe_heads(
    #[case] asked: Option<Result<SafeHeadAtL1, SourceError>>,
    #[case] grade: Grade,
    #[case] says: &str,
) {
    assert_says(&services::safe_heads(asked.as_ref()), grade, says);
}

#[rstest]
#[case::supernode(None, Ok(SafeMeans::CrossSafe), Grade::Ok, "op-supernode")]
#[case::plain(None, Ok(SafeMeans::LocalSafe), Grade::Ok, "counts as local-safe")]
#[case::reported_to_check(
    Some(SafeMeans::CrossSafe),
    Ok(SafeMeans::LocalSafe),
    Grade::Doubt,
    "is not an op-supernode"
)]
#[case::reported_not_to_check(
    Some(SafeMeans::LocalSafe),
    Ok(SafeMeans::LocalSafe),
    Grade::Ok,
    "counts as local-safe"
)]
#[case::away(None, Err(unreachable()), Grade::NotDetermined, "timed out")]
fn safe_means(
    #[case] configured: Option<SafeMeans>,
    #[case] reported: Result<SafeMeans, SourceError>,
    #[case] grade: Grade,
    #[case] says: &str,
) {
    assert_says(&services::safe_means(configured, &reported), grade, says);
}

#[rstest]
#[case::fine(Ok(None), Grade::Ok, "reports its heads")]
#[case::started(Ok(Some(Shortfall::NoHeads)), Grade::Doubt, "no heads yet")]
#[case::away(Err(unreachable()), Grade::NotDetermined, "timed out")]
fn heads(#[case] reported: Result<Option<Shortfall>, SourceError>, #[case] grade: Grade, #[case] says: &str) {
    assert_says(&services::heads(&reported), grade, says);
}

fn several(ids: &[u64]) -> BTreeSet<ChainId> {
    ids.iter().map(|id| chain(*id)).collect()
}

#[rstest]
#[case::of_the_set(Ok(several(&[901, 902])), Grade::Ok, "runs the dependency set 901, 902")]
#[case::of_a_part(Ok(several(&[901])), Grade::Doubt, "not a dependency set")]
#[case::of_more(Ok(several(&[901, 902, 903])), Grade::Doubt, "not all of them are watched")]
#[case::of_none(Ok(several(&[])), Grade::Doubt, "runs no chain")]
#[case::a_plain_op_node(Err(refused(-32_601, "the method is missing")), Grade::Fault, "not an op-supernode")]
#[case::away(Err(unreachable()), Grade::NotDetermined, "timed out")]
fn supernode_opinion(
    #[case] runs: Result<BTreeSet<ChainId>, SourceError>,
    #[case] grade: Grade,
    #[case] says: &str,
) {
    let member = Member { interop_time: UnixSeconds(0), block_time: 2 };
    let set = DependencySet::new(several(&[901, 902]).into_iter().map(|id| (id, member)).collect(), 1);
    assert_says(&opinions::supernode(&set, &runs), grade, says);
}

#[rstest]
#[case::checks(Ok(false), Grade::Ok, "not in passthrough")]
#[case::accepts_everything(Ok(true), Grade::Doubt, "accepts every access list")]
#[case::away(Err(unreachable()), Grade::NotDetermined, "timed out")]
fn filter_opinion(
    #[case] is_passthrough: Result<bool, SourceError>,
    #[case] grade: Grade,
    #[case] says: &str,
) {
    assert_says(&opinions::filter(&is_passthrough), grade, says);
}

#[rstest]
#[case::said(Ok("op-geth/1".to_owned()), Grade::Ok, "op-geth/1")]
#[case::no_such_method(Err(refused(-32_601, "no")), Grade::Ok, "does not say")]
#[case::away(Err(unreachable()), Grade::NotDetermined, "timed out")]
fn version(#[case] reported: Result<String, SourceError>, #[case] grade: Grade, #[case] says: &str) {
    assert_says(&services::version(&reported), grade, says);
}

#[test]
fn rules() {
    let says = |asked| services::rules(&asked);
    assert_says(&says(Ok(Vec::new())), Grade::Ok, "as configured");
    assert_says(&says(Err(RulesError::Source(unreachable()))), Grade::NotDetermined, "timed out");
    let reason = serde_json::from_str::<u8>("x").unwrap_err();
    assert_says(&says(Err(RulesError::Impossible { reason })), Grade::Fault, "is impossible");
    let difference = RuleDifference {
        rule: "block_time".to_owned(),
        node: "1".to_owned(),
        own: "2".to_owned(),
        source: "the configuration".to_owned(),
    };
    assert_says(&says(Ok(vec![difference])), Grade::Fault, "block_time is 1 by its rollup node and 2");
}

#[rstest]
#[case::reached(Ok(true), Grade::Ok, "was dialled")]
#[case::not_reached(Ok(false), Grade::Doubt, "none of 2 static peers")]
#[case::not_tried(Err("no key".to_owned()), Grade::NotDetermined, "no key")]
fn peers(#[case] reached: Result<bool, String>, #[case] grade: Grade, #[case] says: &str) {
    assert_says(&services::peers(2, reached.as_ref().copied()), grade, says);
}

#[rstest]
#[case::same(100, Ok(100), Grade::Ok, "0 s old")]
#[case::a_slot_ago(112, Ok(100), Grade::Ok, "12 s old")]
#[case::as_old_as_may_be(280, Ok(100), Grade::Ok, "180 s old")]
#[case::old(281, Ok(100), Grade::Doubt, "181 s old")]
#[case::as_far_ahead_as_may_be(95, Ok(100), Grade::Ok, "0 s old")]
#[case::slow_clock(94, Ok(100), Grade::Fault, "6 s ahead")]
#[case::away(94, Err(unreachable()), Grade::NotDetermined, "timed out")]
fn clock(
    #[case] now: u64,
    #[case] latest: Result<u64, SourceError>,
    #[case] grade: Grade,
    #[case] says: &str,
) {
    let bounds = ClockBounds { future: 5, stall: 180 };
    assert_says(&l1::clock(bounds, UnixSeconds(now), &latest.map(UnixSeconds)), grade, says);
}

const HERS: Address = Address::repeat_byte(0xb);
const HIS: Address = Address::repeat_byte(0xc);

#[rstest]
#[case::read(None, Ok(Some(HERS)), Grade::Ok, "names 0x0b")]
#[case::as_configured(Some(HERS), Ok(Some(HERS)), Grade::Ok, "names 0x0b")]
#[case::not_as_configured(Some(HIS), Ok(Some(HERS)), Grade::Fault, "and 0x0c")]
#[case::nobody(None, Ok(None), Grade::Fault, "names no signer")]
#[case::away(None, Err(unreachable()), Grade::NotDetermined, "timed out")]
fn signer(
    #[case] configured: Option<Address>,
    #[case] named: Result<Option<Address>, SourceError>,
    #[case] grade: Grade,
    #[case] says: &str,
) {
    assert_says(&l1::signer(configured, Address::repeat_byte(0xa), &named).lower(), grade, says);
}

#[rstest]
#[case::right(0xa, Grade::Ok, "0x0a0a")]
#[case::another(0xd, Grade::Fault, "system_config is 0x0d")]
fn system_config(#[case] configured: u8, #[case] grade: Grade, #[case] says: &str) {
    assert_says(&l1::system_config(Address::repeat_byte(configured), &reference()).lower(), grade, says);
}

impl ProbeVerdict {
    /// The same without the capitals of addresses.
    fn lower(self) -> Self {
        Self { found: self.found.to_lowercase().replace("systemconfig", "SystemConfig"), ..self }
    }
}

#[test]
fn an_unconfigured_contract_is_taken_from_the_reference() {
    let settings = SignerSettings { system_config: None, signer: Some(HERS) };
    assert_eq!(settings.contract(Some(&reference())), Some(Address::repeat_byte(0xa)));
    assert_eq!(settings.contract(None), None);
    let settings = SignerSettings { system_config: Some(HIS), ..settings };
    assert_eq!(settings.contract(Some(&reference())), Some(HIS));
}

fn reported(chain_id: u64) -> RollupConfig {
    let mut config = crosscheck_core::consolidation::sample::op_mainnet_json();
    config["l2_chain_id"] = json!(chain_id);
    config["genesis"]["l2"]["number"] = json!(chain_id);
    serde_json::from_value(config).unwrap()
}

#[test]
fn the_reference_is_built_in_or_from_the_first_node_of_the_chain() {
    let url = url();
    let nodes = [Err(unreachable()), Ok(reported(902)), Ok(reported(901))];
    let nodes = || nodes.iter().map(|config| (&url, config));
    let known = Reference::of(chain(901), None, nodes()).unwrap();
    assert_eq!((known.l2.number, known.by.as_str()), (901, "the rollup node http://127.0.0.1:1"));
    assert_eq!(known.l1_chain_id, chain(1));
    assert_eq!(Reference::of(chain(903), None, nodes()), None);
    let network = "op-mainnet".parse::<NetworkName>().unwrap().network().unwrap();
    let known = Reference::of(chain(10), Some(&network), nodes()).unwrap();
    assert_eq!((known.l2, known.by.as_str()), (network.genesis.l2, "the built-in facts of op-mainnet"));
}

/// How a command ends, by the grades that were found.
#[rstest]
#[case::well(&[Grade::Ok], Grade::Ok)]
#[case::a_doubt(&[Grade::Ok, Grade::Doubt], Grade::Ok)]
#[case::undetermined(&[Grade::NotDetermined, Grade::Doubt], Grade::NotDetermined)]
#[case::a_fault(&[Grade::NotDetermined, Grade::Fault, Grade::Ok], Grade::Fault)]
#[case::nothing(&[], Grade::Ok)]
fn outcomes(#[case] grades: &[Grade], #[case] expected: Grade) {
    let finding = |grade: &Grade| {
        let judgement = ProbeVerdict { grade: *grade, ..ProbeVerdict::ok("") };
        ProbeFinding { chain_id: None, asked: Asked::Peers, probe: Probe::Peers, judgement }
    };
    let findings: Vec<ProbeFinding> = grades.iter().map(finding).collect();
    assert_eq!(outcome(&findings), expected);
    assert!(summary(&findings).starts_with(&format!("{} probes: ", grades.len())));
}

/// Of a fault in each probe of each kind of endpoint, those that the start reports: no other part does.
#[rstest]
#[case::one_client(&["http://127.0.0.1:1"], None, &[
    "execution methods", "execution receipts", "execution version", "l1 clock", "l1 methods", "l1 system-config",
    "rollup-node methods", "rollup-node safe-heads", "rollup-node safe-means",
])]
#[case::several_clients(&["http://127.0.0.1:1", "http://127.0.0.1:2"], None, &[
    "execution genesis", "execution methods", "execution receipts", "execution version", "l1 clock", "l1 methods",
    "l1 system-config", "rollup-node methods", "rollup-node safe-heads", "rollup-node safe-means",
])]
#[case::configured_signer(&["http://127.0.0.1:1"], Some(HERS), &[
    "execution methods", "execution receipts", "execution version", "l1 clock", "l1 methods", "l1 signer", "l1 system-config",
    "rollup-node methods", "rollup-node safe-heads", "rollup-node safe-means",
])]
fn a_start_reports_only_findings_that_no_other_part_reports(
    #[case] clients: &[&str],
    #[case] signer: Option<Address>,
    #[case] expected: &[&str],
) {
    let mut section = json!({ "execution": clients, "rollup_node": "http://127.0.0.1:1", "block_time": 2 });
    section["unsafe_block_signer"] = json!(signer);
    let config: Config = serde_json::from_value(json!({ "chains": { "901": section } })).unwrap();
    use EndpointKind::{Execution, L1, RollupNode};
    let probes = [
        (Execution, &[Probe::ChainId, Probe::Genesis, Probe::Methods, Probe::Receipts, Probe::Version][..]),
        (
            L1,
            &[
                Probe::ChainId,
                Probe::Genesis,
                Probe::Methods,
                Probe::Clock,
                Probe::SystemConfig,
                Probe::Signer,
            ],
        ),
        (RollupNode, &[Probe::ChainId, Probe::Genesis, Probe::Rules, Probe::Heads, Probe::Methods]),
        (RollupNode, &[Probe::SafeHeads, Probe::SafeMeans]),
    ];
    let finding = |kind, probe, judgement| {
        let asked = Asked::Endpoint { kind, place: None, url: url() };
        ProbeFinding { chain_id: Some(chain(901)), asked, probe, judgement }
    };
    let all = |judgement: &dyn Fn() -> ProbeVerdict| -> Vec<ProbeFinding> {
        let each = probes.iter().flat_map(|(kind, probes)| probes.iter().map(|probe| (*kind, *probe)));
        each.map(|(kind, probe)| finding(kind, probe, judgement())).collect()
    };
    let mut news = NewFindings::new(config);
    let faults = all(&|| ProbeVerdict::fault("", "x"));
    let mut reported: Vec<String> = news
        .of(&faults)
        .iter()
        .map(|finding| {
            format!("{} {}", finding.asked.to_string().split(' ').next().unwrap(), finding.probe.name())
        })
        .collect();
    reported.sort();
    assert_eq!(reported, expected);
    assert!(news.of(&faults).is_empty(), "told once");
    assert_eq!(
        news.of(&all(&|| ProbeVerdict::doubt("", "x"))).len(),
        expected.len(),
        "a doubt is other news"
    );
    assert!(news.of(&all(&|| ProbeVerdict::ok(""))).is_empty());
    assert!(news.of(&all(&|| ProbeVerdict::undetermined(&unreachable()))).is_empty());
}
