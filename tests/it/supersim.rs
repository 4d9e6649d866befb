//! Crosscheck against supersim: two chains with the real contracts, made by others, and checked by others too.
//!
//! supersim's proxies refuse a transaction that would execute what is no message; the anvils behind them include
//! whatever they are sent. So one message goes the users' way and is valid, and one goes past the check and is not.

mod node;
mod process;

pub(crate) use node::{Mined, Node};
pub(crate) use process::{Chain, Supersim};

use crate::program::eventually;
use alloy::eips::eip2930::AccessList;
use alloy::primitives::{Address, B256, Bytes, U256, address};
use alloy::sol_types::SolCall;
use crosscheck::devnet::contracts::{inbox_access_list, validate_message_call};
use crosscheck::devnet::{Call, Wallet};
use crosscheck::interop::{
    CROSS_L2_INBOX, DependencySet, Execution, Identifier, InvalidReason, Member, Message, check_claim,
    check_log, payload_hash,
};
use crosscheck::sources::{EndpointLimits, ExecutionClient, ProvenLogs};
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::sync::Arc;
use std::time::Duration;

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
struct Executed {
    valid: Mined,
    invalid: Mined,
    forged: Message,
}

async fn execute(sender: &Chain, receiver: &Chain) -> Executed {
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
    Executed { valid, invalid, forged }
}

async fn proven(chain: &Chain, url: &str, number: u64) -> Arc<ProvenLogs> {
    let limits = EndpointLimits {
        timeout: Duration::from_secs(10),
        max_response_bytes: 10 << 20,
        max_concurrent_requests: 4,
    };
    let client = ExecutionClient::new(ChainId::from(chain.id), &[url.parse().unwrap()], limits).unwrap();
    client.check_chain().await.unwrap();
    let block = client.block_by_number(number).await.unwrap().expect("the block is there");
    client.logs(&block).await.unwrap().expect("its receipts are there")
}

#[tokio::test]
async fn its_blocks_are_proven_and_its_messages_judged() {
    let (_supersim, [sender, receiver]) = Supersim::start().await;
    let Executed { valid, invalid, forged } = execute(&sender, &receiver).await;
    let initiating = proven(&sender, &sender.proxy.url, forged.identifier.block_number).await;
    let member = Member { interop_time: UnixSeconds(0), block_time: 2 };
    let members = [&sender, &receiver].map(|chain| (ChainId::from(chain.id), member));
    let set = DependencySet::new(members.into(), 604_800);
    for (mined, is_valid) in [(&valid, true), (&invalid, false)] {
        for url in [&receiver.proxy.url, &receiver.inner.url] {
            let logs = proven(&receiver, url, mined.block.number).await;
            let [executed] = logs.executed() else { panic!("one message a block: {logs:?}") };
            let message = executed.message.unwrap().message;
            let execution = Execution {
                chain_id: ChainId::from(receiver.id),
                timestamp: UnixSeconds(mined.block.timestamp),
            };
            assert_eq!(check_claim(&set, execution, &message), Ok(()));
            match check_log(&message, &initiating) {
                Ok(()) => assert!(is_valid),
                Err(InvalidReason::PayloadMismatch { claimed, .. }) => {
                    assert!(!is_valid);
                    assert_eq!(claimed, forged.payload_hash);
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
}
