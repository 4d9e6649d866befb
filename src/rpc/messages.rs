//! The `crosscheck_*` methods about messages: those tracked, suspects, and a subscription to what happens.

use super::RpcMetrics;
use super::crosscheck::internal;
use super::websockets::Websocket;
use super::{ListedMessage, MessagesPage, MessagesPageRequest, Page, SuperchainReader, SupervisorError};
use crate::ledger::{FiledMessage, Ledger, StoredEvent};
use crate::monitor::Suspects;
use alloy::primitives::B256;
use crosscheck_core::events::{MessageRecord, SuspectRecord};
use crosscheck_core::message::BlockKey;
use crosscheck_core::tracker::MessageKey;
use crosscheck_p2p::ChainId;
use jsonrpsee::core::{RpcResult, SubscriptionResult, async_trait};
use jsonrpsee::proc_macros::rpc;
use jsonrpsee::server::{SendTimeoutError, SubscriptionMessage};
use jsonrpsee::{Extensions, PendingSubscriptionSink};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::broadcast::{self, error::RecvError};

/// How long a subscriber may take to take one event.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// A page of suspects.
#[derive(Debug, Clone, Serialize)]
pub struct SuspectsPage {
    /// The suspects, oldest first.
    pub suspects: Vec<SuspectRecord>,
    /// What to give as `after` for the next page. `null`: this was the last.
    pub next: Option<u64>,
    /// Where this page ended: given as `after`, it leads to whatever comes later.
    pub cursor: u64,
}

/// Which message.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageQuery {
    /// The executing chain.
    chain_id: ChainId,
    /// The executing block.
    hash: B256,
    /// The place of the inbox's log in it.
    log_index: u32,
    /// The executing block's height, if it is known: it saves a lookup.
    #[serde(default)]
    number: Option<u64>,
}

/// The methods.
#[rpc(server, namespace = "crosscheck")]
pub(super) trait MessagesApi {
    /// Tracked messages, by their last change.
    #[method(name = "messages")]
    async fn messages(&self, page: Option<MessagesPageRequest>) -> RpcResult<MessagesPage>;

    /// One tracked message.
    #[method(name = "message")]
    async fn message(&self, query: MessageQuery) -> RpcResult<Option<ListedMessage>>;

    /// Suspect messages noted lately.
    #[method(name = "suspects")]
    fn suspects(&self, page: Option<Page>) -> RpcResult<SuspectsPage>;

    /// Notifies of verdicts and of changes of messages.
    #[subscription(name = "subscribeEvents" => "event", unsubscribe = "unsubscribeEvents", item = StoredEvent, with_extensions)]
    async fn subscribe_events(&self) -> SubscriptionResult;
}

/// What the methods read.
#[derive(Clone, Debug)]
pub(super) struct MessagesRpc {
    /// The chains.
    pub superchain: SuperchainReader,
    /// The suspects.
    pub suspects: Suspects,
    /// Messages whose life is over.
    pub ledger: Ledger,
    /// Where events come from.
    pub events: broadcast::Sender<StoredEvent>,
    /// What is counted.
    pub metrics: RpcMetrics,
}

#[async_trait]
impl MessagesApiServer for MessagesRpc {
    async fn messages(&self, page: Option<MessagesPageRequest>) -> RpcResult<MessagesPage> {
        let page = page.unwrap_or_default();
        page.read(&self.superchain.tracker, &self.ledger).await.map_err(|error| internal(&error))
    }

    async fn message(&self, query: MessageQuery) -> RpcResult<Option<ListedMessage>> {
        let MessageQuery { chain_id, hash, log_index, number } = query;
        let filed = self.ledger.filed_message(chain_id, hash, log_index).await;
        let filed = filed.map_err(|error| internal(&error))?;
        let number = match number.or(filed.as_ref().map(FiledMessage::number)) {
            Some(number) => number,
            None => match self.height(chain_id, hash).await? {
                Some(number) => number,
                None => return Ok(None),
            },
        };
        let key = MessageKey { block: BlockKey { chain_id, number, hash }, log_index };
        let tracker = self.superchain.tracker.read();
        let live = tracker.message(&key);
        let filed = filed.filter(|filed| filed.number() == number);
        Ok(match (live, filed) {
            (Some(message), None) => Some(ListedMessage::Live(Box::new(MessageRecord::as_reported(message)))),
            (Some(message), Some(_)) if !message.belongs_in_ledger() => {
                Some(ListedMessage::Live(Box::new(MessageRecord::as_reported(message))))
            }
            (_, filed) => filed.map(ListedMessage::Filed),
        })
    }

    fn suspects(&self, page: Option<Page>) -> RpcResult<SuspectsPage> {
        let page = page.unwrap_or_default();
        let limit = super::crosscheck::page_limit(page.limit);
        let suspects =
            self.suspects.after(page.after, page.chain_id, usize::try_from(limit).unwrap_or(usize::MAX));
        let last = suspects.last().map(|suspect| suspect.id);
        let is_full = u32::try_from(suspects.len()).is_ok_and(|length| length >= limit);
        let cursor = last.unwrap_or(page.after);
        Ok(SuspectsPage { suspects, next: last.filter(|_| is_full), cursor })
    }

    async fn subscribe_events(
        &self,
        pending: PendingSubscriptionSink,
        connection: &Extensions,
    ) -> SubscriptionResult {
        let _subscribed = connection.get::<Websocket>().map(Websocket::subscribed);
        let mut events = self.events.subscribe();
        let sink = pending.accept().await?;
        loop {
            let event = tokio::select! {
                () = sink.closed() => return Ok(()),
                event = events.recv() => event,
            };
            let event = match event {
                Ok(event) => event,
                Err(RecvError::Closed) => return Err("the program is shutting down".into()),
                Err(RecvError::Lagged(missed)) => {
                    self.metrics.subscriber_dropped("behind");
                    let reason = format!(
                        "too slow: {missed} events were missed; subscribe again, and read crosscheck_events after the last id"
                    );
                    return Err(reason.into());
                }
            };
            let message = SubscriptionMessage::from(serde_json::value::to_raw_value(&event)?);
            match sink.send_timeout(message, SEND_TIMEOUT).await {
                Ok(()) => {}
                Err(SendTimeoutError::Closed(_)) => return Ok(()),
                Err(SendTimeoutError::Timeout(_)) => {
                    self.metrics.subscriber_dropped("slow");
                    return Err("too slow: an event was not taken in time".into());
                }
            }
        }
    }
}

impl MessagesRpc {
    /// The height of a block: from what was proven of it, or from its header. `None`: its endpoints do not
    /// have it.
    async fn height(&self, chain_id: ChainId, hash: B256) -> Result<Option<u64>, SupervisorError> {
        let sources = self.superchain.sources(chain_id)?;
        if let Some(logs) = self.superchain.index.get(chain_id, hash) {
            return Ok(Some(logs.number()));
        }
        let block = sources.execution.block_by_hash(hash).await;
        let block = block.map_err(|error| SupervisorError::unproven(format!("block {hash}"), &error))?;
        Ok(block.map(|block| block.number()))
    }
}
