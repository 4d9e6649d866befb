//! [`Superchain`]: made-up blocks whose messages all hold, as plain logs that either side can be given.

use alloy_primitives::{Address, B256, Bytes, U256, address, b256, keccak256};

/// The `CrossL2Inbox` predeploy.
const INBOX: Address = address!("4200000000000000000000000000000000000022");

/// The topic of its `ExecutingMessage` event.
const EXECUTING_MESSAGE: B256 = b256!("5c37832d2e8d10e346e55ad62071a6a2f9fa5130614ef2ec6617555c6f467ba7");

/// Who emits the initiating messages.
const EMITTER: Address = Address::repeat_byte(0xee);

/// Initiating logs a block has for each message that it executes.
const INITIATING_LOGS: u64 = 2;

/// How far back a message cites.
const REACH: u64 = 8;

/// The timestamp of block 0.
const GENESIS_TIME: u64 = 1_000;

/// One log.
#[derive(Clone, Debug)]
pub struct PlainLog {
    /// Who emitted it.
    pub address: Address,
    /// Its topics.
    pub topics: Vec<B256>,
    /// Its data.
    pub data: Bytes,
}

/// One block: each receipt has one log.
#[derive(Clone, Debug)]
pub struct PlainBlock {
    /// Its chain.
    pub chain_id: u64,
    /// Its height.
    pub number: u64,
    /// Its timestamp.
    pub timestamp: u64,
    /// Its logs: first the executed messages, then the initiating ones.
    pub logs: Vec<PlainLog>,
}

/// How large a superchain is, and what is wrong with it.
#[derive(Clone, Copy, Debug)]
pub struct Superchain {
    /// How many chains there are.
    pub chains: u64,
    /// How many messages each block executes.
    pub messages: u64,
    /// One message in so many has a wrong payload hash. 0: none.
    pub invalid_one_in: u64,
}

impl Superchain {
    /// The ids of the chains: none that a registry knows.
    pub fn chain_ids(&self) -> impl Iterator<Item = u64> + use<> {
        (9_000_001_u64..).take(usize::try_from(self.chains).unwrap_or(usize::MAX))
    }

    /// The block of a chain at a height.
    pub fn block(&self, chain_id: u64, number: u64) -> PlainBlock {
        let executed = if number == 0 { 0 } else { self.messages };
        let mut logs: Vec<_> = (0..executed).map(|place| self.executing(chain_id, number, place)).collect();
        let initiating = self.messages * INITIATING_LOGS;
        logs.extend((0..initiating).map(|place| initiating_log(chain_id, number, place)));
        PlainBlock { chain_id, number, timestamp: GENESIS_TIME + number, logs }
    }

    fn executing(&self, chain_id: u64, number: u64, place: u64) -> PlainLog {
        let draw = keccak256([chain_id, number, place].map(u64::to_be_bytes).concat());
        let [a, b, c, d] = [0, 8, 16, 24].map(|at| {
            u64::from_be_bytes(draw[at..at + 8].try_into().expect("eight bytes of a word of thirty-two"))
        });
        let ids: Vec<u64> = self.chain_ids().filter(|id| *id != chain_id).collect();
        let cited_chain = ids[usize::try_from(a % ids.len() as u64).expect("an index")];
        let cited_number = number - 1 - b % REACH.min(number);
        let cited_place = c % (self.messages * INITIATING_LOGS);
        let cited = initiating_log(cited_chain, cited_number, cited_place);
        let mut payload_hash = keccak256([cited.topics.concat(), cited.data.to_vec()].concat());
        if self.invalid_one_in != 0 && d % self.invalid_one_in == 0 {
            payload_hash = draw;
        }
        let first = if cited_number == 0 { 0 } else { self.messages };
        let words = [
            cited.address.into_word(),
            U256::from(cited_number).into(),
            U256::from(first + cited_place).into(),
            U256::from(GENESIS_TIME + cited_number).into(),
            U256::from(cited_chain).into(),
        ];
        PlainLog {
            address: INBOX,
            topics: vec![EXECUTING_MESSAGE, payload_hash],
            data: words.concat().into(),
        }
    }
}

fn initiating_log(chain_id: u64, number: u64, place: u64) -> PlainLog {
    let word = keccak256([chain_id, number, place, 1].map(u64::to_be_bytes).concat());
    PlainLog { address: EMITTER, topics: vec![word], data: [word.as_slice(); 3].concat().into() }
}
