//! [`EndpointPace`]: the [`Pace`] of an endpoint, which its clients write and others read.

use super::EndpointUrl;
use super::pace::{Pace, percent};
use parking_lot::Mutex;
use prometheus::Histogram;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::Instant;

/// How long an endpoint takes. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct EndpointPace {
    url: EndpointUrl,
    timeout: Duration,
    pace: Arc<Mutex<Pace>>,
    /// Where each answer's time is counted, too.
    histogram: Arc<OnceLock<Histogram>>,
}

/// How long an endpoint takes, at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PaceLook {
    /// The median of its recent answers. `None`: there are none.
    pub(crate) median: Option<Duration>,
    /// The median in per cent of the time that it may take; 0 if there are no recent answers.
    pub(crate) percent: u64,
    /// Whether it is slow.
    pub(crate) is_slow: bool,
}

impl EndpointPace {
    /// The endpoint at `url` may take this long, and has not been asked yet.
    pub(crate) fn new(url: EndpointUrl, timeout: Duration) -> Self {
        let pace = Arc::new(Mutex::new(Pace::new(timeout)));
        Self { url, timeout, pace, histogram: Arc::default() }
    }

    /// Counts each answer's time there from now on. The first such place counts.
    pub(crate) fn counted_in(&self, histogram: Histogram) {
        let _is_counted_already = self.histogram.set(histogram);
    }

    /// Where it is.
    pub(crate) const fn url(&self) -> &EndpointUrl {
        &self.url
    }

    /// How long it may take.
    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// It took this long. What was refused at once, or never reached it, says nothing: `is_answer` is then
    /// false, and only a request that was given up for its time counts.
    pub(crate) fn took(&self, time: Duration, is_answer: bool, now: Instant) {
        if is_answer || time >= self.timeout {
            self.pace.lock().took(time, now);
            if let Some(histogram) = self.histogram.get() {
                histogram.observe(time.as_secs_f64());
            }
        }
    }

    /// Its current pace.
    pub(crate) fn current(&self, now: Instant) -> PaceLook {
        let (median, is_slow) = self.pace.lock().current(now);
        PaceLook { median, percent: median.map_or(0, |median| percent(median, self.timeout)), is_slow }
    }
}

#[cfg(test)]
mod tests {
    use crate::sources::{Endpoint, EndpointLimits};
    use crosscheck_devnet::serve::start;
    use jsonrpsee::types::ErrorObjectOwned;
    use jsonrpsee::{RpcModule, rpc_params};
    use rstest::rstest;
    use std::time::Duration;
    use tokio::time::Instant;

    fn endpoint(url: &str, timeout: Duration) -> Endpoint {
        let limits = EndpointLimits { timeout, max_response_bytes: 1024, max_concurrent_requests: 1 };
        Endpoint::new(url.parse().unwrap(), limits).unwrap()
    }

    #[rstest]
    #[case::answered("eth_chainId")]
    #[case::refused("eth_config")]
    #[case::in_a_batch("eth_getTransactionReceipt")]
    #[tokio::test]
    async fn answers_of_any_kind_are_timed(#[case] method: &'static str) {
        let mut module = RpcModule::new(());
        module.register_method("eth_chainId", |_, (), _| "0x1").unwrap();
        let refusal = |_: jsonrpsee::types::Params<'_>, (): &(), _: &jsonrpsee::Extensions| {
            Err::<(), _>(ErrorObjectOwned::owned(-32_000, "no", None::<()>))
        };
        module.register_method("eth_config", refusal).unwrap();
        module.register_method("eth_getTransactionReceipt", |_, (), _| "0x1").unwrap();
        let server = start(module).await.unwrap();
        let endpoint = endpoint(&server.url(), Duration::from_secs(300));
        assert_eq!(endpoint.pace().current(Instant::now()).median, None);
        if method == "eth_getTransactionReceipt" {
            let _answers = endpoint.batch::<String>(method, [rpc_params![], rpc_params![]]).await;
        } else {
            let _answer = endpoint.call::<String>(method, rpc_params![]).await;
        }
        assert!(endpoint.pace().current(Instant::now()).median.is_some());
    }

    #[tokio::test]
    async fn failed_connections_are_not_timed_but_timeouts_are() {
        let away = endpoint("http://127.0.0.1:1", Duration::from_secs(300));
        assert!(away.call::<String>("eth_chainId", rpc_params![]).await.is_err());
        assert_eq!(away.pace().current(Instant::now()).median, None);
        // It takes connections, and never answers.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let silent = endpoint(&url, Duration::from_millis(20));
        assert!(silent.call::<String>("eth_chainId", rpc_params![]).await.is_err());
        let look = silent.pace().current(Instant::now());
        assert_eq!((look.median, look.percent), (Some(Duration::from_millis(20)), 100));
    }
}
