//! [`L1Traffic`]: what happens on the devnet's L1, drawn from a seed: users deposit to the chains, and now
//! and then an owner changes a chain's fee scalars.
//!
//! The same seed, height and branch give the same transactions; another branch of L1 gets others.

use super::superchain::L1_CHAIN_ID;
use crate::contracts::{EMITTER, emit_call};
use crate::keys::{Call, Wallet, WalletError, deposit_contract_address, system_config_address};
use crate::l1::{FeeScalars, L1, L1State, L1Transaction, SystemConfigContract, UserDeposit};
use alloy::{
    consensus::TxEnvelope,
    eips::{Decodable2718, eip2930::AccessList},
    primitives::{Address, B256, Bytes, Log, U256, keccak256},
};
use rand::{Rng, RngCore, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha12Rng;

/// Keys of those who act on L1 start here: they are nobody's on L2, so that no deposit takes a nonce from a
/// user.
const FIRST_KEY: u32 = 500;
const DEPOSITORS: u32 = 3;
/// How many of ten L1 blocks have deposits of a chain.
const DEPOSITS_IN_TEN: u32 = 5;
const MAX_DEPOSITS: usize = 2;
/// A chain's scalars change in one of this many L1 blocks.
const UPDATE_ONE_IN: u32 = 8;
const MAX_FEE: u128 = 100_000_000_000;
const GAS_LIMIT: u64 = 300_000;
/// What a deposit may use on L2.
const DEPOSIT_GAS: u64 = 200_000;

/// Those who act on L1.
#[derive(Debug)]
pub(crate) struct L1Traffic {
    seed: u64,
    chain_ids: Vec<u64>,
    depositors: Vec<Wallet>,
    owner: Wallet,
}

impl L1Traffic {
    /// The traffic that concerns these chains.
    ///
    /// # Errors
    /// When the seed derives a scalar that is not a key: never seen.
    pub(crate) fn new(seed: u64, chain_ids: &[u64]) -> Result<Self, WalletError> {
        let key = |index: u32| Wallet::derive(seed, FIRST_KEY.saturating_add(index));
        let depositors = (0..DEPOSITORS).map(key).collect::<Result<_, _>>()?;
        Ok(Self { seed, chain_ids: chain_ids.to_vec(), depositors, owner: key(DEPOSITORS)? })
    }

    /// The transactions of the block that follows L1's head.
    ///
    /// # Errors
    /// When a wallet refuses to sign, which a local key does not.
    pub(crate) fn next_body(&self, l1: &L1) -> Result<Vec<L1Transaction>, WalletError> {
        let number = l1.head().number().saturating_add(1);
        let place = [self.seed, number, l1.branch()].map(u64::to_be_bytes).concat();
        let mut rng = ChaCha12Rng::from_seed(keccak256([&b"l1 traffic"[..], &place].concat()).0);
        let mut state = l1.pending().clone();
        let mut body = Vec::new();
        for chain_id in &self.chain_ids {
            if rng.random_ratio(DEPOSITS_IN_TEN, 10) {
                for _ in 0..rng.random_range(1..=MAX_DEPOSITS) {
                    body.extend(self.deposit(*chain_id, &mut state, &mut rng)?);
                }
            }
            if rng.random_ratio(1, UPDATE_ONE_IN) {
                body.extend(self.update(*chain_id, &mut state, &mut rng)?);
            }
        }
        Ok(body)
    }

    fn deposit(
        &self,
        chain_id: u64,
        state: &mut L1State,
        rng: &mut ChaCha12Rng,
    ) -> Result<Option<L1Transaction>, WalletError> {
        let Some(wallet) = self.depositors.choose(rng) else { return Ok(None) };
        let deposit = self.draw(rng);
        let portal = deposit_contract_address(chain_id);
        let logs = vec![deposit.log(portal, wallet.address())];
        send(wallet, portal, deposit.call(), U256::from(deposit.mint), logs, state).map(Some)
    }

    fn update(
        &self,
        chain_id: u64,
        state: &mut L1State,
        rng: &mut ChaCha12Rng,
    ) -> Result<Option<L1Transaction>, WalletError> {
        let address = system_config_address(chain_id);
        let Some(config) = state.system_configs.get(&address) else { return Ok(None) };
        let scalars = FeeScalars {
            base_fee: rng.random_range(1_000..10_000),
            blob_base_fee: rng.random_range(500_000..2_000_000),
        };
        let config = SystemConfigContract { scalars, ..*config };
        let logs = vec![scalars.update_log(address)];
        let sent = send(&self.owner, address, scalars.update_call(), U256::ZERO, logs, state)?;
        state.system_configs.insert(address, config);
        Ok(Some(L1Transaction { sets: Some((address, config)), ..sent }))
    }

    /// A transfer, a call that logs, a contract creation, or a transfer of what is not there.
    fn draw(&self, rng: &mut ChaCha12Rng) -> UserDeposit {
        let recipient = self.depositors.choose(rng).map(Wallet::address);
        let mint = u128::from(rng.random_range(1..1_000_000_000_u64));
        let deposit = |to, value, data| UserDeposit { to, mint, value, gas_limit: DEPOSIT_GAS, data };
        match rng.random_range(0..6_u8) {
            0 | 1 => deposit(recipient, mint.checked_div(2).unwrap_or_default(), Bytes::new()),
            2 | 3 => deposit(Some(EMITTER), 0, emit_call(&[random_word(rng)], &rng.next_u64().to_be_bytes())),
            // Init code that stops at once, and so leaves an empty contract.
            4 => deposit(None, 0, Bytes::from_static(&[0])),
            _ => deposit(recipient, u128::MAX, Bytes::new()),
        }
    }
}

fn random_word(rng: &mut ChaCha12Rng) -> B256 {
    let mut word = B256::ZERO;
    rng.fill_bytes(word.as_mut_slice());
    word
}

/// Signs a call and counts the sender's nonce on.
fn send(
    wallet: &Wallet,
    to: Address,
    input: Bytes,
    value: U256,
    logs: Vec<Log>,
    state: &mut L1State,
) -> Result<L1Transaction, WalletError> {
    let (from, nonce) = (wallet.address(), state.nonce(wallet.address()));
    let gas_used = gas_used(&input);
    let (access_list, chain_id) = (AccessList::default(), L1_CHAIN_ID);
    let call =
        Call { chain_id, nonce, to, input, value, access_list, gas_limit: GAS_LIMIT, max_fee: MAX_FEE };
    let raw = wallet.sign_call(call)?;
    let envelope = TxEnvelope::decode_2718_exact(&raw).map_err(|error| WalletError::Encoding {
        from,
        nonce,
        reason: error.to_string(),
    })?;
    state.nonces.insert(from, nonce.saturating_add(1));
    Ok(L1Transaction { envelope, from, logs, gas_used, sets: None })
}

/// What a call costs at least, and something for the contract that nobody runs.
fn gas_used(input: &Bytes) -> u64 {
    const CALL: u64 = 21_000 + 30_000;
    u64::try_from(input.len()).unwrap_or(u64::MAX).saturating_mul(16).saturating_add(CALL).min(GAS_LIMIT)
}
