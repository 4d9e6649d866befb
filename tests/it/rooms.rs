//! The rooms of each crate use one another in one direction only: that of the floors in docs/ARCHITECTURE.md.

use super::sources::files;
use rstest::rstest;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A room, and the floor that it is on.
type Floors = BTreeMap<String, usize>;

/// The floors of a crate, lowest first, as the documentation has them.
fn floors(of: &str) -> Floors {
    let text = std::fs::read_to_string("docs/ARCHITECTURE.md").unwrap();
    let block = text.split("```rooms\n").nth(1).and_then(|rest| rest.split("```").next());
    let block = block.expect("docs/ARCHITECTURE.md has a block of rooms");
    let (_, rows) = block.split_once(&format!("{of}:\n")).expect("the crate has its floors");
    let rows = rows.lines().take_while(|line| line.starts_with("  "));
    let rooms =
        rows.enumerate().flat_map(|(floor, row)| row.split_whitespace().map(move |room| (room, floor)));
    rooms.map(|(room, floor)| (room.to_owned(), floor)).collect()
}

/// What a file says, without comments and without the test module at its end.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The names right after a path to the crate's root: one, or those of a group.
fn named_after<'a>(text: &'a str, root: &'a str) -> impl Iterator<Item = String> + 'a {
    let is_whole = |at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    text.match_indices(root).filter(move |(at, _)| is_whole(*at)).flat_map(move |(at, _)| {
        let rest = &text[at + root.len()..];
        let Some(group) = rest.strip_prefix('{') else { return vec![word(rest)] };
        let mut depth = 0_usize;
        let end = group.find(|c| {
            depth = match c {
                '{' => depth + 1,
                '}' if depth == 0 => return true,
                '}' => depth - 1,
                _ => depth,
            };
            false
        });
        let (mut depth, mut names) = (0_usize, vec![String::new()]);
        for c in group[..end.unwrap()].chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => names.push(String::new()),
                c if depth == 0 => names.last_mut().unwrap().push(c),
                _ => {}
            }
        }
        names.iter().map(|name| word(name.trim())).collect()
    })
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Which room of a crate uses which others.
fn uses(root: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut uses = BTreeMap::<String, BTreeSet<String>>::new();
    for path in files(root) {
        let inside = path.strip_prefix(root).unwrap().with_extension("");
        let mut parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if parts.last().is_some_and(|last| last == "mod") {
            parts.pop();
        }
        let room = parts.first().unwrap().clone();
        let text = code(&path);
        let to_root = "super::".repeat(parts.len());
        let others = named_after(&text, "crate::").chain(named_after(&text, &to_root));
        uses.entry(room.clone()).or_default().extend(others.filter(|other| *other != room));
    }
    uses
}

/// What a room uses that is not below it, and rooms without a floor.
fn climbs(floors: &Floors, uses: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let homeless =
        uses.keys().filter(|room| !matches!(room.as_str(), "lib" | "main") && !floors.contains_key(*room));
    let homeless = homeless.map(|room| format!("{room} is on no floor"));
    let pairs = uses.iter().flat_map(|(room, others)| others.iter().map(move |other| (room, other)));
    let up =
        pairs.filter(|(room, other)| floors.get(*other).zip(floors.get(*room)).is_some_and(|(o, r)| o >= r));
    homeless.chain(up.map(|(room, other)| format!("{room} uses {other}"))).collect()
}

#[rstest]
#[case::rules("crosscheck-core", "core/src")]
#[case::sidecar("crosscheck", "src")]
fn rooms_use_only_those_below_them(#[case] name: &str, #[case] root: &str) {
    let (floors, uses) = (floors(name), uses(Path::new(root)));
    assert!(uses.len() >= 6 && uses.values().any(|others| others.len() >= 2), "{uses:?}");
    assert_eq!(climbs(&floors, &uses), Vec::<String>::new(), "see docs/ARCHITECTURE.md, \"The floors\"");
}

/// A room that uses one on its own floor or above, in whatever way it is written, is found.
#[rstest]
#[case::plain("use crate::upper::Thing;")]
#[case::same_floor("use crate::beside::Thing;")]
#[case::in_a_group("use crate::{\n    lower::{Thing, deep::Other},\n    upper::Thing,\n};")]
#[case::in_a_path("fn f() { crate::upper::f() }")]
#[case::by_super("use super::super::upper::Thing;")]
#[case::without_a_floor("")]
fn a_climb_is_found(#[case] text: &str) {
    let directory = tempfile::tempdir().unwrap();
    let room = if text.is_empty() { "homeless" } else { "room" };
    std::fs::create_dir(directory.path().join(room)).unwrap();
    std::fs::write(directory.path().join(room).join("part.rs"), text).unwrap();
    let floors = [("lower", 0), ("room", 1), ("beside", 1), ("upper", 2)];
    let floors = floors.map(|(room, floor)| (room.to_owned(), floor)).into();
    assert_eq!(climbs(&floors, &uses(directory.path())).len(), 1);
}

/// What is only named in a comment or used by tests is no climb, and neither is what lies below.
#[test]
fn what_lies_below_may_be_used() {
    let directory = tempfile::tempdir().unwrap();
    let text = "//! crate::upper\nuse crate::lower::Thing;\nuse super::sibling;\n#[cfg(test)]\nmod tests {\n use crate::upper;\n}\n";
    std::fs::create_dir(directory.path().join("room")).unwrap();
    std::fs::write(directory.path().join("room").join("part.rs"), text).unwrap();
    let floors =
        [("lower", 0), ("room", 1), ("upper", 2)].map(|(room, floor)| (room.to_owned(), floor)).into();
    assert_eq!(climbs(&floors, &uses(directory.path())), Vec::<String>::new());
}
