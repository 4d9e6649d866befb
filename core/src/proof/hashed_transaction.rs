//! [`encoded`]: the EIP-2718 encoding of a transaction, from the JSON that an execution client gives.
//!
//! Reads what the encoding holds and nothing else; where clients spell one thing in two ways, either. Whether
//! it is the transaction that the block holds, the block's transactions root tells. One of a type that is not
//! in the table is named, and not guessed at.
//!
//! | type | what it is | spec |
//! | --- | --- | --- |
//! | 0x0, or none | legacy | EIP-155 |
//! | 0x1, 0x2, 0x4 | with an access list, a dynamic fee, authorizations | EIP-2930, EIP-1559, EIP-7702 |
//! | 0x7d | metering: its `input` is all of it that is hashed | |
//! | 0x7e | deposit | protocol/deposits.md |

use super::fields::{FieldError, Fields};
use alloy::eips::eip2930::AccessList;
use alloy::eips::eip7702::SignedAuthorization;
use alloy::primitives::{Address, B256, Bytes, TxKind, U64, U256};
use alloy::rlp::{Encodable, Header};
use op_alloy::consensus::{DEPOSIT_TX_TYPE_ID, POST_EXEC_TX_TYPE_ID};
use serde::Deserialize;

/// Transactions without a type.
const LEGACY: u64 = 0;
const EIP_2930: u64 = 1;
const EIP_1559: u64 = 2;
const EIP_7702: u64 = 4;
const METERING: u64 = POST_EXEC_TX_TYPE_ID as u64;
const DEPOSIT: u64 = DEPOSIT_TX_TYPE_ID as u64;

/// A flag: Nethermind writes a deposit's as a boolean, op-geth leaves it out where it is not set.
#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Bool(bool),
    Quantity(U64),
}

/// A transaction's encoding.
///
/// # Errors
/// The field that cannot be read; `type`, if it is of no known type.
pub(super) fn encoded(json: &str) -> Result<Bytes, FieldError> {
    let fields = Fields::of(json)?;
    let tx_type = fields.optional::<U64>("type")?.map_or(LEGACY, |tx_type| tx_type.to());
    match tx_type {
        LEGACY => legacy(&fields),
        EIP_2930 | EIP_1559 | EIP_7702 => typed(tx_type, &fields),
        METERING => metering(&fields),
        DEPOSIT => deposit(&fields),
        _ => Err(FieldError::malformed("type", &"this version does not know the type")),
    }
}

fn legacy(fields: &Fields<'_>) -> Result<Bytes, FieldError> {
    Ok(list(
        None,
        &[
            &quantity(fields, "nonce")?,
            &fields.required::<U256>("gasPrice")?,
            &quantity(fields, "gas")?,
            &recipient(fields)?,
            &fields.required::<U256>("value")?,
            &fields.required::<Bytes>("input")?,
            &fields.required::<U256>("v")?,
            &fields.required::<U256>("r")?,
            &fields.required::<U256>("s")?,
        ],
    ))
}

fn typed(tx_type: u64, fields: &Fields<'_>) -> Result<Bytes, FieldError> {
    let (chain_id, nonce) = (quantity(fields, "chainId")?, quantity(fields, "nonce")?);
    let (gas, to) = (quantity(fields, "gas")?, recipient(fields)?);
    let (value, input): (U256, Bytes) = (fields.required("value")?, fields.required("input")?);
    let access_list = match fields.raw("accessList") {
        None => AccessList::default(),
        Some(_) => fields.required("accessList")?,
    };
    let (parity, r, s) = (parity(fields)?, fields.required::<U256>("r")?, fields.required::<U256>("s")?);
    let fees: [U256; 2] = if tx_type == EIP_2930 {
        [fields.required("gasPrice")?; 2]
    } else {
        [fields.required("maxPriorityFeePerGas")?, fields.required("maxFeePerGas")?]
    };
    let mut parts: Vec<&dyn Encodable> = vec![&chain_id, &nonce];
    let [first, second] = &fees;
    parts.push(first);
    if tx_type != EIP_2930 {
        parts.push(second);
    }
    parts.extend([&gas as &dyn Encodable, &to, &value, &input, &access_list]);
    let authorizations: Vec<SignedAuthorization>;
    if tx_type == EIP_7702 {
        authorizations = fields.required("authorizationList")?;
        parts.push(&authorizations);
    }
    parts.extend([&parity as &dyn Encodable, &r, &s]);
    Ok(list(Some(tx_type), &parts))
}

fn metering(fields: &Fields<'_>) -> Result<Bytes, FieldError> {
    let input: Bytes = fields.required("input")?;
    Ok([&[POST_EXEC_TX_TYPE_ID], input.as_ref()].concat().into())
}

fn deposit(fields: &Fields<'_>) -> Result<Bytes, FieldError> {
    let is_system = match fields.optional("isSystemTx")? {
        None => false,
        Some(Flag::Bool(flag)) => flag,
        Some(Flag::Quantity(flag)) => !flag.is_zero(),
    };
    Ok(list(
        Some(DEPOSIT),
        &[
            &fields.required::<B256>("sourceHash")?,
            &fields.required::<Address>("from")?,
            &recipient(fields)?,
            &fields.optional::<U256>("mint")?.unwrap_or_default(),
            &fields.required::<U256>("value")?,
            &quantity(fields, "gas")?,
            &is_system,
            &fields.required::<Bytes>("input")?,
        ],
    ))
}

