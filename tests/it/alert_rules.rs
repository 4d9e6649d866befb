//! config/prometheus/alerts.yml against the documents and its tests: no promtool is needed here. The script
//! config/prometheus/test runs the tests of the rules with promtool.

use crosscheck_core::alerts::AlertKind;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const RULES: &str = include_str!("../../config/prometheus/alerts.yml");
const METRICS: &str = include_str!("../../docs/METRICS.md");
const RUNBOOK: &str = include_str!("../../docs/RUNBOOK.md");

const SEVERITIES: [&str; 4] = ["info", "warning", "page", "all-hands"];

/// The labels that Prometheus adds to every series.
const SCRAPED: [&str; 2] = ["job", "instance"];

/// One alert, as the file has it.
#[derive(Debug, Default)]
struct Rule {
    expression: String,
    severity: String,
    annotations: BTreeMap<String, String>,
}

/// The rules by name. The file has one form for all: it is read line by line.
fn rules() -> BTreeMap<String, Rule> {
    let mut rules = BTreeMap::new();
    for text in RULES.split("      - alert: ").skip(1) {
        let (name, body) = text.split_once('\n').unwrap();
        let mut rule = Rule::default();
        for line in body.lines() {
            let (key, value) = line.trim().split_once(": ").unwrap_or((line.trim(), ""));
            match key {
                "expr" if value != "|-" => rule.expression = value.to_owned(),
                "labels" => rule.severity = value.trim_matches(['{', '}', ' ']).replace("severity: ", ""),
                "summary" | "description" | "runbook" => {
                    rule.annotations.insert(key.to_owned(), value.trim_matches(['"', '\'']).to_owned());
                }
                _ if line.starts_with("          ") && !line.contains("annotations") => {
                    rule.expression = format!("{} {}", rule.expression, line.trim());
                }
                _ => {}
            }
        }
        assert!(rules.insert(name.to_owned(), rule).is_none(), "{name} is there twice");
    }
    rules
}

/// The metrics of an expression, each with the labels that it is selected by.
fn selectors(expression: &str) -> Vec<(String, BTreeSet<String>)> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for prefix in ["crosscheck_", "process_"] {
        for (at, _) in expression.match_indices(prefix) {
            if expression[..at].ends_with(is_of_name) {
                continue;
            }
            let name: String = expression[at..].chars().take_while(|c| is_of_name(*c)).collect();
            let rest = expression[at + name.len()..].strip_prefix('{');
            found.push((name, rest.map(selected_labels).unwrap_or_default()));
        }
    }
    found
}

/// The labels of a selector that begins here, after its brace. Quoted values may have braces and commas.
fn selected_labels(text: &str) -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    let outside = text.split('"').step_by(2);
    for part in outside {
        let (inside, is_over) = part.split_once('}').map_or((part, false), |(inside, _)| (inside, true));
        let names = inside.split(',').map(|name| name.trim().trim_end_matches(['=', '~', '!']));
        labels.extend(names.filter(|name| !name.is_empty()).map(str::to_owned));
        if is_over {
            break;
        }
    }
    labels
}

/// The labels of every documented metric.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let rows =
        METRICS.split("## Every metric").nth(1).unwrap().lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let labels = cells[2].split(',').map(|label| label.trim().trim_matches('`').to_owned());
        (cells[0].trim_matches('`').to_owned(), labels.filter(|label| !label.is_empty()).collect())
    })
    .collect()
}

