//! Blocks with metering transactions, in the JSON of op-geth and of op-reth.

use super::*;
use crate::consolidation::{BlockAttributes, Metering};
use crate::proof::{HashedReceipt, ProvenLogs};
use alloy::consensus::proofs::{calculate_receipt_root, ordered_trie_root_encoded};
use alloy::consensus::{Header as Consensus, Receipt};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{B256, Bloom, hex, keccak256};
use alloy::rpc::types::Header;
use op_alloy::consensus::{OpReceiptEnvelope, TxDeposit};
use op_alloy::rpc_types::OpTransactionReceipt;
use rstest::rstest;
use serde_json::{Value, json};

/// Metering of block 42, as op-core's test has it.
const METERING: [u8; 10] = hex!("7dc8012ac5c4018209c4");

/// op-geth's marshaller: every other field is there and null.
fn of_op_geth() -> Value {
    json!({
        "blockHash": B256::ZERO, "blockNumber": "0x2a", "from": "0x0000000000000000000000000000000000000000", "gas": "0x0",
        "gasPrice": "0x0", "hash": keccak256(METERING), "input": "0xc8012ac5c4018209c4", "nonce": "0x0", "to": null,
        "transactionIndex": "0x1", "value": "0x0", "type": "0x7d", "v": "0x0", "r": "0x0", "s": "0x0",
    })
}

/// op-alloy's serialiser.
fn of_op_reth() -> Value {
    json!({
        "hash": keccak256(METERING), "type": "0x7d", "gas": "0x0", "value": "0x0", "input": "0xc8012ac5c4018209c4",
        "blockHash": B256::ZERO, "blockNumber": "0x2a", "transactionIndex": "0x1",
        "from": "0x0000000000000000000000000000000000000000", "gasPrice": "0x0",
    })
}

fn receipts() -> Vec<OpReceiptEnvelope> {
    let receipt = |used| Receipt::<alloy::primitives::Log> {
        status: true.into(),
        cumulative_gas_used: used,
        logs: vec![],
    };
    let deposit = op_alloy::consensus::OpDepositReceipt {
        inner: receipt(21_000),
        deposit_nonce: Some(3),
        deposit_receipt_version: Some(1),
    };
    let logs_bloom = Bloom::ZERO;
    vec![
        OpReceiptEnvelope::Deposit(op_alloy::consensus::OpDepositReceiptWithBloom {
            receipt: deposit,
            logs_bloom,
        }),
        OpReceiptEnvelope::PostExec(alloy::consensus::ReceiptWithBloom {
            receipt: receipt(21_000),
            logs_bloom,
        }),
    ]
}

/// A block of a deposit and this transaction.
fn block(metering: &Value) -> String {
    answer(metering).to_string()
}

fn answer(metering: &Value) -> Value {
    let deposit = TxDeposit { gas_limit: 21_000, ..TxDeposit::default() };
    let encoded: [Bytes; 2] = [deposit.encoded_2718().into(), METERING.into()];
    let header = Consensus {
        number: 42,
        transactions_root: ordered_trie_root_encoded(&encoded),
        receipts_root: calculate_receipt_root(&receipts()),
        ..Consensus::default()
    };
    let mut answer = serde_json::to_value(Header::new(header)).unwrap();
    let mut first = serde_json::to_value(op_alloy::consensus::OpTxEnvelope::from(deposit)).unwrap();
    first["nonce"] = json!("0x3");
    answer["uncles"] = json!([]);
    answer["transactions"] = json!([first, metering]);
    answer
}

/// What clients write that no hash covers, or covers in another spelling.
#[rstest]
#[case::a_system_flag_as_a_boolean(|block: &mut Value| block["transactions"][0]["isSystemTx"] = json!(false))]
#[case::a_system_flag_of_null(|block: &mut Value| block["transactions"][0]["isSystemTx"] = Value::Null)]
#[case::a_system_flag_as_a_quantity(|block: &mut Value| block["transactions"][0]["isSystemTx"] = json!("0x0"))]
#[case::a_mint_of_null(|block: &mut Value| block["transactions"][0]["mint"] = Value::Null)]
#[case::a_price_that_is_none(|block: &mut Value| block["transactions"][0]["gasPrice"] = json!("ab3"))]
#[case::a_time_that_is_none(|block: &mut Value| block["transactions"][0]["blockTimestamp"] = json!([]))]
#[case::a_signature_that_is_none(|block: &mut Value| block["transactions"][0]["v"] = json!(false))]
#[case::a_size_that_is_none(|block: &mut Value| block["size"] = json!("ab3"))]
#[case::a_total_difficulty_that_is_none(|block: &mut Value| block["totalDifficulty"] = json!("ab3"))]
#[case::uncles_that_are_none(|block: &mut Value| block["uncles"] = Value::Null)]
#[case::withdrawals_that_are_none(|block: &mut Value| block["withdrawals"] = json!({}))]
#[case::no_uncles(|block: &mut Value| drop(block.as_object_mut().unwrap().remove("uncles")))]
fn fields_that_no_hash_covers_are_ignored(#[case] change: fn(&mut Value)) {
    for metering in [of_op_geth(), of_op_reth()] {
        let mut changed = answer(&metering);
        change(&mut changed);
        let block = read_block(&changed.to_string()).unwrap().unwrap();
        assert_eq!(Some(block), read_block(&answer(&metering).to_string()).unwrap());
    }
}

