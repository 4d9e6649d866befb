//! Payloads of every version made up field by field, then spoilt byte by byte, and signed as the sequencer
//! would, on every topic: what lies behind the signature check.

#![no_main]

use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, B256, Bloom, Bytes, U256};
use alloy_trie::root::ordered_trie_root_encoded;
use arbitrary::Arbitrary;
use crosscheck_p2p::{
    BlobFields, Envelope, ExecutionPayload, GossipForkTimes, Judgement, PayloadHash, PayloadVersion, Reason,
    SigningDomain, Topic, UnixSeconds, VersionFields, signing_hash,
};
use libfuzzer_sys::fuzz_target;
use setting::{NOW, chain, sign, signers, validator};

/// What the sequencer signs.
#[derive(Arbitrary, Debug)]
struct Plan {
    topic: u8,
    /// The payload is of this version, and not of the topic's.
    other_version: Option<u8>,
    in_zero_domain: bool,
    is_before_jovian: bool,
    word: [u8; 32],
    numbers: [u64; 3],
    blob_gas_used: Option<u64>,
    /// Seconds from now.
    age: i8,
    base_fee: u64,
    /// Breaks a rule: the base fee, the excess blob gas, the withdrawals, the block hash.
    has_wide_base_fee: bool,
    excess_blob_gas: Option<u64>,
    withdrawals: Option<u8>,
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
    let (topic, domain) = (plan.topic(), plan.domain());
    let is_other = plan.version() != topic.version();
    let frame = frame(&signed, domain);
    let mut validator = validator(plan.forks());
    let decoded = Envelope::decode(topic.version(), &signed);
    match validator.judge(topic, &frame, &signers(), NOW) {
        Judgement::Accept(block) => {
            assert!(edited || plan.is_sound(), "accepted on {topic}");
            assert_eq!(Ok(block.envelope()), decoded.as_ref());
            assert_eq!(block.envelope().encode().as_ref(), Ok(&signed));
            assert_eq!(block.envelope().payload.recompute_hash(), block.hash());
            let again = validator.judge(topic, &frame, &signers(), NOW);
            assert!(matches!(
                again.refusal().map(|refusal| &refusal.reason),
                Some(Reason::AlreadySeen { .. })
            ));
        }
        Judgement::Ignore(refusal) | Judgement::Reject(refusal) => {
            assert!(edited || !plan.is_sound(), "refused on {topic}: {:?}", refusal.reason);
            match refusal.reason {
                Reason::WrongSigner { .. } => assert!(!topic.domains().contains(&domain)),
                Reason::Malformed(ref malformed) => assert_eq!(decoded.as_ref(), Err(malformed)),
                Reason::BlockHashMismatch { .. } => assert!(edited || is_other || plan.claims_wrong_hash),
                _ => {}
            }
        }
    }
    if let Ok(envelope) = decoded {
        assert_eq!(envelope.encode().as_ref(), Ok(&signed));
        check_root(&envelope.payload);
    }
});

impl Plan {
    fn topic(&self) -> Topic {
        Topic::ALL[usize::from(self.topic) % Topic::ALL.len()]
    }

    fn version(&self) -> PayloadVersion {
        let other = self.other_version.map(|version| PayloadVersion::ALL[usize::from(version % 4)]);
        other.unwrap_or(self.topic().version())
    }

    fn domain(&self) -> SigningDomain {
        if self.in_zero_domain { SigningDomain::Zero } else { SigningDomain::CrossSafeBlocksV1 }
    }

    fn forks(&self) -> GossipForkTimes {
        let jovian = if self.is_before_jovian { None } else { Some(UnixSeconds(0)) };
        GossipForkTimes { jovian, ..GossipForkTimes::AT_GENESIS }
    }

    /// Whether what is signed holds by every rule. What the payload's version lacks, its plan does not break.
    fn is_sound(&self) -> bool {
        let (topic, version) = (self.topic(), self.version());
        let past = if topic.is_cross_safe() { 43_200 } else { 60 };
        let blob_gas_used = self.blob_gas_used.unwrap_or_default();
        topic.domains().contains(&self.domain())
            && version == topic.version()
            && (-5..=past).contains(&i32::from(self.age))
            && !(self.has_wide_base_fee && self.base_fee != 0)
            && (!version.has_withdrawals() || self.withdrawal_count() == 0)
            && (!version.has_blob_fields() || self.excess_blob_gas.unwrap_or_default() == 0)
            && (!version.has_blob_fields() || !self.is_before_jovian || blob_gas_used == 0)
            && self.transactions.iter().all(|transaction| !transaction.is_empty())
            && !self.claims_wrong_hash
    }

    fn withdrawal_count(&self) -> usize {
        usize::from(self.withdrawals.unwrap_or_default() % 20)
    }

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

    fn version_fields(&self) -> VersionFields {
        let word = B256::from(self.word);
        let withdrawals =
            vec![Withdrawal { index: self.numbers[0], ..Withdrawal::default() }; self.withdrawal_count()];
        let blobs = BlobFields {
            parent_beacon_block_root: word,
            blob_gas_used: self.blob_gas_used.unwrap_or_default(),
            excess_blob_gas: self.excess_blob_gas.unwrap_or_default(),
        };
        match self.version() {
            PayloadVersion::V1 => VersionFields::V1,
            PayloadVersion::V2 => VersionFields::V2 { withdrawals },
            PayloadVersion::V3 => VersionFields::V3 { withdrawals, blobs },
            PayloadVersion::V4 => VersionFields::V4 { withdrawals, blobs, withdrawals_root: word },
        }
    }

    fn envelope(&self) -> Envelope {
        let word = B256::from(self.word);
        let [number, gas_limit, gas_used] = self.numbers;
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
            block_hash: B256::ZERO,
            transactions: self.transactions.iter().map(|bytes| Bytes::copy_from_slice(bytes)).collect(),
            version_fields: self.version_fields(),
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

/// The root is alloy's. An empty transaction has no place in a trie, and is refused before its root is asked
/// for.
fn check_root(payload: &ExecutionPayload) {
    if payload.transactions.iter().all(|transaction| !transaction.is_empty()) {
        assert_eq!(payload.transactions_root(), ordered_trie_root_encoded(&payload.transactions));
    }
}
