//! Validity through citations, against its definition taken step by step.

use super::Validity::{Invalid, Unknown, Valid};
use super::{Propagation, Validity};
use proptest::prelude::*;
use rstest::rstest;
use std::collections::BTreeMap;

/// Blocks by name, with what each is by itself; `(a, b)`: a message of `a` cites `b`.
fn propagation(own: &[(u8, Validity)], cites: &[(u8, u8)]) -> Propagation<u8> {
    let mut propagation = Propagation::new();
    own.iter().for_each(|(block, validity)| propagation.set_own(*block, *validity));
    cites.iter().for_each(|(block, cited)| propagation.cite(*block, *cited));
    propagation
}

#[rstest]
#[case::alone(&[(1, Valid)], &[], &[(1, Valid)])]
#[case::cites_a_valid_block(&[(1, Valid), (2, Valid)], &[(1, 2)], &[(1, Valid), (2, Valid)])]
#[case::cites_an_unknown_block(&[(1, Valid), (2, Unknown)], &[(1, 2)], &[(1, Unknown), (2, Unknown)])]
#[case::cites_an_invalid_block(&[(1, Valid), (2, Invalid)], &[(1, 2)], &[(1, Invalid), (2, Invalid)])]
#[case::is_cited_by_an_invalid_block(&[(1, Invalid), (2, Valid)], &[(1, 2)], &[(1, Invalid), (2, Valid)])]
#[case::unknown_by_itself_cites_an_invalid_block(&[(1, Unknown), (2, Invalid)], &[(1, 2)], &[(1, Invalid), (2, Invalid)])]
#[case::cites_an_invalid_and_an_unknown_block(
    &[(1, Valid), (2, Invalid), (3, Unknown)], &[(1, 2), (1, 3)], &[(1, Invalid), (2, Invalid), (3, Unknown)]
)]
#[case::three_steps_away(
    &[(1, Valid), (2, Valid), (3, Valid), (4, Invalid)], &[(1, 2), (2, 3), (3, 4)],
    &[(1, Invalid), (2, Invalid), (3, Invalid), (4, Invalid)]
)]
#[case::blocks_that_cite_each_other(&[(1, Valid), (2, Valid)], &[(1, 2), (2, 1)], &[(1, Valid), (2, Valid)])]
#[case::one_of_those_is_invalid(&[(1, Valid), (2, Invalid)], &[(1, 2), (2, 1)], &[(1, Invalid), (2, Invalid)])]
#[case::cites_itself(&[(1, Valid)], &[(1, 1)], &[(1, Valid)])]
#[case::cites_a_block_of_which_nothing_is_stated(&[(1, Valid)], &[(1, 2)], &[(1, Unknown), (2, Unknown)])]
#[case::nothing_is_stated_of_the_citing_block(&[(2, Valid)], &[(1, 2)], &[(1, Unknown), (2, Valid)])]
#[case::the_worst_statement_counts(&[(1, Unknown), (1, Invalid), (1, Valid)], &[], &[(1, Invalid)])]
fn validity_through_citations(
    #[case] own: &[(u8, Validity)],
    #[case] cites: &[(u8, u8)],
    #[case] expected: &[(u8, Validity)],
) {
    let expected: BTreeMap<u8, Validity> = expected.iter().copied().collect();
    assert_eq!(propagation(own, cites).propagate(), expected);
}

/// Marks every block that cites a marked one, until nothing changes.
fn step_by_step(own: &BTreeMap<u8, Validity>, cites: &[(u8, u8)]) -> BTreeMap<u8, Validity> {
    let mut found = own.clone();
    for spreading in [Invalid, Unknown] {
        loop {
            let before = found.clone();
            for (block, cited) in cites {
                if before[cited] == spreading {
                    found.entry(*block).and_modify(|validity| *validity = spreading.max(*validity));
                }
            }
            if found == before {
                break;
            }
        }
    }
    found
}

fn validities() -> impl Strategy<Value = Validity> {
    prop_oneof![4 => Just(Valid), 1 => Just(Unknown), 1 => Just(Invalid)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn agrees_with_the_definition_applied_step_by_step(
        own in prop::collection::vec(validities(), 1..10),
        cites in prop::collection::vec((0u8..10, 0u8..10), 0..25),
    ) {
        let own: BTreeMap<u8, Validity> = (0u8..).zip(own).collect();
        let cites: Vec<(u8, u8)> =
            cites.into_iter().filter(|(block, cited)| own.contains_key(block) && own.contains_key(cited)).collect();
        let list: Vec<(u8, Validity)> = own.iter().map(|(block, validity)| (*block, *validity)).collect();
        prop_assert_eq!(propagation(&list, &cites).propagate(), step_by_step(&own, &cites));
    }
}
