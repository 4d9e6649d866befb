//! When the super root of an op-supernode and the own one differ. Pure.
//!
//! An op-supernode answers for timestamps that it has not verified: before interop is active, and before the
//! first block that each of its nodes has derived. What it answers there is not an opinion.

use super::difference_book::Difference;
use super::outcome::{CROSSCHECK, NoOpinion, Outcome};
use crate::rpc::{OwnSuperRoot, super_root};
use crate::sources::{AnsweredSuperRoot, SafeRecord};
use alloy::primitives::B256;
use crosscheck_core::events::{ChainOutputRoot, Event, SuperRootAnswer};
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::BTreeMap;

/// Two super roots of one timestamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RootsDiffer {
    /// The own block of the lowest chain that differs.
    pub(super) block: BlockKey,
    /// The timestamp.
    pub(super) timestamp: UnixSeconds,
    /// The own one.
    pub(super) own: Root,
    /// The endpoint's.
    pub(super) theirs: Root,
}

/// A super root and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Root {
    /// The super root.
    pub(super) super_root: B256,
    outputs: BTreeMap<ChainId, B256>,
}

impl Difference for RootsDiffer {
    fn repeats(&self, earlier: &Self) -> bool {
        self == earlier
    }
}

impl RootsDiffer {
    /// What there is to report of it.
    pub(super) fn event(&self, endpoint: &str) -> Event {
        let answers = [self.own.answer(CROSSCHECK), self.theirs.answer(endpoint)];
        Event::SuperRootsDiffer { block: self.block, timestamp: self.timestamp, answers }
    }
}

impl Root {
    fn answer(&self, by: &str) -> SuperRootAnswer {
        let outputs = self.outputs.iter();
        let outputs =
            outputs.map(|(chain_id, root)| ChainOutputRoot { chain_id: *chain_id, output_root: *root });
        SuperRootAnswer { by: by.to_owned(), super_root: self.super_root, outputs: outputs.collect() }
    }
}

/// Compares the own super root with what an op-supernode has for the timestamp. `None`: it has none.
pub(super) fn compare(own: &OwnSuperRoot, theirs: Option<&AnsweredSuperRoot>) -> Outcome<RootsDiffer> {
    if !own.is_interop {
        return Outcome::None(NoOpinion::NotActive);
    }
    let Some(theirs) = theirs else { return Outcome::None(NoOpinion::NotYet) };
    if !theirs.outputs.keys().eq(own.chains.keys()) {
        return Outcome::None(NoOpinion::OtherChains(theirs.outputs.keys().copied().collect()));
    }
    if super_root(own.timestamp, &theirs.outputs) != theirs.super_root {
        return Outcome::None(NoOpinion::Inconsistent);
    }
    let mut both = own.chains.iter().zip(theirs.outputs.values());
    let Some(((_, first), _)) = both.find(|((_, own), theirs)| own.output_root != **theirs) else {
        return Outcome::Agrees;
    };
    let outputs = own.chains.iter().map(|(chain_id, output)| (*chain_id, output.output_root)).collect();
    Outcome::Differs(RootsDiffer {
        block: first.block,
        timestamp: own.timestamp,
        own: Root { super_root: own.super_root, outputs },
        theirs: Root { super_root: theirs.super_root, outputs: theirs.outputs.clone() },
    })
}

