//! The contracts that are at genesis: addresses and bytecode.

use super::bindings::ICrossL2Inbox;
use alloy::{
    primitives::{Address, Bytes, address},
    sol_types::SolEvent,
};
use crosscheck_core::message::CROSS_L2_INBOX;

/// The emitter: where the devnet's initiating messages come from. The same address on every chain.
pub const EMITTER: Address = address!("e000000000000000000000000000000000000001");

/// The `L1Block` predeploy.
pub(crate) const L1_BLOCK: Address = address!("4200000000000000000000000000000000000015");

/// The `L2ToL1MessagePasser` predeploy: its storage root is the header's withdrawals root.
pub(crate) const MESSAGE_PASSER: Address = address!("4200000000000000000000000000000000000016");

/// The `SequencerFeeVault` predeploy: the fee recipient of every block.
pub(crate) const SEQUENCER_FEE_VAULT: Address = address!("4200000000000000000000000000000000000011");

/// What is at the inbox's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Inbox {
    /// The inbox.
    #[default]
    Guarded,
    /// Code that logs what the inbox would, for every call, declared or not.
    Unguarded,
}

impl Inbox {
    /// The code that is at the inbox's address, if it is not the inbox.
    ///
    /// Assembled by hand. Calldata of `validateMessage`: the selector, five words of identifier, the payload
    /// hash.
    pub(crate) fn replacement(self) -> Option<Bytes> {
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
    /// Its address.
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
