//! `crosscheck_events` and `crosscheck_verdicts`: what was reported, and what was decided, page by page, from
//! the ledger.
//!
//! Their cursors are ids that survive restarts: anyone who continues from one misses nothing.

use super::crosscheck::{cursor_or_null, internal, page_limit, without_places};
use super::{EventsPage, VerdictsPage};
use crate::ledger::{CaseFilter, EventFilter, Ledger};
use crate::sources::EndpointNames;
use crosscheck_core::case::VerdictKind;
use crosscheck_core::events::Event;
use crosscheck_p2p::ChainId;
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::proc_macros::rpc;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeSet;

/// Which events to read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EventsPageRequest {
    /// Only events of this chain.
    #[serde(alias = "chain")]
    chain_id: Option<ChainId>,
    /// Only events of these kinds.
    kinds: Option<Vec<EventKind>>,
    /// Only events after this one. `null`: from the first one on.
    #[serde(deserialize_with = "cursor_or_null")]
    after: u64,
    /// At most this many: 100 unless given, at most 1000.
    limit: Option<u32>,
}

/// Which verdicts to read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct VerdictsPageRequest {
    /// Only verdicts on blocks of this chain.
    #[serde(alias = "chain")]
    chain_id: Option<ChainId>,
    /// Only verdicts of these names.
    verdicts: Option<Vec<VerdictName>>,
    /// Only verdicts after this one. `null`: from the first one on.
    #[serde(deserialize_with = "cursor_or_null")]
    after: u64,
    /// At most this many: 100 unless given, at most 1000.
    limit: Option<u32>,
}

/// A kind of events.
#[derive(Debug, Clone, Copy)]
pub(super) struct EventKind(&'static str);

impl<'de> Deserialize<'de> for EventKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = Event::KINDS.into_iter().find(|kind| *kind == name);
        known.map(Self).ok_or_else(|| {
            let known = Event::KINDS.join(", ");
            serde::de::Error::custom(format!("{name:?} is not a kind of event: write some of {known}"))
        })
    }
}

/// The name of a verdict.
#[derive(Debug, Clone, Copy)]
pub(super) struct VerdictName(&'static str);

impl<'de> Deserialize<'de> for VerdictName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known: BTreeSet<&'static str> = VerdictKind::ALL.into_iter().map(VerdictKind::name).collect();
        known.get(name.as_str()).copied().map(Self).ok_or_else(|| {
            let known: Vec<&str> = known.into_iter().collect();
            serde::de::Error::custom(format!("{name:?} is not a verdict: write some of {}", known.join(", ")))
        })
    }
}

/// The methods.
#[rpc(server, namespace = "crosscheck")]
pub(super) trait EventsApi {
    /// What was reported, in its order.
    #[method(name = "events")]
    async fn events(&self, page: Option<EventsPageRequest>) -> RpcResult<EventsPage>;

    /// Decided blocks, in the order in which their verdicts fell.
    #[method(name = "verdicts")]
    async fn verdicts(&self, page: Option<VerdictsPageRequest>) -> RpcResult<VerdictsPage>;
}

/// What the methods read.
#[derive(Clone, Debug)]
pub(super) struct EventsRpc {
    /// Events and verdicts.
    pub(super) ledger: Ledger,
    /// What endpoints are called in answers.
    pub(super) names: EndpointNames,
}

#[async_trait]
impl EventsApiServer for EventsRpc {
    async fn events(&self, page: Option<EventsPageRequest>) -> RpcResult<EventsPage> {
        let EventsPageRequest { chain_id, kinds, after, limit } = page.unwrap_or_default();
        let kinds: Option<Vec<&'static str>> =
            kinds.map(|kinds| kinds.into_iter().map(|EventKind(name)| name).collect());
        let filter = EventFilter { chain_id, kinds: kinds.as_deref(), after, limit: page_limit(limit) };
        let read = self.ledger.events(filter).await.map_err(|error| internal(&error))?;
        let (next, cursor) = (read.is_more.then_some(read.cursor), read.cursor);
        Ok(EventsPage { events: read.items, next, cursor })
    }

    async fn verdicts(&self, page: Option<VerdictsPageRequest>) -> RpcResult<VerdictsPage> {
        let VerdictsPageRequest { chain_id, verdicts, after, limit } = page.unwrap_or_default();
        let names: Option<Vec<&'static str>> =
            verdicts.map(|names| names.into_iter().map(|VerdictName(name)| name).collect());
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let filter = CaseFilter { chain_id, after, limit: page_limit(limit) };
        let read =
            self.ledger.decided_as(filter, names.as_deref()).await.map_err(|error| internal(&error))?;
        let (next, cursor) = (read.is_more.then_some(read.cursor), read.cursor);
        let verdicts = read.items.into_iter().map(|it| without_places(it, &self.names)).collect();
        Ok(VerdictsPage { verdicts, next, cursor })
    }
}
