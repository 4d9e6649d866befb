//! [`Outbox`]: the attestations of one chain on their way to gossip, as the script has them published. Pure.
//!
//! It holds at most the attestations of one fault.

use super::chain_tick::Attestation;
use crate::faults::Publication;

/// Attestations that wait for others to be published before them.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    held: Vec<Attestation>,
}

impl Outbox {
    /// Adds an attestation, and answers those that are due, in order.
    pub(super) fn pass(&mut self, mut attestation: Attestation) -> Vec<Attestation> {
        let Some(planned) = attestation.fault else { return vec![attestation] };
        match planned.fault.publication {
            Publication::AsPromoted => vec![attestation],
            Publication::Never => {
                attestation.is_published = false;
                vec![attestation]
            }
            Publication::WithNext => {
                let is_first = self.held.is_empty();
                self.held.push(attestation);
                if is_first { Vec::new() } else { core::mem::take(&mut self.held) }
            }
            Publication::Reversed => {
                let is_last = attestation.block.number() == planned.last();
                self.held.push(attestation);
                if !is_last {
                    return Vec::new();
                }
                self.held.reverse();
                core::mem::take(&mut self.held)
            }
        }
    }
}
