//! [`DevnetPlan`]: what a devnet run is to be, checked before anything is started.

use crate::chain::BLOCK_HISTORY;
use crate::faults::{FaultPlan, FaultPlanError, FaultSpec, PlannedFault, draw};
use crate::follower::DevnetFollowMode;
use crate::simulation::{MAX_CHAINS, SuperchainParams};
use crosscheck_p2p::UnixSeconds;
use std::{path::PathBuf, time::Duration};

/// The longest block time, seconds. Blocks that are rebuilt after a replacement must still be within the
/// gossip window of a minute.
pub(crate) const MAX_BLOCK_TIME: u64 = 12;
/// The most execution clients that a chain has.
pub(crate) const MAX_ENDPOINTS: usize = 5;
/// The fewest blocks of a chain that may be kept: far more than any client that is not behind requests.
pub(crate) const MIN_HISTORY: u64 = 512;
/// The most valid messages that a block executes.
pub(crate) const MAX_MESSAGES: usize = 100;
/// The genesis time of runs that outrun real time: 2026-01-01, so that a seed always gives the same chains.
pub(crate) const FAST_GENESIS_TIME: UnixSeconds = UnixSeconds(1_767_225_600);

/// What was asked for.
#[derive(Clone, Debug)]
pub struct DevnetRequest {
    /// How many chains.
    pub chains: u64,
    /// How many blocks each builds; `None`: until it is stopped.
    pub blocks: Option<u64>,
    /// Seconds between two blocks.
    pub block_time: u64,
    /// Whether to outrun real time.
    pub fast: bool,
    /// The seed.
    pub seed: u64,
    /// Whether sequencers attest their cross-safe blocks.
    pub attester: bool,
    /// What the sidecar's head for followers rests on; `None`: on attestations if there are any, otherwise on
    /// what it finds valid.
    pub follow_mode: Option<DevnetFollowMode>,
    /// What goes wrong.
    pub faults: Vec<FaultSpec>,
    /// How many faults more are drawn from the seed; as many as there is room for.
    pub random_faults: usize,
    /// How many execution clients each chain has. A fault may need more.
    pub endpoints: usize,
    /// Where to keep files; `None`: in a temporary directory.
    pub dir: Option<PathBuf>,
    /// The time of the genesis blocks; `None`: now, or a constant if real time is outrun.
    pub genesis_time: Option<UnixSeconds>,
    /// How long to wait for a sidecar in another process before the first block.
    pub await_peers: Duration,
    /// How long a tick lasts at least when real time is outrun and no sidecar is watched; `None`: the usual
    /// time.
    pub tick: Option<Duration>,
    /// Whether the servers stay up after the last block, until the run is stopped.
    pub stay: bool,
    /// The blocks at which the run stops until it is asked to continue.
    pub pauses: Vec<u64>,
    /// Whether the sidecar in this process serves followers, of which each chain then has one.
    pub followers: bool,
    /// How many blocks of each chain are kept, and their L1 origins.
    pub history: u64,
    /// How many valid messages each block executes. `None`: a few.
    pub messages: Option<usize>,
}

/// A run that makes sense.
#[derive(Clone, Debug)]
pub struct DevnetPlan {
    request: DevnetRequest,
    faults: FaultPlan,
}

/// A request that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DevnetPlanError {
    /// Too few or too many chains.
    #[error("--chains {chains}: give 1 to {MAX_CHAINS}")]
    Chains {
        /// What was given.
        chains: u64,
    },
    /// Blocks too fast or too slow.
    #[error("--block-time {block_time}: give 1 to {MAX_BLOCK_TIME} seconds; --fast outruns real time")]
    BlockTime {
        /// What was given.
        block_time: u64,
    },
    /// Blocks too slow for a fault.
    #[error(
        "--block-time {block_time}: with the fault {fault} give at most {most} seconds, or gossip finds blocks too old"
    )]
    SlowBlocks {
        /// What was given.
        block_time: u64,
        /// The fault.
        fault: &'static str,
        /// The longest block time with which it works.
        most: u64,
    },
    /// No blocks.
    #[error("--blocks 0: give at least 1, or leave it out to run until stopped")]
    NoBlocks,
    /// Too few or too many endpoints.
    #[error("--endpoints {endpoints}: give 1 to {MAX_ENDPOINTS}")]
    Endpoints {
        /// What was given.
        endpoints: usize,
    },
    /// Too few blocks are to be kept, or too many.
    #[error("--history {history}: give {MIN_HISTORY} to {BLOCK_HISTORY}")]
    History {
        /// What was given.
        history: u64,
    },
    /// More messages than fit into a block.
    #[error("--messages {messages}: give 0 to {MAX_MESSAGES}")]
    Messages {
        /// What was given.
        messages: usize,
    },
    /// A pause at a block that is never built.
    #[error("--pause-at {block}: give a block of the run, 1 to {last}")]
    Pause {
        /// What was given.
        block: u64,
        /// The last block of the run.
        last: u64,
    },
    /// Heads that rest on attestations, which nobody makes.
    #[error("--follow-mode attested: with --no-attester nothing is attested; give clamp or verified")]
    NoAttester,
    /// Faults over a run without end.
    #[error("--random-faults needs a run that ends: give --blocks, too")]
    EndlessDraw,
    /// A fault in the wrong place.
    #[error(transparent)]
    Fault(#[from] FaultPlanError),
}

