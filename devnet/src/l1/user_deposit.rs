//! [`UserDeposit`]: a deposit as a user makes it on L1, the log that L1 writes of it, and the transaction
//! that L2 must include for that log.
//!
//! Spec: deposits.md, "User-deposited transactions": version 0 of the opaque data, source hash of domain 0.

use alloy::{
    primitives::{Address, B256, Bytes, Log, TxKind, U256},
    sol_types::{SolCall, SolEvent},
};
use op_alloy::consensus::{TxDeposit, UserDepositSource};

/// ABI bindings of the portal, as far as the devnet calls or reads it.
#[allow(missing_docs, reason = "the items have the names of the contract's own")]
pub(crate) mod bindings {
    alloy::sol! {
        interface IOptimismPortal {
            event TransactionDeposited(
                address indexed from, address indexed to, uint256 indexed version, bytes opaqueData
            );

            function depositTransaction(
                address to, uint256 value, uint64 gasLimit, bool isCreation, bytes memory data
            ) external payable;
        }
    }
}

use bindings::IOptimismPortal::{TransactionDeposited, depositTransactionCall};

/// The bytes of the opaque data before the calldata: mint, value, gas limit, and whether it creates a
/// contract.
const OPAQUE_HEAD: usize = 32 + 32 + 8 + 1;

/// What a user has deposited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserDeposit {
    /// Whom it calls on L2; `None`: it creates a contract.
    pub(crate) to: Option<Address>,
    /// What it brings along to L2, wei.
    pub(crate) mint: u128,
    /// What it passes on to whom it calls, wei.
    pub(crate) value: u128,
    /// Its gas limit on L2.
    pub(crate) gas_limit: u64,
    /// Its calldata or init code.
    pub(crate) data: Bytes,
}

impl UserDeposit {
    /// The calldata of the call to the portal.
    pub(crate) fn call(&self) -> Bytes {
        let call = depositTransactionCall {
            to: self.to.unwrap_or_default(),
            value: U256::from(self.value),
            gasLimit: self.gas_limit,
            isCreation: self.to.is_none(),
            data: self.data.clone(),
        };
        call.abi_encode().into()
    }

    /// The log that a portal writes of it.
    pub(crate) fn log(&self, portal: Address, from: Address) -> Log {
        let opaque = [
            &U256::from(self.mint).to_be_bytes::<32>()[..],
            &U256::from(self.value).to_be_bytes::<32>(),
            &self.gas_limit.to_be_bytes(),
            &[u8::from(self.to.is_none())],
            &self.data,
        ];
        let event = TransactionDeposited {
            from,
            to: self.to.unwrap_or_default(),
            version: U256::ZERO,
            opaqueData: opaque.concat().into(),
        };
        Log { address: portal, data: event.encode_log_data() }
    }
}

/// The transaction that a portal's log demands on L2. `None`: the log is not a deposit of version 0.
pub(crate) fn read(log: &Log, l1_block: B256, log_index: u64) -> Option<TxDeposit> {
    let event = TransactionDeposited::decode_log(log).ok().filter(|event| event.version.is_zero())?;
    let (head, input) = event.opaqueData.split_at_checked(OPAQUE_HEAD)?;
    let (mint, rest) = head.split_at_checked(32)?;
    let (value, rest) = rest.split_at_checked(32)?;
    let (gas_limit, is_creation) = rest.split_at_checked(8)?;
    Some(TxDeposit {
        source_hash: UserDepositSource::new(l1_block, log_index).source_hash(),
        from: event.from,
        to: if is_creation == [1] { TxKind::Create } else { TxKind::Call(event.to) },
        mint: u128::try_from(U256::try_from_be_slice(mint)?).ok()?,
        value: U256::try_from_be_slice(value)?,
        gas_limit: u64::from_be_bytes(gas_limit.try_into().ok()?),
        is_system_transaction: false,
        input: Bytes::copy_from_slice(input),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::{b256, keccak256};
    use proptest::prelude::*;

    fn deposit(to: Option<Address>) -> UserDeposit {
        UserDeposit { to, mint: 7, value: 5, gas_limit: 100_000, data: Bytes::from_static(b"data") }
    }

    #[test]
    fn the_topic_is_that_of_the_deployed_portals() {
        let log = deposit(None).log(Address::ZERO, Address::repeat_byte(1));
        let topic = b256!("b3813568d9991fc951961fcb4c784893574240a28925604d09fc577c55bb7c32");
        assert_eq!((log.topics()[0], log.topics().len()), (topic, 4));
    }

    /// `keccak256(0 as 32 bytes || keccak256(L1 block hash || log index as 32 bytes))`.
    #[test]
    fn the_source_hash_binds_block_and_log_index() {
        let log = deposit(None).log(Address::ZERO, Address::repeat_byte(1));
        let block = B256::repeat_byte(4);
        let place = keccak256([block, B256::from(U256::from(9))].concat());
        let expected = keccak256([B256::ZERO, place].concat());
        assert_eq!(read(&log, block, 9).unwrap().source_hash, expected);
    }

    #[test]
    fn other_versions_and_short_data_are_not_deposits() {
        let mut log = deposit(None).log(Address::ZERO, Address::repeat_byte(1));
        log.data.topics_mut_unchecked()[3] = B256::with_last_byte(1);
        assert_eq!(read(&log, B256::ZERO, 0), None);
        let short = TransactionDeposited {
            from: Address::ZERO,
            to: Address::ZERO,
            version: U256::ZERO,
            opaqueData: vec![0; OPAQUE_HEAD - 1].into(),
        };
        let log = Log { address: Address::ZERO, data: short.encode_log_data() };
        assert_eq!(read(&log, B256::ZERO, 0), None);
    }

    proptest! {
        #[test]
        fn what_is_logged_is_what_is_read(
            to in prop::option::of(any::<[u8; 20]>()),
            mint in any::<u128>(),
            value in any::<u128>(),
            gas_limit in any::<u64>(),
            data in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let to = to.map(Address::from);
            let from = Address::repeat_byte(3);
            let deposit = UserDeposit { to, mint, value, gas_limit, data: data.into() };
            let read = read(&deposit.log(Address::repeat_byte(2), from), B256::ZERO, 0).unwrap();
            prop_assert_eq!(read.from, from);
            prop_assert_eq!(read.to, to.map_or(TxKind::Create, TxKind::Call));
            prop_assert_eq!((read.mint, read.value), (mint, U256::from(value)));
            prop_assert_eq!((read.gas_limit, read.input), (gas_limit, deposit.data));
        }
    }
}
