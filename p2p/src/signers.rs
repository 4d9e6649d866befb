//! [`Signers`]: who may sign on which topic, and for how long.
//!
//! A pure state machine. A sequencer's key does not change everywhere at once, so the previous signer is
//! accepted for a while, as in op-node. The caller passes in what it learns from L1, from its configuration,
//! or from the network.

use crate::{Topic, UnixSeconds};
use alloy_primitives::Address;

/// How long op-node accepts the previous signer after a change, seconds.
pub const SIGNER_GRACE_SECS: u64 = 3 * 60 * 60;

/// The addresses that may sign a chain's blocks.
///
/// ```
/// use alloy_primitives::Address;
/// use crosscheck_p2p::{SIGNER_GRACE_SECS, Signers, Topic, UnixSeconds};
///
/// let (old, new) = (Address::repeat_byte(1), Address::repeat_byte(2));
/// let mut signers = Signers::of(old);
/// // The chain's SystemConfig on L1 names another signer. The old one may sign for three more hours,
/// signers.change_to(new, UnixSeconds(1_000), SIGNER_GRACE_SECS);
/// assert!(signers.may_sign(Topic::BlocksV4, old) && signers.may_sign(Topic::BlocksV4, new));
/// // or until a block by the new one was seen.
/// assert!(!signers.after_block_by(new).may_sign(Topic::BlocksV4, old));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signers {
    /// The `unsafeBlockSigner` of the chain's SystemConfig on L1. `None`: it is not known yet; frames are
    /// ignored.
    pub unsafe_block_signer: Option<Address>,
    /// The signer before that, while it is still accepted.
    pub previous: Option<PreviousSigner>,
    /// The only address that may sign on the cross-safe topic. `None`: the unsafe block signer may.
    pub attester: Option<Address>,
    /// Whether L1, which names the unsafe block signer, was not read recently, so that it may name another
    /// one by now. Frames by another signer are then ignored and not rejected.
    pub is_stale: bool,
}

/// A signer that was replaced by another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreviousSigner {
    /// Its address.
    pub address: Address,
    /// Until when it is accepted, this second included.
    pub until: UnixSeconds,
}

impl Signers {
    /// One signer for every topic.
    pub const fn of(unsafe_block_signer: Address) -> Self {
        Self {
            unsafe_block_signer: Some(unsafe_block_signer),
            previous: None,
            attester: None,
            is_stale: false,
        }
    }

    /// The same with a separate attester for the cross-safe topic.
    #[must_use]
    pub const fn with_attester(self, attester: Address) -> Self {
        Self { attester: Some(attester), ..self }
    }

    /// Sets the unsafe block signer that the SystemConfig names at the time `now`. The one before is accepted
    /// for `grace` more seconds. Returns whether it changed.
    pub fn change_to(&mut self, signer: Address, now: UnixSeconds, grace: u64) -> bool {
        self.is_stale = false;
        match self.unsafe_block_signer {
            Some(current) if current == signer => return false,
            Some(current) => {
                let until = UnixSeconds(now.0.saturating_add(grace));
                self.previous = (grace > 0).then_some(PreviousSigner { address: current, until });
            }
            None => {}
        }
        self.unsafe_block_signer = Some(signer);
        true
    }

    /// The signers after a block by `signer` was seen. If that is the current signer, the grace of the
    /// previous one ends.
    #[must_use]
    pub fn after_block_by(self, signer: Address) -> Self {
        if self.unsafe_block_signer == Some(signer) { Self { previous: None, ..self } } else { self }
    }

    /// The signers at a time: without the previous one if its grace has ended.
    #[must_use]
    pub fn at(self, now: UnixSeconds) -> Self {
        Self { previous: self.previous.filter(|previous| now <= previous.until), ..self }
    }

    /// The signer that is expected on a topic. `None`: it is not known.
    pub fn expected_on(&self, topic: Topic) -> Option<Address> {
        let apart = self.attester.filter(|_| topic.is_cross_safe());
        apart.or(self.unsafe_block_signer)
    }

    /// Whether another signer may be expected on a topic by now. A separate attester is not named by L1, and
    /// never in doubt.
    pub const fn is_in_doubt(&self, topic: Topic) -> bool {
        self.is_stale && !(topic.is_cross_safe() && self.attester.is_some())
    }

