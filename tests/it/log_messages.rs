//! docs/LOGS.md lists every message that is logged at warn or error, and no other.

use super::sources::files;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The levels at which each message is logged.
type Messages = BTreeMap<String, BTreeSet<&'static str>>;

const LEVELS: [&str; 2] = ["error", "warn"];
const SOURCES: [&str; 4] = ["src", "core/src", "p2p/src", "devnet/src"];

/// The code of a file, without comment lines and without the test module at its end.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The content of the string literal that begins here, after its quotation mark, and what follows it.
fn literal(text: &str) -> (String, &str) {
    let mut content = String::new();
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        match next {
            '"' => break,
            '\\' => match rest.next() {
                // A line that continues.
                Some('\n') => rest = rest.as_str().trim_start().chars(),
                escaped => content.extend(escaped),
            },
            next => content.push(next),
        }
    }
    (content, rest.as_str())
}

/// The last string literal among the arguments of a macro, which begin here: the message.
fn message(arguments: &str) -> Option<String> {
    let (mut rest, mut depth, mut last) = (arguments, 0_usize, None);
    while let Some(at) = rest.find(['"', '(', ')']) {
        let (found, after) = (rest.as_bytes()[at], &rest[at + 1..]);
        rest = after;
        match found {
            b'(' => depth += 1,
            b')' if depth == 0 => break,
            b')' => depth -= 1,
            _ => {
                let (content, after) = literal(after);
                rest = after;
                if depth == 0 {
                    last = Some(content);
                }
            }
        }
    }
    last
}

/// The value of the nearest constant of this name above, or else of any in the file.
fn constant(code: &str, before: usize, name: &str) -> Option<String> {
    let declared = format!("const {name}: &str =");
    let at = code[..before].rfind(&declared).or_else(|| code.find(&declared))?;
    let (_, value) = code[at..].split_once('"')?;
    Some(literal(value).0)
}

fn logged() -> Messages {
    let mut messages = Messages::new();
    for file in SOURCES.iter().flat_map(|directory| files(Path::new(directory))) {
        let code = code(&file);
        for level in LEVELS {
            let opens = format!("{level}!(");
            for (at, _) in code.match_indices(&opens) {
                let said = message(&code[at + opens.len()..]);
                let said = said.unwrap_or_else(|| panic!("{}: {level} without a message", file.display()));
                let name = said.strip_prefix('{').and_then(|said| said.strip_suffix('}'));
                let said = match name {
                    Some(name) => constant(&code, at, name)
                        .unwrap_or_else(|| panic!("{}: {name} is not a constant", file.display())),
                    None => said,
                };
                let is_constant = !said.contains(['{', '}']);
                assert!(is_constant, "{}: values belong into fields: {said}", file.display());
                messages.entry(said).or_default().insert(level);
            }
        }
    }
    messages
}

fn documented() -> Messages {
    let text = std::fs::read_to_string("docs/LOGS.md").unwrap();
    let mut messages = Messages::new();
    for row in text.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = row.trim_matches('|').split(" | ").map(str::trim);
        let (message, levels) = (cells.next().unwrap(), cells.next().unwrap());
        let quoted = message.strip_prefix("`` ").and_then(|message| message.strip_suffix(" ``"));
        let message = quoted.unwrap_or_else(|| message.trim_matches('`'));
        let levels = LEVELS.into_iter().filter(|level| levels.split(", ").any(|named| named == *level));
        let is_new = messages.insert(message.to_owned(), levels.collect()).is_none();
        assert!(is_new, "{message} has two rows");
        assert_eq!(cells.count(), 2, "{message}: what it means, and what to do");
    }
    messages
}

#[test]
fn every_warning_and_error_is_documented_and_no_other() {
    let (logged, documented) = (logged(), documented());
    assert!(logged.len() > 100, "{}", logged.len());
    let missing: Vec<_> =
        logged.iter().filter(|(message, levels)| documented.get(*message) != Some(*levels)).collect();
    let stale: Vec<_> = documented.keys().filter(|message| !logged.contains_key(*message)).collect();
    assert!(missing.is_empty(), "missing in docs/LOGS.md, or at another level: {missing:#?}");
    assert!(stale.is_empty(), "not logged: {stale:#?}");
}

#[test]
fn a_message_starts_in_lower_case_and_has_no_period() {
    for message in logged().keys() {
        let first = message.split(' ').next().unwrap_or_default();
        // Such as L1 or CrossL2Inbox.
        let is_name = first.chars().skip(1).any(|c| !c.is_ascii_lowercase());
        assert!(is_name || first.starts_with(|c: char| c.is_ascii_lowercase()), "{message}");
        assert!(!message.ends_with('.'), "{message}");
    }
}
