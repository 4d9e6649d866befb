//! The form of each key is that of its type: what the form accepts can be parsed, at both ends of each range.

use super::{SOUND, file};
use crate::config::form::Kind;
use crate::config::{Key, Layers, keys};
use std::time::Duration;
use toml::{Table, Value};

/// The full path of a key.
fn path(key: &Key) -> String {
    if key.per_chain { format!("chains.901.{}", key.path) } else { key.path.to_owned() }
}

/// Whether a value passes the check of forms, and the parser.
fn parsed(key: &Key, value: &Value) -> Result<(), String> {
    let mut table: Table = SOUND.parse().unwrap();
    super::insert(&mut table, &path(key), value.clone());
    file(&table.to_string()).and_then(Layers::parse_unchecked).map(drop).map_err(|error| error.to_string())
}

fn whole(number: u64) -> Value {
    // Numbers of TOML end there.
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn written(duration: Duration) -> Value {
    // The parser knows no longer ones.
    let longest = Duration::from_secs(1_000_000_000_000);
    Value::String(humantime::format_duration(duration.min(longest)).to_string())
}

#[track_caller]
fn assert_refused(key: &Key, value: &Value, reason: &str) {
    let message = parsed(key, value).expect_err(key.path);
    let start = format!("{} = {value}: {reason}", path(key));
    assert!(message.starts_with(&start), "{start} is not the start of:\n{message}");
    assert!(message.ends_with(&format!("fix: {}", key.fix())), "{message}");
}

#[test]
fn every_range_is_accepted_to_its_ends_and_not_beyond() {
    let mut count = 0;
    for key in keys() {
        match &key.form.kind {
            Kind::Whole(range) => {
                for end in [range.start(), range.end()] {
                    assert_eq!(parsed(key, &whole(*end)), Ok(()), "{}", key.path);
                }
                let below = Value::Integer(i64::try_from(*range.start()).unwrap() - 1);
                assert_refused(key, &below, &format!("below {}", range.start()));
                if *range.end() < u64::MAX {
                    assert_refused(key, &whole(range.end() + 1), &format!("above {}", range.end()));
                }
            }
            Kind::Duration(range) | Kind::WholeSeconds(range) => {
                let step = Duration::from_secs(1);
                for end in [range.start(), range.end()] {
                    assert_eq!(parsed(key, &written(*end)), Ok(()), "{}", key.path);
                }
                let shown = |end: &Duration| humantime::format_duration(*end).to_string();
                if *range.start() > Duration::ZERO {
                    let below = range.start().saturating_sub(step);
                    assert_refused(key, &written(below), &format!("shorter than {}", shown(range.start())));
                }
                if *range.end() < Duration::MAX {
                    let above = range.end().saturating_add(step);
                    assert_refused(key, &written(above), &format!("longer than {}", shown(range.end())));
                }
            }
            _ => continue,
        }
        count += 1;
    }
    assert!(count > 20, "{count}");
}

#[test]
fn every_choice_is_a_value_of_its_type_and_there_are_no_others() {
    let mut count = 0;
    for key in keys() {
        let Kind::Choice(choices) = &key.form.kind else { continue };
        for (name, _) in *choices {
            assert_eq!(parsed(key, &Value::from(*name)), Ok(()), "{}", key.path);
        }
        assert_refused(key, &"sundial".into(), "not one of the values of this key");
        // The type itself lists its values where it refuses one.
        let mut table = Table::new();
        super::insert(&mut table, &path(key), "sundial".into());
        let message = toml::from_str::<crate::config::Config>(&table.to_string()).unwrap_err().to_string();
        let (_, listed) = message.split_once(", expected ").unwrap_or_else(|| panic!("{message}"));
        let mut listed: Vec<&str> = listed.split('`').skip(1).step_by(2).collect();
        let mut known: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        listed.sort_unstable();
        known.sort_unstable();
        assert_eq!(listed, known, "{}", key.path);
        count += 1;
    }
    assert_eq!(count, 6);
}

#[test]
fn every_default_and_every_example_has_the_form_of_its_key() {
    for key in keys() {
        let example = key.example().map(|toml| {
            let table: Table =
                format!("it = {toml}").parse().unwrap_or_else(|error| panic!("{}: {error}", key.path));
            table["it"].clone()
        });
        for value in key.default().into_iter().chain(example) {
            // The chains of a named network need endpoints.
            if key.path != "network" {
                assert_eq!(parsed(key, &value), Ok(()), "{} = {value}", key.path);
            }
            assert_eq!(key.form.check(&value), Ok(()), "{} = {value}", key.path);
        }
    }
}

/// In the file, by a flag and in the environment.
#[test]
fn booleans_are_written_true_or_false() {
    for key in keys().filter(|key| key.form.kind == Kind::Boolean) {
        for (word, meant) in [("on", "true"), ("off", "false"), ("True", "true"), ("no", "false")] {
            assert_refused_with(parsed(key, &word.into()), &format!("fix: write {meant}, without quotes"));
            let flag = Layers::default().flag(&path(key), word);
            assert_refused_with(
                flag.map(drop).map_err(|error| error.to_string()),
                &format!("fix: write {meant}"),
            );
        }
        assert_eq!(parsed(key, &true.into()), Ok(()));
        assert!(Layers::default().flag(&path(key), "false").is_ok());
    }
}

#[track_caller]
fn assert_refused_with(result: Result<(), String>, part: &str) {
    let message = result.unwrap_err();
    assert!(message.contains(part), "{part:?} is missing from:\n{message}");
}
