//! [`Relation`]: the cause of two attestations of one height.
//!
//! Mostly no one is at fault: L1 reorged, or an invalid block was replaced. A pair is an equivocation only if
//! both signatures bind the signer, one of the blocks was found invalid for another reason than an invalid
//! message, and L1 still has the origins of both.

use super::{KnownVerdict, VerdictKind, Violation};
use alloy::primitives::B256;

/// Whether L1 has the block that an L2 block is built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It has.
    Canonical,
    /// It has another in its place.
    Dropped,
    /// L1 did not answer, or is not that far.
    NotYet,
    /// Nobody can be asked.
    Unknowable,
}

/// What is known of one block of a pair.
#[derive(Clone, Debug)]
pub struct Side {
    /// Its hash.
    pub hash: B256,
    /// Whether its signature binds its signer.
    pub is_attributable: bool,
    /// Its verdict, once there is one.
    pub verdict: Option<KnownVerdict>,
    /// The block that it replaces, if it was upheld for that.
    pub replaces: Option<B256>,
    /// Whether L1 has the block that it is built on.
    pub origin: Origin,
}

/// What is behind two attestations of one height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// L1 does not have the block that one of the blocks is built on, or said each of them at its time.
    L1Reorg,
    /// One of the blocks executes an invalid message, and the other replaces it.
    Replacement,
    /// One of the signatures may be that of an unsafe block: no signer is bound to both.
    Replayable,
    /// The attester signed both, and nothing on L1 or in the blocks excuses it.
    Equivocation,
    /// It cannot be determined.
    Unknown,
}

impl Relation {
    /// Every relation.
    pub const ALL: [Self; 5] =
        [Self::L1Reorg, Self::Replacement, Self::Replayable, Self::Equivocation, Self::Unknown];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::L1Reorg => "l1-reorg",
            Self::Replacement => "replacement",
            Self::Replayable => "replayable",
            Self::Equivocation => "equivocation",
            Self::Unknown => "unknown",
        }
    }

    /// What is behind two attestations. `None`: it is not known yet.
    pub fn of(a: &Side, b: &Side) -> Option<Self> {
        let sides = [a, b];
        let is =
            |side: &Side, kind: VerdictKind| side.verdict.as_ref().is_some_and(|known| known.kind == kind);
        // A needless replacement names its original, too.
        let rightly_replaces =
            |side: &Side, other: &Side| side.replaces == Some(other.hash) && !side.is_wrong();
        if rightly_replaces(a, b) || rightly_replaces(b, a) {
            return Some(Self::Replacement);
        }
        if sides.iter().any(|side| side.origin == Origin::Dropped || is(side, VerdictKind::Superseded)) {
            return Some(Self::L1Reorg);
        }
        let is_replaced_by = |gone: &Side, other: &Side| gone.has_invalid_message() && !other.is_wrong();
        if is_replaced_by(a, b) || is_replaced_by(b, a) {
            return Some(Self::Replacement);
        }
        if sides.iter().any(|side| side.verdict.is_none()) {
            return None;
        }
        if !sides.iter().all(|side| side.is_attributable) {
            return Some(Self::Replayable);
        }
        // Each was what L1 said when it was checked: L1 changed in between.
        if !sides.iter().any(|side| side.is_wrong()) {
            return Some(Self::L1Reorg);
        }
        if sides.iter().any(|side| side.origin == Origin::Unknowable) {
            return Some(Self::Unknown);
        }
        sides.iter().all(|side| side.origin == Origin::Canonical).then_some(Self::Equivocation)
    }
}

impl Side {
    fn has_invalid_message(&self) -> bool {
        self.verdict.as_ref().is_some_and(|known| {
            known.kind == VerdictKind::Violated && known.reason.as_deref() == Some(Violation::INVALID_MESSAGE)
        })
    }

