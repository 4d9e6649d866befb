//! [`Confirmation`]: asks a chain's endpoints again about what a suspicion rests on.
//!
//! The view of a chain may be behind a reorg that a gossiped block knows of already: what it cites is there,
//! on the new fork. So a suspicion that rests on a view is reported only if it is confirmed by what the
//! endpoints agree on after the gossip came in. One that they do not answer about is never reported: its
//! block's receipts will decide.

use super::MonitorMetrics;
use crate::metrics::{EndpointKind, Limit};
use crate::sources::{ExecutionClient, SourceError};
use crosscheck_core::events::Suspect;
use crosscheck_core::message::InboxAccess;
use crosscheck_core::validity::{InvalidReason, check_access_log, check_access_tip};
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::debug;

/// For how long the endpoints are asked about the suspicions of one block.
const ASKED_FOR: Duration = Duration::from_secs(10);

/// The pause after an answer that was unavailable.
const PAUSE: Duration = Duration::from_millis(250);

/// Asks the chains' endpoints. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Confirmation {
    clients: Arc<BTreeMap<ChainId, ExecutionClient>>,
    metrics: MonitorMetrics,
}

impl Confirmation {
    /// Asks these clients.
    pub(super) fn new(clients: BTreeMap<ChainId, ExecutionClient>, metrics: MonitorMetrics) -> Self {
        Self { clients: Arc::new(clients), metrics }
    }

    /// Those suspicions that the endpoints' present answers confirm, each with its fault.
    pub(super) async fn confirm(self, suspects: Vec<Suspect>) -> Vec<Suspect> {
        let until = Instant::now().checked_add(ASKED_FOR);
        let mut confirmed = Vec::new();
        for suspect in suspects {
            let Some(access) = suspect.access else { continue };
            let Some(client) = self.clients.get(&access.chain_id) else { continue };
            match self.ask(client, &access, until).await {
                Some(Err(reason)) => confirmed.push(Suspect { fault: reason.into(), ..suspect }),
                Some(Ok(())) => {
                    let (chain_id, number) = (access.chain_id, access.block_number);
                    debug!(%chain_id, number, "suspicion rested on a view that was behind a reorg");
                }
                None => self.metrics.shared.limit_reached(Limit::SuspectConfirmation),
            }
        }
        confirmed
    }

    /// Asks until there is an answer. `None`: there was none in time.
    async fn ask(
        &self,
        client: &ExecutionClient,
        access: &InboxAccess,
        until: Option<Instant>,
    ) -> Option<Result<(), InvalidReason>> {
        loop {
            match compare(client, access).await {
                Ok(answer) => return Some(answer),
                Err(error) => {
                    let chain_id = access.chain_id;
                    self.metrics.shared.source_failed(chain_id, EndpointKind::Execution);
                    debug!(%chain_id, %error, "suspicion cannot be confirmed yet");
                }
            }
            let next =
                Instant::now().checked_add(PAUSE).filter(|next| until.is_some_and(|until| *next < until))?;
            tokio::time::sleep_until(next).await;
        }
    }
}

/// Compares a declared message with the block that is at the cited height now. An unknown fact breaks no
/// rule.
async fn compare(
    client: &ExecutionClient,
    access: &InboxAccess,
) -> Result<Result<(), InvalidReason>, SourceError> {
    match client.known_block_by_number(access.block_number).await? {
        Some(block) => {
            let logs = client.logs(&block).await?;
            Ok(logs.map_or(Ok(()), |logs| check_access_log(access, &logs)))
        }
        None => {
            let tip = client.tip().await?;
            Ok(check_access_tip(access, (tip.number, tip.timestamp)).map_or(Ok(()), Err))
        }
    }
}