fn quantity(fields: &Fields<'_>, name: &str) -> Result<u64, FieldError> {
    fields.required::<U64>(name).map(|value| value.to())
}

/// The recipient. `None`: it creates a contract.
fn recipient(fields: &Fields<'_>) -> Result<TxKind, FieldError> {
    Ok(fields.optional::<Address>("to")?.map_or(TxKind::Create, TxKind::Call))
}

/// The signature's parity: older clients write it as `v` only.
fn parity(fields: &Fields<'_>) -> Result<u64, FieldError> {
    let name = if fields.raw("yParity").is_some() { "yParity" } else { "v" };
    quantity(fields, name)
}

/// A list of fields, after a type.
fn list(tx_type: Option<u64>, fields: &[&dyn Encodable]) -> Bytes {
    let payload_length = fields.iter().map(|field| field.length()).fold(0, usize::saturating_add);
    let header = Header { list: true, payload_length };
    let mut out = Vec::with_capacity(header.length_with_payload().saturating_add(1));
    out.extend(tx_type.and_then(|tx_type| u8::try_from(tx_type).ok()));
    header.encode(&mut out);
    fields.iter().for_each(|field| field.encode(&mut out));
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxLegacy};
    use alloy::eips::eip2718::Encodable2718;
    use alloy::eips::eip2930::AccessListItem;
    use alloy::eips::eip7702::Authorization;
    use alloy::primitives::Signature;
    use op_alloy::consensus::{OpTxEnvelope, TxDeposit};
    use rstest::rstest;
    use serde_json::{Value, json};

    fn signed<T: SignableTransaction<Signature>>(transaction: T, is_odd: bool) -> OpTxEnvelope
    where
        OpTxEnvelope: From<alloy::consensus::Signed<T>>,
    {
        let signature = Signature::new(U256::from(0x1234), U256::MAX >> 1, is_odd);
        OpTxEnvelope::from(transaction.into_signed(signature))
    }

    fn access_list() -> AccessList {
        let storage_keys = vec![B256::ZERO, B256::repeat_byte(9)];
        AccessList(vec![AccessListItem { address: Address::repeat_byte(7), storage_keys }])
    }

    fn legacy(chain_id: Option<u64>) -> TxLegacy {
        let input = Bytes::from(vec![1; 60]);
        TxLegacy {
            chain_id,
            nonce: 7,
            gas_price: 8,
            gas_limit: 9,
            to: TxKind::Create,
            value: U256::from(3),
            input,
        }
    }

    fn authorized() -> TxEip7702 {
        let authorization =
            Authorization { chain_id: U256::ZERO, address: Address::repeat_byte(2), nonce: 300 };
        let signature = Signature::new(U256::from(5), U256::from(6), true);
        let authorization_list = vec![authorization.into_signed(signature)];
        let (max_fee_per_gas, gas_limit) = (1 << 70, 77);
        let access_list = access_list();
        TxEip7702 {
            chain_id: 10,
            max_fee_per_gas,
            gas_limit,
            access_list,
            authorization_list,
            ..TxEip7702::default()
        }
    }

    /// The types' own encoders say what the encoding is.
    #[rstest]
    #[case::legacy(signed(legacy(Some(10)), true))]
    #[case::legacy_of_no_chain(signed(legacy(None), false))]
    #[case::access_list(signed(TxEip2930 { chain_id: 10, gas_price: 1 << 40, access_list: access_list(), ..TxEip2930::default() }, false))]
    #[case::dynamic_fee(signed(TxEip1559 { chain_id: 10, nonce: 1, access_list: access_list(), to: TxKind::Call(Address::repeat_byte(3)), ..TxEip1559::default() }, true))]
    #[case::authorizations(signed(authorized(), true))]
    #[case::deposit(OpTxEnvelope::from(TxDeposit { mint: 1 << 66, gas_limit: 5, is_system_transaction: true, to: TxKind::Create, ..TxDeposit::default() }))]
    #[case::deposit_without_anything(OpTxEnvelope::from(TxDeposit::default()))]
    fn encodes_as_the_types_own_encoders_do(#[case] transaction: OpTxEnvelope) {
        let mut json = serde_json::to_value(&transaction).unwrap();
        assert_eq!(encoded(&json.to_string()), Ok(transaction.encoded_2718().into()));
        // Clients that write no parity write it as `v`.
        if json.as_object_mut().unwrap().remove("yParity").is_some() {
            assert_eq!(encoded(&json.to_string()), Ok(transaction.encoded_2718().into()), "{json}");
        }
        if json["isSystemTx"] == "0x1" {
            json["isSystemTx"] = Value::from(true);
            assert_eq!(encoded(&json.to_string()), Ok(transaction.encoded_2718().into()), "{json}");
        }
        json["hash"] = Value::from(false);
        assert!(encoded(&json.to_string()).is_ok(), "the hash is of the encoding, and no part of it");
    }

    #[rstest]
    #[case::unknown(json!({ "type": "0x7b" }), "`type` cannot be read")]
    #[case::no_type(json!({ "type": "legacy" }), "`type` cannot be read")]
    #[case::a_field_that_is_missing(json!({ "type": "0x2", "chainId": "0xa" }), "`nonce` is missing")]
    #[case::no_object(json!([]), "it is not an object")]
    fn an_unreadable_field_is_named(#[case] json: Value, #[case] problem: &str) {
        let error = encoded(&json.to_string()).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}
