//! [`Examiner`]: fetches and proves the blocks that a message refers to, and checks every clause.
//!
//! An endpoint's failure leaves the message unknown.

use super::clauses::{Clause, Reached, broken, unbroken};
use crate::sources::{ExecutionClient, SourceError};
use alloy::primitives::{Address, B256, keccak256};
use crosscheck_core::message::{Checksum, Identifier, Message};
use crosscheck_core::proof::{ProvenLogs, VerifiedBlock};
use crosscheck_core::validity::{
    DependencySet, Execution, InvalidReason, MessageStatus, Objection, Unclear, check_claim, check_executed,
    check_log, check_tip,
};
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is examined.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject {
    /// The message that a log of a canonical block executes.
    Executed {
        /// The chain.
        chain_id: ChainId,
        /// The block's height.
        number: u64,
        /// The log's index in it.
        log_index: u32,
    },
    /// A message field by field.
    Claimed {
        /// Where and when it is executed.
        execution: Execution,
        /// What it claims.
        message: Message,
    },
}

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Examination {
    #[serde(serialize_with = "status_name")]
    verdict: MessageStatus,
    reason: Option<&'static str>,
    detail: Option<String>,
    executing: Option<ExecutingProof>,
    identifier: Option<Identifier>,
    payload_hash: Option<B256>,
    checksum: Option<Checksum>,
    initiating: Option<InitiatingProof>,
    clauses: Vec<Clause>,
}

fn status_name<S: Serializer>(status: &MessageStatus, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(status.name())
}

/// A block whose header hashes to its hash.
#[derive(Debug, Serialize)]
struct ProvenBlock {
    chain_id: ChainId,
    number: u64,
    hash: B256,
    timestamp: UnixSeconds,
    /// What its receipts were proven to hash to.
    receipts_root: B256,
}

/// The log that executes the message.
#[derive(Debug, Serialize)]
struct ExecutingProof {
    block: ProvenBlock,
    log_index: u32,
    transaction_index: u32,
}

/// What is at the place where the message says that it was initiated.
#[derive(Debug, Serialize)]
struct InitiatingProof {
    block: ProvenBlock,
    /// How many logs the block has.
    logs: usize,
    /// The log at the claimed index, if there is one.
    log: Option<FoundLog>,
}

#[derive(Debug, Serialize)]
struct FoundLog {
    index: u32,
    origin: Address,
    payload_hash: B256,
    checksum: Checksum,
}

/// What is known of the block that executes a message.
enum Executing {
    /// Its proven logs.
    Block(Arc<ProvenLogs>),
    /// Its timestamp.
    Fields(UnixSeconds),
}

/// Why a message stays unknown.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unknown {
    #[error("no endpoint is given for chain {chain_id}")]
    NoEndpoint { chain_id: ChainId },
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("chain {chain_id} has no block {number} yet")]
    NoBlock { chain_id: ChainId, number: u64 },
    #[error("no endpoint of chain {chain_id} has the receipts of block {number} ({hash})")]
    NoReceipts { chain_id: ChainId, number: u64, hash: B256 },
    #[error(transparent)]
    Rules(Unclear),
    #[error("log {log_index} of block {number} of chain {chain_id} executes no message")]
    NotExecuting { chain_id: ChainId, number: u64, log_index: u32 },
    #[error("no endpoint of chain {chain_id} has a block with transaction {hash}")]
    NoTransaction { chain_id: ChainId, hash: B256 },
    #[error("transaction {hash} of block {number} of chain {chain_id} executes no message")]
    NothingExecuted { chain_id: ChainId, number: u64, hash: B256 },
    #[error("chain {chain_id} has no block at {timestamp} yet")]
    NotThatFar { chain_id: ChainId, timestamp: UnixSeconds },
    #[error(
        "it is initiated and executed at the same timestamp, so it may be part of a cycle; use --block and --log-index"
    )]
    CycleByFields,
    #[error(
        "it depends on more than {blocks} blocks that are not final; ask a running crosscheck (crosscheck_message)"
    )]
    NotFollowed { blocks: usize },
}

