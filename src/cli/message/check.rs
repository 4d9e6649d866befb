//! `crosscheck message check`: one message against live endpoints, with the proof.

use super::examination::{Examination, Examiner, Subject};
use super::facts::print_facts;
use super::fields::{Payload, number};
use crate::audit::in_words;
use crate::cli::node_rules::ask_nodes;
use crate::cli::settings::SettingsArgs;
use crate::cli::{Outcome, UsageError, print, print_to_stderr, runtime};
use crate::service::{execution_clients, l1_reader, rollup_nodes};
use crate::sources::{EndpointLimits, EndpointUrl, ExecutionClient};
use alloy::primitives::{Address, B256};
use clap::Args;
use crosscheck_core::message::{Identifier, Message};
use crosscheck_core::proof::LogIndex;
use crosscheck_core::validity::{DEFAULT_EXPIRY_WINDOW, DependencySet, Execution, Member, MessageStatus};
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

/// Check one message against the chains' endpoints, and print the proof.
///
/// The message is given by the transaction that executes it (--tx, for every message in it), by the executing
/// log (--block and --log-index of --executing-chain), or field by field. The chains are those of a
/// configuration (--config), or those given with --execution. Settings that the configuration leaves to the
/// rollup nodes are read from them. Cycles, and the validity of the cited block with everything that it
/// cites, are checked back to finalized blocks. Exits with 0 if the message is valid, with 1 if it is
/// invalid, and with 2 if it cannot be determined.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    /// A chain's execution endpoint, instead of a configuration; give it once for each endpoint
    #[arg(long, value_name = "CHAIN=URL")]
    execution: Vec<ChainEndpoint>,
    /// With --execution: the interop activation time of these chains, in seconds since 1970
    #[arg(long, value_name = "UNIX_SECS", default_value_t = 0, value_parser = number::<u64>)]
    interop_time: u64,
    /// The chain that executes the message
    #[arg(long, value_name = "ID")]
    executing_chain: ChainId,
    /// The transaction that executes it
    #[arg(long, value_name = "HASH", conflicts_with_all = FIELDS, conflicts_with_all = ["block", "log_index"])]
    tx: Option<B256>,
    /// The block that executes it: its height
    #[arg(long, value_name = "N", value_parser = number::<u64>, conflicts_with_all = FIELDS)]
    block: Option<u64>,
    /// With --block: the executing log's index in that block. Else: the initiating log's index in its block
    #[arg(long, value_parser = number::<u32>, required_unless_present = "tx")]
    log_index: Option<u32>,
    /// The timestamp at which it is executed
    #[arg(long, value_name = "UNIX_SECS", value_parser = number::<u64>, required_unless_present_any = ["block", "tx"])]
    executing_timestamp: Option<u64>,
    /// The contract that emitted the initiating log
    #[arg(long, required_unless_present_any = ["block", "tx"])]
    origin: Option<Address>,
    /// The height of the initiating block
    #[arg(long, value_parser = number::<u64>, required_unless_present_any = ["block", "tx"])]
    block_number: Option<u64>,
    /// The timestamp of that block
    #[arg(long, value_parser = number::<u64>, required_unless_present_any = ["block", "tx"])]
    timestamp: Option<u64>,
    /// The chain of that block
    #[arg(long, required_unless_present_any = ["block", "tx"])]
    chain_id: Option<ChainId>,
    #[command(flatten)]
    payload: Payload,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The flags that name a message field by field.
const FIELDS: [&str; 7] =
    ["executing_timestamp", "origin", "block_number", "timestamp", "chain_id", "payload_hash", "payload"];

/// `<chain id>=<url>`.
#[derive(Clone, Debug)]
struct ChainEndpoint {
    chain_id: ChainId,
    url: EndpointUrl,
}

impl FromStr for ChainEndpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (chain_id, url) =
            text.split_once('=').ok_or("write CHAIN=URL, such as 901=http://127.0.0.1:8545")?;
        Ok(Self {
            chain_id: chain_id.parse().map_err(|error| format!("{error}"))?,
            url: url.parse().map_err(|error| format!("{error}"))?,
        })
    }
}

/// How endpoints that are given by flags are asked.
const LIMITS: EndpointLimits = EndpointLimits {
    timeout: Duration::from_secs(10),
    max_response_bytes: 64 * 1024 * 1024,
    max_concurrent_requests: 8,
};

impl CheckArgs {
    pub(super) fn run(&self) -> eyre::Result<Outcome> {
        let subject = if self.tx.is_some() { None } else { Some(self.subject()?) };
        let runtime = runtime()?;
        let examiner =
            if self.execution.is_empty() { runtime.block_on(self.configured())? } else { self.given()? };
        let examinations = runtime.block_on(self.examine(&examiner, subject));
        match &examinations[..] {
            [examination] if self.json && self.tx.is_none() => print_facts(examination, true)?,
            all if self.json => print_facts(&all, true)?,
            all => {
                for examination in all {
                    print(&examination.in_words())?;
                    print_facts(examination, false)?;
                }
            }
        }
        Ok(outcome(&examinations))
    }

