//! [`ExecutingMessage`]: an executed message, read byte by byte from its log of the `CrossL2Inbox`.
//!
//! Spec: interop/predeploys.md, "CrossL2Inbox". In the event the log index comes before the timestamp.

use super::{CROSS_L2_INBOX, Identifier, Message};
use alloy::primitives::{Address, B256, Bytes, Log, U256, b256};
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde::{Deserialize, Serialize};

/// `keccak256("ExecutingMessage(bytes32,(address,uint256,uint256,uint256,uint256))")`.
pub const EXECUTING_MESSAGE_TOPIC: B256 =
    b256!("5c37832d2e8d10e346e55ad62071a6a2f9fa5130614ef2ec6617555c6f467ba7");

/// The events of a predeploy's proxy, which are not about messages: `Upgraded(address)` and
/// `AdminChanged(address,address)`. A fork that brings a new contract emits the first of them.
pub(crate) const PROXY_TOPICS: [B256; 2] = [
    b256!("bc7cd75a20ee27fd9adebab32041f755214dbc6bffa90cc0225b39da2e5c2d3b"),
    b256!("7e644d79422f17c01e4894b5f4f588d331ebfa28653d42ae832dc59e38c9798f"),
];

/// The event's data: five words.
const DATA_LENGTH: usize = 160;

/// A message that a block executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExecutingMessage {
    /// The place of the inbox's log among all logs of the executing block.
    pub log_index: u32,
    /// The message that it claims to execute.
    pub message: Message,
}

/// Why a log of the inbox is not an executing message, though it may be meant for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The event has exactly two topics.
    #[error("an ExecutingMessage log has 2 topics, this one has {found}")]
    TopicCount {
        /// How many there are.
        found: usize,
    },
    /// The event's data is five words.
    #[error("an ExecutingMessage log has {DATA_LENGTH} bytes of data, this one has {found}")]
    DataLength {
        /// How many bytes there are.
        found: usize,
    },
    /// It is another event. A newer inbox may have other events for messages.
    #[error("the event {} is unknown to this build: upgrade Crosscheck", in_words(topic))]
    UnknownEvent {
        /// Its first topic, if it has one.
        topic: Option<B256>,
    },
    /// A word has more than its field can hold.
    #[error("the {field} of an ExecutingMessage log is wider than {bits} bits")]
    FieldTooWide {
        /// Which field.
        field: &'static str,
        /// How many bits it has.
        bits: usize,
    },
}

impl ExecutingMessage {
    /// Reads one log of a block. `None`: it is none of the inbox's, or one of its proxy's.
    ///
    /// # Errors
    /// The inbox emitted the event in a shape that the real contract cannot produce, or an event that is not
    /// known here.
    pub fn decode(log_index: u32, log: &Log) -> Result<Option<Self>, DecodeError> {
        let topics = log.data.topics();
        let topic = topics.first().copied();
        if log.address != CROSS_L2_INBOX || topic.is_some_and(|topic| PROXY_TOPICS.contains(&topic)) {
            return Ok(None);
        }
        if topic != Some(EXECUTING_MESSAGE_TOPIC) {
            return Err(DecodeError::UnknownEvent { topic });
        }
        let &[_, payload_hash] = topics else {
            return Err(DecodeError::TopicCount { found: topics.len() });
        };
        let identifier = decode_identifier(&log.data.data)?;
        Ok(Some(Self { log_index, message: Message { identifier, payload_hash } }))
    }
}

fn in_words(topic: &Option<B256>) -> String {
    topic.map_or_else(|| "without a topic".to_owned(), |topic| topic.to_string())
}

fn decode_identifier(data: &Bytes) -> Result<Identifier, DecodeError> {
    let found = data.len();
    let mut words = data.chunks_exact(32).map(|word| U256::from_be_slice(word));
    let mut word = || words.next().filter(|_| found == DATA_LENGTH).ok_or(DecodeError::DataLength { found });
    Ok(Identifier {
        origin: Address::from_word(B256::from(narrow(word()?, "origin", 160)?)),
        block_number: narrow(word()?, "block number", 64)?.wrapping_to(),
        log_index: narrow(word()?, "log index", 32)?.wrapping_to(),
        timestamp: UnixSeconds(narrow(word()?, "timestamp", 64)?.wrapping_to()),
        chain_id: ChainId::from(word()?),
    })
}

