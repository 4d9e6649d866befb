//! The hostile corpus, items 12 and 15: what strangers send makes no series, and a count that is 0 again is
//! shown as 0.

use super::*;
use crate::ledger::{Decided, Decision};
use crate::metrics::{EndpointKind, Limit};
use crate::sources::{EndpointLimits, ExecutionClient};
use alloy::primitives::{Address, B256, U256};
use crosscheck_core::case::{CheckedMessage, Discard, InvalidMessage, Relation, Verdict, Violation};
use crosscheck_core::events::{Notice, NoticeContent, SuspectOutcome};
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::message::{BlockKey, Identifier, Message};
use crosscheck_core::proof::LogIndex;
use crosscheck_core::tracker::{Change, CountKey, Counts, Ending, MessageEvent, MessageKey, StatusCause};
use crosscheck_core::validity::{InvalidReason, Member, MessageStatus, StatusKind};
use crosscheck_p2p::{ByTopic, ChainId, FrameCounts, NetworkCounters, UnixSeconds};
use std::collections::BTreeSet;
use std::time::Duration;

const OURS: [u64; 2] = [901, 902];

fn metrics() -> RoomMetrics {
    let member = Member { interop_time: UnixSeconds(0), block_time: 2 };
    let members = OURS.map(|id| (ChainId::from(id), member));
    RoomMetrics::register(DependencySet::new(members.into(), 10)).unwrap()
}

/// Every series, and every value that a label has in one.
fn shown(metrics: &RoomMetrics) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut series, mut values) = (BTreeSet::new(), BTreeSet::new());
    // The program's version is nobody else's word.
    let families = metrics.shared.gather().into_iter();
    for family in families.filter(|family| family.name() != "crosscheck_build_info") {
        for metric in family.get_metric() {
            let labels: Vec<String> =
                metric.get_label().iter().map(|label| label.value().to_owned()).collect();
            series.insert(format!("{} {labels:?}", family.name()));
            values.extend(labels);
        }
    }
    (series, values)
}

/// What differs from stranger to stranger: hashes, chains cited, heights.
struct Stranger(u64);

impl Stranger {
    fn hash(&self) -> B256 {
        B256::from(U256::from(self.0 + 1_000_000))
    }

    /// One in three cites a chain of the set, one a chain of its own, one nothing that can be read.
    fn cited(&self) -> Option<ChainId> {
        [Some(902), Some(1_000 + self.0), None][usize::try_from(self.0 % 3).unwrap()].map(ChainId::from)
    }

    fn key(&self) -> MessageKey {
        let block = BlockKey { chain_id: ChainId::from(901), number: self.0, hash: self.hash() };
        MessageKey { block, log_index: u32::try_from(self.0).unwrap() }
    }

    fn invalid(&self) -> InvalidReason {
        InvalidReason::UnknownChain { chain_id: ChainId::from(1_000 + self.0) }
    }

    fn checked(&self, status: MessageStatus) -> CheckedMessage {
        let message = Message {
            identifier: Identifier {
                origin: Address::from_word(self.hash()),
                block_number: self.0,
                log_index: 0,
                timestamp: UnixSeconds(self.0),
                chain_id: self.cited().unwrap_or_else(|| ChainId::from(903)),
            },
            payload_hash: self.hash(),
        };
        CheckedMessage { log_index: 0, message, status }
    }

    fn verdicts(&self, metrics: &RoomMetrics) {
        let invalid = || InvalidMessage { log_index: 0, reason: self.invalid() };
        let verdicts = [
            Verdict::Upheld,
            Verdict::UpheldReplacement { original: self.hash(), invalid: invalid() },
            Verdict::Violated(Violation::InvalidMessage(invalid())),
            Verdict::Violated(Violation::UnjustifiedReplacement { original: self.hash() }),
            Verdict::Discarded(Discard::ExecutionDivergence { derived: self.hash() }),
        ];
        let statuses = [MessageStatus::Unknown, MessageStatus::Valid, MessageStatus::Invalid(self.invalid())];
        let messages = statuses.map(|status| self.checked(status));
        for verdict in &verdicts {
            let decision = Decision {
                key: self.key().block,
                verdict,
                detail: String::new(),
                messages: &messages,
                replaces: None,
                l1: None,
                waits: &BTreeSet::new(),
                at: UnixSeconds(0),
                after: Duration::from_millis(self.0),
            };
            metrics.audit.verdict(&decision, &Decided { attributable: Some(true), ..Decided::default() });
        }
    }