impl DevnetPlan {
    /// Checks a request.
    ///
    /// # Errors
    /// When a number is out of its range, or a fault cannot be where it was put.
    pub fn new(request: DevnetRequest) -> Result<Self, DevnetPlanError> {
        let DevnetRequest { chains, blocks, block_time, .. } = request;
        if !(1..=MAX_CHAINS).contains(&chains) {
            return Err(DevnetPlanError::Chains { chains });
        }
        if !(1..=MAX_BLOCK_TIME).contains(&block_time) {
            return Err(DevnetPlanError::BlockTime { block_time });
        }
        if blocks == Some(0) {
            return Err(DevnetPlanError::NoBlocks);
        }
        let endpoints = request.endpoints;
        if !(1..=MAX_ENDPOINTS).contains(&endpoints) {
            return Err(DevnetPlanError::Endpoints { endpoints });
        }
        let history = request.history;
        if !(MIN_HISTORY..=BLOCK_HISTORY).contains(&history) {
            return Err(DevnetPlanError::History { history });
        }
        if let Some(messages) = request.messages.filter(|messages| *messages > MAX_MESSAGES) {
            return Err(DevnetPlanError::Messages { messages });
        }
        let chain_ids = SuperchainParams::chain_ids(chains);
        let last = blocks.unwrap_or(u64::MAX);
        if let Some(&block) = request.pauses.iter().find(|block| !(1..=last).contains(*block)) {
            return Err(DevnetPlanError::Pause { block, last });
        }
        if !request.attester && request.follow_mode == Some(DevnetFollowMode::Attested) {
            return Err(DevnetPlanError::NoAttester);
        }
        let mut faults = if request.attester { FaultPlan::default() } else { FaultPlan::without_attester() };
        for spec in &request.faults {
            faults.add(spec, &chain_ids, blocks)?;
        }
        if request.random_faults > 0 {
            let length = blocks.ok_or(DevnetPlanError::EndlessDraw)?;
            let drawn = draw(&faults, request.random_faults, request.seed, &chain_ids, (length, block_time));
            for spec in &drawn {
                faults.add(spec, &chain_ids, blocks)?;
            }
        }
        let too_slow = |fault: &&PlannedFault| block_time > fault.fault.max_block_time;
        if let Some(planned) = faults.iter().find(too_slow) {
            let (fault, most) = (planned.fault.name, planned.fault.max_block_time);
            return Err(DevnetPlanError::SlowBlocks { block_time, fault, most });
        }
        Ok(Self { request, faults })
    }

    /// What was asked for.
    pub const fn request(&self) -> &DevnetRequest {
        &self.request
    }

    /// What the sidecar's head for followers rests on.
    pub fn follow_mode(&self) -> DevnetFollowMode {
        let usual =
            if self.request.attester { DevnetFollowMode::Attested } else { DevnetFollowMode::Verified };
        self.request.follow_mode.unwrap_or(usual)
    }

    /// The faults in their places.
    pub const fn faults(&self) -> &FaultPlan {
        &self.faults
    }