/// Whether an op-supernode whose record of a chain says this has verified the chain's block at this height:
/// it begins with the first block that it has derived itself, and what is up to there it took over.
pub(super) fn is_verified(record: SafeRecord, number: u64) -> bool {
    match record {
        SafeRecord::Since(oldest) => number > oldest.safe_head.number,
        SafeRecord::None | SafeRecord::Repeated | SafeRecord::Empty => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::OwnOutput;
    use crate::sources::SafeHeadAtL1;
    use alloy::eips::BlockNumHash;
    use rstest::rstest;

    const AT: UnixSeconds = UnixSeconds(100);

    fn outputs(roots: &[(u64, u8)]) -> BTreeMap<ChainId, B256> {
        roots.iter().map(|(id, root)| (ChainId::from(*id), B256::repeat_byte(*root))).collect()
    }

    fn own(roots: &[(u64, u8)]) -> OwnSuperRoot {
        let output = |(chain_id, output_root): (ChainId, B256)| {
            let block = BlockKey { chain_id, number: 50, hash: B256::repeat_byte(9) };
            (chain_id, OwnOutput { block, output_root })
        };
        let outputs = outputs(roots);
        let super_root = super_root(AT, &outputs);
        let chains = outputs.into_iter().map(output).collect();
        OwnSuperRoot { timestamp: AT, super_root, chains, is_interop: true }
    }

    fn theirs(roots: &[(u64, u8)]) -> AnsweredSuperRoot {
        let outputs = outputs(roots);
        AnsweredSuperRoot { super_root: super_root(AT, &outputs), outputs, current_l1: 7 }
    }

    /// What is expected: `=` they agree, a chain: they differ from that one on, or why there is no opinion.
    #[rstest]
    #[case::the_same(own(&[(901, 1), (902, 2)]), Some(theirs(&[(901, 1), (902, 2)])), "=")]
    #[case::another_block(own(&[(901, 1), (902, 2)]), Some(theirs(&[(901, 1), (902, 3)])), "902")]
    #[case::all_other_blocks(own(&[(901, 1), (902, 2)]), Some(theirs(&[(901, 3), (902, 3)])), "901")]
    #[case::it_lags(own(&[(901, 1)]), None, "it has no super root at the timestamp yet")]
    #[case::a_chain_less(
        own(&[(901, 1), (902, 2)]), Some(theirs(&[(901, 3)])),
        "it runs chains 901, which is not a dependency set that is watched here"
    )]
    #[case::a_chain_more(
        own(&[(901, 1)]), Some(theirs(&[(901, 3), (902, 2)])),
        "it runs chains 901, 902, which is not a dependency set that is watched here"
    )]
    #[case::no_chains(
        own(&[(901, 1)]), Some(theirs(&[])), "it runs no chain, which is not a dependency set that is watched here"
    )]
    #[case::of_nothing_that_it_names(
        own(&[(901, 1)]), Some(AnsweredSuperRoot { super_root: B256::ZERO, ..theirs(&[(901, 1)]) }),
        "its super root is not that of the output roots which it names"
    )]
    #[case::before_interop(
        OwnSuperRoot { is_interop: false, ..own(&[(901, 1)]) }, Some(theirs(&[(901, 2)])),
        "interop is not active on every chain at the timestamp"
    )]
    fn super_roots_are_compared(
        #[case] own: OwnSuperRoot,
        #[case] theirs: Option<AnsweredSuperRoot>,
        #[case] expected: &str,
    ) {
        let found = match compare(&own, theirs.as_ref()) {
            Outcome::Agrees => "=".to_owned(),
            Outcome::Differs(differ) => differ.block.chain_id.to_string(),
            Outcome::None(why) => why.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_difference_is_reported_with_both_answers() {
        let Outcome::Differs(differ) = compare(&own(&[(901, 1)]), Some(&theirs(&[(901, 2)]))) else {
            panic!("they differ")
        };
        let event = serde_json::to_value(differ.event("supernode #0")).unwrap();
        let root = |byte| serde_json::to_value(B256::repeat_byte(byte)).unwrap();
        assert_eq!((&event["kind"], &event["timestamp"]), (&"super-roots-differ".into(), &100.into()));
        assert_eq!(event["block"]["number"], 50);
        assert_eq!(
            (&event["answers"][0]["by"], &event["answers"][1]["by"]),
            (&"crosscheck".into(), &"supernode #0".into())
        );
        assert_eq!(event["answers"][0]["outputs"][0]["output_root"], root(1));
        assert_eq!(event["answers"][1]["outputs"][0]["output_root"], root(2));
    }

    fn since(number: u64) -> SafeRecord {
        let id = |number| BlockNumHash { number, hash: B256::repeat_byte(1) };
        SafeRecord::Since(SafeHeadAtL1 { l1_block: id(3), safe_head: id(number) })
    }

    #[rstest]
    #[case::derived_since(since(49), true)]
    #[case::the_first_that_was_taken_over(since(50), false)]
    #[case::before_it_began(since(51), false)]
    #[case::no_record(SafeRecord::None, false)]
    #[case::nothing_derived(SafeRecord::Empty, false)]
    #[case::repeats_a_source(SafeRecord::Repeated, false)]
    fn what_was_taken_over_is_not_verified(#[case] record: SafeRecord, #[case] expected: bool) {
        assert_eq!(is_verified(record, 50), expected);
    }
}
