//! [`Propagation`]: the validity of blocks, given what each block is by itself and which blocks its messages
//! cite. Pure.
//!
//! A message is only as valid as the block that it cites, and that block as the blocks that it cites. Blocks
//! of one timestamp may cite each other, so validity is a least fixed point:
//!
//! ```text
//! a block that breaks a rule by itself ------------> invalid, and so is every block that cites it
//! a block of which a fact is missing --------------> unknown, and so is every block that cites it and is not invalid
//! every other block -------------------------------> valid
//! ```
//!
//! The audit and the tracker both decide by this. Which blocks and citations count is theirs to say.

use std::collections::{BTreeMap, BTreeSet};

/// What is known of a block's validity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Validity {
    /// Every message is valid, through everything that it depends on.
    Valid,
    /// A fact is missing, and nothing proves the block invalid.
    Unknown,
    /// A message is proven invalid: by itself, or because of what it depends on.
    Invalid,
}

/// Blocks, what each is by itself, and which blocks its messages cite. `B` names a block.
///
/// ```
/// use crosscheck_core::validity::{Propagation, Validity};
///
/// // The second block cites the first, the third cites the second, and the first is invalid.
/// let mut blocks = Propagation::new();
/// blocks.set_own("first", Validity::Invalid);
/// blocks.set_own("second", Validity::Valid);
/// blocks.set_own("third", Validity::Valid);
/// blocks.cite("second", "first");
/// blocks.cite("third", "second");
/// assert_eq!(blocks.propagate()["third"], Validity::Invalid);
/// ```
#[derive(Clone, Debug)]
pub struct Propagation<B> {
    /// `None`: nothing was stated of the block.
    own: BTreeMap<B, Option<Validity>>,
    cited_by: BTreeMap<B, Vec<B>>,
}

impl<B: Copy + Ord> Propagation<B> {
    /// No blocks.
    pub const fn new() -> Self {
        Self { own: BTreeMap::new(), cited_by: BTreeMap::new() }
    }

    /// States what a block is by itself. If that is stated more than once, the worst counts: invalid, then
    /// unknown.
    pub fn set_own(&mut self, block: B, own: Validity) {
        let known = self.own.entry(block).or_default();
        *known = (*known).max(Some(own));
    }

    /// A message of `block` is only valid if the block `cited` is. A block of which nothing is stated is
    /// unknown.
    pub fn cite(&mut self, block: B, cited: B) {
        self.own.entry(block).or_default();
        self.own.entry(cited).or_default();
        self.cited_by.entry(cited).or_default().push(block);
    }

    /// The blocks that are cited, each once.
    pub fn cited(&self) -> impl Iterator<Item = B> {
        self.cited_by.keys().copied()
    }

    /// The validity of every block, in `n log n` steps for `n` blocks and citations.
    pub fn propagate(self) -> BTreeMap<B, Validity> {
        let invalid = self.reached_from(|own| own == Some(Validity::Invalid));
        let unknown = self.reached_from(|own| matches!(own, None | Some(Validity::Unknown)));
        let validity = |block: B| match (invalid.contains(&block), unknown.contains(&block)) {
            (true, _) => Validity::Invalid,
            (false, true) => Validity::Unknown,
            (false, false) => Validity::Valid,
        };
        self.own.into_keys().map(|block| (block, validity(block))).collect()
    }

    /// The blocks that are such by themselves, and every block that cites one of these, however indirectly.
    fn reached_from(&self, is_source: impl Fn(Option<Validity>) -> bool) -> BTreeSet<B> {
        let mut reached = BTreeSet::new();
        let mut list: Vec<B> =
            self.own.iter().filter(|(_, own)| is_source(**own)).map(|(block, _)| *block).collect();
        while let Some(block) = list.pop() {
            if reached.insert(block) {
                list.extend(self.cited_by.get(&block).into_iter().flatten());
            }
        }
        reached
    }
}

impl<B: Copy + Ord> Default for Propagation<B> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
