//! Asks one execution client of a chain what there is to find out about it. It judges nothing.

use super::answers::ClientAnswers;
use super::asking::Asking;
use super::services::Depth;
use crate::metrics::EndpointKind;
use crate::sources::{Endpoint, EndpointUrl, ExecutionClient, SourceError};
use crosscheck_core::heads::L2BlockRef;
use crosscheck_core::proof::LogIndex;
use crosscheck_p2p::ChainId;
use std::time::Duration;

/// How much memory the proven logs of the one block may take, in bytes.
const LOGS_BYTES: usize = 1 << 20;

/// What is known of a chain, as far as its clients' blocks go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    /// The chain.
    pub(super) chain_id: ChainId,
    /// The height of its first block, if that is known.
    pub(super) genesis: Option<u64>,
    /// Seconds between two blocks.
    pub(super) block_time: u64,
    /// How many seconds after its initiation a message may be executed.
    pub(super) window: u64,
}

/// Asks the execution client at `url`, and at this place of a list of several.
///
/// # Errors
/// If no HTTP client can be made.
pub(super) async fn ask_client(
    asking: &Asking,
    subject: Subject,
    (place, url): (Option<usize>, &EndpointUrl),
) -> Result<ClientAnswers, SourceError> {
    let Subject { chain_id, genesis, .. } = subject;
    let endpoint = Endpoint::new(url.clone(), asking.limits)?;
    let index = LogIndex::new(LOGS_BYTES);
    let client = ExecutionClient::new(chain_id, std::slice::from_ref(url), 1, asking.limits, index)?;
    let tip = asking.within(url, "eth_getBlockByNumber", client.tip()).await;
    let block = tip.as_ref().map(L2BlockRef::hash).unwrap_or_default();
    let first_block = async {
        let hash = client.canonical_hash(genesis?);
        Some(asking.within(url, "eth_getBlockByNumber", hash).await)
    };
    let depth = async {
        let depth = async { Ok(depth(&client, subject, tip?).await) };
        asking.within(url, "eth_getBlockReceipts", depth).await
    };
    let (served_chain, genesis, depth, methods, version) = tokio::join!(
        asking.within(url, "eth_chainId", endpoint.chain_id()),
        first_block,
        depth,
        asking.methods(&endpoint, EndpointKind::Execution, block),
        asking.within(url, "web3_clientVersion", endpoint.client_version()),
    );
    Ok(ClientAnswers { chain_id, place, url: url.clone(), served_chain, genesis, depth, methods, version })
}

/// Whether the client has the receipts of a block as old as messages may cite, or of the chain's oldest.
/// Genesis has none.
async fn depth(client: &ExecutionClient, subject: Subject, tip: L2BlockRef) -> Depth {
    let Subject { genesis, block_time, window, .. } = subject;
    let blocks = window.checked_div(block_time).unwrap_or(window);
    let oldest = genesis.unwrap_or_default().saturating_add(1).min(tip.number);
    let number = tip.number.saturating_sub(blocks).max(oldest);
    let mut age = tip.number.saturating_sub(number).saturating_mul(block_time);
    let held = match client.block_by_number(number).await {
        Ok(Some(block)) => {
            age = tip.timestamp.0.saturating_sub(block.timestamp().0);
            client.logs(&block).await.map(|logs| Some(logs.is_some()))
        }
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    Depth { number, age: Duration::from_secs(age), is_oldest: number == oldest, held }
}
