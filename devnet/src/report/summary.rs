//! The table that a person reads at the end of a run.

use super::devnet_report::DevnetReport;
use super::message_report::MessageReport;
use crate::serve::{RequestCounts, WHOLE_BLOCK};
use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use std::collections::BTreeMap;

/// The report as tables, ready to print.
pub fn summary(report: &DevnetReport) -> String {
    let mut text = format!("{}\n", heads(report));
    let (words, messages) = (&report.attestations, &report.messages);
    text.push_str(&format!(
        "attestations: {} received, {} upheld, {} upheld as replacement, {} violated, {} discarded, {} open\n",
        words.received,
        words.upheld,
        words.upheld_replacement,
        words.violated,
        words.discarded,
        words.open
    ));
    let unattested = &report.unattested;
    if unattested.received > 0 {
        text.push_str(&format!(
            "not attested: {} audited, {} upheld, {} upheld as replacement, {} violated, {} discarded, {} open\n",
            unattested.received,
            unattested.upheld,
            unattested.upheld_replacement,
            unattested.violated,
            unattested.discarded,
            unattested.open
        ));
    }
    text.push_str(&format!(
        "messages: {} executed, {} valid, {} invalid, {} unknown, {} unchecked\n",
        messages.executed, messages.valid, messages.invalid, messages.unknown, messages.unchecked
    ));
    let tracked = &report.tracked;
    text.push_str(&format!(
        "tracked: {} messages, {} valid, {} invalid, {} undeclared, {} flipped, {} resolved, {} suspects\n",
        tracked.seen,
        tracked.valid,
        tracked.invalid,
        tracked.undeclared,
        tracked.flipped,
        tracked.resolved,
        tracked.suspects
    ));
    if let Some(requests) = requests(report) {
        text.push_str(&format!("{requests}\n"));
    }
    if !report.followers.is_empty() {
        text.push_str(&format!("{}\n", followers(report)));
    }
    if !report.faults.is_empty() {
        text.push_str(&format!("{}\n", faults(report)));
    }
    for alarm in &report.false_alarms {
        let block = alarm.block.map_or_else(|| "a frame".to_owned(), |number| format!("block {number}"));
        text.push_str(&format!("false alarm: chain {}, {block}: {}\n", alarm.chain_id, alarm.found));
    }
    for missed in &report.missed {
        let found = missed.found.as_deref().unwrap_or("nothing");
        let (chain_id, block, log) = (missed.chain_id, missed.block, missed.log_index);
        text.push_str(&format!(
            "missed: chain {chain_id}, block {block}, log {log} is valid, seen: {found}\n"
        ));
    }
    text
}

/// How often the nodes were asked for each block of a chain. `None`: never.
fn requests(report: &DevnetReport) -> Option<String> {
    let blocks: u64 = report.chains.iter().map(|chain| chain.unsafe_head).fold(0, u64::saturating_add);
    let RequestCounts { execution, rollup_node, l1 } = &report.requests;
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let each = |requests: u64| requests as f64 / blocks as f64;
    let all = |counts: &BTreeMap<String, u64>| each(counts.values().copied().fold(0, u64::saturating_add));
    let whole = each(execution.get(WHOLE_BLOCK).copied().unwrap_or_default());
    (blocks > 0 && !execution.is_empty()).then(|| {
        format!(
            "requests per block: execution client {:.1} ({whole:.2} for the whole block), rollup node {:.1}, L1 {:.2}",
            all(execution),
            all(rollup_node),
            all(l1)
        )
    })
}

/// Below this width a table is not folded to fit.
const NARROWEST: u16 = 60;

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header(header);
    // Some terminals say that they have no columns; a table that is cut at the edge beats one of single
    // letters.
    if table.width().is_none_or(|width| width >= NARROWEST) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table
}

fn heads(report: &DevnetReport) -> Table {
    let mut table = table(&["chain", "unsafe", "local-safe", "safe", "finalized", "vouched"]);
    for chain in &report.chains {
        let vouched = chain.vouched.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let heads = [chain.chain_id, chain.unsafe_head, chain.local_safe, chain.safe, chain.finalized];
        table.add_row(heads.iter().map(ToString::to_string).chain([vouched]));
    }
    table
}

