//! Whether it is proof against a block that a chain does not have what it cites.
//!
//! A node that checks no messages may be on a branch that the chain has left: what is missing there may be on
//! the other one. Where every derived block is audited, such a node is believed as far as the vouched branch
//! goes, and of the block right above it, whose replacement would have no more logs. Nothing is found valid
//! or invalid here.

use super::surroundings::AuditContext;
use super::vouched_branch::has_invalid_message;
use super::{Awaited, Investigator};
use crate::ledger::{Ledger, LedgerError};
use crosscheck_core::case::{Cause, Fact, Wait};
use crosscheck_core::heads::SafeMeans;
use crosscheck_core::message::BlockKey;
use crosscheck_core::proof::ProvenLogs;
use crosscheck_core::validity::check_log;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::BTreeSet;

impl Investigator {
    /// Waits if a message of the examined block is not in the block that it cites, and that is no proof yet.
    pub(super) async fn expect_proof_of_absence(
        &self,
        context: Option<&AuditContext>,
        cited: &ProvenLogs,
    ) -> Result<(), Wait> {
        let (chain_id, number) = (cited.chain_id(), cited.number());
        let Some(ledger) = self.doubting_ledger(chain_id, cited.timestamp()) else { return Ok(()) };
        if context.is_some_and(|context| has_all_cited(context.root(), cited)) {
            return Ok(());
        }
        let wait = Wait { awaited: Awaited::Initiating, chain_id, cause: Cause::NotYet };
        let is_proof = self.is_near_vouched(ledger, chain_id, number).await;
        self.expect_proof(is_proof, wait, || {
            format!("block {number} has no such log, and its branch is not vouched for yet")
        })
    }

    /// Drops what accuses a block because one that it cites is invalid, while nothing else says so of that
    /// one. What that waits for is added.
    pub(super) async fn drop_unproven(
        &self,
        facts: Vec<Fact>,
        timestamp: UnixSeconds,
        waits: &mut BTreeSet<Wait>,
    ) -> Vec<Fact> {
        let mut proven = Vec::with_capacity(facts.len());
        for fact in facts {
            let Fact::CitedBlock { key, is_valid: false } = &fact else {
                proven.push(fact);
                continue;
            };
            match self.expect_proof_of_invalidity(key, timestamp).await {
                Ok(()) => proven.push(fact),
                Err(wait) => {
                    waits.insert(wait);
                }
            }
        }
        proven
    }

    /// Waits for the audit of a block that cites what may be on another branch.
    async fn expect_proof_of_invalidity(&self, key: &BlockKey, timestamp: UnixSeconds) -> Result<(), Wait> {
        let BlockKey { chain_id, number, .. } = *key;
        let Some(ledger) = self.doubting_ledger(chain_id, timestamp) else { return Ok(()) };
        let wait = Wait { awaited: Awaited::CitedBlock, chain_id, cause: Cause::NotYet };
        let is_proof = self.is_found_invalid(ledger, key).await;
        self.expect_proof(is_proof, wait, || format!("block {number} is not found invalid yet"))
    }

    /// Whether the audit of a block found it invalid, or will never come: the chain's audit began above it.
    async fn is_found_invalid(&self, ledger: &Ledger, key: &BlockKey) -> Result<bool, LedgerError> {
        let anchor = ledger.anchored_at(key.chain_id).await?;
        Ok(anchor.is_some_and(|anchor| key.number <= anchor.number)
            || has_invalid_message(ledger, key).await?)
    }

    fn expect_proof(
        &self,
        is_proof: Result<bool, LedgerError>,
        wait: Wait,
        otherwise: impl FnOnce() -> String,
    ) -> Result<(), Wait> {
        let text = match is_proof {
            Ok(true) => return Ok(()),
            Ok(false) => otherwise(),
            Err(error) => error.to_string(),
        };
        self.reasons.note(wait, &text);
        Err(wait)
    }

    /// Where it is looked up how far a chain is vouched for. `None`: that is not needed, or would never come.
    fn doubting_ledger(&self, chain_id: ChainId, timestamp: UnixSeconds) -> Option<&Ledger> {
        let is_verified = self.parts.heads.safe_means_at(chain_id, timestamp) == SafeMeans::CrossSafe;
        let is_doubted = self.parts.derived.contains(&chain_id) && !is_verified;
        self.parts.ledger.as_ref().filter(|_| is_doubted)
    }

    /// Whether a height is on the vouched branch, or right above it.
    async fn is_near_vouched(
        &self,
        ledger: &Ledger,
        chain_id: ChainId,
        number: u64,
    ) -> Result<bool, LedgerError> {
        let vouched = ledger.vouched(chain_id).await?;
        Ok(vouched.is_some_and(|vouched| number <= vouched.number.saturating_add(1)))
    }
}

/// Whether every message that cites a block is in it.
fn has_all_cited(citing: &ProvenLogs, cited: &ProvenLogs) -> bool {
    let key = (cited.chain_id(), cited.number());
    let messages = citing.executed().iter().map(|executed| &executed.message.message);
    messages
        .filter(|message| (message.identifier.chain_id, message.identifier.block_number) == key)
        .all(|message| check_log(message, cited).is_ok())
}
