//! [`Signers`]: whose signature counts on which topic, as far as is known.
//!
//! Only the facts of one moment; whoever learns them (from L1 or from configuration) replaces the value.

use crate::Topic;
use alloy_primitives::Address;

/// The addresses that may sign a chain's blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signers {
    /// The unsafe block signer of the chain's SystemConfig; `None` while it is not known.
    pub unsafe_block_signer: Option<Address>,
    /// Who may sign on the cross-safe topic; `None`: the unsafe block signer.
    pub attester: Option<Address>,
}

impl Signers {
    /// Whose signature counts on a topic, if that is known.
    pub fn on(&self, topic: Topic) -> Option<Address> {
        match topic {
            Topic::BlocksV4 => self.unsafe_block_signer,
            Topic::CrossSafeBlocksV1 => self.attester.or(self.unsafe_block_signer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const SEQUENCER: Address = Address::repeat_byte(1);
    const ATTESTER: Address = Address::repeat_byte(2);

    #[rstest]
    #[case::attester_apart(Topic::CrossSafeBlocksV1, Some(ATTESTER), Some(ATTESTER))]
    #[case::attester_is_the_sequencer(Topic::CrossSafeBlocksV1, None, Some(SEQUENCER))]
    #[case::attester_signs_no_unsafe_blocks(Topic::BlocksV4, Some(ATTESTER), Some(SEQUENCER))]
    fn on_topic(#[case] topic: Topic, #[case] attester: Option<Address>, #[case] expected: Option<Address>) {
        let signers = Signers { unsafe_block_signer: Some(SEQUENCER), attester };
        assert_eq!(signers.on(topic), expected);
    }
}
