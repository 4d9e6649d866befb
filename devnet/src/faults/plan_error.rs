//! [`FaultPlanError`]: why a fault cannot be scripted where it was.

use super::plan::{REPLACEMENT_DISTANCE, TIED_DISTANCE};

/// A fault that cannot be scripted where it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultPlanError {
    /// The chain is none of the run.
    #[error("--fault {fault}: there is no chain {chain_id}, the chains are {first} to {last} (--chains)")]
    UnknownChain {
        /// The fault as it was given.
        fault: String,
        /// The chain that it names.
        chain_id: u64,
        /// The first chain of the run.
        first: u64,
        /// The last chain of the run.
        last: u64,
    },
    /// The run ends before the fault can be found.
    #[error("--fault {fault}: the run ends at block {blocks} (--blocks), this fault needs block {last}")]
    PastTheEnd {
        /// The fault as it was given.
        fault: String,
        /// The length of the run.
        blocks: u64,
        /// The block that the run must have.
        last: u64,
    },
    /// The fault cannot happen so early.
    #[error("--fault {fault}: this fault needs block {earliest} or later")]
    TooEarly {
        /// The fault as it was given.
        fault: String,
        /// The first block at which it can happen.
        earliest: u64,
    },
    /// The fault cannot happen so late.
    #[error("--fault {fault}: this fault needs block {latest} or an earlier one")]
    TooLate {
        /// The fault as it was given.
        fault: String,
        /// The last block at which it can happen.
        latest: u64,
    },
    /// The fault is about more chains than there are.
    #[error("--fault {fault}: this fault needs {needed} chains, there are {chains} (--chains)")]
    TooFewChains {
        /// The fault as it was given.
        fault: String,
        /// How many chains it needs.
        needed: usize,
        /// How many there are.
        chains: usize,
    },
    /// A fault of several blocks too close to one that builds blocks again or takes endpoints away.
    #[error(
        "--fault {fault}: {other}@{block} is too close on chain {chain_id}, one of the two breaks what the other \
         needs: leave {TIED_DISTANCE} blocks between"
    )]
    TooClose {
        /// The fault as it was given.
        fault: String,
        /// The other fault.
        other: &'static str,
        /// The block of the other fault.
        block: u64,
        /// The chain.
        chain_id: u64,
    },
    /// A block that is removed while the nodes that serve it, or what it cites, are disturbed: nobody could
    /// find out that it existed.
    #[error(
        "--fault {fault}: a block of {name} is removed while the nodes of chain {chain_id} are disturbed"
    )]
    Unobservable {
        /// The fault as it was given.
        fault: String,
        /// The fault whose block is removed.
        name: &'static str,
        /// The chain whose nodes are disturbed.
        chain_id: u64,
    },
    /// A second fork of a chain, or a fault that L1 alone reports while a fork is in force that nobody knows.
    #[error(
        "--fault {fault}: block {first} of chain {chain_id} is the first of a fork: a chain comes to one alone, and from there on what L1 alone says against a block is unknown"
    )]
    UnknownFork {
        /// The fault as it was given.
        fault: String,
        /// The chain.
        chain_id: u64,
        /// The fork's first block.
        first: u64,
    },
    /// A fault that is found by attestations only, which nobody makes.
    #[error(
        "--fault {fault}: it is found by attestations only, and with --no-attester there are none; leave one of the two out"
    )]
    NeedsAttester {
        /// The fault as it was given.
        fault: String,
    },
    /// Two faults on one block.
    #[error(
        "--fault {fault}: block {block} of chain {chain_id} has the fault {other} already, move one of them"
    )]
    Collision {
        /// The fault as it was given.
        fault: String,
        /// The chain.
        chain_id: u64,
        /// The height.
        block: u64,
        /// The fault that was given before.
        other: &'static str,
    },
    /// Two replacements of one chain are too close: blocks would be rebuilt so often and so late that gossip
    /// drops them.
    #[error(
        "--fault {fault}: block {other} of chain {chain_id} is replaced too, leave {REPLACEMENT_DISTANCE} blocks between for each"
    )]
    CloseReplacements {
        /// The fault as it was given.
        fault: String,
        /// The chain.
        chain_id: u64,
        /// The other replaced block.
        other: u64,
    },
    /// Two outages or other branches of one chain's nodes overlap.
    #[error("--fault {fault}: the nodes of chain {chain_id} are disturbed already, since block {other}")]
    OverlappingOutages {
        /// The fault as it was given.
        fault: String,
        /// The chain.
        chain_id: u64,
        /// The block of the other fault.
        other: u64,
    },
}
