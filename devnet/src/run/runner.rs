//! [`run`]: a devnet from its start to its outcome: chains, servers, gossip, and the sidecar that watches
//! them.
//!
//! The pure parts decide what happens; here it is carried out, tick by tick, until the plan is done or the
//! run is cancelled. Everything that was started is stopped before the outcome is handed out.

use super::devnet_run::{DevnetRun, DevnetRunParts};
use super::directory::{Directory, DirectoryError};
use super::pause::{PauseError, Pauses};
use super::plan::{DevnetPlan, DevnetRequest, FAST_GENESIS_TIME};
use crate::follower::{Followers, FollowersError};
use crate::free_addrs::{NoPortError, free_addrs};
use crate::gossip::{Networks, NetworksError};
use crate::observation::{Watch, WatchError};
use crate::report::DevnetOutcome;
use crate::serve::{Nodes, ServeError};
use crate::sidecar::{
    ConfigFileError, ListenAddrs, RunningSidecar, SidecarError, SidecarStarter, sidecar_config, write_bundle,
};
use crate::simulation::{Superchain, SuperchainError, SuperchainParams};
use crate::timing::{PATIENCE, RunClock, RunClockError, Schedule};
use crosscheck_p2p::{Clock, SystemClock, UnixSeconds};
use indicatif::MultiProgress;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

/// How often a follower asks for heads in a run that is faster than real time.
const FAST_FOLLOWER_PAUSE: Duration = Duration::from_millis(100);
/// The age that genesis may have in real time, seconds: blocks must be young enough for gossip.
const MAX_GENESIS_AGE: u64 = 30;

