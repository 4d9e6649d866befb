//! No statement of the ledger reads all cases or events: each finds what it needs by an index, so that it takes
//! as long after a year as on the first day. The statements are read from the source files.

use super::*;
use sqlx::Row;
use std::collections::BTreeSet;

/// What a statement begins with.
const VERBS: [&str; 5] = ["SELECT ", "WITH ", "UPDATE ", "DELETE ", "INSERT "];
/// What the statements that read records begin with. What follows is written apart.
const RECORDS: &str = "SELECT c.*, r.reason AS resolution";
/// The tables that grow with every block, and their names within statements.
const GROWING: [&str; 12] =
    ["cases", "c", "k", "w", "o", "p", "events", "e", "claims", "l", "signatures", "message_events"];
/// The indexes with a few rows only.
const SMALL: [&str; 5] = ["cases_wrong", "cases_open", "cases_open_at", "cases_held_against", "cases_tied"];

/// The texts in quotes of a source file.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut literal: Option<String> = None;
    let mut characters = source.chars();
    while let Some(character) = characters.next() {
        match (character, &mut literal) {
            ('\\', Some(text)) => text.push(characters.next().unwrap()),
            ('"', Some(_)) => found.extend(literal.take()),
            ('"', None) => literal = Some(String::new()),
            (other, Some(text)) => text.push(other),
            (_, None) => {}
        }
    }
    found
}

/// Every statement in the ledger's source files.
fn statements() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ledger");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let rust = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let all: Vec<String> = rust.flat_map(|path| literals(&std::fs::read_to_string(path).unwrap())).collect();
    let records = all.iter().find(|text| text.starts_with(RECORDS)).unwrap();
    let whole = all.iter().filter(|text| VERBS.iter().any(|verb| text.starts_with(verb)) && *text != records);
    let rest = all.iter().filter(|text| text.starts_with("WHERE c."));
    whole.cloned().chain(rest.map(|rest| format!("{records}{rest}"))).collect()
}

/// Whether a step of a plan reads a growing table from its first row to its last, or all of a chain.
fn reads_all(step: &str) -> bool {
    if SMALL.iter().any(|index| step.contains(&format!("INDEX {index} ")) || step.ends_with(index)) {
        return false;
    }
    let scanned = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
    scanned.is_some_and(|name| GROWING.contains(&name))
        || step.ends_with("INDEX cases_by_hash (chain_id=?)")
        || step.ends_with("INDEX sqlite_autoindex_cases_1 (chain_id=?)")
}

#[tokio::test]
async fn no_statement_reads_all_cases() {
    let dir = TempDir::new().unwrap();
    ledger(&dir).await.close().await;
    let mut connection = connect(&dir.path().join("ledger.sqlite")).await;
    let (mut explained, mut slow) = (0, Vec::new());
    for statement in statements() {
        let explain = format!("EXPLAIN QUERY PLAN {statement}");
        // What is not a whole statement, such as the beginning of one, is none.
        let Ok(plan) = sqlx::query(sqlx::AssertSqlSafe(explain)).fetch_all(&mut connection).await else {
            continue;
        };
        explained += 1;
        let steps = plan.iter().map(|row| row.get::<String, _>("detail"));
        slow.extend(steps.filter(|step| reads_all(step)).map(|step| format!("{step}: {statement}")));
    }
    assert!(explained > 80, "{explained} statements were found");
    assert_eq!(slow, Vec::<String>::new());
}
