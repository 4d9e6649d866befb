//! Tests of the configuration from outside: the default file, the layers, and what errors say.

mod default_file;
mod doubts;
mod errors;
mod forms;
mod hostile;
mod layering;
mod named_keys;
mod network_defaults;

/// A configuration that is sound, of one chain.
const SOUND: &str = r#"
[chains.901]
execution = ["http://127.0.0.1:9545"]
rollup_node = "http://127.0.0.1:7545"
block_time = 2
interop_time = 0
dependency_set = [901]
unsafe_block_signer = "0x2222222222222222222222222222222222222222"
"#;

/// Writes a value at a path of a table.
fn insert(table: &mut toml::Table, path: &str, value: toml::Value) {
    let (sections, name) = path.rsplit_once('.').unwrap_or(("", path));
    let mut section = table;
    for part in sections.split('.').filter(|part| !part.is_empty()) {
        let inner = section.entry(part).or_insert_with(|| toml::Table::new().into());
        section = inner.as_table_mut().expect("a section");
    }
    section.insert(name.to_owned(), value);
}

/// Layers whose file holds this text.
fn file(text: &str) -> Result<super::Layers, super::ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crosscheck.toml");
    std::fs::write(&path, text).unwrap();
    super::Layers::default().file(&path)
}
