//! [`SignerWatcher`]: the task that keeps a chain's signers current from L1.

use crate::health::Health;
use crate::metrics::Metrics;
use crate::sources::L1Client;
use alloy::primitives::Address;
use crosscheck_p2p::{ChainId, Signers};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often L1 is asked: once per slot.
const POLL: Duration = Duration::from_secs(12);

/// How soon L1 is asked again after it failed.
const RETRY: Duration = Duration::from_secs(1);

/// Reads a chain's unsafe block signer from L1, again and again.
#[derive(Debug)]
pub struct SignerWatcher {
    /// The chain.
    pub chain_id: ChainId,
    /// Its SystemConfig on L1.
    pub system_config: Address,
    /// L1.
    pub l1: L1Client,
    /// Where the signers are kept.
    pub signers: watch::Sender<Signers>,
    /// Where readiness is told.
    pub health: Health,
    /// What is counted.
    pub metrics: Metrics,
}

impl SignerWatcher {
    /// Watches until cancelled.
    ///
    /// # Errors
    /// Never; the signature is the tasks'.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), Infallible> {
        loop {
            let pause = if self.read().await { POLL } else { RETRY };
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Reads L1 once. `false`: it gave no signer.
    async fn read(&self) -> bool {
        let part = format!("chain {} unsafe block signer", self.chain_id);
        let problem = match self.l1.unsafe_block_signer(self.system_config).await {
            Ok(Some(signer)) => {
                self.health.clear(&part);
                self.adopt(signer);
                return true;
            }
            Ok(None) => format!("the SystemConfig {} names none; check system_config", self.system_config),
            Err(error) => {
                self.metrics.source_failed(self.chain_id, "l1");
                error.to_string()
            }
        };
        if self.health.obstruct(&part, problem.clone()) {
            warn!(chain_id = %self.chain_id, problem, "the unsafe block signer cannot be read; the last known one stays");
        }
        false
    }

    fn adopt(&self, signer: Address) {
        let changed = self.signers.send_if_modified(|signers| {
            let changed = signers.unsafe_block_signer != Some(signer);
            signers.unsafe_block_signer = Some(signer);
            changed
        });
        if changed {
            info!(chain_id = %self.chain_id, %signer, "unsafe block signer");
        }
    }
}
