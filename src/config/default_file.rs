//! [`default_file`]: `config/default.toml`, made from the table of keys.

use super::Key;
use super::form::{Example, WhenUnset};
use super::keys::{SECTIONS, is_empty_list, one_line};
use super::section::Section;

/// The widest line of a comment.
const WIDTH: usize = 120;

const INTRODUCTION: &str = "\
# Crosscheck's configuration: every key, set to its default. `crosscheck doc config` prints this file.
#
# A key can also be set by an environment variable or a flag. Flags override the environment, and the environment
# overrides this file:
#
#   log.level                   CROSSCHECK_LOG_LEVEL                   --log.level debug
#   sources.poll_interval       CROSSCHECK_SOURCES_POLL_INTERVAL       --sources.poll-interval 500ms
#   chains.901.block_time       CROSSCHECK_CHAINS_901_BLOCK_TIME       --set chains.901.block_time=2
#
# In variables and flags, separate the entries of a list with commas. An empty variable counts as not set.
# Durations are strings with a unit: \"500ms\", \"10s\", \"1m\", \"12h\".
# Lines that begin with \"# \" and look like a setting are examples: remove the mark to use them.
# `crosscheck check --config FILE` checks a file; with --online it also checks the endpoints.
";

/// Every key with its default and what it does, as a configuration file.
pub(crate) fn default_file() -> String {
    let mut file = INTRODUCTION.to_owned();
    for section in SECTIONS {
        file.push_str(&heading(section));
        for key in section.keys {
            file.push('\n');
            file.push_str(&explanation(key));
            file.push_str(&line(key));
        }
    }
    file
}

/// What begins a section. The keys of the first one are above all sections.
fn heading(section: &Section) -> String {
    let name = section.prefix.trim_end_matches('.');
    let about = comment(&one_line(section.about));
    match (section.is_per_chain(), name) {
        (false, "") => String::new(),
        (false, name) => format!("\n{about}[{name}]\n"),
        (true, "") => format!("\n{about}# [chains.901]\n"),
        (true, name) => format!("\n{about}# [chains.901.{name}]\n"),
    }
}

/// The key with its default, or as an example.
fn line(key: &Key) -> String {
    let name = key.path.rsplit('.').next().unwrap_or(key.path);
    match key.default().filter(|_| !key.per_chain) {
        Some(default) => format!("{name} = {default}\n"),
        None => {
            let shown = key.example().or_else(|| Some(key.default()?.to_string())).unwrap_or_default();
            format!("# {name} = {shown}\n")
        }
    }
}

/// What a key does, what may be written, and what happens if it is not set: each begins a line.
fn explanation(key: &Key) -> String {
    let default = key.default();
    let example = match key.form.example {
        // The line below shows another value.
        Example::Toml(example) if !key.per_chain && default.is_some() => format!(", such as {example}"),
        _ => String::new(),
    };
    let is_empty = default.is_some_and(|default| is_empty_list(&default));
    let unset = match key.form.when_unset {
        WhenUnset::Means(meaning) => comment(&format!("Not set: {meaning}.")),
        WhenUnset::Required if key.form.if_named.is_some() => {
            comment("Required, unless the network is named.")
        }
        WhenUnset::Required => comment("Required."),
        WhenUnset::Default if key.per_chain && is_empty => comment("Default: none."),
        WhenUnset::Default => String::new(),
    };
    let named = key.form.if_named.map_or_else(String::new, |meaning| {
        comment(&format!("Not set, and the network is named: {meaning}."))
    });
    let values = comment(&format!("Value: {}{example}.", key.form.long_phrase()));
    format!("{}{values}{unset}{named}", comment(&one_line(key.text)))
}

/// A text as lines of a comment. Quoted texts are not broken.
fn comment(text: &str) -> String {
    let (mut lines, mut line) = (String::new(), "#".to_owned());
    for word in words(text) {
        if line.chars().count().saturating_add(word.chars().count()) >= WIDTH && line != "#" {
            lines.push_str(&line);
            lines.push('\n');
            line = "#".to_owned();
        }
        line.push(' ');
        line.push_str(&word);
    }
    format!("{lines}{line}\n")
}

/// The words of a text. What is in quotes is one word, and so is a word with the list that follows it: a line
/// of a comment that begins with a bracket would look like a section.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        is_quoted ^= letter == '"';
        let is_end = letter == ' ' && !is_quoted && letters.peek() != Some(&'[');
        match words.last_mut() {
            Some(word) if !is_end => word.push(letter),
            _ => words.push(String::new()),
        }
    }
    words
}