    fn is_wrong(&self) -> bool {
        self.verdict.as_ref().is_some_and(|known| known.kind.is_wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// `"violated"`, `"discarded"` and so on; a dash: none yet. `"violated"` is for an invalid message.
    fn side(byte: u8, verdict: &str, origin: Origin) -> Side {
        let (name, reason) = match verdict {
            "violated" => ("violated", Some("invalid-message")),
            "unjustified" => ("violated", Some("unjustified-replacement")),
            other => (other, None),
        };
        let known = |kind| KnownVerdict { kind, reason: reason.map(str::to_owned), detail: String::new() };
        let verdict = (verdict != "-").then(|| known(name.parse().unwrap()));
        Side { hash: B256::repeat_byte(byte), is_attributable: true, verdict, replaces: None, origin }
    }

    const STANDS: Origin = Origin::Canonical;

    #[rstest]
    #[case::both_open(("-", STANDS), ("-", STANDS), None)]
    #[case::the_new_one_open(("-", STANDS), ("upheld", STANDS), None)]
    #[case::l1_has_reorged(("-", STANDS), ("upheld", Origin::Dropped), Some(Relation::L1Reorg))]
    #[case::and_the_dropped_one_is_open(("-", STANDS), ("-", Origin::Dropped), Some(Relation::L1Reorg))]
    #[case::and_the_dropped_one_was_discarded(
        ("upheld", STANDS), ("discarded", Origin::Dropped), Some(Relation::L1Reorg)
    )]
    #[case::settled(("upheld", STANDS), ("superseded", Origin::NotYet), Some(Relation::L1Reorg))]
    #[case::l1_derived_each(("upheld", STANDS), ("upheld", STANDS), Some(Relation::L1Reorg))]
    #[case::is_being_replaced(("-", STANDS), ("violated", STANDS), Some(Relation::Replacement))]
    #[case::was_replaced(("upheld-replacement", STANDS), ("violated", STANDS), Some(Relation::Replacement))]
    #[case::the_replaced_one_came_later(
        ("violated", STANDS), ("upheld-replacement", STANDS), Some(Relation::Replacement)
    )]
    #[case::not_a_replacement_but_another_invalid_block(
        ("discarded", STANDS), ("violated", STANDS), Some(Relation::Equivocation)
    )]
    #[case::a_second_attestation(("discarded", STANDS), ("upheld", STANDS), Some(Relation::Equivocation))]
    #[case::the_invalid_attestation_first(("upheld", STANDS), ("discarded", STANDS), Some(Relation::Equivocation))]
    #[case::needless_replacement(("unjustified", STANDS), ("upheld", STANDS), Some(Relation::Equivocation))]
    #[case::l1_does_not_answer(("discarded", Origin::NotYet), ("upheld", STANDS), None)]
    #[case::l1_does_not_answer_of_the_other(("discarded", STANDS), ("upheld", Origin::NotYet), None)]
    #[case::no_node_to_ask(
        ("discarded", Origin::Unknowable), ("upheld", Origin::Unknowable), Some(Relation::Unknown)
    )]
    #[case::no_node_to_ask_and_open(("-", Origin::Unknowable), ("upheld", Origin::Unknowable), None)]
    fn the_relation_of_a_pair(
        #[case] newer: (&str, Origin),
        #[case] older: (&str, Origin),
        #[case] expected: Option<Relation>,
    ) {
        let (newer, older) = (side(1, newer.0, newer.1), side(2, older.0, older.1));
        assert_eq!(Relation::of(&newer, &older), expected);
        assert_eq!(Relation::of(&older, &newer), expected, "the order does not matter");
        // Only what would be an equivocation otherwise hangs on the signatures.
        let replayed = Side { is_attributable: false, ..older };
        let found = Relation::of(&newer, &replayed);
        assert_ne!(found, Some(Relation::Equivocation), "a replay binds nobody");
        if matches!(expected, Some(Relation::Replacement)) || newer.verdict.is_none() {
            assert_eq!(found, expected);
        }
    }

    /// What a needless replacement names was no reason for it: the attester signed both.
    #[test]
    fn a_needless_replacement_beside_its_original_is_an_equivocation() {
        let newer = Side { replaces: Some(B256::repeat_byte(2)), ..side(1, "unjustified", STANDS) };
        let older = side(2, "upheld", STANDS);
        assert_eq!(Relation::of(&newer, &older), Some(Relation::Equivocation));
        assert_eq!(Relation::of(&older, &newer), Some(Relation::Equivocation));
    }

    #[test]
    fn a_replacement_names_what_it_replaces() {
        let newer = Side { replaces: Some(B256::repeat_byte(2)), ..side(1, "upheld-replacement", STANDS) };
        let older = side(2, "discarded", STANDS);
        assert_eq!(Relation::of(&newer, &older), Some(Relation::Replacement));
        assert_eq!(Relation::of(&older, &newer), Some(Relation::Replacement));
    }
}
