//! What is documented, what the dashboard asks for and what is served are one.

use super::*;
use crate::health::HealthPart;
use crate::ledger::{Decided, Decision};
use crate::metrics::{Definition, EndpointKind, MetricKind, metrics_table};
use crate::process_use::ProcessUse;
use crate::sources::{EndpointLimits, ExecutionClient, RollupNodes};
use alloy::primitives::B256;
use crosscheck_core::case::{Discard, Verdict};
use crosscheck_core::events::{Notice, NoticeContent};
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::message::BlockKey;
use crosscheck_core::proof::LogIndex;
use crosscheck_core::tracker::{CountKey, Counts, Ending};
use crosscheck_core::validity::{Member, StatusKind};
use crosscheck_p2p::{ByTopic, ChainId, FrameCounts, NetworkCounters, RefusedCounts, Topic, UnixSeconds};
use rstest::rstest;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const DOCUMENT: &str = include_str!("../../../docs/METRICS.md");
const DASHBOARD: &str = include_str!("../../../config/dashboards/crosscheck.json");

fn chain(id: u64) -> ChainId {
    ChainId::from(id)
}

fn metrics() -> RoomMetrics {
    let member = Member { interop_time: UnixSeconds(0), block_time: 2 };
    RoomMetrics::register(DependencySet::new([901, 902].map(|id| (chain(id), member)).into(), 10)).unwrap()
}

const PROCESS: ProcessUse = ProcessUse {
    cpu: Duration::from_millis(1500),
    resident_bytes: 1,
    virtual_bytes: 2,
    threads: 3,
    open_fds: 4,
    max_fds: Some(5),
    began: UnixSeconds(6),
};

/// Metrics of which every one has been set at least once.
fn in_use() -> RoomMetrics {
    let metrics = metrics();
    metrics.shared.head(chain(901), SafetyLevel::Unsafe.into(), 1);
    metrics.shared.head_stalled(chain(901), SafetyLevel::Unsafe.into(), Duration::ZERO);
    metrics.follow.follow_head(chain(901), SafetyLevel::Unsafe, 1);
    metrics.follow.follow_held(chain(901), false);
    metrics.follow.follow_kept(chain(901), None);
    metrics.follow.follow_upstream_age(chain(901), Duration::ZERO);
    let limits = EndpointLimits {
        timeout: Duration::from_secs(1),
        max_response_bytes: 1024,
        max_concurrent_requests: 1,
    };
    let urls = ["http://127.0.0.1:1".parse().unwrap()];
    let client = ExecutionClient::new(chain(901), &urls, 1, limits, LogIndex::new(0)).unwrap();
    metrics.monitor.reading.endpoints(chain(901), &client.health().borrow());
    let nodes = RollupNodes::new(chain(901), &urls, limits).unwrap();
    metrics.audit.rollup_nodes(chain(901), &nodes.health().borrow());
    metrics.audit.rollup_node_differences(chain(901), 0);
    metrics.audit.second_opinion(chain(901), false);
    metrics.endpoints.endpoint_seconds(EndpointKind::L1, None, 0);
    metrics.opinions.differ(EndpointKind::Supernode, 0, false);
    metrics.monitor.reading.tip_age(chain(901), Duration::ZERO);
    metrics.process.parts([(HealthPart::Ledger, true)]);
    metrics.process.process(&PROCESS);
    metrics.endpoints.endpoint_pace(EndpointKind::L1, None, 0, 0);
    let key = CountKey {
        executing: chain(901),
        initiating: None,
        status: StatusKind::Valid,
        level: SafetyLevel::Unsafe,
    };
    metrics.monitor.messages.mark_shown([key]);
    metrics.monitor.messages.tracked(&Counts::default(), 0);
    metrics
}

#[test]
fn the_document_has_the_table_of_every_metric() {
    let table = metrics_table(&metrics().shared.definitions());
    let hint = "run `crosscheck doc metrics` and put its output below the last heading";
    assert!(DOCUMENT.ends_with(&table), "docs/METRICS.md is not current: {hint}");
}

