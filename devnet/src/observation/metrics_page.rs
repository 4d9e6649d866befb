//! What a sidecar says of its endpoints on `/metrics`, as the devnet reads it.

use crate::findings::EndpointOddity;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

/// The largest page that is read, bytes.
const MAX_PAGE: usize = 32 << 20;
/// How often an endpoint was outvoted.
const DISAGREEMENTS: &str = "endpoint_disagreements_total";
/// How often clients began to contradict themselves.
const CONTRADICTIONS: &str = "client_contradictions_total";
/// How often vouched heads went back.
const RETRACTIONS: &str = "vouched_retractions_total";
/// What is behind attestations of one height, by relation.
const RIVALS: &str = "rival_attestations_total";
/// How many wrong blocks nobody has resolved.
const UNRESOLVED: &str = "unresolved_violations";
/// In which state an endpoint is.
const STATE: &str = "endpoint_state";

/// A page that could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum MetricsError {
    /// The address makes no URI.
    #[error("http://{addr}/metrics is not an address: {source}")]
    Address {
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: hyper::http::uri::InvalidUri,
    },
    /// Nobody answers there.
    #[error("http://{addr}/metrics does not answer: {source}")]
    Unanswered {
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: hyper_util::client::legacy::Error,
    },
    /// The answer ends early or is too large.
    #[error("http://{addr}/metrics cannot be read, or is larger than {MAX_PAGE} bytes: {reason}")]
    Body {
        /// The address.
        addr: SocketAddr,
        /// Why.
        reason: String,
    },
    /// The answer takes too long.
    #[error("http://{addr}/metrics does not answer in time")]
    Late {
        /// The address.
        addr: SocketAddr,
    },
}

/// The page as it is now.
pub(super) async fn fetch(addr: SocketAddr, within: Duration) -> Result<String, MetricsError> {
    let uri = format!("http://{addr}/metrics").parse();
    let uri: hyper::Uri = uri.map_err(|source| MetricsError::Address { addr, source })?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<bytes::Bytes>>();
    let page = async {
        let response = client.get(uri).await.map_err(|source| MetricsError::Unanswered { addr, source })?;
        let body = Limited::new(response.into_body(), MAX_PAGE).collect().await;
        let body = body.map_err(|error| MetricsError::Body { addr, reason: error.to_string() })?;
        Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
    };
    tokio::time::timeout(within, page).await.map_err(|_| MetricsError::Late { addr })?
}

/// The endpoints that are said to differ from the others of their chain: chain, place, and how.
pub(super) fn odd_endpoints(page: &str) -> Vec<(u64, usize, EndpointOddity)> {
    page.lines().filter_map(odd_endpoint).collect()
}

/// How often each chain's clients were reported to contradict themselves.
pub(super) fn contradictions(page: &str) -> Vec<(u64, u64)> {
    let of = |line| {
        let sample = Sample::read(line).filter(|sample| sample.name.ends_with(CONTRADICTIONS))?;
        Some((sample.label("chain_id")?.parse().ok()?, sample.value.parse().ok()?))
    };
    page.lines().filter_map(of).collect()
}

/// How often the vouched head of each chain was reported to have moved back because L1 had reorged out its
/// origin.
pub(super) fn l1_retractions(page: &str) -> Vec<(u64, u64)> {
    of_chains(page, RETRACTIONS, ("reason", "l1-reorg"))
}

/// How often the vouched head of each chain was reported to have left a block in whose place another became
/// final.
pub(super) fn replaced_retractions(page: &str) -> Vec<(u64, u64)> {
    of_chains(page, RETRACTIONS, ("reason", "replaced"))
}

/// How often the attester of each chain was said to have signed two blocks of one height.
pub(super) fn equivocations(page: &str) -> Vec<(u64, u64)> {
    of_chains(page, RIVALS, ("relation", "equivocation"))
}

/// How many blocks of each chain were found invalid, and are not resolved.
pub(super) fn unresolved(page: &str) -> BTreeMap<u64, u64> {
    let of = |line| {
        let sample = Sample::read(line).filter(|sample| sample.name.ends_with(UNRESOLVED))?;
        Some((sample.label("chain_id")?.parse().ok()?, sample.value.parse().ok()?))
    };
    let mut all = BTreeMap::<u64, u64>::new();
    for (chain_id, count) in page.lines().filter_map(of) {
        let known = all.entry(chain_id).or_default();
        *known = known.saturating_add(count);
    }
    all
}

