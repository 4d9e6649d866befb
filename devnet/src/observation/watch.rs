//! [`Watch`]: what the devnet asks a sidecar over its JSON-RPC, as any user could.
//!
//! It only reads. A call that fails is logged and retried at the next poll: a sidecar that restarts is still
//! watched. Pages, response sizes and time-outs are bounded.

use super::metrics_page;
use super::metrics_page::MetricsError;
use super::observations::Observations;
use super::withdrawn_verdicts::DisputedBlock;
use crate::findings::{
    AttestationPage, CLAIM_EVENTS, ClaimPage, MessagePage, RefusalPage, SidecarStatus, SuspectPage,
    WithdrawnVerdictPage,
};
use crate::simulation::{Replaced, Sequencer};
use alloy::primitives::B256;
use jsonrpsee::{
    core::{ClientError, client::ClientT},
    http_client::{HttpClient, HttpClientBuilder},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{net::SocketAddr, time::Duration};

/// The most records that are asked for at once.
const PAGE: usize = 500;
/// The most pages that one poll reads.
const MAX_PAGES: usize = 20;
const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_RESPONSE_BYTES: u32 = 64 << 20;

/// A watch that could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("a client for the sidecar's RPC at {addr} could not be created: {source}")]
pub struct WatchError {
    /// The sidecar's RPC.
    pub addr: SocketAddr,
    /// Why.
    pub source: ClientError,
}

/// A client of one sidecar, and what it was seen to say.
#[derive(Debug)]
pub(crate) struct Watch {
    client: HttpClient,
    /// Where the sidecar serves its metrics.
    http: SocketAddr,
    seen: Observations,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct EventsCursor<'a> {
    after: u64,
    limit: usize,
    kinds: &'a [&'static str],
}

#[derive(Serialize)]
struct Cursor {
    after: u64,
    limit: usize,
}

