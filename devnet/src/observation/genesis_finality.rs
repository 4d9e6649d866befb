//! [`GenesisFinality`]: what a sidecar was seen to make of a rollup node that calls genesis safe and final
//! for a while. Pure.

use crate::findings::SidecarStatus;
use crosscheck_p2p::ChainId;

/// What a sidecar was seen to make of a chain whose node calls genesis final for a while.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct GenesisFinality {
    /// It was seen to know what the node says.
    pub(crate) reported: bool,
    /// Its vouched head went back, or was lost.
    pub(crate) vouched_moved_back: bool,
    /// What is final continued afterwards, and what it vouches for too, unless a block that is invalid kept
    /// it all the time.
    pub(crate) continued: bool,
    /// The highest vouched head so far.
    vouched: Option<u64>,
    /// That head when the node was last seen to call genesis final.
    vouched_then: Option<u64>,
}

impl GenesisFinality {
    /// Records what the sidecar says now. `is_over`: the node names its heads again.
    pub(crate) fn see(&mut self, chain_id: u64, status: &SidecarStatus, is_over: bool) {
        let id = ChainId::from(chain_id);
        let Some(chain) = status.chains.iter().find(|chain| chain.chain_id == id) else { return };
        self.vouched_moved_back |= chain.vouched < self.vouched;
        self.vouched = self.vouched.max(chain.vouched);
        let is_at_genesis = chain.finalized == Some(0) && chain.safe == Some(0);
        if !is_over && is_at_genesis {
            self.reported = true;
            self.vouched_then = self.vouched;
        }
        let is_held = chain.hold.is_some() && chain.vouched == self.vouched_then;
        let has_gone_on = chain.finalized > Some(0) && (chain.vouched > self.vouched_then || is_held);
        self.continued |= is_over && self.reported && has_gone_on;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::{HoldRecord, ObservedChainStatus};
    use rstest::rstest;

    fn held(finalized: u64, vouched: Option<u64>) -> SidecarStatus {
        let mut status = status(finalized, vouched);
        status.chains.iter_mut().for_each(|chain| chain.hold = Some(HoldRecord { number: 9 }));
        status
    }

    fn status(finalized: u64, vouched: Option<u64>) -> SidecarStatus {
        let chain = ObservedChainStatus {
            chain_id: ChainId::from(901),
            gossiped: None,
            unsafe_head: Some(30),
            local_safe: Some(29),
            safe: Some(finalized),
            finalized: Some(finalized),
            vouched,
            hold: None,
            open: 0,
        };
        SidecarStatus { ready: true, reasons: Vec::new(), chains: vec![chain] }
    }

    #[rstest]
    #[case::as_it_must([Some(20), Some(22), Some(25)], false, true)]
    #[case::it_stands_still([Some(20), Some(20), Some(20)], false, false)]
    #[case::it_goes_back([Some(20), Some(0), Some(25)], true, true)]
    #[case::it_is_lost([Some(20), None, Some(25)], true, true)]
    fn the_vouched_head_stays_and_then_continues(
        #[case] vouched: [Option<u64>; 3],
        #[case] went_back: bool,
        #[case] continued: bool,
    ) {
        let [before, then, after] = vouched;
        let mut seen = GenesisFinality::default();
        seen.see(901, &status(6, before), false);
        assert!(!seen.reported);
        seen.see(901, &status(0, then), false);
        assert!(seen.reported && !seen.continued);
        seen.see(902, &status(9, after), true);
        seen.see(901, &status(9, after), true);
        assert_eq!((seen.vouched_moved_back, seen.continued), (went_back, continued));
    }

    /// An invalid block has long been above the vouched head: that head cannot continue, and the final head
    /// must.
    #[rstest]
    #[case::what_is_final_goes_on(20, Some(8), true)]
    #[case::nothing_does(0, Some(8), false)]
    #[case::the_head_is_lost(20, None, false)]
    fn a_held_vouched_head_need_not_continue(
        #[case] finalized: u64,
        #[case] vouched: Option<u64>,
        #[case] continued: bool,
    ) {
        let mut seen = GenesisFinality::default();
        seen.see(901, &held(18, Some(8)), false);
        seen.see(901, &held(0, Some(8)), false);
        seen.see(901, &held(finalized, vouched), true);
        assert_eq!((seen.reported, seen.continued), (true, continued));
    }
}
