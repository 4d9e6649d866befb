//! [`Shortfall`]: what a rollup node's status lacks to be worked with. Pure.
//!
//! A node answers at once after a start, long before it knows anything. What it does not know is unknown,
//! never height 0.

use super::{StatusDocument, UnseenL1};

/// What a rollup node's status lacks: what can be lived with longest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Shortfall {
    /// It does not know L1.
    #[error(transparent)]
    L1(UnseenL1),
    /// It is not as far as another node of the chain was.
    #[error("the rollup node is behind the heads of another one; waiting for it")]
    Behind,
    /// It has a tip, and has derived nothing from L1 yet.
    #[error("the rollup node has no local-safe head yet (it has derived nothing from L1)")]
    NoLocalSafe,
    /// It names no head at all.
    #[error("the rollup node has no heads yet (it waits for its first block)")]
    NoHeads,
}

impl Shortfall {
    /// What this status lacks. `None`: nothing. Without a safe or a final head much can be done already.
    pub fn of(document: &StatusDocument) -> Option<Self> {
        let heads = document.heads();
        if !heads.names_a_head() {
            return Some(Self::NoHeads);
        }
        if heads.local_safe_l2.is_none() {
            return Some(Self::NoLocalSafe);
        }
        document.unseen_l1().map(Self::L1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use rstest::rstest;
    use serde_json::json;

    /// Unsafe, local-safe, safe, finalized, and L1's head: `z` is an all-zero reference.
    #[rstest]
    #[case::all("4321 9", None)]
    #[case::genesis("0000 9", None)]
    #[case::nothing_is_final("432z 9", None)]
    #[case::nothing_is_safe("43zz 9", None)]
    #[case::started("zzzz 9", Some(Shortfall::NoHeads))]
    #[case::started_without_l1("zzzz z", Some(Shortfall::NoHeads))]
    #[case::first_block("4zzz 9", Some(Shortfall::NoLocalSafe))]
    #[case::l1_is_lost("4321 z", Some(Shortfall::L1(UnseenL1::Heads)))]
    fn a_shortfall_names_the_missing_heads(#[case] status: &str, #[case] expected: Option<Shortfall>) {
        let names = ["unsafe_l2", "local_safe_l2", "safe_l2", "finalized_l2", "head_l1"];
        let mut fields = serde_json::Map::new();
        for (name, block) in names.into_iter().zip(status.chars().filter(|letter| *letter != ' ')) {
            let hash = if block == 'z' { B256::ZERO } else { B256::repeat_byte(1) };
            let number = block.to_digit(10).unwrap_or_default();
            fields.insert(name.to_owned(), json!({ "hash": hash, "number": number, "timestamp": number }));
        }
        let raw = serde_json::value::to_raw_value(&fields).unwrap();
        assert_eq!(Shortfall::of(&StatusDocument::read(&raw).unwrap()), expected);
    }
}
