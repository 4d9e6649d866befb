//! Published L1-attributes transactions, decoded and re-encoded; and every way to damage one.

use super::*;
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{b256, hex, keccak256};
use op_alloy::consensus::L1InfoDepositSource;
use proptest::prelude::*;
use rstest::rstest;

/// OP Mainnet, before Ecotone: `RAW_BEDROCK_INFO_TX` of kona, `crates/protocol/protocol/src/test_utils.rs`.
const BEDROCK_CALLDATA: &[u8] = &hex!(
    "015d8eb9000000000000000000000000000000000000000000000000000000000117c4eb"
    "0000000000000000000000000000000000000000000000000000000065280377"
    "000000000000000000000000000000000000000000000000000000026d05d953"
    "392012032675be9f94aae5ab442de73c5f4fb1bf30fa7dd0d2442239899a40fc"
    "0000000000000000000000000000000000000000000000000000000000000004"
    "0000000000000000000000006887246668a3b87f54deb3b94ba47a6f63f32985"
    "00000000000000000000000000000000000000000000000000000000000000bc"
    "00000000000000000000000000000000000000000000000000000000000a6fe0"
);

/// OP Mainnet, Ecotone: `RAW_ECOTONE_INFO_TX` of the same file.
const ECOTONE_CALLDATA: &[u8] = &hex!(
    "440a5e2000000558000c5fc5000000000000000500000000661c277300000000012bec20"
    "000000000000000000000000000000000000000000000000000000026e9f1099"
    "0000000000000000000000000000000000000000000000000000000000000001"
    "1c4c84c50740386c7dc081efddd644405f04cde73e30a2e381737acce9f5add3"
    "0000000000000000000000006887246668a3b87f54deb3b94ba47a6f63f32985"
);

/// Isthmus: `RAW_ISTHMUS_INFO_TX` of the same file.
const ISTHMUS_CALLDATA: &[u8] = &hex!(
    "098999be00000558000c5fc5000000000000000500000000661c277300000000012bec20"
    "000000000000000000000000000000000000000000000000000000026e9f1099"
    "0000000000000000000000000000000000000000000000000000000000000001"
    "1c4c84c50740386c7dc081efddd644405f04cde73e30a2e381737acce9f5add3"
    "0000000000000000000000006887246668a3b87f54deb3b94ba47a6f63f32985"
    "0000abcd000000000000dcba"
);

/// The same values in the layout of specs, protocol/jovian/l1-attributes.md, with its default scalar of 400.
const JOVIAN_CALLDATA: &[u8] = &hex!(
    "3db6be2b00000558000c5fc5000000000000000500000000661c277300000000012bec20"
    "000000000000000000000000000000000000000000000000000000026e9f1099"
    "0000000000000000000000000000000000000000000000000000000000000001"
    "1c4c84c50740386c7dc081efddd644405f04cde73e30a2e381737acce9f5add3"
    "0000000000000000000000006887246668a3b87f54deb3b94ba47a6f63f32985"
    "0000abcd000000000000dcba0190"
);

const BATCHER: Address = address!("6887246668a3b87f54deb3b94ba47a6f63f32985");
const ECOTONE_FEES: EcotoneFees =
    EcotoneFees { base_fee_scalar: 1368, blob_base_fee_scalar: 810_949, blob_base_fee: U256::ONE };
const OPERATOR_FEE: OperatorFee = OperatorFee { scalar: 0xabcd, constant: 0xdcba };

fn since_ecotone(fees: L1Fees) -> L1Info {
    L1Info {
        number: 19_655_712,
        timestamp: 1_713_121_139,
        base_fee: U256::from(10_445_852_825_u64),
        hash: b256!("1c4c84c50740386c7dc081efddd644405f04cde73e30a2e381737acce9f5add3"),
        sequence_number: 5,
        batcher: BATCHER,
        fees,
    }
}

fn bedrock_info() -> L1Info {
    L1Info {
        number: 18_334_955,
        timestamp: 1_697_121_143,
        base_fee: U256::from(10_419_034_451_u64),
        hash: b256!("392012032675be9f94aae5ab442de73c5f4fb1bf30fa7dd0d2442239899a40fc"),
        sequence_number: 4,
        batcher: BATCHER,
        fees: L1Fees::Bedrock { overhead: U256::from(188).into(), scalar: U256::from(684_000).into() },
    }
}

fn transaction(calldata: &[u8]) -> TxDeposit {
    TxDeposit {
        source_hash: L1InfoDepositSource::new(B256::ZERO, 1).source_hash(),
        from: DEPOSITOR,
        to: TxKind::Call(L1_BLOCK),
        gas_limit: 1_000_000,
        input: Bytes::copy_from_slice(calldata),
        ..TxDeposit::default()
    }
}

