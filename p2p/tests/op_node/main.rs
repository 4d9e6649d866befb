//! Our validator beside op-node's own: the same frames to both, and every difference is one that is known.
//!
//! op-node's validator runs in a Go program at the other end of a pipe, built with and without cgo. It is
//! told the time, and so is ours: nothing depends on a clock. `.ci/run` builds it and runs this; by hand:
//!
//! ```text
//! OP_NODE_VERDICTS=$(tests/peers/opstack/build verdicts) cargo test -p crosscheck-p2p --features op-node --test op_node -- --nocapture
//! ```
//!
//! `OP_NODE_FRAMES` says how many frames there are at least, `OP_NODE_SEED` where those that are random come
//! from.

// Helpers are test code too: what is impossible here should fail the test at once.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod block;
mod case;
mod comparison;
mod differences;
mod each_byte;
mod maker;
mod named;
mod op_node;
mod random;
mod sequences;
mod verdict;
mod wrapping;

use comparison::Comparison;
use crosscheck_p2p::{ChainId, PayloadVersion, UnixSeconds};
use maker::Maker;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// The chain.
const CHAIN: u64 = 901;
/// The time at which frames arrive.
const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
/// How many frames there are at least, unless it is said otherwise.
const FRAMES: usize = 60_000;

fn chain() -> ChainId {
    ChainId::from(CHAIN)
}

fn number_in(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

#[test]
fn op_node_judges_alike() {
    let wanted = usize::try_from(number_in("OP_NODE_FRAMES", FRAMES as u64)).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(number_in("OP_NODE_SEED", 1));
    let mut comparison = Comparison::start();
    for version in PayloadVersion::ALL {
        let mut maker = Maker { version, op_node: comparison.any() };
        let mut cases = named::cases(&mut maker);
        cases.extend(sequences::cases(&mut maker));
        cases.extend(each_byte::cases(&mut maker));
        if version == PayloadVersion::V4 {
            cases.push(sequences::first_kept(&mut maker));
        }
        comparison.judge(&cases);
    }
    let designed = comparison.frames();
    while comparison.frames() < wanted.max(designed + wanted / 4) {
        let mut cases = Vec::new();
        for version in PayloadVersion::ALL {
            let mut maker = Maker { version, op_node: comparison.any() };
            for _ in 0..120 {
                cases.push(random::structure(&mut maker, &mut random));
            }
            for _ in 0..15 {
                cases.push(random::signature(&mut maker, &mut random));
                cases.push(random::bytes(&maker, &mut random));
            }
        }
        for _ in 0..4 {
            cases.push(sequences::random(comparison.any(), &mut random));
            cases.push(sequences::random_rotations(comparison.any(), &mut random));
        }
        comparison.judge(&cases);
    }
    comparison.conclude();
}
