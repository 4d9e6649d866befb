//! [`KNOWN`]: what the two are known to judge differently, and why. `docs/PEERS.md` has the same table.

use crate::{
    block::{BASE_FEE, NUMBER, payload_at},
    sequences::{FORGOTTEN, ROTATION},
    verdict::{
        Answer,
        Verdict::{self, Accept, Ignore, Reject},
    },
};
use alloy_primitives::Bytes;
use crosscheck_p2p::{Frame, MAX_OUT_OF_WINDOW, PayloadVersion};
use std::ops::Range;

/// How op-node was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// With cgo.
    Cgo,
    /// Without, as op-node is released.
    Pure,
}

impl Build {
    pub(crate) const ALL: [Self; 2] = [Self::Cgo, Self::Pure];

    /// The name of the program.
    pub(crate) const fn program(self) -> &'static str {
        match self {
            Self::Cgo => "verdicts-cgo",
            Self::Pure => "verdicts-pure",
        }
    }
}

/// What was judged, and what came before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged<'a> {
    pub(crate) family: &'static str,
    pub(crate) version: PayloadVersion,
    pub(crate) frame: &'a Bytes,
    /// The blocks outside the window, this one included, that came on its topic since one was accepted.
    pub(crate) out_of_window: u32,
}

/// A known difference.
pub(crate) struct Difference {
    /// What arrives.
    what: &'static str,
    /// The builds of op-node in which it occurs.
    builds: &'static [Build],
    op_node: Verdict,
    /// What Crosscheck says, and the code of its rule if it refuses.
    ours: &'static [(Verdict, &'static str)],
    /// What must be so of what was judged.
    applies: fn(&Judged<'_>) -> bool,
    /// Whose answer is the right one by the specification.
    right: &'static str,
    why: &'static str,
}

const BOTH: &[Build] = &Build::ALL;

/// All of them. One that does not occur any more is a fault, as one that is not listed.
pub(crate) const KNOWN: &[Difference] = &[
    Difference {
        what: "a base fee of more than 64 bits",
        builds: BOTH,
        op_node: Accept,
        ours: &[(Reject, "base-fee-too-large")],
        applies: |judged| {
            let fee = judged.field(BASE_FEE..BASE_FEE + 32);
            fee.is_some_and(|fee| fee[8..].iter().any(|byte| *byte != 0))
        },
        right: "either",
        why: "no execution client has room for it in a header",
    },
    Difference {
        what: "a transaction of no bytes",
        builds: BOTH,
        op_node: Accept,
        ours: &[(Reject, "empty-transaction")],
        applies: |_| true,
        right: "Crosscheck",
        why: "no trie holds it, so no block has it; go-ethereum leaves it out of the trie",
    },
    Difference {
        what: "a height of 2^63 or more, with the hash of nothing",
        builds: BOTH,
        op_node: Accept,
        ours: &[(Reject, "block-hash-mismatch")],
        applies: is_beyond,
        right: "Crosscheck",
        why: "go-ethereum reads it as a negative number, which has no encoding, and hashes nothing instead of a header",
    },
    Difference {
        what: "a height of 2^63 or more, with its true hash",
        builds: BOTH,
        op_node: Reject,
        ours: &[(Accept, "")],
        applies: is_beyond,
        right: "Crosscheck",
        why: "the same",
    },
    Difference {
        what: "a recovery id of 4 to 7",
        builds: &[Build::Cgo],
        op_node: Reject,
        ours: &[(Accept, ""), (Ignore, "already-seen")],
        applies: |judged| judged.opened().is_some_and(|frame| (4..8).contains(&frame.signature()[64])),
        right: "op-node",
        why: "op-node built without cgo, as it is released, takes it, passes it on, and ignores the original after it",
    },
    Difference {
        what: "blocks outside the window, from the ninth in a row on",
        builds: BOTH,
        op_node: Reject,
        ours: &[(Ignore, "too-old"), (Ignore, "from-the-future")],
        applies: |judged| judged.out_of_window > MAX_OUT_OF_WINDOW,
        right: "op-node",
        why: "this machine's clock is the likelier cause by then, and no peer is blamed for it",
    },
    Difference {
        what: "a block of the previous signer, after an unsound one of the next",
        builds: BOTH,
        op_node: Reject,
        ours: &[(Accept, "")],
        applies: |judged| judged.family == ROTATION,
        right: "either",
        why: "in op-node any signature of the next signer ends the grace, here a block of its that holds: nothing else shows that \
              the next sequencer is at work",
    },
    Difference {
        what: "a block that was seen, seen again, and asked for after 1,000 heights",
        builds: BOTH,
        op_node: Ignore,
        ours: &[(Accept, "")],
        applies: |judged| judged.family == FORGOTTEN,
        right: "op-node",
        why: "in op-node a repetition keeps a height in memory, here only a new block does, so that no sender decides what is \
              remembered. No chain has 1,000 heights within 60 s",
    },
    Difference {
        what: "a block of the height that op-node forgets in its place",
        builds: BOTH,
        op_node: Accept,
        ours: &[(Ignore, "already-seen")],
        applies: |judged| judged.family == FORGOTTEN,
        right: "Crosscheck",
        why: "the same",
    },
];

fn is_beyond(judged: &Judged<'_>) -> bool {
    let number = judged.field(NUMBER..NUMBER + 8);
    // Little-endian: the last byte holds the highest bit.
    number.is_some_and(|number| number[7] >= 0x80)
}

impl Judged<'_> {
    fn opened(&self) -> Option<Frame> {
        Frame::open(self.frame).ok()
    }

    /// A field of the payload.
    fn field(&self, place: Range<usize>) -> Option<Bytes> {
        let start = payload_at(self.version);
        let signed = self.opened()?.signed();
        (signed.len() >= start + place.end).then(|| signed.slice(start + place.start..start + place.end))
    }
}

/// The place of a difference in [`KNOWN`].
pub(crate) fn known(build: Build, judged: &Judged<'_>, op_node: &Answer, ours: &Answer) -> Option<usize> {
    KNOWN.iter().position(|row| {
        row.builds.contains(&build)
            && row.op_node == op_node.verdict
            && row.ours.contains(&(ours.verdict, &ours.reason))
            && (row.applies)(judged)
    })
}

impl Difference {
    pub(crate) const fn what(&self) -> &'static str {
        self.what
    }

    pub(crate) fn occurs_in(&self, build: Build) -> bool {
        self.builds.contains(&build)
    }

    /// The row of `docs/PEERS.md`.
    pub(crate) fn row(&self) -> String {
        let built = if self.builds == [Build::Cgo] { " where it is built with cgo" } else { "" };
        let ours: Vec<_> = self
            .ours
            .iter()
            .map(|(verdict, code)| match *code {
                "" => verdict.name().to_owned(),
                code => format!("{} `{code}`", verdict.name()),
            })
            .collect();
        let (what, op_node, ours) = (self.what, self.op_node.name(), ours.join(" or "));
        let (right, why) = (self.right, self.why);
        format!("| {what} | {op_node}{built} | {ours} | {right} | {why} |")
    }
}

#[test]
fn the_documentation_has_the_table() {
    let document = include_str!("../../../docs/PEERS.md");
    let section = document.split("\n## Frames, beside op-node's validator\n").nth(1).expect("the section");
    let section = section.split("\n## ").next().unwrap();
    for difference in KNOWN {
        assert!(section.contains(&difference.row()), "{}", difference.row());
    }
    // The heading and the line below it are no rows.
    assert_eq!(section.matches("\n| ").count(), KNOWN.len() + 2);
}
