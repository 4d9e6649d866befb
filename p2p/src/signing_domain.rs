//! [`SigningDomain`]: what kind of statement a gossip signature makes.
//!
//! The rollup-node p2p specification signs blocks in the all-zero domain and reserves the field for message
//! types. A signature in the zero domain on a cross-safe topic may be that of an unsafe block, sent again by
//! anyone, so it is not evidence against the signer; one in the domain of the topic can only have been made
//! for it.

use alloy_primitives::{B256, b256};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Serialize};

/// `keccak256("cross-safe-blocksv1")`
const CROSS_SAFE_WORD: B256 = b256!("0x54dfddec01bde93d68f4adef3ecff6f6afeed1f1f60aa55983b5d849a38a68f6");

/// The domain of a gossip signature: the first of the three words that are [signed](crate::signing_hash).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SigningDomain {
    /// 32 zero bytes: the domain of unsafe blocks.
    #[serde(rename = "zero")]
    Zero,
    /// `keccak256("cross-safe-blocksv1")`: a cross-safe attestation and nothing else.
    #[serde(rename = "cross-safe-blocksv1")]
    CrossSafeBlocksV1,
}

impl SigningDomain {
    /// Every domain.
    pub const ALL: [Self; 2] = [Self::Zero, Self::CrossSafeBlocksV1];

    /// The domain's name, as texts and JSON carry it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::CrossSafeBlocksV1 => "cross-safe-blocksv1",
        }
    }

    /// The domain as the word that is signed, 32 bytes.
    pub const fn as_word(self) -> B256 {
        match self {
            Self::Zero => B256::ZERO,
            Self::CrossSafeBlocksV1 => CROSS_SAFE_WORD,
        }
    }

    /// Whether a cross-safe attestation in this domain is evidence against its signer.
    pub const fn is_attributable(self) -> bool {
        match self {
            Self::Zero => false,
            Self::CrossSafeBlocksV1 => true,
        }
    }
}

impl fmt::Display for SigningDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no signing domain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a signing domain: write zero or cross-safe-blocksv1")]
pub struct ParseSigningDomainError {
    /// What was given.
    pub text: String,
}

impl FromStr for SigningDomain {
    type Err = ParseSigningDomainError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|domain| domain.name() == text)
            .ok_or_else(|| ParseSigningDomainError { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;

    #[test]
    fn the_word_is_the_hash_of_the_name() {
        assert_eq!(SigningDomain::CrossSafeBlocksV1.as_word(), keccak256("cross-safe-blocksv1"));
        assert_eq!(SigningDomain::Zero.as_word(), B256::ZERO);
    }

    #[test]
    fn text_and_json_use_the_same_name() {
        for domain in SigningDomain::ALL {
            assert_eq!(domain.to_string().parse::<SigningDomain>().unwrap(), domain);
            assert_eq!(serde_json::to_value(domain).unwrap(), domain.name());
        }
        assert!("".parse::<SigningDomain>().is_err());
    }

    #[test]
    fn only_the_own_domain_is_attributable() {
        assert!(SigningDomain::CrossSafeBlocksV1.is_attributable());
        assert!(!SigningDomain::Zero.is_attributable());
    }
}
