//! Parameters in every spelling that clients send: op-reth writes ids and numbers in hex, Go decimal, people
//! as numbers.

use super::SupervisorError;
use alloy::primitives::B256;
use core::fmt;
use crosscheck_core::heads::SafetyLevel;
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

/// A 64-bit number: 0x-hex or decimal text, or a JSON number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantity(pub u64);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct QuantityVisitor;

        impl Visitor<'_> for QuantityVisitor {
            type Value = Quantity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of at most 64 bits: 0x-hex or decimal text, or a JSON number")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Quantity, E> {
                Ok(Quantity(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity, E> {
                let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
                let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
                let number = is_number.then(|| u64::from_str_radix(digits, radix).ok()).flatten();
                number.map(Quantity).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(QuantityVisitor)
    }
}

/// A block as a caller names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct NamedBlock {
    /// Its hash.
    pub hash: B256,
    /// Its height.
    pub number: Quantity,
}

/// Where and when messages are to be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct ExecutingDescriptor {
    /// The executing chain. Clients of the specification's check may leave it out.
    #[serde(rename = "chainID", alias = "chainId", default)]
    pub chain_id: Option<ChainId>,
    /// The expected timestamp of the execution.
    timestamp: Quantity,
    /// For how many seconds more the messages must stay valid.
    #[serde(default)]
    timeout: Option<Quantity>,
}

impl ExecutingDescriptor {
    /// On this chain, in a block of this timestamp.
    pub(super) const fn new(chain_id: ChainId, timestamp: UnixSeconds) -> Self {
        Self { chain_id: Some(chain_id), timestamp: Quantity(timestamp.0), timeout: None }
    }

    /// The expected timestamp of the execution.
    pub const fn timestamp(&self) -> UnixSeconds {
        UnixSeconds(self.timestamp.0)
    }

    /// For how many seconds more the messages must stay valid.
    pub fn timeout(&self) -> u64 {
        self.timeout.unwrap_or_default().0
    }
}

/// A block by height, or the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockSelector {
    /// The tip.
    Latest,
    /// The block at a height.
    Number(u64),
}

impl<'de> Deserialize<'de> for BlockSelector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Spelling {
            Number(Quantity),
            Text(String),
        }
        match Spelling::deserialize(deserializer) {
            Ok(Spelling::Number(number)) => Ok(Self::Number(number.0)),
            Ok(Spelling::Text(text)) if text == "latest" => Ok(Self::Latest),
            _ => Err(de::Error::custom("unsupported block: only \"latest\" and block numbers are supported")),
        }
    }
}

/// Reads a safety level that an access list must meet.
///
/// # Errors
/// If it names none, or none of those allowed here.
pub(super) fn min_safety(text: &str, allowed: &[SafetyLevel]) -> Result<SafetyLevel, SupervisorError> {
    let level = text.parse::<SafetyLevel>().ok().filter(|level| allowed.contains(level));
    level.ok_or_else(|| {
        let names: Vec<&str> = allowed.iter().map(|level| level.name()).collect();
        let problem = format!("unsupported safety level {text:?}: one of {} is supported", names.join(", "));
        SupervisorError::Params { problem }
    })
}

/// A chain id as the specs' JSON-RPC writes it: 0x-hex without leading zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HexChainId(pub ChainId);

impl Serialize for HexChainId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:#x}", self.0.as_u256()))
    }
}

/// A chain id as Go's `eth.ChainID` writes it: decimal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DecimalChainId(pub ChainId);

impl Serialize for DecimalChainId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    #[rstest]
    #[case::hex(json!("0x385"), Some(901))]
    #[case::decimal_text(json!("901"), Some(901))]
    #[case::number(json!(901), Some(901))]
    #[case::largest(json!("0xffffffffffffffff"), Some(u64::MAX))]
    #[case::too_wide(json!("0x10000000000000000"), None)]
    #[case::negative(json!(-1), None)]
    #[case::fraction(json!(1.5), None)]
    #[case::signed_text(json!("+1"), None)]
    #[case::empty(json!("0x"), None)]
    #[case::null(json!(null), None)]
    fn quantities(#[case] spelling: Value, #[case] number: Option<u64>) {
        assert_eq!(serde_json::from_value::<Quantity>(spelling).ok().map(|quantity| quantity.0), number);
    }

    #[rstest]
    #[case::go(json!({ "chainID": "901", "timestamp": "0x499602d2", "timeout": "0xe10" }), Some(901), 3600)]
    #[case::rust(json!({ "chainID": "0x385", "timestamp": "0x499602d2" }), Some(901), 0)]
    #[case::without_chain(json!({ "timestamp": 1_234_567_890 }), None, 0)]
    #[case::null_chain(json!({ "chainID": null, "timestamp": "1234567890", "timeout": null }), None, 0)]
    fn descriptors(#[case] spelling: Value, #[case] chain_id: Option<u64>, #[case] timeout: u64) {
        let read: ExecutingDescriptor = serde_json::from_value(spelling).unwrap();
        assert_eq!(read.chain_id, chain_id.map(ChainId::from));
        assert_eq!((read.timestamp(), read.timeout()), (UnixSeconds(1_234_567_890), timeout));
    }

    #[rstest]
    #[case::latest(json!("latest"), Some(BlockSelector::Latest))]
    #[case::hex(json!("0x64"), Some(BlockSelector::Number(100)))]
    #[case::number(json!(100), Some(BlockSelector::Number(100)))]
    #[case::other_tag(json!("safe"), None)]
    #[case::negative(json!(-2), None)]
    fn blocks(#[case] spelling: Value, #[case] selector: Option<BlockSelector>) {
        assert_eq!(serde_json::from_value(spelling).ok(), selector);
    }

    #[rstest]
    #[case("unsafe", true)]
    #[case("cross-unsafe", true)]
    #[case("safe", false)]
    #[case("invalid", false)]
    #[case("", false)]
    fn safety_levels(#[case] text: &str, #[case] taken: bool) {
        let read = min_safety(text, &[SafetyLevel::Unsafe, SafetyLevel::CrossUnsafe]);
        assert_eq!(read.is_ok(), taken);
        assert!(taken || read.is_err_and(|error| error.code() == -32_602));
    }

    #[test]
    fn ids_are_written_in_both_ways() {
        let written = json!([HexChainId(ChainId::from(901)), DecimalChainId(ChainId::from(901))]);
        assert_eq!(written, json!(["0x385", "901"]));
    }
}