#[test]
fn the_served_metrics_equal_the_documented_ones() {
    let metrics = in_use();
    let definitions = metrics.shared.definitions();
    let served = metrics.shared.gather();
    let names: BTreeSet<&str> = served.iter().map(prometheus::proto::MetricFamily::name).collect();
    let defined: BTreeSet<&str> = definitions.iter().map(|definition| definition.name.as_str()).collect();
    assert_eq!(names, defined);
    for family in &served {
        let definition = definitions.iter().find(|definition| definition.name == family.name()).unwrap();
        assert_eq!(
            family.get_field_type().to_string_lower(),
            definition.kind.to_string(),
            "{}",
            family.name()
        );
        assert_eq!(family.help(), definition.help);
        let mut labels: Vec<&str> = definition.labels.to_vec();
        labels.sort_unstable();
        for metric in family.get_metric() {
            let served: Vec<&str> =
                metric.get_label().iter().map(prometheus::proto::LabelPair::name).collect();
            assert_eq!(served, labels, "{}", family.name());
        }
    }
}

trait Lower {
    fn to_string_lower(&self) -> String;
}

impl Lower for prometheus::proto::MetricType {
    fn to_string_lower(&self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// Every text below a key of this name.
fn texts<'a>(value: &'a serde_json::Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                match field.as_str() {
                    Some(text) if name == key => found.push(text),
                    _ => texts(field, key, found),
                }
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| texts(item, key, found)),
        _ => {}
    }
}

/// The words of a query: names of metrics, labels and functions.
fn words(query: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    query.split(move |c: char| {
        is_quoted ^= c == '"';
        is_quoted || !(c.is_ascii_alphanumeric() || c == '_' || c == '$')
    })
}

/// The words of PromQL and Grafana in the dashboard's queries.
const LANGUAGE: [&str; 13] = [
    "or",
    "vector",
    "sum",
    "by",
    "rate",
    "increase",
    "histogram_quantile",
    "time",
    "le",
    "$__range",
    "$__rate_interval",
    "label_values",
    "$chain",
];

/// What is wrong with a query: words that are neither the language's, a metric's nor its labels'.
fn unknown_words(definitions: &[Definition], query: &str) -> Vec<String> {
    let named: Vec<&Definition> = words(query)
        .filter_map(|word| {
            definitions.iter().find(|definition| match definition.kind {
                MetricKind::Histogram => word.strip_suffix("_bucket") == Some(definition.name.as_str()),
                MetricKind::Counter | MetricKind::Gauge => word == definition.name,
            })
        })
        .collect();
    if named.is_empty() {
        return vec![format!("no metric in {query}")];
    }
    let is_known = |word: &&str| {
        word.is_empty()
            || word.chars().all(|c| c.is_ascii_digit())
            || LANGUAGE.contains(word)
            || named.iter().any(|definition| {
                word.strip_suffix("_bucket").unwrap_or(word) == definition.name
                    || definition.labels.contains(word)
            })
    };
    words(query).filter(|word| !is_known(word)).map(ToOwned::to_owned).collect()
}

#[test]
fn the_dashboard_queries_only_existing_metrics() {
    let metrics = metrics();
    let definitions = metrics.shared.definitions();
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut queries = Vec::new();
    texts(&dashboard, "expr", &mut queries);
    texts(&dashboard, "definition", &mut queries);
    assert!(queries.len() > 20, "{}", queries.len());
    for query in &queries {
        assert_eq!(unknown_words(&definitions, query), [] as [&str; 0], "in {query}");
    }
    let shown: BTreeSet<&str> = queries.iter().flat_map(|query| words(query)).collect();
    for Definition { name, kind, .. } in definitions {
        let name = if kind == MetricKind::Histogram { format!("{name}_bucket") } else { name.clone() };
        assert!(shown.contains(name.as_str()), "{name} is on no panel");
    }
}

#[rstest]
#[case::metric("crosscheck_no_such_total", true)]
#[case::label("crosscheck_reorgs_total{colour=\"red\"}", true)]
#[case::label_of_another_metric("sum by (level) (crosscheck_reorgs_total)", true)]
#[case::histogram_without_buckets("crosscheck_verdict_seconds", true)]
#[case::sound("sum by (chain_id) (rate(crosscheck_reorgs_total{chain_id=~\"a b\"}[5]))", false)]
fn queries_for_missing_metrics_are_found(#[case] query: &str, #[case] is_wrong: bool) {
    assert_eq!(!unknown_words(&metrics().shared.definitions(), query).is_empty(), is_wrong);
}

