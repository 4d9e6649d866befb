//! What a chain builds, keeps, refuses and replaces.

use super::*;
use crate::chain::block_tree::STATE_HISTORY;
use crate::contracts::bindings::IL1Block;
use crate::contracts::{EMITTER, L1_BLOCK, MESSAGE_PASSER, SEQUENCER_FEE_VAULT, emit_call};
use crate::fixture::{CHAIN_ID, DEPOSIT_CONTRACT, Fixture, GENESIS_TIME, SYSTEM_CONFIG};
use crate::keys::Call;
use crate::l1::{FeeScalars, L1Transaction, SystemConfigContract, UserDeposit};
use alloy::{
    consensus::{
        Header,
        proofs::{ordered_trie_root_encoded, state_root_unhashed, storage_root_unhashed},
    },
    eips::{Decodable2718, eip2930::AccessList, eip7685::EMPTY_REQUESTS_HASH},
    primitives::{Bloom, BloomInput, U256, keccak256},
    rlp,
    sol_types::SolCall,
};
use crosscheck_p2p::UnixSeconds;
use op_alloy::consensus::OpReceiptEnvelope;
use proptest::prelude::*;
use rstest::rstest;

fn emit(fixture: &Fixture, ahead: u64, data: &[u8]) -> Bytes {
    fixture.call(ahead, EMITTER, emit_call(&[B256::ZERO], data), AccessList::default())
}

#[test]
fn a_header_has_the_jovian_shape() {
    let mut fixture = Fixture::new(7);
    let raw = emit(&fixture, 0, b"x");
    let block = fixture.extend(&[raw]);
    let (header, origin) = (&block.header, &fixture.l1.head().header);
    assert_eq!(header.number, 1);
    assert_eq!(header.timestamp, GENESIS_TIME + 2);
    assert_eq!(header.parent_hash, fixture.chain.genesis().hash);
    assert_eq!(header.mix_hash, origin.mix_hash);
    assert_eq!(header.parent_beacon_block_root, origin.parent_beacon_block_root);
    assert_eq!(header.beneficiary, SEQUENCER_FEE_VAULT);
    assert_eq!(header.requests_hash, Some(EMPTY_REQUESTS_HASH));
    assert_eq!(header.extra_data.len(), 17);
    assert_eq!(header.excess_blob_gas, Some(0));
    assert_eq!(header.gas_used, block.receipts[1].cumulative_gas_used());
    let state = fixture.chain.state(block.hash).unwrap();
    assert_eq!(header.state_root, state.root());
    assert_eq!(header.withdrawals_root, Some(state.storage_root(MESSAGE_PASSER)));
    assert!(matches!(block.transactions[0], OpTxEnvelope::Deposit(_)));
    assert!(!block.is_deposits_only());
}

#[test]
fn genesis_state_root_is_the_root_of_its_accounts() {
    let fixture = Fixture::new(7);
    let genesis = fixture.chain.genesis();
    let state = fixture.chain.state(genesis.hash).unwrap();
    let mut addresses: Vec<Address> = crate::contracts::PREDEPLOYS.iter().map(|it| it.address).collect();
    addresses.push(alloy::eips::eip2935::HISTORY_STORAGE_ADDRESS);
    addresses.push(alloy::eips::eip4788::BEACON_ROOTS_ADDRESS);
    addresses.push(fixture.user.address());
    let accounts = addresses.into_iter().map(|address| {
        let info = state.info(address).unwrap();
        let code_hash = keccak256(info.code.unwrap().original_byte_slice());
        let account = alloy::consensus::TrieAccount {
            nonce: info.nonce,
            balance: info.balance,
            storage_root: storage_root_unhashed([]),
            code_hash,
        };
        (address, account)
    });
    assert_eq!(genesis.header.state_root, state_root_unhashed(accounts));
    assert!(genesis.is_deposits_only());
}

