//! [`Traffic`]: a message that one chain sent and the other executed, and one that was never sent.

use super::{Chain, Mined};
use crate::program::eventually;
use alloy::eips::eip2930::AccessList;
use alloy::primitives::{Address, B256, Bytes, U256, address};
use alloy::sol_types::SolCall;
use crosscheck_core::message::{CROSS_L2_INBOX, Identifier, Message, payload_hash};
use crosscheck_devnet::contracts::{inbox_access_list, validate_message_call};
use crosscheck_devnet::keys::{Call, Wallet};
use crosscheck_p2p::{ChainId, UnixSeconds};

/// The predeploy through which users send messages.
const MESSENGER: Address = address!("4200000000000000000000000000000000000023");

alloy::sol! {
    interface IL2ToL2CrossDomainMessenger {
        function sendMessage(uint256 destination, address target, bytes calldata message) external returns (bytes32);
    }
}

fn wallet() -> Wallet {
    Wallet::derive(7, 0).unwrap()
}

/// A call of a contract of a chain; the node fills in the nonce and what it costs.
fn call(chain: &Chain, to: Address, input: Bytes, access_list: AccessList) -> Call {
    Call { chain_id: chain.id, to, input, access_list, value: U256::ZERO, nonce: 0, gas_limit: 0, max_fee: 0 }
}

/// Sends a message from one chain to the other, through the messenger, as a user would.
async fn initiate(from: &Chain, to: &Chain) -> Message {
    let target = Address::repeat_byte(0x77);
    let input = IL2ToL2CrossDomainMessenger::sendMessageCall {
        destination: U256::from(to.id),
        target,
        message: Bytes::from_static(b"how do you do"),
    };
    let call = call(from, MESSENGER, input.abi_encode().into(), AccessList::default());
    let transaction = from.proxy.send(&wallet(), call).await.unwrap();
    let Mined { block, succeeded, logs } = from.proxy.mined(transaction).await;
    assert!(succeeded, "the messenger takes the message");
    let [log] = &logs[..] else { panic!("the messenger emits one log: {logs:?}") };
    assert_eq!(log.address(), MESSENGER);
    Message {
        identifier: Identifier {
            origin: log.address(),
            block_number: block.number,
            log_index: log.log_index.unwrap().try_into().unwrap(),
            timestamp: UnixSeconds(block.timestamp),
            chain_id: ChainId::from(from.id),
        },
        payload_hash: payload_hash(log.data()),
    }
}

/// A transaction that executes a message.
fn execution(chain: &Chain, message: &Message) -> Call {
    call(chain, CROSS_L2_INBOX, validate_message_call(message), inbox_access_list(&[*message]))
}

/// Two messages executed on the second chain: the true one, and one that the first chain never sent.
pub(super) struct Traffic {
    pub(super) sent: Message,
    pub(super) valid: Mined,
    /// The sent message with the hash of another payload.
    pub(super) forged: Message,
    pub(super) invalid: Mined,
}

impl Traffic {
    /// Sends the one through the proxies, as users do, and the other past the receiving chain's proxy, which
    /// refuses it.
    pub(super) async fn make(sender: &Chain, receiver: &Chain) -> Self {
        for chain in [sender, receiver] {
            chain.inner.fund(wallet().address()).await;
        }
        let message = initiate(sender, receiver).await;
        eventually("the receiving chain to pass the message's timestamp", async || {
            (receiver.proxy.head().await?.timestamp > message.identifier.timestamp.0).then_some(())
        })
        .await;
        let transaction = receiver.proxy.send(&wallet(), execution(receiver, &message)).await.unwrap();
        let valid = receiver.proxy.mined(transaction).await;

        let forged = Message { payload_hash: B256::repeat_byte(0x66), ..message };
        let refusal = receiver.proxy.send(&wallet(), execution(receiver, &forged)).await.unwrap_err();
        assert!(refusal.message().contains("not equal"), "the proxy sees the forgery: {refusal}");
        let transaction = receiver.inner.send(&wallet(), execution(receiver, &forged)).await.unwrap();
        let invalid = receiver.proxy.mined(transaction).await;
        for executed in [&valid, &invalid] {
            assert!(executed.succeeded && executed.logs.len() == 1, "the inbox executed what was declared");
        }
        Self { sent: message, valid, forged, invalid }
    }
}
