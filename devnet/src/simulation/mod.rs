//! The superchain: its L1, its sequencers and their users, moved tick by tick. Pure.

mod chain_tick;
mod derivation;
mod heads;
mod l1_traffic;
mod outbox;
mod sequencer;
mod superchain;
mod traffic;

pub use chain_tick::{Attestation, ChainTick};
pub(crate) use chain_tick::{OddClaim, OddEndpoint, Replaced, Rewind, Withdrawal};
pub use heads::ChainHeads;
pub use sequencer::Sequencer;
pub(crate) use superchain::{L1_CHAIN_ID, MAX_CHAINS, Tick};
pub use superchain::{Superchain, SuperchainError, SuperchainParams};
