//! [`UnknownHeads`]: what a sidecar was seen to make of a rollup node that is unusable for a while. Pure.

use crate::findings::{ObservedChainStatus, SidecarStatus};
use crosscheck_p2p::ChainId;

/// What the sidecar says of such a node, and under which name: that it names no heads, or works by other
/// rules.
const REASONS: [(&str, &str); 2] = [("heads", "has no heads yet"), ("endpoints", "lagoon_time is")];

/// What a sidecar was seen to make of a chain whose node names no heads, or works by other rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UnknownHeads {
    /// It was not ready for that reason, and reported no head.
    pub(crate) reported: bool,
    /// It treated all-zero heads as heads at height 0.
    pub(crate) treated_as_0: bool,
    /// It reported heads again afterwards, and no longer that there are none.
    pub(crate) recovered: bool,
}

impl UnknownHeads {
    /// Records what the sidecar says now. `is_over`: the node names its heads again.
    pub(crate) fn see(&mut self, chain_id: u64, status: &SidecarStatus, is_over: bool) {
        let id = ChainId::from(chain_id);
        let Some(chain) = status.chains.iter().find(|chain| chain.chain_id == id) else { return };
        let is_one = |said: &String| {
            REASONS.iter().any(|(part, reason)| {
                said.starts_with(&format!("chain {chain_id} {part}: ")) && said.contains(reason)
            })
        };
        let is_said = status.reasons.iter().any(is_one);
        let heads = heads(chain);
        self.treated_as_0 |= !is_over && chain.unsafe_head == Some(0);
        self.reported |= !is_over && is_said && !status.ready && heads == [None; 4];
        self.recovered |= is_over && self.reported && !is_said && heads.iter().all(Option::is_some);
    }
}

const fn heads(chain: &ObservedChainStatus) -> [Option<u64>; 4] {
    [chain.unsafe_head, chain.local_safe, chain.safe, chain.finalized]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(heads: [Option<u64>; 4], reason: Option<&str>) -> SidecarStatus {
        let [unsafe_head, local_safe, safe, finalized] = heads;
        let chain_id = ChainId::from(901);
        SidecarStatus {
            ready: reason.is_none(),
            reasons: reason.into_iter().map(ToOwned::to_owned).collect(),
            chains: vec![ObservedChainStatus {
                chain_id,
                gossiped: None,
                unsafe_head,
                local_safe,
                safe,
                finalized,
                vouched: None,
                hold: None,
                open: 0,
            }],
        }
    }

    const SAID: Option<&str> =
        Some("chain 901 heads: the rollup node has no heads yet (it waits for its first block)");
    const KNOWN: [Option<u64>; 4] = [Some(9), Some(8), Some(7), Some(6)];

    #[test]
    fn it_is_reported_and_recovered_from() {
        let mut seen = UnknownHeads::default();
        seen.see(901, &status(KNOWN, None), false);
        assert_eq!(seen, UnknownHeads::default());
        seen.see(901, &status([None; 4], SAID), false);
        assert_eq!(seen, UnknownHeads { reported: true, ..UnknownHeads::default() });
        seen.see(901, &status([None; 4], SAID), true);
        assert!(!seen.recovered);
        seen.see(901, &status(KNOWN, None), true);
        assert_eq!(seen, UnknownHeads { reported: true, recovered: true, treated_as_0: false });
    }

    #[test]
    fn another_status_changes_nothing() {
        let other = Some("chain 902 heads: the rollup node has no heads yet");
        for (heads, reason) in [([None; 4], None), ([None; 4], other), (KNOWN, SAID)] {
            let mut seen = UnknownHeads::default();
            seen.see(901, &status(heads, reason), false);
            assert_eq!(seen, UnknownHeads::default());
        }
        let mut seen = UnknownHeads::default();
        seen.see(901, &status([Some(0); 4], None), false);
        assert!(seen.treated_as_0);
    }
}
