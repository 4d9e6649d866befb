//! [`Networks`]: the gossip networks of a devnet, one a chain, each with its sequencer on it.

use super::publisher::{Publisher, PublisherError};
use crate::simulation::{ChainTick, Sequencer};
use alloy::primitives::B256;
use crosscheck_p2p::{
    ChainId, Clock, Multiaddr, Network, NetworkClosed, NetworkConfig, NetworkEvent, NetworkTaskError,
    NodeIdentity, Signers, Topic,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether a peer has subscribed.
const SUBSCRIPTION_POLL: Duration = Duration::from_millis(20);

/// Why the devnet could not gossip.
#[derive(Debug, thiserror::Error)]
pub enum NetworksError {
    /// A network could not be started, or broke.
    #[error("the gossip network of chain {chain_id} failed: {source}")]
    Network {
        /// The chain.
        chain_id: u64,
        /// Why.
        source: NetworkTaskError,
    },
    /// A network ended before it listened.
    #[error("the gossip network of chain {chain_id} ended before it had a listener on loopback")]
    Closed {
        /// The chain.
        chain_id: u64,
    },
    /// A sequencer could not sign.
    #[error(transparent)]
    Publisher(#[from] PublisherError),
}

/// One chain's sequencer, and where others find it.
#[derive(Debug)]
struct Member {
    chain_id: u64,
    publisher: Publisher,
    addrs: Vec<Multiaddr>,
    /// Keeps the signers known for as long as the network runs.
    _signers: watch::Sender<Signers>,
}

/// All networks. Their tasks end when [`Networks::stop`] is called.
#[derive(Debug)]
pub(crate) struct Networks {
    members: Vec<Member>,
    /// Whether sequencers publish their attestations.
    attester: bool,
    tasks: JoinSet<Result<(), NetworksError>>,
    cancel: CancellationToken,
}

impl Networks {
    /// Starts a network on loopback for each chain. `attester`: whether its sequencer publishes its
    /// attestations.
    ///
    /// # Errors
    /// When one cannot be started.
    pub(crate) async fn start(
        sequencers: &[Sequencer],
        clock: &Arc<dyn Clock>,
        attester: bool,
    ) -> Result<Self, NetworksError> {
        let mut networks =
            Self { members: Vec::new(), attester, tasks: JoinSet::new(), cancel: CancellationToken::new() };
        for sequencer in sequencers {
            let member = networks.join(sequencer, Arc::clone(clock)).await?;
            networks.members.push(member);
        }
        Ok(networks)
    }

    async fn join(&mut self, sequencer: &Sequencer, clock: Arc<dyn Clock>) -> Result<Member, NetworksError> {
        let chain_id = sequencer.chain_id();
        let failed = move |source| NetworksError::Network { chain_id, source };
        // By default a network listens on a free port of loopback.
        let config = NetworkConfig::new(ChainId::from(chain_id));
        let signer = sequencer.keys().sequencer.address();
        let (signers, known) = watch::channel(Signers::of(signer));
        let (network, handle, events) =
            Network::new(config, NodeIdentity::generate(), clock, known).map_err(failed)?;
        let cancel = self.cancel.clone();
        self.tasks.spawn(async move { network.run(cancel).await.map_err(failed) });
        self.tasks.spawn(drain(events));
        let addrs =
            handle.listen_addrs().await.map_err(|NetworkClosed| NetworksError::Closed { chain_id })?;
        let publisher = Publisher::new(chain_id, handle, sequencer.keys())?;
        Ok(Member { chain_id, publisher, addrs, _signers: signers })
    }

    /// Where the sequencer of a chain is found, with its peer id.
    pub(crate) fn addrs(&self, chain_id: u64) -> Vec<String> {
        let member = self.members.iter().find(|member| member.chain_id == chain_id);
        member.map(|member| member.addrs.iter().map(ToString::to_string).collect()).unwrap_or_default()
    }

    /// Waits until on every chain a peer has subscribed to every topic that is published on; returns whether
    /// that happened in time.
    pub(crate) async fn subscribed(&self, within: Duration) -> bool {
        let deadline = Instant::now().checked_add(within);
        loop {
            if self.all_subscribed().await {
                return true;
            }
            if deadline.is_none_or(|deadline| Instant::now() >= deadline) {
                return false;
            }
            sleep(SUBSCRIPTION_POLL).await;
        }
    }

    async fn all_subscribed(&self) -> bool {
        for member in &self.members {
            let Ok(peers) = member.publisher.network().peers().await else { return false };
            let heard = |topic: &Topic| peers.iter().any(|peer| peer.topics.contains(topic));
            if !Publisher::TOPICS.iter().all(heard) {
                return false;
            }
        }
        true
    }

    /// Publishes what a chain did in a tick: new blocks first, then a bystander's replays, then attestations,
    /// each in order. Answers for each attestation the hash of what was signed, if it was published.
    ///
    /// # Errors
    /// When something cannot be signed.
    pub(crate) async fn publish(&self, tick: &ChainTick) -> Result<Vec<Option<B256>>, NetworksError> {
        let Some(member) = self.members.iter().find(|member| member.chain_id == tick.chain_id) else {
            return Ok(Vec::new());
        };
        for block in &tick.built {
            member.publisher.publish_block(block).await?;
        }
        for block in &tick.replayed {
            member.publisher.publish_replay(block).await?;
        }
        let mut signed = Vec::with_capacity(tick.attestations.len());
        for attestation in &tick.attestations {
            let is_published = self.attester && attestation.is_published;
            let published = is_published.then(|| member.publisher.publish_attestation(attestation));
            signed.push(match published {
                Some(published) => Some(published.await?),
                None => None,
            });
        }
        Ok(signed)
    }

    /// Ends all networks and waits until they have ended.
    ///
    /// # Errors
    /// When one had failed.
    pub(crate) async fn stop(mut self) -> Result<(), NetworksError> {
        self.cancel.cancel();
        drop(self.members);
        let mut outcome = Ok(());
        while let Some(ended) = self.tasks.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(error)) => outcome = Err(error),
                Err(error) => tracing::warn!(%error, "network task failed"),
            }
        }
        outcome
    }
}

/// The devnet publishes only; what its networks receive is read and dropped.
async fn drain(mut events: mpsc::Receiver<NetworkEvent>) -> Result<(), NetworksError> {
    while let Some(event) = events.recv().await {
        tracing::trace!(?event, "heard on gossip");
    }
    Ok(())
}
