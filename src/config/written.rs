//! [`written_doubts`]: doubts about settings as they are written, before they are parsed: the spelling of an
//! address, and settings that override built-in values. Pure; it rejects nothing.

use super::Doubt;
use super::shape::written;
use alloy::primitives::Address;
use toml::{Table, Value};

/// The settings of a chain that are addresses.
const ADDRESSES: [&str; 3] = ["system_config", "unsafe_block_signer", "attester"];

/// What is probably not intended in the chains' sections as they are written.
pub(super) fn written_doubts(table: &Table) -> Vec<Doubt> {
    let chains = table.get("chains").and_then(Value::as_table).into_iter().flatten();
    let sections = chains.filter_map(|(chain, section)| Some((chain, section.as_table()?)));
    let mut doubts = Vec::new();
    for (chain, section) in sections {
        let text = |name: &str| section.get(name).and_then(Value::as_str);
        for name in ADDRESSES {
            let key = || format!("chains.{}.{name}", written(chain));
            doubts.extend(text(name).and_then(|address| misspelt(key, address)));
        }
        let is_twice = text("unsafe_block_signer").is_some() && text("system_config").is_some();
        doubts.extend(is_twice.then(|| Doubt::SignerTwice { chain: written(chain) }));
    }
    doubts
}

/// What is odd in how an address is written. A text that is not an address is left for the parser to refuse.
fn misspelt(key: impl Fn() -> String, text: &str) -> Option<Doubt> {
    let address: Address = text.parse().ok()?;
    let address_text = text.to_owned();
    let Some(digits) = text.strip_prefix("0x") else {
        return Some(Doubt::WithoutPrefix { key: key(), address: address_text });
    };
    let is_mixed =
        digits.chars().any(|it| it.is_ascii_uppercase()) && digits.chars().any(|it| it.is_ascii_lowercase());
    let is_wrong = is_mixed && address.to_checksum(None) != text;
    is_wrong.then(|| Doubt::WrongChecksum { key: key(), address: address_text })
}