/// The chains' endpoints and rules.
#[derive(Debug)]
pub(super) struct Examiner {
    pub(super) set: DependencySet,
    pub(super) clients: BTreeMap<ChainId, ExecutionClient>,
}

impl Examination {
    fn new() -> Self {
        Self {
            verdict: MessageStatus::Unknown,
            reason: None,
            detail: None,
            executing: None,
            identifier: None,
            payload_hash: None,
            checksum: None,
            initiating: None,
            clauses: unbroken(Reached::Nothing),
        }
    }

    /// Nothing was found, for this reason.
    pub(super) fn not_found(why: &Unknown) -> Self {
        Self::new().unknown(Reached::Nothing, why)
    }

    /// What was found, in a line.
    pub(super) fn in_words(&self) -> String {
        let name = self.verdict.name();
        self.detail.as_ref().map_or_else(|| name.to_owned(), |detail| format!("{name}: {detail}"))
    }

    pub(super) const fn status(&self) -> MessageStatus {
        self.verdict
    }

    fn about(&mut self, message: &Message) {
        self.identifier = Some(message.identifier);
        self.payload_hash = Some(message.payload_hash);
        self.checksum = Some(Checksum::of(message));
    }

    fn invalid(mut self, reason: InvalidReason) -> Self {
        self.verdict = MessageStatus::Invalid(reason);
        self.reason = Some(reason.code());
        self.detail = Some(reason.to_string());
        self.clauses = broken(&reason);
        self
    }

    fn unknown(mut self, reached: Reached, why: &Unknown) -> Self {
        self.detail = Some(why.to_string());
        self.clauses = unbroken(reached);
        self
    }

    /// Every clause about the message itself is satisfied; `around` is the result of checking what it depends
    /// on.
    fn concluded(self, around: Result<Option<InvalidReason>, Unknown>) -> Self {
        match around {
            Ok(None) => {
                Self { verdict: MessageStatus::Valid, clauses: unbroken(Reached::Everything), ..self }
            }
            Ok(Some(reason)) => self.invalid(reason),
            Err(why) => self.unknown(Reached::Alone, &why),
        }
    }
}

impl Examiner {
    /// Examines a message as far as its endpoints answer.
    pub(super) async fn examine(&self, subject: Subject) -> Examination {
        let mut examination = Examination::new();
        let (message, executing) = match subject {
            Subject::Claimed { execution, message } => {
                examination.about(&message);
                let claim = check_claim(&self.set, execution, &message).map(|()| message);
                (claim, Executing::Fields(execution.timestamp))
            }
            Subject::Executed { chain_id, number, log_index } => {
                let (block, logs) = match self.proven(chain_id, number).await {
                    Ok(proven) => proven,
                    Err(why) => return examination.unknown(Reached::Nothing, &why),
                };
                let Some(executed) = logs.executed().iter().find(|executed| executed.log_index == log_index)
                else {
                    let why = Unknown::NotExecuting { chain_id, number, log_index };
                    return examination.unknown(Reached::Nothing, &why);
                };
                let transaction_index = executed.transaction_index;
                examination.executing = Some(ExecutingProof {
                    block: ProvenBlock::of(chain_id, &block),
                    log_index,
                    transaction_index,
                });
                examination.about(&executed.message.message);
                let execution = Execution { chain_id, timestamp: block.timestamp() };
                let claim = check_executed(&self.set, execution, executed);
                (claim, Executing::Block(Arc::clone(&logs)))
            }
        };
        match message {
            Ok(message) => self.look_up(examination, &message, executing).await,
            Err(Objection::Broken(reason)) => examination.invalid(reason),
            Err(Objection::Unclear(unclear)) => {
                examination.unknown(Reached::Nothing, &Unknown::Rules(unclear))
            }
        }
    }

