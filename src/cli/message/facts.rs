//! What is printed of a message: as aligned lines for people, or as JSON.

use crate::cli::print;
use serde::Serialize;
use serde_json::{Map, Value};

/// Prints fields as JSON, or as one line each, nested names joined by dots.
pub(super) fn print_facts(facts: &impl Serialize, json: bool) -> eyre::Result<()> {
    if json {
        print(&serde_json::to_string_pretty(facts)?)?;
        return Ok(());
    }
    let mut lines = Vec::new();
    flatten("", &serde_json::to_value(facts)?, &mut lines);
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, value) in lines {
        print(&format!("{name:width$}  {value}"))?;
    }
    Ok(())
}

fn flatten(name: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => flatten_fields(name, fields, lines),
        Value::Array(values) => {
            for (place, value) in values.iter().enumerate() {
                flatten(&format!("{name}[{place}]"), value, lines);
            }
        }
        Value::Null => lines.push((name.to_owned(), "-".to_owned())),
        Value::String(text) => lines.push((name.to_owned(), text.clone())),
        other => lines.push((name.to_owned(), other.to_string())),
    }
}

fn flatten_fields(name: &str, fields: &Map<String, Value>, lines: &mut Vec<(String, String)>) {
    for (field, value) in fields {
        let path = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
        flatten(&path, value, lines);
    }
}
