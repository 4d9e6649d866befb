//! [`ChainId`]: the 256-bit id of a chain, as the interop contracts and the gossip signature carry it.
//!
//! Never truncates: a chain id that does not fit 64 bits stays distinct from every id that does.

use alloy_primitives::{B256, U256};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The id of a chain (EIP-155), 256 bits wide in signatures and events.
///
/// Text form: decimal. JSON form: a number up to 2^53 - 1 (which every JSON reader represents exactly), a
/// decimal string above. Parsing accepts decimal and `0x`-hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId(U256);

/// The largest integer that every JSON reader represents exactly.
const MAX_JSON_INTEGER: u64 = (1 << 53) - 1;

impl ChainId {
    /// The id as 32 big-endian bytes: its form in signatures, checksums and event data.
    pub const fn to_be_bytes(self) -> [u8; 32] {
        self.0.to_be_bytes()
    }

    /// The id as a number, if 64 bits hold it.
    pub fn as_u64(self) -> Option<u64> {
        u64::try_from(self.0).ok()
    }

    /// The id as a 256-bit number.
    pub const fn as_u256(self) -> U256 {
        self.0
    }
}

impl From<u64> for ChainId {
    fn from(id: u64) -> Self {
        Self(U256::from(id))
    }
}

impl From<U256> for ChainId {
    fn from(id: U256) -> Self {
        Self(id)
    }
}

impl From<B256> for ChainId {
    fn from(word: B256) -> Self {
        Self(U256::from_be_bytes(word.0))
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainId({})", self.0)
    }
}

/// A text that is not a chain id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a chain id: write a decimal or 0x-hex number of at most 256 bits")]
pub struct ParseChainIdError {
    /// The text.
    pub text: String,
}

impl FromStr for ChainId {
    type Err = ParseChainIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || ParseChainIdError { text: text.to_owned() };
        let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |hex| (hex, 16));
        if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
            return Err(malformed());
        }
        U256::from_str_radix(digits, u64::from(radix)).map(Self).map_err(|_| malformed())
    }
}

impl Serialize for ChainId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_u64() {
            Some(id) if id <= MAX_JSON_INTEGER => serializer.serialize_u64(id),
            _ => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for ChainId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = ChainId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a chain id: a number, or a string of decimal or 0x-hex digits")
            }

            fn visit_u64<E: de::Error>(self, id: u64) -> Result<ChainId, E> {
                Ok(ChainId::from(id))
            }

            fn visit_i64<E: de::Error>(self, id: i64) -> Result<ChainId, E> {
                u64::try_from(id)
                    .map(ChainId::from)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(id), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ChainId, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::decimal("901", U256::from(901))]
    #[case::hex("0x385", U256::from(901))]
    #[case::wide("0x10000000000000000000000000000000a", (U256::from(1) << 128) + U256::from(10))]
    #[case::zero("0", U256::ZERO)]
    fn reads_decimal_and_hex(#[case] text: &str, #[case] id: U256) {
        assert_eq!(text.parse::<ChainId>().unwrap().as_u256(), id);
    }

    #[rstest]
    #[case::empty("")]
    #[case::bare_prefix("0x")]
    #[case::sign("-1")]
    #[case::separator("1_000")]
    #[case::hex_without_prefix("38f")]
    #[case::too_wide("0x10000000000000000000000000000000000000000000000000000000000000000")]
    fn a_text_that_is_not_a_number_is_refused(#[case] text: &str) {
        assert!(text.parse::<ChainId>().is_err());
    }

    #[test]
    fn json_keeps_every_bit() {
        let wide = ChainId::from(U256::MAX);
        let json = serde_json::to_string(&wide).unwrap();
        assert_eq!(serde_json::from_str::<ChainId>(&json).unwrap(), wide);
        assert_eq!(serde_json::to_string(&ChainId::from(901)).unwrap(), "901");
        assert_eq!(serde_json::from_str::<ChainId>("\"901\"").unwrap(), ChainId::from(901));
    }

    #[test]
    fn an_id_beyond_64_bits_is_not_its_low_half() {
        let wide = ChainId::from((U256::from(1) << 64) + U256::from(10));
        assert_eq!(wide.as_u64(), None);
        assert_ne!(wide, ChainId::from(10));
    }
}
