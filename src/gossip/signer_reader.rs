//! [`SignerReader`]: what L1 says of a chain's unsafe block signer since it was last asked.
//!
//! The SystemConfig's slot at the latest block, read at that block's hash, says who signs now. The contract's update
//! events on the way there say who did in between, however briefly. They count only from receipts that are proven
//! against their header, and only from the SystemConfig itself.

use crate::consolidation::deposits::ConfigUpdate;
use crate::sources::{L1Client, SourceError, VerifiedL1Header};
use alloy::eips::BlockNumHash;
use alloy::primitives::{Address, B256, BloomInput};
use crosscheck_p2p::Signers;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::{debug, warn};

/// How long what L1 said is taken for what it says: two readings a slot apart, and a slow answer.
const FRESH: Duration = Duration::from_secs(30);

/// How many blocks are gone back for events: about thirteen minutes of L1. After a longer break the slot alone tells.
const MAX_BLOCKS: usize = 64;

/// Reads a chain's unsafe block signer from L1.
#[derive(Debug)]
pub struct SignerReader {
    l1: L1Client,
    system_config: Address,
    last: Option<BlockNumHash>,
    latest: Option<BlockNumHash>,
    read_at: Option<Instant>,
}

impl SignerReader {
    /// A reader that has asked nothing yet.
    pub const fn new(l1: L1Client, system_config: Address) -> Self {
        Self { l1, system_config, last: None, latest: None, read_at: None }
    }

    /// Reads as [`SignerReader::read`] does. Once nothing has been read for half a minute the known signers are in doubt, while
    /// an answer is waited for, too: L1 may have named another one meanwhile.
    ///
    /// # Errors
    /// If the endpoint does not answer, or with something that does not hold.
    pub async fn read_or_doubt(
        &mut self,
        signers: &watch::Sender<Signers>,
    ) -> Result<Vec<Address>, SourceError> {
        let fresh_until = self.read_at.get_or_insert_with(Instant::now).checked_add(FRESH);
        let fresh_until = fresh_until.unwrap_or_else(Instant::now);
        let answer = {
            let mut reading = std::pin::pin!(self.read());
            match timeout_at(fresh_until, &mut reading).await {
                Ok(answer) => answer,
                Err(_late) => {
                    doubt(signers);
                    reading.await
                }
            }
        };
        match &answer {
            Ok(named) if !named.is_empty() => self.read_at = Some(Instant::now()),
            Ok(_) | Err(_) if Instant::now() >= fresh_until => doubt(signers),
            Ok(_) | Err(_) => {}
        }
        answer
    }

    /// The signers that were named since the last reading, in order; the last one signs now. Empty: the slot is empty.
    ///
    /// # Errors
    /// If the endpoint does not answer, or with something that does not hold.
    pub async fn read(&mut self) -> Result<Vec<Address>, SourceError> {
        let at = self.l1.latest_hash().await?;
        let current = self.l1.unsafe_block_signer_at(self.system_config, at).await?;
        let mut named = match self.updates(at).await {
            Ok(named) => named,
            // The slot tells all the same, and the events are asked for again.
            Err(error) => {
                debug!(system_config = %self.system_config, %error, "updates of the unsafe block signer not read");
                Vec::new()
            }
        };
        named.extend(current);
        Ok(if current.is_some() { named } else { Vec::new() })
    }

    /// L1's latest block when it was last asked. `None`: its header was not to be had.
    pub(crate) const fn latest(&self) -> Option<BlockNumHash> {
        self.latest
    }

    /// The signers that events named after the block last looked at, up to this one.
    async fn updates(&mut self, at: B256) -> Result<Vec<Address>, SourceError> {
        self.latest = self.last.filter(|last| last.hash == at);
        if self.latest.is_some() {
            return Ok(Vec::new());
        }
        let Some(head) = self.l1.block_by_hash(at).await? else { return Ok(Vec::new()) };
        self.latest = Some(head.id());
        let mut named = Vec::new();
        for header in self.unread(&head).await? {
            named.extend(self.named_in(&header).await?);
        }
        self.last = Some(head.id());
        Ok(named)
    }

    /// The blocks after the one last looked at that may hold updates, oldest first. A reorg's blocks are new ones.
    async fn unread(&self, head: &Arc<VerifiedL1Header>) -> Result<Vec<Arc<VerifiedL1Header>>, SourceError> {
        let Some(last) = self.last else { return Ok(Vec::new()) };
        let (mut unread, mut next) = (Vec::new(), Some(Arc::clone(head)));
        for _ in 0..MAX_BLOCKS {
            let Some(header) = next.filter(|header| header.number() > last.number) else { break };
            next = self.l1.block_by_hash(header.header().parent_hash).await?;
            if self.may_update(&header) {
                unread.push(header);
            }
        }
        unread.reverse();
        Ok(unread)
    }

    /// Whether the header's bloom leaves it open that the contract emitted something.
    fn may_update(&self, header: &VerifiedL1Header) -> bool {
        header.header().logs_bloom.contains_input(BloomInput::Raw(self.system_config.as_slice()))
    }

    async fn named_in(&self, header: &VerifiedL1Header) -> Result<Vec<Address>, SourceError> {
        let Some(logs) = self.l1.logs(header, &[self.system_config]).await? else { return Ok(Vec::new()) };
        let named = logs.of(self.system_config).filter_map(|log| match ConfigUpdate::decode(&log.log.data) {
            Ok(ConfigUpdate::UnsafeBlockSigner(named)) => named.filter(|signer| !signer.is_zero()),
            Ok(_) | Err(_) => None,
        });
        Ok(named.collect())
    }
}

/// L1 has not been read lately.
fn doubt(signers: &watch::Sender<Signers>) {
    let is_news = signers.send_if_modified(|signers| {
        let is_known = signers.unsafe_block_signer.is_some();
        !std::mem::replace(&mut signers.is_stale, is_known) && is_known
    });
    if is_news {
        warn!(
            "L1 has not been read lately: gossip by others than the last known signer is ignored, not rejected"
        );
    }
}

#[cfg(test)]
mod tests;
