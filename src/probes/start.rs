//! [`StartProbes`]: the task that asks every endpoint once after a start, and logs what is not well.
//!
//! What another part watches anyway is left to it. While something could not be asked, all is asked again,
//! less and less often. Whether the program is ready does not hang on it.

use super::finding::{Asked, Grade, Probe, ProbeFinding, summary};
use super::prober::Prober;
use super::services::REPEATS;
use crate::config::Config;
use crate::metrics::EndpointKind;
use crate::sources::SourceError;
use crosscheck_p2p::Clock;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How soon the endpoints are asked again while something could not be.
const FIRST_PAUSE: Duration = Duration::from_secs(60);

/// How long the pause grows, twice as long each time.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// Asks every endpoint after a start.
pub(crate) struct StartProbes {
    prober: Prober,
    news: NewFindings,
}

/// Which findings are new: not reported yet, and by no other part.
pub(super) struct NewFindings {
    config: Config,
    reported: BTreeSet<String>,
}

impl StartProbes {
    /// A prober of the endpoints of this configuration.
    pub(crate) fn new(config: Config, clock: Arc<dyn Clock>) -> Self {
        let news = NewFindings::new(config.clone());
        Self { prober: Prober::new(config, clock), news }
    }

    /// Asks until everything was found out, and waits until cancelled.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub(crate) async fn run(mut self, cancel: CancellationToken) -> Result<(), SourceError> {
        tokio::select! {
            () = cancel.cancelled() => Ok(()),
            outcome = self.probe() => {
                outcome?;
                cancel.cancelled().await;
                Ok(())
            }
        }
    }

    async fn probe(&mut self) -> Result<(), SourceError> {
        let mut pause = FIRST_PAUSE;
        loop {
            let findings = self.prober.findings().await?;
            for finding in self.news.of(&findings) {
                report(finding);
            }
            info!(found = summary(&findings), "configured endpoints were checked");
            if findings.iter().all(|finding| finding.grade() != Grade::NotDetermined) {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }
}

fn report(finding: &ProbeFinding) {
    let chain_id = finding.chain_id.map(tracing::field::display);
    let (asked, probe) = (&finding.asked, finding.probe.name());
    let (found, advice) = (&finding.judgement.found, &finding.judgement.advice);
    if finding.grade() == Grade::Fault {
        warn!(chain_id, %asked, probe, found, advice, "endpoint is at fault");
    } else {
        warn!(chain_id, %asked, probe, found, advice, "endpoint is in doubt");
    }
}

impl NewFindings {
    /// Nothing is reported yet.
    pub(super) const fn new(config: Config) -> Self {
        Self { config, reported: BTreeSet::new() }
    }

    /// The faults and doubts among these that are to be reported now.
    pub(super) fn of<'a>(&mut self, findings: &'a [ProbeFinding]) -> Vec<&'a ProbeFinding> {
        let bad = findings.iter().filter(|finding| matches!(finding.grade(), Grade::Doubt | Grade::Fault));
        let mut news: Vec<&ProbeFinding> = bad.filter(|finding| !self.is_watched(finding)).collect();
        news.retain(|ProbeFinding { chain_id, asked, probe, judgement }| {
            self.reported.insert(format!("{chain_id:?} {asked} {probe:?} {:?}", judgement.grade))
        });
        news
    }

    /// Whether a part of the program watches that all the time, and reports it.
    fn is_watched(&self, finding: &ProbeFinding) -> bool {
        let kind = match finding.asked {
            Asked::Endpoint { kind, .. } => kind,
            // The gossip watches its peers.
            Asked::Peers => return true,
        };
        let chain = finding.chain_id.and_then(|chain_id| self.config.chains.get(&chain_id));
        match finding.probe {
            // No head is taken over before these are right.
            Probe::ChainId | Probe::Rules | Probe::Heads | Probe::Peers => true,
            // Of several clients one may be of another chain, as long as enough are of the right one.
            Probe::Genesis => {
                kind != EndpointKind::Execution || chain.is_some_and(|chain| chain.execution.len() == 1)
            }
            // The signer on L1 is read repeatedly where no signer is configured.
            Probe::Signer => chain.is_some_and(|chain| chain.unsafe_block_signer.is_none()),
            // Anyone who takes the heads from it reports that.
            Probe::SafeHeads => finding.judgement.found == REPEATS,
            // Anyone who compares its answers reports that.
            Probe::Opinion => true,
            Probe::Methods
            | Probe::Receipts
            | Probe::SafeMeans
            | Probe::SystemConfig
            | Probe::Clock
            | Probe::Version => false,
        }
    }
}