impl Watch {
    /// A watch on the sidecar whose RPC listens at `addr`, and which serves its metrics at `http`.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub(crate) fn new(addr: SocketAddr, http: SocketAddr) -> Result<Self, WatchError> {
        let client = HttpClientBuilder::new()
            .request_timeout(TIMEOUT)
            .max_response_size(MAX_RESPONSE_BYTES)
            .build(format!("http://{addr}"))
            .map_err(|source| WatchError { addr, source })?;
        Ok(Self { client, http, seen: Observations::default() })
    }

    /// What was seen so far.
    pub(crate) const fn seen(&self) -> &Observations {
        &self.seen
    }

    /// Forgets what is settled of these chains.
    pub(crate) fn forget_settled(&mut self, sequencers: &[Sequencer]) {
        sequencers.iter().for_each(|sequencer| self.seen.settle(sequencer));
    }

    /// The nodes of a chain are on another branch from a height on.
    pub(crate) fn observe_other_branch(&mut self, chain_id: u64, from: u64) {
        self.seen.observe_other_branch(chain_id, from);
    }

    /// The nodes of a chain remain on a block that was replaced by another.
    pub(crate) fn observe_remaining(&mut self, chain_id: u64, replaced: Replaced) {
        self.seen.observe_remaining(chain_id, replaced.hash, replaced.by);
    }

    /// The client of a chain is rewound. `finalized`: the final height.
    pub(crate) fn observe_rewind(&mut self, chain_id: u64, finalized: u64) {
        self.seen.observe_rewind(chain_id, finalized);
    }

    /// The rollup nodes of these chains name no heads.
    pub(crate) fn observe_unknown_heads(&mut self, now: &[u64]) {
        self.seen.observe_unknown_heads(now);
    }

    /// The rollup nodes of these chains call genesis final.
    pub(crate) fn observe_genesis_finality(&mut self, now: &[u64]) {
        self.seen.observe_genesis_finality(now);
    }

    /// Before a reorg of L1 makes a block the derived one: its signer may be accused now.
    pub(crate) fn observe_accusation(&mut self, wrong: &DisputedBlock) {
        self.seen.observe_accusation(wrong);
    }

    /// A reorg of L1 has made a block the derived one: its signer may no longer be accused.
    pub(crate) fn observe_clearing(&mut self, wrong: &DisputedBlock) {
        self.seen.observe_clearing(wrong);
    }

    /// Asks which verdicts were withdrawn, and how many blocks are found invalid.
    pub(crate) async fn poll_withdrawn_verdicts(&mut self) {
        if let Err(error) = self.read_withdrawn_verdicts().await {
            tracing::debug!(%error, "sidecar sent no events");
        }
        match self.read_metrics().await {
            Ok(page) => self.seen.record_unresolved(metrics_page::unresolved(&page)),
            Err(error) => tracing::debug!(%error, "sidecar served no metrics"),
        }
    }

    /// Asks what was found of claims without a signature.
    pub(crate) async fn poll_claims(&mut self) {
        if let Err(error) = self.read_claims().await {
            tracing::debug!(%error, "sidecar sent no events");
        }
    }

    async fn read_claims(&mut self) -> Result<(), ClientError> {
        for _ in 0..MAX_PAGES {
            let after = self.seen.claims.cursor();
            let cursor = EventsCursor { after, limit: PAGE, kinds: &CLAIM_EVENTS };
            let page: ClaimPage = self.call("crosscheck_events", &cursor).await?;
            self.seen.record_claims(page);
            if self.seen.claims.cursor() <= after {
                break;
            }
        }
        Ok(())
    }

    /// A derived block may be found invalid now.
    pub(crate) fn observe_found_invalid(&mut self, chain_id: u64, hash: B256) {
        self.seen.observe_found_invalid(chain_id, hash);
    }

    async fn read_withdrawn_verdicts(&mut self) -> Result<(), ClientError> {
        for _ in 0..MAX_PAGES {
            let after = self.seen.withdrawn_verdicts.cursor();
            let kinds = &["verdict-taken-back"];
            let page: WithdrawnVerdictPage =
                self.call("crosscheck_events", &EventsCursor { after, limit: PAGE, kinds }).await?;
            self.seen.record_withdrawn_verdicts(page);
            if self.seen.withdrawn_verdicts.cursor() <= after {
                break;
            }
        }
        Ok(())
    }

    /// Asks for everything new: status, verdicts, refusals, messages and suspects. `outages` are the chains
    /// whose clients answer errors on purpose; `at` is the time since the start of the run.
    pub(crate) async fn poll(&mut self, outages: &[u64], at: Duration) {
        if let Err(error) = self.try_poll(outages, at).await {
            tracing::debug!(%error, "sidecar did not answer");
        }
    }

    async fn try_poll(&mut self, outages: &[u64], at: Duration) -> Result<(), ClientError> {
        let status: SidecarStatus = self.call("crosscheck_status", &Nothing {}).await?;
        self.seen.record_status(status);
        // What was open may be decided now, and a replay be attested; then comes what is new.
        let known = self.seen.last_attestation();
        if let Some(first) = self.seen.first_unsettled() {
            self.read_attestations(first.saturating_sub(1), Some(known), outages).await?;
        }
        self.read_attestations(known, None, outages).await?;
        self.read_refusals(at).await?;
        self.read_messages().await?;
        self.read_suspects().await
    }

    /// Asks which endpoints the sidecar found to differ from the others of their chain.
    pub(crate) async fn poll_endpoints(&mut self) {
        match self.read_metrics().await {
            Ok(page) => {
                self.seen.record_odd_endpoints(metrics_page::odd_endpoints(&page));
                self.seen.record_l1_retractions(metrics_page::l1_retractions(&page));
                self.seen.record_replaced_retractions(metrics_page::replaced_retractions(&page));
                self.seen.record_equivocations(metrics_page::equivocations(&page));
                self.seen.record_contradictions(metrics_page::contradictions(&page));
            }
            Err(error) => tracing::debug!(%error, "sidecar served no metrics"),
        }
    }

    async fn read_metrics(&self) -> Result<String, MetricsError> {
        metrics_page::fetch(self.http, TIMEOUT).await
    }

    async fn read_messages(&mut self) -> Result<(), ClientError> {
        for _ in 0..MAX_PAGES {
            let after = self.seen.messages.sequence();
            let page: MessagePage = self.call("crosscheck_messages", &Cursor { after, limit: PAGE }).await?;
            self.seen.messages.take(page.messages);
            if self.seen.messages.sequence() <= after {
                break;
            }
        }
        Ok(())
    }

    async fn read_suspects(&mut self) -> Result<(), ClientError> {
        for _ in 0..MAX_PAGES {
            let after = self.seen.messages.last_suspect();
            let page: SuspectPage = self.call("crosscheck_suspects", &Cursor { after, limit: PAGE }).await?;
            self.seen.messages.record_suspects(page.suspects);
            if self.seen.messages.last_suspect() <= after {
                break;
            }
        }
        Ok(())
    }

    /// Reads the records after a cursor, up to `last` or to the end.
    async fn read_attestations(
        &mut self,
        mut after: u64,
        last: Option<u64>,
        outages: &[u64],
    ) -> Result<(), ClientError> {
        for _ in 0..MAX_PAGES {
            let page: AttestationPage =
                self.call("crosscheck_attestations", &Cursor { after, limit: PAGE }).await?;
            let read = page.attestations.last().map(|record| record.id);
            self.seen.record_attestations(page.attestations, outages);
            match read.filter(|read| *read > after && last.is_none_or(|last| *read < last)) {
                Some(read) => after = read,
                None => break,
            }
        }
        Ok(())
    }

    async fn read_refusals(&mut self, at: Duration) -> Result<(), ClientError> {
        for _ in 0..MAX_PAGES {
            let after = self.seen.last_refusal();
            let page: RefusalPage = self.call("crosscheck_refusals", &Cursor { after, limit: PAGE }).await?;
            let read = page.refusals.last().map(|record| record.id);
            self.seen.record_refusals(page.refusals, at);
            if read.is_none_or(|read| read <= after) {
                break;
            }
        }
        Ok(())
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &impl Serialize,
    ) -> Result<T, ClientError> {
        let mut list = jsonrpsee::core::params::ArrayParams::new();
        list.insert(params).map_err(ClientError::ParseError)?;
        self.client.request(method, list).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonrpsee::{
        RpcModule,
        server::{Server, ServerHandle},
    };
    use parking_lot::Mutex;
    use serde_json::{Value, json};
    use std::sync::Arc;

    /// What a sidecar answers, and the cursors that it was asked with.
    #[derive(Default)]
    struct Answers {
        verdicts: Vec<&'static str>,
        refusals: u64,
        /// The sequences of messages: each is that of the last change of its message.
        messages: Vec<u64>,
        suspects: u64,
        cursors: Vec<u64>,
        broken: bool,
    }

    async fn sidecar(answers: Arc<Mutex<Answers>>) -> (SocketAddr, ServerHandle) {
        let mut module = RpcModule::new(answers);
        module
            .register_method("crosscheck_status", |_, answers, _| match answers.lock().broken {
                true => json!("no status"),
                false => json!({
                    "version": "9.9", "ready": false, "reasons": ["no peers"], "unknown_field": 1,
                    "chains": [{ "chain_id": 901, "gossiped": 5, "vouched": null, "open": 1 }],
                }),
            })
            .unwrap();
        module
            .register_method("crosscheck_attestations", |params, answers, _| {
                let cursor: Value = params.one().unwrap();
                let (after, limit) = (cursor["after"].as_u64().unwrap(), cursor["limit"].as_u64().unwrap());
                let mut answers = answers.lock();
                answers.cursors.push(after);
                let all = (1..).zip(answers.verdicts.iter().copied());
                let page =
                    all.skip(after as usize).take(limit as usize).map(|(id, verdict)| record(id, verdict));
                json!({ "attestations": page.collect::<Vec<_>>(), "next": null })
            })
            .unwrap();
        module
            .register_method("crosscheck_refusals", |params, answers, _| {
                let cursor: Value = params.one().unwrap();
                let ids = cursor["after"].as_u64().unwrap() + 1..=answers.lock().refusals;
                let refusal = |id| {
                    json!({
                        "id": id, "chain_id": 901, "topic": "blocksv4", "verdict": "ignore", "reason": "seen",
                        "payload_hash": null, "signer": null,
                    })
                };
                json!({ "refusals": ids.map(refusal).collect::<Vec<_>>(), "next": null })
            })
            .unwrap();
        module
            .register_method("crosscheck_messages", |params, answers, _| {
                let cursor: Value = params.one().unwrap();
                let (after, limit) = (cursor["after"].as_u64().unwrap(), cursor["limit"].as_u64().unwrap());
                let sequences = answers.lock().messages.clone();
                let changed = sequences.into_iter().enumerate().filter(|(_, sequence)| *sequence > after);
                let message = |(place, sequence): (usize, u64)| {
                    json!({
                        "sequence": sequence, "log_index": place, "initiating": null, "status": "valid",
                        "reason": null, "state": "tracked", "declared": true, "flips": 0,
                        "executing": { "chain_id": 901, "number": 9, "hash": alloy::primitives::B256::ZERO },
                    })
                };
                json!({ "messages": changed.take(limit as usize).map(message).collect::<Vec<_>>(), "next": null })
            })
            .unwrap();
        module
            .register_method("crosscheck_suspects", |params, answers, _| {
                let cursor: Value = params.one().unwrap();
                let ids = cursor["after"].as_u64().unwrap() + 1..=answers.lock().suspects;
                let suspect = |id| {
                    let hash = alloy::primitives::B256::ZERO;
                    json!({ "id": id, "chain_id": 901, "number": 9, "hash": hash, "reason": "expired" })
                };
                json!({ "suspects": ids.map(suspect).collect::<Vec<_>>(), "next": null })
            })
            .unwrap();
        let server = Server::builder().build("127.0.0.1:0").await.unwrap();
        (server.local_addr().unwrap(), server.start(module))
    }

    fn record(id: u64, verdict: &str) -> Value {
        json!({
            "id": id, "chain_id": 901, "number": id, "hash": alloy::primitives::B256::ZERO, "origin": "attested",
            "verdict": verdict, "reason": null, "detail": null, "decided_after_ms": null,
            "waits": [{ "for": "receipts", "chain_id": 902, "cause": "endpoint-error" }],
            "messages": [{
                "log_index": 3, "status": "unknown", "reason": null, "payload_hash": alloy::primitives::B256::ZERO,
                "initiating": { "origin": alloy::primitives::Address::ZERO, "block_number": 1 },
            }],
        })
    }

    fn verdicts(watch: &Watch) -> Vec<String> {
        watch.seen().attestations().map(|record| record.verdict.clone()).collect()
    }

    #[tokio::test]
    async fn open_records_are_read_again_and_new_ones_are_added() {
        let answers =
            Arc::new(Mutex::new(Answers { verdicts: vec!["upheld", "open"], ..Answers::default() }));
        let (addr, _server) = sidecar(Arc::clone(&answers)).await;
        let mut watch = Watch::new(addr, addr).unwrap();
        watch.poll(&[902], Duration::ZERO).await;
        assert_eq!(verdicts(&watch), ["upheld", "open"]);
        assert_eq!(watch.seen().held_up_by(902).count(), 2);
        answers.lock().verdicts = vec!["not read again", "discarded", "upheld"];
        watch.poll(&[], Duration::ZERO).await;
        assert_eq!(verdicts(&watch), ["upheld", "discarded", "upheld"]);
        assert_eq!(watch.seen().status.chains[0].gossiped, Some(5));
    }

    #[tokio::test]
    async fn many_records_come_in_pages() {
        let count = PAGE * 2 + 7;
        let answers = Answers { verdicts: vec!["upheld"; count], refusals: 3, ..Answers::default() };
        let answers = Arc::new(Mutex::new(answers));
        let (addr, _server) = sidecar(Arc::clone(&answers)).await;
        let mut watch = Watch::new(addr, addr).unwrap();
        watch.poll(&[], Duration::from_secs(4)).await;
        assert_eq!(verdicts(&watch).len(), count);
        assert_eq!(answers.lock().cursors, [0, PAGE as u64, PAGE as u64 * 2, count as u64]);
        let refusals: Vec<_> = watch.seen().refusals().map(|(record, at)| (record.id, at)).collect();
        assert_eq!(refusals, [1, 2, 3].map(|id| (id, Duration::from_secs(4))));
    }

    #[tokio::test]
    async fn messages_that_changed_are_read_again_and_only_those() {
        let messages = (1..=PAGE as u64 + 5).collect();
        let answers = Arc::new(Mutex::new(Answers { messages, suspects: 2, ..Answers::default() }));
        let (addr, _server) = sidecar(Arc::clone(&answers)).await;
        let mut watch = Watch::new(addr, addr).unwrap();
        watch.poll(&[], Duration::ZERO).await;
        let seen = &watch.seen().messages;
        assert_eq!(
            (seen.iter().count(), seen.sequence(), seen.suspects().count()),
            (PAGE + 5, PAGE as u64 + 5, 2)
        );
        answers.lock().messages[3] = PAGE as u64 + 6;
        watch.poll(&[], Duration::ZERO).await;
        let seen = &watch.seen().messages;
        assert_eq!((seen.iter().count(), seen.sequence()), (PAGE + 5, PAGE as u64 + 6));
    }

    #[tokio::test]
    async fn a_sidecar_that_answers_nonsense_or_nothing_changes_nothing() {
        let answers = Arc::new(Mutex::new(Answers { verdicts: vec!["upheld"], ..Answers::default() }));
        let (addr, server) = sidecar(Arc::clone(&answers)).await;
        let mut watch = Watch::new(addr, addr).unwrap();
        watch.poll(&[], Duration::ZERO).await;
        answers.lock().broken = true;
        answers.lock().verdicts.push("upheld");
        watch.poll(&[], Duration::ZERO).await;
        server.stop().unwrap();
        server.stopped().await;
        watch.poll(&[], Duration::ZERO).await;
        assert_eq!(verdicts(&watch), ["upheld"]);
        assert_eq!(watch.seen().status.reasons, ["no peers"]);
    }
}
