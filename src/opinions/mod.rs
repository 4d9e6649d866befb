//! Second opinions: the program's own answers, compared with those of op-supernodes and interop filters.
//!
//! A difference that is there again when both are asked again is an event with both answers, a warning and a
//! metric. It is not a verdict, moves no head and does not affect readiness: it does not say which of the two
//! is right. An endpoint that lags, fails, or has not verified what it answers has no opinion. `root_rules`,
//! `access_rules`, `difference_book` and `sample` decide, and are pure; a task asks each endpoint.

mod access_rules;
mod difference_book;
mod endpoint_opinions;
mod filter_watcher;
mod metrics;
mod outcome;
mod own;
mod root_rules;
mod sample;
mod supernode_watcher;

pub(crate) use endpoint_opinions::OpinionEndpoint;
pub(crate) use filter_watcher::FilterWatcher;
pub(crate) use metrics::OpinionMetrics;
pub(crate) use sample::Sampler;
pub(crate) use supernode_watcher::SupernodeWatcher;

#[cfg(test)]
mod tests;
