//! [`Outbox`]: the attestations of one chain on their way to gossip, as the script has them published. Pure.
//!
//! It holds at most the words of one scripted run.

use super::faults::Publication;
use super::sequencer::Attestation;

/// Words that wait for others to be published before them.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    held: Vec<Attestation>,
}

impl Outbox {
    /// Takes a word in, and answers what is due, in order.
    pub(super) fn pass(&mut self, mut word: Attestation) -> Vec<Attestation> {
        let Some(planned) = word.fault else { return vec![word] };
        match planned.fault.publication {
            Publication::AsPromoted => vec![word],
            Publication::Never => {
                word.is_published = false;
                vec![word]
            }
            Publication::WithNext => {
                let is_first = self.held.is_empty();
                self.held.push(word);
                if is_first { Vec::new() } else { core::mem::take(&mut self.held) }
            }
            Publication::Reversed => {
                let is_last = word.block.number() == planned.last();
                self.held.push(word);
                if !is_last {
                    return Vec::new();
                }
                self.held.reverse();
                core::mem::take(&mut self.held)
            }
        }
    }
}