    fn messages(&self, metrics: &RoomMetrics) {
        let content = [
            NoticeContent::Invalid { reason: self.invalid(), cause: StatusCause::Checked },
            NoticeContent::Flip { to: MessageStatus::Valid, cause: StatusCause::Checked },
            NoticeContent::Flip { to: MessageStatus::Invalid(self.invalid()), cause: StatusCause::Checked },
            NoticeContent::Undeclared,
            NoticeContent::Ended { ending: Ending::Finalized, status: StatusKind::Invalid },
        ];
        let (key, initiating, timestamp) = (self.key(), self.cited(), UnixSeconds(self.0));
        for level in SafetyLevel::ALL {
            for content in content.clone() {
                let note = Notice {
                    transaction_hash: None,
                    key,
                    initiating,
                    timestamp,
                    level,
                    content,
                    ordinal: 0,
                    invalid_before: None,
                };
                metrics.monitor.messages.message_noted(&note, false);
            }
            let change = Change::Discovered;
            metrics.monitor.messages.message_event(&MessageEvent {
                transaction_hash: None,
                key,
                initiating,
                timestamp,
                level,
                change,
            });
        }
    }

    /// Everything that comes of what it sends.
    fn is_counted_in(&self, metrics: &RoomMetrics) {
        let ours = ChainId::from(901);
        let by_topic = ByTopic::from_fn(|_| FrameCounts { accepted: 1, ignored: 2, rejected: 3 });
        let counters =
            NetworkCounters { by_topic, banned: 1, served: 1, filled: 1, ..NetworkCounters::default() };
        metrics.gossip.network_counted(ours, &counters);
        metrics.audit.attestation_received(ours);
        for relation in Relation::ALL {
            metrics.audit.rival_attested(ours, relation);
        }
        metrics.audit.attestation_made_attributable(ours);
        metrics.audit.attributable_verdict(ours, "violated");
        metrics.monitor.suspects.suspect(ours, self.cited(), Duration::from_millis(self.0));
        for outcome in [SuspectOutcome::Executed, SuspectOutcome::NotExecuted, SuspectOutcome::Dropped] {
            metrics.monitor.suspects.suspect_settled(ours, outcome);
        }
        metrics.monitor.suspects.undecodable_transactions(ours, 3);
        metrics.monitor.messages.block_observed(ours, usize::try_from(self.0).unwrap());
        metrics.monitor.reading.reorg(ours);
        metrics.gossip.peers(ours, usize::try_from(self.0).unwrap());
        for source in EndpointKind::OF_CHAINS {
            metrics.shared.source_failed(ours, source);
        }
        Limit::ALL.into_iter().for_each(|limit| metrics.shared.limit_reached(limit));
        self.verdicts(metrics);
        self.messages(metrics);
    }
}

/// Endpoints are counted by their place: what they are called, and what they say when they fail, is nowhere.
#[tokio::test]
async fn endpoints_are_labelled_with_numbers() {
    let metrics = metrics();
    let limits = EndpointLimits {
        timeout: Duration::from_secs(1),
        max_response_bytes: 1024,
        max_concurrent_requests: 1,
    };
    let url = ["http://secret:word@127.0.0.1:1/path".parse().unwrap()];
    let client = ExecutionClient::new(ChainId::from(901), &url, 1, limits, LogIndex::new(0)).unwrap();
    metrics.monitor.reading.endpoints(ChainId::from(901), &client.health().borrow());
    assert!(client.block_by_number(1).await.is_err(), "nobody is there");
    metrics.monitor.reading.endpoints(ChainId::from(901), &client.health().borrow());
    let (series, values) = shown(&metrics);
    let of_endpoints = series.iter().filter(|series| series.starts_with("crosscheck_endpoint_"));
    assert_eq!(of_endpoints.count(), 6, "four states, two counters");
    assert!(!values.iter().any(|value| value.contains(['/', ':', '.'])), "{values:?}");
}

