//! [`SignerWatcher`]: the task that keeps a chain's signers current from L1.

use super::SignerReader;
use crate::health::{Health, HealthPart};
use crate::metrics::{EndpointKind, Metrics};
use alloy::primitives::Address;
use crosscheck_p2p::{ChainId, Clock, Signers};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::field::display;
use tracing::{info, warn};

/// How often L1 is asked: once per slot.
const POLL: Duration = Duration::from_secs(12);

/// How soon L1 is asked again after it failed.
const RETRY: Duration = Duration::from_secs(1);

/// What a watcher of signers works with.
#[derive(Debug)]
pub struct SignerWatcherParts {
    /// The chain.
    pub chain_id: ChainId,
    /// Its SystemConfig on L1.
    pub system_config: Address,
    /// L1, asked for what it names.
    pub reader: SignerReader,
    /// How long a previous signer is honoured, seconds.
    pub grace: u64,
    /// The time that grace is counted by.
    pub clock: Arc<dyn Clock>,
    /// Where the signers are kept.
    pub signers: watch::Sender<Signers>,
    /// Where readiness is reported.
    pub health: Health,
    /// What is counted.
    pub metrics: Metrics,
}

/// Reads a chain's unsafe block signer from L1, again and again.
#[derive(Debug)]
pub struct SignerWatcher {
    parts: SignerWatcherParts,
}

impl SignerWatcher {
    /// A watcher that has asked nothing yet.
    pub const fn new(parts: SignerWatcherParts) -> Self {
        Self { parts }
    }

    /// Watches until cancelled.
    pub async fn run(mut self, cancel: CancellationToken) {
        loop {
            let pause = if self.read().await { POLL } else { RETRY };
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Reads L1 once. `false`: it gave no signer.
    async fn read(&mut self) -> bool {
        let part = HealthPart::UnsafeBlockSigner(self.parts.chain_id);
        let problem = match self.parts.reader.read_or_doubt(&self.parts.signers).await {
            Ok(named) if named.is_empty() => {
                format!(
                    "the SystemConfig {} does not name one; check system_config",
                    self.parts.system_config
                )
            }
            Ok(named) => {
                if let Some(outage) = self.parts.health.clear(&part) {
                    let (lasted_s, repeats) = (outage.seconds(), outage.repeats);
                    info!(chain_id = %self.parts.chain_id, lasted_s, repeats, "unsafe block signer is readable");
                }
                self.adopt(&named);
                return true;
            }
            Err(error) => {
                self.parts.metrics.source_failed(self.parts.chain_id, EndpointKind::L1);
                error.to_string()
            }
        };
        if self.parts.health.set_not_ready(&part, problem.clone()) {
            warn!(chain_id = %self.parts.chain_id, problem, "unsafe block signer cannot be read; keeping the last known one");
        }
        false
    }

    /// Takes in what L1 named, in order.
    fn adopt(&self, named: &[Address]) {
        let now = self.parts.clock.now();
        let changed = self.parts.signers.send_if_modified(|signers| {
            let before = *signers;
            named.iter().for_each(|signer| {
                signers.change_to(*signer, now, self.parts.grace);
            });
            *signers != before
        });
        if changed {
            let Signers { unsafe_block_signer: signer, previous, .. } = *self.parts.signers.borrow();
            let (signer, previous) =
                (signer.map(display), previous.map(|previous| display(previous.address)));
            info!(chain_id = %self.parts.chain_id, signer, previous, "unsafe block signer");
        }
    }
}