/// Why a devnet could not start or continue.
#[derive(Debug, thiserror::Error)]
pub enum DevnetError {
    /// No directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// No clock.
    #[error(transparent)]
    Clock(#[from] RunClockError),
    /// The chains.
    #[error(transparent)]
    Superchain(#[from] SuperchainError),
    /// A task that executes blocks.
    #[error("the task that executes blocks ended early: {0}")]
    Task(#[from] JoinError),
    /// The servers.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Gossip.
    #[error(transparent)]
    Networks(#[from] NetworksError),
    /// The followers.
    #[error(transparent)]
    Followers(#[from] FollowersError),
    /// No ports for the sidecar.
    #[error(transparent)]
    Ports(#[from] NoPortError),
    /// The sidecar's configuration.
    #[error(transparent)]
    ConfigFile(#[from] ConfigFileError),
    /// The sidecar did not start.
    #[error("the sidecar did not start from {config}: {source}")]
    SidecarStart {
        /// Its configuration.
        config: PathBuf,
        /// Why.
        source: SidecarError,
    },
    /// The sidecar failed.
    #[error("the sidecar failed: {source}")]
    SidecarFailed {
        /// Why.
        source: SidecarError,
    },
    /// The sidecar cannot be watched.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// A pause.
    #[error(transparent)]
    Pause(#[from] PauseError),
    /// Genesis is too long ago for gossip.
    #[error(
        "--genesis-time {genesis} is {age} seconds ago: in real time at most {MAX_GENESIS_AGE} work, because gossip \
         drops old blocks; add --fast"
    )]
    OldGenesis {
        /// What was given.
        genesis: UnixSeconds,
        /// How long ago that is.
        age: u64,
    },
}

/// Runs a devnet. With a sidecar in the plan, `starter` starts it from the configuration file that the devnet
/// writes. `lines`: where progress is shown.
///
/// # Errors
/// When a part cannot be started or fails; what the sidecar finds or misses is in the outcome.
pub async fn run(
    plan: DevnetPlan,
    starter: Option<Box<dyn SidecarStarter>>,
    lines: MultiProgress,
    cancel: CancellationToken,
) -> Result<DevnetOutcome, DevnetError> {
    let directory = Directory::open(plan.request().dir.as_deref())?;
    let genesis_time = genesis_time(plan.request(), SystemClock.now())?;
    let clock = match plan.request().fast {
        true => RunClock::own(directory.path(), genesis_time)?,
        false => RunClock::System,
    };
    let params = superchain_params(&plan, genesis_time);
    let superchain = tokio::task::spawn_blocking(move || Superchain::new(params)).await??;
    let superchain = superchain.keeping(plan.request().history).executing(plan.request().messages);
    let nodes = Nodes::start(&superchain, endpoints(&plan)).await?;
    let networks =
        Networks::start(superchain.sequencers(), &clock.reader()?, plan.request().attester).await?;
    let [rpc, http, follow] = free_addrs()?;
    let follow = plan.request().followers.then(|| (follow, plan.follow_mode().name()));
    let is_watched = starter.is_some();
    let listen = ListenAddrs { rpc, http, follow };
    let upgraded = superchain.params().plan.begins_fork();
    let bundle = upgraded.then(|| write_bundle(directory.path())).transpose()?;
    let config = sidecar_config(directory.path(), &clock, &listen, &superchain, &nodes, &networks, bundle);
    let config = config.write(directory.path())?;
    tracing::info!(config = %config.display(), "devnet started");
    let sidecar = AttachedSidecar::start(starter, config, rpc, http).await?;
    let patience = if sidecar.watch.is_some() { PATIENCE } else { plan.request().await_peers };
    await_subscriptions(&networks, patience, &cancel).await;
    let pause = follower_pause(plan.request());
    let start = |source| {
        Followers::start(source, superchain.sequencers(), &nodes, &networks, &clock.reader()?, pause)
            .map_err(DevnetError::from)
    };
    let followers = follow.filter(|_| is_watched).map(|(source, _)| start(source)).transpose()?;
    let pauses = Pauses::new(directory.path(), plan.request().pauses.iter().copied())?;
    let watch = sidecar.watch;
    let devnet =
        DevnetRun::new(DevnetRunParts { plan, superchain, nodes, networks, clock, watch, followers, lines });
    let played = devnet.run(&pauses, &cancel).await;
    // The sidecar ends first: it must not treat the end of the chains as an outage.
    let ended = match sidecar.running {
        Some(running) => running.shutdown().await.map_err(|source| DevnetError::SidecarFailed { source }),
        None => Ok(()),
    };
    let outcome = played?;
    ended.map(|()| outcome)
}

/// A sidecar in this process, if the plan has one, and the watch on it.
struct AttachedSidecar {
    running: Option<Box<dyn RunningSidecar>>,
    watch: Option<Watch>,
}

impl AttachedSidecar {
    async fn start(
        starter: Option<Box<dyn SidecarStarter>>,
        config: PathBuf,
        rpc: SocketAddr,
        http: SocketAddr,
    ) -> Result<Self, DevnetError> {
        let Some(starter) = starter else { return Ok(Self { running: None, watch: None }) };
        let watch = Watch::new(rpc, http)?;
        let started = starter.start(config.clone()).await;
        let running = started.map_err(|source| DevnetError::SidecarStart { config, source })?;
        Ok(Self { running: Some(running), watch: Some(watch) })
    }
}

async fn await_subscriptions(networks: &Networks, patience: Duration, cancel: &CancellationToken) {
    if patience.is_zero() {
        return;
    }
    tokio::select! {
        () = cancel.cancelled() => {}
        subscribed = networks.subscribed(patience) => if !subscribed {
            tracing::warn!(?patience, "no sidecar joined gossip in time; chains start without it");
        }
    }
}

/// op-node asks its source every two block times.
fn follower_pause(request: &DevnetRequest) -> Duration {
    if request.fast { FAST_FOLLOWER_PAUSE } else { Duration::from_secs(request.block_time.saturating_mul(2)) }
}

fn genesis_time(request: &DevnetRequest, now: UnixSeconds) -> Result<UnixSeconds, DevnetError> {
    if request.fast {
        return Ok(request.genesis_time.unwrap_or(FAST_GENESIS_TIME));
    }
    let genesis = request.genesis_time.unwrap_or(now);
    let age = now.0.saturating_sub(genesis.0);
    if age > MAX_GENESIS_AGE {
        return Err(DevnetError::OldGenesis { genesis, age });
    }
    Ok(genesis)
}

/// How many execution clients each chain has.
fn endpoints(plan: &DevnetPlan) -> usize {
    plan.request().endpoints.max(plan.faults().endpoints())
}

fn superchain_params(plan: &DevnetPlan, genesis_time: UnixSeconds) -> SuperchainParams {
    let DevnetRequest { chains, blocks, block_time, seed, .. } = *plan.request();
    let schedule = Schedule { genesis_time, block_time, blocks };
    SuperchainParams { chains, schedule, seed, plan: plan.faults().clone() }
}

#[cfg(test)]
mod sidecar_double;
#[cfg(test)]
mod tests;