#[test]
fn the_same_seed_gives_the_same_chain() {
    let run = |seed| {
        let mut fixture = Fixture::new(seed);
        for height in 1_u64..=6 {
            if height % 3 == 0 {
                fixture.l1.produce(UnixSeconds(GENESIS_TIME + 2 * height - 1)).unwrap();
            }
            let raw = [emit(&fixture, 0, &height.to_be_bytes()), emit(&fixture, 1, b"second")];
            fixture.extend(&raw);
        }
        fixture.chain.head().hash
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn sequence_numbers_count_the_blocks_of_an_epoch() {
    let mut fixture = Fixture::new(7);
    let numbers = |fixture: &mut Fixture| {
        let block = fixture.extend(&[]);
        (block.l1_origin.number, block.sequence_number)
    };
    assert_eq!(numbers(&mut fixture), (0, 1));
    assert_eq!(numbers(&mut fixture), (0, 2));
    fixture.l1.produce(UnixSeconds(GENESIS_TIME + 6)).unwrap();
    assert_eq!(numbers(&mut fixture), (1, 0));
    assert_eq!(numbers(&mut fixture), (1, 1));
}

#[test]
fn a_reverting_transaction_has_a_failed_receipt() {
    let mut fixture = Fixture::new(7);
    let set = Bytes::from(IL1Block::setL1BlockValuesJovianCall {}.abi_encode());
    let raw = [fixture.call(0, L1_BLOCK, set, AccessList::default()), emit(&fixture, 1, b"after")];
    let block = fixture.extend(&raw);
    let status: Vec<bool> = block.receipts.iter().map(OpReceiptEnvelope::status).collect();
    assert_eq!(status, [true, false, true]);
}

fn call(fixture: &Fixture, change: impl FnOnce(&mut Call)) -> Bytes {
    let mut call = Call {
        chain_id: CHAIN_ID,
        nonce: 0,
        to: EMITTER,
        input: emit_call(&[], &[]),
        value: U256::ZERO,
        access_list: AccessList::default(),
        gas_limit: 100_000,
        max_fee: 2_000_000_000,
    };
    change(&mut call);
    fixture.sign(call)
}

#[rstest]
#[case::nonce_too_high(|call: &mut Call| call.nonce = 1)]
#[case::other_chain(|call: &mut Call| call.chain_id = 902)]
#[case::fee_below_base_fee(|call: &mut Call| call.max_fee = 1_000)]
#[case::beyond_funds(|call: &mut Call| call.max_fee = u128::from(u64::MAX) * 1_000_000)]
#[case::beyond_block_gas(|call: &mut Call| call.gas_limit = 60_000_001)]
#[case::below_intrinsic_gas(|call: &mut Call| call.gas_limit = 21_000)]
fn refuses_an_invalid_transaction(#[case] change: fn(&mut Call)) {
    let mut fixture = Fixture::new(7);
    let raw = call(&fixture, change);
    let (head, l1) = (fixture.chain.head().hash, Arc::clone(fixture.l1.head()));
    let refused = fixture.chain.build(head, &l1, &[raw]).unwrap_err();
    let invalid = matches!(
        refused,
        ChainError::BlockExecution(ExecutorError::InvalidTransaction { number: 1, index: 1, .. })
    );
    assert!(invalid, "{refused}");
    assert!(fixture.chain.build(head, &l1, &[call(&fixture, |_| ())]).is_ok(), "the call itself is fine");
}

#[test]
fn refuses_what_cannot_follow() {
    let mut fixture = Fixture::new(7);
    let (head, l1) = (fixture.chain.head().hash, Arc::clone(fixture.l1.head()));
    let elsewhere = Fixture::new(8).l1.head().as_ref().clone();
    assert!(matches!(fixture.chain.build(head, &elsewhere, &[]), Err(ChainError::Origin(_))));
    assert!(matches!(fixture.chain.build(head, &l1, &[Bytes::new()]), Err(ChainError::Transaction(_))));
    let unknown = fixture.chain.build(B256::ZERO, &l1, &[]);
    assert!(matches!(unknown, Err(ChainError::Tree { source: TreeError::UnknownBlock { .. }, .. })));
}

#[test]
fn a_replacement_keeps_the_attributes_and_drops_the_users() {
    let mut fixture = Fixture::new(7);
    fixture.extend(&[]);
    let parent = fixture.chain.head().hash;
    let raw = emit(&fixture, 0, b"gone");
    let original = fixture.extend(&[raw]);
    let descendant = fixture.extend(&[]);
    let replacement = fixture.chain.deposits_only(original.hash).unwrap();
    assert_eq!(fixture.chain.head().hash, descendant.hash, "building adopts nothing");
    assert!(replacement.is_deposits_only());
    assert_ne!(replacement.hash, original.hash);
    assert_eq!(replacement.header.parent_hash, parent);
    assert_eq!(replacement.raw_transactions[0], original.raw_transactions[0]);
    assert_eq!(replacement.l1_origin, original.l1_origin);
    assert_eq!(replacement.header.timestamp, original.header.timestamp);
    assert_eq!(replacement.header.base_fee_per_gas, original.header.base_fee_per_gas);
    assert_eq!(fixture.chain.deposits_only(replacement.hash).unwrap().hash, replacement.hash);

    fixture.chain.adopt(replacement.hash).unwrap();
    let user = fixture.user.address();
    assert_eq!(fixture.chain.nonce(original.hash, user).unwrap(), 1);
    assert_eq!(fixture.chain.nonce(replacement.hash, user).unwrap(), 0, "its transaction never was");
    assert_eq!(fixture.chain.canonical(2).unwrap().hash, replacement.hash);
    assert!(fixture.chain.canonical(3).is_none());
    assert_eq!(fixture.chain.by_hash(descendant.hash).unwrap().number(), 3);
    let raw = emit(&fixture, 0, b"again");
    assert_eq!(fixture.extend(&[raw]).header.parent_hash, replacement.hash);
}

/// An L1 block with a deposit that calls the emitter, and a change of the fee scalars.
fn epoch_with_deposit(fixture: &mut Fixture, second: u64) -> (UserDeposit, FeeScalars) {
    let deposit = UserDeposit {
        to: Some(EMITTER),
        mint: 1_000,
        value: 0,
        gas_limit: 200_000,
        data: emit_call(&[B256::ZERO], b"deposited"),
    };
    let scalars = FeeScalars { base_fee: 11, blob_base_fee: 22 };
    let config = SystemConfigContract { scalars, ..fixture.l1.pending().system_configs[&SYSTEM_CONFIG] };
    let envelope = |nonce| {
        let raw = fixture.call(nonce, EMITTER, Bytes::new(), AccessList::default());
        alloy::consensus::TxEnvelope::decode_2718_exact(&raw).unwrap()
    };
    let transaction = |nonce, log, sets| L1Transaction {
        envelope: envelope(nonce),
        from: DEPOSITOR,
        logs: vec![log],
        gas_used: 50_000,
        sets,
    };
    let body = vec![
        transaction(0, scalars.update_log(SYSTEM_CONFIG), Some((SYSTEM_CONFIG, config))),
        transaction(1, deposit.log(DEPOSIT_CONTRACT, DEPOSITOR), None),
        transaction(2, deposit.log(Address::repeat_byte(0xee), DEPOSITOR), None),
    ];
    fixture.l1.produce_with(UnixSeconds(GENESIS_TIME + second), body).unwrap();
    (deposit, scalars)
}

const DEPOSITOR: Address = Address::repeat_byte(0xdd);

#[test]
fn the_first_block_of_an_epoch_executes_what_was_deposited_and_takes_the_new_scalars() {
    let mut fixture = Fixture::new(7);
    let (deposit, scalars) = epoch_with_deposit(&mut fixture, 1);
    let raw = emit(&fixture, 0, b"user");
    let block = fixture.extend(&[raw]);
    assert_eq!(block.transactions.len(), 3, "attributes, the portal's deposit, and the user's call");
    let OpTxEnvelope::Deposit(attributes) = &block.transactions[0] else { panic!("no attributes") };
    assert_eq!(attributes.input[4..12], [0, 0, 0, 11, 0, 0, 0, 22], "the new scalars");
    assert_eq!(scalars, FeeScalars { base_fee: 11, blob_base_fee: 22 });
    let OpTxEnvelope::Deposit(deposited) = &block.transactions[1] else { panic!("no deposit") };
    assert_eq!((deposited.from, deposited.mint), (DEPOSITOR, deposit.mint));
    let (_, place, log) = block.logs().next().unwrap();
    assert_eq!((place, log.address, &log.data.data[..]), (1, EMITTER, &b"deposited"[..]));
    let state = fixture.chain.state(block.hash).unwrap();
    assert_eq!(state.info(DEPOSITOR).unwrap().balance, U256::from(deposit.mint), "it was minted");
    let next = fixture.extend(&[]);
    assert_eq!((next.sequence_number, next.transactions.len()), (1, 1), "deposits come once an epoch");
    let replacement = fixture.chain.deposits_only(block.hash).unwrap();
    assert_eq!(replacement.raw_transactions, block.raw_transactions[..2]);
}

#[test]
fn overrides_change_only_what_they_name() {
    let mut fixture = Fixture::new(7);
    let (head, l1) = (fixture.chain.head().hash, Arc::clone(fixture.l1.head()));
    let honest = fixture.chain.build(head, &l1, &[]).unwrap();
    let minimum = BlockOverrides { min_base_fee: Some(9), ..BlockOverrides::default() };
    let other = fixture.chain.build_with(head, &l1, &[], &minimum).unwrap();
    assert_eq!(other.header.extra_data[9..], 9_u64.to_be_bytes());
    let expected = Header { extra_data: other.header.extra_data.clone(), ..honest.header.clone() };
    assert_eq!(other.header, expected);
    let forged = TxDeposit { from: DEPOSITOR, mint: 5, gas_limit: 50_000, ..TxDeposit::default() };
    let forged = BlockOverrides { forged: vec![forged], ..BlockOverrides::default() };
    let other = fixture.chain.build_with(head, &l1, &[], &forged).unwrap();
    assert_eq!(other.raw_transactions[..1], honest.raw_transactions);
    let state = fixture.chain.state(other.hash).unwrap();
    assert_eq!(state.info(DEPOSITOR).unwrap().balance, U256::from(5));
    assert_eq!(fixture.chain.deposits_only(other.hash).unwrap().hash, honest.hash);
}

#[test]
fn chains_may_move_between_tasks() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Chain>();
    shared::<crate::l1::L1>();
}

#[test]
fn genesis_has_no_replacement() {
    let mut fixture = Fixture::new(7);
    let genesis = fixture.chain.genesis().hash;
    assert!(matches!(fixture.chain.deposits_only(genesis), Err(ChainError::GenesisReplaced)));
}

#[test]
fn nothing_is_built_below_the_kept_states() {
    let mut fixture = Fixture::new(7);
    let old = fixture.extend(&[]).hash;
    for _ in 0..STATE_HISTORY {
        fixture.extend(&[]);
    }
    let l1 = Arc::clone(fixture.l1.head());
    let refused = fixture.chain.build(old, &l1, &[]).unwrap_err();
    assert!(matches!(refused, ChainError::Tree { source: TreeError::StateGone { number: 1, .. }, .. }));
}

#[test]
fn output_root_hashes_version_state_withdrawals_and_block() {
    let mut fixture = Fixture::new(7);
    let block = fixture.extend(&[]);
    let output = fixture.chain.output_root(block.hash).unwrap();
    let preimage =
        [[0; 32], block.header.state_root.0, block.header.withdrawals_root.unwrap().0, block.hash.0].concat();
    assert_eq!(output.output_root, keccak256(preimage));
    assert_eq!(fixture.chain.output_root(B256::ZERO), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn roots_are_those_of_the_bytes(
        calls in prop::collection::vec((prop::collection::vec(any::<[u8; 32]>(), 0..=5), prop::collection::vec(any::<u8>(), 0..200)), 0..6)
    ) {
        let mut fixture = Fixture::new(7);
        let raw: Vec<Bytes> = (0..).zip(&calls).map(|(ahead, (topics, data))| {
            let topics: Vec<B256> = topics.iter().map(B256::from).collect();
            fixture.call(ahead, EMITTER, emit_call(&topics, data), AccessList::default())
        }).collect();
        let block = fixture.extend(&raw);
        prop_assert_eq!(&block.raw_transactions[1..], &raw[..]);
        prop_assert_eq!(block.header.transactions_root, ordered_trie_root_encoded(&block.raw_transactions));
        let receipts: Vec<Vec<u8>> = block.receipts.iter().map(Encodable2718::encoded_2718).collect();
        prop_assert_eq!(block.header.receipts_root, ordered_trie_root_encoded(&receipts));
        let header: Header = rlp::Decodable::decode(&mut rlp::encode(&block.header).as_slice()).unwrap();
        prop_assert_eq!(keccak256(rlp::encode(&header)), block.hash);
        // Four topics at most are logged; a call with more reverts and logs nothing.
        let logged: Vec<_> = calls.iter().enumerate().filter(|(_, (topics, _))| topics.len() <= 4).collect();
        let logs: Vec<_> = block.logs().collect();
        prop_assert_eq!(logs.len(), logged.len());
        let mut bloom = Bloom::ZERO;
        for ((position, (call, (topics, data))), (index, transaction, log)) in logged.into_iter().enumerate().zip(logs) {
            prop_assert_eq!((index as usize, transaction), (position, call + 1));
            prop_assert_eq!(log.address, EMITTER);
            prop_assert_eq!(log.topics().iter().map(|topic| topic.0).collect::<Vec<_>>(), topics.clone());
            prop_assert_eq!(&log.data.data[..], &data[..]);
            bloom.accrue(BloomInput::Raw(EMITTER.as_slice()));
            topics.iter().for_each(|topic| bloom.accrue(BloomInput::Raw(topic)));
        }
        prop_assert_eq!(block.header.logs_bloom, bloom);
    }
}

#[test]
fn a_withdrawal_changes_the_withdrawals_root() {
    use crate::contracts::bindings::IL2ToL1MessagePasser::initiateWithdrawalCall;
    let mut fixture = Fixture::new(7);
    let before = fixture.extend(&[]).header.withdrawals_root.unwrap();
    assert_eq!(before, storage_root_unhashed([]));
    let (target, gas, data) = (Address::repeat_byte(1), U256::from(5), Bytes::from_static(b"data"));
    let input = initiateWithdrawalCall { target, gasLimit: gas, data: data.clone() }.abi_encode();
    let raw = fixture.call(0, MESSAGE_PASSER, input.into(), AccessList::default());
    let block = fixture.extend(&[raw]);
    let nonce = U256::ONE << 240;
    let sender = fixture.user.address();
    let withdrawal =
        alloy::sol_types::SolValue::abi_encode_params(&(nonce, sender, target, U256::ZERO, gas, data));
    let slot = keccak256([keccak256(withdrawal), B256::ZERO].concat());
    let expected = storage_root_unhashed([(slot, U256::ONE), (B256::with_last_byte(1), U256::ONE)]);
    assert_eq!(block.header.withdrawals_root, Some(expected));
}
