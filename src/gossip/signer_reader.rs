//! [`SignerReader`]: what L1 says of a chain's unsafe block signer since it was last asked.
//!
//! The SystemConfig's slot at the latest block, read at that block's hash, says who signs now; it is read
//! again when the contract may have emitted something. Its update events on the way there say who did in
//! between, however briefly. They count only from receipts that are proven against their header, and only
//! from the SystemConfig itself.

use crate::sources::{L1Reader, SourceError};
use alloy::eips::BlockNumHash;
use alloy::primitives::{Address, B256, BloomInput};
use crosscheck_core::consolidation::deposits::ConfigUpdate;
use crosscheck_core::proof::VerifiedL1Header;
use crosscheck_p2p::Signers;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::{debug, warn};

/// How long L1's last answer counts as current: two readings a slot apart, and a slow answer.
const FRESH: Duration = Duration::from_secs(30);

/// How long a slot is believed that no event has changed.
const SLOT_KEPT: Duration = Duration::from_secs(600);

/// Reads a chain's unsafe block signer from L1.
#[derive(Debug)]
pub struct SignerReader {
    l1: L1Reader,
    system_config: Address,
    /// The block up to which events were read.
    last: Option<BlockNumHash>,
    slot: Option<Slot>,
    read_at: Option<Instant>,
}

/// What the slot held.
#[derive(Clone, Copy, Debug)]
struct Slot {
    signer: Option<Address>,
    read_at: Instant,
}

impl SignerReader {
    /// A reader that has asked nothing yet.
    pub const fn new(l1: L1Reader, system_config: Address) -> Self {
        Self { l1, system_config, last: None, slot: None, read_at: None }
    }

    /// Reads as [`SignerReader::read`] does. Once nothing has been read for half a minute the known signers
    /// are in doubt, while an answer is waited for, too: L1 may have named another one meanwhile.
    ///
    /// # Errors
    /// If the endpoint does not answer, or with something that is invalid.
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

    /// The signers that were named since the last reading, in order; the last one signs now. Empty: the slot
    /// is empty.
    ///
    /// # Errors
    /// If the endpoint does not answer, or with something that is invalid.
    pub async fn read(&mut self) -> Result<Vec<Address>, SourceError> {
        let head = match self.l1.head().await {
            Ok(head) => head,
            // A header that this build cannot read has a hash nevertheless.
            Err(SourceError::Untrustworthy { .. }) => return self.read_unverified().await,
            Err(error) => return Err(error),
        };
        let (mut named, is_slot_due) = self.updates(&head).await;
        let slot = match self.slot.filter(|_| !is_slot_due) {
            Some(slot) => slot,
            None => self.read_slot(head.hash()).await?,
        };
        named.extend(slot.signer);
        Ok(if slot.signer.is_some() { named } else { Vec::new() })
    }

    /// The same by the slot alone, at a latest block whose header cannot be verified.
    async fn read_unverified(&mut self) -> Result<Vec<Address>, SourceError> {
        self.last = None;
        let at = self.l1.client().latest_hash().await?;
        Ok(self.read_slot(at).await?.signer.into_iter().collect())
    }

    async fn read_slot(&mut self, at: B256) -> Result<Slot, SourceError> {
        let signer = self.l1.client().unsafe_block_signer_at(self.system_config, at).await?;
        Ok(*self.slot.insert(Slot { signer, read_at: Instant::now() }))
    }

    /// The signers that events named after the block last looked at, up to this one; and whether the slot may
    /// hold another one by now.
    async fn updates(&mut self, head: &VerifiedL1Header) -> (Vec<Address>, bool) {
        let Some(last) = self.last.replace(head.id()) else { return (Vec::new(), true) };
        // A reorg's blocks are new ones, and it may have taken a change back.
        let has_gone_on = self.l1.has(last);
        let is_old = self.slot.is_none_or(|slot| slot.read_at.elapsed() >= SLOT_KEPT);
        let new = self.l1.after(last.number);
        let touched: Vec<_> = new.iter().filter(|header| self.may_update(header)).collect();
        let mut named = Vec::new();
        for header in &touched {
            match self.named_in(header).await {
                Ok(signers) => named.extend(signers),
                // The slot is still read, and the events are requested again.
                Err(error) => {
                    debug!(system_config = %self.system_config, %error, "updates of the unsafe block signer could not be read");
                    self.last = Some(last);
                    return (Vec::new(), true);
                }
            }
        }
        (named, is_old || !has_gone_on || !touched.is_empty())
    }

    /// Whether the header's bloom leaves it open that the contract emitted something.
    fn may_update(&self, header: &VerifiedL1Header) -> bool {
        header.header().logs_bloom.contains_input(BloomInput::Raw(self.system_config.as_slice()))
    }

    async fn named_in(&self, header: &VerifiedL1Header) -> Result<Vec<Address>, SourceError> {
        let Some(logs) = self.l1.client().logs(header, &[self.system_config]).await? else {
            return Ok(Vec::new());
        };
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
        warn!("L1 not read recently; gossip from other signers is ignored, not rejected");
    }
}

#[cfg(test)]
mod tests;
