//! Judging a block allocates by the block, not by the transaction.

use crate::support::{NOW, block, chain, sequencer};
use allocation_counter::measure;
use alloy_primitives::Bytes;
use crosscheck_p2p::{Judgement, Signers, SigningDomain, Topic, ValidationRules, Validator};

/// How many allocations it takes to judge a block of `count` transactions, each long enough to be hashed.
fn allocations(count: usize) -> u64 {
    let envelope = block(5, vec![Bytes::from_static(&[2; 60]); count]);
    let frame = envelope.sign(&sequencer(), SigningDomain::Zero, chain()).unwrap().frame();
    let signers = Signers::of(sequencer().address());
    let mut validator = Validator::new(ValidationRules::new(chain()));
    let mut accepted = false;
    let info = measure(|| {
        let judgement = validator.judge(Topic::BlocksV4, &frame, &signers, NOW);
        accepted = matches!(judgement, Judgement::Accept(_));
    });
    assert!(accepted);
    info.count_total
}

/// Both blocks are small enough to be judged on one thread, the only one that is counted.
#[test]
fn allocations_do_not_grow_with_the_number_of_transactions() {
    allocations(1); // What is set up once, is by now.
    let (few, many) = (allocations(200), allocations(1_600));
    assert!(many < few + 32, "{few} allocations for 200 transactions, {many} for 1,600");
}
