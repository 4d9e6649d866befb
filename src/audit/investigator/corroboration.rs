//! Whether another source than a rollup node that has not derived its chain confirms that node's answer about
//! a height: this program's own check against L1, or another rollup node that has derived the chain. Until
//! then, a block that differs is not judged by it.

use super::{Awaited, Cause, Investigator, L1Answer, Wait};
use alloy::primitives::B256;
use crosscheck_core::case::Fact;
use crosscheck_core::consolidation::{BlockAttributes, ReplacementRule};
use crosscheck_core::message::BlockKey;

/// Which nodes can confirm what the chain has at a height, and on which branches they are. Until this
/// changes, asking again gives the same result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::audit) struct Witnesses {
    /// Whether the chain's node can.
    own: bool,
    /// How many of its other nodes can.
    others: usize,
    /// How often something that it rests on has moved back.
    epoch: u64,
}

impl Investigator {
    /// Which nodes can confirm now what the chain has at the height of a block.
    pub(in crate::audit) fn witnesses(&self, key: BlockKey) -> Witnesses {
        let BlockKey { chain_id, number, .. } = key;
        let others = self.parts.heads.others(chain_id);
        Witnesses {
            own: self.parts.heads.second_opinion(chain_id).covers(number),
            others: others.iter().filter(|other| other.has_derived(number)).count(),
            epoch: self.epoch(chain_id),
        }
    }

    /// Whether a node that has derived the chain has this block at the height of an attested one, as its
    /// rollup node does.
    pub(super) async fn corroboration(
        &self,
        key: BlockKey,
        attributes: &BlockAttributes,
        derived: B256,
    ) -> Result<Fact, Wait> {
        let was_own = self.parts.heads.second_opinion(key.chain_id).covers(key.number);
        if self.hash_on_branch(key.chain_id, key.number).await? != derived {
            return Ok(Fact::DerivedOther);
        }
        let opinion = self.parts.heads.second_opinion(key.chain_id);
        if (was_own && opinion.covers(key.number)) || self.is_derived_by_another_node(key, derived).await {
            return Ok(Fact::Corroborated { derived });
        }
        let rules = self.rules(key.chain_id);
        // The old rule's replacements have a deposit that L1 does not know.
        if rules.ask_l1 && rules.replacement == ReplacementRule::DepositsOnly {
            // That L1 alone has nothing against a block does not make it derived.
            if let Ok(answer @ (L1Answer::Contradicts(_) | L1Answer::OriginDropped(_))) =
                self.ask_l1(key, attributes).await
            {
                return Ok(answer.into_fact());
            }
        }
        let wait = Wait { awaited: Awaited::SecondOpinion, chain_id: key.chain_id, cause: Cause::SecondHand };
        self.reasons.note(wait, &opinion.why_not(key.number));
        Err(wait)
    }

    /// Whether a rollup node that is not in use has derived this block.
    async fn is_derived_by_another_node(&self, key: BlockKey, derived: B256) -> bool {
        for other in self.parts.heads.others(key.chain_id) {
            if !other.has_derived(key.number) {
                continue;
            }
            let head = other.local_safe;
            if self.hash_below(key.chain_id, head, key.number).await == Ok(derived) {
                return true;
            }
        }
        false
    }
}
