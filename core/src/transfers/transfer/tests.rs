//! The hashes of a transfer, against values that were computed by hand from the specification.

use super::*;
use crate::transfers::bindings::IMessenger::SentMessage;
use alloy::primitives::{address, b256};
use rstest::rstest;

fn transfer(asset: Asset, amount: u64) -> Transfer {
    Transfer {
        source: 10.into(),
        destination: 130.into(),
        nonce: U256::from(5),
        asset,
        from: Address::repeat_byte(0x11),
        to: Address::repeat_byte(0x22),
        amount: U256::from(amount),
    }
}

#[rstest]
#[case::eth(
    Asset::Eth,
    1_500_000_000_000_000_000,
    [0x4f, 0x0e, 0xdc, 0xc9],
    b256!("dce5a6e033a4b33bb0f25ad065adf221523950e27e3d4e70045cc050d855ff14"),
    b256!("d84f7bb0a65501146915b67d21acf723f4b09af62c805b355fbc0aa21b382e58")
)]
#[case::token(
    Asset::Token(Address::repeat_byte(0x33)),
    7,
    [0x7c, 0xfd, 0x6d, 0xbc],
    b256!("9389e421f8dcd6cf6c48f32fc80a2cb8181e243f058274f74dc335e03d50d3da"),
    b256!("e7fa8685bd068414b5699a8e817705d8ee1cd088e170a8e636253ccf2f2a7db5")
)]
fn hashes_are_those_of_the_messenger(
    #[case] asset: Asset,
    #[case] amount: u64,
    #[case] selector: [u8; 4],
    #[case] message_hash: B256,
    #[case] payload_hash: B256,
) {
    let transfer = transfer(asset, amount);
    assert_eq!(transfer.call()[..4], selector);
    assert_eq!(transfer.message_hash(), message_hash);
    assert_eq!(transfer.payload_hash(), payload_hash);
}

/// The constant that the messenger itself compares with.
#[test]
fn the_topic_of_a_sent_message_is_the_contracts() {
    let topic = b256!("382409ac69001e11931a28435afef442cbfd20d9891907e8fa373ba7d351f320");
    assert_eq!(SentMessage::SIGNATURE_HASH, topic);
}

#[test]
fn each_field_is_in_the_hash() {
    let one = transfer(Asset::Eth, 1);
    let others = [
        Transfer { source: 11.into(), ..one },
        Transfer { destination: 131.into(), ..one },
        Transfer { nonce: U256::from(6), ..one },
        Transfer { asset: Asset::Token(SUPERCHAIN_ETH_BRIDGE), ..one },
        Transfer { from: Address::ZERO, ..one },
        Transfer { to: address!("0000000000000000000000000000000000000001"), ..one },
        Transfer { amount: U256::from(2), ..one },
    ];
    for other in others {
        assert_ne!(other.message_hash(), one.message_hash(), "{other:?}");
    }
}