#[test]
fn every_documented_query_uses_existing_metrics() {
    let metrics = metrics();
    let definitions = metrics.shared.definitions();
    let queries = DOCUMENT.split('`').filter(|text| text.contains("crosscheck_"));
    for query in queries.filter(|text| text.contains('{') || text.contains('(')) {
        assert_eq!(unknown_words(&definitions, query), [] as [&str; 0], "in {query}");
    }
    let names: BTreeMap<&str, ()> = definitions.iter().map(|each| (each.name.as_str(), ())).collect();
    let named = DOCUMENT.split('`').filter(|text| text.starts_with("crosscheck_") && !text.contains('{'));
    for name in named {
        assert!(names.contains_key(name), "docs/METRICS.md names {name}");
    }
}

#[test]
fn counters_of_configured_chains_start_at_zero_and_count_by_reason() {
    let metrics = metrics();
    let line = |count: u64| {
        format!(
            "crosscheck_verdicts_total{{chain_id=\"901\",reason=\"execution-divergence\",verdict=\"discarded\"}} {count}"
        )
    };
    assert!(metrics.shared.render().unwrap().contains(&line(0)));
    let verdict = Verdict::Discarded(Discard::ExecutionDivergence { derived: B256::ZERO });
    let decision = Decision {
        key: BlockKey { chain_id: chain(901), number: 1, hash: B256::ZERO },
        verdict: &verdict,
        detail: verdict.detail(),
        messages: &[],
        replaces: None,
        l1: None,
        waits: &BTreeSet::new(),
        at: UnixSeconds(0),
        after: Duration::from_millis(1),
    };
    let bound = |count: u64| {
        format!("crosscheck_attributable_verdicts_total{{chain_id=\"901\",verdict=\"discarded\"}} {count}")
    };
    metrics.audit.verdict(&decision, &Decided { attributable: Some(false), ..Decided::default() });
    assert!(metrics.shared.render().unwrap().contains(&bound(0)), "a replay binds nobody");
    metrics.audit.verdict(&decision, &Decided { attributable: Some(true), ..Decided::default() });
    assert!(metrics.shared.render().unwrap().contains(&bound(1)));
    assert!(metrics.shared.render().unwrap().contains(&line(1)), "a replay is no discarded attestation");
    assert!(metrics.shared.render().unwrap().contains("verdict=\"replay-refuted\"} 1"));
    assert!(Verdict::REASONS.contains(&(verdict.kind(), verdict.reason().unwrap())));
}

#[test]
fn every_counter_of_configured_chains_exists_from_the_start() {
    let metrics = metrics();
    let definitions = metrics.shared.definitions();
    let served: BTreeSet<String> =
        metrics.shared.gather().iter().map(|family| family.name().to_owned()).collect();
    let counters = definitions.iter().filter(|each| each.kind == MetricKind::Counter);
    // How many endpoints a chain has is not known yet.
    for counter in counters.filter(|each| !each.labels.contains(&"endpoint")) {
        assert!(served.contains(&counter.name), "{}", counter.name);
    }
}

#[rstest]
#[case::of_the_set(Some(902), "902")]
#[case::outside_the_set(Some(7), "unknown")]
#[case::malformed(None, "unknown")]
fn messages_are_counted_by_both_chains(#[case] cited: Option<u64>, #[case] label: &str) {
    let metrics = metrics();
    let block = BlockKey { chain_id: chain(901), number: 1, hash: B256::ZERO };
    let note = Notice {
        transaction_hash: None,
        key: crosscheck_core::tracker::MessageKey { block, log_index: 0 },
        initiating: cited.map(chain),
        timestamp: UnixSeconds(1),
        level: SafetyLevel::Finalized,
        content: NoticeContent::Ended { ending: Ending::Finalized, status: StatusKind::Invalid },
        ordinal: 0,
        invalid_before: None,
    };
    metrics.monitor.messages.message_noted(&note, false);
    let text = metrics.shared.render().unwrap();
    for name in ["invalid_messages_promoted_total", "messages_ended_total"] {
        let ending = if name.starts_with("messages") { "ending=\"finalized\"," } else { "" };
        let line = format!(
            "crosscheck_{name}{{{ending}executing_chain_id=\"901\",initiating_chain_id=\"{label}\"}} 1"
        );
        assert!(text.contains(&line), "{line}");
    }
}