#[rstest]
#[case::the_system_flag(|block: &mut Value| block["transactions"][0]["isSystemTx"] = json!(true))]
#[case::the_mint(|block: &mut Value| block["transactions"][0]["mint"] = json!("0x1"))]
#[case::the_gas_limit(|block: &mut Value| block["gasLimit"] = json!("0x1"))]
#[case::the_hash(|block: &mut Value| block["hash"] = json!(B256::ZERO))]
fn fields_that_a_hash_covers_are_checked_against_it(#[case] change: fn(&mut Value)) {
    let mut changed = answer(&of_op_geth());
    changed["transactions"][0]["isSystemTx"] = json!(false);
    change(&mut changed);
    assert!(matches!(read_block(&changed.to_string()), Err(ReadBlockError::Block(_))));
}

#[rstest]
#[case::op_geth(of_op_geth())]
#[case::op_reth(of_op_reth())]
fn a_block_with_metering_is_read_with_its_receipts(#[case] metering: Value) {
    let block = read_block(&block(&metering)).unwrap().unwrap();
    assert_eq!(block.transactions().len(), 2);
    assert_eq!(block.transactions()[1].as_ref(), METERING);
    assert!(!block.is_deposits_only());
    let attributes = BlockAttributes::of_block(&block);
    assert_eq!(attributes.metering, Metering::Last { block_number: 42 });
    let replacement = attributes.with_deposits_only();
    assert_eq!((replacement.transactions.len(), replacement.metering), (1, Metering::None));
    assert!(!attributes.is_deposits_only() && replacement.is_deposits_only());
    assert_eq!(block.inbox_keys().undecodable, 0);

    let common = |index: u64, kind: &str| {
        json!({
            "transactionHash": keccak256([0]), "transactionIndex": format!("{index:#x}"), "blockHash": block.hash(),
            "blockNumber": "0x2a", "from": "0x0000000000000000000000000000000000000000", "to": null,
            "cumulativeGasUsed": "0x5208", "gasUsed": "0x0", "effectiveGasPrice": "0x0", "contractAddress": null,
            "logs": [], "logsBloom": Bloom::ZERO, "status": "0x1", "type": kind,
        })
    };
    let (mut deposit, mut metering) = (common(0, "0x7e"), common(1, "0x7d"));
    deposit["depositNonce"] = json!("0x3");
    deposit["depositReceiptVersion"] = json!("0x1");
    metering["opGasRefund"] = json!("0x9c4");
    let receipts: Vec<OpTransactionReceipt> = serde_json::from_value(json!([deposit, metering])).unwrap();
    assert!(ProvenLogs::prove(901.into(), &block, &receipts).is_ok());

    for (field, value) in [("l1Fee", json!("ab3")), ("gasUsed", Value::Null), ("l1GasPrice", json!([]))] {
        deposit[field] = value;
        let answer = json!([deposit, metering]);
        assert!(serde_json::from_value::<Vec<OpTransactionReceipt>>(answer.clone()).is_err(), "{field}");
        let receipts = answer.as_array().unwrap().iter();
        let receipts: Vec<_> = receipts.map(|one| HashedReceipt::read(&one.to_string()).unwrap()).collect();
        assert!(ProvenLogs::prove_hashed(901.into(), &block, &receipts).is_ok(), "{field}");
    }
}

#[rstest]
#[case::another_input(|transaction: &mut Value| transaction["input"] = json!("0xc8012ac5c4018209c5"))]
#[case::no_input(|transaction: &mut Value| transaction["input"] = Value::Null)]
#[case::another_type(|transaction: &mut Value| transaction["type"] = json!("0x7b"))]
fn an_invalid_answer_is_refused(#[case] change: fn(&mut Value)) {
    let mut metering = of_op_geth();
    change(&mut metering);
    assert!(read_block(&block(&metering)).is_err());
}

#[test]
fn an_answer_without_a_block() {
    assert_eq!(read_block("null").unwrap(), None);
    assert!(matches!(read_block("{}"), Err(ReadBlockError::Field(_))));
}
