//! [`HashedReceipt`]: a receipt as far as a receipts root covers it.
//!
//! Reads type, status, gas, bloom and logs, and of a deposit its nonce and version; nothing else that clients
//! write. Types that this version does not know are taken to have the four fields that all types have had so
//! far: the root tells whether that is so. Where it is not, a receipt's encoding may take the place of its
//! JSON. It proves nothing itself.

use super::fields::{FieldError, Fields};
use super::receipt_rlp;
use alloy::consensus::{Eip658Value, ReceiptEnvelope, TxReceipt};
use alloy::eips::eip2718::Typed2718;
use alloy::primitives::{Address, B256, Bloom, Bytes, Log, LogData, U64};
use alloy::rlp::{Decodable, Header};
use op_alloy::consensus::{DEPOSIT_TX_TYPE_ID, POST_EXEC_TX_TYPE_ID};
use serde_json::value::RawValue;

/// The types whose receipts are known, L1's among them.
const KNOWN: [u8; 7] = [0, 1, 2, 3, 4, POST_EXEC_TX_TYPE_ID, DEPOSIT_TX_TYPE_ID];

/// The most topics that a log has.
const MOST_TOPICS: usize = 4;

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedReceipt {
    /// Its transaction's type.
    pub tx_type: u8,
    pub(super) status: Eip658Value,
    pub(super) cumulative_gas_used: u64,
    pub(super) bloom: Bloom,
    pub(super) logs: Vec<Log>,
    /// What a deposit's receipt has since Canyon: its nonce and the receipt's version.
    pub(super) deposit: Option<(u64, u64)>,
    /// Its encoding, where that is not made of its fields.
    pub(super) encoding: Option<Bytes>,
}

impl HashedReceipt {
    /// Reads a receipt.
    ///
    /// # Errors
    /// The field that cannot be read.
    pub fn read(json: &str) -> Result<Self, FieldError> {
        let fields = Fields::of(json)?;
        let tx_type = type_of(&fields)?;
        let read = Self::read_fields(tx_type, &fields);
        // Nobody knows which fields one of another type has.
        if KNOWN.contains(&tx_type) { read } else { Ok(read.unwrap_or_else(|_| Self::unread(tx_type))) }
    }

    fn read_fields(tx_type: u8, fields: &Fields<'_>) -> Result<Self, FieldError> {
        let logs = fields.list("logs")?;
        let log = |(index, log): (usize, &RawValue)| {
            read_log(log.get()).map_err(|error| error.within(&format!("logs[{index}]")))
        };
        Ok(Self {
            tx_type,
            status: status(fields)?,
            cumulative_gas_used: fields.required::<U64>("cumulativeGasUsed")?.to(),
            bloom: fields.required("logsBloom")?,
            logs: logs.into_iter().enumerate().map(log).collect::<Result<_, _>>()?,
            deposit: if tx_type == DEPOSIT_TX_TYPE_ID { deposit(fields)? } else { None },
            encoding: None,
        })
    }

    /// One of which only the type is known.
    const fn unread(tx_type: u8) -> Self {
        Self {
            tx_type,
            status: Eip658Value::Eip658(false),
            cumulative_gas_used: 0,
            bloom: Bloom::ZERO,
            logs: Vec::new(),
            deposit: None,
            encoding: None,
        }
    }

    /// Writes what is hashed of it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        receipt_rlp::encode(self, out);
    }

    /// Whether it is of a type whose fields are known.
    pub fn is_known(&self) -> bool {
        KNOWN.contains(&self.tx_type)
    }

    /// Whether it is a deposit's.
    pub const fn is_deposit(&self) -> bool {
        self.tx_type == DEPOSIT_TX_TYPE_ID
    }

    /// The same receipt by its encoding, which may hold more than the fields of all types, after them.
    /// `None`: it is of another type, does not begin with those fields, or its bloom is not that of its logs.
    pub fn decode(&self, encoding: &Bytes) -> Option<Self> {
        let (tx_type, mut payload) = encoding.split_first()?;
        let mut fields = Header::decode_bytes(&mut payload, true).ok()?;
        if *tx_type != self.tx_type || !payload.is_empty() {
            return None;
        }
        let receipt = Self {
            tx_type: *tx_type,
            status: Eip658Value::decode(&mut fields).ok()?,
            cumulative_gas_used: u64::decode(&mut fields).ok()?,
            bloom: Bloom::decode(&mut fields).ok()?,
            logs: Vec::decode(&mut fields).ok()?,
            deposit: None,
            encoding: Some(encoding.clone()),
        };
        let bloom: Bloom = receipt.logs.iter().collect();
        (receipt.bloom == bloom).then_some(receipt)
    }
}

/// The type. All clients have written it since there are types.
fn type_of(fields: &Fields<'_>) -> Result<u8, FieldError> {
    let tx_type: U64 = fields.required("type")?;
    u8::try_from(tx_type.to::<u64>()).map_err(|error| FieldError::malformed("type", &error))
}

