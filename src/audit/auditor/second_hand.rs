//! When a case that waits for a second opinion is checked again: when a node may have one, or a chain was
//! rewound.

use super::Auditor;
use crosscheck_p2p::ChainId;
use tokio::time::Instant;

impl Auditor {
    /// Checks the cases again whose second opinions have changed since the last check.
    pub(super) fn wake_second_hand(&mut self, chain_id: ChainId) {
        let waiting = self.open.second_hand(chain_id);
        let is_gone =
            |key: &crosscheck_core::message::BlockKey| key.chain_id == chain_id && !waiting.contains(key);
        self.witnesses.retain(|key, _| !is_gone(key));
        for key in waiting {
            let witnesses = self.parts.investigator.witnesses(key);
            if self.witnesses.insert(key, witnesses).is_some_and(|known| known != witnesses) {
                self.open.expedite(&key, Instant::now());
            }
        }
    }
}