    /// Whether any fault is planned.
    pub(super) fn has_faults(&self) -> bool {
        self.faults.iter().next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn request() -> DevnetRequest {
        DevnetRequest {
            chains: 2,
            blocks: Some(60),
            block_time: 2,
            fast: true,
            seed: 0,
            attester: true,
            follow_mode: None,
            faults: Vec::new(),
            random_faults: 0,
            endpoints: 1,
            dir: None,
            genesis_time: None,
            await_peers: Duration::ZERO,
            stay: false,
            pauses: Vec::new(),
            tick: None,
            followers: false,
            history: BLOCK_HISTORY,
            messages: None,
        }
    }

    #[rstest]
    #[case::no_chains(DevnetRequest { chains: 0, ..request() }, "--chains 0")]
    #[case::too_many_chains(DevnetRequest { chains: 33, ..request() }, "--chains 33")]
    #[case::no_block_time(DevnetRequest { block_time: 0, ..request() }, "--block-time 0")]
    #[case::too_slow(DevnetRequest { block_time: 13, ..request() }, "--block-time 13")]
    #[case::too_slow_for_a_fault(
        DevnetRequest { block_time: 5, faults: vec!["replacement-chain@20".parse().unwrap()], ..request() },
        "replacement-chain"
    )]
    #[case::no_blocks(DevnetRequest { blocks: Some(0), ..request() }, "--blocks 0")]
    #[case::no_endpoint(DevnetRequest { endpoints: 0, ..request() }, "--endpoints 0")]
    #[case::too_little_history(DevnetRequest { history: 511, ..request() }, "--history 511")]
    #[case::too_many_messages(DevnetRequest { messages: Some(101), ..request() }, "--messages 101")]
    #[case::too_much_history(DevnetRequest { history: 65_537, ..request() }, "--history 65537")]
    #[case::too_many_endpoints(DevnetRequest { endpoints: 6, ..request() }, "--endpoints 6")]
    #[case::pause_before_the_first_block(DevnetRequest { pauses: vec![5, 0], ..request() }, "--pause-at 0")]
    #[case::pause_after_the_last_block(DevnetRequest { pauses: vec![60, 61], ..request() }, "1 to 60")]
    #[case::draw_without_end(DevnetRequest { blocks: None, random_faults: 1, ..request() }, "--blocks")]
    #[case::attested_by_nobody(
        DevnetRequest { attester: false, follow_mode: Some(DevnetFollowMode::Attested), ..request() },
        "--follow-mode attested"
    )]
    #[case::fault_of_attestations_that_nobody_makes(
        DevnetRequest { attester: false, faults: vec!["wrong-signer@20".parse().unwrap()], ..request() },
        "--no-attester"
    )]
    #[case::misplaced_fault(
        DevnetRequest { faults: vec!["wrong-signer@61".parse().unwrap()], ..request() },
        "wrong-signer@61"
    )]
    fn refuses(#[case] request: DevnetRequest, #[case] named: &str) {
        let error = DevnetPlan::new(request).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }

    #[rstest]
    #[case::one_chain(DevnetRequest { chains: 1, ..request() })]
    #[case::as_many_chains_as_may_be(DevnetRequest { chains: 32, ..request() })]
    #[case::without_end(DevnetRequest { blocks: None, faults: vec!["wrong-signer@9000".parse().unwrap()], ..request() })]
    fn accepts(#[case] request: DevnetRequest) {
        assert!(DevnetPlan::new(request).is_ok());
    }

    #[rstest]
    #[case::attested(true, None, DevnetFollowMode::Attested)]
    #[case::by_nobody(false, None, DevnetFollowMode::Verified)]
    #[case::chosen(true, Some(DevnetFollowMode::Verified), DevnetFollowMode::Verified)]
    #[case::chosen_without_an_attester(false, Some(DevnetFollowMode::Clamp), DevnetFollowMode::Clamp)]
    fn heads_rest_on_attestations_if_there_are_any(
        #[case] attester: bool,
        #[case] chosen: Option<DevnetFollowMode>,
        #[case] mode: DevnetFollowMode,
    ) {
        let plan = DevnetPlan::new(DevnetRequest { attester, follow_mode: chosen, ..request() }).unwrap();
        assert_eq!(plan.follow_mode(), mode);
    }

    #[test]
    fn without_an_attester_only_faults_are_drawn_that_need_none() {
        let request = DevnetRequest { blocks: Some(2_000), random_faults: 60, attester: false, ..request() };
        let plan = DevnetPlan::new(request).unwrap();
        assert!(plan.faults().iter().count() > 50);
        assert!(plan.faults().iter().all(|planned| !planned.fault.needs_attester()));
    }

    #[test]
    fn drawn_faults_come_after_the_scripted_ones() {
        let faults = vec!["long-outage@100".parse().unwrap()];
        let plan =
            DevnetPlan::new(DevnetRequest { blocks: Some(600), random_faults: 10, faults, ..request() })
                .unwrap();
        let names: Vec<_> = plan
            .faults()
            .iter()
            .filter(|planned| planned.part == 0)
            .map(|planned| planned.fault.name)
            .collect();
        assert_eq!((names.len(), names[0]), (11, "long-outage"));
    }
}
