//! Keys and the transactions that they sign.

mod keyring;
mod wallet;

pub(crate) use keyring::system_config_address;
pub use keyring::{Keyring, deposit_contract_address};
pub use wallet::{Call, Wallet, WalletError};