/// The tests of the rules, all files together.
fn rule_tests() -> String {
    let directory = std::fs::read_dir(Path::new("config/prometheus/tests")).unwrap();
    directory.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

/// The sections of the runbook, each with its text.
fn sections() -> BTreeMap<String, String> {
    let sections = RUNBOOK.split("\n### ").skip(1).map(|section| section.split_once('\n').unwrap());
    sections.map(|(heading, text)| (heading.to_owned(), text.to_owned())).collect()
}

#[test]
fn every_rule_has_a_severity_a_summary_a_first_step_and_a_runbook() {
    let rules = rules();
    assert!(rules.len() > 50, "{}", rules.len());
    for (name, rule) in &rules {
        assert!(name.starts_with("Crosscheck") && name.chars().all(char::is_alphanumeric), "{name}");
        assert!(!rule.expression.is_empty(), "{name} has no expression");
        assert!(SEVERITIES.contains(&rule.severity.as_str()), "{name}: {}", rule.severity);
        let annotations: Vec<&str> = rule.annotations.keys().map(String::as_str).collect();
        assert_eq!(annotations, ["description", "runbook", "summary"], "{name}");
        assert!(rule.annotations["description"].contains("First") || rule.severity == "all-hands", "{name}");
        let runbook = format!("docs/RUNBOOK.md#{}", name.to_lowercase());
        assert_eq!(rule.annotations["runbook"], runbook, "{name}");
    }
}

#[test]
fn every_metric_and_label_of_a_rule_is_documented() {
    let documented = documented();
    for (name, rule) in rules() {
        let selectors = selectors(&rule.expression);
        assert!(!selectors.is_empty() || rule.expression.contains("up{"), "{name} watches no metric");
        for (metric, labels) in selectors {
            let known =
                documented.get(&metric).unwrap_or_else(|| panic!("{name}: {metric} is not documented"));
            let is_known = |label: &&String| known.contains(*label) || SCRAPED.contains(&label.as_str());
            let unknown: Vec<_> = labels.iter().filter(|label| !is_known(label)).collect();
            assert!(unknown.is_empty(), "{name}: {metric} has no label {unknown:?}");
        }
    }
}

/// A test per rule: it fires for one state, and not for a state that is close to it.
#[test]
fn every_rule_has_a_test_that_fires_and_a_near_miss() {
    let tests = rule_tests();
    let tests: Vec<&str> = tests.split("  - name: ").skip(1).collect();
    for name in rules().keys() {
        let asked = format!("ALERTS{{alertname=\"{name}\",alertstate=\"firing\"}}");
        let of_rule: Vec<&&str> = tests.iter().filter(|test| test.contains(&asked)).collect();
        let fires = format!("- labels: 'ALERTS{{alertname=\"{name}\",");
        assert!(of_rule.iter().any(|test| test.contains(&fires)), "{name} has no test in which it fires");
        let is_near_miss = |test: &&&str| test.contains("instance=\"near-miss\"") || !test.contains(&fires);
        assert!(of_rule.iter().any(is_near_miss), "{name} has no near miss");
    }
}

/// Alerts of `core` without a rule for Prometheus: no metric counts them yet.
const WITHOUT_RULE: [AlertKind; 1] = [AlertKind::VerdictWithdrawn];

#[test]
fn the_alerts_of_core_are_those_of_the_rules_at_the_same_severity() {
    let rules = rules();
    for kind in AlertKind::ALL {
        match rules.get(&kind.heading()) {
            Some(rule) => {
                assert_eq!(rule.severity, kind.severity().name(), "{kind:?}");
                assert_eq!(rule.annotations["runbook"], kind.runbook(), "{kind:?}");
            }
            None => assert!(WITHOUT_RULE.contains(&kind), "{kind:?} has no rule"),
        }
    }
}

#[test]
fn every_alert_has_a_section_in_the_runbook_and_every_section_an_alert() {
    let sections = sections();
    let alerts: BTreeSet<String> =
        rules().into_keys().chain(AlertKind::ALL.map(AlertKind::heading)).collect();
    let headings: BTreeSet<String> = sections.keys().cloned().collect();
    assert_eq!(headings, alerts);
    for (heading, text) in sections {
        let parts =
            ["Meaning", "Check", "Act", "Resolve", "False causes"].map(|part| format!("- **{part}.** "));
        let places: Vec<usize> =
            parts.iter().map(|part| text.find(part).unwrap_or_else(|| panic!("{heading}: {part}"))).collect();
        assert!(places.is_sorted(), "{heading}: {places:?}");
    }
}

#[test]
fn a_link_in_the_runbook_leads_to_one_of_its_sections() {
    let anchors: BTreeSet<String> = sections().into_keys().map(|heading| heading.to_lowercase()).collect();
    for link in RUNBOOK.split("](#").skip(1) {
        let anchor = link.split(')').next().unwrap();
        assert!(anchors.contains(anchor), "{anchor}");
    }
}

/// What the reader of rules above is relied on for.
#[test]
fn selectors_are_read_with_their_labels() {
    let expression =
        "increase(crosscheck_a_total{x=~\"a,b|{2}\",y!=\"}\"}[5m]) / ignoring (level) crosscheck_b > 0";
    let labels = ["x", "y"].map(str::to_owned).into();
    let expected = [("crosscheck_a_total".to_owned(), labels), ("crosscheck_b".to_owned(), BTreeSet::new())];
    assert_eq!(selectors(expression), expected);
    let named = selectors("up{job=\"crosscheck\"} and crosscheck_c{job=\"crosscheck\"}");
    assert_eq!(named, [("crosscheck_c".to_owned(), ["job".to_owned()].into())]);
}