/// The counter of each chain that has this label.
fn of_chains(page: &str, name: &str, (key, value): (&str, &str)) -> Vec<(u64, u64)> {
    let of = |line| {
        let sample = Sample::read(line).filter(|sample| sample.name.ends_with(name))?;
        let is_meant = sample.label(key) == Some(value);
        is_meant.then_some((sample.label("chain_id")?.parse().ok()?, sample.value.parse().ok()?))
    };
    page.lines().filter_map(of).collect()
}

fn odd_endpoint(line: &str) -> Option<(u64, usize, EndpointOddity)> {
    let sample = Sample::read(line)?;
    if sample.value.parse::<f64>().ok()? <= 0.0 {
        return None;
    }
    let oddity = match sample.label("state") {
        None if sample.name.ends_with(DISAGREEMENTS) => EndpointOddity::Lies,
        Some("outvoted") if sample.name.ends_with(STATE) => EndpointOddity::Lies,
        Some("behind") if sample.name.ends_with(STATE) => EndpointOddity::Lags,
        None | Some(_) => return None,
    };
    Some((sample.label("chain_id")?.parse().ok()?, sample.label("endpoint")?.parse().ok()?, oddity))
}

/// One line with labels.
struct Sample<'a> {
    name: &'a str,
    labels: &'a str,
    value: &'a str,
}

impl<'a> Sample<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let (name, rest) = line.split_once('{')?;
        let (labels, value) = rest.rsplit_once('}')?;
        Some(Self { name, labels, value: value.trim() })
    }

    fn label(&self, key: &str) -> Option<&'a str> {
        let labels = self.labels.split(',').filter_map(|label| label.split_once('='));
        labels.filter(|(name, _)| *name == key).map(|(_, value)| value.trim_matches('"')).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_named_by_its_state_and_by_its_disagreements() {
        let page = r#"
# HELP crosscheck_endpoint_state Whether an execution endpoint is in this state
crosscheck_endpoint_state{chain_id="901",endpoint="0",state="agrees"} 1
crosscheck_endpoint_state{chain_id="901",endpoint="0",state="outvoted"} 0
crosscheck_endpoint_state{chain_id="901",endpoint="1",state="behind"} 1
crosscheck_endpoint_state{chain_id="902",endpoint="2",state="outvoted"} 1
crosscheck_endpoint_disagreements_total{chain_id="903",endpoint="1"} 4
crosscheck_endpoint_disagreements_total{chain_id="903",endpoint="0"} 0
crosscheck_endpoint_failures_total{chain_id="904",endpoint="0"} 7
crosscheck_client_contradictions_total{chain_id="901"} 2
crosscheck_vouched_retractions_total{chain_id="901",reason="l1-reorg"} 3
crosscheck_vouched_retractions_total{chain_id="901",reason="replaced"} 1
crosscheck_rival_attestations_total{chain_id="901",relation="l1-reorg"} 5
crosscheck_rival_attestations_total{chain_id="901",relation="equivocation"} 6
crosscheck_unresolved_violations{attribution="attributable",chain_id="901",verdict="violated"} 2
crosscheck_unresolved_violations{attribution="attributable",chain_id="901",verdict="discarded"} 1
crosscheck_unresolved_violations{attribution="replayable",chain_id="902",verdict="violated"} 0
crosscheck_up 1
"#;
        let named =
            [(901, 1, EndpointOddity::Lags), (902, 2, EndpointOddity::Lies), (903, 1, EndpointOddity::Lies)];
        assert_eq!(odd_endpoints(page), named);
        assert_eq!(contradictions(page), [(901, 2)]);
        assert_eq!(l1_retractions(page), [(901, 3)]);
        assert_eq!(replaced_retractions(page), [(901, 1)]);
        assert_eq!(unresolved(page), [(901, 3), (902, 0)].into());
        assert_eq!(equivocations(page), [(901, 6)]);
    }
}
