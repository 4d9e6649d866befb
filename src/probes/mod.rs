//! Probes: what can be found out about the configured endpoints by asking each of them a few harmless
//! questions.
//!
//! `identity`, `services`, `l1`, `opinions`, `reference` and `answers` turn answers into findings, and are
//! pure; `ask_*` and [`Prober`] ask. A finding changes nothing, and is not evidence against anyone. If an
//! endpoint fails, nothing is determined: that is not a fault of the chain.

mod answers;
mod ask_claimant;
mod ask_client;
mod ask_l1;
mod ask_node;
mod ask_opinions;
mod ask_peers;
mod asking;
mod finding;
mod identity;
mod l1;
mod opinions;
mod prober;
mod reference;
mod services;
mod start;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use finding::{Asked, Probe, ProbeVerdict};
pub(crate) use finding::{Grade, ProbeFinding, outcome, summary};
pub(crate) use prober::Prober;
pub(crate) use start::StartProbes;
