//! `crosscheck envelope build`: what it makes is what the network takes, and what it cannot make it refuses.

use super::frames::{CHAIN, TIME, envelope};
use super::{FAILED, OK, USAGE, assert_code, json, run, run_with_input, stderr, stdout};
use alloy::consensus::{
    Sealable, Transaction as _,
    transaction::{Recovered, TransactionInfo},
};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, B256, TxKind, U256};
use alloy::rpc::types::Header;
use crosscheck_p2p::{
    BlobFields, BlockSigner, ChainId, ExecutionPayload, Judgement, PayloadVersion, Signers, SigningDomain,
    Topic, UnixSeconds, ValidationRules, Validator, VersionFields,
};
use op_alloy::consensus::{
    OpTxEnvelope, TxDeposit,
    transaction::{OpDepositInfo, OpTransactionInfo},
};
use op_alloy::rpc_types::Transaction;
use rstest::rstest;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Output;
use tempfile::TempDir;

const SECRET: B256 = B256::repeat_byte(0x11);

fn signer() -> Address {
    BlockSigner::from_bytes(&SECRET).unwrap().address()
}

fn deposit() -> OpTxEnvelope {
    let deposit = TxDeposit {
        source_hash: B256::repeat_byte(1),
        from: Address::repeat_byte(2),
        to: TxKind::Call(Address::repeat_byte(3)),
        mint: 4,
        value: U256::from(5),
        gas_limit: 6,
        is_system_transaction: false,
        input: vec![7; 8].into(),
    };
    OpTxEnvelope::Deposit(deposit.seal_slow())
}

fn payload(version: PayloadVersion) -> ExecutionPayload {
    let withdrawals = Vec::new();
    let blobs =
        BlobFields { parent_beacon_block_root: B256::repeat_byte(8), blob_gas_used: 0, excess_blob_gas: 0 };
    let mut payload = envelope(|payload| {
        payload.transactions = vec![deposit().encoded_2718().into()];
        payload.version_fields = match version {
            PayloadVersion::V1 => VersionFields::V1,
            PayloadVersion::V2 => VersionFields::V2 { withdrawals },
            PayloadVersion::V3 => VersionFields::V3 { withdrawals, blobs },
            PayloadVersion::V4 => {
                VersionFields::V4 { withdrawals, blobs, withdrawals_root: B256::repeat_byte(9) }
            }
        };
    })
    .payload;
    payload.block_hash = payload.recompute_hash();
    payload
}

/// The block as an execution client answers it.
fn block(payload: &ExecutionPayload) -> Value {
    let transaction = deposit();
    let info = TransactionInfo {
        hash: Some(transaction.tx_hash()),
        index: Some(0),
        block_hash: Some(payload.block_hash),
        block_number: Some(payload.number),
        base_fee: Some(1_000_000),
        ..TransactionInfo::default()
    };
    assert_eq!(transaction.gas_limit(), 6);
    let meta = OpDepositInfo { deposit_nonce: Some(1), deposit_receipt_version: Some(1) };
    let info = OpTransactionInfo { inner: info, deposit_meta: meta };
    let recovered = Recovered::new_unchecked(transaction, Address::repeat_byte(2));
    let mut block = serde_json::to_value(Header::new(payload.header())).unwrap();
    block["transactions"] = json!([Transaction::from_transaction(recovered, info)]);
    block["uncles"] = json!([]);
    block
}

/// A directory with a block and a key in it.
struct Room(TempDir);

