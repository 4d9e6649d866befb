//! Every configuration key that a text for people names exists: in what the program says, and in the
//! documentation. The changelog may name keys that were removed.

use super::file;
use crate::config::keys;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The texts of a Rust source: its string literals, without comments and code.
fn literals(source: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), source);
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if let Some((literal, after)) = raw_literal(rest) {
            found.push(literal);
            rest = after;
        } else if first == '\'' {
            // A character, or a lifetime.
            let quoted =
                ["'\\\"'", "'\"'", "'\\\\'", "'\\''"].into_iter().find(|quoted| rest.starts_with(quoted));
            rest = &rest[quoted.map_or(1, str::len)..];
        } else if first == '"' {
            let mut literal = String::new();
            let mut chars = rest[1..].chars();
            while let Some(next) = chars.next().filter(|next| *next != '"') {
                literal.extend(if next == '\\' { chars.next() } else { Some(next) });
            }
            found.push(literal);
            rest = chars.as_str();
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

/// A raw string literal at the start of a text, and what follows it.
fn raw_literal(text: &str) -> Option<(String, &str)> {
    let after = text.strip_prefix('r')?;
    let (hashes, body) = after.split_once('"')?;
    if !hashes.chars().all(|c| c == '#') {
        return None;
    }
    let (literal, rest) = body.split_once(&format!("\"{hashes}"))?;
    Some((literal.to_owned(), rest))
}

/// Whether a word is the name of a key, or part of one, that does not exist.
fn is_not_a_key(word: &str) -> bool {
    let sections: BTreeSet<&str> = keys().filter_map(|key| Some(key.path.split_once('.')?.0)).collect();
    let (mut path, mut per_chain) = (word, word.starts_with("p2p."));
    if let Some((_, rest)) = word.strip_prefix("chains.").and_then(|rest| rest.split_once('.')) {
        (path, per_chain) = (rest, true);
    }
    let Some((first, last)) = path.rsplit_once('.').or(per_chain.then_some(("", path))) else { return false };
    let is_section = per_chain || sections.contains(first.split('.').next().unwrap_or_default());
    // `{name}` stands for any, `chains.<id>.p2p` for a section, and a word may be a part of a longer
    // sentence's dots.
    let is_any = last.is_empty() || last.contains('{') || path == "p2p";
    is_section && !is_any && !keys().any(|key| key.per_chain == per_chain && key.path == path)
}

/// The words of a text that read like a key and are not one.
fn wrong_keys(text: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_.<>{}/-:@".contains(c);
    let words = text.split(|c: char| !is_part(c)).map(|word| word.trim_end_matches(['.', ':']));
    // `ledger.sqlite` is a file.
    let is_file = |word: &str| word.contains('/') || word.ends_with(".sqlite");
    words.filter(|word| !is_file(word) && is_not_a_key(word)).map(str::to_owned).collect()
}

fn files(directory: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let mut found = vec!["README.md", "CONTRIBUTING.md", "config/default.toml"]
        .into_iter()
        .map(|name| root().join(name))
        .collect();
    files(&root().join("docs"), "md", &mut found);
    found.retain(|path| !path.ends_with("CHANGELOG.md"));
    assert!(found.len() > 6, "{found:?}");
    found
}

#[test]
fn every_key_that_the_program_names_exists() {
    let mut sources = Vec::new();
    for crate_ in ["core/src", "devnet/src", "p2p/src", "src"] {
        files(&root().join(crate_), "rs", &mut sources);
    }
    // These tests get keys wrong on purpose.
    sources.retain(|path| !path.starts_with(root().join("src/config/tests")));
    let (mut wrong, mut named) = (Vec::new(), BTreeSet::new());
    for path in sources {
        for literal in literals(&std::fs::read_to_string(&path).unwrap()) {
            wrong.extend(wrong_keys(&literal).into_iter().map(|word| (path.clone(), word)));
            named.extend(keys().map(|key| key.path).filter(|path| literal.contains(path)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Each of these is in a text of another module: if one is missing, texts are no longer found.
    for path in ["l1.execution", "follow.mode", "p2p.static_peers", "data_dir", "rpc.admin", "p2p.peers_hi"] {
        assert!(named.contains(path), "{path} is not found in any text");
    }
}

#[test]
fn every_key_that_the_documentation_names_exists() {
    let mut named = 0;
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        let wrong = wrong_keys(&text);
        assert!(wrong.is_empty(), "{}: {wrong:?}", path.display());
        named += keys().filter(|key| key.path.contains('.') && text.contains(key.path)).count();
    }
    assert!(named > 0, "the documentation names no key");
}

/// Text between backticks such as `section.key = value` can be written so.
#[test]
fn the_documentation_gives_keys_values_that_they_can_have() {
    let mut checked = 0;
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        for span in text.split('`').skip(1).step_by(2) {
            let Some((key, _)) = span.split_once(" = ") else { continue };
            if key.contains('.') && keys().any(|known| !known.per_chain && known.path == key) {
                let parsed = file(span).and_then(super::super::Layers::parse_unchecked);
                assert!(parsed.is_ok(), "{}: {span}: {parsed:?}", path.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 0, "the documentation has no such text");
}

#[test]
fn wrong_keys_are_found() {
    let source =
        "// rpc.wrong\nlet a = self.rpc.wrong; let c = '\"'; say(\"set rpc.adr \\\"or\\\" p2p.listn, then\");
                  r#\"chains.901.block_tim\"#; \"chains.{id}.p2p.listen and chains.<id>.{name}, http.addr.\"";
    let found: Vec<_> = literals(source).iter().flat_map(|text| wrong_keys(text)).collect();
    assert_eq!(found, ["rpc.adr", "p2p.listn", "chains.901.block_tim"]);
}