    /// The messages that a transaction executes.
    pub(super) async fn executed_by(&self, chain_id: ChainId, hash: B256) -> Result<Vec<Subject>, Unknown> {
        let none = || Unknown::NoTransaction { chain_id, hash };
        let number = self.client(chain_id)?.height_of_transaction(hash).await?.ok_or_else(none)?;
        let (block, logs) = self.proven(chain_id, number).await?;
        let place = block.transactions().iter().position(|raw| keccak256(raw) == hash).ok_or_else(none)?;
        let is_its = |of: u32| usize::try_from(of).is_ok_and(|of| of == place);
        let executed = logs.executed().iter().filter(|executed| is_its(executed.transaction_index));
        let subjects: Vec<Subject> =
            executed.map(|of| Subject::Executed { chain_id, number, log_index: of.log_index }).collect();
        if subjects.is_empty() {
            return Err(Unknown::NothingExecuted { chain_id, number, hash });
        }
        Ok(subjects)
    }

    async fn look_up(
        &self,
        mut examination: Examination,
        message: &Message,
        executing: Executing,
    ) -> Examination {
        let id = &message.identifier;
        match self.proven(id.chain_id, id.block_number).await {
            Ok((block, logs)) => {
                examination.initiating = Some(InitiatingProof::of(&block, &logs, id));
                if let Err(reason) = check_log(message, &logs) {
                    return examination.invalid(reason);
                }
                examination.concluded(match executing {
                    Executing::Block(root) => self.check_related(root, message, &logs).await,
                    Executing::Fields(at) => self.check_cited(at, message, logs).await,
                })
            }
            Err(why @ Unknown::NoBlock { .. }) => match self.tip(id.chain_id).await {
                Ok(Some(tip)) => match check_tip(message, tip) {
                    Some(reason) => examination.invalid(reason),
                    None => examination.unknown(Reached::Claim, &why),
                },
                Ok(None) => examination.unknown(Reached::Claim, &why),
                Err(why) => examination.unknown(Reached::Claim, &why),
            },
            Err(why) => examination.unknown(Reached::Claim, &why),
        }
    }

    pub(super) fn client(&self, chain_id: ChainId) -> Result<&ExecutionClient, Unknown> {
        self.clients.get(&chain_id).ok_or(Unknown::NoEndpoint { chain_id })
    }

    pub(super) async fn proven(
        &self,
        chain_id: ChainId,
        number: u64,
    ) -> Result<(VerifiedBlock, Arc<ProvenLogs>), Unknown> {
        let client = self.client(chain_id)?;
        let block =
            client.known_block_by_number(number).await?.ok_or(Unknown::NoBlock { chain_id, number })?;
        let logs = client.logs(&block).await?;
        let logs = logs.ok_or_else(|| Unknown::NoReceipts { chain_id, number, hash: block.hash() })?;
        Ok((block, logs))
    }

    async fn tip(&self, chain_id: ChainId) -> Result<Option<(u64, UnixSeconds)>, Unknown> {
        let tip = self.client(chain_id)?.tip().await?;
        Ok(Some((tip.number, tip.timestamp)))
    }
}

impl ProvenBlock {
    const fn of(chain_id: ChainId, block: &VerifiedBlock) -> Self {
        Self {
            chain_id,
            number: block.number(),
            hash: block.hash(),
            timestamp: block.timestamp(),
            receipts_root: block.header().receipts_root,
        }
    }
}

impl InitiatingProof {
    fn of(block: &VerifiedBlock, logs: &ProvenLogs, claimed: &Identifier) -> Self {
        let index = claimed.log_index;
        let log = logs.log(index).map(|log| FoundLog {
            index,
            origin: log.origin,
            payload_hash: log.payload_hash,
            checksum: Checksum::of(&Message {
                identifier: Identifier { origin: log.origin, timestamp: block.timestamp(), ..*claimed },
                payload_hash: log.payload_hash,
            }),
        });
        Self { block: ProvenBlock::of(logs.chain_id(), block), logs: logs.len(), log }
    }
}
