//! The deposit transactions that a block must hold, by L1 alone. Pure: L1 blocks and logs come in as arguments.
//!
//! Spec: protocol/deposits.md and protocol/derivation.md, "Deriving payload attributes".

mod l1_info;
mod words;

pub use l1_info::{
    DEPOSITOR, EcotoneFees, L1_BLOCK, L1Fees, L1Info, L1InfoError, MAX_L1_ATTRIBUTES_BYTES, OperatorFee,
    decode_l1_info,
};
