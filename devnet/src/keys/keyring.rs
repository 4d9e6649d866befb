//! [`Keyring`]: every key of a devnet chain, derived from the seed.
//!
//! None is secret: anyone who knows the seed knows them all.

use super::wallet::{Wallet, WalletError};
use alloy::primitives::{Address, keccak256};

/// How many users each chain has.
const USERS: u32 = 4;
/// Keys of chains start here and keys of users below.
const FIRST_CHAIN_KEY: u32 = 1_000;
const KEYS_PER_CHAIN: u32 = 3;

/// The keys around one chain.
#[derive(Clone, Debug)]
pub struct Keyring {
    /// The users, the same on every chain.
    pub users: Vec<Wallet>,
    /// Signs what the chain's sequencer gossips.
    pub sequencer: Wallet,
    /// Signs what the sequencer should have signed.
    pub impostor: Wallet,
    /// Posts the chain's batches.
    pub batcher: Wallet,
}

impl Keyring {
    /// The keys of the chain with this place in the superchain.
    ///
    /// # Errors
    /// When the seed derives a scalar that is not a key: never seen.
    pub fn derive(seed: u64, place: u32) -> Result<Self, WalletError> {
        let first = place.saturating_mul(KEYS_PER_CHAIN).saturating_add(FIRST_CHAIN_KEY);
        let key = |offset: u32| Wallet::derive(seed, first.saturating_add(offset));
        Ok(Self {
            users: (0..USERS).map(|index| Wallet::derive(seed, index)).collect::<Result<_, _>>()?,
            sequencer: key(0)?,
            impostor: key(1)?,
            batcher: key(2)?,
        })
    }

    /// The addresses of the users.
    pub fn user_addresses(&self) -> Vec<Address> {
        self.users.iter().map(Wallet::address).collect()
    }
}

/// Where a chain's `SystemConfig` contract is on L1.
pub(crate) fn system_config_address(chain_id: u64) -> Address {
    Address::from_word(keccak256([&b"crosscheck devnet system config"[..], &chain_id.to_be_bytes()].concat()))
}

/// Where a chain's `OptimismPortal` is on L1: deposits are made there.
pub fn deposit_contract_address(chain_id: u64) -> Address {
    let place = [&b"crosscheck devnet deposit contract"[..], &chain_id.to_be_bytes()].concat();
    Address::from_word(keccak256(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::MAX_CHAINS;

    #[test]
    fn no_two_roles_share_a_key() {
        let rings: Vec<_> = (0..MAX_CHAINS as u32).map(|place| Keyring::derive(7, place).unwrap()).collect();
        let mut keys: Vec<_> =
            rings.iter().flat_map(|ring| [&ring.sequencer, &ring.impostor, &ring.batcher]).collect();
        keys.extend(&rings[0].users);
        let addresses: std::collections::BTreeSet<_> = keys.iter().map(|wallet| wallet.address()).collect();
        assert_eq!(addresses.len(), keys.len());
    }
}
