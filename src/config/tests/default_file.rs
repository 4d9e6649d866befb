//! `config/default.toml` is what `crosscheck doc config` prints: every key, at its default, with a comment.

use super::file;
use crate::config::form::{Kind, WhenUnset};
use crate::config::{Config, default_file, keys};
use toml::{Table, Value};

const DEFAULT_FILE: &str = include_str!("../../../config/default.toml");

/// Whether a line is an example: a comment that reads like a setting.
fn example(line: &str) -> Option<&str> {
    let text = line.strip_prefix("# ")?;
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let is_setting = text.split_once(" = ").is_some_and(|(name, _)| is_name(name));
    (is_setting || text.starts_with('[')).then_some(text)
}

/// The file with its examples put to use.
fn with_examples() -> String {
    DEFAULT_FILE.lines().map(|line| format!("{}\n", example(line).unwrap_or(line))).collect()
}

fn find<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let first = table.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.as_table()?.get(part))
}

/// Every path to a value that is not a section.
fn leaves(before: &str, table: &Table, found: &mut Vec<String>) {
    for (name, value) in table {
        match value {
            Value::Table(section) => leaves(&format!("{before}{name}."), section, found),
            _ => found.push(format!("{before}{name}")),
        }
    }
}

#[test]
fn it_is_what_the_program_prints() {
    let printed = default_file();
    let hint = "run `crosscheck doc config > config/default.toml`";
    for (number, (written, printed)) in DEFAULT_FILE.lines().zip(printed.lines()).enumerate() {
        assert_eq!(written, printed, "line {} differs; {hint}", number + 1);
    }
    assert!(DEFAULT_FILE == printed, "it is shorter, longer or ends otherwise; {hint}");
}

#[test]
fn it_parses_to_the_defaults() {
    assert_eq!(file(&default_file()).unwrap().parse_unchecked().unwrap(), Config::default());
}

#[test]
fn every_value_in_the_defaults_is_that_of_a_key() {
    let mut found = Vec::new();
    leaves("", &Table::try_from(Config::default()).unwrap(), &mut found);
    for path in &found {
        assert!(keys().any(|key| !key.per_chain && key.path == path), "{path} is in no row");
    }
    let with_default = keys().filter(|key| !key.per_chain && key.default().is_some());
    assert_eq!(found.len(), with_default.count());
}

#[test]
fn its_examples_are_valid_and_show_every_other_key() {
    let text = with_examples();
    let config = file(&text).unwrap().parse().unwrap();
    assert_eq!(config.chains.len(), 1);
    let table: Table = text.parse().unwrap();
    for key in keys() {
        let path = if key.per_chain { format!("chains.901.{}", key.path) } else { key.path.to_owned() };
        assert!(find(&table, &path).is_some(), "{path} is not shown");
    }
}

#[test]
fn its_examples_of_keys_with_a_default_show_the_default() {
    let shown: Table = with_examples().parse().unwrap();
    for key in keys().filter(|key| key.per_chain) {
        let Some(default) = key.default().filter(|default| !default.as_array().is_some_and(Vec::is_empty))
        else {
            continue;
        };
        assert_eq!(find(&shown, &format!("chains.901.{}", key.path)), Some(&default), "{}", key.path);
    }
}

#[test]
fn every_setting_in_it_is_explained_above_it() {
    let mut above = "";
    for line in DEFAULT_FILE.lines() {
        let setting = example(line).unwrap_or(line);
        if setting.contains(" = ") && !setting.starts_with('#') {
            assert!(above.starts_with("# ") && example(above).is_none(), "{line} has no comment");
        }
        above = line;
    }
}

#[test]
fn its_lines_are_not_too_wide() {
    let wide = |line: &&str| line.chars().count() > 120 && !line.contains("enode://");
    assert_eq!(default_file().lines().find(wide), None);
}

/// Whoever reads the comment of a key without a default learns what happens without it.
#[test]
fn every_key_has_a_default_or_says_what_happens_without_it() {
    for key in keys() {
        match key.form.when_unset {
            WhenUnset::Default => assert!(key.default().is_some(), "{} has no default", key.path),
            WhenUnset::Means(meaning) => assert!(!meaning.ends_with('.'), "{}: {meaning}", key.path),
            WhenUnset::Required => assert!(key.per_chain, "{}", key.path),
        }
        assert!(key.text.trim_end().ends_with('.'), "{} has no sentence", key.path);
        let is_list = matches!(key.form.kind, Kind::List(_) | Kind::ListOrNumbers(_) | Kind::TextOrList(_));
        assert!(!is_list || key.example().is_some(), "{} needs an example", key.path);
    }
}

/// So it is in the help of a flag.
#[test]
fn help_says_what_a_key_is_without_a_value() {
    for key in keys() {
        let help = key.help();
        let part = match (key.form.when_unset, key.default()) {
            (WhenUnset::Means(meaning), _) => format!("[not set: {meaning}]"),
            (WhenUnset::Required, _) => "[required]".to_owned(),
            (WhenUnset::Default, Some(Value::Array(items))) if items.is_empty() => {
                "[default: none]".to_owned()
            }
            (WhenUnset::Default, default) => format!("[default: {}]", default.unwrap()),
        };
        assert!(help.contains(&part), "{part:?} is missing from: {help}");
    }
}

#[test]
fn the_known_networks_are_in_the_text_of_their_key() {
    let text = keys().find(|key| key.path == "network").unwrap().text;
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
    for name in crate::networks::NetworkName::all() {
        assert!(words.contains(&name.to_string().as_str()), "{name}");
    }
}
