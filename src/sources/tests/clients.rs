//! The JSON of each client that Crosscheck reads from, by what is known of it in public: whatever no hash
//! covers may be of any shape, whatever a hash covers must be what it was.
//!
//! | client | what it does otherwise than op-geth |
//! | --- | --- |
//! | op-reth | writes what is zero or not set, adds fee scalars to receipts and times to logs |
//! | Nethermind | a deposit's flag as a boolean, `null` for what is not there, `error` in receipts, `author` in blocks |
//! | erigon | no parity beside `v`, prices without 0x, no `uncles` and no `withdrawals` |

use super::{client, honest};
use crate::sources::{ExecutionClient, SourceError};
use alloy::primitives::B256;
use crosscheck_core::proof::{ProvenLogs, VerifiedBlock};
use crosscheck_devnet::serve::{RunningServer, start};
use jsonrpsee::RpcModule;
use jsonrpsee::types::ErrorObjectOwned;
use parking_lot::Mutex;
use rstest::rstest;
use serde_json::{Value, json};
use std::sync::Arc;

/// A block, and its receipts.
type Answers = (Value, Value);

/// A server that answers what a test lets it.
struct Scripted {
    answers: Arc<Mutex<Answers>>,
    server: RunningServer,
}

impl Scripted {
    async fn start() -> Self {
        let answers = Arc::new(Mutex::new(honest()));
        let mut module = RpcModule::new(Arc::clone(&answers));
        module.register_method("eth_getBlockByNumber", |_, answers, _| answers.lock().0.clone()).unwrap();
        module.register_method("eth_getBlockReceipts", |_, answers, _| answers.lock().1.clone()).unwrap();
        Self { answers, server: start(module).await.unwrap() }
    }

    /// What is read of these answers, by a client that remembers nothing.
    async fn read(&self, answers: Answers) -> Result<(VerifiedBlock, Arc<ProvenLogs>), SourceError> {
        *self.answers.lock() = answers;
        let client: ExecutionClient = client(&[&self.server]);
        let block = client.block_by_number(1).await?.unwrap();
        let logs = client.logs(&block).await?.unwrap();
        Ok((block, logs))
    }
}

fn edit(values: &mut Value, edit: impl Fn(&mut serde_json::Map<String, Value>)) {
    values.as_array_mut().unwrap().iter_mut().for_each(|value| edit(value.as_object_mut().unwrap()));
}

fn op_geth((block, receipts): &mut Answers) {
    block["uncles"] = json!([]);
    block["withdrawals"] = json!([]);
    block["size"] = json!("0x3e8");
    edit(&mut block["transactions"], |transaction| {
        if transaction["type"] == "0x7e" {
            transaction.retain(|name, _| !["isSystemTx", "accessList", "chainId"].contains(&name.as_str()));
            transaction.insert("depositReceiptVersion".into(), json!("0x1"));
            transaction.extend(["v", "r", "s"].map(|name| (name.into(), json!("0x0"))));
        }
    });
    edit(receipts, |receipt| {
        receipt.insert("l1FeeScalar".into(), json!("0.684"));
        receipt.insert("l1Fee".into(), json!("0x0"));
        receipt.insert("blobGasUsed".into(), json!("0x0"));
    });
}

fn op_reth((block, receipts): &mut Answers) {
    block["totalDifficulty"] = json!("0x0");
    block["blockAccessList"] = Value::Null;
    edit(&mut block["transactions"], |transaction| {
        if transaction["type"] == "0x7e" {
            transaction.insert("isSystemTx".into(), json!("0x0"));
            transaction.insert("mint".into(), json!("0x0"));
        }
        transaction.insert("blockTimestamp".into(), json!("0x6955b900"));
    });
    edit(receipts, |receipt| {
        for name in ["l1BaseFeeScalar", "operatorFeeScalar", "operatorFeeConstant", "daFootprintGasScalar"] {
            receipt.insert(name.into(), json!("0x1ffff"));
        }
        edit(&mut receipt["logs"], |log| drop(log.insert("blockTimestamp".into(), json!("0x6955b900"))));
    });
}

fn nethermind((block, receipts): &mut Answers) {
    block["author"] = block["miner"].clone();
    block["totalDifficulty"] = json!("0");
    edit(&mut block["transactions"], |transaction| {
        if transaction["type"] == "0x7e" {
            transaction.insert("isSystemTx".into(), json!(false));
            transaction.insert("mint".into(), Value::Null);
            transaction.insert("depositReceiptVersion".into(), json!("0x1"));
        }
        transaction.insert("gasPrice".into(), Value::Null);
    });
    edit(receipts, |receipt| {
        receipt.insert("error".into(), Value::Null);
        receipt.insert("to".into(), Value::Null);
        receipt.insert("l1FeeScalar".into(), json!(684));
        edit(&mut receipt["logs"], |log| drop(log.insert("transactionLogIndex".into(), json!("0x0"))));
    });
}