fn encoded(transaction: &TxDeposit) -> Bytes {
    transaction.encoded_2718().into()
}

#[rstest]
#[case::bedrock(BEDROCK_CALLDATA, bedrock_info())]
#[case::ecotone(ECOTONE_CALLDATA, since_ecotone(L1Fees::Ecotone(ECOTONE_FEES)))]
#[case::isthmus(ISTHMUS_CALLDATA, since_ecotone(L1Fees::Isthmus(ECOTONE_FEES, OPERATOR_FEE)))]
#[case::jovian(JOVIAN_CALLDATA, since_ecotone(L1Fees::Jovian {
    ecotone: ECOTONE_FEES,
    operator: OPERATOR_FEE,
    da_footprint_gas_scalar: 400,
}))]
fn published_calldata_is_read_and_written_identically(#[case] calldata: &[u8], #[case] info: L1Info) {
    assert_eq!(L1Info::decode(calldata), Ok(info));
    assert_eq!(info.encode().as_ref(), calldata);
    let first_transaction = encoded(&transaction(calldata));
    assert_eq!(decode_l1_info(&first_transaction), Ok(info));
    assert!(first_transaction.len() < MAX_L1_ATTRIBUTES_BYTES);
}

#[rstest]
#[case::bedrock(BEDROCK, "setL1BlockValues(uint64,uint64,uint256,bytes32,uint64,bytes32,uint256,uint256)")]
#[case::ecotone(ECOTONE, "setL1BlockValuesEcotone()")]
#[case::isthmus(ISTHMUS, "setL1BlockValuesIsthmus()")]
#[case::jovian(JOVIAN, "setL1BlockValuesJovian()")]
fn selectors_are_the_hashes_of_the_signatures(#[case] selector: FixedBytes<4>, #[case] signature: &str) {
    assert_eq!(selector.as_slice(), &keccak256(signature)[..4]);
}

#[rstest]
#[case::bedrock(BEDROCK_CALLDATA)]
#[case::ecotone(ECOTONE_CALLDATA)]
#[case::isthmus(ISTHMUS_CALLDATA)]
#[case::jovian(JOVIAN_CALLDATA)]
fn a_byte_too_few_or_too_many_is_refused(#[case] calldata: &[u8]) {
    for length in 0..calldata.len() {
        assert!(L1Info::decode(&calldata[..length]).is_err(), "{length}");
    }
    assert!(L1Info::decode(&[calldata, &[0]].concat()).is_err());
}

#[rstest]
#[case::bedrock_number(BEDROCK_CALLDATA, 4)]
#[case::bedrock_timestamp(BEDROCK_CALLDATA, 4 + 32)]
#[case::bedrock_sequence_number(BEDROCK_CALLDATA, 4 + 4 * 32)]
#[case::bedrock_batcher(BEDROCK_CALLDATA, 4 + 5 * 32)]
#[case::ecotone_batcher(ECOTONE_CALLDATA, 4 + 4 * 32)]
#[case::unknown_selector(ECOTONE_CALLDATA, 0)]
fn dirty_padding_is_refused(#[case] calldata: &[u8], #[case] at: usize) {
    let mut dirty = calldata.to_vec();
    dirty[at] ^= 1;
    assert!(matches!(L1Info::decode(&dirty), Err(L1InfoError::Calldata { .. })));
}

#[test]
fn only_the_protocols_own_deposit_counts() {
    let good = transaction(ECOTONE_CALLDATA);
    let from_another = TxDeposit { from: Address::ZERO, ..good.clone() };
    let to_another = TxDeposit { to: TxKind::Call(Address::ZERO), ..good.clone() };
    let creation = TxDeposit { to: TxKind::Create, ..good.clone() };
    for other in [from_another, to_another, creation] {
        assert!(matches!(decode_l1_info(&encoded(&other)), Err(L1InfoError::NotL1Attributes { .. })));
    }
    let mut trailing = encoded(&good).to_vec();
    trailing.push(0);
    for other in [Bytes::new(), Bytes::from_static(&[2, 0xc0]), trailing.into()] {
        assert!(matches!(decode_l1_info(&other), Err(L1InfoError::NotADeposit { .. })));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let bytes = Bytes::from(bytes);
        let _ = decode_l1_info(&bytes);
        for selector in [BEDROCK, ECOTONE, ISTHMUS, JOVIAN] {
            let calldata = [selector.as_slice(), &bytes].concat();
            if let Ok(info) = L1Info::decode(&calldata) {
                prop_assert_eq!(info.encode().to_vec(), calldata);
            }
        }
    }
}
