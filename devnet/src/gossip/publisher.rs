//! [`Publisher`]: a chain's sequencer on gossip.
//!
//! It signs and publishes what it is given, in that order. A block that nobody is subscribed to is dropped,
//! as on any gossip network.

use crate::chain::L2Block;
use crate::keys::Keyring;
use crate::simulation::Attestation;
use alloy::primitives::B256;
use crosscheck_p2p::{
    BlockSigner, ChainId, NetworkHandle, NoPayloadError, PublishError, SignError, SignedEnvelope,
    SignerError, SigningDomain, Topic,
};

/// Why nothing could be signed.
#[derive(Debug, thiserror::Error)]
pub enum PublisherError {
    /// A derived key is not a key.
    #[error("a sequencer key of chain {chain_id} cannot be used: {source}")]
    Key {
        /// The chain.
        chain_id: ChainId,
        /// Why.
        source: SignerError,
    },
    /// A block cannot be gossiped.
    #[error("chain {chain_id}: {source}: this is a bug in the devnet, report it with the seed")]
    Payload {
        /// The chain.
        chain_id: ChainId,
        /// Why.
        source: NoPayloadError,
    },
    /// An envelope could not be signed.
    #[error("block {number} of chain {chain_id} could not be signed: {source}")]
    Sign {
        /// The chain.
        chain_id: ChainId,
        /// The height.
        number: u64,
        /// Why.
        source: SignError,
    },
}

/// The sequencer of one chain on gossip.
#[derive(Debug)]
pub struct Publisher {
    chain_id: ChainId,
    network: NetworkHandle,
    sequencer: BlockSigner,
    impostor: BlockSigner,
}

impl Publisher {
    /// The topics that it publishes on.
    pub(crate) const TOPICS: [Topic; 2] = [Topic::BlocksV4, Topic::CrossSafeBlocksV1];

    /// The sequencer of a chain with these keys.
    ///
    /// # Errors
    /// When a key cannot be used.
    pub fn new(chain_id: u64, network: NetworkHandle, keys: &Keyring) -> Result<Self, PublisherError> {
        let chain_id = ChainId::from(chain_id);
        let signer = |secret: B256| {
            BlockSigner::from_bytes(&secret).map_err(|source| PublisherError::Key { chain_id, source })
        };
        let (sequencer, impostor) = (signer(keys.sequencer.secret())?, signer(keys.impostor.secret())?);
        Ok(Self { chain_id, network, sequencer, impostor })
    }

    /// The chain's network.
    pub const fn network(&self) -> &NetworkHandle {
        &self.network
    }

    /// Gossips a new block, signed as op-node signs it.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub async fn publish_block(&self, block: &L2Block) -> Result<(), PublisherError> {
        let signed = self.sign(block, &self.sequencer, SigningDomain::Zero)?;
        self.publish(Topic::BlocksV4, &signed, block.number()).await;
        Ok(())
    }

    /// Gossips a block's own frame as an attestation: what any node that received the block can do.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub(crate) async fn publish_replay(&self, block: &L2Block) -> Result<(), PublisherError> {
        let signed = self.sign(block, &self.sequencer, SigningDomain::Zero)?;
        self.publish(Topic::CrossSafeBlocksV1, &signed, block.number()).await;
        Ok(())
    }

    /// Gossips an attestation; answers the hash of what was signed.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub async fn publish_attestation(&self, attestation: &Attestation) -> Result<B256, PublisherError> {
        let signer = if attestation.by_impostor { &self.impostor } else { &self.sequencer };
        let signed = self.sign(&attestation.block, signer, SigningDomain::CrossSafeBlocksV1)?;
        self.publish(Topic::CrossSafeBlocksV1, &signed, attestation.block.number()).await;
        Ok(signed.payload_hash().as_b256())
    }

    fn sign(
        &self,
        block: &L2Block,
        signer: &BlockSigner,
        domain: SigningDomain,
    ) -> Result<SignedEnvelope, PublisherError> {
        let (chain_id, number) = (self.chain_id, block.number());
        let envelope = block.envelope().map_err(|source| PublisherError::Payload { chain_id, source })?;
        let signed = envelope.sign(signer, domain, chain_id);
        signed.map_err(|source| PublisherError::Sign { chain_id, number, source })
    }

    async fn publish(&self, topic: Topic, signed: &SignedEnvelope, number: u64) {
        let chain_id = self.chain_id;
        match self.network.publish(topic, signed.frame()).await {
            Ok(id) => tracing::debug!(%chain_id, %topic, number, %id, "published"),
            // It cannot be published again: from now on the network takes it for a duplicate.
            Err(PublishError::QueuesFull { .. }) => {
                tracing::warn!(%chain_id, %topic, number, "block not published; queues of all peers are full");
            }
            Err(error) => tracing::debug!(%chain_id, %topic, number, %error, "not published"),
        }
    }
}