fn erigon((block, receipts): &mut Answers) {
    let fields = block.as_object_mut().unwrap();
    fields.retain(|name, _| !["uncles", "withdrawals", "size"].contains(&name.as_str()));
    edit(&mut block["transactions"], |transaction| drop(transaction.remove("yParity")));
    edit(receipts, |receipt| {
        receipt.insert("blobGasPrice".into(), json!("ab3"));
        receipt.remove("effectiveGasPrice");
        edit(&mut receipt["logs"], |log| drop(log.insert("removed".into(), Value::Null)));
    });
}

#[rstest]
#[case::op_geth(op_geth)]
#[case::op_reth(op_reth)]
#[case::nethermind(nethermind)]
#[case::erigon(erigon)]
#[tokio::test]
async fn every_client_is_read_the_same_way(#[case] dialect: fn(&mut Answers)) {
    let scripted = Scripted::start().await;
    let expected = scripted.read(honest()).await.unwrap();
    let mut answers = honest();
    dialect(&mut answers);
    assert_eq!(scripted.read(answers).await.unwrap(), expected);
}

/// Shapes that a client might write.
fn shapes() -> [Value; 6] {
    [Value::Null, json!(true), json!("ab3"), json!([{}]), json!({ "a": 1 }), json!(1.5)]
}

/// What of a block is hashed, by the place of its object.
const HEADER: &[&str] = &[
    "hash",
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
];
/// What only some headers have.
const LATER: &[&str] = &[
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "requestsHash",
    "blockAccessListHash",
    "slotNumber",
];
const DEPOSIT: &[&str] = &["type", "sourceHash", "from", "to", "mint", "value", "gas", "isSystemTx", "input"];
const DYNAMIC_FEE: &[&str] = &[
    "type",
    "chainId",
    "nonce",
    "maxPriorityFeePerGas",
    "maxFeePerGas",
    "gas",
    "to",
    "value",
    "input",
    "accessList",
    "yParity",
    "r",
    "s",
];
const RECEIPT: &[&str] = &["type", "status", "cumulativeGasUsed", "logsBloom", "logs"];
const DEPOSIT_RECEIPT: &[&str] =
    &["type", "status", "cumulativeGasUsed", "logsBloom", "logs", "depositNonce", "depositReceiptVersion"];
const LOG: &[&str] = &["address", "topics", "data"];

/// The objects of the answers: where they are, and what of them is hashed.
fn objects() -> [(&'static str, Vec<&'static str>); 6] {
    [
        ("/0", [HEADER, LATER, &["transactions"]].concat()),
        ("/0/transactions/0", DEPOSIT.to_vec()),
        ("/0/transactions/1", DYNAMIC_FEE.to_vec()),
        ("/1/0", DEPOSIT_RECEIPT.to_vec()),
        ("/1/1", RECEIPT.to_vec()),
        ("/1/1/logs/0", LOG.to_vec()),
    ]
}

/// The honest answers with another value in a place. `None`: with nothing there.
fn varied(object: &str, field: &str, value: Option<Value>) -> Answers {
    let (block, receipts) = honest();
    let mut answers = json!([block, receipts]);
    let fields = answers.pointer_mut(object).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => drop(fields.insert(field.to_owned(), value)),
        None => drop(fields.remove(field)),
    }
    (answers[0].take(), answers[1].take())
}

