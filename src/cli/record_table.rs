//! Records of JSON as a table for people.
//!
//! What a server says is printed without control characters.

use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use serde_json::Value;

/// Below this width a table is not folded to fit.
const NARROWEST: u16 = 60;

/// A row for each record. A column has a name, and a pointer to its field.
pub(super) fn record_table(columns: &[(&str, &str)], records: &[Value]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    if table.width().is_some_and(|width| width < NARROWEST) {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    table.set_header(columns.iter().map(|(name, _)| name));
    for record in records {
        table.add_row(columns.iter().map(|(_, pointer)| field(record, pointer)));
    }
    table
}

/// A field as people read it.
pub(super) fn field(record: &Value, pointer: &str) -> String {
    record.pointer(pointer).map_or_else(|| "-".to_owned(), shown)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::String(text) => text.chars().filter(|letter| !letter.is_control()).collect(),
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map_or_else(String::new, |n| format!("{n:.2}"))
        }
        other => other.to_string(),
    }
}

/// The cells of the row that holds this text.
#[cfg(test)]
pub(super) fn cells(mut table: Table, holds: &str) -> Vec<String> {
    let printed = table.set_content_arrangement(ContentArrangement::Disabled).to_string();
    let row = printed.lines().find(|line| line.contains(holds)).unwrap();
    let cells = row.split(['│', '┆']).map(str::trim).filter(|cell| !cell.is_empty());
    cells.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_record_is_a_row_and_a_missing_value_a_dash() {
        let record = json!({
            "id": "16U\u{1b}iu2", "at": { "number": 20 }, "none": null, "topics": ["a", "b\u{7}"], "empty": [],
            "score": 1.656_892_557,
        });
        let columns = ["/id", "/at/number", "/none", "/missing", "/topics", "/empty", "/score"]
            .map(|pointer| ("c", pointer));
        assert_eq!(
            cells(record_table(&columns, &[record]), "16Uiu2"),
            ["16Uiu2", "20", "-", "-", "a, b", "-", "1.66"]
        );
    }
}
