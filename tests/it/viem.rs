//! The inbox's access lists are those of `@eth-optimism/viem`, whichever side makes the message.
//!
//! viem takes chain ids of 256 bits too, and gives those beyond 64 bits an entry of their own, as the
//! specification has it. It holds the block number, log index and timestamp to their widths, as our types do.

use crate::npm;
use alloy::primitives::{Address, B256, Bytes, LogData, U256};
use crosscheck_core::message::{
    CROSS_L2_INBOX, Checksum, Identifier, InboxAccess, Message, encode_access_list, parse_access_list,
    payload_hash,
};
use crosscheck_p2p::{ChainId, UnixSeconds};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::process::{Output, Stdio};

/// How many messages each side makes.
const MESSAGES: usize = 400;

/// A message as the script reads and prints it: the identifier, and the log that it speaks of.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    origin: Address,
    #[serde(with = "decimal")]
    block_number: u64,
    #[serde(with = "decimal")]
    log_index: u32,
    #[serde(with = "decimal")]
    timestamp: u64,
    #[serde(with = "decimal")]
    chain_id: U256,
    topics: Vec<B256>,
    data: Bytes,
}

impl Line {
    fn message(&self) -> Message {
        let log = LogData::new(self.topics.clone(), self.data.clone()).expect("at most four topics");
        Message {
            identifier: Identifier {
                origin: self.origin,
                block_number: self.block_number,
                log_index: self.log_index,
                timestamp: UnixSeconds(self.timestamp),
                chain_id: ChainId::from(self.chain_id),
            },
            payload_hash: payload_hash(&log),
        }
    }
}

/// What viem makes of a message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Encoded {
    message: Line,
    address: Address,
    storage_keys: Vec<B256>,
}

/// Numbers as decimal text: JSON's own are too narrow.
mod decimal {
    use core::{fmt::Display, str::FromStr};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<T: Display, S: Serializer>(number: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The ends more often than chance would have them, and every width.
fn number(bits: usize) -> impl Strategy<Value = U256> {
    let most = U256::MAX >> (256 - bits);
    prop_oneof![
        1 => Just(U256::ZERO),
        1 => Just(most),
        6 => (any::<[u8; 32]>(), 0..bits).prop_map(move |(bytes, shift)| (U256::from_be_bytes(bytes) & most) >> shift),
    ]
}

/// Also those on either side of 64 bits.
fn chain_id() -> impl Strategy<Value = U256> {
    prop_oneof![
        3 => number(256),
        1 => (0_u64..3).prop_map(|beyond| U256::from(u64::MAX) + U256::from(beyond)),
    ]
}

fn line() -> impl Strategy<Value = Line> {
    let numbers = (number(64), number(32), number(64), chain_id());
    let log = (vec(any::<[u8; 32]>(), 0..=4), vec(any::<u8>(), 0..100));
    (any::<[u8; 20]>(), numbers, log).prop_map(
        |(origin, (block_number, log_index, timestamp, chain_id), (topics, data))| Line {
            origin: origin.into(),
            block_number: block_number.to(),
            log_index: log_index.to(),
            timestamp: timestamp.to(),
            chain_id,
            topics: topics.into_iter().map(B256::from).collect(),
            data: data.into(),
        },
    )
}

/// The same messages in every run.
fn messages() -> Vec<Line> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    (0..MESSAGES).map(|_| line().new_tree(&mut runner).unwrap().current()).collect()
}

/// Runs the script with this standard input.
fn script(arguments: &[&str], input: String) -> Vec<Encoded> {
    npm::installed("@eth-optimism/viem");
    npm::installed("viem");
    let mut child = npm::node("access_lists.mjs", arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node runs: install Node.js 20 or newer and have `node` on PATH");
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    assert!(status.success(), "viem refused: {}", String::from_utf8_lossy(&stderr));
    writer.join().unwrap().unwrap();
    String::from_utf8(stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn viem_encodes_the_same_messages() {
    let messages = messages();
    let input = messages.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
    let encoded = script(&["encode"], input);
    assert_eq!(encoded.len(), messages.len());
    for (line, encoded) in messages.iter().zip(encoded) {
        assert_eq!(encoded.address, CROSS_L2_INBOX);
        assert_eq!(encoded.storage_keys, encode_access_list(&line.message()), "{line:?}");
    }
    let wide = messages.iter().filter(|line| line.chain_id > U256::from(u64::MAX)).count();
    assert!(wide > 50 && MESSAGES - wide > 50, "both kinds of chain id: {wide} wide ones");
}

#[test]
fn messages_that_viem_encodes_are_read_back() {
    let encoded = script(&["generate", &MESSAGES.to_string(), "7"], String::new());
    assert_eq!(encoded.len(), MESSAGES);
    for Encoded { message: line, address, storage_keys } in &encoded {
        assert_eq!(*address, CROSS_L2_INBOX);
        let message = line.message();
        let id = message.identifier;
        let read = InboxAccess {
            chain_id: id.chain_id,
            block_number: id.block_number,
            timestamp: id.timestamp,
            log_index: id.log_index,
            checksum: Checksum::of(&message),
        };
        assert_eq!(parse_access_list(storage_keys), Ok(vec![read]), "{line:?}");
    }
    let joined: Vec<B256> = encoded.iter().flat_map(|encoded| encoded.storage_keys.clone()).collect();
    assert_eq!(parse_access_list(&joined).unwrap().len(), MESSAGES, "many messages in one list");
    let wide = encoded.iter().filter(|encoded| encoded.storage_keys.len() == 3).count();
    assert!(wide > 50 && MESSAGES - wide > 50, "both kinds of chain id: {wide} wide ones");
}
