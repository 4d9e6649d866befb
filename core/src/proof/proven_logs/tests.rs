//! What is read of a block's logs while they are proven.

use super::*;
use crate::message::Identifier;
use crate::transfers::{
    Asset, Initiated, L2_TO_L2_MESSENGER, Relayed, Transfer, at_stake, relay_logs, send_logs,
};
use alloy::consensus::{Eip658Value, Header};
use alloy::primitives::{Bloom, Bytes, Log, U256};

fn receipt(logs: Vec<Log>) -> HashedReceipt {
    HashedReceipt {
        tx_type: 2,
        status: Eip658Value::Eip658(true),
        cumulative_gas_used: 0,
        bloom: Bloom::ZERO,
        logs,
        deposit: None,
        encoding: None,
    }
}

fn prove(transactions: Vec<Vec<Log>>) -> ProvenLogs {
    let receipts: Vec<_> = transactions.into_iter().map(receipt).collect();
    let receipts_root = ordered_trie_root_with_encoder(&receipts, HashedReceipt::encode);
    let header = Header { receipts_root, number: 7, ..Header::default() };
    let block = VerifiedBlock::verify_parts(header.hash_slow(), header, Vec::new()).unwrap();
    ProvenLogs::prove_hashed(ChainId::from(130), &block, &receipts).unwrap()
}

fn noise() -> Log {
    Log::new_unchecked(Address::repeat_byte(9), vec![B256::repeat_byte(1)], Bytes::new())
}

fn transfer(source: u64, destination: u64) -> Transfer {
    Transfer {
        source: source.into(),
        destination: destination.into(),
        nonce: U256::from(3),
        asset: Asset::Eth,
        from: Address::repeat_byte(1),
        to: Address::repeat_byte(2),
        amount: U256::from(1_500_000_000_000_000_000_u64),
    }
}

#[test]
fn transfers_are_read_while_logs_are_proven() {
    let cited = Identifier {
        origin: L2_TO_L2_MESSENGER,
        block_number: 5,
        log_index: 2,
        timestamp: UnixSeconds(100),
        chain_id: ChainId::from(10),
    };
    let (sent, relayed) = (transfer(130, 10), transfer(10, 130));
    let logs = prove(vec![
        vec![noise()],
        [vec![noise()], send_logs(&sent).to_vec()].concat(),
        relay_logs(&relayed, &cited).to_vec(),
    ]);
    let found = logs.transfers();
    let [Initiated { log_index: 2, transaction_index: 1, transfer, .. }] = found.initiated() else {
        panic!("one transfer is initiated: {found:?}")
    };
    assert_eq!(*transfer, sent);
    let [Relayed { log_index: 6, transaction_index: 2, transfer, .. }] = found.relayed() else {
        panic!("one transfer is executed: {found:?}")
    };
    assert_eq!(*transfer, relayed);
    assert_eq!((found.relayed()[0].cited, found.odd_count()), (Some(cited), 0));
    // The payload hash of the transfer is the one that the initiating log has on its own chain.
    let initiating = prove(vec![send_logs(&sent).to_vec()]);
    assert_eq!(initiating.log(0).unwrap().payload_hash, sent.payload_hash());
    let executed = logs.executed()[0].message;
    let stake = at_stake(logs.chain_id(), found, &[executed]).unwrap();
    assert_eq!(stake.to_string(), "would mint 1.5 ETH on chain 130");
}

#[test]
fn transfers_count_towards_the_weight() {
    let without = prove(vec![vec![noise(), noise()]]);
    let with = prove(vec![send_logs(&transfer(130, 10)).to_vec()]);
    assert_eq!(*without.transfers(), BlockTransfers::default());
    assert_eq!(with.weight() - without.weight(), size_of::<Initiated>());
}
