//! [`Followers`]: the followers of a devnet, one a chain, each on gossip with a network of its own.

use super::{FollowerBehaviour, FollowerEndpoints, FollowerReport, ServedL2Ref, SimulatedFollower};
use crate::findings::MessagePlace;
use crate::gossip::Networks;
use crate::serve::Nodes;
use crate::simulation::Sequencer;
use alloy::primitives::B256;
use crosscheck_p2p::{
    ChainId, Clock, Network, NetworkConfig, NetworkTaskError, NodeIdentity, Signers, Topic,
};
use jsonrpsee::core::ClientError;
use parking_lot::Mutex;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// When Lagoon activates: with genesis, as the chains' rollup configuration says.
const LAGOON: u64 = 0;

/// Why a follower could not be started or broke.
#[derive(Debug, thiserror::Error)]
pub enum FollowersError {
    /// Its network could not be started, or broke.
    #[error("the gossip network of the follower of chain {chain_id} failed: {source}")]
    Network {
        /// The chain.
        chain_id: u64,
        /// Why.
        source: NetworkTaskError,
    },
    /// No HTTP client could be made.
    #[error("the follower of chain {chain_id} cannot create a client for its endpoints: {source}")]
    Client {
        /// The chain.
        chain_id: u64,
        /// Why.
        source: ClientError,
    },
}

#[derive(Debug)]
struct Member {
    chain_id: u64,
    behaviour: Arc<Mutex<FollowerBehaviour>>,
    /// Keeps the signers known for as long as the network runs.
    _signers: watch::Sender<Signers>,
}

/// All followers. Their tasks end when [`Followers::stop`] is called.
#[derive(Debug)]
pub(crate) struct Followers {
    members: Vec<Member>,
    tasks: JoinSet<Result<(), FollowersError>>,
    cancel: CancellationToken,
}

impl Followers {
    /// Starts a follower of each chain, with the sidecar's server at `source`. Each asks for heads every
    /// `pause`.
    ///
    /// # Errors
    /// When one cannot be started.
    pub(crate) fn start(
        source: SocketAddr,
        sequencers: &[Sequencer],
        nodes: &Nodes,
        networks: &Networks,
        clock: &Arc<dyn Clock>,
        pause: Duration,
    ) -> Result<Self, FollowersError> {
        let mut followers =
            Self { members: Vec::new(), tasks: JoinSet::new(), cancel: CancellationToken::new() };
        for (sequencer, chain) in sequencers.iter().zip(&nodes.chains) {
            let chain_id = sequencer.chain_id();
            let endpoints = FollowerEndpoints {
                source: format!("http://{source}/{chain_id}/"),
                execution: chain.execution.url(),
                l1: nodes.l1_store(),
            };
            followers.join(sequencer, endpoints, &networks.addrs(chain_id), Arc::clone(clock), pause)?;
        }
        Ok(followers)
    }

    fn join(
        &mut self,
        sequencer: &Sequencer,
        endpoints: FollowerEndpoints,
        peers: &[String],
        clock: Arc<dyn Clock>,
        pause: Duration,
    ) -> Result<(), FollowersError> {
        let chain_id = sequencer.chain_id();
        let failed = move |source| FollowersError::Network { chain_id, source };
        let mut config = NetworkConfig::new(ChainId::from(chain_id));
        config.static_peers = peers.iter().filter_map(|peer| peer.parse().ok()).collect();
        config.topics = vec![Topic::BlocksV4];
        let signer = sequencer.keys().sequencer.address();
        let (signers, known) = watch::channel(Signers::of(signer));
        let (network, _, events) =
            Network::new(config, NodeIdentity::generate(), clock, known).map_err(failed)?;
        let behaviour = Arc::new(Mutex::new(FollowerBehaviour::default()));
        let genesis = ServedL2Ref::of_block(sequencer.chain().genesis());
        let follower = SimulatedFollower::new(endpoints, genesis, Some(LAGOON), Arc::clone(&behaviour))
            .map_err(|source| FollowersError::Client { chain_id, source })?;
        let (ended, cancel) = (self.cancel.clone(), self.cancel.clone());
        self.tasks.spawn(async move { network.run(ended).await.map_err(failed) });
        self.tasks.spawn(async move {
            follower.run(events, pause, cancel).await;
            Ok(())
        });
        self.members.push(Member { chain_id, behaviour, _signers: signers });
        Ok(())
    }

    /// Checks what the followers took for safe against the chains as they are now.
    pub(crate) fn judge(&self, sequencers: &[Sequencer]) {
        for member in &self.members {
            let of_member = sequencers.iter().find(|sequencer| sequencer.chain_id() == member.chain_id);
            of_member.into_iter().for_each(|sequencer| member.behaviour.lock().judge(sequencer));
        }
    }

    /// What the followers took for safe so far stays unjudged: L1 is about to drop it.
    pub(crate) fn leave_unjudged(&self) {
        self.members.iter().for_each(|member| member.behaviour.lock().leave_unjudged());
    }

    /// L1 is about to take back a block that a chain's follower may be on.
    pub(crate) fn undo(&self, chain_id: u64, block: B256) {
        let of_chain = self.members.iter().filter(|member| member.chain_id == chain_id);
        of_chain.for_each(|member| member.behaviour.lock().undo(block));
    }

    /// The sidecar says that these messages are invalid, and of no others.
    pub(crate) fn set_invalid(&self, invalid: &[&MessagePlace]) {
        for member in &self.members {
            let of_chain = invalid.iter().filter(|place| place.chain_id == ChainId::from(member.chain_id));
            member.behaviour.lock().set_invalid(of_chain.map(|place| (place.number, place.hash)).collect());
        }
    }

    /// How often the follower of a chain has asked for heads.
    pub(crate) fn polls(&self, chain_id: u64) -> Option<u64> {
        let member = self.members.iter().find(|member| member.chain_id == chain_id)?;
        Some(member.behaviour.lock().polls())
    }

    /// The height of the safe head of a chain's follower.
    pub(crate) fn safe(&self, chain_id: u64) -> Option<u64> {
        let member = self.members.iter().find(|member| member.chain_id == chain_id)?;
        Some(member.behaviour.lock().safe())
    }

    /// What each has done. `first_invalid_block`: the first height at which a chain's own block is invalid.
    pub(crate) fn reports(&self, first_invalid_block: impl Fn(u64) -> Option<u64>) -> Vec<FollowerReport> {
        let report = |member: &Member| {
            member.behaviour.lock().report(member.chain_id, first_invalid_block(member.chain_id))
        };
        self.members.iter().map(report).collect()
    }

    /// Ends all followers and waits until they have ended.
    ///
    /// # Errors
    /// When one had failed.
    pub(crate) async fn stop(mut self) -> Result<(), FollowersError> {
        self.cancel.cancel();
        let mut outcome = Ok(());
        while let Some(ended) = self.tasks.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(error)) => outcome = Err(error),
                Err(error) => tracing::warn!(%error, "follower task failed"),
            }
        }
        outcome
    }
}