#[test]
fn a_count_that_disappears_is_exported_as_zero() {
    let metrics = in_use();
    let line = "crosscheck_tracked_messages{executing_chain_id=\"901\",initiating_chain_id=\"unknown\",level=\"unsafe\",status=\"valid\"} 0";
    assert!(metrics.shared.render().unwrap().contains(line));
}

#[test]
fn process_metrics_have_their_conventional_names() {
    let metrics = metrics();
    metrics.process.process(&PROCESS);
    // Never less than before.
    metrics.process.process(&ProcessUse { cpu: Duration::from_millis(500), ..PROCESS });
    metrics.process.parts([(HealthPart::Ledger, true), (HealthPart::Monitor(chain(901)), false)]);
    metrics.process.parts([(HealthPart::Ledger, false)]);
    let text = metrics.shared.render().unwrap();
    for line in [
        concat!("crosscheck_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        "crosscheck_ready{part=\"ledger\"} 0",
        "crosscheck_ready{part=\"chain 901 monitor\"} 1",
        "process_cpu_seconds_total 1.5",
        "process_resident_memory_bytes 1",
        "process_virtual_memory_bytes 2",
        "process_threads 3",
        "process_open_fds 4",
        "process_max_fds 5",
        "process_start_time_seconds 6",
    ] {
        assert!(text.lines().any(|served| served == line), "{line} in {text}");
    }
}

#[test]
fn the_counts_of_all_networks_are_summed() {
    let metrics = metrics();
    let frames = |accepted, ignored, rejected| {
        ByTopic::from_fn(|topic| match topic {
            Topic::BlocksV4 => FrameCounts { accepted, ignored, rejected },
            _ => FrameCounts::default(),
        })
    };
    let by_topic = frames(1, 2, 30);
    let refused = |codes: &[&str]| {
        ByTopic::from_fn(|topic| match topic {
            Topic::BlocksV4 => codes.iter().fold(RefusedCounts::default(), |counts, code| counts.with(code)),
            _ => RefusedCounts::default(),
        })
    };
    let first = NetworkCounters {
        by_topic,
        refused: refused(&["wrong-signer", "too-old"]),
        served: 2,
        filled: 1,
        banned: 1,
        queue_full: 3,
        ..Default::default()
    };
    let later = NetworkCounters {
        by_topic: frames(7, 2, 50),
        refused: refused(&["wrong-signer", "too-old", "wrong-signer"]),
        served: 5,
        events_dropped: 4,
        ..first
    };
    metrics.gossip.network_counted(chain(901), &first);
    metrics.gossip.network_counted(chain(901), &later.since(&first));
    metrics.gossip.network_counted(chain(902), &first);
    let text = metrics.shared.render().unwrap();
    for line in [
        "crosscheck_gossip_frames_total{chain_id=\"901\",topic=\"blocksv4\",verdict=\"accept\"} 7",
        "crosscheck_gossip_frames_total{chain_id=\"901\",topic=\"blocksv4\",verdict=\"ignore\"} 2",
        "crosscheck_gossip_frames_total{chain_id=\"901\",topic=\"blocksv4\",verdict=\"reject\"} 50",
        "crosscheck_gossip_frames_total{chain_id=\"901\",topic=\"blocksv3\",verdict=\"reject\"} 0",
        "crosscheck_gossip_frames_total{chain_id=\"902\",topic=\"blocksv4\",verdict=\"reject\"} 30",
        "crosscheck_gossip_refused_frames_total{chain_id=\"901\",reason=\"wrong-signer\",topic=\"blocksv4\"} 2",
        "crosscheck_gossip_refused_frames_total{chain_id=\"901\",reason=\"too-old\",topic=\"blocksv4\"} 1",
        "crosscheck_gossip_refused_frames_total{chain_id=\"901\",reason=\"wrong-signer\",topic=\"cross-safe-blocksv1\"} 0",
        "crosscheck_gossip_blocks_served_total{chain_id=\"901\"} 5",
        "crosscheck_gossip_blocks_filled_total{chain_id=\"901\"} 1",
        "crosscheck_peers_banned_total{chain_id=\"902\"} 1",
        "crosscheck_limit_reached_total{limit=\"gossip-queue\"} 6",
        "crosscheck_limit_reached_total{limit=\"gossip-events\"} 4",
    ] {
        assert!(text.lines().any(|served| served == line), "{line} in {text}");
    }
}