impl Room {
    fn with(block: &Value) -> Self {
        let room = Self(TempDir::new().unwrap());
        std::fs::write(room.path("block.json"), block.to_string()).unwrap();
        std::fs::write(room.path("key"), format!("{SECRET}\n")).unwrap();
        room
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn arguments(&self, flags: &[&str]) -> Vec<String> {
        let path = |name| self.path(name).to_str().unwrap().to_owned();
        let mut arguments: Vec<String> =
            ["envelope", "build", "--chain-id=901", "--key-file"].map(str::to_owned).into();
        arguments.extend([path("key"), path("block.json")]);
        arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
        arguments
    }

    fn build(&self, flags: &[&str]) -> Output {
        run(self.arguments(flags))
    }
}

fn judge(topic: Topic, frame: &[u8]) -> Judgement {
    let mut validator = Validator::new(ValidationRules::new(ChainId::from(CHAIN)));
    let frame = alloy::primitives::Bytes::copy_from_slice(frame);
    validator.judge(topic, &frame, &Signers::of(signer()), UnixSeconds(TIME))
}

#[rstest]
#[case::v1(PayloadVersion::V1, Topic::BlocksV1)]
#[case::v2(PayloadVersion::V2, Topic::BlocksV2)]
#[case::v3(PayloadVersion::V3, Topic::BlocksV3)]
#[case::v4(PayloadVersion::V4, Topic::BlocksV4)]
fn a_block_of_every_version_is_accepted_on_its_topic(#[case] version: PayloadVersion, #[case] topic: Topic) {
    let payload = payload(version);
    let output = Room::with(&block(&payload)).build(&[]);
    assert_code(&output, OK);
    let frame = alloy::hex::decode(stdout(&output).trim()).unwrap();
    let Judgement::Accept(accepted) = judge(topic, &frame) else { panic!("not accepted") };
    assert_eq!(accepted.payload(), &payload);
}

#[test]
fn a_built_frame_can_be_inspected() {
    let payload = payload(PayloadVersion::V3);
    let built = Room::with(&block(&payload)).build(&[]);
    let arguments = ["envelope", "inspect", "--chain-id=901", "--topic=blocksv3", "--at=1800000000", "-"];
    let output = run_with_input(&arguments, &built.stdout);
    assert_code(&output, OK);
    let shown = json(&output);
    assert_eq!(shown["signer"], format!("{:#x}", signer()));
    assert_eq!(shown["block"]["version"], "v3");
    assert_eq!(shown["block"]["hash"], payload.block_hash.to_string());
    let early = [&arguments[..5], &["--jovian-time=1800000001", "-"]].concat();
    assert_code(&run_with_input(&early, &built.stdout), OK);
}

#[test]
fn an_attestation_is_signed_in_its_own_domain_by_default() {
    let payload = payload(PayloadVersion::V4);
    let room = Room::with(&json!({ "jsonrpc": "2.0", "id": 1, "result": block(&payload) }));
    for (flags, domain) in [
        (&["--topic=cross-safe-blocksv1"][..], SigningDomain::CrossSafeBlocksV1),
        (&["--topic=cross-safe-blocksv1", "--domain=zero"], SigningDomain::Zero),
    ] {
        let frame = room.path("frame");
        let out = format!("--out={}", frame.display());
        let output = room.build(&[flags, &[out.as_str()]].concat());
        assert_code(&output, OK);
        assert!(output.stdout.is_empty());
        let Judgement::Accept(accepted) = judge(Topic::CrossSafeBlocksV1, &std::fs::read(frame).unwrap())
        else {
            panic!("not accepted")
        };
        assert_eq!(accepted.domain(), domain);
    }
}

#[rstest]
#[case::topic_of_another_version(&["--topic=blocksv3"], "leave it out, or write blocksv4")]
#[case::domain_of_another_topic(&["--domain=cross-safe-blocksv1"], "write zero")]
#[case::no_topic(&["--topic=blocks"], "--topic")]
fn a_flag_without_effect_is_misuse(#[case] flags: &[&str], #[case] problem: &str) {
    let output = Room::with(&block(&payload(PayloadVersion::V4))).build(flags);
    assert_code(&output, USAGE);
    assert!(stderr(&output).contains(problem), "{}", stderr(&output));
}

#[rstest]
#[case::no_json(json!("no block"), "not a block with full transactions")]
#[case::nothing(json!({ "result": null }), "the node does not have it")]
#[case::an_error(json!({ "error": { "code": -32000, "message": "pruned" } }), "the node answered with the error {\"code\":-32000,\"message\":\"pruned\"}")]
#[case::a_field_missing(json!({ "result": { "hash": B256::ZERO } }), "`parentHash` is missing")]
#[case::hashes_only({
    let mut block = block(&payload(PayloadVersion::V4));
    block["transactions"] = json!([B256::ZERO]);
    block
}, "without its transactions")]
#[case::a_field_changed({
    let mut block = block(&payload(PayloadVersion::V4));
    block["gasUsed"] = json!("0x1");
    block
}, "hashes to")]
#[case::a_transaction_dropped({
    let mut block = block(&payload(PayloadVersion::V4));
    block["transactions"] = json!([]);
    block
}, "none of its transactions")]
fn a_block_that_is_invalid_is_not_signed(#[case] block: Value, #[case] problem: &str) {
    let output = Room::with(&block).build(&[]);
    assert_code(&output, USAGE);
    assert!(output.stdout.is_empty());
    assert!(stderr(&output).contains(problem), "{}", stderr(&output));
}

#[rstest]
#[case::zero(&B256::ZERO.to_string())]
#[case::short("0x1234")]
#[case::no_hex("a pass phrase that is not for printing")]
fn a_bad_key_is_named_without_being_shown(#[case] key: &str) {
    let room = Room::with(&block(&payload(PayloadVersion::V4)));
    std::fs::write(room.path("key"), key).unwrap();
    let output = room.build(&[]);
    assert_code(&output, USAGE);
    assert!(stderr(&output).contains("is not a secret key") && !stderr(&output).contains(key));
}

#[test]
fn a_missing_key_is_an_error() {
    let room = Room::with(&block(&payload(PayloadVersion::V4)));
    std::fs::remove_file(room.path("key")).unwrap();
    assert_code(&room.build(&[]), FAILED);
}
