//! A chain on an L1 with a funded user, for tests.

// It is test code in other crates too: what is impossible here fails the test.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

use crate::chain::{Chain, ChainParams, L2Block, Upgrade};
use crate::keys::{Call, Wallet};
use crate::l1::{FeeScalars, L1, L1Params, SystemConfigContract};
use alloy::{
    eips::eip2930::AccessList,
    primitives::{Address, Bytes, U256},
};
use crosscheck_p2p::UnixSeconds;
use std::{collections::BTreeMap, sync::Arc};

pub const GENESIS_TIME: u64 = 1_700_000_000;
pub const CHAIN_ID: u64 = 901;
pub const SYSTEM_CONFIG: Address = Address::repeat_byte(0xc0);
pub const DEPOSIT_CONTRACT: Address = Address::repeat_byte(0xde);

#[derive(Clone, Debug)]
pub struct Fixture {
    pub l1: L1,
    pub chain: Chain,
    pub user: Wallet,
}

impl Fixture {
    pub fn new(seed: u64) -> Self {
        Self::made(seed, None)
    }

    /// The same with a fork that begins then.
    pub fn with_upgrade(seed: u64, upgrade: UnixSeconds) -> Self {
        Self::made(seed, Some(Upgrade::own(upgrade)))
    }

    fn made(seed: u64, upgrade: Option<Upgrade>) -> Self {
        let config = SystemConfigContract {
            unsafe_block_signer: Address::repeat_byte(0x51),
            batcher: Address::repeat_byte(0xba),
            scalars: FeeScalars::GENESIS,
        };
        let l1 = L1::new(L1Params {
            genesis_time: UnixSeconds(GENESIS_TIME),
            seed,
            safe_depth: 1,
            finalized_depth: 2,
            system_configs: BTreeMap::from([(SYSTEM_CONFIG, config)]),
        });
        let user = Wallet::derive(seed, 0).unwrap();
        let params = ChainParams {
            chain_id: CHAIN_ID,
            block_time: 2,
            first_number: 0,
            genesis_time: UnixSeconds(GENESIS_TIME),
            l1_genesis: l1.head().id(),
            gas_limit: 60_000_000,
            system_config: SYSTEM_CONFIG,
            deposit_contract: DEPOSIT_CONTRACT,
            batcher: Address::repeat_byte(0xba),
            upgrade,
        };
        let chain = Chain::new(params, &[user.address()]).unwrap();
        Self { l1, chain, user }
    }

    /// A call of the user's with the nonce that is due after the head and `ahead` more of its transactions.
    pub fn call(&self, ahead: u64, to: Address, input: Bytes, access_list: AccessList) -> Bytes {
        let nonce = self.chain.nonce(self.chain.head().hash, self.user.address()).unwrap() + ahead;
        self.sign(Call {
            chain_id: CHAIN_ID,
            nonce,
            to,
            input,
            value: U256::ZERO,
            access_list,
            gas_limit: 1_000_000,
            max_fee: 10_000_000_000,
        })
    }

    pub fn sign(&self, call: Call) -> Bytes {
        self.user.sign_call(call).unwrap()
    }

    /// Builds the next block on the head, in the epoch of L1's head, and makes it the head.
    pub fn extend(&mut self, transactions: &[Bytes]) -> Arc<L2Block> {
        let parent = self.chain.head().hash;
        let block = self.chain.build(parent, self.l1.head(), transactions).unwrap();
        self.chain.adopt(block.hash).unwrap();
        block
    }
}