    /// What is found of the message, or of each that the transaction executes.
    async fn examine(&self, examiner: &Examiner, subject: Option<Subject>) -> Vec<Examination> {
        let subjects = match (subject, self.tx) {
            (Some(subject), _) => vec![subject],
            (None, None) => Vec::new(),
            (None, Some(hash)) => match examiner.executed_by(self.executing_chain, hash).await {
                Ok(subjects) => subjects,
                Err(why) => return vec![Examination::not_found(&why)],
            },
        };
        let mut found = Vec::with_capacity(subjects.len());
        for subject in subjects {
            found.push(examiner.examine(subject).await);
        }
        found
    }

    fn subject(&self) -> Result<Subject, UsageError> {
        let missing = || UsageError { problem: "give --log-index".to_owned() };
        let log_index = self.log_index.ok_or_else(missing)?;
        if let Some(number) = self.block {
            let chain_id = self.executing_chain;
            return Ok(Subject::Executed { chain_id, number, log_index });
        }
        let fields =
            (self.executing_timestamp, self.origin, self.block_number, self.timestamp, self.chain_id);
        let (Some(executed), Some(origin), Some(block_number), Some(timestamp), Some(chain_id)) = fields
        else {
            let problem = "give --tx, --block, or every field of the message".to_owned();
            return Err(UsageError { problem });
        };
        let payload_hash = self
            .payload
            .hash()
            .ok_or_else(|| UsageError { problem: "give --payload-hash or --payload".to_owned() })?;
        let timestamp = UnixSeconds(timestamp);
        let identifier = Identifier { origin, block_number, log_index, timestamp, chain_id };
        let execution = Execution { chain_id: self.executing_chain, timestamp: UnixSeconds(executed) };
        Ok(Subject::Claimed { execution, message: Message { identifier, payload_hash } })
    }

    /// An examiner that asks the endpoints of the configuration. The rollup nodes are asked first for the
    /// rules that are not configured.
    async fn configured(&self) -> eyre::Result<Examiner> {
        let config = self.settings.load()?;
        let clients = execution_clients(&config, &LogIndex::new(config.interop.log_index_bytes()))?;
        let (nodes, l1) = (rollup_nodes(&config)?, l1_reader(&config)?);
        let set = config.dependency_set();
        for (chain_id, answer) in ask_nodes(&config, &set, &nodes, &clients, l1.as_ref()).await {
            match answer {
                Ok(answer) if answer.differences.is_empty() => {}
                // No message of the chain can be checked now: which rules apply is not known.
                Ok(answer) => {
                    print_to_stderr(&format!("chain {chain_id}: {}", in_words(&answer.differences)));
                }
                // The configured rules are used.
                Err(error) => {
                    print_to_stderr(&format!("the rules of chain {chain_id} cannot be read: {error}"));
                }
            }
        }
        Ok(Examiner { set, clients })
    }

    /// An examiner that asks the endpoints that are given by flags.
    fn given(&self) -> eyre::Result<Examiner> {
        let mut urls: BTreeMap<ChainId, Vec<EndpointUrl>> = BTreeMap::new();
        for ChainEndpoint { chain_id, url } in &self.execution {
            urls.entry(*chain_id).or_default().push(url.clone());
        }
        // Without a configuration the block time is unknown: the activation block itself is accepted.
        let member = Member { interop_time: UnixSeconds(self.interop_time), block_time: 0 };
        let members = urls.keys().map(|chain_id| (*chain_id, member)).collect();
        let mut clients = BTreeMap::new();
        for (chain_id, urls) in &urls {
            let index = LogIndex::new(64 << 20);
            let quorum = crate::sources::Quorum::majority(urls.len());
            clients.insert(*chain_id, ExecutionClient::new(*chain_id, urls, quorum, LIMITS, index)?);
        }
        Ok(Examiner { set: DependencySet::new(members, DEFAULT_EXPIRY_WINDOW), clients })
    }
}

/// How it ends: by the worst of what was found.
fn outcome(examinations: &[Examination]) -> Outcome {
    let is = |status: fn(&MessageStatus) -> bool| examinations.iter().any(|found| status(&found.status()));
    if is(|status| matches!(status, MessageStatus::Invalid(_))) {
        return Outcome::Failed;
    }
    if is(|status| matches!(status, MessageStatus::Unknown)) { Outcome::Unknown } else { Outcome::Ok }
}
