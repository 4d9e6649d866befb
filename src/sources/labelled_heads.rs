//! [`LabelledHeads`]: the heads of a chain as its execution endpoints label them, by quorum.
//!
//! A height counts once enough endpoints have reached it; the block there is the one that enough agree on. So
//! neither one that lags nor one that runs ahead moves a head.

use super::endpoint_pool::Answers;
use super::execution::verified_header;
use super::poll::Vote;
use super::{Endpoint, ExecutionClient, SourceError};
use crosscheck_core::heads::L2BlockRef;
use jsonrpsee::rpc_params;
use std::sync::{Arc, OnceLock};

const METHOD: &str = "eth_getBlockByNumber";

/// The codes with which clients refuse a label that they have no block for: geth's "block not found", reth's
/// "resource not found", and "invalid params" of clients that do not know the label.
const NO_SUCH_BLOCK: [i32; 3] = [-39_001, -32_001, -32_602];

/// How far a chain is by the labels of its execution endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LabelledHeads {
    /// The block labelled `safe`. `None`: the clients label none.
    pub safe: Option<L2BlockRef>,
    /// The block labelled `finalized`. `None`: the clients label none.
    pub finalized: Option<L2BlockRef>,
}

impl ExecutionClient {
    /// The highest block that enough endpoints have.
    ///
    /// An endpoint that is further below it than `TOLERATED_LAG` is named as behind.
    ///
    /// # Errors
    /// If too few endpoints answer, or they do not agree on the block at that height.
    pub async fn tip(&self) -> Result<L2BlockRef, SourceError> {
        let agreed = Arc::new(OnceLock::new());
        let tip = Arc::clone(&agreed);
        let late = move |pool: &super::endpoint_pool::EndpointPool, place, vote: Vote| {
            if let (Ok(Some(head)), Some(tip)) = (vote, tip.get()) {
                pool.note_tip(place, head.number, *tip);
            }
        };
        let votes = self.pool().gather(self.ask_label("latest"), late).await;
        let Some(tip) = self.settle("the latest block", &votes).await? else {
            return Err(self.pool().no_quorum("the latest block", &votes));
        };
        agreed.get_or_init(|| tip.number);
        for (place, vote) in &votes {
            if let Ok(Some(head)) = vote {
                self.pool().note_tip(*place, head.number, tip.number);
            }
        }
        Ok(tip)
    }

    /// The blocks labelled `safe` and `finalized`.
    ///
    /// # Errors
    /// If too few endpoints answer, or they do not agree on the block at a height.
    pub async fn labelled_heads(&self) -> Result<LabelledHeads, SourceError> {
        let (safe, finalized) = tokio::join!(
            self.labelled("safe", "the safe block"),
            self.labelled("finalized", "the final block")
        );
        Ok(LabelledHeads { safe: safe?, finalized: finalized? })
    }

    async fn labelled(&self, label: &'static str, subject: &str) -> Result<Option<L2BlockRef>, SourceError> {
        let votes = self.pool().gather(self.ask_label(label), |_, _, _| {}).await;
        self.settle(subject, &votes).await
    }

    /// The block at the greatest height that enough endpoints have reached: by what they said already, or by
    /// asking for it. `None`: this many have no such block that there is none.
    async fn settle(
        &self,
        subject: &str,
        votes: &[(usize, Vote)],
    ) -> Result<Option<L2BlockRef>, SourceError> {
        let quorum = self.pool().quorum();
        let heights = votes.iter().filter_map(|(_, vote)| Some(vote.as_ref().ok()?.as_ref()?.number));
        if let Some(number) = quorum.height(heights.collect()) {
            return match self.pool().agreed_at(number, votes) {
                Some(block) => Ok(Some(block)),
                None => self.canonical_block(number).await,
            };
        }
        let without = votes.iter().filter(|(_, vote)| matches!(vote, Ok(None))).count();
        if quorum.endpoints().saturating_sub(without) < quorum.needed() {
            return Ok(None);
        }
        Err(self.pool().no_quorum(subject, votes))
    }

    fn ask_label(&self, label: &'static str) -> Answers<Option<L2BlockRef>> {
        self.pool().ask(|endpoint| labelled_at(endpoint, label))
    }
}

/// What an endpoint labels so.
async fn labelled_at(endpoint: Endpoint, label: &'static str) -> Vote {
    match endpoint.call(METHOD, rpc_params![label, false]).await {
        Ok(None) => Ok(None),
        Ok(Some(answer)) => verified_header(&endpoint, METHOD, &answer).map(Some),
        Err(SourceError::Refused { code, message, .. })
            if NO_SUCH_BLOCK.contains(&code) || message.to_lowercase().contains("not found") =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
