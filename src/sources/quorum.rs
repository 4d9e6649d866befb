//! [`Quorum`]: how many of a chain's endpoints must agree on an answer before it is used. Pure.

/// How many of how many. At least one, at most all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    needed: usize,
    endpoints: usize,
}

/// A quorum that this many endpoints cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a quorum of {needed} of {endpoints} endpoints is impossible; set it to 1 to {endpoints}")]
pub struct QuorumError {
    /// How many were to agree.
    pub needed: usize,
    /// How many there are.
    pub endpoints: usize,
}

impl Quorum {
    /// This many of this many.
    ///
    /// # Errors
    /// If none are needed, or more than there are.
    pub const fn new(needed: usize, endpoints: usize) -> Result<Self, QuorumError> {
        if needed == 0 || needed > endpoints {
            return Err(QuorumError { needed, endpoints });
        }
        Ok(Self { needed, endpoints })
    }

    /// How many of this many endpoints are more than half of them: 1 of 1, 2 of 2, 2 of 3, 3 of 4.
    pub const fn majority(endpoints: usize) -> usize {
        // Halving first, so that nothing overflows.
        (endpoints >> 1).saturating_add(1)
    }

    /// How many must agree.
    pub const fn needed(self) -> usize {
        self.needed
    }

    /// How many there are.
    pub const fn endpoints(self) -> usize {
        self.endpoints
    }

    /// The greatest height that enough endpoints have reached, by the height of each that reported one.
    pub fn height(self, mut heights: Vec<u64>) -> Option<u64> {
        heights.sort_unstable_by(|a, b| b.cmp(a));
        heights.get(self.needed.saturating_sub(1)).copied()
    }

    /// Whether answers that are still outstanding cannot raise [`Quorum::height`] any more.
    pub fn is_height_settled(self, heights: &[u64], outstanding: usize) -> bool {
        let Some(now) = self.height(heights.to_vec()) else { return outstanding == 0 };
        // The best case: every outstanding answer is the greatest of all.
        let raised = core::iter::repeat_n(u64::MAX, outstanding).chain(heights.iter().copied());
        self.height(raised.collect()) == Some(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::one(1, 1)]
    #[case::both(2, 2)]
    #[case::two_of_three(3, 2)]
    #[case::three_of_four(4, 3)]
    #[case::three_of_five(5, 3)]
    fn majority(#[case] endpoints: usize, #[case] expected: usize) {
        assert_eq!(Quorum::majority(endpoints), expected);
        assert!(Quorum::new(expected, endpoints).is_ok());
    }

    #[rstest]
    #[case::none_needed(0, 3)]
    #[case::more_than_there_are(4, 3)]
    #[case::without_endpoints(1, 0)]
    fn no_quorum(#[case] needed: usize, #[case] endpoints: usize) {
        assert_eq!(Quorum::new(needed, endpoints), Err(QuorumError { needed, endpoints }));
    }

    #[rstest]
    #[case::a_lagging_endpoint_does_not_delay_it(2, &[100, 100, 7], Some(100))]
    #[case::one_ahead_does_not_pull_it(2, &[u64::MAX, 100, 99], Some(100))]
    #[case::too_few_answers(2, &[100], None)]
    #[case::all_of_them(3, &[100, 101, 102], Some(100))]
    fn height(#[case] needed: usize, #[case] heights: &[u64], #[case] expected: Option<u64>) {
        assert_eq!(Quorum::new(needed, 3).unwrap().height(heights.to_vec()), expected);
    }

    #[rstest]
    #[case::equal_ones_settle_it(&[100, 100], 1, true)]
    #[case::the_third_may_raise_it(&[100, 99], 1, false)]
    #[case::nothing_is_outstanding(&[100, 99], 0, true)]
    #[case::too_few_but_more_may_come(&[100], 2, false)]
    #[case::too_few_for_good(&[100], 0, true)]
    fn settled(#[case] heights: &[u64], #[case] outstanding: usize, #[case] expected: bool) {
        assert_eq!(Quorum::new(2, 3).unwrap().is_height_settled(heights, outstanding), expected);
    }
}
