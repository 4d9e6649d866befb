//! [`UnsafePause`]: why a chain's unsafe head is stalled lawfully. After a node has replaced an invalid block
//! it drops what is gossiped until finality has passed the height of that block: 15 to 25 minutes, in which
//! its unsafe head moves by derivation alone. Pure: anyone who watches the heads hands in what is known.

/// What keeps a node from taking unsafe blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnsafePause {
    /// The height of the replaced block.
    pub(crate) replaced: u64,
    /// What is final.
    pub(crate) finalized: u64,
}

impl UnsafePause {
    /// The pause that follows from the highest replaced block, and from what is derived and what is final.
    /// `None`: there is none yet, or it is over, or derivation is stalled too (`is_derived`), so that another
    /// reason is to be looked for.
    pub(crate) fn of(
        replaced: Option<u64>,
        local_safe: Option<u64>,
        finalized: Option<u64>,
        is_derived: bool,
    ) -> Option<Self> {
        let (replaced, local_safe, finalized) = (replaced?, local_safe?, finalized?);
        let is_under_way = finalized < replaced && replaced <= local_safe;
        (is_derived && is_under_way).then_some(Self { replaced, finalized })
    }
}

impl core::fmt::Display for UnsafePause {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { replaced, finalized } = self;
        write!(
            f,
            "block {replaced} was found invalid and is replaced: until finality passes it (now at block {finalized}), \
             the node does not accept gossiped blocks, and its head moves by derivation only; this is expected"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::under_way(Some(50), Some(55), Some(40), true, true)]
    #[case::just_begun(Some(50), Some(50), Some(40), true, true)]
    #[case::not_derived_yet(Some(50), Some(49), Some(40), true, false)]
    #[case::the_derived_head_is_unknown(Some(50), None, Some(40), true, false)]
    #[case::finality_has_come_to_it(Some(50), Some(55), Some(50), true, false)]
    #[case::finality_has_passed_it(Some(50), Some(55), Some(51), true, false)]
    #[case::derivation_is_stuck_too(Some(50), Some(55), Some(40), false, false)]
    #[case::nothing_was_replaced(None, Some(55), Some(40), true, false)]
    #[case::the_final_head_is_unknown(Some(50), Some(55), None, true, false)]
    fn when_a_replacement_explains_a_pause(
        #[case] replaced: Option<u64>,
        #[case] local_safe: Option<u64>,
        #[case] finalized: Option<u64>,
        #[case] is_derived: bool,
        #[case] expected: bool,
    ) {
        assert_eq!(UnsafePause::of(replaced, local_safe, finalized, is_derived).is_some(), expected);
    }
}
