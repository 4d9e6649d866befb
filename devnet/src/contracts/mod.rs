//! The devnet's contracts: addresses, bytecode, bindings and calldata.
//!
//! The bytecode beside each source is what `tests/npm/compile.mjs` makes of it; a test recompiles and compares.

use alloy::{
    eips::eip2930::{AccessList, AccessListItem},
    primitives::{Address, B256, Bytes, U256, address},
    sol_types::{SolCall, SolEvent},
};
use crosscheck_core::message::{CROSS_L2_INBOX, Message, encode_access_list};

/// ABI bindings of the contracts, as far as the devnet calls or reads them.
#[allow(missing_docs, reason = "the Solidity sources document these items")]
pub mod bindings {
    alloy::sol! {
        #[derive(Debug, PartialEq, Eq)]
        interface ICrossL2Inbox {
            struct Identifier {
                address origin;
                uint256 blockNumber;
                uint256 logIndex;
                uint256 timestamp;
                uint256 chainId;
            }

            error NotInAccessList();
            error BlockNumberTooHigh();
            error LogIndexTooHigh();
            error TimestampTooHigh();

            event ExecutingMessage(bytes32 indexed msgHash, Identifier id);

            function validateMessage(Identifier calldata id, bytes32 msgHash) external;
            function calculateChecksum(Identifier memory id, bytes32 msgHash) external pure returns (bytes32);
            function version() external pure returns (string memory);
        }

        interface IEmitter {
            function emitLog(bytes32[] calldata topics, bytes calldata data) external;
        }

        interface IL1Block {
            function setL1BlockValuesJovian() external;
        }

        interface IL2ToL1MessagePasser {
            function initiateWithdrawal(address target, uint256 gasLimit, bytes memory data) external payable;
        }
    }
}

use bindings::{ICrossL2Inbox, IEmitter};

/// The emitter: where the devnet's initiating messages come from. The same address on every chain.
pub const EMITTER: Address = address!("e000000000000000000000000000000000000001");

/// The `L1Block` predeploy.
pub const L1_BLOCK: Address = address!("4200000000000000000000000000000000000015");

/// The `L2ToL1MessagePasser` predeploy: its storage root is the header's withdrawals root.
pub const MESSAGE_PASSER: Address = address!("4200000000000000000000000000000000000016");

/// The `SequencerFeeVault` predeploy: the fee recipient of every block.
pub const SEQUENCER_FEE_VAULT: Address = address!("4200000000000000000000000000000000000011");

/// What is at the inbox's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inbox {
    /// The inbox.
    #[default]
    Guarded,
    /// Code that logs what the inbox would, for every call and whatever was declared.
    Unguarded,
}

impl Inbox {
    /// The code that stands in the inbox's place, if it is not the inbox.
    ///
    /// Assembled by hand. Calldata of `validateMessage`: the selector, five words of identifier, the payload hash.
    pub fn replacement(self) -> Option<Bytes> {
        let code = [
            // CALLDATACOPY(to 0, from 4, 160 bytes): the identifier is the event's data.
            &[0x60, 0xa0, 0x60, 0x04, 0x5f, 0x37][..],
            // CALLDATALOAD(164): the payload hash is its second topic.
            &[0x60, 0xa4, 0x35],
            // PUSH32, then LOG2(from 0, 160 bytes) and STOP.
            &[0x7f],
            ICrossL2Inbox::ExecutingMessage::SIGNATURE_HASH.as_slice(),
            &[0x60, 0xa0, 0x5f, 0xa2, 0x00],
        ];
        (self == Self::Unguarded).then(|| code.concat().into())
    }
}

/// A contract that is at genesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Predeploy {
    /// The name of its source file.
    pub name: &'static str,
    /// Where it stands.
    pub address: Address,
    /// Its runtime bytecode in hex, as committed.
    hex: &'static str,
}

/// A committed bytecode file that holds no hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytecode of {contract} is not hex ({source}): regenerate it with tests/npm/compile.mjs --write")]
pub struct BytecodeError {
    /// The contract.
    pub contract: &'static str,
    /// What the parser says.
    pub source: alloy::hex::FromHexError,
}

impl Predeploy {
    /// The runtime bytecode.
    ///
    /// # Errors
    /// When the committed file is damaged.
    pub fn bytecode(&self) -> Result<Bytes, BytecodeError> {
        alloy::hex::decode(self.hex.trim())
            .map(Bytes::from)
            .map_err(|source| BytecodeError { contract: self.name, source })
    }
}

