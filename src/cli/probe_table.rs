//! Findings of probes as a table for people: one line each, and the problems once more at the end, with what
//! to do.
//!
//! What a server says is printed without control characters.

use crate::probes::{Grade, ProbeFinding, summary};
use std::fmt::Write as _;

/// The names of the columns.
const HEADER: [&str; 5] = ["grade", "chain", "asked", "probe", "found"];

/// The table, the problems and a summary.
pub(super) fn probe_table(findings: &[ProbeFinding]) -> String {
    let header = HEADER.map(ToOwned::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(header).chain(findings.iter().map(row)).collect();
    let mut text = String::new();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let [grade, chain, asked, probe] = [0, 1, 2, 3].map(width);
    for [a, b, c, d, found] in &rows {
        line(&mut text, &format!("{a:grade$}  {b:chain$}  {c:asked$}  {d:probe$}  {found}"));
    }
    for worst in [Grade::NotDetermined, Grade::Doubt, Grade::Fault] {
        for finding in findings.iter().filter(|finding| finding.grade() == worst) {
            line(&mut text, "");
            line(&mut text, &problem(finding));
        }
    }
    line(&mut text, "");
    text.push_str(&summary(findings));
    text
}

fn row(finding: &ProbeFinding) -> [String; 5] {
    let chain = finding.subject();
    let (grade, probe) = (finding.grade().name().to_owned(), finding.probe.name().to_owned());
    [grade, chain, clean(&finding.asked.to_string()), probe, clean(&finding.judgement.found)]
}

/// A finding that is not well, with what to do.
fn problem(finding: &ProbeFinding) -> String {
    let [grade, chain, asked, probe, found] = row(finding);
    let chain = if finding.chain_id.is_some() { format!("chain {chain}") } else { chain };
    let mut text = format!("{grade}: {chain}, {asked}, {probe}: {found}");
    if !finding.judgement.advice.is_empty() {
        // Writing to a text cannot fail.
        let _infallible = write!(text, "\n  to do: {}", clean(&finding.judgement.advice));
    }
    text
}

fn clean(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

fn line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::EndpointKind;
    use crate::probes::{Asked, Probe, ProbeVerdict};
    use crosscheck_p2p::ChainId;

    fn finding(chain_id: Option<u64>, probe: Probe, judgement: ProbeVerdict) -> ProbeFinding {
        let url = "https://user:hunter2@node.example/key".parse().unwrap();
        let asked = Asked::Endpoint { kind: EndpointKind::L1, place: None, url };
        ProbeFinding { chain_id: chain_id.map(ChainId::from), asked, probe, judgement }
    }

    #[test]
    fn problems_come_last_with_their_fix() {
        let findings = [
            finding(None, Probe::ChainId, ProbeVerdict::fault("no\u{1b}ne", "turn it")),
            finding(Some(901), Probe::Genesis, ProbeVerdict::ok("fine")),
            finding(Some(901), Probe::Clock, ProbeVerdict::doubt("odd", "look")),
        ];
        let expected = "\
grade  chain  asked                    probe     found
fault  L1     l1 https://node.example  chain-id  none
ok     901    l1 https://node.example  genesis   fine
doubt  901    l1 https://node.example  clock     odd

doubt: chain 901, l1 https://node.example, clock: odd
  to do: look

fault: L1, l1 https://node.example, chain-id: none
  to do: turn it

3 probes: 1 ok, 0 not determined, 1 doubt, 1 fault";
        assert_eq!(probe_table(&findings), expected);
    }
}
