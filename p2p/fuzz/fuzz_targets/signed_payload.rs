//! Payloads made up field by field, then spoilt byte by byte, and signed as the sequencer would: what lies behind
//! the signature check.

#![no_main]

use alloy_primitives::{Address, B256, Bloom, Bytes, U256};
use alloy_trie::root::ordered_trie_root_encoded;
use arbitrary::Arbitrary;
use crosscheck_p2p::{
    BlobFields, Envelope, ExecutionPayload, Judgement, PayloadHash, PayloadVersion, Reason, SigningDomain,
    Topic, UnixSeconds, VersionFields, signing_hash,
};
use libfuzzer_sys::fuzz_target;
use setting::{NOW, chain, sign, signers, validator};

/// What the sequencer signs.
#[derive(Arbitrary, Debug)]
struct Plan {
    on_cross_safe: bool,
    in_zero_domain: bool,
    word: [u8; 32],
    numbers: [u64; 4],
    /// Seconds from now.
    age: i8,
    base_fee: u64,
    /// Breaks a rule: the base fee, the excess blob gas, the block hash.
    has_wide_base_fee: bool,
    excess_blob_gas: Option<u64>,
    claims_wrong_hash: bool,
    extra_data: Vec<u8>,
    transactions: Vec<Vec<u8>>,
    /// Bytes put over the signed ones.
    edits: Vec<(u16, u8)>,
    /// Where the signed bytes end early.
    cut: Option<u16>,
}

fuzz_target!(|plan: Plan| {
    let Some((signed, edited)) = plan.signed() else { return };
    let topic = if plan.on_cross_safe { Topic::CrossSafeBlocksV1 } else { Topic::BlocksV4 };
    let domain = if plan.in_zero_domain { SigningDomain::Zero } else { SigningDomain::CrossSafeBlocksV1 };
    let frame = frame(&signed, domain);
    let mut validator = validator();
    let decoded = Envelope::decode(PayloadVersion::V4, &signed);
    match validator.judge(topic, &frame, &signers(), NOW) {
        Judgement::Accept(block) => {
            assert_eq!(Ok(block.envelope()), decoded.as_ref());
            assert_eq!(block.envelope().encode().as_ref(), Ok(&signed));
            let again = validator.judge(topic, &frame, &signers(), NOW);
            assert!(matches!(
                again.refusal().map(|refusal| &refusal.reason),
                Some(Reason::AlreadySeen { .. })
            ));
        }
        Judgement::Ignore(refusal) | Judgement::Reject(refusal) => match refusal.reason {
            Reason::WrongSigner { .. } => assert!(!topic.domains().contains(&domain)),
            Reason::Malformed(ref malformed) => assert_eq!(decoded.as_ref(), Err(malformed)),
            Reason::BlockHashMismatch { .. } => assert!(edited || plan.claims_wrong_hash),
            _ => {}
        },
    }
    if let Ok(envelope) = decoded {
        assert_eq!(envelope.encode().as_ref(), Ok(&signed));
        check_root(&envelope.payload);
    }
});

impl Plan {
    /// The signed bytes, and whether they were spoilt; nothing if the payload has no wire form.
    fn signed(&self) -> Option<(Bytes, bool)> {
        let envelope = self.envelope();
        let whole = envelope.encode().ok()?;
        let mut bytes = whole.to_vec();
        for (at, byte) in &self.edits {
            let at = usize::from(*at) % bytes.len();
            bytes[at] = *byte;
        }
        bytes.truncate(self.cut.map_or(usize::MAX, usize::from));
        let edited = bytes != whole;
        (!bytes.is_empty()).then(|| (bytes.into(), edited))
    }

    fn envelope(&self) -> Envelope {
        let word = B256::from(self.word);
        let [number, gas_limit, gas_used, blob_gas_used] = self.numbers;
        let mut payload = ExecutionPayload {
            parent_hash: word,
            fee_recipient: Address::from_word(word),
            state_root: !word,
            receipts_root: word,
            logs_bloom: Bloom::repeat_byte(self.word[0]),
            prev_randao: word,
            number,
            gas_limit,
            gas_used,
            timestamp: UnixSeconds(NOW.0.saturating_sub_signed(self.age.into())),
            extra_data: Bytes::copy_from_slice(&self.extra_data),
            base_fee_per_gas: U256::from(self.base_fee) << if self.has_wide_base_fee { 64 } else { 0 },
            block_hash: word,
            transactions: self.transactions.iter().map(|bytes| Bytes::copy_from_slice(bytes)).collect(),
            later: VersionFields::V4 {
                withdrawals: Vec::new(),
                blobs: BlobFields {
                    parent_beacon_block_root: word,
                    blob_gas_used,
                    excess_blob_gas: self.excess_blob_gas.unwrap_or_default(),
                },
                withdrawals_root: word,
            },
        };
        if !self.claims_wrong_hash {
            payload.block_hash = payload.recompute_hash();
        }
        Envelope { payload }
    }
}

fn frame(signed: &Bytes, domain: SigningDomain) -> Bytes {
    let hash = signing_hash(domain, chain(), PayloadHash::of(signed));
    let mut bytes = sign(hash).to_vec();
    bytes.extend_from_slice(signed);
    snap::raw::Encoder::new().compress_vec(&bytes).expect("small enough").into()
}

/// The root is alloy's. An empty transaction has no place in a trie, and is refused before its root is asked for.
fn check_root(payload: &ExecutionPayload) {
    if payload.transactions.iter().all(|transaction| !transaction.is_empty()) {
        assert_eq!(payload.transactions_root(), ordered_trie_root_encoded(&payload.transactions));
    }
}
