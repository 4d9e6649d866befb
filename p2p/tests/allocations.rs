//! Judging a block allocates by the block, not by the transaction.

#![allow(clippy::expect_used, reason = "what is impossible here should fail the test at once")]

use allocation_counter::measure;
use alloy_primitives::{Address, B256, Bloom, Bytes, U256};
use crosscheck_p2p::{
    BlockSigner, ChainId, Envelope, ExecutionPayload, Judgement, Signers, SigningDomain, Topic, UnixSeconds,
    ValidationRules, Validator,
};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// How many allocations it takes to judge a block of `count` transactions, each long enough to be hashed.
fn allocations(count: usize) -> u64 {
    let signer = BlockSigner::from_bytes(&B256::repeat_byte(0x11)).expect("a valid key");
    let chain = ChainId::from(901);
    let frame = envelope(count).sign(&signer, SigningDomain::Zero, chain).expect("it fits").frame();
    let signers = Signers { unsafe_block_signer: Some(signer.address()), attester: None };
    let mut validator = Validator::new(ValidationRules::new(chain));
    let mut accepted = false;
    let info = measure(|| {
        let judgement = validator.judge(Topic::BlocksV4, &frame, &signers, NOW);
        accepted = matches!(judgement, Judgement::Accept(_));
    });
    assert!(accepted);
    info.count_total
}

fn envelope(count: usize) -> Envelope {
    let parent_beacon_block_root = B256::repeat_byte(8);
    let mut payload = ExecutionPayload {
        parent_hash: B256::repeat_byte(1),
        fee_recipient: Address::repeat_byte(2),
        state_root: B256::repeat_byte(3),
        receipts_root: B256::repeat_byte(4),
        logs_bloom: Bloom::ZERO,
        prev_randao: B256::repeat_byte(6),
        number: 5,
        gas_limit: 60_000_000,
        gas_used: 21_000,
        timestamp: NOW,
        extra_data: Bytes::from_static(&[1; 17]),
        base_fee_per_gas: U256::from(1_000_000),
        block_hash: B256::ZERO,
        transactions: vec![Bytes::from_static(&[2; 60]); count],
        withdrawals: Vec::new(),
        blob_gas_used: 12_345,
        excess_blob_gas: 0,
        withdrawals_root: B256::repeat_byte(9),
    };
    payload.block_hash = payload.recompute_hash(parent_beacon_block_root);
    Envelope { parent_beacon_block_root, payload }
}

/// Both blocks are small enough to be judged on one thread, the only one that is counted.
#[test]
fn eight_times_the_transactions_take_a_few_allocations_more() {
    allocations(1); // What is set up once, is by now.
    let (few, many) = (allocations(200), allocations(1_600));
    assert!(many < few + 32, "{few} allocations for 200 transactions, {many} for 1,600");
}
