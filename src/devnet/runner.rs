//! [`run`]: a devnet from its start to its report: chains, servers, gossip, and the sidecar that watches them.
//!
//! The pure parts decide what happens; here it is carried out, tick by tick, until the plan is done or the run is
//! cancelled. Everything that was started is stopped before the outcome is handed out.

use super::{
    config_file::{ChainConfig, ConfigFileError, InteropConfig, L1Config, ListenConfig, P2pConfig, SidecarConfig, free_addrs},
    directory::{Directory, DirectoryError},
    keyring::system_config_address,
    networks::{Networks, NetworksError},
    nodes::Nodes,
    outcome::{Outcome, unaudited},
    pace::{LAG_BLOCKS, Pace},
    plan::{DevnetPlan, FAST_GENESIS_TIME},
    progress::Progress,
    report::{ChainReport, Planted, Report},
    run_clock::{RunClock, RunClockError},
    running_sidecar::{RunningSidecar, SidecarError, SidecarStarter},
    schedule::Schedule,
    sequencer::Sequencer,
    serve::ServeError,
    superchain::{Superchain, SuperchainError, SuperchainParams, Tick},
    watch::{Watch, WatchError},
};
use alloy::primitives::B256;
use crosscheck_p2p::{Clock, SystemClock, UnixSeconds};
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use tokio::{
    task::JoinError,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
