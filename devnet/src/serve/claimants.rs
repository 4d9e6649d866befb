//! [`ClaimantNode`]: an endpoint whose safe head is taken as a claim. It is a rollup node of its own, which
//! nothing disturbs.

use super::{ChainStore, RunningServer, ServeError, SimulatedRollupNode, rollup_node_module, start};
use crate::faults::Claimant;
use crate::simulation::{ChainHeads, ChainTick, OddClaim};
use parking_lot::RwLock;
use std::sync::Arc;

/// A claimant.
#[derive(Debug)]
pub(super) struct ClaimantNode {
    claimant: Claimant,
    pub(super) server: RunningServer,
    store: Arc<RwLock<ChainStore>>,
}

impl ClaimantNode {
    /// Starts a claimant that answers as this rollup node, from a store of its own.
    pub(super) async fn start(
        claimant: Claimant,
        node: SimulatedRollupNode,
        store: ChainStore,
    ) -> Result<Self, ServeError> {
        let store = Arc::new(RwLock::new(store));
        let node = SimulatedRollupNode { chain: Arc::clone(&store), is_plain: false, ..node };
        Ok(Self { claimant, server: start(rollup_node_module(node)?).await?, store })
    }

    /// Takes in what the chain did.
    pub(super) fn follow(&self, chain: &ChainTick) {
        let odd = chain.odd_claims.iter().find(|claim| claim.claimant == self.claimant);
        self.store.write().apply(&seen_by(chain, odd));
    }
}

/// What a claimant sees of a tick: what the chain did, and nothing of what its nodes do; in its own place,
/// what it claims.
fn seen_by(chain: &ChainTick, odd: Option<&OddClaim>) -> ChainTick {
    let heads = odd.map_or(chain.heads, |claim| {
        let number = claim.block.number();
        let finalized = chain.heads.finalized.min(number.saturating_sub(1));
        ChainHeads { unsafe_head: number, local_safe: number, safe: number, finalized }
    });
    ChainTick {
        replacement: chain.replacement.clone(),
        built: chain.built.clone(),
        heads,
        other_branch: odd.map(|claim| vec![Arc::clone(&claim.block)]),
        ..ChainTick::idle(chain.chain_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{FaultPlan, FaultSpec};
    use crate::fixture::Fixture;

    #[test]
    fn a_claimant_serves_its_own_block_and_then_the_chain() {
        let mut fixture = Fixture::new(7);
        let mut store = ChainStore::new(901, Arc::clone(fixture.chain.genesis()));
        let sibling = Fixture::new(8).extend(&[]);
        let [first, second] = [fixture.extend(&[]), fixture.extend(&[])];
        let specs: Vec<FaultSpec> = vec!["claimants-differ@9".parse().unwrap()];
        let fault = *FaultPlan::new(&specs, &[901], None).unwrap().iter().next().unwrap();
        let claim =
            OddClaim { claimant: Claimant::Differing, fault, block: Arc::clone(&sibling), own: first.hash };
        let heads = ChainHeads { unsafe_head: 2, local_safe: 2, safe: 2, finalized: 1 };
        let built = vec![first, Arc::clone(&second)];
        let tick = ChainTick { built, heads, outage: true, unknown_heads: true, ..ChainTick::idle(901) };
        store.apply(&seen_by(&tick, Some(&claim)));
        assert_eq!(store.canonical(1), Some(&sibling));
        assert_eq!((store.named_heads().safe, store.named_heads().finalized), (1, 0));
        store.apply(&seen_by(&ChainTick { built: Vec::new(), ..tick }, None));
        assert_eq!((store.canonical(2), store.named_heads()), (Some(&second), heads));
        assert!(!store.is_headless() && !store.is_out());
    }
}
