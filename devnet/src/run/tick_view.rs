//! What a tick says of its chains: whose nodes are disturbed and how, and whether the sidecar has received
//! it. Pure.

use crate::observation::Observations;
use crate::simulation::Tick;
use crate::timing::{LAG_BLOCKS, OPEN_BLOCKS};
use crosscheck_p2p::ChainId;

pub(super) fn unknown_heads(tick: &Tick) -> Vec<u64> {
    tick.chains
        .iter()
        .filter(|chain| chain.unknown_heads || chain.other_rules)
        .map(|chain| chain.chain_id)
        .collect()
}

pub(super) fn genesis_final(tick: &Tick) -> Vec<u64> {
    tick.chains.iter().filter(|chain| chain.genesis_final).map(|chain| chain.chain_id).collect()
}

pub(super) fn remaining(tick: &Tick) -> Vec<u64> {
    tick.chains.iter().filter(|chain| chain.remains_on.is_some()).map(|chain| chain.chain_id).collect()
}

pub(super) fn outages(tick: &Tick) -> Vec<u64> {
    tick.chains.iter().filter(|chain| chain.outage).map(|chain| chain.chain_id).collect()
}

/// Whether the sidecar has received every chain's blocks, but for the newest few, and has begun to read those
/// of each whose nodes answer: it begins at the final block, and would never see what became final before.
pub(super) fn has_received(seen: &Observations, tick: &Tick) -> bool {
    tick.chains.iter().all(|chain| {
        let id = ChainId::from(chain.chain_id);
        let answers = !chain.outage && !chain.unknown_heads && !chain.other_rules;
        if answers && !seen.is_monitored(id) {
            return false;
        }
        let status = seen.status.chains.iter().find(|status| status.chain_id == id);
        let heard = status.and_then(|status| status.gossiped).unwrap_or_default();
        heard.saturating_add(LAG_BLOCKS) >= chain.heads.unsafe_head
    })
}

/// Whether the sidecar has judged every chain's blocks, but for a few.
pub(super) fn has_judged(seen: &Observations) -> bool {
    seen.status.chains.iter().all(|chain| chain.open <= OPEN_BLOCKS)
}
