//! The rooms of each crate, and of its large modules, use one another in one direction only: that of the
//! floors in docs/ARCHITECTURE.md.

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

/// What a file says, without comments and without the test module at its end, each of its `use` lines with
/// one name.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    flat(&without_comments(text.split("#[cfg(test)]\nmod ").next().unwrap_or_default()))
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The same with every `use` of several names written as one of each: `use a::{b, c::d};` is
/// `use a::b; use a::c::d;`.
fn flat(code: &str) -> String {
    let is_of_tree = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_:{},*".contains(c);
    let statements = code.split(';').map(|statement| match statement.rsplit_once("use ") {
        Some((before, tree)) if tree.chars().all(is_of_tree) => {
            let uses = leaves(tree).into_iter().map(|path| format!("use {path}")).collect::<Vec<_>>();
            before.to_owned() + &uses.join(";")
        }
        _ => statement.to_owned(),
    });
    statements.collect::<Vec<_>>().join(";")
}

/// The paths of a tree of names.
fn leaves(tree: &str) -> Vec<String> {
    let Some((before, group)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let group = group.rsplit_once('}').map_or(group, |(group, _)| group);
    let mut depth = 0_i32;
    let parts = group.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    parts.flat_map(|part| leaves(&format!("{}{part}", before.trim()))).collect()
}

/// The names right after a path.
fn named_after<'a>(text: &'a str, path: &'a str) -> impl Iterator<Item = String> + 'a {
    let is_whole = |at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    text.match_indices(path)
        .filter(move |(at, _)| is_whole(*at))
        .map(|(at, _)| word(&text[at + path.len()..]))
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The file in which a crate, or a module with rooms, declares them. Empty: there is none.
fn declarations(root: &Path) -> String {
    let files = ["lib.rs", "mod.rs"].map(|name| std::fs::read_to_string(root.join(name)));
    files.into_iter().find_map(Result::ok).unwrap_or_default()
}

/// The room of each name that the declarations pass on: `crate::Name` is a use of the room that `Name` is
/// from. A room is never such a name: `crate::room` is that room.
fn passed_on(declarations: &str) -> BTreeMap<String, String> {
    let is_room = |name: &str| declarations.contains(&format!("mod {name};"));
    let flat = flat(&without_comments(declarations));
    let paths = flat.split(';').filter_map(|statement| Some(statement.rsplit_once("use ")?.1));
    let paths = paths.map(|path| path.trim().trim_start_matches("crate::").trim_start_matches("self::"));
    let names = paths.filter_map(|path| path.split_once("::").zip(path.rsplit("::").next()));
    let names = names.filter(|((room, _), name)| is_room(room) && !is_room(name));
    names.map(|((room, _), name)| (name.to_owned(), room.to_owned())).collect()
}

/// How a room is written from within its crate: by the path of the directory below `src`.
fn path_of(root: &Path) -> String {
    let inside = root.iter().skip_while(|part| *part != "src").skip(1);
    std::iter::once("crate")
        .chain(inside.map(|part| part.to_str().unwrap()))
        .map(|part| format!("{part}::"))
        .collect()
}

/// Which room of a crate uses which others.
fn uses(root: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let (declarations, path) = (declarations(root), path_of(root));
    let passed_on = passed_on(&declarations);
    let mut uses = BTreeMap::<String, BTreeSet<String>>::new();
    for file in files(root) {
        let inside = file.strip_prefix(root).unwrap().with_extension("");
        let mut parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if parts.last().is_some_and(|last| last == "mod") {
            parts.pop();
        }
        let Some(room) = parts.first().cloned() else { continue };
        if declarations.contains(&format!("#[cfg(test)]\nmod {room};")) {
            continue;
        }
        let text = code(&file);
        let to_root = "super::".repeat(parts.len());
        let others = named_after(&text, &path).chain(named_after(&text, &to_root));
        let others = others.map(|name| passed_on.get(&name).cloned().unwrap_or(name));
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
    // A name without a floor is a use that this test does not understand.
    let up = pairs.filter(|(room, other)| {
        let floor = floors.get(*other);
        floor.is_none() || floor.zip(floors.get(*room)).is_some_and(|(other, room)| other >= room)
    });
    homeless.chain(up.map(|(room, other)| format!("{room} uses {other}"))).collect()
}

#[rstest]
#[case::rules("crosscheck-core", "core/src")]
#[case::gossip("crosscheck-p2p", "p2p/src")]
#[case::gossip_node("crosscheck-p2p network", "p2p/src/network")]
#[case::devnet("crosscheck-devnet", "devnet/src")]
#[case::sidecar("crosscheck", "src")]
fn rooms_use_only_those_below_them(#[case] name: &str, #[case] root: &str) {
    let (floors, uses) = (floors(name), uses(Path::new(root)));
    assert!(uses.len() >= 6 && uses.values().any(|others| others.len() >= 2), "{uses:?}");
    assert_eq!(climbs(&floors, &uses), Vec::<String>::new(), "see docs/ARCHITECTURE.md, \"The floors\"");
}

const DECLARATIONS: &str = "mod lower;
mod upper;
mod exported;
pub use upper::{Other, Passed};
/// What tests use.
pub mod for_tests {
    pub use crate::exported::{Exported, More};
}
";

/// A room that uses one on its own floor or above, in whatever way it is written, is found.
#[rstest]
#[case::plain("use crate::upper::Thing;")]
#[case::same_floor("use crate::beside::Thing;")]
#[case::in_a_group("use crate::{\n    lower::{Thing, deep::Other},\n    upper::Thing,\n};")]
#[case::in_a_path("fn f() { crate::upper::f() }")]
#[case::by_super("use super::super::upper::Thing;")]
#[case::by_a_name_that_the_crate_passes_on("use crate::Passed;")]
#[case::of_which_the_crate_exports_a_name("use crate::exported::Other;")]
#[case::by_a_name_that_the_crate_exports("use crate::Exported;")]
#[case::of_no_room("use crate::nowhere::Thing;")]
#[case::without_a_floor("")]
fn a_use_of_a_higher_room_is_found(#[case] text: &str) {
    let directory = tempfile::tempdir().unwrap();
    let room = if text.is_empty() { "homeless" } else { "room" };
    std::fs::create_dir(directory.path().join(room)).unwrap();
    std::fs::write(directory.path().join(room).join("part.rs"), text).unwrap();
    std::fs::write(directory.path().join("lib.rs"), DECLARATIONS).unwrap();
    let floors = [("lower", 0), ("room", 1), ("beside", 1), ("upper", 2), ("exported", 2)];
    let floors = floors.map(|(room, floor)| (room.to_owned(), floor)).into();
    assert_eq!(climbs(&floors, &uses(directory.path())).len(), 1);
}

/// What is only named in a comment or used by tests is no climb, and neither is what lies below.
#[test]
fn lower_rooms_may_be_used() {
    let directory = tempfile::tempdir().unwrap();
    let text = "//! crate::upper\nuse crate::lower::Thing;\nuse super::sibling;\n#[cfg(test)]\nmod tests {\n use crate::upper;\n}\n";
    std::fs::create_dir(directory.path().join("room")).unwrap();
    std::fs::write(directory.path().join("room").join("part.rs"), text).unwrap();
    let floors =
        [("lower", 0), ("room", 1), ("upper", 2)].map(|(room, floor)| (room.to_owned(), floor)).into();
    assert_eq!(climbs(&floors, &uses(directory.path())), Vec::<String>::new());
}