/// A thousand strangers, each with hashes and chains of its own.
#[test]
fn unknown_peers_create_no_series() {
    let metrics = metrics();
    let before = shown(&metrics);
    for stranger in 0..1_000 {
        Stranger(stranger).is_counted_in(&metrics);
    }
    let after = shown(&metrics);
    let new: Vec<_> = after.0.difference(&before.0).collect();
    assert!(new.is_empty(), "{} new series, such as {:?}", new.len(), new.first());
    assert_eq!(before.1, after.1, "the labels' values are a closed set");
    assert!(
        metrics.shared.render().unwrap().contains("crosscheck_attestations_total{chain_id=\"901\"} 1000")
    );
}

const OURS_IS: u64 = 901;

fn ours() -> ChainId {
    ChainId::from(OURS_IS)
}

/// How one gauge is set to something, or to nothing.
type Set = fn(&RoomMetrics, bool);

/// Every gauge that counts something.
const COUNTS: [(&str, Set); 10] = [
    ("peers{chain_id=\"901\"}", |metrics, some| metrics.gossip.peers(ours(), usize::from(some))),
    ("open_cases{chain_id=\"901\"}", |metrics, some| metrics.audit.open_cases(ours(), usize::from(some))),
    ("follow_held{chain_id=\"901\"}", |metrics, some| metrics.follow.follow_held(ours(), some)),
    ("follow_kept_seconds{chain_id=\"901\",reason=\"behind\"}", |metrics, some| {
        metrics.follow.follow_kept(ours(), some.then_some(("behind", Duration::from_secs(7))));
    }),
    ("open_messages", |metrics, some| {
        metrics.monitor.messages.tracked(&Counts::default(), usize::from(some));
    }),
    ("awaited_blocks", |metrics, some| metrics.monitor.reading.awaited_blocks(usize::from(some))),
    ("log_index_bytes", |metrics, some| metrics.monitor.reading.log_index_bytes(usize::from(some))),
    ("monitor_tip_age_seconds{chain_id=\"901\"}", |metrics, some| {
        metrics.monitor.reading.tip_age(ours(), Duration::from_secs(u64::from(some)));
    }),
    ("oldest_open_message_timestamp_seconds{executing_chain_id=\"901\"}", |metrics, some| {
        metrics.monitor.messages.open_messages_at(ours(), some.then_some((UnixSeconds(5), UnixSeconds(6))));
    }),
    ("newest_open_message_timestamp_seconds{executing_chain_id=\"901\"}", |metrics, some| {
        metrics.monitor.messages.open_messages_at(ours(), some.then_some((UnixSeconds(5), UnixSeconds(6))));
    }),
];

#[test]
fn a_count_that_returns_to_0_is_exported_as_0() {
    for (gauge, set) in COUNTS {
        let (metrics, name) = (metrics(), format!("crosscheck_{gauge} "));
        let value = || {
            let text = metrics.shared.render().unwrap();
            text.lines().find_map(|line| line.strip_prefix(&name)).map(ToOwned::to_owned)
        };
        set(&metrics, true);
        assert!(value().is_some_and(|value| value != "0"), "{gauge}: {:?}", value());
        set(&metrics, false);
        assert_eq!(value().as_deref(), Some("0"), "{gauge}");
    }
}

/// Messages are counted under as many labels as there are health: none of them may stay behind.
#[test]
fn the_count_of_removed_messages_is_exported_as_0() {
    let metrics = metrics();
    let standing = |level| CountKey { executing: ours(), initiating: None, status: StatusKind::Valid, level };
    metrics.monitor.messages.mark_shown(SafetyLevel::ALL.map(standing));
    metrics.monitor.messages.tracked(&Counts::default(), 0);
    let text = metrics.shared.render().unwrap();
    for level in SafetyLevel::ALL {
        let line = format!(
            "crosscheck_tracked_messages{{executing_chain_id=\"901\",initiating_chain_id=\"unknown\",level=\"{}\",status=\"valid\"}} 0",
            level.name()
        );
        assert!(text.contains(&line), "{line}");
    }
}