fn narrow(word: U256, field: &'static str, bits: usize) -> Result<U256, DecodeError> {
    if word.bit_len() > bits { Err(DecodeError::FieldTooWide { field, bits }) } else { Ok(word) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Checksum, log_hash};
    use alloy::primitives::{LogData, address, hex, keccak256};
    use rstest::rstest;

    const EMITTER: Address = Address::repeat_byte(7);

    const PAYLOAD_HASH: B256 = b256!("c3f57e1f0dd62a4f77787d834029bfeaab8894022c47edbe13b044fb658c9190");
    const DATA: [u8; 160] = hex!(
        "0000000000000000000000005fbdb2315678afecb367f032d93f642f64180aa3"
        "000000000000000000000000000000000000000000000000000000000000119d"
        "0000000000000000000000000000000000000000000000000000000000000000"
        "000000000000000000000000000000000000000000000000000000006724d563"
        "00000000000000000000000000000000000000000000000000000000000dbc68"
    );

    fn log(topics: Vec<B256>, data: &[u8]) -> Log {
        Log { address: CROSS_L2_INBOX, data: LogData::new_unchecked(topics, data.to_vec().into()) }
    }

    /// A log seen on an interop devnet, from the monorepo's `logs_test.go`.
    #[test]
    fn reads_a_real_log() {
        let message = ExecutingMessage::decode(3, &log(vec![EXECUTING_MESSAGE_TOPIC, PAYLOAD_HASH], &DATA))
            .unwrap()
            .unwrap();
        let id = message.message.identifier;
        assert_eq!(id.origin, address!("5fbdb2315678afecb367f032d93f642f64180aa3"));
        assert_eq!((id.block_number, id.log_index), (4509, 0));
        assert_eq!((id.timestamp, id.chain_id), (UnixSeconds(1_730_467_171), ChainId::from(900_200)));
        assert_eq!(
            log_hash(id.origin, PAYLOAD_HASH),
            b256!("23f2ee61b4ce30421cb54672ef1f589e6dfb35a3c193da9b80d4693e9d516c5b")
        );
        assert_eq!(
            Checksum::of(&message.message).as_word(),
            b256!("0307d89c993b125400cb5868be4cbbafa6a6b1d9b8a6d530d49e8c4a30fb2aa1")
        );
    }

    #[test]
    fn other_logs_are_not_messages() {
        let mut elsewhere = log(vec![EXECUTING_MESSAGE_TOPIC, PAYLOAD_HASH], &DATA);
        elsewhere.address = Address::ZERO;
        assert_eq!(ExecutingMessage::decode(0, &elsewhere), Ok(None));
        for signature in ["Upgraded(address)", "AdminChanged(address,address)"] {
            let topic = keccak256(signature);
            assert_eq!(ExecutingMessage::decode(0, &log(vec![topic], &DATA)), Ok(None), "{signature}");
        }
    }

    /// As a newer inbox may have them. Another contract may emit what it likes.
    #[rstest]
    #[case::of_a_newer_inbox(vec![keccak256("ExecutingCertifiedMessage(bytes32,bytes)"), PAYLOAD_HASH])]
    #[case::without_a_topic(vec![])]
    fn other_events_of_the_inbox_are_not_known(#[case] topics: Vec<B256>) {
        let mut event = log(topics.clone(), &DATA);
        let topic = topics.first().copied();
        assert_eq!(ExecutingMessage::decode(0, &event), Err(DecodeError::UnknownEvent { topic }));
        event.address = EMITTER;
        assert_eq!(ExecutingMessage::decode(0, &event), Ok(None));
    }

    #[rstest]
    #[case::one_topic(vec![EXECUTING_MESSAGE_TOPIC], DATA.to_vec())]
    #[case::three_topics(vec![EXECUTING_MESSAGE_TOPIC, PAYLOAD_HASH, PAYLOAD_HASH], DATA.to_vec())]
    #[case::a_word_short(vec![EXECUTING_MESSAGE_TOPIC, PAYLOAD_HASH], DATA[..128].to_vec())]
    #[case::a_word_long(vec![EXECUTING_MESSAGE_TOPIC, PAYLOAD_HASH], [&DATA[..], &[0; 32]].concat())]
    #[case::a_byte_long(vec![EXECUTING_MESSAGE_TOPIC, PAYLOAD_HASH], [&DATA[..], &[0]].concat())]
    #[case::wide_origin(vec![EXECUTING_MESSAGE_TOPIC, PAYLOAD_HASH], with_byte(0))]
    #[case::wide_block_number(vec![EXECUTING_MESSAGE_TOPIC, PAYLOAD_HASH], with_byte(55))]
    #[case::wide_log_index(vec![EXECUTING_MESSAGE_TOPIC, PAYLOAD_HASH], with_byte(91))]
    #[case::wide_timestamp(vec![EXECUTING_MESSAGE_TOPIC, PAYLOAD_HASH], with_byte(119))]
    fn refuses(#[case] topics: Vec<B256>, #[case] data: Vec<u8>) {
        assert!(ExecutingMessage::decode(0, &log(topics, &data)).is_err());
    }

    fn with_byte(at: usize) -> Vec<u8> {
        let mut data = DATA.to_vec();
        data[at] = 1;
        data
    }

    #[test]
    fn topic_is_the_hash_of_the_signature() {
        let signature = "ExecutingMessage(bytes32,(address,uint256,uint256,uint256,uint256))";
        assert_eq!(EXECUTING_MESSAGE_TOPIC, alloy::primitives::keccak256(signature));
    }
}