fn followers(report: &DevnetReport) -> Table {
    let mut table = table(&["follower", "safe", "finalized", "refused", "misled"]);
    for follower in &report.followers {
        let misled = [
            (follower.left_honest_chain, "left the chain"),
            (follower.went_backwards, "went backwards"),
            (follower.beyond_violation, "went beyond a violation"),
            (follower.led_onto_invalid, "led onto an invalid block"),
        ];
        let misled: Vec<_> = misled.into_iter().filter(|(is, _)| *is).map(|(_, how)| how).collect();
        table.add_row([
            follower.chain_id.to_string(),
            follower.safe.to_string(),
            follower.finalized.to_string(),
            follower.rejected_statuses.to_string(),
            if misled.is_empty() { "no".to_owned() } else { misled.join(", ") },
        ]);
    }
    table
}

fn faults(report: &DevnetReport) -> Table {
    let mut table = table(&["fault", "chain", "block", "expected", "found", "after", "message"]);
    for fault in &report.faults {
        table.add_row([
            fault.name.to_owned(),
            fault.chain_id.to_string(),
            fault.block.to_string(),
            fault.expected.to_string(),
            fault.found.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string),
            fault.detected_after_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms")),
            fault.message.as_ref().map_or_else(|| "-".to_owned(), message),
        ]);
    }
    table
}

fn message(report: &MessageReport) -> String {
    match &report.found {
        Some(found) if report.is_as_expected() => found.clone(),
        Some(found) => format!("{found}; expected: {}", report.expected),
        None => format!("nothing; expected: {}", report.expected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::{ExpectedMessage, SidecarFinding};
    use crate::follower::FollowerReport;
    use crate::observation::TrackedCounts;
    use crate::observation::{AttestationCounts, MessageCounts};
    use crate::report::devnet_report::{ChainReport, FalseAlarm, FaultReport};
    use crate::report::message_report::MissedMessage;

    fn discarded() -> SidecarFinding {
        SidecarFinding::Discarded { reason: "not-derived".to_owned() }
    }

    #[test]
    fn a_person_reads_heads_faults_and_false_alarms() {
        let chain = ChainReport {
            chain_id: 901,
            unsafe_head: 60,
            local_safe: 59,
            safe: 58,
            finalized: 57,
            vouched: None,
        };
        let fault = FaultReport {
            name: "not-derived",
            chain_id: 902,
            block: 42,
            expected: discarded(),
            found: None,
            detected_after_ms: None,
            message: Some(MessageReport {
                expected: ExpectedMessage::VALID,
                found: Some("unknown, tracked".to_owned()),
            }),
        };
        let alarm = FalseAlarm { chain_id: 901.into(), block: Some(9), hash: None, found: discarded() };
        let follower = FollowerReport {
            chain_id: 901,
            safe: 44,
            finalized: 41,
            left_honest_chain: false,
            went_backwards: true,
            beyond_violation: false,
            led_onto_invalid: false,
            rejected_statuses: 3,
        };
        let of = |(method, count): (&str, u64)| (method.to_owned(), count);
        let report = DevnetReport {
            seed: 7,
            chains: vec![chain],
            attestations: AttestationCounts { received: 120, ..AttestationCounts::default() },
            unattested: AttestationCounts::default(),
            messages: MessageCounts { executed: 33, ..MessageCounts::default() },
            tracked: TrackedCounts { flipped: 6, ..TrackedCounts::default() },
            missed: vec![MissedMessage {
                chain_id: 902.into(),
                block: 21,
                hash: Default::default(),
                log_index: 5,
                found: None,
            }],
            faults: vec![fault],
            false_alarms: vec![alarm],
            followers: vec![follower],
            requests: RequestCounts {
                execution: [("eth_chainId", 54), (WHOLE_BLOCK, 66)].map(of).into(),
                rollup_node: [("optimism_syncStatus", 60)].map(of).into(),
                l1: [("eth_getBlockByNumber", 12)].map(of).into(),
            },
        };
        let text = summary(&report);
        for part in [
            "901",
            "57",
            "120 received",
            "33 executed",
            "not-derived",
            "902",
            "nothing",
            "block 9: discarded",
            "44",
            "requests per block: execution client 2.0 (1.10 for the whole block), rollup node 1.0, L1 0.20",
            "went backwards",
            "6 flipped",
            "unknown, tracked; expected: valid, finalized",
            "block 21, log 5 is valid, seen: nothing",
        ] {
            assert!(text.contains(part), "{part:?} is missing from\n{text}");
        }
    }
}