/// Whether it succeeded; before Byzantium the state root after it.
fn status(fields: &Fields<'_>) -> Result<Eip658Value, FieldError> {
    match fields.optional::<U64>("status")?.map(|status| status.to::<u64>()) {
        Some(0) => Ok(Eip658Value::Eip658(false)),
        Some(1) => Ok(Eip658Value::Eip658(true)),
        Some(other) => Err(FieldError::malformed("status", &format!("{other} is neither 0 nor 1"))),
        None => match fields.optional::<B256>("root")? {
            Some(root) => Ok(Eip658Value::PostState(root)),
            None => Err(FieldError::missing("status")),
        },
    }
}

/// Before Canyon, clients report the nonce, which the receipts root does not cover then.
fn deposit(fields: &Fields<'_>) -> Result<Option<(u64, u64)>, FieldError> {
    let Some(version) = fields.optional::<U64>("depositReceiptVersion")? else { return Ok(None) };
    let nonce: U64 = fields.required("depositNonce")?;
    Ok(Some((nonce.to(), version.to())))
}

fn read_log(json: &str) -> Result<Log, FieldError> {
    let fields = Fields::of(json)?;
    let address: Address = fields.required("address")?;
    let topics: Vec<B256> = fields.required("topics")?;
    if topics.len() > MOST_TOPICS {
        return Err(FieldError::malformed("topics", &format!("{} are too many", topics.len())));
    }
    Ok(Log { address, data: LogData::new_unchecked(topics, fields.required("data")?) })
}

impl From<ReceiptEnvelope> for HashedReceipt {
    fn from(receipt: ReceiptEnvelope) -> Self {
        let (tx_type, bloom) = (receipt.ty(), *receipt.logs_bloom());
        let (status, cumulative_gas_used) = (receipt.status_or_post_state(), receipt.cumulative_gas_used());
        let logs = receipt.into_logs();
        Self { tx_type, status, cumulative_gas_used, bloom, logs, deposit: None, encoding: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn receipt() -> Value {
        json!({
            "type": "0x7e", "status": "0x1", "cumulativeGasUsed": "0x5208", "logsBloom": Bloom::ZERO, "logs": [],
            "depositNonce": "0x3", "depositReceiptVersion": "0x1",
        })
    }

    fn read(receipt: &Value) -> HashedReceipt {
        HashedReceipt::read(&receipt.to_string()).unwrap()
    }

    /// Between Regolith and Canyon, clients report a nonce that the receipts root does not cover.
    #[test]
    fn a_nonce_without_a_version_is_not_hashed() {
        let mut receipt = receipt();
        assert_eq!(read(&receipt).deposit, Some((3, 1)));
        receipt["depositReceiptVersion"].take();
        assert_eq!(read(&receipt).deposit, None);
        let with_nonce = read(&receipt);
        receipt["depositNonce"] = json!(false);
        assert_eq!(read(&receipt), with_nonce);
    }

    #[test]
    fn deposit_fields_are_ignored_for_other_receipts() {
        let mut receipt = receipt();
        receipt["type"] = json!("0x2");
        let expected = read(&receipt);
        receipt["depositReceiptVersion"] = json!(false);
        assert_eq!((read(&receipt), expected.deposit), (expected, None));
    }

    #[rstest]
    #[case::a_quantity(json!("0x0"), false)]
    #[case::a_number(json!(1), true)]
    fn status_is_read(#[case] status: Value, #[case] expected: bool) {
        let mut receipt = receipt();
        receipt["status"] = status;
        // Clients write a root beside it, or an empty one: it is not hashed then.
        receipt["root"] = json!("");
        assert_eq!(read(&receipt).status, Eip658Value::Eip658(expected));
    }

    #[test]
    fn before_byzantium_a_receipt_has_a_root_instead_of_a_status() {
        let mut receipt = receipt();
        receipt["status"].take();
        assert_eq!(HashedReceipt::read(&receipt.to_string()), Err(FieldError::missing("status")));
        receipt["root"] = json!(B256::repeat_byte(1));
        assert_eq!(read(&receipt).status, Eip658Value::PostState(B256::repeat_byte(1)));
    }

    #[test]
    fn more_topics_than_a_log_can_have_are_refused() {
        let mut receipt = receipt();
        receipt["logs"] = json!([{ "address": Address::ZERO, "data": "0x", "topics": vec![B256::ZERO; 5] }]);
        let error = HashedReceipt::read(&receipt.to_string()).unwrap_err().to_string();
        assert!(error.starts_with("`logs[0].topics` cannot be read: 5"), "{error}");
    }

    #[test]
    fn only_an_encoding_whose_bloom_matches_its_logs_is_accepted() {
        let mut receipt = read(&receipt());
        (receipt.tx_type, receipt.deposit) = (0x7b, None);
        let encoded = |receipt: &HashedReceipt| {
            let mut out = Vec::new();
            receipt.encode(&mut out);
            Bytes::from(out)
        };
        let encoding = encoded(&receipt);
        assert_eq!(
            receipt.decode(&encoding),
            Some(HashedReceipt { encoding: Some(encoding.clone()), ..receipt.clone() })
        );
        receipt.bloom = Bloom::repeat_byte(1);
        assert_eq!(receipt.decode(&encoded(&receipt)), None);
        receipt.tx_type = 0x7c;
        assert_eq!(receipt.decode(&encoding), None);
        assert_eq!(receipt.decode(&Bytes::new()), None);
    }
}