/// Names that clients are known to write, and one that none does.
#[tokio::test]
async fn fields_that_no_hash_covers_may_have_any_value() {
    let scripted = Scripted::start().await;
    let (block, receipts) = honest();
    let answers = json!([block, receipts]);
    let expected = scripted.read(honest()).await.unwrap();
    let mut tried = 0;
    for (object, hashed) in objects() {
        let fields = answers.pointer(object).unwrap().as_object().unwrap().keys().map(String::as_str);
        let known = ["uncles", "size", "l1FeeScalar", "v", "of_tomorrow", "beneficiary", "root"];
        for field in fields.chain(known).filter(|field| !hashed.contains(field)) {
            for shape in shapes().map(Some).into_iter().chain([None]) {
                let reported = format!("{object}/{field}: {shape:?}");
                let read = scripted.read(varied(object, field, shape)).await;
                assert_eq!(
                    read.unwrap_or_else(|error| panic!("{reported}: {error}")),
                    expected,
                    "{reported}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "{tried}");
}

/// Whether a shape is one of the ways in which clients write what the honest answers hold there.
fn is_spelling(object: &str, field: &str, shape: &Value) -> bool {
    let is_unset = matches!(field, "isSystemTx" | "mint") || LATER.contains(&field);
    let is_written = honest().0.pointer(&format!("{}/{field}", object.trim_start_matches("/0"))).is_some();
    (is_unset && !is_written && shape.is_null())
        || (field == "mint" && shape.is_null())
        || (field == "isSystemTx" && shape.is_null())
        || (matches!(field, "accessList" | "yParity") && shape.is_null())
}

#[tokio::test]
async fn an_invalid_hashed_field_is_refused_by_its_name() {
    let scripted = Scripted::start().await;
    for (object, hashed) in objects() {
        for field in hashed {
            for shape in shapes() {
                if is_spelling(object, field, &shape) {
                    continue;
                }
                let reported = format!("{object}/{field}: {shape}");
                let Err(error) = scripted.read(varied(object, field, Some(shape.clone()))).await else {
                    panic!("{reported} was read")
                };
                let reported = format!("{reported}: {error}");
                assert!(matches!(error, SourceError::Untrustworthy { .. }), "{reported}");
                // What is left out, or can be read as a value of its kind, is another block's: the hash
                // tells.
                let one = format!("{} 0", field.trim_end_matches('s'));
                let names =
                    [format!("`{field}"), format!(".{field}`"), one, "hash to".into(), "hashes to".into()];
                let is_of_its_kind = shape.is_null() || (field == "isSystemTx" && shape == json!(true));
                let names = if is_of_its_kind { &names[..] } else { &names[..3] };
                assert!(names.iter().any(|name| reported.contains(name)), "{reported}");
            }
        }
    }
}

/// A value of the right kind, and another one.
#[tokio::test]
async fn a_changed_hashed_field_is_refused() {
    let scripted = Scripted::start().await;
    let (block, receipts) = honest();
    let answers = json!([block, receipts]);
    for (object, hashed) in objects() {
        for field in hashed {
            let written = answers.pointer(&format!("{object}/{field}"));
            let other = match written {
                Some(Value::String(text)) if text.len() > 2 => {
                    let flipped = if text.ends_with('1') { '2' } else { '1' };
                    json!(format!("{}{flipped}", &text[..text.len() - 1]))
                }
                Some(Value::Array(list)) if !list.is_empty() => json!(&list[1..]),
                _ if ["isSystemTx", "mint", "nonce"].contains(&field) => json!("0x1"),
                _ => continue,
            };
            let Err(error) = scripted.read(varied(object, field, Some(other.clone()))).await else {
                panic!("{object}/{field}: {other} was read")
            };
            assert!(
                matches!(error, SourceError::Untrustworthy { .. } | SourceError::Unread { .. }),
                "{object}/{field}: {error}"
            );
        }
    }
}

/// What a node answers that has not caught up, or has lost a part of its data, is not a fact, neither of a
/// block nor of its logs; and it is not a reason to distrust the node. What contradicts the hashes is.
#[rstest]
#[case::no_receipts(|answers: &mut Answers| answers.1 = json!([]), "0 of the receipts")]
#[case::the_last_receipt_lost(|answers: &mut Answers| drop(answers.1.as_array_mut().unwrap().pop()), "3 of the receipts")]
#[case::no_transactions(|answers: &mut Answers| answers.0["transactions"] = json!([]), "none of its transactions")]
#[tokio::test]
async fn an_endpoint_that_is_behind_is_reported_as_behind(
    #[case] lose: fn(&mut Answers),
    #[case] reported: &str,
) {
    let scripted = Scripted::start().await;
    let mut answers = honest();
    lose(&mut answers);
    let error = scripted.read(answers).await.unwrap_err();
    assert!(matches!(error, SourceError::Incomplete { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(reported) && text.contains("it is behind") && !text.contains("trust"), "{text}");
}

#[rstest]
#[case::in_another_order(|answers: &mut Answers| answers.1.as_array_mut().unwrap().reverse(), "hash to")]
#[case::a_transaction_less(|answers: &mut Answers| drop(answers.0["transactions"].as_array_mut().unwrap().pop()), "hash to")]
#[case::only_their_hashes(
    |answers: &mut Answers| answers.0["transactions"] = json!([B256::repeat_byte(1)]),
    "without its transactions"
)]
#[tokio::test]
async fn an_answer_that_contradicts_the_hashes_is_untrustworthy(
    #[case] lie: fn(&mut Answers),
    #[case] reported: &str,
) {
    let scripted = Scripted::start().await;
    let mut answers = honest();
    lie(&mut answers);
    let error = scripted.read(answers).await.unwrap_err();
    assert!(matches!(error, SourceError::Untrustworthy { .. }), "{error}");
    assert!(error.to_string().contains(reported), "{error}");
}

/// Receipts of a type that nobody knows, with these encodings in the debug namespace.
async fn unknown_receipts(answers: Answers, encodings: Option<Value>) -> RunningServer {
    let mut module = RpcModule::new(answers);
    module.register_method("eth_getBlockByNumber", |_, answers, _| answers.0.clone()).unwrap();
    module.register_method("eth_getBlockReceipts", |_, answers, _| answers.1.clone()).unwrap();
    module
        .register_method("debug_getRawReceipts", move |_, _, _| {
            encodings.clone().ok_or_else(|| ErrorObjectOwned::owned(-32_601, "no such method", None::<()>))
        })
        .unwrap();
    start(module).await.unwrap()
}

mod unknown_types {
    use super::*;
    use alloy::consensus::Header;
    use alloy::consensus::proofs::ordered_trie_root_with_encoder;
    use alloy::primitives::Bytes;
    use alloy::rlp::{Encodable, Header as List};
    use crosscheck_core::proof::HashedReceipt;

    /// The honest block whose second receipt is of type 0x7b, with or without a field of its own, and what
    /// encodes so.
    fn block(has_own_field: bool) -> (Answers, Vec<Bytes>) {
        let (mut block, mut receipts) = honest();
        receipts[1]["type"] = json!("0x7b");
        let read = receipts.as_array().unwrap().iter();
        let read = read.map(|receipt| HashedReceipt::read(&receipt.to_string()).unwrap());
        let encodings: Vec<Bytes> = read
            .map(|receipt| {
                let mut out = Vec::new();
                receipt.encode(&mut out);
                if receipt.tx_type == 0x7b && has_own_field {
                    out = with_own_field(&out);
                }
                out.into()
            })
            .collect();
        let root =
            ordered_trie_root_with_encoder(&encodings, |encoding, out| out.extend_from_slice(encoding));
        block["receiptsRoot"] = json!(root);
        let header: Header = serde_json::from_value(block.clone()).unwrap();
        block["hash"] = json!(header.hash_slow());
        ((block, receipts), encodings)
    }

    /// One more field at the end, as celo's receipts have.
    fn with_own_field(encoding: &[u8]) -> Vec<u8> {
        let mut fields = &encoding[1..];
        let fields = List::decode_bytes(&mut fields, true).unwrap();
        let mut out = vec![0x7b];
        List { list: true, payload_length: fields.len() + 7_u64.length() }.encode(&mut out);
        out.extend_from_slice(fields);
        7_u64.encode(&mut out);
        out
    }

    #[tokio::test]
    async fn an_unknown_receipt_type_with_the_usual_fields_is_proven_by_the_root() {
        let (answers, _) = block(false);
        let server = unknown_receipts(answers, None).await;
        let client = client(&[&server]);
        let block = client.block_by_number(1).await.unwrap().unwrap();
        assert_eq!(client.logs(&block).await.unwrap().unwrap().len(), 3);
    }

    #[tokio::test]
    async fn an_unknown_receipt_type_with_own_fields_is_proven_by_its_encoding() {
        let (answers, encodings) = block(true);
        let server = unknown_receipts(answers, Some(json!(encodings))).await;
        let client = client(&[&server]);
        let block = client.block_by_number(1).await.unwrap().unwrap();
        assert_eq!(client.logs(&block).await.unwrap().unwrap().len(), 3);
    }

    #[rstest]
    #[case::no_such_method(|_: &[Bytes]| None)]
    #[case::no_answer(|_: &[Bytes]| Some(Value::Null))]
    #[case::of_another_type(|encodings: &[Bytes]| Some(json!([encodings[0], encodings[2], encodings[1]])))]
    #[case::cut_off(|encodings: &[Bytes]| Some(json!([encodings[0], encodings[1].slice(..40)])))]
    #[tokio::test]
    async fn an_unknown_receipt_type_without_its_encoding_is_named(
        #[case] reported: fn(&[Bytes]) -> Option<Value>,
    ) {
        let (answers, encodings) = block(true);
        let server = unknown_receipts(answers, reported(&encodings)).await;
        let client = client(&[&server]);
        let block = client.block_by_number(1).await.unwrap().unwrap();
        let error = client.logs(&block).await.unwrap_err();
        assert!(matches!(error, SourceError::Unread { .. }), "{error}");
        assert!(error.to_string().contains("receipt 1 is of type 0x7b"), "{error}");
    }

    /// Another block's encoding is not proof, and somebody's fault.
    #[tokio::test]
    async fn another_encoding_of_the_type_proves_nothing() {
        let (answers, mut encodings) = block(true);
        encodings[1] = with_own_field(&encodings[1]).into();
        let server = unknown_receipts(answers, Some(json!(encodings))).await;
        let client = client(&[&server]);
        let block = client.block_by_number(1).await.unwrap().unwrap();
        let error = client.logs(&block).await.unwrap_err();
        assert!(matches!(error, SourceError::Untrustworthy { .. }), "{error}");
    }
}