/// Every contract of ours.
pub const PREDEPLOYS: [Predeploy; 4] = [
    Predeploy { name: "CrossL2Inbox", address: CROSS_L2_INBOX, hex: include_str!("CrossL2Inbox.bin") },
    Predeploy { name: "Emitter", address: EMITTER, hex: include_str!("Emitter.bin") },
    Predeploy { name: "L1Block", address: L1_BLOCK, hex: include_str!("L1Block.bin") },
    Predeploy {
        name: "L2ToL1MessagePasser",
        address: MESSAGE_PASSER,
        hex: include_str!("L2ToL1MessagePasser.bin"),
    },
];

/// Calldata that makes the emitter log exactly these topics (0 to 4; more revert) and this data.
pub fn emit_call(topics: &[B256], data: &[u8]) -> Bytes {
    IEmitter::emitLogCall { topics: topics.to_vec(), data: Bytes::copy_from_slice(data) }.abi_encode().into()
}

/// Calldata that executes a message.
pub fn validate_message_call(message: &Message) -> Bytes {
    let id = &message.identifier;
    let id = ICrossL2Inbox::Identifier {
        origin: id.origin,
        blockNumber: U256::from(id.block_number),
        logIndex: U256::from(id.log_index),
        timestamp: U256::from(id.timestamp.0),
        chainId: id.chain_id.as_u256(),
    };
    ICrossL2Inbox::validateMessageCall { id, msgHash: message.payload_hash }.abi_encode().into()
}

/// The access list that the inbox demands of a transaction that executes these messages.
pub fn inbox_access_list(messages: &[Message]) -> AccessList {
    if messages.is_empty() {
        return AccessList::default();
    }
    let storage_keys = messages.iter().flat_map(encode_access_list).collect();
    AccessList(vec![AccessListItem { address: CROSS_L2_INBOX, storage_keys }])
}

#[cfg(test)]
mod behaviour;

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::{
        primitives::{FixedBytes, b256, fixed_bytes, keccak256},
        sol_types::SolError,
    };
    use bindings::{IL1Block, IL2ToL1MessagePasser};
    use rstest::rstest;

    #[rstest]
    #[case::validate_message(ICrossL2Inbox::validateMessageCall::SELECTOR, fixed_bytes!("ab4d6f75"))]
    #[case::not_in_access_list(ICrossL2Inbox::NotInAccessList::SELECTOR, fixed_bytes!("e3c00816"))]
    #[case::block_number_too_high(ICrossL2Inbox::BlockNumberTooHigh::SELECTOR, fixed_bytes!("d1f79e82"))]
    #[case::timestamp_too_high(ICrossL2Inbox::TimestampTooHigh::SELECTOR, fixed_bytes!("596a19a9"))]
    #[case::log_index_too_high(ICrossL2Inbox::LogIndexTooHigh::SELECTOR, fixed_bytes!("94338eba"))]
    #[case::l1_attributes(IL1Block::setL1BlockValuesJovianCall::SELECTOR, fixed_bytes!("3db6be2b"))]
    #[case::withdrawal(IL2ToL1MessagePasser::initiateWithdrawalCall::SELECTOR, fixed_bytes!("c2b3e5ac"))]
    fn selector_is_the_specified_one(#[case] ours: [u8; 4], #[case] specified: FixedBytes<4>) {
        assert_eq!(FixedBytes(ours), specified);
    }

    #[test]
    fn event_topic_is_the_specified_one() {
        assert_eq!(
            ICrossL2Inbox::ExecutingMessage::SIGNATURE_HASH,
            b256!("5c37832d2e8d10e346e55ad62071a6a2f9fa5130614ef2ec6617555c6f467ba7")
        );
    }

    #[test]
    fn bytecode_holds_the_selectors_that_are_called() {
        for (predeploy, selector) in PREDEPLOYS.iter().zip([
            ICrossL2Inbox::validateMessageCall::SELECTOR,
            IEmitter::emitLogCall::SELECTOR,
            IL1Block::setL1BlockValuesJovianCall::SELECTOR,
            IL2ToL1MessagePasser::initiateWithdrawalCall::SELECTOR,
        ]) {
            let code = predeploy.bytecode().unwrap();
            assert!(code.windows(4).any(|window| window == selector), "{}", predeploy.name);
        }
    }

    #[test]
    fn no_messages_declare_nothing() {
        assert!(inbox_access_list(&[]).0.is_empty());
        assert_ne!(keccak256(emit_call(&[], &[])), keccak256(emit_call(&[B256::ZERO], &[])));
    }
}
