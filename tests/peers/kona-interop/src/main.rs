//! Crosscheck's message checks beside kona-interop's, on the same made-up blocks in one process.
//!
//! `cargo run --release [chains] [heights] [messages a block]`. First, blocks with invalid messages: both
//! sides must call the same chains invalid. Then, blocks without: how many messages each decides in a second,
//! on one core.

mod kona;
mod ours;
mod superchain;

use kona::KonaSide;
use ours::{OurSide, Took};
use std::time::Duration;
use superchain::{PlainBlock, Superchain};

/// One message in so many is invalid where the two sides are checked against each other.
const INVALID_ONE_IN: u64 = 200;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut given = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("whole numbers"));
    let mut next = |otherwise| given.next().unwrap_or(otherwise);
    let (chains, heights, messages) = (next(20), next(100), next(20));
    let honest = Superchain { chains, messages, invalid_one_in: 0 };
    let flawed = Superchain { invalid_one_in: INVALID_ONE_IN, ..honest };
    // Kona checks single messages only: a height is compared as long as nothing cites what was invalid below
    // it.
    let agreed = compare(&flawed, 1).await;
    println!("{chains} chains, {heights} heights, {messages} messages a block");
    println!("both sides call the same {agreed} of {chains} chains invalid at a height with flaws");
    measure(&honest, heights).await;
}

/// Holds the two against each other, and says how many chains they call invalid.
async fn compare(superchain: &Superchain, heights: u64) -> usize {
    let (mut kona, mut ours, mut agreed) = (KonaSide::new(superchain), OurSide::new(superchain), 0);
    for number in 0..=heights {
        let blocks = blocks(superchain, number);
        blocks.iter().for_each(|block| kona.add(block));
        let (_, theirs) = kona.resolve(number).await;
        let (_, found) = ours.take(&blocks);
        assert_eq!(theirs, found, "height {number}");
        agreed += found.len();
    }
    assert_ne!(agreed, 0, "nothing was invalid: nothing was compared");
    agreed
}

async fn measure(superchain: &Superchain, heights: u64) {
    let (mut kona, mut ours) = (KonaSide::new(superchain), OurSide::new(superchain));
    let (mut theirs, mut took) = (Duration::ZERO, Took::default());
    for number in 0..=heights {
        let blocks = blocks(superchain, number);
        blocks.iter().for_each(|block| kona.add(block));
        let (height, invalid) = kona.resolve(number).await;
        theirs += height;
        let (height, found) = ours.take(&blocks);
        took.proving += height.proving;
        took.rules += height.rules;
        took.tracking += height.tracking;
        assert!(invalid.is_empty() && found.is_empty());
    }
    let decided = superchain.chains * heights * superchain.messages;
    assert_eq!(ours.valid, decided, "messages that were not found valid");
    let rate = |time: Duration| decided as f64 / time.as_secs_f64();
    let kona_rate = rate(theirs);
    println!("{:<44}{kona_rate:>10.0} messages/s", "kona-interop 0.4.5: its graph, nothing proven");
    for (what, time) in [
        ("crosscheck: the rules, on proven logs", took.rules),
        ("crosscheck: the tracker, on proven logs", took.tracking),
        ("crosscheck: proving receipts, and the rules", took.proving + took.rules),
        ("crosscheck: proving receipts, and the tracker", took.proving + took.tracking),
    ] {
        println!("{what:<44}{:>10.0} messages/s {:>6.1} times", rate(time), rate(time) / kona_rate);
    }
}

fn blocks(superchain: &Superchain, number: u64) -> Vec<PlainBlock> {
    superchain.chain_ids().map(|chain_id| superchain.block(chain_id, number)).collect()
}