    /// Whether a signature of this address is accepted on a topic: it is the expected signer, or the previous
    /// one.
    pub fn may_sign(&self, topic: Topic, signer: Address) -> bool {
        let is_apart = topic.is_cross_safe() && self.attester.is_some();
        let is_previous = || self.previous.is_some_and(|previous| previous.address == signer);
        self.expected_on(topic) == Some(signer) || (!is_apart && is_previous())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Topic::{BlocksV3, BlocksV4, CrossSafeBlocksV1};
    use proptest::prelude::*;
    use rstest::rstest;

    const OLD: Address = Address::repeat_byte(1);
    const NEW: Address = Address::repeat_byte(2);
    const ATTESTER: Address = Address::repeat_byte(3);
    const CHANGE: UnixSeconds = UnixSeconds(1_000);

    fn changed(grace: u64) -> Signers {
        let mut signers = Signers::of(OLD);
        assert!(signers.change_to(NEW, CHANGE, grace));
        signers
    }

    fn after(seconds: u64) -> UnixSeconds {
        UnixSeconds(CHANGE.0 + seconds)
    }

    #[rstest]
    #[case::attester_apart(CrossSafeBlocksV1, Some(ATTESTER), ATTESTER)]
    #[case::attester_is_the_sequencer(CrossSafeBlocksV1, None, OLD)]
    #[case::attester_signs_no_unsafe_blocks(BlocksV4, Some(ATTESTER), OLD)]
    #[case::nor_in_another_version(BlocksV3, Some(ATTESTER), OLD)]
    fn on_topic(#[case] topic: Topic, #[case] attester: Option<Address>, #[case] expected: Address) {
        let signers = Signers { attester, ..Signers::of(OLD) };
        assert_eq!(signers.expected_on(topic), Some(expected));
        for signer in [OLD, NEW, ATTESTER] {
            assert_eq!(signers.may_sign(topic, signer), signer == expected);
        }
    }

    #[rstest]
    #[case::at_the_change(0, true)]
    #[case::last_second_of_grace(SIGNER_GRACE_SECS, true)]
    #[case::grace_over(SIGNER_GRACE_SECS + 1, false)]
    fn the_previous_signer_is_honoured_for_its_grace(#[case] seconds: u64, #[case] honoured: bool) {
        let signers = changed(SIGNER_GRACE_SECS).at(after(seconds));
        for topic in Topic::ALL {
            assert!(signers.may_sign(topic, NEW));
            assert_eq!(signers.may_sign(topic, OLD), honoured);
            assert_eq!(signers.expected_on(topic), Some(NEW));
        }
    }

    #[test]
    fn a_block_of_the_new_signer_ends_the_grace() {
        let signers = changed(SIGNER_GRACE_SECS);
        assert!(signers.after_block_by(OLD).may_sign(BlocksV4, OLD));
        assert!(signers.after_block_by(ATTESTER).may_sign(BlocksV4, OLD));
        assert!(!signers.after_block_by(NEW).may_sign(BlocksV4, OLD));
        assert!(signers.after_block_by(NEW).may_sign(BlocksV4, NEW));
    }

    #[test]
    fn without_a_grace_the_change_is_immediate() {
        assert!(!changed(0).at(CHANGE).may_sign(BlocksV4, OLD));
    }

    #[test]
    fn the_same_signer_again_does_not_extend_the_grace() {
        let mut signers = changed(10);
        assert!(!signers.change_to(NEW, after(9), 10));
        assert!(!signers.at(after(11)).may_sign(BlocksV4, OLD));
    }

    #[test]
    fn the_first_known_signer_has_no_previous_one() {
        let mut signers = Signers::default();
        assert!(
            Topic::ALL
                .iter()
                .all(|topic| signers.expected_on(*topic).is_none() && !signers.may_sign(*topic, OLD))
        );
        assert!(signers.change_to(OLD, CHANGE, 10));
        assert_eq!(signers, Signers::of(OLD));
    }

    #[test]
    fn after_a_change_back_the_signer_in_between_is_the_previous_one() {
        let mut signers = changed(10);
        assert!(signers.change_to(OLD, after(1), 10));
        assert_eq!(signers.expected_on(BlocksV4), Some(OLD));
        assert!(signers.at(after(11)).may_sign(BlocksV4, NEW));
        assert!(!signers.at(after(12)).may_sign(BlocksV4, NEW));
    }

    #[test]
    fn a_signer_that_was_just_read_is_not_in_doubt() {
        let mut signers = Signers { is_stale: true, ..Signers::of(OLD) };
        assert!(!signers.change_to(OLD, CHANGE, 10) && !signers.is_stale);
    }

    #[rstest]
    #[case::read_lately(false, None, CrossSafeBlocksV1, false)]
    #[case::not_read_lately(true, None, CrossSafeBlocksV1, true)]
    #[case::unsafe_blocks(true, Some(ATTESTER), BlocksV4, true)]
    #[case::attester_apart(true, Some(ATTESTER), CrossSafeBlocksV1, false)]
    fn doubt(
        #[case] is_stale: bool,
        #[case] attester: Option<Address>,
        #[case] topic: Topic,
        #[case] expected: bool,
    ) {
        let signers = Signers { is_stale, attester, ..Signers::of(OLD) };
        assert_eq!(signers.is_in_doubt(topic), expected);
        assert_eq!(
            signers.may_sign(topic, OLD),
            attester.is_none() || !topic.is_cross_safe(),
            "it still counts"
        );
    }

    #[test]
    fn a_separate_attester_has_no_previous_signer() {
        let signers = changed(10).with_attester(ATTESTER);
        assert!(!signers.may_sign(CrossSafeBlocksV1, OLD) && !signers.may_sign(CrossSafeBlocksV1, NEW));
        assert!(signers.may_sign(BlocksV4, OLD));
    }

    proptest! {
        /// Whatever happens: the last signer named counts, at most one other does, and only within its grace.
        #[test]
        fn at_most_one_previous_signer_is_accepted(
            events in proptest::collection::vec((0u8..4, 0u8..3, 0u64..20), 1..40),
            grace in 0u64..30,
        ) {
            let address = |index: u8| Address::repeat_byte(index + 1);
            let (mut signers, mut now, mut named, mut changed_at) = (Signers::default(), 0, None, 0);
            for (who, event, pause) in events {
                now += pause;
                match event {
                    0 => {
                        if named.is_some_and(|named| named != who) {
                            changed_at = now;
                        }
                        signers.change_to(address(who), UnixSeconds(now), grace);
                        named = Some(who);
                    }
                    1 => signers = signers.after_block_by(address(who)),
                    _ => {}
                }
                let holding = signers.at(UnixSeconds(now));
                let counts = |index| holding.may_sign(BlocksV4, address(index));
                prop_assert!(named.is_none_or(counts));
                let others = (0..4).filter(|index| Some(*index) != named && counts(*index)).count();
                prop_assert!(others <= usize::from(named.is_some() && grace > 0 && now <= changed_at + grace));
            }
        }
    }
}
